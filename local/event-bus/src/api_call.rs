//! One call of an API destination: the request made of the event, and what its answer means.
//!
//! The rules are the documented ones: five seconds for an answer; 401, 407, 409, 429 and 5xx are tried again, every
//! other 4xx and 3xx is final; `Retry-After` can only lengthen the wait; a connection's values win over a target's.
//! Redirects are not followed: calls go to the address that the destination names, and nowhere else.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::Mutex;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use world::Timestamp;

use crate::api_destination::{ApiDestination, connection_by_arn};
use crate::connection::{Connection, Parameter, Secret, State};
use crate::json::{self, Reader, quoted};
use crate::json_path::{JsonPath, children};
use crate::ports::{HttpError, HttpRequest, HttpResponse, TargetFailure};
use crate::room::EventBus;
use crate::target::Target;

/// How long an answer may take.
pub const TIMEOUT: Duration = Duration::from_secs(5);

/// Sent with every call; a connection or target may replace the first.
const CONTENT_TYPE: (&str, &str) = ("content-type", "application/json; charset=utf-8");
const USER_AGENT: (&str, &str) = ("user-agent", "Amazon/EventBridge/ApiDestinations");
const RANGE: (&str, &str) = ("range", "bytes=0-1048575");

/// Headers that nobody may set: EventBridge takes them out.
const RESERVED_HEADERS: &[&str] = &[
    "a-im",
    "accept-charset",
    "accept-datetime",
    "accept-encoding",
    "cache-control",
    "connection",
    "content-encoding",
    "content-length",
    "content-md5",
    "date",
    "expect",
    "forwarded",
    "from",
    "host",
    "http2-settings",
    "if-match",
    "if-modified-since",
    "if-none-match",
    "if-range",
    "if-unmodified-since",
    "max-forwards",
    "origin",
    "pragma",
    "proxy-authorization",
    "range",
    "referer",
    "te",
    "trailer",
    "transfer-encoding",
    "user-agent",
    "upgrade",
    "via",
    "warning",
];

/// How a call went.
pub enum Called {
    /// The destination has the event.
    Delivered,
    /// The destination's rate is used up: not before this time, and no attempt is counted.
    Postponed { due: Timestamp },
    /// Not delivered; the next attempt not before `wait`, if there is one.
    Failed { failure: TargetFailure, wait: Option<Duration> },
}

impl From<TargetFailure> for Called {
    fn from(failure: TargetFailure) -> Self {
        Self::Failed { failure, wait: None }
    }
}

/// Whether a target or connection asks for a header that is not sent.
pub fn is_reserved(header: &str) -> bool {
    RESERVED_HEADERS.contains(&header.to_ascii_lowercase().as_str())
}

impl EventBus {
    /// Calls the destination that a target names.
    pub(crate) async fn call_api(&self, target: &Target, event: &str, body: &str) -> Called {
        self.try_call(target, event, body).await.unwrap_or_else(|failed| failed)
    }

    async fn try_call(&self, target: &Target, event: &str, body: &str) -> Result<Called, Called> {
        let book = self.shelf.book().await.map_err(|error| internal(&error))?;
        let place = &self.world.place;
        let name = target.arn.rsplit('/').nth(1).unwrap_or_default();
        let destination = book.api_destinations.get(name).filter(|found| found.arn(place) == target.arn);
        let Some(destination) = destination else {
            return Err(TargetFailure::no_resource(format!("Api destination {name} does not exist.")).into());
        };
        let Some(connection) = connection_by_arn(&book, place, &destination.connection_arn) else {
            let message = format!("The connection of api destination {name} does not exist.");
            return Err(TargetFailure::no_resource(message).into());
        };
        // A connection by OAuth that got no token may get one now; one without secrets never will.
        if connection.state == State::Deauthorized && (!connection.is_oauth() || connection.check().is_err()) {
            let message = format!("The connection {} is not authorized.", connection.name);
            return Err(TargetFailure::no_permissions(message).into());
        }
        if let Err(due) = self.rates.take(&destination.id, destination.rate_limit(), self.world.clock.now()) {
            return Ok(Called::Postponed { due });
        }
        let authorization = match authorization(connection) {
            Authorization::Ready(name, value) => (name, value),
            Authorization::Token => {
                ("authorization".to_owned(), self.authorization(connection).await?.reveal().to_owned())
            }
        };
        let request = request(destination, connection, target, event, body, authorization)?;
        match self.http.send(request).await {
            Ok(response) => self.judge_response(&response, connection, destination),
            Err(error) => Err(failed(&error).into()),
        }
    }

    fn judge_response(
        &self,
        response: &HttpResponse,
        connection: &Connection,
        destination: &ApiDestination,
    ) -> Result<Called, Called> {
        let status = response.status;
        if (200..300).contains(&status) {
            return Ok(Called::Delivered);
        }
        if matches!(status, 401 | 407) && connection.is_oauth() {
            self.tokens.drop_of(connection);
        }
        let message = format!("Api destination {} answered with status {status}.", destination.name);
        let wait = response.header("retry-after").map(|value| retry_after(value, self.world.clock.now()));
        let failure = match status {
            // A negative value stops the retries.
            401 | 407 | 409 | 429 | 500.. if wait == Some(None) => {
                TargetFailure::permanent("ERROR_FROM_TARGET", message)
            }
            429 => TargetFailure::retryable("THROTTLING", message),
            401 | 407 | 409 | 500.. => TargetFailure::retryable("ERROR_FROM_TARGET", message),
            _ => TargetFailure::permanent("ERROR_FROM_TARGET", message),
        };
        Err(Called::Failed { failure, wait: wait.flatten() })
    }
}

fn internal(error: &crate::error::Error) -> Called {
    TargetFailure::retryable("INTERNAL_ERROR", error.to_string()).into()
}

/// No answer at all.
pub fn failed(error: &HttpError) -> TargetFailure {
    match error {
        HttpError::TimedOut => TargetFailure::retryable("TIMEOUT", "There was no answer within 5 seconds."),
        HttpError::NotConnected(message) => TargetFailure::retryable("CONNECTION_FAILURE", message.clone()),
        HttpError::UnknownHost(message) => TargetFailure::permanent("CONNECTION_FAILURE", message.clone()),
        HttpError::Impossible(message) => TargetFailure::permanent("INVALID_PARAMETER", message.clone()),
    }
}

/// Seconds or a date; nothing for a negative number, which means never. What cannot be read means no wait.
fn retry_after(value: &str, now: Timestamp) -> Option<Duration> {
    if let Ok(seconds) = value.trim().parse::<i64>() {
        return u64::try_from(seconds).ok().map(Duration::from_secs);
    }
    let date = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(value.trim());
    Some(date.map_or(Duration::ZERO, |date| Timestamp::from_millis(date.as_millisecond()).since(now)))
}

enum Authorization {
    Ready(String, String),
    Token,
}

fn authorization(connection: &Connection) -> Authorization {
    let auth = &connection.auth;
    let revealed = |secret: &Option<Secret>| secret.as_ref().map(Secret::reveal).unwrap_or_default().to_owned();
    match (&auth.basic_auth_parameters, &auth.api_key_auth_parameters) {
        (Some(basic), _) => {
            let pair = format!("{}:{}", basic.username.as_deref().unwrap_or_default(), revealed(&basic.password));
            Authorization::Ready("authorization".into(), format!("Basic {}", STANDARD.encode(pair)))
        }
        (_, Some(key)) => {
            Authorization::Ready(key.api_key_name.clone().unwrap_or_default(), revealed(&key.api_key_value))
        }
        _ => Authorization::Token,
    }
}

fn request(
    destination: &ApiDestination,
    connection: &Connection,
    target: &Target,
    event: &str,
    body: &str,
    authorization: (String, String),
) -> Result<HttpRequest, TargetFailure> {
    let own = target.http_parameters.clone().unwrap_or_default();
    let shared = connection.auth.invocation_http_parameters.clone().unwrap_or_default();
    let pairs = |parameters: &[Parameter]| -> Vec<(String, String)> {
        let value = |parameter: &Parameter| parameter.value.as_ref().map(Secret::reveal).unwrap_or_default().to_owned();
        parameters.iter().map(|parameter| (parameter.key.clone(), value(parameter))).collect()
    };
    let mut headers: Vec<(String, String)> = Vec::new();
    let mut set = |name: &str, value: String| {
        headers.retain(|(present, _)| !present.eq_ignore_ascii_case(name));
        headers.push((name.to_owned(), value));
    };
    set(CONTENT_TYPE.0, CONTENT_TYPE.1.to_owned());
    let targets_own = own.header_parameters.iter().map(|(name, value)| (name.clone(), filled(value, event)));
    for (name, value) in targets_own.chain(pairs(&shared.header_parameters)).filter(|(name, _)| !is_reserved(name)) {
        set(&name, value);
    }
    set(USER_AGENT.0, USER_AGENT.1.to_owned());
    set(RANGE.0, RANGE.1.to_owned());
    set(&authorization.0, authorization.1);

    let mut query: Vec<(String, String)> =
        own.query_string_parameters.iter().map(|(name, value)| (name.clone(), filled(value, event))).collect();
    for (name, value) in pairs(&shared.query_string_parameters) {
        query.retain(|(present, _)| *present != name);
        query.push((name, value));
    }
    let values: Vec<String> = own.path_parameter_values.iter().map(|value| filled(value, event)).collect();
    let has_body = matches!(destination.method.as_str(), "POST" | "PUT" | "PATCH" | "DELETE");
    let body = if has_body { with_members(body, &pairs(&shared.body_parameters)) } else { String::new() };
    Ok(HttpRequest {
        method: destination.method.clone(),
        url: add_query(&with_path(&destination.endpoint, &values)?, &query),
        headers,
        body: body.into_bytes(),
        timeout: TIMEOUT,
    })
}

/// A JSON path stands for a value of the event, anything else for itself.
fn filled(value: &str, event: &str) -> String {
    let Some(path) = value.starts_with("$.").then(|| JsonPath::parse(value)).flatten() else {
        return value.to_owned();
    };
    let Some(json) = path.select(event) else { return String::new() };
    if !json.starts_with('"') {
        return json.into_owned();
    }
    let mut reader = Reader::new(&json);
    let _ = reader.next(); // it is a string
    reader.text().map(std::borrow::Cow::into_owned).unwrap_or_default()
}

/// The address with values for its wildcards.
fn with_path(endpoint: &str, values: &[String]) -> Result<String, TargetFailure> {
    let (path, query) = endpoint.split_once('?').map_or((endpoint, None), |(path, query)| (path, Some(query)));
    let mut parts = path.split('*');
    let mut url = parts.next().unwrap_or_default().to_owned();
    let mut values = values.iter();
    for part in parts {
        let value = values.next().filter(|value| !value.trim().is_empty()).ok_or_else(|| {
            let message = "The endpoint has more wildcards than PathParameterValues has values.";
            TargetFailure::permanent("INVALID_PARAMETER", message)
        })?;
        url.push_str(&encoded(value));
        url.push_str(part);
    }
    if let Some(query) = query {
        url.push('?');
        url.push_str(query);
    }
    Ok(url)
}

/// The address with more in its query string.
pub fn add_query(url: &str, query: &[(String, String)]) -> String {
    if query.is_empty() {
        return url.to_owned();
    }
    let glue = match url.split_once('?') {
        None => "?",
        Some((_, "")) => "",
        Some(_) => "&",
    };
    format!("{url}{glue}{}", form_encoded(query))
}

/// `a=1&b=2`
pub fn form_encoded(pairs: &[(String, String)]) -> String {
    pairs.iter().map(|(name, value)| format!("{}={}", encoded(name), encoded(value))).collect::<Vec<_>>().join("&")
}

fn encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            encoded.push(char::from(byte));
        } else {
            let _ = write!(encoded, "%{byte:02X}"); // writing into a string cannot fail
        }
    }
    encoded
}

/// A JSON object with the connection's members in it; anything else stays as it is.
fn with_members(body: &str, more: &[(String, String)]) -> String {
    let is_object = body.trim_start().starts_with('{') && json::minified(body).is_ok();
    let Some(members) = (!more.is_empty() && is_object).then(|| children(body)).flatten() else {
        return body.to_owned();
    };
    let name = |name: &Option<std::borrow::Cow<'_, str>>| name.as_deref().unwrap_or_default().to_owned();
    let kept = members.iter().filter(|(present, _)| !more.iter().any(|(added, _)| *added == name(present)));
    let kept = kept.map(|(present, value)| format!("{}:{value}", quoted(&name(present))));
    let added = more.iter().map(|(name, value)| format!("{}:{}", quoted(name), quoted(value)));
    format!("{{{}}}", kept.chain(added).collect::<Vec<_>>().join(","))
}

/// Counts calls by destination and second.
#[derive(Debug, Default)]
pub struct Rates(Mutex<HashMap<String, Window>>);

#[derive(Debug, Default)]
struct Window {
    began: Timestamp,
    calls: i64,
    postponed: i64,
}

/// Destinations that were called in the last seconds.
const WINDOWS_MAX: usize = 3_000;

impl Rates {
    /// Takes a call out of this second's, or says when to come again: those who wait are spread over the next seconds.
    fn take(&self, destination: &str, limit: i64, now: Timestamp) -> Result<(), Timestamp> {
        const SECOND: Duration = Duration::from_secs(1);
        let mut windows = self.0.lock().expect("no holder panics");
        if windows.len() >= WINDOWS_MAX {
            windows.retain(|_, window| now.since(window.began) < SECOND);
        }
        let window = windows.entry(destination.to_owned()).or_default();
        if now.since(window.began) >= SECOND || now < window.began {
            *window = Window { began: now, ..Window::default() };
        }
        if window.calls < limit {
            window.calls += 1;
            return Ok(());
        }
        let seconds = 1 + u64::try_from(window.postponed / limit).unwrap_or(0);
        window.postponed += 1;
        Err(window.began.plus(Duration::from_secs(seconds)))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::Step;
    use crate::testing::Room;

    const DEAD_LETTERS: &str = "arn:aws:sqs:us-east-1:000000000000:dead";

    fn api_key() -> Value {
        json!({ "ApiKeyAuthParameters": { "ApiKeyName": "x-key", "ApiKeyValue": "hush" } })
    }

    fn oauth() -> Value {
        json!({ "OAuthParameters": {
            "ClientParameters": { "ClientID": "id", "ClientSecret": "hush" }, "HttpMethod": "POST",
            "AuthorizationEndpoint": "https://auth.example.com/token",
            "OAuthHttpParameters": { "BodyParameters": [{ "Key": "scope", "Value": "a b", "IsValueSecret": false }] },
        } })
    }

    /// A rule whose target is a destination of a connection.
    async fn room(kind: &str, auth: Value, destination: Value, target: Value) -> Room {
        let t = Room::new();
        let connection = json!({ "Name": "c", "AuthorizationType": kind, "AuthParameters": auth });
        let connection = t.call("CreateConnection", connection).await.ok()["ConnectionArn"].clone();
        let mut request = json!({
            "Name": "d", "ConnectionArn": connection, "InvocationEndpoint": "https://example.com/hook", "HttpMethod": "POST",
        });
        merge(&mut request, destination);
        let arn = t.call("CreateApiDestination", request).await.ok()["ApiDestinationArn"].clone();
        t.rule("default", "r", r#"{"source":["s"]}"#).await;
        let mut request = json!({ "Id": "t", "Arn": arn, "DeadLetterConfig": { "Arn": DEAD_LETTERS } });
        merge(&mut request, target);
        t.target("default", "r", request).await;
        t
    }

    fn merge(into: &mut Value, more: Value) {
        let Value::Object(more) = more else { panic!("an object") };
        into.as_object_mut().expect("an object").extend(more);
    }

    async fn plain() -> Room {
        room("API_KEY", api_key(), json!({}), json!({})).await
    }

    fn answer(status: u16, headers: &[(&str, &str)], body: &str) -> HttpResponse {
        let headers = headers.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
        HttpResponse { status, headers, body: body.into() }
    }

    fn header<'r>(request: &'r HttpRequest, name: &str) -> Vec<&'r str> {
        let named = request.headers.iter().filter(|(found, _)| found.eq_ignore_ascii_case(name));
        named.map(|(_, value)| value.as_str()).collect()
    }

    #[tokio::test]
    async fn sends_the_event_with_the_services_headers() {
        let t = plain().await;
        let id = t.event("default", "s", json!({ "a": 1 })).await;
        let delivery = t.queued().remove(0);
        let step = t.attempt(&delivery, 0, t.world.clock.now()).await;
        assert_eq!(step, Step::Call { trace: delivery.trace.clone() });
        assert_eq!(t.call_all().await, [Step::Done]);
        let request = t.requests().remove(0);
        assert_eq!(
            (request.method.as_str(), request.url.as_str(), request.timeout),
            ("POST", "https://example.com/hook", TIMEOUT)
        );
        let body: Value = serde_json::from_slice(&request.body).expect("JSON");
        assert_eq!((&body["id"], &body["detail"]), (&json!(id), &json!({ "a": 1 })));
        for (name, value) in [
            ("content-type", "application/json; charset=utf-8"),
            ("user-agent", "Amazon/EventBridge/ApiDestinations"),
            ("range", "bytes=0-1048575"),
            ("x-key", "hush"),
        ] {
            assert_eq!(header(&request, name), [value], "{name}");
        }
    }

    #[tokio::test]
    async fn the_connection_wins_over_the_target() {
        let mut auth = json!({ "BasicAuthParameters": { "Username": "u", "Password": "hush" } });
        let parameter = |key: &str, value: &str| json!({ "Key": key, "Value": value, "IsValueSecret": false });
        auth["InvocationHttpParameters"] = json!({
            "HeaderParameters": [parameter("X-Both", "connection"), parameter("Host", "evil")],
            "QueryStringParameters": [parameter("both", "connection")],
            "BodyParameters": [parameter("detail-type", "connection")],
        });
        let parameters = json!({
            "PathParameterValues": ["$.detail.id", "fixed"],
            "HeaderParameters": { "x-both": "target", "x-source": "$.source", "User-Agent": "mine" },
            "QueryStringParameters": { "both": "target", "n": "$.detail.n" },
        });
        let destination = json!({ "InvocationEndpoint": "https://example.com/*/x/*?fixed=1", "HttpMethod": "PUT" });
        let t = room("BASIC", auth, destination, json!({ "HttpParameters": parameters })).await;
        t.event("default", "s", json!({ "id": "a/b ü", "n": 5 })).await;
        assert_eq!(t.call_all().await, [Step::Done]);
        let request = t.requests().remove(0);
        assert_eq!(request.url, "https://example.com/a%2Fb%20%C3%BC/x/fixed?fixed=1&n=5&both=connection");
        assert_eq!((header(&request, "x-both"), header(&request, "x-source")), (vec!["connection"], vec!["s"]));
        assert_eq!(header(&request, "authorization"), ["Basic dTpodXNo"]);
        assert_eq!((header(&request, "host").len(), header(&request, "user-agent")), (0, vec![USER_AGENT.1]));
        let body: Value = serde_json::from_slice(&request.body).expect("JSON");
        assert_eq!((&body["detail-type"], &body["source"]), (&json!("connection"), &json!("s")));
    }

    #[tokio::test]
    async fn answers_decide_whether_it_is_tried_again() {
        for (status, retried, code) in [
            (409, true, ""),
            (401, true, ""),
            (407, true, ""),
            (429, true, ""),
            (500, true, ""),
            (503, true, ""),
            (302, false, "ERROR_FROM_TARGET"),
            (400, false, "ERROR_FROM_TARGET"),
            (404, false, "ERROR_FROM_TARGET"),
        ] {
            let t = plain().await;
            t.answer(Ok(answer(status, &[], "")));
            t.event("default", "s", json!({})).await;
            let step = t.call_all().await.remove(0);
            assert_eq!(matches!(step, Step::Retry { .. }), retried, "{status}: {step:?}");
            if !retried {
                let letter = t.sent().pop().expect("a letter");
                assert!(letter.attributes.contains(&("ERROR_CODE", code.into())), "{status}: {letter:?}");
            }
        }
    }

    #[tokio::test]
    async fn no_answer_is_tried_again_unless_there_is_no_such_host() {
        let errors = [
            (HttpError::TimedOut, true),
            (HttpError::NotConnected("refused".into()), true),
            (HttpError::UnknownHost("no host".into()), false),
        ];
        for (error, retried) in errors {
            let t = plain().await;
            t.answer(Err(error));
            t.event("default", "s", json!({})).await;
            let step = t.call_all().await.remove(0);
            assert_eq!(matches!(step, Step::Retry { .. }), retried, "{step:?}");
        }
    }

    #[tokio::test]
    async fn retry_after_lengthens_the_wait_and_may_end_it() {
        let waits = async |value: &str| {
            let t = plain().await;
            t.answer(Ok(answer(503, &[("Retry-After", value)], "")));
            t.event("default", "s", json!({})).await;
            match t.call_all().await.remove(0) {
                Step::Retry { due } => Some(due.since(t.world.clock.now())),
                _ => None,
            }
        };
        assert_eq!(waits("100").await, Some(Duration::from_secs(100)));
        assert_eq!(waits("Thu, 01 Jan 2026 00:02:00 GMT").await, Some(Duration::from_mins(2)));
        assert!(waits("0").await >= Some(Duration::from_millis(500)), "the usual wait is longer");
        assert!(waits("soon").await >= Some(Duration::from_millis(500)));
        assert_eq!(waits("-1").await, None);
    }

    #[tokio::test]
    async fn a_token_is_used_until_it_is_refused_or_runs_out() {
        let t = room("OAUTH_CLIENT_CREDENTIALS", oauth(), json!({}), json!({})).await;
        let token = |n: u32| answer(200, &[], &format!(r#"{{"access_token":"hush{n}","expires_in":"600"}}"#));
        let send = async || {
            t.event("default", "s", json!({})).await;
            t.call_all().await.remove(0)
        };
        t.answer(Ok(token(1)));
        assert_eq!(send().await, Step::Done);
        let requests = t.requests();
        assert_eq!((requests.len(), &*requests[0].body), (2, &b"scope=a%20b&grant_type=client_credentials"[..]));
        assert_eq!(header(&requests[1], "authorization"), ["Bearer hush1"]);
        t.answer(Ok(answer(401, &[], "")));
        assert!(matches!(send().await, Step::Retry { .. }));
        assert_eq!(t.requests().len(), 1);
        t.answer(Ok(token(2)));
        assert_eq!(send().await, Step::Done);
        assert_eq!(header(&t.requests()[1], "authorization"), ["Bearer hush2"]);
        t.world.clock.advance(Duration::from_secs(560));
        t.answer(Ok(token(3)));
        assert_eq!(send().await, Step::Done);
        assert_eq!(header(&t.requests()[1], "authorization"), ["Bearer hush3"]);
        let told = format!("{:?}", t.world.timeline.all());
        assert!(!told.contains("hush"), "{told}");
    }

    #[tokio::test]
    async fn the_rate_postpones_and_counts_no_attempt() {
        let t = room("API_KEY", api_key(), json!({ "InvocationRateLimitPerSecond": 2 }), json!({})).await;
        for _ in 0..7 {
            t.event("default", "s", json!({})).await;
        }
        let steps = t.call_all().await;
        let due = |seconds: u64| Step::Postpone { due: t.world.clock.now().plus(Duration::from_secs(seconds)) };
        assert_eq!(steps, [Step::Done, Step::Done, due(1), due(1), due(2), due(2), due(3)]);
        t.world.clock.advance(Duration::from_secs(1));
        t.event("default", "s", json!({})).await;
        assert_eq!(t.call_all().await, [Step::Done]);
    }

    #[tokio::test]
    async fn what_is_gone_is_given_up() {
        let t = plain().await;
        t.event("default", "s", json!({})).await;
        let delivery = t.queued().remove(0);
        let given_up = async |code: &str| {
            assert_eq!(t.call_again(&delivery, 0).await, Step::DeadLettered);
            let letter = t.sent().pop().expect("a letter");
            assert!(letter.attributes.contains(&("ERROR_CODE", code.into())), "{letter:?}");
        };
        t.call("DeauthorizeConnection", json!({ "Name": "c" })).await.ok();
        given_up("NO_PERMISSIONS").await;
        t.call("DeleteConnection", json!({ "Name": "c" })).await.ok();
        given_up("NO_RESOURCE").await;
        t.call("DeleteApiDestination", json!({ "Name": "d" })).await.ok();
        given_up("NO_RESOURCE").await;
        assert_eq!(t.requests().len(), 0);
    }

    #[tokio::test]
    async fn a_wildcard_needs_a_value() {
        let t = room("API_KEY", api_key(), json!({ "InvocationEndpoint": "http://example.com/*" }), json!({})).await;
        t.event("default", "s", json!({})).await;
        assert_eq!(t.call_all().await, [Step::DeadLettered]);
        assert!(t.sent()[0].attributes.contains(&("ERROR_CODE", "INVALID_PARAMETER".into())));
    }
}
