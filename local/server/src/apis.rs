//! HTTP and REST APIs: HTTP in front of API Gateway's engine. By the `Host` header they may have any path, so they are
//! looked for before everything else, as function URLs are.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::extract::{ConnectInfo, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::header::HOST;
use http::{HeaderMap, HeaderName, HeaderValue};
use http_api::{BODY_BYTES_MAX, HttpAnswer, HttpRequest, Met, api_id};
use world::TraceId;

use crate::http::Port;
use crate::urls::forwarded;

const TRACE: HeaderName = HeaderName::from_static("x-amzn-trace-id");
/// The signing name of calls to APIs.
const SERVICE: &str = "execute-api";
/// Names below it are AWS's alone to give out: nobody can make one resolve to this machine.
const OF_AWS: &str = ".amazonaws.com";

/// Answers what is for an API, and lets everything else go on.
pub async fn apis(
    State(port): State<Arc<Port>>,
    ConnectInfo(from): ConnectInfo<SocketAddr>,
    request: Request,
    next: Next,
) -> Response {
    let host = request.headers().get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default().to_owned();
    let path = request.uri().path().to_owned();
    match api_id(&host, &path) {
        Some((id, path)) => answer(&port, from, id, path, request).await,
        None => next.run(request).await,
    }
}

async fn answer(port: &Port, from: SocketAddr, id: &str, path: &str, request: Request) -> Response {
    let Some(met) = port.rooms.apis.meet(id, request.method(), path) else {
        return respond(port.rooms.apis.unknown(id));
    };
    if let Err(refusal) = admit(port, request.headers(), &met) {
        tracing::warn!(
            api = id,
            "a request was refused: of pages, those of this machine may call an API, and others where CORS is \
             configured"
        );
        return refusal;
    }
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, BODY_BYTES_MAX).await else {
        return respond(met.too_large());
    };
    let access_key = if met.is_signed() {
        match port.aws.signer(&parts, &body, SERVICE) {
            Ok(access_key) => access_key,
            Err(refusal) => {
                tracing::warn!(
                    api = id,
                    path,
                    "the route wants a signature (AWS_IAM), and none of a known key was sent"
                );
                return refusal;
            }
        }
    } else {
        None
    };
    let world = &port.rooms.world;
    let trace = parts.headers.get(TRACE).and_then(|value| TraceId::from_header(value.to_str().ok()?));
    let trace = trace.unwrap_or_else(|| TraceId::new(world.clock.now(), &world.random));
    let request = HttpRequest {
        method: parts.method,
        raw_query: parts.uri.query().unwrap_or_default().to_owned(),
        headers: forwarded(parts.headers, from, &trace),
        body,
        source_ip: from.ip().to_string(),
        access_key,
        request_id: world.random.uuid(),
        at: world.clock.now(),
    };
    respond(port.rooms.apis.answer(met, request, trace).await)
}

/// What is configured for other sites is theirs to call, as on AWS; the rest is for this machine's pages.
#[expect(clippy::result_large_err, reason = "a response is what the caller wants to send")]
fn admit(port: &Port, headers: &HeaderMap, met: &Met) -> Result<(), Response> {
    let mut named = headers.clone();
    if let [host] = headers.get_all(HOST).iter().collect::<Vec<_>>().as_slice()
        && host.to_str().is_ok_and(is_of_aws)
    {
        named.insert(HOST, HeaderValue::from_static("localhost"));
    }
    if met.has_cors() { port.aws.admit_name(&named) } else { port.aws.admit(&named) }
}

fn is_of_aws(host: &str) -> bool {
    let name = host.split_once(':').map_or(host, |(name, _)| name);
    name.ends_with(OF_AWS)
}

fn respond(answer: HttpAnswer) -> Response {
    let mut response = Response::new(Body::from(answer.body));
    *response.status_mut() = answer.status;
    *response.headers_mut() = answer.headers;
    response
}

#[cfg(test)]
mod tests;
