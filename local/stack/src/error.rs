//! What stops a load, for the person who wrote the template.

use aws_api::ApiError;
use storage::StorageError;
use template::{Span, TemplateError};

/// An operation refused.
#[derive(Debug, thiserror::Error)]
#[error("{operation} for {resource}: {error}")]
pub struct StackError {
    /// The operation that failed.
    pub operation: &'static str,
    /// The resource's name.
    pub resource: String,
    /// What the service said.
    pub error: ApiError,
}

/// Why a stack was not loaded, or not to the end.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// Something in the template is wrong, or cannot be served. Nothing was made.
    #[error("{0}")]
    Template(Box<TemplateError>),
    /// The template could not be had at all. Nothing was made.
    #[error("{0}")]
    Source(String),
    /// The built-in stack could not be made.
    #[error("the built-in stack could not be made: {0}")]
    BuiltIn(Box<StackError>),
    /// A service refused a resource. What was made before it stands, and is recorded.
    #[error("{span}: {logical_id} ({kind}): {error}")]
    Refused {
        /// Where the resource stands.
        span: Box<Span>,
        /// What the template calls it.
        logical_id: String,
        /// Its type.
        kind: String,
        /// What the service said.
        error: Box<StackError>,
    },
    /// A resource that left the template could not be removed. The rest of the stack stands.
    #[error("{logical_id} ({kind}) could not be removed: {error}")]
    Removal {
        /// What the template called it.
        logical_id: String,
        /// Its type.
        kind: String,
        /// What the service said.
        error: Box<StackError>,
    },
    /// The record of what was made could not be read or written.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

impl From<StackError> for LoadError {
    fn from(error: StackError) -> Self {
        Self::BuiltIn(Box::new(error))
    }
}

impl From<TemplateError> for LoadError {
    fn from(error: TemplateError) -> Self {
        Self::Template(Box::new(error))
    }
}
