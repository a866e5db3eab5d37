//! The event pattern language: from a pattern's text to a test that an event passes or fails.
//!
//! A pattern is compiled once ([`Pattern::compile`]) into *forks*: one without `$or`, else one for every way
//! through it. A fork is a list of conditions that must all hold, a condition a path and the matchers of which
//! one must. All patterns of a bus are put together into an [`Index`], which finds the few forks that an event
//! can satisfy by a value that they require, and tests only those.
//!
//! Not here: rules and buses. The reference is `aws/event-ruler`, which the service is built on; its quirks
//! (the last of two equal paths wins, addresses are compared by value) are kept where they can be seen.

mod address;
mod compile;
mod complexity;
mod event;
mod index;
mod matcher;
mod number;
#[cfg(test)]
mod reference;
#[cfg(test)]
mod tests;
mod wildcard;

use std::sync::Arc;

use crate::json::Syntax;

pub use event::Event;
pub use index::{Index, Mismatch};
use matcher::Matcher;

/// A compiled pattern.
#[derive(Clone, Debug)]
pub struct Pattern {
    forks: Vec<Fork>,
}

/// Conditions that must all hold, ordered by path.
type Fork = Vec<Condition>;

/// One field of a pattern.
#[derive(Clone, Debug)]
struct Condition {
    /// The names on the way to the field, joined by dots: `{"a.b":…}` and `{"a":{"b":…}}` are the same.
    path: Arc<str>,
    /// One of these must match.
    matchers: Arc<[Matcher]>,
    /// Where in the pattern it was written.
    position: usize,
}

/// Why a pattern was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    /// What follows `Event pattern is not valid. Reason: `.
    #[error("{0}")]
    Invalid(String),
    /// `$or` makes more forks than the service allows.
    #[error("too many combinations of $or")]
    TooManyForks,
}

impl From<Syntax> for PatternError {
    fn from(Syntax(message): Syntax) -> Self {
        Self::Invalid(message)
    }
}

impl Pattern {
    /// Reads a pattern.
    pub fn compile(text: &str) -> Result<Self, PatternError> {
        compile::compile(text).map(|forks| Self { forks })
    }

    /// Tests one event.
    pub fn matches(&self, event: &str) -> Result<bool, Syntax> {
        let index = Index::new([self]);
        let event = Event::read(event, &index)?;
        Ok(!index.matching(&event).is_empty())
    }
}
