//! What can go wrong with queues, and what to do about it.

use aws_sdk_sqs::error::{ProvideErrorMetadata, SdkError};
use tandem_pool::reason;

/// A call that failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No such queue.
    #[error("queue {queue} does not exist here: correct its name, the region or the endpoint")]
    NoQueue {
        /// Its name or address.
        queue: String,
    },
    /// The service said no, or was not reached.
    #[error("{operation} on {queue} failed ({reason}): correct the permissions or try again")]
    Failed {
        /// What was asked.
        operation: &'static str,
        /// Of which queue.
        queue: String,
        /// What happened.
        reason: String,
    },
}

impl Error {
    pub(crate) fn from_sdk<E, R>(operation: &'static str, queue: &str, error: &SdkError<E, R>) -> Self
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
        R: std::fmt::Debug,
    {
        let queue = queue.to_owned();
        let code = error.as_service_error().and_then(ProvideErrorMetadata::code);
        match code {
            Some("QueueDoesNotExist" | "AWS.SimpleQueueService.NonExistentQueue") => Self::NoQueue { queue },
            _ => Self::Failed { operation, queue, reason: reason(error) },
        }
    }
}
