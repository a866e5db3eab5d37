//! From a request to its operation, and from what that says to a response.

use std::borrow::Cow;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, to_bytes};
use bytes::Bytes;
use http::header::{CONTENT_TYPE, HOST, ORIGIN};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode};
use serde_json::{Map, Value};
use tokio::time::{Instant, timeout};
use world::{Kind, Outcome, TraceId, World};

use crate::faulty::{self, Ran};
use crate::query::{self, Form, QueryApi};
use crate::sigv4::{self, Credentials};
use crate::{ApiError, Call, Protocol, Reply, Service, ServiceName};

/// The largest body that any service takes (DynamoDB's batch write): 16 MiB.
pub const BODY_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Until a request's body is there: who sends a letter a minute holds up what it has sent already.
const BODY_TIME_MAX: Duration = Duration::from_mins(2);

/// Of a header that repeats an error's message, which may repeat what the caller sent.
const HEADER_CHARS_MAX: usize = 1024;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-amzn-requestid");
const ERROR_TYPE: HeaderName = HeaderName::from_static("x-amzn-errortype");
const ERROR_MESSAGE: HeaderName = HeaderName::from_static("x-amzn-errormessage");
const TARGET: HeaderName = HeaderName::from_static("x-amz-target");
const TRACE: HeaderName = HeaderName::from_static("x-amzn-trace-id");

/// Whether requests must be signed.
#[derive(Clone, Debug, Default)]
pub enum Signatures {
    /// On loopback: any credentials do, and none.
    #[default]
    Unchecked,
    /// Beyond loopback: by one of these keys.
    Checked(Credentials),
}

/// All services behind one port.
pub struct Router {
    world: World,
    signatures: Signatures,
    by_target: HashMap<&'static str, Arc<dyn Service>>,
    by_route: Vec<Routed>,
    by_query: Vec<(&'static QueryApi, Arc<dyn Service>)>,
}

/// A REST operation: its method, its path, the query that it must have, its name, and where it is.
struct Routed {
    method: Method,
    segments: Vec<Segment>,
    query: Option<&'static str>,
    operation: &'static str,
    service: Arc<dyn Service>,
}

#[derive(Debug)]
enum Segment {
    Literal(&'static str),
    Name(&'static str),
}

/// A request that found its operation.
struct Found<'a> {
    service: &'a Arc<dyn Service>,
    operation: Cow<'a, str>,
    path: HashMap<String, String>,
    /// How it came, if by the query protocol, and the input in the form.
    form: Option<(&'static QueryApi, Bytes)>,
}

impl Router {
    /// A router for `services`.
    pub fn new(world: World, signatures: Signatures, services: &[Arc<dyn Service>]) -> Self {
        let mut router =
            Self { world, signatures, by_target: HashMap::new(), by_route: Vec::new(), by_query: Vec::new() };
        for service in services {
            router.by_query.extend(service.query().map(|api| (api, Arc::clone(service))));
            if matches!(service.name().protocol, Protocol::Json10 | Protocol::Json11) {
                router.by_target.insert(service.name().target, Arc::clone(service));
            }
            for (operation, route) in service.operations() {
                let Some(route) = route else { continue };
                let method = Method::from_bytes(route.method.as_bytes()).unwrap_or(Method::POST);
                let (path, query) =
                    route.path.split_once('?').map_or((route.path, None), |(path, query)| (path, Some(query)));
                let segments = path.split('/').skip(1).map(Segment::from).collect();
                router.by_route.push(Routed { method, segments, query, operation, service: Arc::clone(service) });
            }
        }
        // Of two operations at one path, the one that wants a certain query is asked first.
        router.by_route.sort_by_key(|routed| routed.query.is_none());
        router
    }

    /// Whether a request may come in at all (see [`Router::answer`]), for routes beside AWS's; the refusal if not.
    /// Nobody signs for those, so the name that was asked for counts also where signatures are checked.
    #[expect(clippy::result_large_err, reason = "a response is what the caller wants to send")]
    pub fn admit(&self, headers: &HeaderMap) -> Result<(), Response<Body>> {
        let refuse = |error| respond_error(Protocol::RestJson, &error, &self.world.random.uuid());
        let named = headers.get_all(HOST).iter().all(|host| cannot_be_rebound(host.to_str().unwrap_or_default()));
        let named = if named { Ok(()) } else { Err(denied("this server answers to the names of this machine".into())) };
        named.and_then(|()| self.check_origin(headers)).map(drop).map_err(refuse)
    }

    /// As [`Router::admit`], for what pages of other sites may call too: only the name that was asked for counts.
    #[expect(clippy::result_large_err, reason = "a response is what the caller wants to send")]
    pub fn admit_name(&self, headers: &HeaderMap) -> Result<(), Response<Body>> {
        let refuse = |error| respond_error(Protocol::RestJson, &error, &self.world.random.uuid());
        self.check_host(headers).map_err(refuse)
    }

    /// The access key of a request that is signed for `service`; on loopback, where nobody checks, the key it claims.
    #[expect(clippy::result_large_err, reason = "a response is what the caller wants to send")]
    pub fn signer(&self, parts: &Parts, body: &[u8], service: &str) -> Result<Option<String>, Response<Body>> {
        if let Signatures::Checked(credentials) = &self.signatures {
            sigv4::verify(credentials, parts, body, service, self.world.clock.now())
                .map_err(|error| respond_error(Protocol::RestJson, &error, &self.world.random.uuid()))?;
        }
        let claimed = parts.headers.get("authorization").and_then(|value| value.to_str().ok());
        let credential = claimed.and_then(|text| text.split_once("Credential=")).map(|(_, rest)| rest);
        Ok(credential.and_then(|rest| rest.split('/').next()).map(str::to_owned))
    }

    /// Answers one request; every outcome is a response. Requests of foreign pages, or for a name that is none of
    /// this machine's, are refused.
    pub async fn answer(&self, request: Request<Body>) -> Response<Body> {
        let (parts, body) = request.into_parts();
        let origin = match self.check_origin(&parts.headers) {
            Ok(origin) => origin,
            Err(error) => return self.refuse(&error, &parts),
        };
        let mut response = if parts.method == Method::OPTIONS && origin.is_some() {
            Response::default()
        } else {
            match timeout(BODY_TIME_MAX, to_bytes(body, BODY_BYTES_MAX)).await {
                Ok(Ok(body)) => self.dispatch(&parts, body).await,
                Ok(Err(_)) => {
                    let message = format!("The request body is larger than {BODY_BYTES_MAX} bytes or broke off");
                    let error = ApiError::new("RequestEntityTooLargeException", message);
                    self.refuse(&error.status(StatusCode::PAYLOAD_TOO_LARGE), &parts)
                }
                Err(_) => {
                    let message = format!("The request body did not come within {} seconds", BODY_TIME_MAX.as_secs());
                    let error = ApiError::new("RequestTimeoutException", message);
                    self.refuse(&error.status(StatusCode::REQUEST_TIMEOUT), &parts)
                }
            }
        };
        if let Some(origin) = origin {
            allow_origin(response.headers_mut(), origin);
        }
        response
    }

    async fn dispatch(&self, parts: &Parts, body: Bytes) -> Response<Body> {
        let mut found = match self.find(parts, &body) {
            Ok(found) => found,
            Err(error) => return self.refuse(&error, parts),
        };
        let name = found.service.name();
        let trace = parts.headers.get(TRACE).and_then(|value| TraceId::from_header(value.to_str().ok()?));
        let trace = trace.unwrap_or_else(|| TraceId::new(self.world.clock.now(), &self.world.random));
        if let Err(error) = self.check_signature(&found, parts, &body) {
            return found.respond(Err(error), &self.world.random.uuid());
        }
        let request_id = self.world.random.uuid();
        let path = std::mem::take(&mut found.path);
        let (query, body) = match &found.form {
            Some((_, input)) => (HashMap::new(), input.clone()),
            None => (parts.uri.query().map(read_query).unwrap_or_default(), body),
        };
        let call = Call::new(&found.operation, request_id, trace, (parts.headers.clone(), path, query), body);
        let moment = self.world.timeline.moment(Kind::ApiCall, &call.operation);
        let began = Instant::now();
        let Ran { result, by_fault } = faulty::run(&self.world.faults, &**found.service, &call).await;
        let told = moment.took(began.elapsed()).trace(Some(call.trace.clone())).about(call.take_about());
        let told = told.id("requestId", &call.request_id).id("service", name.signing);
        match &result {
            Ok(_) if call.is_told() => {}
            Ok(_) => self.world.timeline.record(told),
            Err(error) if by_fault => {
                tracing::debug!(operation = call.operation, request_id = call.request_id, %error, "by the fault plan");
                self.world.timeline.record(told.outcome(Outcome::Failed).detail(format!("fault: {error}")));
            }
            Err(error) => {
                if error.status.is_server_error() {
                    tracing::error!(request_id = call.request_id, "{} failed: {error}", call.operation);
                } else {
                    tracing::warn!(request_id = call.request_id, "{} was refused: {error}", call.operation);
                }
                self.world.timeline.record(told.outcome(Outcome::Failed).detail(error.to_string()));
            }
        }
        found.respond(result, &call.request_id)
    }

    fn find<'a>(&'a self, parts: &'a Parts, body: &[u8]) -> Result<Found<'a>, ApiError> {
        let target = parts.headers.get(TARGET).map(|target| target.to_str().unwrap_or_default());
        let Some(target) = target else {
            return match Form::read(parts, body) {
                Some(form) if form.version.is_some() || self.of_query(&form).is_some() => self.find_action(form),
                _ => self.find_route(parts),
            };
        };
        if parts.method != Method::POST {
            let message = format!("{} requests carry no X-Amz-Target: use POST", parts.method);
            return Err(ApiError::new("UnknownOperationException", message).status(StatusCode::METHOD_NOT_ALLOWED));
        }
        let parts_of_target = target.rsplit_once('.').filter(|(_, operation)| !operation.is_empty());
        let found = parts_of_target.and_then(|(prefix, operation)| Some((self.by_target.get(prefix)?, operation)));
        let (service, operation) = found.ok_or_else(|| {
            tracing::warn!(target, "no service of this name");
            ApiError::unknown_operation(if target.is_empty() { "An empty X-Amz-Target" } else { target })
        })?;
        check_content_type(service.name(), &parts.headers)?;
        Ok(Found { service, operation: operation.into(), path: HashMap::new(), form: None })
    }

    /// The service that a form is for. A version is one service's; without one the action's name has to do.
    fn of_query(&self, form: &Form) -> Option<&(&'static QueryApi, Arc<dyn Service>)> {
        let mut all = self.by_query.iter();
        match form.version.as_deref() {
            Some(version) => all.find(|(api, _)| api.version == version),
            None => all.find(|(api, _)| api.has(&form.action)),
        }
    }

    fn find_action(&self, form: Form) -> Result<Found<'_>, ApiError> {
        let Some((api, service)) = self.of_query(&form) else {
            let version = form.version.unwrap_or_default();
            tracing::warn!(action = form.action, version, "no service of this version");
            let error = ApiError::unknown_operation(&format!("The action {} for version {version}", form.action));
            return Err(error.header(query::QUERY_ERROR, "InvalidAction;Sender"));
        };
        let input = form.input(api);
        Ok(Found { service, operation: form.action.into(), path: HashMap::new(), form: Some((*api, input)) })
    }

    fn find_route<'a>(&'a self, parts: &Parts) -> Result<Found<'a>, ApiError> {
        let path = parts.uri.path();
        let mut allowed = Vec::new();
        for Routed { method, segments, query, operation, service } in &self.by_route {
            let has_query =
                |wanted: &str| parts.uri.query().is_some_and(|given| given.split('&').any(|pair| pair == wanted));
            if query.is_some_and(|wanted| !has_query(wanted)) {
                continue;
            }
            if let Some(names) = matches(segments, path) {
                if method == parts.method {
                    return Ok(Found { service, operation: (*operation).into(), path: names, form: None });
                }
                allowed.push(method.as_str());
            }
        }
        let asked = format!("{} {path}", parts.method);
        if !allowed.is_empty() {
            let message = format!("{asked} is not implemented by this server; this path takes {}", allowed.join(", "));
            return Err(ApiError::new("UnknownOperationException", message).status(StatusCode::METHOD_NOT_ALLOWED));
        }
        let hint = if query::is_form(parts) { ": it has neither X-Amz-Target nor Action" } else { "" };
        tracing::warn!(request = asked, "no operation of this name");
        Err(ApiError::unknown_operation(&format!("{asked}{hint}")).status(StatusCode::NOT_FOUND))
    }

    fn check_signature(&self, found: &Found<'_>, parts: &Parts, body: &[u8]) -> Result<(), ApiError> {
        match &self.signatures {
            Signatures::Unchecked => Ok(()),
            Signatures::Checked(_) if found.service.name().unsigned.contains(&found.operation.as_ref()) => Ok(()),
            Signatures::Checked(credentials) => {
                let service = found.service.name().signing;
                sigv4::verify(credentials, parts, body, service, self.world.clock.now())
            }
        }
    }

    /// Pages of this machine may call us; pages of the internet may not, nor may a name of theirs that
    /// resolves to our address. Returns the origin that an answer must name.
    fn check_origin(&self, headers: &HeaderMap) -> Result<Option<HeaderValue>, ApiError> {
        self.check_host(headers)?;
        let Some(origin) = headers.get(ORIGIN) else { return Ok(None) };
        let text = origin.to_str().unwrap_or_default();
        let host = text.split_once("://").map_or("", |(_, host)| host);
        if is_local_name(host) {
            Ok(Some(origin.clone()))
        } else {
            Err(denied(format!("{text} may not call this server")))
        }
    }

    /// A name that is none of this machine's may be one that was made to resolve to us.
    fn check_host(&self, headers: &HeaderMap) -> Result<(), ApiError> {
        if matches!(self.signatures, Signatures::Checked(_)) {
            return Ok(());
        }
        let mut hosts = headers.get_all(HOST).iter().map(|host| host.to_str().unwrap_or_default());
        match hosts.find(|host| !is_local_name(host)) {
            Some(host) => Err(denied(format!("this server answers to the names of this machine, and {host} is none"))),
            None => Ok(()),
        }
    }

    /// An error before an operation was found, so without a protocol to follow but the request's own.
    fn refuse(&self, error: &ApiError, parts: &Parts) -> Response<Body> {
        if error.headers.iter().any(|(name, _)| *name == query::QUERY_ERROR) {
            return query::answer_error("", error, &self.world.random.uuid());
        }
        let protocol = match content_type(&parts.headers) {
            Some("application/x-amz-json-1.0") => Protocol::Json10,
            Some("application/x-amz-json-1.1") => Protocol::Json11,
            _ => Protocol::RestJson,
        };
        respond_error(protocol, error, &self.world.random.uuid())
    }
}

impl Found<'_> {
    fn respond(&self, result: Result<Reply, ApiError>, request_id: &str) -> Response<Body> {
        match (result, &self.form) {
            (Ok(reply), Some((api, _))) => api.answer(&self.operation, &reply, request_id),
            (Err(error), Some((api, _))) => query::answer_error(api.namespace, &error, request_id),
            (Ok(reply), None) => respond(self.service.name().protocol, reply, request_id),
            (Err(error), None) => respond_error(self.service.name().protocol, &error, request_id),
        }
    }
}

fn denied(message: String) -> ApiError {
    ApiError::new("AccessDeniedException", message).status(StatusCode::FORBIDDEN)
}

impl From<&'static str> for Segment {
    fn from(text: &'static str) -> Self {
        match text.strip_prefix('{').and_then(|text| text.strip_suffix('}')) {
            Some(name) => Self::Name(name),
            None => Self::Literal(text),
        }
    }
}

/// The names in a path, if it fits; a trailing slash of either counts for nothing.
fn matches(segments: &[Segment], path: &str) -> Option<HashMap<String, String>> {
    let given: Vec<&str> = path.strip_prefix('/')?.trim_end_matches('/').split('/').collect();
    let wanted = match segments {
        [rest @ .., Segment::Literal("")] if !rest.is_empty() => rest,
        all => all,
    };
    if given.len() != wanted.len() {
        return None;
    }
    let mut names = HashMap::new();
    for (segment, text) in wanted.iter().zip(given) {
        match segment {
            Segment::Literal(literal) if *literal == text => {}
            Segment::Literal(_) => return None,
            Segment::Name(name) => drop(names.insert((*name).to_owned(), percent_decode(text, false))),
        }
    }
    Some(names)
}

/// A name that comes more than once (`tagKeys=a&tagKeys=b`) has all its values, with commas between them.
fn read_query(query: &str) -> HashMap<String, String> {
    let mut all: HashMap<String, String> = HashMap::new();
    for (name, value) in read_pairs(query) {
        match all.get_mut(&name) {
            Some(values) => values.extend([",", &value]),
            None => drop(all.insert(name, value)),
        }
    }
    all
}

/// The names and values of a query string, decoded.
pub fn read_pairs(query: &str) -> impl Iterator<Item = (String, String)> {
    query.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (percent_decode(name, true), percent_decode(value, true))
    })
}

/// `%41` to `A`, and in a query `+` to a space. What is no escape stays as it is.
pub fn percent_decode(text: &str, plus_is_space: bool) -> String {
    let bytes = text.as_bytes();
    let hex = |at: usize| bytes.get(at).and_then(|byte| char::from(*byte).to_digit(16));
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        match (bytes[at], hex(at + 1), hex(at + 2)) {
            (b'%', Some(high), Some(low)) => {
                decoded.push(u8::try_from(high * 16 + low).unwrap_or_default());
                at += 2;
            }
            (b'+', _, _) if plus_is_space => decoded.push(b' '),
            (byte, _, _) => decoded.push(byte),
        }
        at += 1;
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

pub(crate) fn content_type(headers: &HeaderMap) -> Option<&str> {
    headers.get(CONTENT_TYPE)?.to_str().ok()?.split(';').next().map(str::trim)
}

/// Either AWS JSON version does, and plain JSON; a form or a picture does not.
fn check_content_type(name: ServiceName, headers: &HeaderMap) -> Result<(), ApiError> {
    match content_type(headers) {
        None | Some("application/x-amz-json-1.0" | "application/x-amz-json-1.1" | "application/json") => Ok(()),
        Some(other) => {
            let message = format!("{} takes {}, not {other}", name.title, name.protocol.content_type());
            Err(ApiError::new("UnsupportedMediaTypeException", message).status(StatusCode::UNSUPPORTED_MEDIA_TYPE))
        }
    }
}

/// `localhost`, a loopback address or `*.localhost`, with or without a port.
fn is_local_name(host: &str) -> bool {
    let Some(name) = host_name(host).map(str::to_ascii_lowercase) else { return false };
    name == "localhost"
        || name.ends_with(".localhost")
        || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// A local name, or an address: only a name can be made to resolve to somebody else.
fn cannot_be_rebound(host: &str) -> bool {
    is_local_name(host) || host_name(host).is_some_and(|name| name.parse::<IpAddr>().is_ok())
}

/// A host without its port, and without the brackets of an IPv6 address; nothing if there is more.
fn host_name(host: &str) -> Option<&str> {
    let (name, port) = match host.strip_prefix('[') {
        Some(rest) => rest.split_once(']')?,
        None => host.split_at(host.rfind(':').unwrap_or(host.len())),
    };
    let digits = port.strip_prefix(':').unwrap_or(port);
    (digits.len() <= 5 && digits.bytes().all(|byte| byte.is_ascii_digit())).then_some(name)
}

fn allow_origin(headers: &mut HeaderMap, origin: HeaderValue) {
    headers.insert("access-control-allow-origin", origin);
    headers.insert("vary", HeaderValue::from_static("origin"));
    headers.insert("access-control-allow-methods", HeaderValue::from_static("GET, POST, PUT, PATCH, DELETE, OPTIONS"));
    headers.insert("access-control-allow-headers", HeaderValue::from_static("*, authorization"));
    headers.insert("access-control-expose-headers", HeaderValue::from_static("*"));
    headers.insert("access-control-max-age", HeaderValue::from_static("86400"));
}

impl Protocol {
    fn content_type(self) -> &'static str {
        match self {
            Self::Json10 => "application/x-amz-json-1.0",
            Self::Json11 => "application/x-amz-json-1.1",
            Self::RestJson => "application/json",
            Self::Query => query::FORM,
        }
    }
}

fn respond(protocol: Protocol, reply: Reply, request_id: &str) -> Response<Body> {
    let mut response = Response::new(Body::from(reply.body));
    *response.status_mut() = reply.status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(protocol.content_type()));
    headers.insert(REQUEST_ID, header_value(request_id));
    headers.extend(reply.headers);
    response
}

fn respond_error(protocol: Protocol, error: &ApiError, request_id: &str) -> Response<Body> {
    let mut body = Map::new();
    if protocol != Protocol::RestJson {
        body.insert("__type".into(), error.code.as_ref().into());
    }
    body.insert("message".into(), error.message.clone().into());
    body.extend(error.members.clone());
    let reply = Reply::bytes(error.status, Value::Object(body).to_string());
    let mut response = respond(protocol, reply, request_id);
    let headers = response.headers_mut();
    headers.insert(ERROR_TYPE, header_value(error.short_code()));
    headers.insert(ERROR_MESSAGE, header_value(&error.message));
    for (name, value) in &error.headers {
        headers.insert(*name, header_value(value));
    }
    response
}

/// Text for a header: what no header can carry becomes a blank, and what is too long for clients is cut off.
fn header_value(text: &str) -> HeaderValue {
    let printable = |c: char| if c.is_ascii_graphic() { c } else { ' ' };
    let text: String = text.chars().take(HEADER_CHARS_MAX).map(printable).collect();
    HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static(""))
}

#[cfg(test)]
mod tests {
    use super::*;

    mod ops {
        #[derive(serde::Deserialize)]
        #[serde(rename_all = "PascalCase")]
        pub struct Request {
            name: String,
        }

        pub static OPERATIONS: &[crate::Operation<()>] = &[
            crate::Operation {
                name: "Greet",
                route: None,
                run: |(), call| {
                    Box::pin(async move {
                        let request: Request = call.input()?;
                        crate::Reply::json(&format!("hello {}", request.name))
                    })
                },
            },
            crate::Operation {
                name: "GreetByPath",
                route: Some(crate::Route { method: "GET", path: "/greetings/{Name}" }),
                run: |(), call| {
                    Box::pin(async move {
                        let request: Request = call.input()?;
                        Err(crate::ApiError::new("ShyException", format!("not {}", request.name)))
                    })
                },
            },
        ];
    }

    const NAME: ServiceName = ServiceName {
        title: "Greetings",
        target: "Greetings_2026",
        signing: "greetings",
        protocol: Protocol::Json11,
        unsigned: &[],
        constraint_exception: "ValidationException",
    };

    async fn ask(request: http::request::Builder, body: &str) -> (u16, String) {
        let service = <dyn Service>::of(NAME, Arc::new(()), ops::OPERATIONS);
        let router = Router::new(World::for_tests(1), Signatures::default(), &[service]);
        let response = router.answer(request.body(Body::from(body.to_owned())).expect("a request")).await;
        let status = response.status().as_u16();
        let body = to_bytes(response.into_body(), usize::MAX).await.expect("a body");
        (status, String::from_utf8(body.to_vec()).expect("text"))
    }

    fn post(target: &str) -> http::request::Builder {
        Request::post("/").header("x-amz-target", target).header("content-type", "application/x-amz-json-1.1")
    }

    #[tokio::test]
    async fn finds_an_operation_by_its_target() {
        let (status, body) = ask(post("Greetings_2026.Greet"), r#"{"Name":"you"}"#).await;
        assert_eq!((status, body.as_str()), (200, r#""hello you""#));
    }

    #[tokio::test]
    async fn finds_an_operation_by_its_path() {
        let (status, body) = ask(Request::get("/greetings/M%C3%BCller/"), "").await;
        assert_eq!(status, 400);
        assert!(body.contains("not Müller"), "{body}");
    }

    #[tokio::test]
    async fn names_an_operation_that_is_not_there() {
        let (status, body) = ask(post("Greetings_2026.Shout"), "{}").await;
        assert_eq!(status, 400);
        assert!(body.contains("UnknownOperationException") && body.contains("Shout"), "{body}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_never_ends_is_not_waited_for() {
        let router = Router::new(World::for_tests(1), Signatures::default(), &[]);
        let endless = futures_util::stream::pending::<Result<Bytes, std::io::Error>>();
        let request = post("Greetings_2026.Greet").body(Body::from_stream(endless)).expect("a request");
        assert_eq!(router.answer(request).await.status(), StatusCode::REQUEST_TIMEOUT);
    }

    #[tokio::test]
    async fn says_what_is_wrong_with_a_body() {
        let (status, body) = ask(post("Greetings_2026.Greet"), "{\"Name\":").await;
        assert_eq!(status, 400);
        assert!(body.contains("SerializationException"), "{body}");
    }

    #[tokio::test]
    async fn names_a_member_that_is_missing() {
        let (status, body) = ask(post("Greetings_2026.Greet"), "{}").await;
        assert_eq!(status, 400);
        assert!(body.contains("Value null at 'name' failed to satisfy constraint: Member must not be null"), "{body}");
        assert!(body.contains("ValidationException"), "{body}");
    }

    #[tokio::test]
    async fn refuses_a_foreign_page() {
        let (status, _) = ask(post("Greetings_2026.Greet").header("origin", "https://evil.example"), "{}").await;
        assert_eq!(status, 403);
        let (status, _) = ask(post("Greetings_2026.Greet").header("host", "rebound.example:4566"), "{}").await;
        assert_eq!(status, 403);
    }

    #[test]
    fn names_of_this_machine() {
        for host in
            ["localhost", "LOCALHOST:4566", "a.localhost:1", "127.0.0.1:4566", "127.1.2.3", "[::1]", "[::1]:4566"]
        {
            assert!(is_local_name(host), "{host}");
        }
        for host in [
            "",
            "example.com",
            "localhost.example.com",
            "localhost:80:80",
            "localhost:x",
            "[::1].example.com",
            "[::1",
            "[::1]x:1",
            "0.0.0.0:4566",
            "10.0.0.1",
            "localhost:123456",
        ] {
            assert!(!is_local_name(host), "{host}");
        }
    }

    #[test]
    fn what_needs_no_signature_answers_to_no_name_that_can_be_rebound() {
        let credentials = [("AKID".to_owned(), "secret".to_owned())].into();
        let router = Router::new(World::for_tests(1), Signatures::Checked(credentials), &[]);
        let admits = |hosts: &[&'static str]| {
            let hosts = hosts.iter().map(|host| (HOST, HeaderValue::from_static(host)));
            router.admit(&hosts.collect()).is_ok()
        };
        assert!(admits(&["localhost:4566"]) && admits(&["0.0.0.0:4566"]) && admits(&[]));
        assert!(!admits(&["rebound.example:4566"]));
    }

    #[test]
    fn a_message_of_any_length_fits_into_a_header() {
        assert_eq!(header_value(&"\u{e9}x\r\n".repeat(100_000)).len(), HEADER_CHARS_MAX);
    }

    #[tokio::test]
    async fn takes_a_page_of_this_machine() {
        let request = post("Greetings_2026.Greet").header("origin", "http://localhost:3000");
        assert_eq!(ask(request, r#"{"Name":"you"}"#).await.0, 200);
    }

    #[test]
    fn keeps_every_value_of_a_name() {
        assert_eq!(read_query("tagKeys=a&x=1&tagKeys=b+c").get("tagKeys").map(String::as_str), Some("a,b c"));
    }

    #[tokio::test]
    async fn refuses_a_form() {
        let request = Request::post("/").header("x-amz-target", "Greetings_2026.Greet");
        let (status, _) = ask(request.header("content-type", "text/plain"), "{}").await;
        assert_eq!(status, 415);
    }
}
