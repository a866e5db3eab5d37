//! The Runtime API, as a sandbox sees it on its port.
//!
//! The wording of refusals is that of AWS's own Runtime Interface Emulator. Extensions may register and wait,
//! which is what `lambda_runtime`'s graceful shutdown needs; events are not sent to them. `restore` is
//! `SnapStart`'s and is not there.

#[cfg(test)]
mod tests;

use std::convert::Infallible;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::{Bytes, BytesMut};
use http::header::{CONTENT_TYPE, ORIGIN};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde::Serialize;
use tokio::net::TcpStream;

use crate::patient::Patient;
use crate::sandbox::{Event, Next, Outcome, Refusal, Sandbox};

/// Of a response: 6 MB and 100 bytes.
pub(crate) const RESPONSE_BYTES_MAX: usize = 6 * 1024 * 1024 + 100;

const JSON: HeaderValue = HeaderValue::from_static("application/json");
const REQUEST_ID: HeaderName = HeaderName::from_static("lambda-runtime-aws-request-id");
const DEADLINE: HeaderName = HeaderName::from_static("lambda-runtime-deadline-ms");
const FUNCTION_ARN: HeaderName = HeaderName::from_static("lambda-runtime-invoked-function-arn");
const TRACE_ID: HeaderName = HeaderName::from_static("lambda-runtime-trace-id");
const CLIENT_CONTEXT: HeaderName = HeaderName::from_static("lambda-runtime-client-context");
const ERROR_TYPE: HeaderName = HeaderName::from_static("lambda-runtime-function-error-type");
const ERROR_BODY: HeaderName = HeaderName::from_static("lambda-runtime-function-error-body");
const EXTENSION_NAME: HeaderName = HeaderName::from_static("lambda-extension-name");
const EXTENSION_ID: HeaderName = HeaderName::from_static("lambda-extension-identifier");

type Answer = Response<Full<Bytes>>;

/// Serves one connection of the sandbox's process.
pub(crate) async fn serve(sandbox: Arc<Sandbox>, stream: TcpStream) {
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request| {
        let sandbox = Arc::clone(&sandbox);
        async move { Ok::<_, Infallible>(answer(&sandbox, request).await) }
    });
    if let Err(error) = http1::Builder::new().serve_connection(TokioIo::new(Patient::new(stream)), service).await {
        tracing::debug!(%error, "a connection of the Runtime API ended early");
    }
}

async fn answer(sandbox: &Arc<Sandbox>, request: Request<Incoming>) -> Answer {
    // Runtimes never send it; pages of the internet that guess the port always do.
    if request.headers().contains_key(ORIGIN) {
        return error(StatusCode::FORBIDDEN, "Forbidden", "Web pages may not call the Runtime API".into());
    }
    let path = request.uri().path();
    match (request.method(), path) {
        (&Method::GET, "/2018-06-01/runtime/invocation/next") => return next(sandbox).await,
        (&Method::POST, "/2018-06-01/runtime/init/error") => return init_error(sandbox, request).await,
        (&Method::POST, "/2020-01-01/extension/register") => return register_extension(sandbox, request).await,
        (&Method::GET, "/2020-01-01/extension/event/next") => return next_extension_event(&request).await,
        (&Method::PUT, "/2022-07-01/telemetry") => return unsupported("Telemetry", request).await,
        (&Method::PUT, "/2020-08-15/logs") => return unsupported("Logs", request).await,
        _ => {}
    }
    let call = path.strip_prefix("/2018-06-01/runtime/invocation/").and_then(|rest| rest.split_once('/'));
    match (request.method(), call) {
        (&Method::POST, Some((id, "response"))) => {
            let id = id.to_owned();
            response(sandbox, &id, request.into_body()).await
        }
        (&Method::POST, Some((id, "error"))) => {
            let id = id.to_owned();
            invocation_error(sandbox, &id, request).await
        }
        _ => not_found(request).await,
    }
}

async fn next(sandbox: &Arc<Sandbox>) -> Answer {
    loop {
        let work = sandbox.work.notified();
        match sandbox.next() {
            Next::Event(event) => return event_answer(&event),
            Next::Wait => work.await,
            // The process is about to be killed; an answer could only make it do something else first.
            Next::Ended => std::future::pending().await,
        }
    }
}

fn event_answer(event: &Event) -> Answer {
    let mut answer = Response::new(Full::new(event.payload.clone()));
    let headers = answer.headers_mut();
    headers.reserve(8);
    headers.insert(CONTENT_TYPE, JSON);
    headers.insert(REQUEST_ID, value(&event.request_id));
    headers.insert(DEADLINE, HeaderValue::from(event.deadline_ms));
    headers.insert(FUNCTION_ARN, event.arn.clone());
    headers.insert(TRACE_ID, value(&event.trace));
    if let Some(context) = &event.client_context {
        headers.insert(CLIENT_CONTEXT, context.clone());
    }
    answer
}

async fn response(sandbox: &Sandbox, id: &str, body: Incoming) -> Answer {
    let outcome = match read(body).await {
        Ok(Read::All { body, trailers }) => match trailers.as_ref().and_then(streaming_error) {
            Some(payload) => Outcome::Error(payload),
            None => Outcome::Response(body),
        },
        Ok(Read::TooLarge) => Outcome::ResponseTooLarge,
        Err(answer) => return *answer,
    };
    let too_large = matches!(outcome, Outcome::ResponseTooLarge);
    match sandbox.complete(id, outcome) {
        Ok(()) if too_large => error(
            StatusCode::PAYLOAD_TOO_LARGE,
            "RequestEntityTooLarge",
            format!("Exceeded maximum allowed payload size ({RESPONSE_BYTES_MAX} bytes)."),
        ),
        Ok(()) => accepted(),
        Err(refusal) => refused(refusal, "InvocationResponse"),
    }
}

async fn invocation_error(sandbox: &Sandbox, id: &str, request: Request<Incoming>) -> Answer {
    let (parts, body) = request.into_parts();
    let payload = match read(body).await {
        Ok(read) => error_payload(read, &parts.headers),
        Err(answer) => return *answer,
    };
    match sandbox.complete(id, Outcome::Error(payload)) {
        Ok(()) => accepted(),
        Err(refusal) => refused(refusal, "InvocationErrorResponse"),
    }
}

async fn init_error(sandbox: &Arc<Sandbox>, request: Request<Incoming>) -> Answer {
    let (parts, body) = request.into_parts();
    let payload = match read(body).await {
        Ok(read) => error_payload(read, &parts.headers),
        Err(answer) => return *answer,
    };
    match sandbox.init_error(payload) {
        Ok(()) => accepted(),
        Err(refusal) => refused(refusal, "InitError"),
    }
}

async fn register_extension(sandbox: &Sandbox, request: Request<Incoming>) -> Answer {
    let (parts, body) = request.into_parts();
    // Which events it wants does not matter, for it gets none; but an unread body would cost the connection.
    let _ = read(body).await;
    if parts.headers.get(EXTENSION_NAME).is_none_or(HeaderValue::is_empty) {
        return error(StatusCode::FORBIDDEN, "Extension.InvalidExtensionName", "Empty extension name".into());
    }
    sandbox.extension_registered();
    let plan = &sandbox.plan;
    let mut answer = json(
        StatusCode::OK,
        &Registered { function_name: &plan.function, function_version: &plan.version, handler: &plan.settings.handler },
    );
    answer.headers_mut().insert(EXTENSION_ID, value(&plan.surroundings.world.random.uuid()));
    answer
}

/// Extensions are not told of invocations, and of the end by SIGTERM; so this waits for ever.
async fn next_extension_event(request: &Request<Incoming>) -> Answer {
    if !request.headers().contains_key(EXTENSION_ID) {
        let message = "Missing Lambda-Extension-Identifier header";
        return error(StatusCode::FORBIDDEN, "Extension.MissingHeader", message.into());
    }
    std::future::pending().await
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Registered<'a> {
    function_name: &'a str,
    function_version: &'a str,
    handler: &'a str,
}

enum Read {
    All { body: Bytes, trailers: Option<HeaderMap> },
    TooLarge,
}

/// Reads a body to its end, also beyond what we keep: a client that is still writing would not read our answer.
/// A body that comes in one piece is not copied.
async fn read(mut body: Incoming) -> Result<Read, Box<Answer>> {
    let (mut first, mut more) = (Bytes::new(), BytesMut::new());
    let (mut total, mut trailers) = (0, None);
    while let Some(frame) = body.frame().await {
        let Ok(frame) = frame else {
            let message = "HTTP request detected as truncated";
            return Err(Box::new(error(StatusCode::BAD_REQUEST, "TruncatedHTTPRequest", message.into())));
        };
        match frame.into_data() {
            Ok(data) => {
                total += data.len();
                if total > RESPONSE_BYTES_MAX {
                    (first, more) = (Bytes::new(), BytesMut::new());
                } else if first.is_empty() && more.is_empty() {
                    first = data;
                } else {
                    if more.is_empty() {
                        more.extend_from_slice(&std::mem::take(&mut first));
                    }
                    more.extend_from_slice(&data);
                }
            }
            Err(frame) => trailers = frame.into_trailers().ok(),
        }
    }
    if total > RESPONSE_BYTES_MAX {
        return Ok(Read::TooLarge);
    }
    Ok(Read::All { body: if more.is_empty() { first } else { more.freeze() }, trailers })
}

/// A streamed response that failed half-way says so in its trailers.
fn streaming_error(trailers: &HeaderMap) -> Option<Bytes> {
    let kind = trailers.get(ERROR_TYPE)?.to_str().ok()?;
    let body = trailers.get(ERROR_BODY).and_then(|body| STANDARD.decode(body).ok());
    Some(body.map_or_else(|| to_bytes(&ErrorBody { error_message: String::new(), error_type: kind }), Bytes::from))
}

/// The runtime's own words; if it had none, what its header says.
fn error_payload(read: Read, headers: &HeaderMap) -> Bytes {
    match read {
        Read::All { body, .. } if !body.is_empty() => body,
        _ => {
            let kind = headers.get(ERROR_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or("Runtime.Unknown");
            to_bytes(&ErrorBody { error_message: String::new(), error_type: kind })
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ErrorBody<'a> {
    error_message: String,
    error_type: &'a str,
}

fn refused(refusal: Refusal, to: &str) -> Answer {
    match refusal {
        Refusal::InvalidRequestId => error(StatusCode::BAD_REQUEST, "InvalidRequestID", "Invalid request ID".into()),
        Refusal::InvalidStateTransition(from) => error(
            StatusCode::FORBIDDEN,
            "InvalidStateTransition",
            format!("State transition from {from} to {to} failed for runtime. Error: State transition is not allowed"),
        ),
    }
}

async fn unsupported(what: &str, request: Request<Incoming>) -> Answer {
    let _ = read(request.into_body()).await;
    error(StatusCode::ACCEPTED, &format!("{what}.NotSupported"), format!("{what} API is not supported"))
}

fn accepted() -> Answer {
    let mut answer = Response::new(Full::new(Bytes::from_static(b"{\"status\":\"OK\"}\n")));
    *answer.status_mut() = StatusCode::ACCEPTED;
    answer.headers_mut().insert(CONTENT_TYPE, JSON);
    answer
}

fn error(status: StatusCode, error_type: &str, error_message: String) -> Answer {
    json(status, &ErrorBody { error_message, error_type })
}

fn json(status: StatusCode, body: &impl Serialize) -> Answer {
    let mut answer = Response::new(Full::new(to_bytes(body)));
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, JSON);
    answer
}

async fn not_found(request: Request<Incoming>) -> Answer {
    let _ = read(request.into_body()).await;
    let mut answer = Response::new(Full::new(Bytes::from_static(b"404 page not found")));
    *answer.status_mut() = StatusCode::NOT_FOUND;
    answer
}

fn to_bytes(body: &impl Serialize) -> Bytes {
    serde_json::to_vec(body).unwrap_or_default().into() // plain strings always serialise
}

fn value(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).unwrap_or(HeaderValue::from_static(""))
}
