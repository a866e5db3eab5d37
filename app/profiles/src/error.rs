//! What can go wrong, and what to do about it.

use std::error::Error as StdError;

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};

use crate::identity::UserId;
use crate::profile::Version;

/// A profile that could not be read or written. The words name users by their ids and quote nothing of their items.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An update found no profile.
    #[error("user {0} has no profile, or was deleted: wait for the user's first event, or create the user")]
    NoProfile(UserId),
    /// An update was made from an old reading.
    #[error("the profile of {user} is at version {}, not {}: read it again and repeat the change", found.number(), expected.number())]
    Conflict {
        /// Whose profile.
        user: UserId,
        /// What the update was made from.
        expected: Version,
        /// What is there.
        found: Version,
    },
    /// An update named what is not the application's.
    #[error("`{name}` belongs to the identity: change it in the user pool, or choose another name")]
    OwnedAttribute {
        /// The attribute.
        name: String,
    },
    /// An application's value has no form in `DynamoDB`.
    #[error("the application's attributes cannot be written as a DynamoDB item: make them a struct or a map")]
    Unwritable(#[source] Box<dyn StdError + Send + Sync>),
    /// An item's application attributes do not fit the application's type.
    #[error("the application's attributes of {user} do not fit the type that they are read as: correct one of them")]
    ApplicationAttributes {
        /// Whose profile.
        user: UserId,
        /// Why; may quote a value.
        source: Box<dyn StdError + Send + Sync>,
    },
    /// Somebody wrote to what Tandem owns.
    #[error("item {key} has no usable `{attribute}`: something else has written to it; reconcile the user")]
    MalformedItem {
        /// Its partition key.
        key: String,
        /// Which attribute.
        attribute: &'static str,
    },
    /// A cursor that no page ended with.
    #[error("this cursor is no page's end: send back what came with the page before, as it was")]
    InvalidCursor,
    /// The table is not there.
    #[error("table {table} does not exist here: create it, or correct its name, the region or the endpoint")]
    NoTable {
        /// Its name.
        table: String,
    },
    /// `DynamoDB` understood and said no; it will again.
    #[error("DynamoDB refused {operation} on {table} ({code}: {message}): correct the request or the permissions")]
    Refused {
        /// What was asked.
        operation: &'static str,
        /// Of which table.
        table: String,
        /// `DynamoDB`'s code.
        code: String,
        /// `DynamoDB`'s words.
        message: String,
    },
    /// `DynamoDB` was not reached, was too busy or failed.
    #[error("DynamoDB did not carry out {operation} on {table} ({reason}): try again")]
    Unavailable {
        /// What was asked.
        operation: &'static str,
        /// Of which table.
        table: String,
        /// What happened.
        reason: String,
    },
}

impl Error {
    /// Whether the same call may succeed later.
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Unavailable { .. })
    }

    /// Whether `DynamoDB` asked for fewer calls.
    pub fn is_throttle(&self) -> bool {
        const CODES: [&str; 3] =
            ["ProvisionedThroughputExceededException", "RequestLimitExceeded", "ThrottlingException"];
        matches!(self, Self::Unavailable { reason, .. } if CODES.contains(&reason.as_str()))
    }

    /// What an SDK call that failed amounts to.
    pub(crate) fn from_sdk<E, R>(operation: &'static str, table: &str, error: &SdkError<E, R>) -> Self
    where
        E: ProvideErrorMetadata + StdError + 'static,
        R: std::fmt::Debug,
    {
        let table = table.to_owned();
        let SdkError::ServiceError(answer) = error else {
            return Self::Unavailable { operation, table, reason: chain(error) };
        };
        let code = answer.err().code().unwrap_or("no code").to_owned();
        let message = answer.err().message().unwrap_or("no message").to_owned();
        match code.as_str() {
            "ResourceNotFoundException" => Self::NoTable { table },
            "InternalServerError"
            | "ItemCollectionSizeLimitExceededException"
            | "LimitExceededException"
            | "ProvisionedThroughputExceededException"
            | "ReplicatedWriteConflictException"
            | "RequestLimitExceeded"
            | "ServiceUnavailable"
            | "ThrottlingException"
            | "TransactionConflictException" => Self::Unavailable { operation, table, reason: code },
            _ => Self::Refused { operation, table, code, message },
        }
    }
}

/// An error and its causes in one line, without what `Debug` would add: that quotes requests.
fn chain(error: &dyn StdError) -> String {
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        words = format!("{words}: {error}");
        cause = error.source();
    }
    words
}
