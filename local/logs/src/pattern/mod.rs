//! Filter patterns: which events are wanted.
//!
//! | Pattern | Matches |
//! |---|---|
//! | nothing | all |
//! | `ERROR "400 Bad" -INFO`, `?WARN ?ERROR`, `%4\d\d%` | texts that hold the terms (`terms`) |
//! | `{ $.level = "error" && $.took > 100 }` | JSON objects (`json`) |
//! | `[ip, user, …, status = 4*, bytes]` | texts in columns (`columns`) |
//!
//! Source: <https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html>

mod columns;
mod json;
mod regex;
mod scanner;
mod terms;
#[cfg(test)]
mod tests;
mod value;

use columns::Columns;
use json::Condition;
use terms::Terms;

/// The text is no pattern.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct PatternError(String);

/// A pattern, ready to match.
#[derive(Clone, Debug)]
pub struct Pattern(Form);

#[derive(Clone, Debug)]
enum Form {
    All,
    Terms(Terms),
    Json(Condition),
    Columns(Columns),
}

impl Pattern {
    /// Reads a pattern.
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        let text = text.trim();
        let form = match text.chars().next() {
            None => Form::All,
            Some('{') => Form::Json(json::parse(inside(text, '{', '}')?)?),
            Some('[') => Form::Columns(columns::parse(inside(text, '[', ']')?)?),
            Some(_) => Form::Terms(terms::parse(text)?),
        };
        Ok(Self(form))
    }

    /// Whether an event is wanted.
    pub fn matches(&self, message: &str) -> bool {
        match &self.0 {
            Form::All => true,
            Form::Terms(terms) => terms.matches(message),
            Form::Json(condition) => {
                message.trim_start().starts_with('{')
                    && serde_json::from_str(message).is_ok_and(|value| condition.holds(&value))
            }
            Form::Columns(columns) => columns.matches(message),
        }
    }
}

impl PatternError {
    fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }

    fn characters(term: &str) -> Self {
        Self(format!("Invalid character(s) in term '{term}'"))
    }
}

fn inside(text: &str, open: char, close: char) -> Result<&str, PatternError> {
    let inside = text.strip_prefix(open).and_then(|rest| rest.strip_suffix(close));
    inside.ok_or_else(|| {
        PatternError::new(format!("If a filter pattern starts with '{open}' it must end with '{close}'"))
    })
}
