//! `Cors` of a function URL: which pages may read what it answers.
//!
//! Where it is configured, Lambda answers the browser's question (`OPTIONS`) itself, and what the function says
//! about CORS is replaced.

use bytes::Bytes;
use http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_METHOD,
    ORIGIN, VARY,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::http_event::{HttpAnswer, HttpRequest};

const MAX_AGE_MAX_S: i64 = 86_400;
const ORIGINS_MAX: usize = 100;
const METHODS_MAX: usize = 6;
const HEADERS_MAX: usize = 100;
const METHODS: &[&str] = &["*", "GET", "PUT", "HEAD", "POST", "PATCH", "DELETE"];

/// As it is given, stored and answered.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct Cors {
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
    /// Refuses what AWS's model refuses.
    pub(crate) fn check(self) -> Result<Self, Error> {
        let lists = [
            (&self.allow_origins, "cors.allowOrigins", ORIGINS_MAX),
            (&self.allow_methods, "cors.allowMethods", METHODS_MAX),
            (&self.allow_headers, "cors.allowHeaders", HEADERS_MAX),
            (&self.expose_headers, "cors.exposeHeaders", HEADERS_MAX),
        ];
        for (list, member, max) in lists {
            let Some(list) = list.as_ref().filter(|list| list.len() > max) else { continue };
            let constraint = format!("Member must have length less than or equal to {max}");
            return Err(Error::constraint(&format!("[{}]", list.join(", ")), member, &constraint));
        }
        if let Some(seconds) = self.max_age.filter(|seconds| !(0..=MAX_AGE_MAX_S).contains(seconds)) {
            let bound = if seconds < 0 {
                "greater than or equal to 0".to_owned()
            } else {
                format!("less than or equal to {MAX_AGE_MAX_S}")
            };
            let constraint = format!("Member must have value {bound}");
            return Err(Error::constraint(&seconds.to_string(), "cors.maxAge", &constraint));
        }
        let unknown = self.allow_methods.iter().flatten().find(|method| !METHODS.contains(&method.as_str()));
        if let Some(method) = unknown {
            let message = format!("Invalid CORS. The method {method} is not one of {}", METHODS.join(", "));
            return Err(Error::InvalidParameterValue(message));
        }
        Ok(self)
    }

    /// The answer to a browser that asks whether it may.
    pub(crate) fn preflight(&self, request: &HttpRequest) -> Option<HttpAnswer> {
        let asks = request.method == Method::OPTIONS && request.headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD);
        let origin = request.headers.get(ORIGIN).filter(|_| asks)?;
        let mut headers = HeaderMap::new();
        if self.apply(origin, &mut headers) {
            let joined = |list: &Option<Vec<String>>| list.as_ref().map(|list| list.join(","));
            insert(&mut headers, ACCESS_CONTROL_ALLOW_METHODS, joined(&self.allow_methods));
            insert(&mut headers, ACCESS_CONTROL_ALLOW_HEADERS, joined(&self.allow_headers));
            insert(&mut headers, ACCESS_CONTROL_MAX_AGE, self.max_age.map(|seconds| seconds.to_string()));
        }
        Some(HttpAnswer { status: StatusCode::OK, headers, body: Bytes::new() })
    }

    /// Puts the headers of an answer in the place of the function's; whether `origin` may read it.
    pub(crate) fn apply(&self, origin: &HeaderValue, headers: &mut HeaderMap) -> bool {
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
        let origins = self.allow_origins.as_deref().unwrap_or_default();
        let any = origins.iter().any(|allowed| allowed == "*");
        if !any && !origins.iter().any(|allowed| allowed.as_bytes() == origin.as_bytes()) {
            return false;
        }
        let credentials = self.allow_credentials == Some(true);
        if any && !credentials {
            headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
        } else {
            headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
            headers.append(VARY, HeaderValue::from_static("Origin"));
        }
        insert(headers, ACCESS_CONTROL_ALLOW_CREDENTIALS, credentials.then(|| "true".to_owned()));
        insert(headers, ACCESS_CONTROL_EXPOSE_HEADERS, self.expose_headers.as_ref().map(|list| list.join(",")));
        true
    }
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
    fn check(cors: &Cors, origin: &'static str, expected: Option<&str>) {
        let mut headers = HeaderMap::from_iter([(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("mine"))]);
        cors.apply(&HeaderValue::from_static(origin), &mut headers);
        let allowed = headers.get(ACCESS_CONTROL_ALLOW_ORIGIN).map(|value| value.to_str().expect("text"));
        assert_eq!(allowed, expected);
    }

    #[test]
    fn origins_are_compared() {
        check(&cors(r#"{"AllowOrigins":["https://a.example"]}"#), "https://a.example", Some("https://a.example"));
        check(&cors(r#"{"AllowOrigins":["https://a.example"]}"#), "https://b.example", None);
        check(&cors(r#"{"AllowOrigins":["*"]}"#), "https://b.example", Some("*"));
        check(&cors("{}"), "https://b.example", None);
        let with_credentials = cors(r#"{"AllowOrigins":["*"],"AllowCredentials":true}"#);
        check(&with_credentials, "https://b.example", Some("https://b.example"));
    }

    #[test]
    fn refuses_what_the_model_refuses() {
        let refused = |json| cors(json).check().expect_err("it is refused").to_string();
        assert!(refused(r#"{"MaxAge":86401}"#).contains("Value '86401' at 'cors.maxAge'"));
        assert!(refused(r#"{"AllowMethods":["BREW"]}"#).contains("BREW"));
    }
}
