//! JSON to nodes. YAML is a superset of JSON in name only: tabs, `\/` and halves of surrogate pairs are no YAML, and
//! tools write templates of a megabyte in one line.

use std::collections::HashSet;
use std::sync::Arc;

use crate::error::TemplateError;
use crate::load::{DEPTH_MAX, NODES_MAX};
use crate::node::{Entry, Kind, Map, Node, Scalar};
use crate::source::{Source, Span};

/// Reads a file that is one JSON value.
pub(crate) fn read(source: &Arc<Source>) -> Result<Node, TemplateError> {
    let mut reader = Reader { source, text: &source.text, at: 0, nodes: 0 };
    if source.text.starts_with('\u{feff}') {
        reader.at = '\u{feff}'.len_utf8();
    }
    let node = reader.value(0)?;
    reader.space();
    match reader.peek() {
        None => Ok(node),
        Some(_) => Err(reader.expected("the end of the file")),
    }
}

struct Reader<'s> {
    source: &'s Arc<Source>,
    text: &'s str,
    at: usize,
    nodes: usize,
}

impl Reader<'_> {
    fn value(&mut self, depth: usize) -> Result<Node, TemplateError> {
        self.space();
        self.nodes += 1;
        if depth > DEPTH_MAX {
            return Err(self.mistake(format!("more than {DEPTH_MAX} levels are nested")));
        }
        if self.nodes > NODES_MAX {
            return Err(self.mistake(format!("the file has more than {NODES_MAX} values")));
        }
        let start = self.at;
        let kind = match self.peek() {
            Some(b'{') => Kind::Map(self.map(depth)?),
            Some(b'[') => Kind::List(self.list(depth)?),
            Some(b'"') => Kind::Scalar(Scalar { text: self.string()?, plain: false }),
            Some(b'-' | b'0'..=b'9' | b't' | b'f' | b'n') => Kind::Scalar(self.plain()?),
            _ => return Err(self.expected("a value")),
        };
        Ok(Node { span: self.place(start), kind })
    }

    fn map(&mut self, depth: usize) -> Result<Map, TemplateError> {
        let mut entries: Vec<Entry> = Vec::new();
        self.at += 1;
        self.space();
        if self.eat(b'}') {
            return Ok(Map::default());
        }
        loop {
            self.space();
            let start = self.at;
            if self.peek() != Some(b'"') {
                return Err(self.expected("a key in quotes"));
            }
            let key = self.string()?;
            let key_span = self.place(start);
            self.space();
            if !self.eat(b':') {
                return Err(self.expected("a colon"));
            }
            let value = self.value(depth + 1)?;
            entries.push(Entry { key, key_span, value });
            self.space();
            if self.eat(b'}') {
                break;
            }
            if !self.eat(b',') {
                return Err(self.expected("a comma or }"));
            }
        }
        let mut keys = HashSet::new();
        for entry in &entries {
            if !keys.insert(entry.key.as_str()) {
                return Err(TemplateError::new(&entry.key_span, format!("{} stands here a second time", entry.key)));
            }
        }
        Ok(Map::from_entries(entries))
    }

    fn list(&mut self, depth: usize) -> Result<Vec<Node>, TemplateError> {
        let mut items = Vec::new();
        self.at += 1;
        self.space();
        if self.eat(b']') {
            return Ok(items);
        }
        loop {
            items.push(self.value(depth + 1)?);
            self.space();
            if self.eat(b']') {
                return Ok(items);
            }
            if !self.eat(b',') {
                return Err(self.expected("a comma or ]"));
            }
        }
    }

    /// A number, `true`, `false` or `null`.
    fn plain(&mut self) -> Result<Scalar, TemplateError> {
        let rest = &self.text[self.at..];
        let is_of_words = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '+' | '.');
        let word = &rest[..rest.find(|c| !is_of_words(c)).unwrap_or(rest.len())];
        let is_value =
            matches!(word, "true" | "false" | "null") || serde_json::from_str::<serde_json::Number>(word).is_ok();
        if !is_value {
            return Err(self.expected("a value"));
        }
        self.at += word.len();
        Ok(Scalar { text: word.to_owned(), plain: true })
    }

    fn string(&mut self) -> Result<String, TemplateError> {
        let mut made = String::new();
        self.at += 1;
        loop {
            let rest = &self.text[self.at..];
            let Some(end) = rest.find(|c: char| matches!(c, '"' | '\\') || c < ' ') else {
                self.at = self.text.len();
                return Err(self.expected("the quote that ends the text"));
            };
            made.push_str(&rest[..end]);
            self.at += end;
            if self.eat(b'"') {
                return Ok(made);
            }
            if !self.eat(b'\\') {
                return Err(self.mistake("a line break or tab in a text is written \\n or \\t".to_owned()));
            }
            made.push(self.escape()?);
        }
    }

    fn escape(&mut self) -> Result<char, TemplateError> {
        let escaped = self.peek();
        self.at += usize::from(escaped.is_some_and(|byte| byte.is_ascii()));
        Ok(match escaped {
            Some(byte @ (b'"' | b'\\' | b'/')) => char::from(byte),
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => self.code_unit()?,
            _ => return Err(self.mistake("no escape follows the backslash".to_owned())),
        })
    }

    /// `\u1234`, or two of them that are a surrogate pair. Half of a pair alone is no character.
    fn code_unit(&mut self) -> Result<char, TemplateError> {
        let first = self.hex()?;
        if let Some(character) = char::from_u32(first) {
            return Ok(character);
        }
        let before = self.at;
        if self.text[self.at..].starts_with("\\u") {
            self.at += 2;
            let second = self.hex()?;
            if (0xd800..0xdc00).contains(&first) && (0xdc00..0xe000).contains(&second) {
                let code = 0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00);
                return Ok(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
            }
            self.at = before;
        }
        Ok(char::REPLACEMENT_CHARACTER)
    }

    fn hex(&mut self) -> Result<u32, TemplateError> {
        let digits =
            self.text.get(self.at..self.at + 4).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
        match digits.and_then(|digits| u32::from_str_radix(digits, 16).ok()) {
            Some(code) => {
                self.at += 4;
                Ok(code)
            }
            None => Err(self.expected("four hexadecimal digits")),
        }
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn eat(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn expected(&self, what: &str) -> TemplateError {
        let found = match self.text.get(self.at..).and_then(|rest| rest.chars().next()) {
            Some(character) => format!("{character:?}"),
            None => "the end of the file".to_owned(),
        };
        self.mistake(format!("{what} is expected here, not {found}"))
    }

    fn mistake(&self, message: String) -> TemplateError {
        TemplateError::new(&self.place(self.at), message)
    }

    /// From there to where the reader is.
    fn place(&self, start: usize) -> Span {
        Span { source: Arc::clone(self.source), start, end: self.at }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Value) {
        assert_eq!(read(&Source::new("t.json", text)).map(|node| node.to_json()), Ok(expected));
    }

    #[track_caller]
    fn check_error(text: &str, expected: &str) {
        let error = read(&Source::new("t.json", text)).map(|node| node.to_json()).map_err(|error| error.to_string());
        assert_eq!(error, Err(expected.to_owned()));
    }

    #[test]
    fn everything_that_json_has() {
        check(
            "\u{feff}\t{\r\n\t\"a\"\t:\t[ 1, -2.5e3, true , false,null ] , \"b\": {}, \"c\":[]}\n",
            json!({"a": [1, -2500.0, true, false, null], "b": {}, "c": []}),
        );
        check(r#""\"\\\/\b\f\n\r\t\u00e4\ud83d\ude00ü😀""#, json!("\"\\/\u{8}\u{c}\n\r\tä😀ü😀"));
        check(r#""\ud83dx\ude00\ud83d\u0041""#, json!("\u{fffd}x\u{fffd}\u{fffd}A"));
        check(r#"{"Ref": "<<"}"#, json!({"Ref": "<<"}));
        check(r#"["012", 12345678901234567890]"#, json!(["012", 12_345_678_901_234_567_890_u64]));
    }

    #[test]
    fn what_is_wrong_has_a_place() {
        check_error("{\"a\": 1,\n \"b\": 2,}", "t.json:2:9: a key in quotes is expected here, not '}'");
        check_error("[1 2]", "t.json:1:4: a comma or ] is expected here, not '2'");
        check_error("[01]", "t.json:1:2: a value is expected here, not '0'");
        check_error("{\"ä\" 1}", "t.json:1:6: a colon is expected here, not '1'");
        check_error("{\"a\": 1, \"a\": 2}", "t.json:1:10: a stands here a second time");
        check_error("\"a\nb\"", "t.json:1:3: a line break or tab in a text is written \\n or \\t");
        check_error(r#""\x""#, "t.json:1:4: no escape follows the backslash");
        check_error(r#""\u12é""#, "t.json:1:4: four hexadecimal digits is expected here, not '1'");
        check_error("\"a", "t.json:1:3: the quote that ends the text is expected here, not the end of the file");
        check_error("", "t.json:1:1: a value is expected here, not the end of the file");
        check_error("{} {}", "t.json:1:4: the end of the file is expected here, not '{'");
        check_error("yes", "t.json:1:1: a value is expected here, not 'y'");
    }

    #[test]
    fn nesting_is_bounded() {
        let error = read(&Source::new("t.json", "[".repeat(100_000))).expect_err("too deep").to_string();
        assert!(error.ends_with("more than 128 levels are nested"), "{error}");
    }
}
