//! Reading a pattern's text piece by piece.

use super::PatternError;

/// A place in a text.
#[derive(Clone, Debug)]
pub struct Scanner<'t> {
    rest: &'t str,
}

/// A value as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Written {
    /// `word`, `4*`, `-1.5e3`
    Bare(String),
    /// `"…"`, without the quotes
    Quoted(String),
    /// `%…%`, without the signs
    Regex(String),
}

impl<'t> Scanner<'t> {
    /// At the beginning.
    pub fn new(text: &'t str) -> Self {
        Self { rest: text }
    }

    /// What comes next, whatever it is.
    pub fn peek(&self) -> Option<char> {
        self.rest.chars().next()
    }

    /// What is left.
    pub fn rest(&self) -> &'t str {
        self.rest
    }

    pub fn skip_space(&mut self) {
        self.rest = self.rest.trim_start();
    }

    /// Takes `word` if it comes next.
    pub fn take(&mut self, word: &str) -> bool {
        match self.rest.strip_prefix(word) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    /// Takes what fits, perhaps nothing.
    pub fn take_while(&mut self, fits: impl Fn(char) -> bool) -> &'t str {
        let end = self.rest.find(|c| !fits(c)).unwrap_or(self.rest.len());
        let (taken, rest) = self.rest.split_at(end);
        self.rest = rest;
        taken
    }

    /// A value: bare, quoted or a regular expression. `ends` says where a bare one ends; space always does.
    pub fn value(&mut self, ends: &str) -> Result<Written, PatternError> {
        match self.peek() {
            Some('"') => self.quoted().map(Written::Quoted),
            Some('%') => self.regex().map(Written::Regex),
            _ => {
                let word = self.take_while(|c| !c.is_whitespace() && !ends.contains(c));
                if word.is_empty() {
                    return Err(PatternError::new(format!("A value is expected at '{}'", self.rest)));
                }
                Ok(Written::Bare(word.to_owned()))
            }
        }
    }

    /// `"…"`, in which `\"` and `\\` stand for the quote and the backslash.
    pub fn quoted(&mut self) -> Result<String, PatternError> {
        let mut text = String::new();
        let mut chars = self.rest.char_indices().skip(1).peekable();
        while let Some((at, c)) = chars.next() {
            match c {
                '"' => {
                    self.rest = &self.rest[at + 1..];
                    return Ok(text);
                }
                '\\' => match chars.next_if(|(_, next)| matches!(next, '"' | '\\')) {
                    Some((_, escaped)) => text.push(escaped),
                    None => text.push(c),
                },
                c => text.push(c),
            }
        }
        Err(PatternError::new(format!("Unterminated quotes in '{}'", self.rest)))
    }

    /// `%…%`.
    fn regex(&mut self) -> Result<String, PatternError> {
        let body = self.rest.get(1..).unwrap_or_default();
        let end = body.find('%').filter(|end| *end > 0);
        let end =
            end.ok_or_else(|| PatternError::new(format!("Unterminated regular expression in '{}'", self.rest)))?;
        self.rest = &body[end + 1..];
        Ok(body[..end].to_owned())
    }
}
