//! `CorsConfiguration` of an HTTP API: which pages may read what it answers.
//!
//! Where it is configured, API Gateway answers the browser's question (`OPTIONS`) itself, whatever routes there are, and
//! what a function says about CORS is replaced.
//! Source: <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-cors.html>.

use bytes::Bytes;
use http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_METHOD,
    ORIGIN, VARY,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::request::{HttpAnswer, HttpRequest};

const MAX_AGE_MAX_S: i64 = 86_400;

/// As it is given, stored and answered.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Cors {
    #[serde(skip_serializing_if = "Option::is_none")]
    allow_credentials: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    allow_headers: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    allow_methods: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    allow_origins: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expose_headers: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_age: Option<i64>,
}

impl Cors {
    /// Refuses what AWS refuses.
    pub fn check(&self) -> Result<(), Error> {
        if self.max_age.is_some_and(|seconds| !(-1..=MAX_AGE_MAX_S).contains(&seconds)) {
            return Err(Error::bad_request(format!("maxAge must be between -1 and {MAX_AGE_MAX_S}")));
        }
        if self.allow_credentials == Some(true) && self.origins().any(|origin| origin == "*") {
            return Err(Error::bad_request("Wildcard origin is not supported when allowCredentials is true"));
        }
        Ok(())
    }

    /// Without any member it configures nothing.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    fn origins(&self) -> impl Iterator<Item = &str> {
        self.allow_origins.iter().flatten().map(String::as_str)
    }

    /// The answer to a browser that asks whether it may.
    pub fn preflight(&self, request: &HttpRequest) -> Option<HttpAnswer> {
        let asks = request.method == Method::OPTIONS && request.headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD);
        let origin = request.headers.get(ORIGIN).filter(|_| asks)?;
        let mut headers = HeaderMap::new();
        if self.apply(origin, &mut headers) {
            headers.remove(ACCESS_CONTROL_EXPOSE_HEADERS);
            let joined = |list: &Option<Vec<String>>| list.as_ref().map(|list| list.join(","));
            insert(&mut headers, ACCESS_CONTROL_ALLOW_METHODS, joined(&self.allow_methods));
            insert(&mut headers, ACCESS_CONTROL_ALLOW_HEADERS, joined(&self.allow_headers));
            insert(&mut headers, ACCESS_CONTROL_MAX_AGE, self.max_age.map(|seconds| seconds.to_string()));
        }
        Some(HttpAnswer { status: StatusCode::NO_CONTENT, headers, body: Bytes::new() })
    }

    /// Puts the headers of an answer in the place of the function's; whether `origin` may read it.
    pub fn apply(&self, origin: &HeaderValue, headers: &mut HeaderMap) -> bool {
        for name in [
            ACCESS_CONTROL_ALLOW_ORIGIN,
            ACCESS_CONTROL_ALLOW_CREDENTIALS,
            ACCESS_CONTROL_ALLOW_METHODS,
            ACCESS_CONTROL_ALLOW_HEADERS,
            ACCESS_CONTROL_EXPOSE_HEADERS,
            ACCESS_CONTROL_MAX_AGE,
        ] {
            headers.remove(name);
        }
        let text = origin.to_str().unwrap_or_default();
        let any = self.origins().any(|allowed| allowed == "*");
        // `https://*` stands for every origin of that scheme.
        let fits = |allowed: &str| allowed == text || allowed.strip_suffix('*').is_some_and(|rest| is_of(rest, text));
        if !any && !self.origins().any(fits) {
            return false;
        }
        if any {
            headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
        } else {
            headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
            headers.append(VARY, HeaderValue::from_static("Origin"));
        }
        let credentials = self.allow_credentials == Some(true);
        insert(headers, ACCESS_CONTROL_ALLOW_CREDENTIALS, credentials.then(|| "true".to_owned()));
        insert(headers, ACCESS_CONTROL_EXPOSE_HEADERS, self.expose_headers.as_ref().map(|list| list.join(",")));
        true
    }
}

fn is_of(scheme: &str, origin: &str) -> bool {
    matches!(scheme, "https://" | "http://") && origin.starts_with(scheme)
}

/// Nothing to say is no header, nor is what none can carry.
fn insert(headers: &mut HeaderMap, name: HeaderName, value: Option<String>) {
    if let Some(Ok(value)) = value.filter(|text| !text.is_empty()).map(HeaderValue::try_from) {
        headers.insert(name, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cors(json: &str) -> Cors {
        serde_json::from_str(json).expect("JSON")
    }

    #[track_caller]
    fn check(json: &str, origin: &'static str, expected: Option<&str>) {
        let mut headers = HeaderMap::from_iter([(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("mine"))]);
        cors(json).apply(&HeaderValue::from_static(origin), &mut headers);
        let allowed = headers.get(ACCESS_CONTROL_ALLOW_ORIGIN).map(|value| value.to_str().expect("text"));
        assert_eq!(allowed, expected);
    }

    #[test]
    fn origins_are_compared() {
        check(r#"{"allowOrigins":["https://a.example"]}"#, "https://a.example", Some("https://a.example"));
        check(r#"{"allowOrigins":["https://a.example"]}"#, "https://b.example", None);
        check(r#"{"allowOrigins":["*"]}"#, "https://b.example", Some("*"));
        check(r#"{"allowOrigins":["https://*"]}"#, "https://b.example", Some("https://b.example"));
        check(r#"{"allowOrigins":["https://*"]}"#, "http://b.example", None);
        check("{}", "https://b.example", None);
    }

    #[test]
    fn refuses_what_aws_refuses() {
        let refused = |json| cors(json).check().expect_err("it is refused").to_string();
        assert!(refused(r#"{"maxAge":86401}"#).contains("maxAge"));
        assert!(refused(r#"{"allowCredentials":true,"allowOrigins":["*"]}"#).contains("Wildcard"));
    }
}
