//! A request, taken apart, and an answer: what `server` and this room hand each other. No HTTP is spoken here.

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use world::Timestamp;

/// Of a request's body: 10 MB, as AWS documents for both kinds of API.
pub const BODY_BYTES_MAX: usize = 10 * 1024 * 1024;

/// A request to an API.
#[derive(Clone, Debug)]
pub struct HttpRequest {
    /// `GET`, `POST`, …
    pub method: Method,
    /// Without the question mark; empty if there is none.
    pub raw_query: String,
    /// All of them.
    pub headers: HeaderMap,
    /// All of it.
    pub body: Bytes,
    /// Of the caller.
    pub source_ip: String,
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

impl HttpAnswer {
    /// A body of JSON.
    pub(crate) fn json(status: StatusCode, body: impl Into<Bytes>) -> Self {
        let headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static("application/json"))]);
        Self { status, headers, body: body.into() }
    }

    /// With a header; one whose value no header can carry is left out.
    pub(crate) fn header(mut self, name: &'static str, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.insert(name, value);
        }
        self
    }
}

/// The id of the API that a request for `host` (the header) or `path` is for, and the path under it.
pub fn api_id<'a>(host: &'a str, path: &'a str) -> Option<(&'a str, &'a str)> {
    if let Some((id, rest)) = host.split_once('.')
        && rest.starts_with("execute-api.")
    {
        return Some((id, path));
    }
    let rest = path.strip_prefix("/_tandem/apis/")?;
    Some(rest.find('/').map_or((rest, "/"), |slash| rest.split_at(slash)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_api_is_found_by_host_and_by_path() {
        let by_host = api_id("abc.execute-api.us-east-1.localhost:4566", "/dev/x");
        assert_eq!(by_host, Some(("abc", "/dev/x")));
        assert_eq!(api_id("abc.execute-api.us-east-1.amazonaws.com", "/"), Some(("abc", "/")));
        assert_eq!(api_id("localhost:4566", "/_tandem/apis/abc/dev/x"), Some(("abc", "/dev/x")));
        assert_eq!(api_id("localhost:4566", "/_tandem/apis/abc"), Some(("abc", "/")));
        assert_eq!(api_id("localhost:4566", "/v2/apis/abc"), None);
    }
}
