//! Invoke: synchronously, asynchronously, or only asking whether one may.

use aws_api::{ApiError, Call, RawBody, Reply};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::StatusCode;
use world::Outcome;

use crate::asynchronous::check_payload;
use crate::error::Error;
use crate::host::FunctionHost;
use crate::invocation::{Order, client_context};

/// Of a synchronous invocation: 6 MB.
const PAYLOAD_BYTES_MAX: usize = 6 * 1024 * 1024;
/// Of the header, which is Base64.
const CLIENT_CONTEXT_BYTES_MAX: usize = 3583;

pub(crate) type Request = RawBody;

pub(crate) async fn run(host: &FunctionHost, _: Request, call: &Call) -> Result<Reply, ApiError> {
    let reference = call.path.get("FunctionName").map_or("", String::as_str);
    let named = host.find("InvokeFunction", reference, call.query.get("Qualifier").map(String::as_str))?;
    match call.header("x-amz-invocation-type").unwrap_or("RequestResponse") {
        "RequestResponse" => {}
        "DryRun" => return Ok(Reply::bytes(StatusCode::NO_CONTENT, "")),
        "Event" => {
            host.enqueue(&named, &call.request_id, &call.body, &call.trace).await?;
            return Ok(Reply::bytes(StatusCode::ACCEPTED, ""));
        }
        other => {
            let constraint = "Member must satisfy enum value set: [Event, RequestResponse, DryRun]";
            return Err(Error::constraint(other, "invocationType", constraint).into());
        }
    }
    if call.body.len() > PAYLOAD_BYTES_MAX {
        return Err(Error::RequestTooLarge { bytes_max: PAYLOAD_BYTES_MAX }.into());
    }
    check_payload(&call.body)?;
    let tail = match call.header("x-amz-log-type").unwrap_or("None") {
        "Tail" => true,
        "None" => false,
        other => {
            let constraint = "Member must satisfy enum value set: [None, Tail]";
            return Err(Error::constraint(other, "logType", constraint).into());
        }
    };
    call.told(); // the invocation's own moment tells more
    let order = Order {
        payload: if call.body.is_empty() { Bytes::from_static(b"{}") } else { call.body.clone() },
        trace: call.trace.clone(),
        client_context: call.header("x-amz-client-context").map(decode_context).transpose()?,
        request_id: call.request_id.clone(),
        tail,
        if_failed: Outcome::Failed,
    };
    let invoked = host.run(named, order).await?;
    let mut reply = Reply::bytes(StatusCode::OK, invoked.payload)
        .header("x-amz-executed-version", &invoked.executed_version)
        .header("x-amzn-trace-id", &call.trace.header());
    if let Some(error) = &invoked.function_error {
        reply = reply.header("x-amz-function-error", error);
    }
    if let Some(log) = invoked.log_tail.filter(|_| tail) {
        reply = reply.header("x-amz-log-result", &STANDARD.encode(log));
    }
    Ok(reply)
}

fn decode_context(header: &str) -> Result<http::HeaderValue, Error> {
    let refused = || Error::InvalidRequestContent("Client context must be a valid Base64-encoded JSON object.".into());
    if header.len() > CLIENT_CONTEXT_BYTES_MAX {
        return Err(refused());
    }
    let json = STANDARD.decode(header).map_err(|_| refused())?;
    client_context(std::str::from_utf8(&json).map_err(|_| refused())?)
}
