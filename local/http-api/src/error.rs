//! How operations fail, in the words of API Gateway.

use aws_api::ApiError;
use http::StatusCode;
use storage::StorageError;

/// An operation's failure.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The input is wrong.
    #[error("{0}")]
    BadRequest(String),
    /// There is none of that id.
    #[error("{0}")]
    NotFound(String),
    /// There is one already, or it is in use.
    #[error("{0}")]
    Conflict(String),
    /// The change could not be stored.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

impl Error {
    pub fn bad_request(message: impl Into<String>) -> Self {
        Self::BadRequest(message.into())
    }

    pub fn conflict(message: impl Into<String>) -> Self {
        Self::Conflict(message.into())
    }

    /// "Invalid Route identifier specified": what both versions of the API say of most ids.
    pub fn no_such(what: &str) -> Self {
        Self::NotFound(format!("Invalid {what} identifier specified"))
    }

    pub fn no_such_api(account: &str, id: &str) -> Self {
        Self::NotFound(format!("Invalid API identifier specified {account}:{id}"))
    }

    /// The service can, we cannot. Our own words: they name what is asked for.
    pub fn not_implemented(what: &str) -> Self {
        Self::BadRequest(format!("{what} is not implemented by this server"))
    }
}

impl From<Error> for ApiError {
    fn from(error: Error) -> Self {
        let message = error.to_string();
        match error {
            Error::BadRequest(_) => Self::new("BadRequestException", message),
            Error::NotFound(_) => Self::new("NotFoundException", message).status(StatusCode::NOT_FOUND),
            Error::Conflict(_) => Self::new("ConflictException", message).status(StatusCode::CONFLICT),
            Error::Storage(error) => {
                tracing::error!(%error, "a change of an API could not be stored");
                Self::internal("InternalServerErrorException", "Internal server error")
            }
        }
    }
}
