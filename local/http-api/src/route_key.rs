//! `GET /users/{id}`: what a route matches, and which of several routes is the one.
//!
//! HTTP APIs: a route without a greedy variable goes before one with, and both before `$default`; of two that are left,
//! the one whose earlier segments are literal. REST APIs look for the path first and for the method then.
//! Source: <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-routes.html>.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fmt;

use aws_api::percent_decode;
use serde::{Deserialize, Serialize};

const METHODS: [&str; 8] = ["ANY", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"];
/// The route that takes what no other does.
pub const DEFAULT: &str = "$default";

/// Values of `{names}` in a path, decoded.
pub type Parameters = BTreeMap<String, String>;

/// What a route matches.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum RouteKey {
    /// `$default`
    Default,
    /// A method (`ANY` for all) and a path.
    Path {
        /// In capitals.
        method: String,
        /// With `{names}` and perhaps a `{greedy+}` one at the end.
        path: String,
    },
}

/// How well a path fits; less is better.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Fit {
    Literal,
    Variable,
    Greedy,
}

impl RouteKey {
    /// Reads a key; none if it is not formatted as one.
    pub fn parse(text: &str) -> Option<Self> {
        if text == DEFAULT {
            return Some(Self::Default);
        }
        let (method, path) = text.split_once(' ')?;
        let is_one = METHODS.contains(&method) && is_path(path);
        is_one.then(|| Self::Path { method: method.to_owned(), path: path.to_owned() })
    }

    /// The path, or `$default`.
    pub fn path(&self) -> &str {
        match self {
            Self::Default => DEFAULT,
            Self::Path { path, .. } => path,
        }
    }

    fn takes(&self, wanted: &str) -> bool {
        match self {
            Self::Default => true,
            Self::Path { method, .. } => method == wanted || method == "ANY",
        }
    }

    fn is_for_any_method(&self) -> bool {
        matches!(self, Self::Path { method, .. } if method == "ANY")
    }

    /// The values of its variables, if it matches a path that was split and decoded.
    fn parameters(&self, given: &[String]) -> Option<Parameters> {
        let Self::Path { path, .. } = self else { return Some(Parameters::new()) };
        let mut parameters = Parameters::new();
        let mut at = 0;
        for segment in segments(path) {
            if let Some(name) = segment.strip_prefix('{').and_then(|rest| rest.strip_suffix("+}")) {
                let rest = given.get(at..)?.join("/");
                if rest.is_empty() {
                    return None;
                }
                parameters.insert(name.to_owned(), rest);
                return Some(parameters);
            }
            let value = given.get(at)?;
            at += 1;
            match segment.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
                Some(name) if !value.is_empty() => drop(parameters.insert(name.to_owned(), value.clone())),
                None if segment == value => {}
                _ => return None,
            }
        }
        (at == given.len()).then_some(parameters)
    }

    fn fits(&self) -> impl Iterator<Item = Fit> {
        segments(self.path()).map(|segment| {
            if segment.ends_with("+}") {
                Fit::Greedy
            } else if segment.starts_with('{') {
                Fit::Variable
            } else {
                Fit::Literal
            }
        })
    }

    fn is_greedy(&self) -> bool {
        self.fits().any(|fit| fit == Fit::Greedy)
    }

    /// Which of two keys that match the same HTTP request goes first.
    fn before(&self, other: &Self) -> Ordering {
        let rank = |key: &Self| (*key == Self::Default, key.is_greedy());
        rank(self).cmp(&rank(other)).then_with(|| self.fits().cmp(other.fits()))
    }
}

/// Which route of an HTTP API a request is for, and its parameters.
pub fn find_http<'a, T>(
    routes: impl IntoIterator<Item = (&'a RouteKey, T)>,
    method: &str,
    path: &str,
) -> Option<(T, Parameters)> {
    let given = decoded(path);
    let matching = routes.into_iter().filter(|(key, _)| key.takes(method));
    let matching = matching.filter_map(|(key, route)| Some((key, route, key.parameters(&given)?)));
    let best = matching.min_by(|(one, ..), (other, ..)| {
        one.before(other).then_with(|| one.is_for_any_method().cmp(&other.is_for_any_method()))
    });
    best.map(|(_, route, parameters)| (route, parameters))
}

/// Which method of which resource of a REST API a request is for, and its parameters. A resource that matches and has
/// no such method lets no other have it.
pub fn find_rest<'a, T>(
    routes: impl IntoIterator<Item = (&'a RouteKey, T)>,
    method: &str,
    path: &str,
) -> Option<(T, Parameters)> {
    let path = path.strip_suffix('/').filter(|path| !path.is_empty()).unwrap_or(path);
    let given = decoded(path);
    let matching = routes.into_iter().filter_map(|(key, route)| Some((key, route, key.parameters(&given)?)));
    let mut matching: Vec<_> = matching.collect();
    matching.sort_by(|(one, ..), (other, ..)| {
        let by_path = one.fits().cmp(other.fits());
        by_path.then_with(|| one.is_for_any_method().cmp(&other.is_for_any_method()))
    });
    let best = matching.first()?.0.path().to_owned();
    let mut of_best = matching.into_iter().filter(|(key, ..)| key.path() == best);
    of_best.find(|(key, ..)| key.takes(method)).map(|(_, route, parameters)| (route, parameters))
}

fn segments(path: &str) -> impl Iterator<Item = &str> {
    path.strip_prefix('/').unwrap_or(path).split('/')
}

fn decoded(path: &str) -> Vec<String> {
    segments(path).map(|segment| percent_decode(segment, false)).collect()
}

/// Whether it is a path of a route: braces only around whole segments, a greedy one at the end alone.
pub fn is_path(path: &str) -> bool {
    let Some(rest) = path.strip_prefix('/') else { return false };
    let count = segments(path).count();
    let fits = |(at, segment): (usize, &str)| {
        let name = segment.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
        match name {
            Some(name) => {
                let greedy = name.strip_suffix('+');
                let letters = greedy.unwrap_or(name);
                let of_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | ':');
                !letters.is_empty() && letters.chars().all(of_name) && (greedy.is_none() || at + 1 == count)
            }
            None => !segment.contains(['{', '}', ' ']) && (!segment.is_empty() || rest.is_empty() || at + 1 == count),
        }
    };
    segments(path).enumerate().all(fits)
}

impl fmt::Display for RouteKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str(DEFAULT),
            Self::Path { method, path } => write!(f, "{method} {path}"),
        }
    }
}

impl From<RouteKey> for String {
    fn from(key: RouteKey) -> Self {
        key.to_string()
    }
}

impl TryFrom<String> for RouteKey {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Self::parse(&text).ok_or_else(|| {
            "The provided route key is not formatted properly for HTTP protocol. Format should be \"<HTTP METHOD> \
             /<RESOURCE PATH>\" or \"$default\""
                .to_owned()
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// AWS's own example, and some more.
    const ROUTES: [&str; 9] = [
        "$default",
        "ANY /{proxy+}",
        "GET /pets/{proxy+}",
        "GET /pets/dog/{id}",
        "GET /pets/dog/1",
        "ANY /pets/dog/1",
        "GET /a/{x}/c",
        "GET /a/b/{rest+}",
        "GET /",
    ];

    fn keys(texts: &[&str]) -> Vec<RouteKey> {
        texts.iter().map(|text| RouteKey::parse(text).expect("a key")).collect()
    }

    #[track_caller]
    fn check(method: &str, path: &str, expected: &str, parameters: &[(&str, &str)]) {
        let keys = keys(&ROUTES);
        let (found, values) = find_http(keys.iter().map(|key| (key, key)), method, path).expect("a route");
        let parameters = parameters.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        assert_eq!((found.to_string(), values), (expected.to_owned(), parameters), "{method} {path}");
    }

    #[test]
    fn the_most_specific_route_is_the_one() {
        check("GET", "/pets/dog/1", "GET /pets/dog/1", &[]);
        check("POST", "/pets/dog/1", "ANY /pets/dog/1", &[]);
        check("GET", "/pets/dog/2", "GET /pets/dog/{id}", &[("id", "2")]);
        check("GET", "/pets/cat/1", "GET /pets/{proxy+}", &[("proxy", "cat/1")]);
        check("POST", "/test/5", "ANY /{proxy+}", &[("proxy", "test/5")]);
        check("POST", "/", "$default", &[]);
        check("GET", "/a/b/c", "GET /a/{x}/c", &[("x", "b")]);
        check("GET", "/", "GET /", &[]);
    }

    #[test]
    fn segments_are_decoded_and_never_empty() {
        check("GET", "/pets/dog/J%C3%B6rg%20", "GET /pets/dog/{id}", &[("id", "Jörg ")]);
        check("GET", "/pets/dog/", "GET /pets/{proxy+}", &[("proxy", "dog/")]);
        let keys = keys(&["GET /pets", "GET /pets/{proxy+}"]);
        let found = |path| find_http(keys.iter().map(|key| (key, key)), "GET", path).map(|(key, _)| key.to_string());
        assert_eq!((found("/pets").as_deref(), found("/pets/"), found("/Pets")), (Some("GET /pets"), None, None));
    }

    #[track_caller]
    fn check_rest(method: &str, path: &str, expected: Option<&str>) {
        let keys = keys(&["GET /pets", "ANY /pets/{id}", "GET /pets/{id}", "ANY /{proxy+}", "GET /"]);
        let found = find_rest(keys.iter().map(|key| (key, key)), method, path).map(|(key, _)| key.to_string());
        assert_eq!(found.as_deref(), expected, "{method} {path}");
    }

    #[test]
    fn a_rest_api_looks_for_the_path_first() {
        check_rest("GET", "/pets", Some("GET /pets"));
        check_rest("GET", "/pets/", Some("GET /pets"));
        check_rest("POST", "/pets", None);
        check_rest("GET", "/pets/1", Some("GET /pets/{id}"));
        check_rest("DELETE", "/pets/1", Some("ANY /pets/{id}"));
        check_rest("DELETE", "/x/y", Some("ANY /{proxy+}"));
        check_rest("GET", "/", Some("GET /"));
        check_rest("POST", "/", None);
    }

    #[test]
    fn what_is_no_key_is_refused() {
        for text in ["", "GET", "GET pets", "get /pets", "GET /{a+}/b", "GET /x{a}", "GET //a", "BREW /pot", "GET /{}"]
        {
            assert_eq!(RouteKey::parse(text), None, "{text}");
        }
        for text in ["GET /pets/", "ANY /{proxy+}", "$default", "PATCH /a/{b.c}/d"] {
            assert_eq!(RouteKey::parse(text).expect("a key").to_string(), text);
        }
    }

    proptest! {
        #[test]
        fn a_greedy_route_takes_every_path_and_gives_it_back(path in "[a-z/]{1,20}") {
            let keys = keys(&["ANY /{proxy+}"]);
            let found = find_http(keys.iter().map(|key| (key, ())), "GET", &format!("/{path}"));
            prop_assert_eq!(found.map(|((), parameters)| parameters["proxy"].clone()), Some(path));
        }
    }
}
