//! A request as a function is sent it, and the answer that a function's payload means: format 2.0, which function
//! URLs and HTTP APIs share.
//!
//! No HTTP is spoken here: a request comes in taken apart, an answer goes out as status, headers and body.
//! Source: <https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html> and
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html>.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, COOKIE, SET_COOKIE, USER_AGENT};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use serde::Serialize;
use serde_json::{Map, Value};
use world::Timestamp;

const INTERNAL_SERVER_ERROR: &str = "Internal Server Error";

/// A request, taken apart.
#[derive(Clone, Debug)]
pub struct HttpRequest {
    /// `GET`, `POST`, …
    pub method: Method,
    /// As it came, with its escapes.
    pub raw_path: String,
    /// As it came, without the question mark; empty if there is none.
    pub raw_query: String,
    /// All of them.
    pub headers: HeaderMap,
    /// All of it.
    pub body: Bytes,
    /// Of the caller.
    pub source_ip: String,
    /// `{id}.lambda-url.us-east-1.localhost`; the part before the first dot is the API's id.
    pub domain_name: String,
    /// Whether the caller signed: their access key.
    pub access_key: Option<String>,
    /// Also the invocation's.
    pub request_id: String,
    /// When it came.
    pub at: Timestamp,
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpAnswer {
    /// Of the answer.
    pub status: StatusCode,
    /// All of them.
    pub headers: HeaderMap,
    /// All of it.
    pub body: Bytes,
}

/// The event, as JSON.
pub fn event_of(request: &HttpRequest, account: &str) -> Vec<u8> {
    let (body, is_base64_encoded) = body_of(request);
    let text = |name: HeaderName| request.headers.get(name).map(text_of).unwrap_or_default();
    let prefix = request.domain_name.split('.').next().unwrap_or_default();
    let event = Event {
        version: "2.0",
        route_key: "$default",
        raw_path: &request.raw_path,
        raw_query_string: &request.raw_query,
        cookies: cookies_of(&request.headers),
        headers: headers_of(&request.headers),
        query_string_parameters: parameters_of(&request.raw_query),
        request_context: RequestContext {
            account_id: if request.access_key.is_some() { account } else { "anonymous" },
            api_id: prefix,
            authorizer: request.access_key.as_deref().map(|key| Authorizer::of(key, account)),
            domain_name: &request.domain_name,
            domain_prefix: prefix,
            http: HttpContext {
                method: request.method.as_str(),
                path: &request.raw_path,
                protocol: "HTTP/1.1",
                source_ip: &request.source_ip,
                user_agent: text(USER_AGENT),
            },
            request_id: &request.request_id,
            route_key: "$default",
            stage: "$default",
            time: request.at.format("%d/%b/%Y:%H:%M:%S +0000"),
            time_epoch: request.at.millis(),
        },
        body,
        is_base64_encoded,
    };
    serde_json::to_vec(&event).unwrap_or_default() // strings and numbers always serialise
}

/// What a function's payload means: a payload with a `statusCode` is taken apart, any other is a body.
pub fn answer_of(payload: &[u8]) -> Result<HttpAnswer, String> {
    let Ok(value) = serde_json::from_slice::<Value>(payload) else {
        // What is no JSON is sent as it is.
        return Ok(HttpAnswer::json(StatusCode::OK, Bytes::copy_from_slice(payload)));
    };
    match value {
        Value::Object(members) if members.contains_key("statusCode") => structured(members),
        Value::String(text) => Ok(HttpAnswer::json(StatusCode::OK, text.into())),
        _ => Ok(HttpAnswer::json(StatusCode::OK, Bytes::copy_from_slice(payload))),
    }
}

fn structured(mut members: Map<String, Value>) -> Result<HttpAnswer, String> {
    let status = members.get("statusCode").and_then(|code| match code {
        Value::Number(number) => u16::try_from(number.as_u64()?).ok(),
        Value::String(text) => text.parse().ok(),
        _ => None,
    });
    let status = status.filter(|code| *code >= 200).and_then(|code| StatusCode::from_u16(code).ok());
    let status = status.ok_or_else(|| format!("{} is no HTTP status", members["statusCode"]))?;
    let mut headers = HeaderMap::new();
    match members.remove("headers") {
        None | Some(Value::Null) => {}
        Some(Value::Object(given)) => {
            for (name, value) in given {
                let header =
                    HeaderName::try_from(name.as_str()).map_err(|_| format!("{name:?} is no header's name"))?;
                let Some(value) = plain(&value) else { return Err(format!("the header {name} is no text")) };
                let value = HeaderValue::try_from(value).map_err(|_| format!("the header {name} has a bad value"))?;
                headers.insert(header, value);
            }
        }
        Some(_) => return Err("headers is no object".into()),
    }
    match members.remove("cookies") {
        None | Some(Value::Null) => {}
        Some(Value::Array(cookies)) => {
            for cookie in cookies {
                let value = cookie.as_str().and_then(|text| HeaderValue::try_from(text).ok());
                headers.append(SET_COOKIE, value.ok_or("a cookie is no text")?);
            }
        }
        Some(_) => return Err("cookies is no list".into()),
    }
    let body = match members.remove("body") {
        None | Some(Value::Null) => Bytes::new(),
        Some(Value::String(text)) => text.into(),
        Some(other) => other.to_string().into(),
    };
    let body = match members.get("isBase64Encoded") {
        Some(Value::Bool(true)) => STANDARD.decode(&body).map_err(|_| "the body is not Base64")?.into(),
        _ => body,
    };
    headers.remove(CONTENT_LENGTH); // whoever sends it counts
    if !headers.contains_key(CONTENT_TYPE) {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
    Ok(HttpAnswer { status, headers, body })
}

/// A header's value: texts, numbers and truth values have one.
fn plain(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(value) => Some(value.to_string()),
        _ => None,
    }
}

impl HttpAnswer {
    fn json(status: StatusCode, body: Bytes) -> Self {
        let headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static("application/json"))]);
        Self { status, headers, body }
    }

    /// `{"Message": …}`, as the front of a function URL says it.
    pub(crate) fn message(status: StatusCode, message: &str) -> Self {
        Self::json(status, serde_json::json!({ "Message": message }).to_string().into())
    }

    /// The function failed, or its answer was none.
    pub(crate) fn bad_gateway() -> Self {
        Self::json(StatusCode::BAD_GATEWAY, Bytes::from_static(INTERNAL_SERVER_ERROR.as_bytes()))
    }

    /// The request is larger than a function may be sent.
    pub fn too_large() -> Self {
        Self::message(StatusCode::PAYLOAD_TOO_LARGE, "Request Entity Too Large")
    }

    /// There is no such URL, or the caller may not use it.
    pub fn forbidden() -> Self {
        Self::message(StatusCode::FORBIDDEN, "Forbidden")
    }

    pub(crate) fn throttled(reason: &str) -> Self {
        let body = serde_json::json!({"Reason": reason, "Type": "User", "message": "Rate Exceeded."});
        Self::json(StatusCode::TOO_MANY_REQUESTS, body.to_string().into())
    }
}

/// The body as text if its type says that it is one, and in Base64 if not.
fn body_of(request: &HttpRequest) -> (Option<String>, bool) {
    if request.body.is_empty() {
        return (None, false);
    }
    let kind = request.headers.get(CONTENT_TYPE).map(text_of).unwrap_or_default().to_ascii_lowercase();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    let is_text = kind.starts_with("text/")
        || matches!(kind, "application/json" | "application/javascript" | "application/xml")
        || kind.ends_with("+json")
        || kind.ends_with("+xml");
    match std::str::from_utf8(&request.body) {
        Ok(text) if is_text => (Some(text.to_owned()), false),
        _ => (Some(STANDARD.encode(&request.body)), true),
    }
}

fn text_of(value: &HeaderValue) -> String {
    String::from_utf8_lossy(value.as_bytes()).into_owned()
}

/// A header that came more than once has its values joined by commas. Cookies are elsewhere.
fn headers_of(headers: &HeaderMap) -> BTreeMap<&str, String> {
    let mut all: BTreeMap<&str, String> = BTreeMap::new();
    for (name, value) in headers.iter().filter(|(name, _)| *name != COOKIE) {
        let value = text_of(value);
        match all.get_mut(name.as_str()) {
            Some(values) => *values = format!("{values},{value}"),
            None => drop(all.insert(name.as_str(), value)),
        }
    }
    all
}

fn cookies_of(headers: &HeaderMap) -> Option<Vec<String>> {
    let pieces = headers.get_all(COOKIE).iter().map(text_of);
    let cookies: Vec<String> =
        pieces.flat_map(|piece| piece.split(';').map(|cookie| cookie.trim().to_owned()).collect::<Vec<_>>()).collect();
    let cookies: Vec<String> = cookies.into_iter().filter(|cookie| !cookie.is_empty()).collect();
    (!cookies.is_empty()).then_some(cookies)
}

/// Decoded; a name that comes more than once has all its values, with commas between them.
fn parameters_of(query: &str) -> Option<BTreeMap<String, String>> {
    let mut all: BTreeMap<String, String> = BTreeMap::new();
    for (name, value) in aws_api::read_pairs(query) {
        match all.get_mut(&name) {
            Some(values) => *values = format!("{values},{value}"),
            None => drop(all.insert(name, value)),
        }
    }
    (!all.is_empty()).then_some(all)
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Event<'a> {
    version: &'static str,
    route_key: &'static str,
    raw_path: &'a str,
    raw_query_string: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    cookies: Option<Vec<String>>,
    headers: BTreeMap<&'a str, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    query_string_parameters: Option<BTreeMap<String, String>>,
    request_context: RequestContext<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<String>,
    is_base64_encoded: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RequestContext<'a> {
    account_id: &'a str,
    api_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    authorizer: Option<Authorizer<'a>>,
    domain_name: &'a str,
    domain_prefix: &'a str,
    http: HttpContext<'a>,
    request_id: &'a str,
    route_key: &'static str,
    stage: &'static str,
    time: String,
    time_epoch: i64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct HttpContext<'a> {
    method: &'a str,
    path: &'a str,
    protocol: &'static str,
    source_ip: &'a str,
    user_agent: String,
}

#[derive(Serialize)]
struct Authorizer<'a> {
    iam: Iam<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Iam<'a> {
    access_key: &'a str,
    account_id: &'a str,
    caller_id: &'a str,
    user_arn: String,
    user_id: &'a str,
}

impl<'a> Authorizer<'a> {
    /// There are no users here: whoever signs is the account itself.
    fn of(access_key: &'a str, account: &'a str) -> Self {
        let user_arn = format!("arn:aws:iam::{account}:root");
        Self { iam: Iam { access_key, account_id: account, caller_id: account, user_arn, user_id: account } }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn request(method: Method, path: &str, query: &str, headers: &[(&'static str, &'static str)]) -> HttpRequest {
        HttpRequest {
            method,
            raw_path: path.into(),
            raw_query: query.into(),
            headers: headers
                .iter()
                .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
                .collect(),
            body: Bytes::new(),
            source_ip: "127.0.0.1".into(),
            domain_name: "abc.lambda-url.us-east-1.localhost".into(),
            access_key: None,
            request_id: "r".into(),
            at: Timestamp::from_millis(1_583_348_638_390),
        }
    }

    fn event(request: &HttpRequest) -> Value {
        serde_json::from_slice(&event_of(request, "000000000000")).expect("JSON")
    }

    #[test]
    fn a_request_reads_as_aws_writes_it() {
        let headers = [("x-many", "1"), ("x-many", "2"), ("cookie", "a=b; c=d"), ("user-agent", "curl")];
        let event = event(&request(Method::GET, "/my%20path", "p=1&p=2&q=%C3%BC", &headers));
        let expected = json!({
            "version": "2.0",
            "routeKey": "$default",
            "rawPath": "/my%20path",
            "rawQueryString": "p=1&p=2&q=%C3%BC",
            "cookies": ["a=b", "c=d"],
            "headers": {"x-many": "1,2", "user-agent": "curl"},
            "queryStringParameters": {"p": "1,2", "q": "ü"},
            "requestContext": {
                "accountId": "anonymous",
                "apiId": "abc",
                "domainName": "abc.lambda-url.us-east-1.localhost",
                "domainPrefix": "abc",
                "http": {
                    "method": "GET", "path": "/my%20path", "protocol": "HTTP/1.1", "sourceIp": "127.0.0.1",
                    "userAgent": "curl",
                },
                "requestId": "r",
                "routeKey": "$default",
                "stage": "$default",
                "time": "04/Mar/2020:19:03:58 +0000",
                "timeEpoch": 1_583_348_638_390_i64,
            },
            "isBase64Encoded": false,
        });
        assert_eq!(event, expected);
    }

    #[track_caller]
    fn check_body(kind: &'static str, body: &'static [u8], expected: (&str, bool)) {
        let mut request = request(Method::POST, "/", "", &[("content-type", kind)]);
        request.body = Bytes::from_static(body);
        let event = event(&request);
        assert_eq!((&event["body"], &event["isBase64Encoded"]), (&json!(expected.0), &json!(expected.1)), "{kind}");
    }

    #[test]
    fn bodies_are_text_where_their_type_says_so() {
        check_body("application/json; charset=utf-8", b"{}", ("{}", false));
        check_body("application/problem+json", b"{}", ("{}", false));
        check_body("text/plain", b"hi", ("hi", false));
        check_body("application/x-www-form-urlencoded", b"a=b", ("YT1i", true));
        check_body("application/json", b"\xff", ("/w==", true));
    }

    #[track_caller]
    fn check_answer(payload: &Value, status: u16, kind: &str, body: &str) {
        let answer = answer_of(payload.to_string().as_bytes()).expect("an answer");
        assert_eq!(answer.status.as_u16(), status);
        assert_eq!(answer.headers[CONTENT_TYPE], kind);
        assert_eq!(answer.body, body);
    }

    #[test]
    fn answers_are_inferred() {
        check_answer(&json!({"a": 1}), 200, "application/json", r#"{"a":1}"#);
        check_answer(&json!("hello"), 200, "application/json", "hello");
        check_answer(&json!(null), 200, "application/json", "null");
        check_answer(&json!([1]), 200, "application/json", "[1]");
    }

    #[test]
    fn answers_are_taken_apart() {
        check_answer(&json!({"statusCode": 201, "body": "x"}), 201, "application/json", "x");
        check_answer(&json!({"statusCode": "404"}), 404, "application/json", "");
        let html = json!({"statusCode": 200, "headers": {"Content-Type": "text/html", "X": 1}, "body": "<p>"});
        check_answer(&html, 200, "text/html", "<p>");
        let binary = json!({"statusCode": 200, "body": "aGk=", "isBase64Encoded": true});
        check_answer(&binary, 200, "application/json", "hi");
        let cookies = json!({"statusCode": 200, "cookies": ["a=1", "b=2; Secure"]});
        let answer = answer_of(cookies.to_string().as_bytes()).expect("an answer");
        assert_eq!(answer.headers.get_all(SET_COOKIE).iter().collect::<Vec<_>>(), ["a=1", "b=2; Secure"]);
    }

    #[test]
    fn what_is_no_answer_is_refused() {
        for payload in [
            json!({"statusCode": "x"}),
            json!({"statusCode": 99}),
            json!({"statusCode": 200, "headers": []}),
            json!({"statusCode": 200, "headers": {"a b": "c"}}),
            json!({"statusCode": 200, "body": "%", "isBase64Encoded": true}),
            json!({"statusCode": 200, "cookies": [1]}),
        ] {
            assert!(answer_of(payload.to_string().as_bytes()).is_err(), "{payload}");
        }
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic(payload in any::<Vec<u8>>(), status in any::<i64>(), path in ".{0,50}", query in ".{0,50}") {
            let _ = answer_of(&payload);
            let _ = answer_of(json!({"statusCode": status}).to_string().as_bytes());
            let _ = event(&request(Method::GET, &path, &query, &[]));
        }
    }
}
