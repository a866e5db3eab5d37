//! What can go wrong, and what to do about it.

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use tandem_pool::reason;
use tandem_profiles::UserId;

/// A search or a removal that failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The pool's side.
    #[error(transparent)]
    Pool(#[from] tandem_pool::Error),
    /// The table's side.
    #[error(transparent)]
    Profile(#[from] tandem_profiles::Error),
    /// A queue.
    #[error(transparent)]
    Queue(#[from] tandem_dead_letters::Error),
    /// Another call.
    #[error(
        "{operation} on {place} failed ({reason}): correct the permissions or try again; nothing is half done that a second run does not finish"
    )]
    Failed {
        /// What was asked.
        operation: &'static str,
        /// Of what.
        place: String,
        /// What happened.
        reason: String,
    },
    /// Nobody of that name.
    #[error("nobody is known as {0}, neither in the pool nor in the table: give the user's sub")]
    Nobody(String),
    /// Several.
    #[error("{name} is the name or address of several users: give one of their ids: {}", ids.iter().map(UserId::as_str).collect::<Vec<_>>().join(", "))]
    Several {
        /// What was given.
        name: String,
        /// Who it may be.
        ids: Vec<UserId>,
    },
}

impl Error {
    pub(crate) fn from_sdk<E, R>(operation: &'static str, place: &str, error: &SdkError<E, R>) -> Self
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
        R: std::fmt::Debug,
    {
        Self::Failed { operation, place: place.to_owned(), reason: reason(error) }
    }
}
