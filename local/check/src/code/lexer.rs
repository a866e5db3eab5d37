//! Text to tokens, for three languages. Comments and white space are left out.

use std::path::Path;

/// A language that handlers are written in. TypeScript is JavaScript with more in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// JavaScript and TypeScript.
    JavaScript,
    /// Python.
    Python,
    /// Rust.
    Rust,
}

impl Language {
    /// By a file's name.
    pub fn of(path: &Path) -> Option<Self> {
        match path.extension()?.to_str()? {
            "js" | "mjs" | "cjs" | "jsx" | "ts" | "mts" | "cts" | "tsx" => Some(Self::JavaScript),
            "py" => Some(Self::Python),
            "rs" => Some(Self::Rust),
            _ => None,
        }
    }
}

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenKind {
    /// A name or a keyword.
    Word,
    /// A literal text; its stretch is what stands between the quotes.
    Text,
    /// A number.
    Number,
    /// A bracket, a sign.
    Mark,
}

/// A token and its place.
#[derive(Clone, Copy, Debug)]
pub struct Token {
    /// What it is.
    pub kind: TokenKind,
    /// Bytes from the start of the file.
    pub start: usize,
    /// Bytes from the start of the file to its end.
    pub end: usize,
    /// Its line, from 1.
    pub line: usize,
}

/// Signs of more than one character, the longest first.
const LONG_MARKS: &[&str] =
    &["===", "!==", "...", "=>", "==", "!=", "<=", ">=", "?.", "&&", "||", "??", "+=", "-=", "->", "::", ":=", "**"];
/// Words behind which a slash begins a regular expression.
const BEFORE_PATTERN: &[&str] =
    &["return", "typeof", "case", "in", "of", "delete", "void", "throw", "new", "else", "do", "await", "yield"];

/// The tokens of a text.
pub fn tokens(text: &str, language: Language) -> Vec<Token> {
    let mut lexer = Lexer { text, language, at: 0, line: 1, tokens: Vec::new(), templates: Vec::new() };
    while lexer.at < text.len() {
        lexer.step();
    }
    lexer.tokens
}

struct Lexer<'t> {
    text: &'t str,
    language: Language,
    at: usize,
    line: usize,
    tokens: Vec<Token>,
    /// How many braces are open inside of each template literal that is open.
    templates: Vec<usize>,
}

impl<'t> Lexer<'t> {
    fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }

    fn step(&mut self) {
        let rest = self.rest();
        let Some(first) = rest.chars().next() else { return };
        if first.is_whitespace() {
            self.skip(first.len_utf8());
        } else if let Some(length) = self.comment(rest) {
            self.skip(length);
        } else if first.is_alphabetic() || matches!(first, '_' | '$') && !rest.starts_with("${") {
            self.name(rest);
        } else if first.is_ascii_digit() {
            let length = rest.find(|c: char| !c.is_alphanumeric() && !matches!(c, '_' | '.')).unwrap_or(rest.len());
            self.push(TokenKind::Number, length);
        } else if first == '\'' && self.language == Language::Rust {
            self.apostrophe(rest);
        } else if matches!(first, '"' | '\'') {
            self.quoted(rest, first);
        } else if first == '`' && self.language == Language::JavaScript {
            self.skip(1);
            self.template();
        } else if first == '/' && self.language == Language::JavaScript && self.expects_value() {
            self.pattern(rest);
        } else {
            self.mark(rest, first);
        }
    }

    fn comment(&self, rest: &str) -> Option<usize> {
        let to_line_end = || rest.find('\n').unwrap_or(rest.len());
        match self.language {
            Language::Python => rest.starts_with('#').then(to_line_end),
            _ if rest.starts_with("//") || (self.at == 0 && rest.starts_with("#!/")) => Some(to_line_end()),
            _ if rest.starts_with("/*") => Some(rest.find("*/").map_or(rest.len(), |end| end + 2)),
            _ => None,
        }
    }

    fn name(&mut self, rest: &str) {
        let length = rest.find(|c: char| !c.is_alphanumeric() && !matches!(c, '_' | '$')).unwrap_or(rest.len());
        let (word, behind) = rest.split_at(length);
        let prefix = match self.language {
            Language::Python => word.len() <= 2 && word.chars().all(|c| "rbfuRBFU".contains(c)),
            Language::Rust => matches!(word, "r" | "b" | "br" | "c" | "cr"),
            Language::JavaScript => false,
        };
        let raw = self.language == Language::Rust && word.ends_with('r');
        if prefix && !raw && behind.starts_with(['"', '\'']) {
            return self.skip(length);
        }
        if prefix && raw {
            let hashes = behind.len() - behind.trim_start_matches('#').len();
            if behind[hashes..].starts_with('"') {
                let end = format!("\"{}", &behind[..hashes]);
                let inner = &behind[hashes + 1..];
                self.skip(length + hashes + 1);
                self.push(TokenKind::Text, inner.find(&end).unwrap_or(inner.len()));
                return self.skip(end.len());
            }
        }
        self.push(TokenKind::Word, length);
    }

    /// Rust: a character or a lifetime.
    fn apostrophe(&mut self, rest: &str) {
        let mut letters = rest.char_indices().skip(1);
        let Some((at, letter)) = letters.next() else { return self.skip(1) };
        let end = if letter == '\\' {
            let behind = 2 + rest[2..].chars().next().map_or(0, char::len_utf8);
            rest[behind..].find('\'').map(|end| end + behind)
        } else {
            Some(at + letter.len_utf8())
        };
        match end {
            Some(end) if rest[end..].starts_with('\'') && end > 1 => {
                self.skip(1);
                self.push(TokenKind::Text, end - 1);
                self.skip(1);
            }
            _ => self.skip(1),
        }
    }

    fn quoted(&mut self, rest: &str, quote: char) {
        let triple: String = [quote; 3].iter().collect();
        let long = self.language == Language::Python && rest.starts_with(&triple);
        let end = if long { triple } else { quote.to_string() };
        self.skip(end.len());
        let many_lines = long || self.language == Language::Rust;
        let length = until(self.rest(), |rest| rest.starts_with(&end) || (!many_lines && rest.starts_with('\n')));
        if long && self.begins_statement() {
            // What a module or function says of itself is a comment.
            self.skip(length);
        } else {
            self.push(TokenKind::Text, length);
        }
        if self.rest().starts_with(&end) {
            self.skip(end.len());
        }
    }

    fn begins_statement(&self) -> bool {
        self.tokens.last().is_none_or(|last| {
            let word = &self.text[last.start..last.end];
            last.line < self.line && !matches!(word, "(" | "[" | "{" | "," | "=" | "+")
        })
    }

    /// The part of a template literal from here to its end or to the next expression in it.
    fn template(&mut self) {
        let length = until(self.rest(), |rest| rest.starts_with('`') || rest.starts_with("${"));
        self.push(TokenKind::Text, length);
        if self.rest().starts_with("${") {
            self.templates.push(0);
            self.push(TokenKind::Mark, 2);
        } else {
            self.skip(1);
        }
    }

    /// Whether a value comes next, so that a slash is no division.
    fn expects_value(&self) -> bool {
        let Some(last) = self.tokens.last() else { return true };
        let word = &self.text[last.start..last.end];
        match last.kind {
            TokenKind::Mark => !matches!(word, ")" | "]" | "}"),
            TokenKind::Word => BEFORE_PATTERN.contains(&word),
            TokenKind::Text | TokenKind::Number => false,
        }
    }

    fn pattern(&mut self, rest: &str) {
        let mut in_class = false;
        let length = until(&rest[1..], |rest| {
            match rest.as_bytes().first() {
                Some(b'[') => in_class = true,
                Some(b']') => in_class = false,
                _ => {}
            }
            rest.starts_with('\n') || (rest.starts_with('/') && !in_class)
        });
        self.skip(1);
        self.push(TokenKind::Text, length);
        if self.rest().starts_with('/') {
            self.skip(1);
        }
    }

    fn mark(&mut self, rest: &str, first: char) {
        match (first, self.templates.last_mut()) {
            ('{', Some(depth)) => *depth += 1,
            ('}', Some(0)) => {
                self.templates.pop();
                self.push(TokenKind::Mark, 1);
                return self.template();
            }
            ('}', Some(depth)) => *depth -= 1,
            _ => {}
        }
        let length =
            LONG_MARKS.iter().find(|mark| rest.starts_with(**mark)).map_or(first.len_utf8(), |mark| mark.len());
        self.push(TokenKind::Mark, length);
    }

    fn push(&mut self, kind: TokenKind, length: usize) {
        self.tokens.push(Token { kind, start: self.at, end: self.at + length, line: self.line });
        self.skip(length);
    }

    fn skip(&mut self, length: usize) {
        let end = (self.at + length).min(self.text.len());
        self.line += self.text[self.at..end].matches('\n').count();
        self.at = end;
    }
}

/// How far it is to where `ends` holds; what a backslash stands before is passed over.
fn until(text: &str, mut ends: impl FnMut(&str) -> bool) -> usize {
    let mut letters = text.char_indices();
    while let Some((at, letter)) = letters.next() {
        if letter == '\\' {
            letters.next();
        } else if ends(&text[at..]) {
            return at;
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(language: Language, text: &str, expected: &[&str]) {
        let words: Vec<String> = tokens(text, language)
            .iter()
            .map(|token| match token.kind {
                TokenKind::Text => format!("'{}'", &text[token.start..token.end]),
                _ => text[token.start..token.end].to_owned(),
            })
            .collect();
        assert_eq!(words, expected);
    }

    #[test]
    fn javascript() {
        use Language::JavaScript;
        check(JavaScript, "a => 'b\\'c' // d", &["a", "=>", "'b\\'c'"]);
        check(JavaScript, "x = /['\"]/ / 2", &["x", "=", "'['\"]'", "/", "2"]);
        check(JavaScript, "return /}/", &["return", "'}'"]);
        check(
            JavaScript,
            "`a${ {b: `c${d}`} }e`",
            &["'a'", "${", "{", "b", ":", "'c'", "${", "d", "}", "''", "}", "}", "'e'"],
        );
        check(JavaScript, "event?.a ?? $b", &["event", "?.", "a", "??", "$b"]);
    }

    #[test]
    fn python() {
        use Language::Python;
        check(Python, "x = f'a{b}' # c", &["x", "=", "'a{b}'"]);
        check(Python, "x = \"\"\"a\n'b\"\"\"\nc", &["x", "=", "'a\n'b'", "c"]);
        check(Python, "\"\"\"of itself\"\"\"\ndef f():\n  \'\'\'too\'\'\'\n", &["def", "f", "(", ")", ":"]);
        check(Python, "f(1)", &["f", "(", "1", ")"]);
    }

    #[test]
    fn rust() {
        use Language::Rust;
        check(
            Rust,
            "f::<'a>('x', '\\'', r#\"a\"b\"#, b\"c\")",
            &["f", "::", "<", "a", ">", "(", "'x'", ",", "'\\''", ",", "'a\"b'", ",", "'c'", ")"],
        );
    }

    #[test]
    fn nothing_makes_it_fall() {
        for text in ["`${", "'", "\"\"\"", "/", "r#\"", "'\\", "ä`ö${ü}", "}}}`", "\\", "/*", "r'", "br\"", "'ä"] {
            for language in [Language::JavaScript, Language::Python, Language::Rust] {
                tokens(text, language);
            }
        }
    }
}
