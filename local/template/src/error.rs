//! What is wrong with a template: for the person who wrote it.

use crate::source::Span;

/// A mistake, its place, and what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{span}: {message}{}", hint.as_ref().map(|hint| format!(" ({hint})")).unwrap_or_default())]
pub struct TemplateError {
    /// Where it stands.
    pub span: Span,
    /// What is wrong, and what was expected.
    pub message: String,
    /// What helps.
    pub hint: Option<String>,
}

impl TemplateError {
    /// A mistake at this place.
    pub fn new(span: &Span, message: impl Into<String>) -> Self {
        Self { span: span.clone(), message: message.into(), hint: None }
    }

    /// The same, with what helps.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// Something that is read and not honoured, or looks like a mistake: listed once, by name and line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// Where it stands.
    pub span: Span,
    /// What it is.
    pub message: String,
}

impl Warning {
    /// A warning about this place.
    pub fn new(span: &Span, message: impl Into<String>) -> Self {
        Self { span: span.clone(), message: message.into() }
    }
}
