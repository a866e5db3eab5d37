//! What a function's payload means as an answer: format 2.0, format 1.0, and REST APIs' own reading of 1.0.
//!
//! Source: <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html> and
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html>.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, SET_COOKIE, TRANSFER_ENCODING};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use serde_json::{Map, Value};

use crate::request::HttpAnswer;

/// Of an HTTP API's answer that names no type.
const HTTP_TYPE: &str = "text/plain;charset=UTF-8";
/// What a REST API takes, and nothing else.
const REST_MEMBERS: [&str; 5] = ["statusCode", "headers", "multiValueHeaders", "body", "isBase64Encoded"];

/// Format 2.0: a payload with a `statusCode` is taken apart, any other is a body.
pub fn of_http2(payload: &[u8]) -> Result<HttpAnswer, String> {
    let whole = || Ok(HttpAnswer::json(StatusCode::OK, Bytes::copy_from_slice(payload)));
    match serde_json::from_slice(payload) {
        Ok(Value::Object(members)) if members.contains_key("statusCode") => {
            let mut headers = headers_of(&members)?;
            match members.get("cookies") {
                None | Some(Value::Null) => {}
                Some(Value::Array(cookies)) => {
                    for cookie in cookies {
                        let value = cookie.as_str().and_then(|text| HeaderValue::try_from(text).ok());
                        headers.append(SET_COOKIE, value.ok_or("a cookie is no text")?);
                    }
                }
                Some(_) => return Err("cookies is no list".into()),
            }
            taken_apart(&members, headers, HTTP_TYPE, true)
        }
        Ok(Value::String(text)) => Ok(HttpAnswer::json(StatusCode::OK, text)),
        Ok(_) | Err(_) => whole(),
    }
}

/// Format 1.0: an object with a `statusCode`.
pub fn of_http1(payload: &[u8]) -> Result<HttpAnswer, String> {
    let Ok(Value::Object(members)) = serde_json::from_slice(payload) else {
        return Err("the function's payload is no object with a statusCode, as format 1.0 wants it".into());
    };
    if !members.contains_key("statusCode") {
        return Err("the function's payload has no statusCode, as format 1.0 wants it".into());
    }
    taken_apart(&members, headers_of(&members)?, HTTP_TYPE, true)
}

/// A REST API: no member must be there, and no other may be. A body in Base64 is decoded for those who accept a
/// binary type.
pub fn of_rest(payload: &[u8], decodes: bool) -> Result<HttpAnswer, String> {
    let malformed = |what: &str| Err(format!("malformed Lambda proxy response: {what}"));
    let Ok(Value::Object(members)) = serde_json::from_slice(payload) else {
        return malformed("it is no object");
    };
    if let Some(other) = members.keys().find(|name| !REST_MEMBERS.contains(&name.as_str())) {
        return malformed(&format!("{other} is none of {}", REST_MEMBERS.join(", ")));
    }
    if members.get("body").is_some_and(|body| !body.is_string() && !body.is_null()) {
        return malformed("its body is no text");
    }
    taken_apart(&members, headers_of(&members)?, "application/json", decodes)
}

fn taken_apart(
    members: &Map<String, Value>,
    mut headers: HeaderMap,
    kind: &'static str,
    decodes: bool,
) -> Result<HttpAnswer, String> {
    let status = match members.get("statusCode") {
        None => Some(200),
        Some(Value::Number(number)) => number.as_u64().and_then(|code| u16::try_from(code).ok()),
        Some(Value::String(text)) => text.parse().ok(),
        Some(_) => None,
    };
    let status = status.filter(|code| *code >= 200).and_then(|code| StatusCode::from_u16(code).ok());
    let status = status.ok_or_else(|| format!("{} is no HTTP status", members["statusCode"]))?;
    let body: Bytes = match members.get("body") {
        None | Some(Value::Null) => Bytes::new(),
        Some(Value::String(text)) => text.clone().into(),
        Some(other) => other.to_string().into(),
    };
    let body = match members.get("isBase64Encoded") {
        Some(Value::Bool(true)) if decodes => STANDARD.decode(&body).map_err(|_| "the body is not Base64")?.into(),
        _ => body,
    };
    // Whoever sends it counts.
    headers.remove(CONTENT_LENGTH);
    headers.remove(TRANSFER_ENCODING);
    if !headers.contains_key(CONTENT_TYPE) {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    }
    Ok(HttpAnswer { status, headers, body })
}

/// `multiValueHeaders` go before `headers` of the same name.
fn headers_of(members: &Map<String, Value>) -> Result<HeaderMap, String> {
    let mut headers = HeaderMap::new();
    for (name, value) in object(members, "headers")? {
        let (name, value) = header(name, value)?;
        headers.insert(name, value);
    }
    for (name, values) in object(members, "multiValueHeaders")? {
        let Value::Array(values) = values else { return Err(format!("{name} in multiValueHeaders is no list")) };
        let values: Vec<_> = values.iter().map(|value| header(name, value)).collect::<Result<_, _>>()?;
        if let Some((name, _)) = values.first() {
            headers.remove(name);
        }
        for (name, value) in values {
            headers.append(name, value);
        }
    }
    Ok(headers)
}

fn object<'a>(
    members: &'a Map<String, Value>,
    name: &str,
) -> Result<impl Iterator<Item = (&'a String, &'a Value)>, String> {
    match members.get(name) {
        None | Some(Value::Null) => Ok(None.into_iter().flatten()),
        Some(Value::Object(given)) => Ok(Some(given.iter()).into_iter().flatten()),
        Some(_) => Err(format!("{name} is no object")),
    }
}

/// Texts, numbers and truth values are values.
fn header(name: &str, value: &Value) -> Result<(HeaderName, HeaderValue), String> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        Value::Bool(value) => value.to_string(),
        _ => return Err(format!("the header {name} is no text")),
    };
    let value = HeaderValue::try_from(text).map_err(|_| format!("the header {name} has a bad value"))?;
    Ok((HeaderName::try_from(name).map_err(|_| format!("{name:?} is no header's name"))?, value))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(answer: Result<HttpAnswer, String>, status: u16, kind: &str, body: &str) {
        let answer = answer.expect("an answer");
        assert_eq!(
            (answer.status.as_u16(), &answer.headers[CONTENT_TYPE], answer.body.as_ref()),
            (status, &HeaderValue::try_from(kind).expect("a header"), body.as_bytes())
        );
    }

    fn bytes(payload: &Value) -> Vec<u8> {
        payload.to_string().into_bytes()
    }

    #[test]
    fn format_2_is_inferred() {
        check(of_http2(&bytes(&json!({"a": 1}))), 200, "application/json", r#"{"a":1}"#);
        check(of_http2(&bytes(&json!("hello"))), 200, "application/json", "hello");
        check(of_http2(&bytes(&json!(null))), 200, "application/json", "null");
        check(of_http2(&bytes(&json!({"statusCode": 201, "body": "x"}))), 201, HTTP_TYPE, "x");
        let cookies = of_http2(&bytes(&json!({"statusCode": 200, "cookies": ["a=1", "b=2"]}))).expect("an answer");
        assert_eq!(cookies.headers.get_all(SET_COOKIE).iter().collect::<Vec<_>>(), ["a=1", "b=2"]);
    }

    #[test]
    fn format_1_wants_a_status() {
        let html = json!({"statusCode": "200", "headers": {"Content-Type": "text/html", "X": 1}, "body": "<p>"});
        check(of_http1(&bytes(&html)), 200, "text/html", "<p>");
        let binary = json!({"statusCode": 200, "body": "aGk=", "isBase64Encoded": true});
        check(of_http1(&bytes(&binary)), 200, HTTP_TYPE, "hi");
        for payload in [json!("hello"), json!({"a": 1}), json!(null), json!({"statusCode": 99})] {
            of_http1(&bytes(&payload)).expect_err("no answer");
        }
    }

    #[test]
    fn values_that_come_more_than_once_win() {
        let payload = json!({
            "statusCode": 200, "headers": {"x": "1", "y": "1"}, "multiValueHeaders": {"X": ["2", "3"]},
        });
        let headers = of_http1(&bytes(&payload)).expect("an answer").headers;
        assert_eq!(headers.get_all("x").iter().collect::<Vec<_>>(), ["2", "3"]);
        assert_eq!(headers["y"], "1");
    }

    #[test]
    fn a_rest_api_takes_no_other_members() {
        check(of_rest(b"{}", false), 200, "application/json", "");
        let binary = bytes(&json!({"statusCode": 200, "body": "aGk=", "isBase64Encoded": true}));
        check(of_rest(&binary, false), 200, "application/json", "aGk=");
        check(of_rest(&binary, true), 200, "application/json", "hi");
        for payload in [json!({"cookies": []}), json!({"body": {}}), json!("x"), json!({"statusCode": "x"})] {
            of_rest(&bytes(&payload), false).expect_err("no answer");
        }
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic(payload in any::<Vec<u8>>(), status in any::<i64>()) {
            let structured = json!({"statusCode": status}).to_string().into_bytes();
            for payload in [payload, structured] {
                let _ = (of_http1(&payload), of_http2(&payload), of_rest(&payload, true));
            }
        }
    }
}
