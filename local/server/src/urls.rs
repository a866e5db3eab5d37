//! Function URLs: HTTP in front of functions. By the `Host` header they may have any path, so they are looked for
//! before everything else.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::extract::{ConnectInfo, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use function_host::{HttpAnswer, HttpRequest, URL_BODY_BYTES_MAX, UrlTarget, url_id};
use http::header::HOST;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use tokio::time::Instant;
use world::{Kind, Outcome, TraceId};

use crate::http::Port;

const TRACE: HeaderName = HeaderName::from_static("x-amzn-trace-id");
const REQUEST_ID: HeaderName = HeaderName::from_static("x-amzn-requestid");
/// The signing name of function URLs.
const SERVICE: &str = "lambda";

/// Answers what is for a function URL, and lets everything else go on.
pub async fn function_urls(
    State(port): State<Arc<Port>>,
    ConnectInfo(from): ConnectInfo<SocketAddr>,
    request: Request,
    next: Next,
) -> Response {
    let host = request.headers().get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default().to_owned();
    let path = request.uri().path().to_owned();
    match url_id(&host, &path) {
        Some((id, path)) => answer(&port, from, id, path, request).await,
        None => next.run(request).await,
    }
}

async fn answer(port: &Port, from: SocketAddr, id: &str, path: &str, request: Request) -> Response {
    let Some(target) = port.rooms.functions.url(id) else {
        tracing::warn!(id, "there is no function URL of this id");
        return respond(HttpAnswer::forbidden());
    };
    // What is configured for other sites is theirs to call, as on AWS; the rest is for this machine's pages.
    let headers = request.headers();
    let admitted = if target.has_cors() { port.aws.admit_name(headers) } else { port.aws.admit(headers) };
    if let Err(refusal) = admitted {
        return refusal;
    }
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, URL_BODY_BYTES_MAX).await else {
        return respond(HttpAnswer::too_large());
    };
    let access_key = if target.is_signed() {
        match port.aws.signer(&parts, &body, SERVICE) {
            Ok(access_key) => access_key,
            Err(refusal) => return refusal,
        }
    } else {
        None
    };
    let world = &port.rooms.world;
    let trace = parts.headers.get(TRACE).and_then(|value| TraceId::from_header(value.to_str().ok()?));
    let trace = trace.unwrap_or_else(|| TraceId::new(world.clock.now(), &world.random));
    let request = HttpRequest {
        method: parts.method,
        raw_path: path.to_owned(),
        raw_query: parts.uri.query().unwrap_or_default().to_owned(),
        headers: forwarded(parts.headers, from, &trace),
        body,
        source_ip: from.ip().to_string(),
        domain_name: port.rooms.functions.url_domain(id),
        access_key,
        request_id: world.random.uuid(),
        at: world.clock.now(),
    };
    call(port, target, request, trace).await
}

async fn call(port: &Port, target: UrlTarget, request: HttpRequest, trace: TraceId) -> Response {
    let what = format!("{} {} → URL of {}", request.method, request.raw_path, target.label());
    let timeline = &port.rooms.world.timeline;
    let moment = timeline.moment(Kind::ApiCall, &what).trace(Some(trace.clone())).id("requestId", &request.request_id);
    let (request_id, header) = (request.request_id.clone(), trace.header());
    let began = Instant::now();
    let mut answer = port.rooms.functions.call_url(target, request, trace).await;
    let moment = moment.took(began.elapsed());
    timeline.record(if answer.status.is_server_error() || answer.status == StatusCode::FORBIDDEN {
        moment.outcome(Outcome::Failed).detail(answer.status.to_string())
    } else {
        moment
    });
    for (name, value) in [(REQUEST_ID, request_id), (TRACE, header)] {
        if let Ok(value) = HeaderValue::try_from(value) {
            answer.headers.insert(name, value);
        }
    }
    respond(answer)
}

/// What AWS's front door adds.
pub fn forwarded(mut headers: HeaderMap, from: SocketAddr, trace: &TraceId) -> HeaderMap {
    let port = headers.get(HOST).and_then(|host| host.to_str().ok()?.rsplit_once(':')).map(|(_, port)| port.to_owned());
    for (name, value) in [
        ("x-forwarded-for", from.ip().to_string()),
        ("x-forwarded-proto", "http".into()),
        ("x-forwarded-port", port.unwrap_or_else(|| "80".into())),
        ("x-amzn-trace-id", trace.header()),
    ] {
        if let Ok(value) = HeaderValue::try_from(value) {
            headers.insert(name, value);
        }
    }
    headers
}

fn respond(answer: HttpAnswer) -> Response {
    let mut response = Response::new(Body::from(answer.body));
    *response.status_mut() = answer.status;
    *response.headers_mut() = answer.headers;
    response
}

#[cfg(test)]
mod tests {
    use aws_api::{Call, Service, Signatures};
    use serde_json::{Value, json};
    use tokio::net::TcpListener;
    use tokio::task::JoinSet;
    use world::World;

    use super::*;
    use crate::{http, testing};

    /// A port, and the Lambda API behind it.
    struct Tandem {
        address: SocketAddr,
        world: World,
        lambda: Arc<dyn Service>,
        _tasks: JoinSet<()>,
    }

    impl Tandem {
        async fn start() -> Self {
            let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
            let address = listener.local_addr().expect("an address");
            let world = World::for_tests(1);
            let (rooms, mut tasks) = testing::rooms_at(&world, address).await;
            let lambda = rooms.functions.services().remove(0);
            tasks.spawn(http::serve(listener, Arc::new(rooms), Signatures::Unchecked));
            let tandem = Self { address, world, lambda, _tasks: tasks };
            let function = json!({
                "FunctionName": "f", "Runtime": "provided.al2023", "Role": "arn:aws:iam::000000000000:role/r",
                "Handler": "h", "Code": {"S3Bucket": "built-in", "S3Key": "false"},
            });
            tandem.call("CreateFunction", function).await;
            tandem
        }

        async fn call(&self, operation: &str, input: Value) -> Value {
            let trace = TraceId::new(self.world.clock.now(), &self.world.random);
            let call = Call::internal(operation, &input, trace, self.world.random.uuid());
            let reply = self.lambda.call(&call).await.expect("it is answered");
            serde_json::from_slice(&reply.body).expect("JSON")
        }

        /// Makes a URL: its id.
        async fn url(&self, cors: Value) -> String {
            let input = json!({"FunctionName": "f", "AuthType": "NONE", "Cors": cors});
            let made = self.call("CreateFunctionUrlConfig", input).await;
            let url = made["FunctionUrl"].as_str().expect("a URL");
            assert!(url.ends_with(&format!(".lambda-url.us-east-1.localhost:{}/", self.address.port())), "{url}");
            url.trim_start_matches("http://").split('.').next().expect("an id").to_owned()
        }

        async fn ask(&self, line: &str, headers: &[(&str, &str)]) -> (u16, String) {
            testing::ask(self.address, line, headers).await
        }
    }

    #[tokio::test]
    async fn a_url_is_found_by_its_host_and_by_its_path() {
        let tandem = Tandem::start().await;
        let id = tandem.url(json!({})).await;
        let host = format!("{id}.lambda-url.us-east-1.localhost:1");
        let forbidden = r#"{"Message":"Forbidden"}"#; // there is no permission, and that is the URL's answer
        for (line, host) in [
            ("GET /", host.as_str()),
            ("GET /_tandem/health", host.as_str()),
            ("POST /2015-03-31/functions", host.as_str()),
            (&format!("GET /_tandem/urls/{id}/a/b?c=d"), "localhost:1"),
            (&format!("GET /_tandem/urls/{id}"), "localhost:1"),
            ("GET /_tandem/urls/nobody/", "localhost:1"),
        ] {
            let (status, answer) = tandem.ask(line, &[("Host", host)]).await;
            assert!(status == 403 && answer.ends_with(forbidden), "{line}: {answer}");
        }
    }

    #[tokio::test]
    async fn a_function_that_fails_behind_a_url_is_a_bad_gateway() {
        let tandem = Tandem::start().await;
        let id = tandem.url(json!({})).await;
        let permission = json!({
            "FunctionName": "f", "StatementId": "s", "Action": "lambda:InvokeFunctionUrl", "Principal": "*",
            "FunctionUrlAuthType": "NONE",
        });
        tandem.call("AddPermission", permission).await;
        let (status, answer) = tandem.ask(&format!("GET /_tandem/urls/{id}/"), &[("Host", "localhost:1")]).await;
        assert!(status == 502 && answer.ends_with("Internal Server Error"), "{answer}");
        assert!(answer.contains("x-amzn-requestid: ") && answer.contains("x-amzn-trace-id: Root="), "{answer}");
    }

    #[tokio::test]
    async fn pages_of_other_sites_come_in_where_cors_is_configured() {
        let tandem = Tandem::start().await;
        let id = tandem.url(json!({})).await;
        let line = format!("GET /_tandem/urls/{id}/");
        let headers = [("Host", "localhost:1"), ("Origin", "https://a.example")];
        assert!(tandem.ask(&line, &headers).await.1.contains("may not call this server"));
        let cors =
            json!({"FunctionName": "f", "Cors": {"AllowOrigins": ["https://a.example"], "AllowMethods": ["GET"]}});
        tandem.call("UpdateFunctionUrlConfig", cors).await;
        let (_, answer) = tandem.ask(&line, &headers).await;
        assert!(answer.contains("access-control-allow-origin: https://a.example"), "{answer}");
        let asks = [headers[0], headers[1], ("Access-Control-Request-Method", "GET")];
        let (status, answer) = tandem.ask(&line.replace("GET", "OPTIONS"), &asks).await;
        assert!(status == 200 && answer.contains("access-control-allow-methods: GET"), "{answer}");
        let rebound = [("Host", "rebound.example"), ("Origin", "https://a.example")];
        assert_eq!(tandem.ask(&line, &rebound).await.0, 403);
    }
}
