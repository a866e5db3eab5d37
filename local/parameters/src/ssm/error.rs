//! How operations on parameters fail, in the words of Systems Manager.
//!
//! Where nothing else is said the wording was recorded from the service, or its users report it.

use aws_api::ApiError;
use storage::StorageError;

use crate::constraint::Violations;
use crate::page::BadToken;

/// An operation's failure.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The input is wrong.
    #[error("{0}")]
    Validation(String),
    /// A name that belongs to AWS.
    #[error("{0}")]
    AccessDenied(String),
    /// There is no parameter of that name. The service says nothing more; the log names it.
    #[error("there is no parameter {0}")]
    ParameterNotFound(String),
    /// The parameter has no such version.
    #[error("{0}")]
    ParameterVersionNotFound(String),
    /// There is one, and it was not to be overwritten.
    #[error("The parameter already exists. To overwrite this value, set the overwrite option in the request to true.")]
    ParameterAlreadyExists,
    /// Too many slashes. The words of the service's documentation.
    #[error(
        "A hierarchy can have a maximum of 15 levels. For more information, see Requirements and constraints for \
         parameter names in the AWS Systems Manager User Guide."
    )]
    HierarchyLevelLimitExceeded,
    /// The oldest of a hundred versions has a label, and cannot go.
    #[error("{0}")]
    ParameterMaxVersionLimitExceeded(String),
    /// Ten labels are on that version.
    #[error("A parameter version can have maximum 10 labels.Move one or more labels to another version and try again.")]
    ParameterVersionLabelLimitExceeded,
    /// The value is not as its pattern has it; it is not repeated.
    #[error("Parameter value, cannot be validated against allowedPattern: {0}")]
    ParameterPatternMismatch(String),
    /// The pattern is none. The words of the service's documentation.
    #[error("The request does not meet the regular expression requirement.")]
    InvalidAllowedPattern,
    /// A filter is for something that nobody filters by.
    #[error("{0}")]
    InvalidFilterKey(String),
    /// A filter compares in an unknown way.
    #[error("{0}")]
    InvalidFilterOption(String),
    /// A filter wants what cannot be.
    #[error("{0}")]
    InvalidFilterValue(String),
    /// No token of ours.
    #[error("The specified token is not valid.")]
    InvalidNextToken,
    /// Tags of something that is not there. The service says nothing more.
    #[error("there is no parameter {0}")]
    InvalidResourceId(String),
    /// Tags of what this server does not have.
    #[error("{0}")]
    InvalidResourceType(String),
    /// More tags than a parameter may have.
    #[error("The Targets parameter includes too many tags. Remove one or more tags and try the command again.")]
    TooManyTags,
    /// The change could not be stored, or nothing could be read.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// What the database holds makes no sense.
    #[error("{0}")]
    Damaged(String),
}

impl Error {
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::Validation(message.into())
    }

    pub fn no_version(name: &str, selector: &str) -> Self {
        Self::ParameterVersionNotFound(format!(
            "Systems Manager could not find version {selector} of {name}. Verify the version and try again."
        ))
    }
}

impl From<Violations> for Error {
    fn from(violations: Violations) -> Self {
        Self::Validation(violations.0)
    }
}

impl From<BadToken> for Error {
    fn from(_: BadToken) -> Self {
        Self::InvalidNextToken
    }
}

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Self {
        Self::Storage(error.into())
    }
}

impl From<Error> for ApiError {
    fn from(error: Error) -> Self {
        let message = error.to_string();
        let code = match &error {
            Error::Validation(_) => "ValidationException",
            Error::AccessDenied(_) => "AccessDeniedException",
            Error::ParameterNotFound(_) => "ParameterNotFound",
            Error::ParameterVersionNotFound(_) => "ParameterVersionNotFound",
            Error::ParameterAlreadyExists => "ParameterAlreadyExists",
            Error::HierarchyLevelLimitExceeded => "HierarchyLevelLimitExceededException",
            Error::ParameterMaxVersionLimitExceeded(_) => "ParameterMaxVersionLimitExceeded",
            Error::ParameterVersionLabelLimitExceeded => "ParameterVersionLabelLimitExceeded",
            Error::ParameterPatternMismatch(_) => "ParameterPatternMismatchException",
            Error::InvalidAllowedPattern => "InvalidAllowedPatternException",
            Error::InvalidFilterKey(_) => "InvalidFilterKey",
            Error::InvalidFilterOption(_) => "InvalidFilterOption",
            Error::InvalidFilterValue(_) => "InvalidFilterValue",
            Error::InvalidNextToken => "InvalidNextToken",
            Error::InvalidResourceId(_) => "InvalidResourceId",
            Error::InvalidResourceType(_) => "InvalidResourceType",
            Error::TooManyTags => "TooManyTagsError",
            Error::Storage(_) | Error::Damaged(_) => {
                tracing::error!(error = message, "an operation on parameters failed");
                return Self::internal("InternalServerError", "An error occurred on the server side.");
            }
        };
        match error {
            Error::ParameterNotFound(_) | Error::InvalidResourceId(_) => {
                tracing::info!("{message}");
                Self::new(code, "")
            }
            _ => Self::new(code, message),
        }
    }
}
