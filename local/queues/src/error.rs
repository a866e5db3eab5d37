//! How SQS fails, in its words.
//!
//! Texts are recordings of the real service in `LocalStack`'s snapshots where there is one, else as AWS's
//! documentation and other emulators have them.

use aws_api::ApiError;
use http::StatusCode;
use storage::StorageError;

/// A failure of an SQS operation.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("The specified queue does not exist.")]
    QueueDoesNotExist,
    #[error("A queue already exists with the same name and a different value for attribute {0}")]
    QueueNameExists(String),
    #[error("{0}")]
    InvalidParameterValue(String),
    #[error("The request must contain the parameter {0}.")]
    MissingParameter(&'static str),
    #[error("{0}")]
    InvalidAttributeName(String),
    #[error("{0}")]
    InvalidAttributeValue(String),
    #[error(
        "Invalid characters found. Valid unicode characters are #x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD \
         | #x10000 to #x10FFFF"
    )]
    InvalidMessageContents,
    #[error("The input receipt handle \"{0}\" is not a valid receipt handle.")]
    ReceiptHandleIsInvalid(String),
    #[error("The specified message isn't in flight.")]
    MessageNotInflight,
    #[error("Maximum number of entries per request are 10. You have sent {0}.")]
    TooManyEntriesInBatchRequest(usize),
    #[error("There should be at least one {0} in the request.")]
    EmptyBatchRequest(&'static str),
    #[error("Id {0} repeated.")]
    BatchEntryIdsNotDistinct(String),
    #[error("Batch requests cannot be longer than {max} bytes. You have sent {sent} bytes.")]
    BatchRequestTooLong { max: usize, sent: usize },
    #[error(
        "A batch entry id can only contain alphanumeric characters, hyphens and underscores. It can be at most 80 \
         letters long."
    )]
    InvalidBatchEntryId,
    #[error("Only one PurgeQueue operation on {0} is allowed every 60 seconds.")]
    PurgeQueueInProgress(String),
    #[error("The address {0} is not valid for this endpoint.")]
    InvalidAddress(String),
    #[error("{0}")]
    OverLimit(String),
    #[error("{0}")]
    ResourceNotFound(String),
    #[error(transparent)]
    Storage(#[from] StorageError),
}

impl Error {
    /// A value that breaks a rule, with the whole text.
    pub fn invalid(text: impl Into<String>) -> Self {
        Self::InvalidParameterValue(text.into())
    }

    /// A value that breaks a rule, in the usual frame.
    pub fn invalid_value(value: impl std::fmt::Display, parameter: &str, reason: &str) -> Self {
        Self::invalid(format!("Value {value} for parameter {parameter} is invalid. Reason: {reason}"))
    }

    pub fn unknown_attribute(name: &str) -> Self {
        Self::InvalidAttributeName(format!("Unknown Attribute {name}."))
    }

    pub fn only_fifo(name: &str) -> Self {
        Self::InvalidAttributeName(format!("You can specify the {name} only when FifoQueue is set to true."))
    }

    pub fn two_encryptions() -> Self {
        let text = "You can use one type of server-side encryption (SSE) at one time. You can either enable KMS SSE or \
                    SQS SSE.";
        Self::InvalidAttributeName(text.into())
    }

    pub fn attribute_value(name: &str) -> Self {
        Self::InvalidAttributeValue(format!("Invalid value for the parameter {name}."))
    }

    pub fn queue_type_stays() -> Self {
        let reason = "Reason: Modifying queue type is not supported.";
        Self::InvalidAttributeValue(format!("Invalid value for the parameter FifoQueue. {reason}"))
    }

    pub fn throughput_needs_groups() -> Self {
        let text = "The perMessageGroupId value is allowed only when the value for DeduplicationScope is messageGroup.";
        Self::InvalidAttributeValue(text.into())
    }

    pub fn queue_name(fifo: bool) -> Self {
        Self::invalid(if fifo {
            "The name of a FIFO queue can only include alphanumeric characters, hyphens, or underscores, must end with \
             .fifo suffix and be 1 to 80 in length."
        } else {
            "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length"
        })
    }

    pub fn not_of_this_type(value: &str, parameter: &str) -> Self {
        let reason = "The request includes a parameter that is not valid for this queue type.";
        Self::invalid_value(value, parameter, reason)
    }

    /// AWS says this one in a grammar of its own.
    pub fn delay_is_not_of_this_type(delay_s: i64) -> Self {
        let reason = "The request include parameter that is not valid for this queue type.";
        Self::invalid_value(delay_s, "DelaySeconds", reason)
    }

    pub fn no_deduplication_id() -> Self {
        let text = "The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided \
                    explicitly";
        Self::invalid(text)
    }

    pub fn receipt_expired(receipt_handle: &str) -> Self {
        Self::invalid_value(receipt_handle, "ReceiptHandle", "The receipt handle has expired.")
    }

    pub fn too_many_in_flight() -> Self {
        Self::OverLimit("The maximum number of in flight messages is reached.".into())
    }

    pub fn too_many_actions(count: usize, max: usize) -> Self {
        Self::OverLimit(format!("{count} Actions were found, maximum allowed is {max}."))
    }

    /// A queue that a move task names.
    pub fn no_such_resource(parameter: &str) -> Self {
        Self::ResourceNotFound(format!("The resource that you specified for the {parameter} parameter doesn't exist."))
    }

    /// One message that is too long; in a batch AWS says it in other words.
    pub fn message_too_long(bytes_max: usize, in_batch: bool) -> Self {
        let verdict = if in_batch { "cannot be validated" } else { "are invalid" };
        let reason = format!("Message must be shorter than {bytes_max} bytes.");
        Self::invalid(format!("One or more parameters {verdict}. Reason: {reason}"))
    }

    pub fn too_many_message_attributes(count: usize, max: usize) -> Self {
        Self::invalid(format!("Number of message attributes [{count}] exceeds the allowed maximum [{max}]."))
    }

    pub fn message_is_gone(receipt_handle: &str) -> Self {
        let reason = "Message does not exist or is not available for visibility timeout change.";
        Self::invalid_value(receipt_handle, "ReceiptHandle", reason)
    }

    /// The name of the exception in the model, the code of the query protocol that older SDKs compare with,
    /// and the status.
    pub fn names(&self) -> (&'static str, &'static str, StatusCode) {
        const BAD: StatusCode = StatusCode::BAD_REQUEST;
        match self {
            Self::QueueDoesNotExist => ("QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue", BAD),
            Self::QueueNameExists(_) => ("QueueNameExists", "QueueAlreadyExists", BAD),
            Self::InvalidParameterValue(_) => ("InvalidParameterValueException", "InvalidParameterValue", BAD),
            Self::MissingParameter(_) => ("MissingRequiredParameterException", "MissingParameter", BAD),
            Self::InvalidAttributeName(_) => ("InvalidAttributeName", "InvalidAttributeName", BAD),
            Self::InvalidAttributeValue(_) => ("InvalidAttributeValue", "InvalidAttributeValue", BAD),
            Self::InvalidMessageContents => ("InvalidMessageContents", "InvalidMessageContents", BAD),
            Self::ReceiptHandleIsInvalid(_) => {
                ("ReceiptHandleIsInvalid", "ReceiptHandleIsInvalid", StatusCode::NOT_FOUND)
            }
            Self::MessageNotInflight => ("MessageNotInflight", "AWS.SimpleQueueService.MessageNotInflight", BAD),
            Self::TooManyEntriesInBatchRequest(_) => {
                ("TooManyEntriesInBatchRequest", "AWS.SimpleQueueService.TooManyEntriesInBatchRequest", BAD)
            }
            Self::EmptyBatchRequest(_) => ("EmptyBatchRequest", "AWS.SimpleQueueService.EmptyBatchRequest", BAD),
            Self::BatchEntryIdsNotDistinct(_) => {
                ("BatchEntryIdsNotDistinct", "AWS.SimpleQueueService.BatchEntryIdsNotDistinct", BAD)
            }
            Self::BatchRequestTooLong { .. } => {
                ("BatchRequestTooLong", "AWS.SimpleQueueService.BatchRequestTooLong", BAD)
            }
            Self::InvalidBatchEntryId => ("InvalidBatchEntryId", "AWS.SimpleQueueService.InvalidBatchEntryId", BAD),
            Self::PurgeQueueInProgress(_) => {
                ("PurgeQueueInProgress", "AWS.SimpleQueueService.PurgeQueueInProgress", StatusCode::FORBIDDEN)
            }
            Self::InvalidAddress(_) => ("InvalidAddress", "InvalidAddress", StatusCode::NOT_FOUND),
            Self::OverLimit(_) => ("OverLimit", "OverLimit", StatusCode::FORBIDDEN),
            Self::ResourceNotFound(_) => {
                ("ResourceNotFoundException", "ResourceNotFoundException", StatusCode::NOT_FOUND)
            }
            Self::Storage(_) => ("InternalFailure", "InternalFailure", StatusCode::INTERNAL_SERVER_ERROR),
        }
    }

    /// Whether the caller is to blame.
    pub fn is_senders(&self) -> bool {
        !matches!(self, Self::Storage(_))
    }
}

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Self {
        Self::Storage(error.into())
    }
}

impl From<Error> for ApiError {
    fn from(error: Error) -> Self {
        let (shape, query_code, status) = error.names();
        let fault = if error.is_senders() { "Sender" } else { "Receiver" };
        ApiError::new(format!("com.amazonaws.sqs#{shape}"), error.to_string())
            .status(status)
            .header("x-amzn-query-error", format!("{query_code};{fault}"))
    }
}
