//! How operations fail, in the words of CloudWatch Logs.
//!
//! Where nothing else is said the wording was recorded from the service.

use aws_api::ApiError;
use storage::StorageError;

use crate::pattern::PatternError;

/// An operation's failure.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The input is wrong: what this service calls most mistakes.
    #[error("{0}")]
    InvalidParameter(String),
    /// The input is wrong: what its newer parts call it.
    #[error("{0}")]
    Validation(String),
    /// There is none of that name.
    #[error("{0}")]
    ResourceNotFound(&'static str),
    /// There is one of that name.
    #[error("{0}")]
    ResourceAlreadyExists(&'static str),
    /// More tags than a group may have.
    #[error("{0}")]
    TooManyTags(String),
    /// The change could not be stored, or nothing could be read.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// What the database holds makes no sense.
    #[error("{0}")]
    Damaged(String),
}

impl Error {
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::InvalidParameter(message.into())
    }

    pub fn no_group() -> Self {
        Self::ResourceNotFound("The specified log group does not exist.")
    }

    pub fn no_stream() -> Self {
        Self::ResourceNotFound("The specified log stream does not exist.")
    }

    pub fn group_exists() -> Self {
        Self::ResourceAlreadyExists("The specified log group already exists")
    }

    pub fn stream_exists() -> Self {
        Self::ResourceAlreadyExists("The specified log stream already exists")
    }

    pub fn bad_token() -> Self {
        Self::invalid("The specified nextToken is invalid.")
    }

    pub fn name_too_long() -> Self {
        Self::invalid("Invalid LogGroup or LogStream, both must have length less than or equal to 512.")
    }

    /// The service can, we cannot. Our own words: they name what is asked for.
    pub fn not_implemented(what: &str) -> Self {
        Self::Validation(format!("{what} is not implemented by this server."))
    }
}

impl From<PatternError> for Error {
    fn from(error: PatternError) -> Self {
        Self::InvalidParameter(format!("Invalid filter pattern: {error}"))
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
        match error {
            Error::InvalidParameter(_) => Self::new("InvalidParameterException", message),
            Error::Validation(_) => Self::new("ValidationException", message),
            Error::ResourceNotFound(_) => Self::new("ResourceNotFoundException", message),
            Error::ResourceAlreadyExists(_) => Self::new("ResourceAlreadyExistsException", message),
            Error::TooManyTags(_) => Self::new("TooManyTagsException", message),
            Error::Storage(_) | Error::Damaged(_) => {
                tracing::error!(error = message, "an operation on logs failed");
                Self::internal("ServiceUnavailableException", "The service cannot complete the request.")
            }
        }
    }
}
