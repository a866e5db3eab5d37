//! A request as a function is sent it.
//!
//! Each format is a file; what they share is here: texts of headers, the query, the body.

mod http1;
mod http2;
mod rest;

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::header::{CONTENT_TYPE, USER_AGENT};
use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::{Map, Value, json};

use crate::authorize::Identity;
use crate::gateway::Met;
use crate::request::HttpRequest;
use crate::served::Format;

pub use http1::of_http1;
pub use http2::of_http2;
pub use rest::of_rest;

/// All that an event tells of.
#[derive(Clone, Copy)]
pub struct Asked<'a> {
    /// What the request is for.
    pub met: &'a Met,
    pub request: &'a HttpRequest,
    /// Who asks.
    pub identity: &'a Identity,
    /// The account's id.
    pub account: &'a str,
}

/// The event.
pub fn event_of(format: Format, asked: Asked) -> Map<String, Value> {
    match format {
        Format::Http1 => of_http1(asked),
        Format::Http2 => of_http2(asked),
        Format::Rest => of_rest(asked),
    }
}

impl Asked<'_> {
    fn user_agent(&self) -> Value {
        self.request.headers.get(USER_AGENT).map_or(Value::Null, |value| text_of(value).into())
    }

    /// `12/Mar/2020:19:03:58 +0000`
    fn time(&self) -> String {
        self.request.at.format("%d/%b/%Y:%H:%M:%S +0000")
    }

    /// The body as text where an HTTP API takes it for one, and in Base64 if not.
    fn http_body(&self) -> (Value, bool) {
        let request = self.request;
        if request.body.is_empty() {
            return (Value::Null, false);
        }
        let kind = media_type(&request.headers);
        let is_text = kind.starts_with("text/")
            || matches!(kind.as_str(), "application/json" | "application/javascript" | "application/xml")
            || kind.ends_with("+json")
            || kind.ends_with("+xml");
        match std::str::from_utf8(&request.body) {
            Ok(text) if is_text => (text.into(), false),
            _ => (STANDARD.encode(&request.body).into(), true),
        }
    }

    /// The object `identity` of format 1.0 and of REST APIs.
    fn identity(&self) -> Map<String, Value> {
        let names = [
            "accessKey",
            "accountId",
            "caller",
            "cognitoAuthenticationProvider",
            "cognitoAuthenticationType",
            "cognitoIdentityId",
            "cognitoIdentityPoolId",
            "principalOrgId",
            "user",
            "userArn",
        ];
        let mut identity: Map<String, Value> = names.iter().map(|name| ((*name).to_owned(), Value::Null)).collect();
        identity.insert("sourceIp".into(), self.request.source_ip.clone().into());
        identity.insert("userAgent".into(), self.user_agent());
        if let Identity::Signer(key) = self.identity {
            // There are no users here: whoever signs is the account itself.
            identity.insert("accessKey".into(), key.clone().into());
            for name in ["accountId", "caller", "user"] {
                identity.insert(name.into(), self.account.into());
            }
            identity.insert("userArn".into(), format!("arn:aws:iam::{}:root", self.account).into());
        }
        identity
    }
}

/// The type of a body, without its parameters, in lower case.
pub fn media_type(headers: &HeaderMap) -> String {
    let kind = headers.get(CONTENT_TYPE).map(text_of).unwrap_or_default().to_ascii_lowercase();
    kind.split(';').next().unwrap_or_default().trim().to_owned()
}

pub fn text_of(value: &HeaderValue) -> String {
    String::from_utf8_lossy(value.as_bytes()).into_owned()
}

/// `null` in the place of an object without members.
fn or_null<V: Into<Value>>(members: impl IntoIterator<Item = (String, V)>) -> Value {
    let members: Map<String, Value> = members.into_iter().map(|(name, value)| (name, value.into())).collect();
    if members.is_empty() { Value::Null } else { Value::Object(members) }
}

fn texts(members: &BTreeMap<String, String>) -> Value {
    or_null(members.clone())
}

/// Names and values of the query, decoded, in their order.
fn query_of(raw: &str) -> BTreeMap<String, Vec<String>> {
    let mut all: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (name, value) in aws_api::read_pairs(raw) {
        all.entry(name).or_default().push(value);
    }
    all
}

/// `headers` and `multiValueHeaders` of format 1.0: of several values the last, and all. `named` says how a name is
/// written.
fn both_headers(headers: &HeaderMap, named: impl Fn(&HeaderName) -> String) -> [(&'static str, Value); 2] {
    let mut all: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (name, value) in headers {
        all.entry(named(name)).or_default().push(text_of(value));
    }
    both("headers", "multiValueHeaders", &all)
}

/// `queryStringParameters` and `multiValueQueryStringParameters`.
fn both_parameters(raw: &str) -> [(&'static str, Value); 2] {
    both("queryStringParameters", "multiValueQueryStringParameters", &query_of(raw))
}

fn both(one: &'static str, many: &'static str, all: &BTreeMap<String, Vec<String>>) -> [(&'static str, Value); 2] {
    let last = all.iter().map(|(name, values)| (name.clone(), values.last().cloned().unwrap_or_default()));
    let every = all.iter().map(|(name, values)| (name.clone(), json!(values)));
    [(one, or_null(last)), (many, or_null(every))]
}

/// `x-amzn-trace-id` to `X-Amzn-Trace-Id`: as clients of HTTP/1.1 write names.
fn capitalised(name: &HeaderName) -> String {
    let word = |word: &str| {
        let (first, rest) = word.split_at_checked(1).unwrap_or((word, ""));
        first.to_ascii_uppercase() + rest
    };
    name.as_str().split('-').map(word).collect::<Vec<_>>().join("-")
}

#[cfg(test)]
mod tests;
