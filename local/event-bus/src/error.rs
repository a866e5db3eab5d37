//! How operations fail, in EventBridge's words.
//!
//! Where nothing else is said the wording was recorded from the service.

use aws_api::ApiError;
use storage::StorageError;

use crate::pattern::PatternError;
use crate::ports::EnqueueError;

/// An operation's failure.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The input is wrong.
    #[error("{0}")]
    Validation(String),
    /// There is none of that name.
    #[error("{0}")]
    ResourceNotFound(String),
    /// There is one of that name.
    #[error("{0}")]
    ResourceAlreadyExists(String),
    /// A quota is used up.
    #[error("{0}")]
    LimitExceeded(String),
    /// The pattern is none.
    #[error("{0}")]
    InvalidEventPattern(String),
    /// It is not in a state for that.
    #[error("{0}")]
    IllegalStatus(String),
    /// The bus's policy would become too long.
    #[error("{0}")]
    PolicyLengthExceeded(String),
    /// The change or the deliveries could not be stored.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// As above.
    #[error(transparent)]
    Enqueue(#[from] EnqueueError),
    /// What the database holds makes no sense.
    #[error("{0}")]
    Damaged(String),
}

impl Error {
    pub fn validation(message: impl Into<String>) -> Self {
        Self::Validation(message.into())
    }

    pub fn no_bus(name: &str) -> Self {
        Self::ResourceNotFound(format!("Event bus {name} does not exist."))
    }

    pub fn bus_exists(name: &str) -> Self {
        Self::ResourceAlreadyExists(format!("Event bus {name} already exists."))
    }

    pub fn no_rule(rule: &str, bus: &str) -> Self {
        Self::ResourceNotFound(format!("Rule {rule} does not exist on EventBus {bus}."))
    }

    pub fn no_archive(name: &str) -> Self {
        Self::ResourceNotFound(format!("Archive {name} does not exist."))
    }

    pub fn no_replay(name: &str) -> Self {
        Self::ResourceNotFound(format!("Replay {name} does not exist."))
    }

    pub fn no_connection(name: &str) -> Self {
        Self::ResourceNotFound(format!("Failed to describe the connection(s). Connection '{name}' does not exist."))
    }

    pub fn no_api_destination(name: &str) -> Self {
        let text = format!("Failed to describe the api-destination(s). An api-destination '{name}' does not exist.");
        Self::ResourceNotFound(text)
    }

    pub fn no_statement() -> Self {
        Self::ResourceNotFound("Statement with the provided id does not exist.".into())
    }

    pub fn too_many() -> Self {
        Self::LimitExceeded("The requested resource exceeds the maximum number allowed.".into())
    }

    /// `Parameter X is not valid.`, with or without a reason.
    pub fn parameter(name: &str, reason: Option<&str>) -> Self {
        let reason = reason.map(|reason| format!(" Reason: {reason}")).unwrap_or_default();
        Self::Validation(format!("Parameter {name} is not valid.{reason}"))
    }

    /// The service can, we cannot yet. Our own words: they name what is asked for.
    pub fn not_implemented(what: &str) -> Self {
        Self::Validation(format!("{what} is not implemented by this server."))
    }
}

impl From<PatternError> for Error {
    fn from(error: PatternError) -> Self {
        match error {
            PatternError::Invalid(reason) => {
                Self::InvalidEventPattern(format!("Event pattern is not valid. Reason: {reason}"))
            }
            PatternError::TooManyForks => Self::too_many(),
        }
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
            Error::Validation(_) => Self::new("ValidationException", message),
            Error::ResourceNotFound(_) => Self::new("ResourceNotFoundException", message),
            Error::ResourceAlreadyExists(_) => Self::new("ResourceAlreadyExistsException", message),
            Error::LimitExceeded(_) => Self::new("LimitExceededException", message),
            Error::InvalidEventPattern(_) => Self::new("InvalidEventPatternException", message),
            Error::IllegalStatus(_) => Self::new("IllegalStatusException", message),
            Error::PolicyLengthExceeded(_) => Self::new("PolicyLengthExceededException", message),
            Error::Storage(_) | Error::Enqueue(_) | Error::Damaged(_) => {
                tracing::error!(error = message, "an event bus operation failed");
                Self::internal("InternalException", "An internal error occurred.")
            }
        }
    }
}
