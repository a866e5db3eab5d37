//! What stands in front of the function: paths lose what belongs to it, and answers get what every answer has.

use axum::body::Body;
use axum::response::IntoResponse as _;
use http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use http::uri::PathAndQuery;
use http::{HeaderValue, Method, Request, Response, StatusCode, Uri};
use lambda_http::RequestExt as _;
use lambda_http::request::RequestContext;

use super::problem::{Kind, Problem};

/// What stood before the API's own part of the path, for links back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Prefix(pub String);

/// The X-Ray header of the request.
#[derive(Clone, Debug)]
pub(crate) struct Trace(pub Option<String>);

/// The request as the routes know it, and what to call its route in the log.
pub(crate) fn inward(request: lambda_http::Request, base_path: &str) -> (Request<Vec<u8>>, &'static str) {
    let stage = match request.request_context_ref() {
        Some(RequestContext::ApiGatewayV2(context)) => context.stage.clone().unwrap_or_default(),
        _ => String::new(),
    };
    // The library puts the stage there where a domain of one's own has taken it away.
    let has_stage = request.raw_http_path().is_empty() || request.raw_http_path().starts_with(&format!("/{stage}"));
    let trace = request.lambda_context_ref().and_then(|context| context.xray_trace_id.clone());
    let (mut parts, body) = request.into_parts();
    let (prefix, path) = split(parts.uri.path(), &stage, base_path);
    let prefix = if has_stage { prefix } else { prefix.strip_prefix(&format!("/{stage}")).unwrap_or(prefix) };
    let (prefix, path) = (prefix.to_owned(), path.to_owned());
    let query = parts.uri.query().map(|query| format!("?{query}")).unwrap_or_default();
    // It was a path before, and its end is one again.
    if let Ok(rest) = PathAndQuery::try_from(format!("{path}{query}")) {
        parts.uri = Uri::from(rest);
    }
    parts.extensions.insert(Prefix(prefix));
    parts.extensions.insert(Trace(trace));
    (Request::from_parts(parts, body.to_vec()), route(&path))
}

/// The part of a path that is the front's, and the rest. A stage is part of the path in API Gateway's events, unless it
/// is `$default`.
fn split<'a>(path: &'a str, stage: &str, base_path: &str) -> (&'a str, &'a str) {
    let stage = if stage.is_empty() || stage == "$default" { String::new() } else { format!("/{stage}") };
    let rest = without(without(path, &stage), base_path);
    let rest = if rest.is_empty() { "/" } else { rest };
    (path.strip_suffix(rest).unwrap_or(path), rest)
}

/// A path without its first segments, if those are they.
fn without<'a>(path: &'a str, segments: &str) -> &'a str {
    match path.strip_prefix(segments) {
        Some(rest) if rest.is_empty() || rest.starts_with('/') => rest,
        _ => path,
    }
}

/// Paths are the caller's words, and stay out of the log.
fn route(path: &str) -> &'static str {
    match path {
        "/me" => "/me",
        "/openapi.json" => "/openapi.json",
        path if path.starts_with("/profiles/") => "/profiles/{id}",
        _ => "none",
    }
}

/// The answer as it leaves: every failure is a problem document, and nothing is kept by anybody on the way.
pub(crate) fn outward(response: Response<Body>, method: &Method) -> Response<Body> {
    // What the router says by itself has no body.
    let mut response = if response.status() == StatusCode::METHOD_NOT_ALLOWED {
        let mut problem = Problem::new(Kind::MethodNotAllowed).into_response();
        if let Some(allow) = response.headers().get(ALLOW) {
            problem.headers_mut().insert(ALLOW, allow.clone());
        }
        problem
    } else {
        response
    };
    if method == Method::HEAD {
        *response.body_mut() = Body::empty();
    }
    let headers = response.headers_mut();
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    if headers.contains_key(CONTENT_TYPE) {
        headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(path: &str, stage: &str, base_path: &str, expected: (&str, &str)) {
        assert_eq!(split(path, stage, base_path), expected);
    }

    #[test]
    fn a_function_url_has_nothing_before_the_path() {
        check("/me", "$default", "", ("", "/me"));
        check("/", "$default", "", ("", "/"));
    }

    #[test]
    fn a_stage_is_the_fronts() {
        check("/prod/me", "prod", "", ("/prod", "/me"));
        check("/prod", "prod", "", ("/prod", "/"));
        check("/production/me", "prod", "", ("", "/production/me"));
    }

    #[test]
    fn a_mapping_of_a_domain_is_the_fronts() {
        check("/prod/v1/me", "prod", "/v1", ("/prod/v1", "/me"));
        check("/v1/me", "$default", "/v1", ("/v1", "/me"));
        check("/me", "$default", "/v1", ("", "/me"));
    }

    #[test]
    fn the_log_has_no_words_of_the_callers() {
        assert_eq!((route("/profiles/ada"), route("/ada@example.com")), ("/profiles/{id}", "none"));
    }
}
