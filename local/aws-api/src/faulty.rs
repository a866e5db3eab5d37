//! A call that goes wrong because the fault plan says so.

use std::borrow::Cow;
use std::time::Duration;

use http::StatusCode;
use world::{ApiFault, Faults};

use crate::{ApiError, Call, Protocol, Reply, Service};

/// What a call came to.
pub struct Ran {
    pub result: Result<Reply, ApiError>,
    /// The error is the fault plan's.
    pub by_fault: bool,
}

/// Carries a call out, or not, as the plan has it.
pub async fn run(faults: &Faults, service: &dyn Service, call: &Call) -> Ran {
    let Some(fault) = faults.api(service.name().signing, &call.operation, &call.trace) else {
        return Ran { result: service.call(call).await, by_fault: false };
    };
    // Whatever it comes to when it is carried out, the caller is not to know.
    let early = if fault.after { Some(service.call(call).await) } else { None };
    if let Some(delay_ms) = fault.delay_ms {
        tokio::time::sleep(Duration::from_millis(delay_ms)).await;
    }
    match (error(&fault, service), early) {
        (None, Some(result)) => Ran { result, by_fault: false },
        (None, None) => Ran { result: service.call(call).await, by_fault: false },
        (Some(error), _) => Ran { result: Err(error), by_fault: true },
    }
}

fn error(fault: &ApiFault, service: &dyn Service) -> Option<ApiError> {
    let code = fault.error.as_deref()?;
    let name = service.name();
    let status = fault.status.and_then(|status| StatusCode::from_u16(status).ok());
    let message = fault.message.clone().unwrap_or_else(|| message(code).to_owned());
    let status = status.unwrap_or_else(|| usual_status(code, name.protocol));
    Some(ApiError::new(in_namespace(code, name.signing), message).status(status))
}

/// As the service writes it: SDKs look behind the `#`, but other clients compare the whole.
fn in_namespace(code: &str, service: &str) -> Cow<'static, str> {
    let namespace = match (service, code) {
        ("dynamodb", "ThrottlingException") => "com.amazon.coral.availability#",
        ("dynamodb", _) => "com.amazonaws.dynamodb.v20120810#",
        ("sqs", _) => "com.amazonaws.sqs#",
        _ => "",
    };
    format!("{namespace}{code}").into()
}

/// In AWS's words, as far as they are known.
fn message(code: &str) -> &'static str {
    match code {
        "ProvisionedThroughputExceededException" => {
            "The level of configured provisioned throughput for the table was exceeded. Consider increasing your \
             provisioning level with the UpdateTable API."
        }
        "RequestLimitExceeded" => {
            "Throughput exceeds the current throughput limit for your account. Please contact AWS Support at \
             https://aws.amazon.com/support request a limit increase"
        }
        "InternalServerError" => "The server encountered an internal error trying to fulfill the request.",
        "ThrottlingException" | "TooManyRequestsException" => "Rate exceeded",
        _ => "The request processing has failed because of an unknown error, exception or failure.",
    }
}

fn usual_status(code: &str, protocol: Protocol) -> StatusCode {
    match code {
        "TooManyRequestsException" if protocol == Protocol::RestJson => StatusCode::TOO_MANY_REQUESTS,
        _ if code.starts_with("ServiceUnavailable") => StatusCode::SERVICE_UNAVAILABLE,
        "ServiceException" | "ServiceFailure" => StatusCode::INTERNAL_SERVER_ERROR,
        _ if code.starts_with("Internal") => StatusCode::INTERNAL_SERVER_ERROR,
        _ => StatusCode::BAD_REQUEST,
    }
}
