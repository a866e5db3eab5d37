//! The JSON paths of `InputPath` and `InputPathsMap`: `$.detail.items[0].name`, `$.detail['a-b']`, `$.resources[*]`.

use std::borrow::Cow;

use crate::json::{Reader, Token};

/// A compiled path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JsonPath(Vec<Step>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    Member(String),
    Element(usize),
    /// Every member or element: the result is a list.
    All,
}

impl JsonPath {
    /// Reads a path; nothing if it is none.
    pub fn parse(text: &str) -> Option<Self> {
        let mut rest = text.strip_prefix('$')?;
        let mut steps = Vec::new();
        while let Some(first) = rest.chars().next() {
            let (step, length) = match first {
                '.' => {
                    let name = &rest[1..];
                    let name = &name[..name.find(['.', '[']).unwrap_or(name.len())];
                    (if name == "*" { Step::All } else { Step::Member(name.to_owned()) }, 1 + name.len())
                }
                '[' => {
                    let quote = rest[1..].chars().next().filter(|c| matches!(c, '\'' | '"'));
                    let (inside, end) = match quote {
                        Some(quote) => {
                            let end = 2 + rest[2..].find(quote)?;
                            rest[end + 1..].starts_with(']').then_some((&rest[2..end], end + 2))?
                        }
                        None => (&rest[1..rest.find(']')?], rest.find(']')? + 1),
                    };
                    let step = match (quote, inside) {
                        (Some(_), name) => Step::Member(name.to_owned()),
                        (None, "*") => Step::All,
                        (None, index) => Step::Element(index.parse().ok()?),
                    };
                    (step, end)
                }
                _ => return None,
            };
            if step == Step::Member(String::new()) {
                return None;
            }
            steps.push(step);
            rest = &rest[length..];
        }
        Some(Self(steps))
    }

    /// What is there, as it is written; nothing if there is nothing.
    pub fn select<'a>(&self, json: &'a str) -> Option<Cow<'a, str>> {
        let mut found = vec![json];
        for step in &self.0 {
            found = found.into_iter().flat_map(|json| step.select(json)).collect();
        }
        if self.0.contains(&Step::All) {
            return Some(Cow::Owned(format!("[{}]", found.join(","))));
        }
        found.first().map(|json| Cow::Borrowed(*json))
    }
}

impl Step {
    fn select<'a>(&self, json: &'a str) -> Vec<&'a str> {
        let children = children(json).unwrap_or_default();
        match self {
            // The last of two equal names is the one that counts.
            Self::Member(name) => children
                .iter()
                .rfind(|(found, _)| found.as_deref() == Some(name.as_str()))
                .map_or_else(Vec::new, |(_, value)| vec![*value]),
            Self::Element(index) => {
                children.get(*index).filter(|(name, _)| name.is_none()).map_or_else(Vec::new, |(_, value)| vec![*value])
            }
            Self::All => children.into_iter().map(|(_, value)| value).collect(),
        }
    }
}

/// The members of an object with their names, or the elements of an array without.
pub type Children<'a> = Vec<(Option<Cow<'a, str>>, &'a str)>;

/// What an object or array holds, as it is written.
pub fn children(json: &str) -> Option<Children<'_>> {
    let mut reader = Reader::new(json);
    let mut children = Vec::new();
    reader.next().ok()??;
    loop {
        let token = reader.next().ok()??;
        let (name, token) = match token {
            Token::ObjectEnd | Token::ArrayEnd => return Some(children),
            Token::Name => (Some(reader.name()), reader.next().ok()??),
            token => (None, token),
        };
        children.push((name, reader.skip_value(token).ok()?));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVENT: &str = r#"{"detail":{"a-b":"x","n":1.0,"list":[{"id":1},{"id":2}],"null":null},"resources":["r"]}"#;

    #[track_caller]
    fn check(path: &str, expected: Option<&str>) {
        let path = JsonPath::parse(path).expect("a path");
        assert_eq!(path.select(EVENT).as_deref(), expected);
    }

    #[test]
    fn selects() {
        check("$", Some(EVENT));
        check("$.detail.a-b", Some("\"x\""));
        check("$.detail['a-b']", Some("\"x\""));
        check("$[\"detail\"].n", Some("1.0"));
        check("$.detail.list[1].id", Some("2"));
        check("$.detail.list[*].id", Some("[1,2]"));
        check("$.detail.list[2]", None);
        check("$.detail.null", Some("null"));
        check("$.resources", Some("[\"r\"]"));
        check("$.detail.a-b.c", None);
        check("$.notexisting", None);
    }

    #[test]
    fn refuses_what_is_none() {
        for text in ["", "detail", "$detail", "$.", "$..a", "$[", "$['a", "$['a'", "$[x]", "$[-1]"] {
            assert_eq!(JsonPath::parse(text), None, "{text}");
        }
    }
}
