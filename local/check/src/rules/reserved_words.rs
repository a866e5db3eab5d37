//! Names in expressions that DynamoDB keeps for itself.

use template::Kind;

use super::words::is_reserved;
use crate::code::Code;
use crate::finding::{Check, Mark, Rule, Severity};
use crate::project::{Project, walk};

pub const RESERVED_WORD: Rule = Rule {
    id: "reserved-word",
    severity: Severity::Error,
    reason: "DynamoDB refuses expressions that name an attribute by one of its 573 reserved words",
    check: Check::Project(reserved_word),
};

const EXPRESSIONS: &[&str] =
    &["KeyConditionExpression", "FilterExpression", "UpdateExpression", "ProjectionExpression", "ConditionExpression"];
const BUILDERS: &[&str] = &[
    "key_condition_expression",
    "filter_expression",
    "update_expression",
    "projection_expression",
    "condition_expression",
];
/// What the language of expressions means itself.
const KEYWORDS: &[&str] = &["SET", "REMOVE", "ADD", "DELETE", "AND", "OR", "NOT", "IN", "BETWEEN"];

fn reserved_word(project: &Project) -> Vec<Mark> {
    let mut marks = Vec::new();
    for code in project.handlers().iter().flat_map(|handler| &handler.codes) {
        for (name, text) in code.all().filter_map(|token| expression(code, token)) {
            if let Some(word) = first_reserved(name, code.word(text), is_cut(code, text)) {
                marks.push(mark(&code.span_of(text), word));
            }
        }
    }
    for resource in project.all() {
        walk(&resource.properties, &mut |node| {
            let Kind::Map(map) = &node.kind else { return };
            for entry in map.entries().iter().filter(|entry| EXPRESSIONS.contains(&entry.key.as_str())) {
                let text = entry.value.as_str().unwrap_or_default();
                if let Some(word) = first_reserved(&entry.key, text, false) {
                    marks.push(mark(&entry.value.span, word));
                }
            }
        });
    }
    marks
}

fn mark(span: &template::Span, word: &str) -> Mark {
    let message = format!("{word} is a reserved word: DynamoDB answers \"Attribute name is a reserved keyword\"");
    Mark::at(span, message).help(format!("write #{word} and say ExpressionAttributeNames: {{'#{word}': '{word}'}}"))
}

/// The name and the literal of an expression that begins at a token: `UpdateExpression: '…'`, `.update_expression("…")`.
fn expression(code: &Code, token: usize) -> Option<(&str, usize)> {
    let name = code.word(token);
    let is_member = EXPRESSIONS.contains(&name) && (code.is_mark(token + 1, ":") || code.is_mark(token + 1, "="));
    let is_builder = BUILDERS.contains(&name) && code.is_mark(token + 1, "(");
    // {'UpdateExpression': '…'}
    ((is_member || is_builder) && code.is_text(token + 2)).then_some((name, token + 2))
}

/// Whether a literal goes on in an expression, so that its last word may be half of one.
fn is_cut(code: &Code, text: usize) -> bool {
    code.is_mark(text + 1, "${")
}

/// The first reserved word that stands in an expression as a name.
fn first_reserved<'t>(expression: &str, text: &'t str, is_cut: bool) -> Option<&'t str> {
    let is_list = expression.starts_with("Projection") || expression.starts_with("projection");
    let mut at = 0;
    while at < text.len() {
        let rest = &text[at..];
        let first = rest.chars().next()?;
        let is_name = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-');
        if !first.is_alphabetic() && first != '_' {
            // Placeholders and numbers are passed over whole.
            let length = first.len_utf8();
            let is_placeholder = matches!(first, '#' | ':') || first.is_ascii_digit();
            let whole = rest[length..].find(|c| !is_name(c)).unwrap_or(rest.len() - length);
            at += length + if is_placeholder { whole } else { 0 };
            continue;
        }
        let length = rest.find(|c| !is_name(c)).unwrap_or(rest.len());
        let (word, behind) = rest.split_at(length);
        at += length;
        let is_function = behind.trim_start().starts_with('(');
        let is_keyword = !is_list && KEYWORDS.iter().any(|keyword| keyword.eq_ignore_ascii_case(word));
        let is_half = is_cut && behind.is_empty();
        if is_reserved(word) && !is_keyword && !is_function && !is_half {
            return Some(word);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Option<&str>) {
        assert_eq!(first_reserved("UpdateExpression", text, false), expected);
    }

    #[test]
    fn names_are_told_from_the_rest() {
        check("SET email = :e, name = :n", Some("name"));
        check("SET #name = :name ADD visits :one", None);
        check("attribute_not_exists(pk) AND size(a) > :size", None);
        check("profile.status = :s", Some("status"));
        check("profile.#status = :s", None);
        check("attribute_exists(data)", Some("data"));
        check("remove zone", Some("zone"));
        assert_eq!(first_reserved("ProjectionExpression", "pk, add", false), Some("add"));
        assert_eq!(first_reserved("UpdateExpression", "SET name", true), None);
    }
}
