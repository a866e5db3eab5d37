//! How calls fail, in Lambda's words.

use aws_api::ApiError;
use http::StatusCode;
use storage::StorageError;

/// Why an invocation did not begin, for other rooms. A function that ran and failed is no error of this sort:
/// see [`crate::Invoked::function_error`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvokeError {
    /// There is no such function, or no such version of it.
    #[error("{0}")]
    NotFound(String),
    /// The function's resource policy does not let the caller in.
    #[error("{0}")]
    AccessDenied(String),
    /// As many invocations run as may.
    #[error("Rate Exceeded.")]
    Throttled {
        /// `ReservedFunctionConcurrentInvocationLimitExceeded` or `ConcurrentInvocationLimitExceeded`.
        reason: &'static str,
    },
    /// The name, the qualifier or the payload is none.
    #[error("{0}")]
    Invalid(String),
    /// The host shuts down, or a queue did not take the event.
    #[error("{0}")]
    Unavailable(String),
}

/// Every way in which an operation fails.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("{0}")]
    ResourceNotFound(String),
    #[error("{0}")]
    ResourceConflict(String),
    #[error("{0}")]
    ResourceInUse(String),
    #[error("{0}")]
    InvalidParameterValue(String),
    /// A member breaks a constraint of the API's model, or several do.
    #[error("{0}")]
    Validation(String),
    #[error("{0}")]
    InvalidRequestContent(String),
    #[error("{0}")]
    AccessDenied(String),
    #[error(
        "The Revision Id provided does not match the latest Revision Id. Call the GetFunction/GetAlias API to \
         retrieve the latest Revision Id"
    )]
    PreconditionFailed,
    #[error("Rate Exceeded.")]
    TooManyRequests { reason: &'static str },
    #[error(
        "The Revision Id provided does not match the latest Revision Id. Call the GetLayerPolicy API to retrieve the \
         latest Revision Id"
    )]
    LayerPreconditionFailed,
    /// The payload of a synchronous invocation.
    #[error("Request must be smaller than {bytes_max} bytes for the InvokeFunction operation")]
    RequestTooLarge { bytes_max: usize },
    /// The payload of an asynchronous invocation.
    #[error("{bytes} byte payload is too large for the Event invocation type (limit {bytes_max} bytes)")]
    EventTooLarge { bytes: usize, bytes_max: usize },
    /// An archive.
    #[error("Zipped size must be smaller than {bytes_max} bytes")]
    RequestEntityTooLarge { bytes_max: usize },
    #[error("No Provisioned Concurrency Config found for this function")]
    ProvisionedConcurrencyConfigNotFound,
    #[error("{0}")]
    Service(String),
    #[error(transparent)]
    Storage(#[from] StorageError),
}

impl Error {
    /// No function of this ARN (with the qualifier that was asked for).
    pub(crate) fn function_not_found(arn: &str) -> Self {
        Self::ResourceNotFound(format!("Function not found: {arn}"))
    }

    /// No alias of this ARN.
    pub(crate) fn alias_not_found(arn: &str) -> Self {
        Self::ResourceNotFound(format!("Cannot find alias arn: {arn}"))
    }

    /// For resources that have no better words.
    pub(crate) fn resource_not_found() -> Self {
        Self::ResourceNotFound("The resource you requested does not exist.".into())
    }

    /// What the asynchronous configuration says of a function that is not there.
    pub(crate) fn function_does_not_exist() -> Self {
        Self::ResourceNotFound("The function doesn't exist.".into())
    }

    /// One member breaks one constraint.
    pub(crate) fn constraint(value: &str, member: &str, constraint: &str) -> Self {
        Self::Validation(violation(value, member, constraint))
    }

    /// As [`Error::constraint`], for the members that Lambda reports with the other exception.
    pub(crate) fn invalid_member(value: &str, member: &str, constraint: &str) -> Self {
        Self::InvalidParameterValue(violation(value, member, constraint))
    }

    /// Another account's function.
    pub(crate) fn other_account(account: &str, operation: &str, arn: &str) -> Self {
        Self::AccessDenied(format!(
            "User: arn:aws:iam::{account}:root is not authorized to perform: lambda:{operation} on resource: {arn} \
             because no resource-based policy allows the lambda:{operation} action"
        ))
    }
}

fn violation(value: &str, member: &str, constraint: &str) -> String {
    format!("1 validation error detected: Value '{value}' at '{member}' failed to satisfy constraint: {constraint}")
}

impl From<Error> for InvokeError {
    fn from(error: Error) -> Self {
        match error {
            Error::ResourceNotFound(message) => Self::NotFound(message),
            Error::AccessDenied(message) => Self::AccessDenied(message),
            Error::TooManyRequests { reason } => Self::Throttled { reason },
            Error::Service(message) => Self::Unavailable(message),
            Error::Storage(error) => Self::Unavailable(error.to_string()),
            error => Self::Invalid(error.to_string()),
        }
    }
}

impl From<Error> for ApiError {
    fn from(error: Error) -> Self {
        let message = error.to_string();
        let user = |code: &'static str, status: StatusCode| {
            ApiError::new(code, message.clone())
                .status(status)
                .member("Type", "User")
                .member("Message", message.clone())
        };
        match error {
            Error::ResourceNotFound(_) => user("ResourceNotFoundException", StatusCode::NOT_FOUND),
            Error::ResourceConflict(_) => user("ResourceConflictException", StatusCode::CONFLICT),
            Error::ResourceInUse(_) => user("ResourceInUseException", StatusCode::BAD_REQUEST),
            Error::InvalidParameterValue(_) => user("InvalidParameterValueException", StatusCode::BAD_REQUEST),
            Error::Validation(_) => ApiError::new("ValidationException", message),
            Error::InvalidRequestContent(_) => user("InvalidRequestContentException", StatusCode::BAD_REQUEST),
            Error::AccessDenied(_) => ApiError::new("AccessDeniedException", message.clone())
                .status(StatusCode::FORBIDDEN)
                .member("Message", message),
            Error::PreconditionFailed | Error::LayerPreconditionFailed => {
                user("PreconditionFailedException", StatusCode::PRECONDITION_FAILED)
            }
            Error::ProvisionedConcurrencyConfigNotFound => {
                user("ProvisionedConcurrencyConfigNotFoundException", StatusCode::NOT_FOUND)
            }
            Error::TooManyRequests { reason } => {
                user("TooManyRequestsException", StatusCode::TOO_MANY_REQUESTS).member("Reason", reason)
            }
            Error::EventTooLarge { .. } => user("RequestTooLargeException", StatusCode::PAYLOAD_TOO_LARGE),
            Error::RequestTooLarge { .. } | Error::RequestEntityTooLarge { .. } => {
                user("RequestEntityTooLargeException", StatusCode::PAYLOAD_TOO_LARGE)
            }
            Error::Service(_) => service_exception(message),
            Error::Storage(error) => {
                tracing::error!(%error, "a change of a function could not be stored");
                service_exception("An error occurred and the request cannot be processed.".into())
            }
        }
    }
}

fn service_exception(message: String) -> ApiError {
    ApiError::internal("ServiceException", message.clone()).member("Type", "Service").member("Message", message)
}
