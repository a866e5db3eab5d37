//! Reading JSON token by token: patterns, events, details and templates.
//!
//! Not `serde_json`: `EventBridge` tells where a pattern is wrong in the words and positions of Jackson, the
//! parser that it is built on, and those depend on when Jackson looks at which character. This reader looks in
//! the same order: behind a field's name it has already taken the first token of the value; a string counts as
//! begun, and is looked through only when its text is asked for or the next token is. It keeps its own stack,
//! so that no depth of nesting can overflow ours.
//!
//! Sources: the recorded messages of the real service, and Jackson's `ReaderBasedJsonParser`.

mod words;

use std::borrow::Cow;

pub use words::quoted;
use words::{continues_word, described, shown_source, starts_word, unescape};

/// Jackson refuses what is deeper (`StreamReadConstraints.getMaxNestingDepth`); EventBridge's documentation
/// names the same number for events.
const DEPTH_MAX: usize = 1000;
/// How much of an unknown word Jackson repeats in a message.
const WORD_SHOWN_CHARS_MAX: usize = 256;

const VALUES: &str = "(JSON String, Number, Array, Object or token 'null', 'true' or 'false')";

/// What the reader stands on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Token {
    /// `{`
    ObjectStart,
    /// `}`
    ObjectEnd,
    /// `[`
    ArrayStart,
    /// `]`
    ArrayEnd,
    /// The name of a field.
    Name,
    /// A string as a value.
    String,
    /// Any number.
    Number,
    /// `true`
    True,
    /// `false`
    False,
    /// `null`
    Null,
}

/// Text that is no JSON, in Jackson's words, with the position.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Syntax(pub String);

/// An object or array that is open.
#[derive(Clone, Copy, Debug)]
struct Scope {
    is_object: bool,
    opened_at: usize,
    has_entries: bool,
}

/// A string in the text: its bytes between the quotes.
#[derive(Clone, Copy, Debug, Default)]
struct Quoted {
    start: usize,
    end: usize,
    has_escapes: bool,
}

/// A pull parser over one text.
#[derive(Debug)]
pub struct Reader<'a> {
    text: &'a str,
    /// The next byte to look at.
    at: usize,
    scopes: Vec<Scope>,
    name: Quoted,
    /// The value behind a name, which was taken together with it.
    behind_name: Option<Token>,
    /// Where the last value taken begins.
    value_at: usize,
    /// The last value is a string whose end was not looked for yet.
    is_unread: bool,
    string: Quoted,
}

impl<'a> Reader<'a> {
    /// Before the first token of `text`.
    pub fn new(text: &'a str) -> Self {
        Self {
            text,
            at: 0,
            scopes: Vec::new(),
            name: Quoted::default(),
            behind_name: None,
            value_at: 0,
            is_unread: false,
            string: Quoted::default(),
        }
    }

    /// Takes the next token; nothing at the end of the text.
    pub fn next(&mut self) -> Result<Option<Token>, Syntax> {
        if let Some(token) = self.behind_name.take() {
            return self.enter(token).map(Some);
        }
        self.finish_string()?;
        let Some(byte) = self.skip_space()? else {
            return match self.scopes.last() {
                None => Ok(None),
                Some(scope) => {
                    let (kind, opened_at) = (scope.kind(), self.location(scope.opened_at));
                    let message = format!("expected close marker for {kind} (start marker at{opened_at})");
                    Err(self.error_here(&format!("Unexpected end-of-input: {message}")))
                }
            };
        };
        match byte {
            b'}' | b']' => self.leave(byte).map(Some),
            _ => self.next_in_scope(byte).map(Some),
        }
    }

    fn next_in_scope(&mut self, mut byte: u8) -> Result<Token, Syntax> {
        let mut in_object = false;
        if let Some(scope) = self.scopes.last_mut() {
            in_object = scope.is_object;
            let (kind, needs_comma) = (scope.kind(), scope.has_entries);
            scope.has_entries = true;
            if needs_comma {
                if byte != b',' {
                    return Err(self.unexpected(&format!("was expecting comma to separate {kind} entries")));
                }
                self.at += 1;
                byte = self.skip_space_within(kind)?;
            }
        }
        if !in_object {
            let token = self.begin_value(byte)?;
            return self.enter(token);
        }
        if byte != b'"' {
            return Err(self.unexpected("was expecting double-quote to start field name"));
        }
        self.at += 1;
        self.name = self.scan_string("Unexpected end-of-input in field name")?;
        if self.skip_space_within("Object")? != b':' {
            return Err(self.unexpected("was expecting a colon to separate field name and value"));
        }
        self.at += 1;
        let byte = self.skip_space_within("Object")?;
        self.behind_name = Some(self.begin_value(byte)?);
        Ok(Token::Name)
    }

    /// The name of the field that the reader stands on or in.
    pub fn name(&self) -> Cow<'a, str> {
        self.decode(self.name)
    }

    /// The text of the value that the reader stands on: a string's content, a number or word as it is written,
    /// a bracket.
    pub fn text(&mut self) -> Result<Cow<'a, str>, Syntax> {
        if self.is_unread {
            self.finish_string()?;
            return Ok(self.decode(self.string));
        }
        Ok(Cow::Borrowed(&self.text[self.value_at..self.at]))
    }

    /// Passes over the value that the reader stands on, and returns it as it is written. What is inside an
    /// object or array is not checked: use it on text that is known to be JSON.
    pub fn skip_value(&mut self, token: Token) -> Result<&'a str, Syntax> {
        let start = self.value_at;
        if matches!(token, Token::ObjectStart | Token::ArrayStart) {
            let mut depth = 1;
            while depth > 0 {
                let byte = self.byte_here();
                self.at += usize::from(byte.is_some());
                match byte {
                    Some(b'"') => _ = self.scan_string("Unexpected end-of-input in a skipped string")?,
                    Some(b'{' | b'[') => depth += 1,
                    Some(b'}' | b']') => depth -= 1,
                    Some(_) => {}
                    None => return Err(self.error_here("Unexpected end-of-input in a skipped value")),
                }
            }
            self.scopes.pop();
        }
        self.finish_string()?;
        Ok(&self.text[start..self.at])
    }

    /// An error of the caller's at the reader's position, as Jackson's `JsonParseException` words it.
    pub fn error_here(&self, message: &str) -> Syntax {
        Syntax(format!("{message}\n at{}", self.location(self.at)))
    }

    fn decode(&self, quoted: Quoted) -> Cow<'a, str> {
        let raw = &self.text[quoted.start..quoted.end];
        if quoted.has_escapes { Cow::Owned(unescape(raw)) } else { Cow::Borrowed(raw) }
    }

    /// Opens a scope if the token does.
    fn enter(&mut self, token: Token) -> Result<Token, Syntax> {
        if matches!(token, Token::ObjectStart | Token::ArrayStart) {
            if self.scopes.len() == DEPTH_MAX {
                let depth = DEPTH_MAX + 1;
                return Err(Syntax(format!(
                    "Document nesting depth ({depth}) exceeds the maximum allowed ({DEPTH_MAX}, from \
                     `StreamReadConstraints.getMaxNestingDepth()`)"
                )));
            }
            let is_object = token == Token::ObjectStart;
            self.scopes.push(Scope { is_object, opened_at: self.value_at, has_entries: false });
        }
        Ok(token)
    }

    fn leave(&mut self, byte: u8) -> Result<Token, Syntax> {
        let closes_object = byte == b'}';
        match self.scopes.last().copied() {
            Some(scope) if scope.is_object == closes_object => {
                self.scopes.pop();
                self.value_at = self.at;
                self.at += 1;
                Ok(if closes_object { Token::ObjectEnd } else { Token::ArrayEnd })
            }
            Some(scope) => {
                let expected = if scope.is_object { '}' } else { ']' };
                let (kind, opened_at) = (scope.kind(), self.location(scope.opened_at));
                self.at += 1;
                Err(self.error_here(&format!(
                    "Unexpected close marker '{}': expected '{expected}' (for {kind} starting at{opened_at})",
                    char::from(byte),
                )))
            }
            None => Err(self.unexpected(&format!("expected a valid value {VALUES}"))),
        }
    }

    fn begin_value(&mut self, byte: u8) -> Result<Token, Syntax> {
        self.value_at = self.at;
        match byte {
            b'"' => {
                self.at += 1;
                self.string.start = self.at;
                self.is_unread = true;
                Ok(Token::String)
            }
            b'{' | b'[' => {
                self.at += 1;
                Ok(if byte == b'{' { Token::ObjectStart } else { Token::ArrayStart })
            }
            b't' => self.word("true", Token::True),
            b'f' => self.word("false", Token::False),
            b'n' => self.word("null", Token::Null),
            b'-' | b'0'..=b'9' => self.number(),
            _ if self.char_here().is_some_and(starts_word) => Err(self.unknown_word()),
            _ => Err(self.unexpected(&format!("expected a valid value {VALUES}"))),
        }
    }

    fn word(&mut self, word: &str, token: Token) -> Result<Token, Syntax> {
        if !self.text[self.at..].starts_with(word) {
            return Err(self.unknown_word());
        }
        self.at += word.len();
        if self.char_here().is_some_and(continues_word) {
            self.at = self.value_at;
            return Err(self.unknown_word());
        }
        Ok(token)
    }

    fn unknown_word(&mut self) -> Syntax {
        let rest = &self.text[self.at..];
        let mut word: String = rest.chars().take_while(|c| continues_word(*c)).take(WORD_SHOWN_CHARS_MAX).collect();
        self.at += word.len();
        if word.chars().count() == WORD_SHOWN_CHARS_MAX {
            word.push_str("...");
        }
        self.error_here(&format!("Unrecognized token '{word}': was expecting {VALUES}"))
    }

    fn number(&mut self) -> Result<Token, Syntax> {
        if self.byte_here() == Some(b'-') {
            self.at += 1;
            self.digit("expected digit (0-9) to follow minus sign, for valid numeric value")?;
        } else {
            self.at += 1;
        }
        if self.text.as_bytes()[self.at - 1] == b'0' && self.byte_here().is_some_and(|byte| byte.is_ascii_digit()) {
            return Err(self.error_here("Invalid numeric value: Leading zeroes not allowed"));
        }
        self.digits();
        if self.byte_here() == Some(b'.') {
            self.at += 1;
            self.digit("Decimal point not followed by a digit")?;
            self.digits();
        }
        if let Some(b'e' | b'E') = self.byte_here() {
            self.at += 1;
            if let Some(b'+' | b'-') = self.byte_here() {
                self.at += 1;
            }
            self.digit("Exponent indicator not followed by a digit")?;
            self.digits();
        }
        Ok(Token::Number)
    }

    fn digit(&mut self, otherwise: &str) -> Result<(), Syntax> {
        match self.char_here() {
            Some(c) if c.is_ascii_digit() => self.at += 1,
            Some(c) => {
                let message = format!("Unexpected character ({}) in numeric value: {otherwise}", described(c));
                return Err(self.error_here(&message));
            }
            None => return Err(self.error_here("Unexpected end-of-input in a Number value")),
        }
        Ok(())
    }

    fn digits(&mut self) {
        while self.byte_here().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
    }

    fn finish_string(&mut self) -> Result<(), Syntax> {
        if self.is_unread {
            self.is_unread = false;
            self.string =
                self.scan_string("Unexpected end-of-input: was expecting closing quote for a string value")?;
        }
        Ok(())
    }

    /// From behind the opening quote to behind the closing one.
    fn scan_string(&mut self, unclosed: &str) -> Result<Quoted, Syntax> {
        let mut quoted = Quoted { start: self.at, end: self.at, has_escapes: false };
        loop {
            let rest = &self.text.as_bytes()[self.at..];
            let plain = rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..0x20));
            self.at += plain.unwrap_or(rest.len());
            match self.byte_here() {
                Some(b'"') => {
                    quoted.end = self.at;
                    self.at += 1;
                    return Ok(quoted);
                }
                Some(b'\\') => {
                    quoted.has_escapes = true;
                    self.escape()?;
                }
                Some(byte) => {
                    let shown = described(char::from(byte));
                    let advice = "has to be escaped using backslash to be included in string value";
                    self.at += 1;
                    return Err(self.error_here(&format!("Illegal unquoted character ({shown}): {advice}")));
                }
                None => return Err(self.error_here(unclosed)),
            }
        }
    }

    fn escape(&mut self) -> Result<(), Syntax> {
        self.at += 1;
        match self.char_here() {
            Some('"' | '\\' | '/' | 'b' | 'f' | 'n' | 'r' | 't') => self.at += 1,
            Some('u') => {
                self.at += 1;
                for _ in 0..4 {
                    match self.char_here() {
                        Some(c) if c.is_ascii_hexdigit() => self.at += 1,
                        Some(_) => {
                            return Err(self.unexpected("expected a hex-digit for character escape sequence"));
                        }
                        None => return Err(self.error_here("Unexpected end-of-input in character escape sequence")),
                    }
                }
            }
            Some(c) => {
                self.at += c.len_utf8();
                return Err(self.error_here(&format!("Unrecognized character escape {}", described(c))));
            }
            None => return Err(self.error_here("Unexpected end-of-input in character escape sequence")),
        }
        Ok(())
    }

    /// To the next byte that is no white space; nothing at the end.
    fn skip_space(&mut self) -> Result<Option<u8>, Syntax> {
        loop {
            match self.byte_here() {
                Some(b' ' | b'\t' | b'\n' | b'\r') => self.at += 1,
                Some(byte) if byte < 0x20 => {
                    let shown = described(char::from(byte));
                    let advice = r"only regular white space (\r, \n, \t) is allowed between tokens";
                    return Err(self.error_here(&format!("Illegal character ({shown}): {advice}")));
                }
                byte => return Ok(byte),
            }
        }
    }

    fn skip_space_within(&mut self, kind: &str) -> Result<u8, Syntax> {
        let byte = self.skip_space()?;
        byte.ok_or_else(|| self.error_here(&format!("Unexpected end-of-input within/between {kind} entries")))
    }

    fn byte_here(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn char_here(&self) -> Option<char> {
        self.text[self.at..].chars().next()
    }

    /// Jackson reports a character that does not belong at its own position, everything else behind what was read.
    fn unexpected(&self, advice: &str) -> Syntax {
        let shown = self.char_here().map_or_else(|| "end".to_owned(), described);
        self.error_here(&format!("Unexpected character ({shown}): {advice}"))
    }

    /// ` [Source: (String)"…"; line: 1, column: 2]`, for the character at `offset`.
    fn location(&self, offset: usize) -> String {
        let before = self.text[..offset].replace("\r\n", "\n");
        let (line, last) = before.split(['\n', '\r']).enumerate().last().unwrap_or((0, ""));
        let column = last.encode_utf16().count() + 1;
        format!(" [Source: {}; line: {}, column: {column}]", shown_source(self.text), line + 1)
    }
}

impl Scope {
    fn kind(self) -> &'static str {
        if self.is_object { "Object" } else { "Array" }
    }
}

/// The text without white space between its tokens, if it is one JSON value and nothing else.
pub fn minified(text: &str) -> Result<String, Syntax> {
    let mut reader = Reader::new(text);
    let mut compact = String::with_capacity(text.len());
    let mut needs_comma = false;
    while let Some(token) = reader.next()? {
        let closes = matches!(token, Token::ObjectEnd | Token::ArrayEnd);
        if needs_comma && !closes {
            compact.push(',');
        }
        match token {
            Token::Name => {
                compact.push_str(&text[reader.name.start - 1..=reader.name.end]);
                compact.push(':');
                needs_comma = false;
                continue;
            }
            Token::String => compact.push_str(reader.skip_value(token)?),
            _ => compact.push_str(&text[reader.value_at..reader.at]),
        }
        needs_comma = !matches!(token, Token::ObjectStart | Token::ArrayStart);
        if reader.scopes.is_empty() {
            return match reader.skip_space()? {
                None => Ok(compact),
                Some(_) => Err(reader.unexpected("was expecting nothing behind the value")),
            };
        }
    }
    Err(reader.error_here("No content to map due to end-of-input"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[track_caller]
    fn refuses(text: &str, message: &str) {
        let found = minified(text).expect_err("it is no JSON").0;
        assert_eq!(found.split("\n at ").next(), Some(message), "{text}");
    }

    #[test]
    fn words_are_jacksons() {
        refuses("{\"a\":1,}", "Unexpected character ('}' (code 125)): was expecting double-quote to start field name");
        refuses(
            "{\"a\" 1}",
            "Unexpected character ('1' (code 49)): was expecting a colon to separate field name and value",
        );
        refuses("[1 2]", "Unexpected character ('2' (code 50)): was expecting comma to separate Array entries");
        refuses("[01]", "Invalid numeric value: Leading zeroes not allowed");
        refuses("[1.]", "Unexpected character (']' (code 93)) in numeric value: Decimal point not followed by a digit");
        refuses("[\"a", "Unexpected end-of-input: was expecting closing quote for a string value");
        refuses(
            "{\"a\":[1",
            "Unexpected end-of-input: expected close marker for Array (start marker at [Source: (String)\"{\"a\":[1\"; \
             line: 1, column: 6])",
        );
        refuses(
            "[1}",
            "Unexpected close marker '}': expected ']' (for Array starting at [Source: (String)\"[1}\"; line: 1, \
             column: 1])",
        );
        refuses("[truely]", &format!("Unrecognized token 'truely': was expecting {VALUES}"));
        refuses(r#"["\x"]"#, "Unrecognized character escape 'x' (code 120)");
    }

    #[test]
    fn positions_count_lines_and_utf16_units() {
        let error = minified("{\r\n \"\u{1F600}\":\n\n x}").expect_err("it is no JSON").0;
        assert!(error.ends_with("line: 4, column: 3]"), "{error}");
    }

    #[test]
    fn a_long_source_is_cut() {
        let error = minified(&format!("[{}x]", " ".repeat(600))).expect_err("it is no JSON").0;
        assert!(error.contains("\"[truncated 103 chars]; line: 1"), "{error}");
    }

    #[test]
    fn minifies() {
        let compact =
            minified(" { \"a\" : [ 1.0 , { } , \"x y\\u00e9\" , [ ] ] , \"b\" : null } ").expect("it is JSON");
        assert_eq!(compact, r#"{"a":[1.0,{},"x y\u00e9",[]],"b":null}"#);
    }

    #[test]
    fn depth_is_bounded() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(minified(&nested(1000)).is_ok());
        assert!(minified(&nested(1001)).is_err());
        assert!(minified(&"[".repeat(1_000_000)).is_err());
    }

    #[test]
    fn surrogates_make_one_character() {
        assert_eq!(unescape(r"a😀\n\ud800"), "a\u{1F600}\n\u{fffd}");
    }

    proptest! {
        #[test]
        fn takes_what_serde_takes(text in any_json()) {
            let compact = minified(&text).expect("serde wrote it");
            let (ours, theirs): (serde_json::Value, serde_json::Value) =
                (serde_json::from_str(&compact).expect("JSON"), serde_json::from_str(&text).expect("JSON"));
            prop_assert_eq!(ours, theirs);
        }

        #[test]
        fn agrees_with_serde_on_anything(text in "[\\[\\]{}:,\"\\\\ntrue0-9.eE+ -]{0,12}") {
            let theirs = serde_json::from_str::<serde::de::IgnoredAny>(&text).is_ok();
            prop_assert_eq!(minified(&text).is_ok(), theirs, "{}", text);
        }

        #[test]
        fn quotes_as_serde_reads(text in any::<String>()) {
            prop_assert_eq!(serde_json::from_str::<String>(&quoted(&text)).expect("a string"), text);
        }

        #[test]
        fn never_panics(text in any::<String>()) {
            let _ = minified(&text);
        }
    }

    fn any_json() -> impl Strategy<Value = String> {
        let leaf = prop_oneof![
            Just(serde_json::Value::Null),
            any::<bool>().prop_map(Into::into),
            any::<f64>().prop_map(Into::into),
            any::<i64>().prop_map(Into::into),
            any::<String>().prop_map(Into::into),
        ];
        let value = leaf.prop_recursive(4, 32, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(serde_json::Value::from),
                prop::collection::btree_map(any::<String>(), inner, 0..6)
                    .prop_map(|map| serde_json::Value::from(serde_json::Map::from_iter(map))),
            ]
        });
        value.prop_map(|value| serde_json::to_string_pretty(&value).expect("JSON"))
    }
}
