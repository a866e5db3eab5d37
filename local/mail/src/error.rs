//! How operations of SES fail, in its words.

use aws_api::ApiError;
use http::StatusCode;
use storage::StorageError;

/// Why an operation failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The request is not one that SES takes. In one case SES says nothing at all.
    #[error("{}", .0.as_deref().unwrap_or("no message"))]
    BadRequest(Option<String>),
    /// What was asked for is not there.
    #[error("{0}")]
    NotFound(String),
    /// It is there already.
    #[error("{0}")]
    AlreadyExists(String),
    /// The mail cannot be read or sent.
    #[error("{0}")]
    MessageRejected(String),
    /// The store failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

impl Error {
    /// The request breaks a rule of SES's or of ours.
    pub fn bad_request(message: impl Into<String>) -> Self {
        Self::BadRequest(Some(message.into()))
    }

    /// A member that must be there is not.
    pub fn missing(member: &str) -> Self {
        Self::bad_request(format!(
            "1 validation error detected: Value null at '{member}' failed to satisfy constraint: \
             Member must not be null"
        ))
    }

    /// A member that we do not know how to honour.
    pub fn not_supported(member: &str, hint: &str) -> Self {
        Self::bad_request(format!("{member} is not supported by this server: {hint}"))
    }

    /// Recorded answer of the real service.
    pub fn no_identity(name: &str) -> Self {
        Self::NotFound(format!("Email identity {name} does not exist."))
    }

    /// Recorded answer of the real service (the grammar is its own).
    pub fn identity_exists(name: &str) -> Self {
        Self::AlreadyExists(format!("Email identity {name} already exist."))
    }
}

impl From<Error> for ApiError {
    fn from(error: Error) -> Self {
        match error {
            Error::BadRequest(Some(message)) => Self::new("BadRequestException", message),
            // A missing sender of simple content is answered with `{"message":null}`.
            Error::BadRequest(None) => Self::new("BadRequestException", "").member("message", serde_json::Value::Null),
            Error::NotFound(message) => Self::new("NotFoundException", message).status(StatusCode::NOT_FOUND),
            Error::AlreadyExists(message) => Self::new("AlreadyExistsException", message),
            Error::MessageRejected(message) => Self::new("MessageRejected", message),
            Error::Storage(error) => {
                tracing::error!(%error, "the mailbox cannot be read or written");
                Self::internal("InternalServiceErrorException", "The request processing has failed.")
            }
        }
    }
}
