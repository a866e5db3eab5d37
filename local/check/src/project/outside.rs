//! What other resources give, before there are any: marks that say which resource is meant.

use serde_json::Value;
use template::Outside;

const START: char = '\u{e000}';
const MIDDLE: char = '\u{e001}';
const END: char = '\u{e002}';

/// Answers with marks.
pub struct Marked;

impl Outside for Marked {
    fn reference(&self, logical_id: &str) -> Option<Value> {
        Some(mark(logical_id, "").into())
    }

    /// An ARN gets the form of one, so that it can be taken apart.
    fn attribute(&self, logical_id: &str, attribute: &str) -> Option<Value> {
        let mark = mark(logical_id, attribute);
        let is_arn = attribute.ends_with("Arn");
        Some(if is_arn { format!("arn:aws:any:us-east-1:000000000000:{mark}").into() } else { mark.into() })
    }

    fn import(&self, export: &str) -> Option<String> {
        Some(unknown(&format!("import {export}")))
    }

    fn parameter(&self, name: &str) -> Option<String> {
        Some(unknown(&format!("ssm {name}")))
    }

    fn secret(&self, id: &str) -> Option<String> {
        Some(unknown(&format!("secret {id}")))
    }
}

/// A value that is not known, and what it is.
pub fn unknown(what: &str) -> String {
    mark("", what)
}

/// How a text has what another resource will be called, or an attribute of it.
pub fn mark(logical_id: &str, attribute: &str) -> String {
    format!("{START}{logical_id}{MIDDLE}{attribute}{END}")
}

/// The resources that a text refers to, with the attributes.
pub fn marks(text: &str) -> impl Iterator<Item = (&str, &str)> {
    text.split(START)
        .skip(1)
        .filter_map(|part| part.split_once(END)?.0.split_once(MIDDLE))
        .filter(|(id, _)| !id.is_empty())
}

/// Whether a text is partly unknown: of another resource, stack or store.
pub fn is_marked(text: &str) -> bool {
    text.contains(START)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_found_again() {
        let text = format!("a{}b{}", mark("A", ""), mark("B", "Arn"));
        assert_eq!(marks(&text).collect::<Vec<_>>(), [("A", ""), ("B", "Arn")]);
        assert_eq!(marks(&unknown("import x")).count(), 0);
    }
}
