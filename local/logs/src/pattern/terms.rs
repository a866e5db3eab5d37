//! Terms in a text: `ERROR "400 Bad" -INFO`, `?WARN ?ERROR`, `%4\d\d%`.
//!
//! A term is found wherever it stands, also inside a word.

use super::PatternError;
use super::regex::Regex;
use super::scanner::{Scanner, Written};

/// What a text has to hold.
#[derive(Clone, Debug, Default)]
pub struct Terms {
    /// All of these,
    all: Vec<Term>,
    /// none of these,
    none: Vec<Term>,
    /// and, where nothing else is asked for, one of these.
    any: Vec<Term>,
}

#[derive(Clone, Debug)]
enum Term {
    Text(String),
    Regex(Regex),
}

/// Reads terms.
pub fn parse(text: &str) -> Result<Terms, PatternError> {
    let mut terms = Terms::default();
    let mut scanner = Scanner::new(text);
    loop {
        scanner.skip_space();
        let list = match scanner.peek() {
            None => return Ok(terms),
            Some('-') => &mut terms.none,
            Some('?') => &mut terms.any,
            Some(_) => &mut terms.all,
        };
        if scanner.take("-") || scanner.take("?") {
            scanner.skip_space();
        }
        list.push(Term::of(scanner.value("")?)?);
    }
}

impl Terms {
    /// Whether a text holds them. Beside other terms, those with `?` are not looked at: the service's own rule.
    pub fn matches(&self, text: &str) -> bool {
        let optional = !self.any.is_empty() && self.all.is_empty() && self.none.is_empty();
        self.all.iter().all(|term| term.is_in(text))
            && !self.none.iter().any(|term| term.is_in(text))
            && (!optional || self.any.iter().any(|term| term.is_in(text)))
    }
}

impl Term {
    fn of(written: Written) -> Result<Self, PatternError> {
        match written {
            Written::Regex(regex) => Regex::parse(&regex).map(Self::Regex),
            Written::Quoted(text) if text.is_empty() => Err(PatternError::characters("\"\"")),
            Written::Quoted(text) => Ok(Self::Text(text)),
            Written::Bare(word) if word.chars().all(|c| c.is_alphanumeric() || c == '_') => Ok(Self::Text(word)),
            Written::Bare(word) => Err(PatternError::characters(&word)),
        }
    }

    fn is_in(&self, text: &str) -> bool {
        match self {
            Self::Text(term) => text.contains(term),
            Self::Regex(regex) => regex.is_in(text),
        }
    }
}
