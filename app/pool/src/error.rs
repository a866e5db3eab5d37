//! What can go wrong with a pool or a bus, and what to do about it.

use std::error::Error as StdError;

use aws_sdk_cognitoidentityprovider::error::{ProvideErrorMetadata, SdkError};

/// A call that failed. The words quote nothing of a user.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The pool is not there.
    #[error("user pool {pool} does not exist here: correct its id, the region or the endpoint")]
    NoPool {
        /// Its id.
        pool: String,
    },
    /// A page's token is too old, or another pool's.
    #[error("Cognito does not take the page's token any more: begin again from the first page")]
    StaleToken,
    /// Cognito understood and said no; it will again.
    #[error("Cognito refused {operation} on {pool} ({code}: {message}): correct the request or the permissions")]
    Refused {
        /// What was asked.
        operation: &'static str,
        /// Of which pool.
        pool: String,
        /// Cognito's code.
        code: String,
        /// Cognito's words.
        message: String,
    },
    /// Cognito asked for fewer calls.
    #[error("Cognito was asked for {operation} more often than the account's quota has it: try again, more slowly")]
    Throttled {
        /// What was asked.
        operation: &'static str,
    },
    /// Cognito was not reached, was too busy or failed.
    #[error("Cognito did not carry out {operation} on {pool} ({reason}): try again")]
    Unavailable {
        /// What was asked.
        operation: &'static str,
        /// Of which pool.
        pool: String,
        /// What happened.
        reason: String,
    },
}

impl Error {
    /// Whether the same call may succeed later.
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Throttled { .. } | Self::Unavailable { .. })
    }

    pub(crate) fn from_sdk<E, R>(operation: &'static str, pool: &str, error: &SdkError<E, R>) -> Self
    where
        E: ProvideErrorMetadata + StdError + 'static,
        R: std::fmt::Debug,
    {
        let pool = pool.to_owned();
        let SdkError::ServiceError(answer) = error else {
            return Self::Unavailable { operation, pool, reason: reason(error) };
        };
        let code = answer.err().code().unwrap_or("no code").to_owned();
        let message = answer.err().message().unwrap_or("no message").to_owned();
        match code.as_str() {
            "ResourceNotFoundException" => Self::NoPool { pool },
            "TooManyRequestsException" | "ThrottlingException" | "LimitExceededException" => {
                Self::Throttled { operation }
            }
            "InternalErrorException" | "ServiceUnavailable" => Self::Unavailable { operation, pool, reason: code },
            "InvalidParameterException" if message.to_ascii_lowercase().contains("token") => Self::StaleToken,
            _ => Self::Refused { operation, pool, code, message },
        }
    }
}

/// Why an SDK call failed, in a few words: the service's code, or the chain of causes. Messages of services are left
/// out, because some quote the request.
pub fn reason<E, R>(error: &SdkError<E, R>) -> String
where
    E: ProvideErrorMetadata + StdError + 'static,
    R: std::fmt::Debug,
{
    if let Some(code) = error.as_service_error().and_then(ProvideErrorMetadata::code) {
        return code.to_owned();
    }
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        words = format!("{words}: {error}");
        cause = error.source();
    }
    words
}
