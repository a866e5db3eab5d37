//! Conditions of a request (RFC 9110, section 13): `If-Match` and `If-None-Match`.
//!
//! A tag that cannot be read matches nothing: whoever sends one wants to be protected by it.

use http::HeaderMap;
use http::header::{HeaderName, IF_MATCH, IF_NONE_MATCH};

use super::problem::{Kind, Problem};

/// Refuses a change if the profile, which has this tag, is not as the caller wants it.
pub(crate) fn check(headers: &HeaderMap, etag: &str) -> Result<(), Problem> {
    if headers.contains_key(IF_MATCH) && !tags(headers, IF_MATCH).any(|tag| tag == "*" || tag == etag) {
        return Err(Problem::new(Kind::Changed).detail("`If-Match` names no tag that the profile has now"));
    }
    if is_known(headers, etag) {
        return Err(Problem::new(Kind::Changed).detail("`If-None-Match` names the tag that the profile has now"));
    }
    Ok(())
}

/// Whether the caller has what has this tag: an answer to GET is 304 then.
pub(crate) fn is_known(headers: &HeaderMap, etag: &str) -> bool {
    // By the weak comparison: what has passed through a compressing proxy is the same profile.
    let weak = |tag: &str| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == etag;
    tags(headers, IF_NONE_MATCH).any(weak)
}

/// Whether a change is to depend on the profile at all.
pub(crate) fn are_there(headers: &HeaderMap) -> bool {
    headers.contains_key(IF_MATCH) || headers.contains_key(IF_NONE_MATCH)
}

/// The tags of a header, in all its lines. None of ours has a comma in it.
fn tags(headers: &HeaderMap, name: HeaderName) -> impl Iterator<Item = &str> {
    headers
        .get_all(name)
        .into_iter()
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(',').map(str::trim))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn headers(name: HeaderName, value: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(name, HeaderValue::from_static(value))])
    }

    #[track_caller]
    fn if_match(value: &'static str, passes: bool) {
        assert_eq!(check(&headers(IF_MATCH, value), "\"1\"").is_ok(), passes, "{value}");
    }

    #[test]
    fn if_match_compares_strongly() {
        if_match("\"1\"", true);
        if_match("\"0\", \"1\"", true);
        if_match("*", true);
        if_match("\"2\"", false);
        if_match("W/\"1\"", false);
        if_match("1", false);
        if_match("", false);
    }

    #[test]
    fn if_none_match_compares_weakly() {
        for value in ["\"1\"", "W/\"1\"", "\"0\" , W/\"1\"", "*"] {
            assert!(is_known(&headers(IF_NONE_MATCH, value), "\"1\""), "{value}");
            assert!(check(&headers(IF_NONE_MATCH, value), "\"1\"").is_err(), "{value}");
        }
        assert!(!is_known(&headers(IF_NONE_MATCH, "\"2\""), "\"1\""));
    }

    #[test]
    fn without_a_condition_everything_passes() {
        assert_eq!(check(&HeaderMap::new(), "\"1\""), Ok(()));
    }
}
