//! How operations on secrets fail, in the words of Secrets Manager.
//!
//! Where nothing else is said the wording was recorded from the service, or its users report it.

use aws_api::ApiError;
use storage::StorageError;

use crate::constraint::Violations;
use crate::page::BadToken;

/// An operation's failure.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The input breaks the model.
    #[error("{0}")]
    Validation(String),
    /// The input is wrong.
    #[error("{0}")]
    InvalidParameter(String),
    /// The secret's state does not allow it.
    #[error("{0}")]
    InvalidRequest(String),
    /// There is no such secret, or no such version of it.
    #[error("{0}")]
    ResourceNotFound(String),
    /// There is one already.
    #[error("{0}")]
    ResourceExists(String),
    /// More of something than a secret may have.
    #[error("{0}")]
    LimitExceeded(String),
    /// No token of ours. Our own words.
    #[error("The specified NextToken is invalid.")]
    InvalidNextToken,
    /// The change could not be stored, or nothing could be read.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// What the database holds makes no sense.
    #[error("{0}")]
    Damaged(String),
}

impl Error {
    pub fn no_secret() -> Self {
        Self::ResourceNotFound("Secrets Manager can't find the specified secret.".into())
    }

    pub fn no_version(version: &str) -> Self {
        let what = format!("Secrets Manager can't find the specified secret value for VersionId: {version}");
        Self::ResourceNotFound(what)
    }

    pub fn no_stage(stage: &str) -> Self {
        let what = format!("Secrets Manager can't find the specified secret value for staging label: {stage}");
        Self::ResourceNotFound(what)
    }

    pub fn exists(name: &str) -> Self {
        Self::ResourceExists(format!("The operation failed because the secret {name} already exists."))
    }

    pub fn token_in_use(token: &str, arn: &str) -> Self {
        Self::ResourceExists(format!(
            "You can't use ClientRequestToken {token} because that value is already in use for a version of secret {arn}."
        ))
    }

    pub fn no_token() -> Self {
        let message = "You must provide a ClientRequestToken value. We recommend a UUID-type value.";
        Self::InvalidRequest(message.into())
    }

    pub fn marked_for_deletion() -> Self {
        let message = "You can't perform this operation on the secret because it was marked for deletion.";
        Self::InvalidRequest(message.into())
    }

    /// The service can, we cannot. Our own words: they name what is asked for.
    pub fn not_implemented(what: &str) -> Self {
        Self::InvalidParameter(format!("{what} is not implemented by this server."))
    }

    /// What the service calls it.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Validation(_) => "ValidationException",
            Self::InvalidParameter(_) => "InvalidParameterException",
            Self::InvalidRequest(_) => "InvalidRequestException",
            Self::ResourceNotFound(_) => "ResourceNotFoundException",
            Self::ResourceExists(_) => "ResourceExistsException",
            Self::LimitExceeded(_) => "LimitExceededException",
            Self::InvalidNextToken => "InvalidNextTokenException",
            Self::Storage(_) | Self::Damaged(_) => "InternalServiceError",
        }
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
        let (code, message) = (error.code(), error.to_string());
        match error {
            Error::Storage(_) | Error::Damaged(_) => {
                tracing::error!(error = message, "an operation on secrets failed");
                Self::internal(code, "An error occurred on the server side.")
            }
            // Its errors have the message in a member with a capital.
            _ => Self::new(code, message.clone()).member("Message", message),
        }
    }
}
