//! The form of a type's properties: what is honoured, what it must be, and what a change of it means.
//!
//! In a template everything may be text: `Timeout: "5"` is a number, `Enabled: "true"` a truth value, and a variable
//! `PORT: 8080` a text. The operations want JSON of the right type, as `CloudFormation` gives it to them.

use serde_json::{Map, Number, Value};
use template::{Kind, Node, TemplateError, Warning};

/// What a property is.
#[derive(Clone, Copy, Debug)]
pub enum Shape {
    Text,
    Number,
    Truth,
    /// JSON that the operation takes as one text: a policy, a pattern.
    Document,
    /// As it is written.
    Anything,
    List(&'static Shape),
    Map(&'static Shape),
    Members(&'static [Member]),
}

/// A property of a type, or a member of one.
#[derive(Clone, Copy, Debug)]
pub struct Member {
    pub name: &'static str,
    pub shape: Shape,
    pub required: bool,
    /// A change makes `CloudFormation` replace the resource.
    pub fixed: bool,
    pub effect: Effect,
}

/// What comes of setting it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// It is passed on.
    Honoured,
    /// It is passed on or left out, and means nothing on one machine: no reason to say so.
    Meaningless,
    /// It is left out, and said so.
    NotHonoured,
}

impl Member {
    const fn new(name: &'static str, shape: Shape) -> Self {
        Self { name, shape, required: false, fixed: false, effect: Effect::Honoured }
    }

    pub const fn required(mut self) -> Self {
        self.required = true;
        self
    }

    pub const fn fixed(mut self) -> Self {
        self.fixed = true;
        self
    }
}

pub const fn text(name: &'static str) -> Member {
    Member::new(name, Shape::Text)
}

pub const fn texts(name: &'static str) -> Member {
    Member::new(name, Shape::List(&Shape::Text))
}

pub const fn number(name: &'static str) -> Member {
    Member::new(name, Shape::Number)
}

pub const fn truth(name: &'static str) -> Member {
    Member::new(name, Shape::Truth)
}

pub const fn document(name: &'static str) -> Member {
    Member::new(name, Shape::Document)
}

pub const fn anything(name: &'static str) -> Member {
    Member::new(name, Shape::Anything)
}

pub const fn text_map(name: &'static str) -> Member {
    Member::new(name, Shape::Map(&Shape::Text))
}

pub const fn members(name: &'static str, members: &'static [Member]) -> Member {
    Member::new(name, Shape::Members(members))
}

/// A list of maps.
pub const fn items(name: &'static str, shape: &'static Shape) -> Member {
    Member::new(name, Shape::List(shape))
}

/// `Tags: [{Key, Value}]`.
pub const fn tags(name: &'static str) -> Member {
    const TAG: Shape = Shape::Members(&[text("Key"), text("Value")]);
    Member::new(name, Shape::List(&TAG))
}

/// Left out without a word.
pub const fn meaningless(name: &'static str) -> Member {
    Member { effect: Effect::Meaningless, ..Member::new(name, Shape::Anything) }
}

/// Left out, and named.
pub const fn not_honoured(name: &'static str) -> Member {
    Member { effect: Effect::NotHonoured, ..Member::new(name, Shape::Anything) }
}

/// Reads properties of a type: the JSON for its operations. What is not honoured is named in `warnings`.
pub fn read(
    kind: &str,
    properties: &Node,
    members: &[Member],
    warnings: &mut Vec<Warning>,
) -> Result<Map<String, Value>, TemplateError> {
    let mut reader = Reader { kind, warnings };
    reader.members(properties, members, "Properties")
}

struct Reader<'a> {
    kind: &'a str,
    warnings: &'a mut Vec<Warning>,
}

impl Reader<'_> {
    fn members(&mut self, node: &Node, members: &[Member], what: &str) -> Result<Map<String, Value>, TemplateError> {
        let map = node.expect_map(what)?;
        let mut read = Map::new();
        for entry in map.entries() {
            let name = entry.key.as_str();
            let path = if what == "Properties" { name.to_owned() } else { format!("{what}.{name}") };
            let Some(member) = members.iter().find(|member| member.name == name) else {
                let message = format!("{} has no property {path} here: it is left out", self.kind);
                self.warnings.push(Warning::new(&entry.key_span, message));
                continue;
            };
            match member.effect {
                Effect::Honoured => {}
                Effect::Meaningless => continue,
                Effect::NotHonoured if says_nothing(&entry.value) => continue,
                Effect::NotHonoured => {
                    let message = format!("{path} of {} is not honoured: it is left out", self.kind);
                    self.warnings.push(Warning::new(&entry.key_span, message));
                    continue;
                }
            }
            if !entry.value.is_null() {
                read.insert(name.to_owned(), self.value(&entry.value, &member.shape, &path)?);
            }
        }
        if let Some(missing) = members.iter().find(|member| member.required && !read.contains_key(member.name)) {
            let path = if what == "Properties" { missing.name.to_owned() } else { format!("{what}.{}", missing.name) };
            return Err(TemplateError::new(&node.span, format!("{} needs the property {path}", self.kind)));
        }
        Ok(read)
    }

    fn value(&mut self, node: &Node, shape: &Shape, path: &str) -> Result<Value, TemplateError> {
        Ok(match shape {
            Shape::Text => Value::String(as_text(node).ok_or_else(|| node.unexpected(path, "a text"))?),
            Shape::Number => Value::Number(as_number(node).ok_or_else(|| node.unexpected(path, "a number"))?),
            Shape::Truth => Value::Bool(node.as_bool().ok_or_else(|| node.unexpected(path, "true or false"))?),
            Shape::Document => match node.as_scalar() {
                Some(_) => Value::String(node.expect_str(path)?.to_owned()),
                None => Value::String(node.to_json().to_string()),
            },
            Shape::Anything => node.to_json(),
            Shape::List(shape) => {
                let list = node.expect_list(path)?;
                let read = list.iter().enumerate().map(|(at, item)| self.value(item, shape, &format!("{path}.{at}")));
                Value::Array(read.collect::<Result<_, _>>()?)
            }
            Shape::Map(shape) => {
                let mut read = Map::new();
                for entry in node.expect_map(path)?.entries().iter().filter(|entry| !entry.value.is_null()) {
                    let path = format!("{path}.{}", entry.key);
                    read.insert(entry.key.clone(), self.value(&entry.value, shape, &path)?);
                }
                Value::Object(read)
            }
            Shape::Members(members) => Value::Object(self.members(node, members, path)?),
        })
    }
}

/// Tools write out what nobody asked for: an empty list, `false`.
fn says_nothing(node: &Node) -> bool {
    match &node.kind {
        Kind::Scalar(scalar) => scalar.is_null() || scalar.text.is_empty() || scalar.as_bool() == Some(false),
        Kind::List(items) => items.is_empty(),
        Kind::Map(map) => map.is_empty(),
    }
}

/// Properties under the names of a service that begins its members with a small letter; keys of maps stay.
pub fn in_small_letters(properties: &Map<String, Value>, members: &[Member]) -> Map<String, Value> {
    let renamed = properties.iter().filter_map(|(name, value)| {
        let member = members.iter().find(|member| member.name == name)?;
        Some((small(name), small_value(value, &member.shape)))
    });
    renamed.collect()
}

fn small_value(value: &Value, shape: &Shape) -> Value {
    match (value, shape) {
        (Value::Object(properties), Shape::Members(members)) => Value::Object(in_small_letters(properties, members)),
        (Value::Array(items), Shape::List(shape)) => items.iter().map(|item| small_value(item, shape)).collect(),
        _ => value.clone(),
    }
}

/// `ApiId` is `apiId`, `TtlInSeconds` `ttlInSeconds`.
fn small(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map(|first| first.to_ascii_lowercase()).into_iter().chain(letters).collect()
}

/// Numbers come as they are written, truth values in lower case, as `CloudFormation` makes texts of them.
fn as_text(node: &Node) -> Option<String> {
    let scalar = node.as_scalar().filter(|scalar| !scalar.is_null())?;
    match scalar.as_bool().filter(|_| scalar.plain) {
        Some(truth) => Some(truth.to_string()),
        None => Some(scalar.text.clone()),
    }
}

fn as_number(node: &Node) -> Option<Number> {
    let text = node.as_str()?.trim();
    let whole = text.parse::<i64>().ok().map(Number::from);
    whole.or_else(|| Number::from_f64(text.parse::<f64>().ok()?))
}

#[cfg(test)]
mod tests {
    use template::{Source, load};

    use super::*;

    const MEMBERS: &[Member] = &[
        text("Name").required(),
        number("Timeout"),
        truth("Enabled"),
        document("Pattern"),
        text_map("Variables"),
        items("Keys", &Shape::Members(&[text("Key").required()])),
        anything("Any"),
        meaningless("Silent"),
        not_honoured("Vpc"),
    ];

    fn node(text: &str) -> Node {
        load(&Source::new("t.yaml", text)).expect("it can be read")
    }

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let read = read("AWS::X::Y", &node(text), MEMBERS, &mut Vec::new()).expect("it is right");
        assert_eq!(Value::Object(read).to_string(), expected);
    }

    #[track_caller]
    fn check_error(text: &str, expected: &str) {
        let error = read("AWS::X::Y", &node(text), MEMBERS, &mut Vec::new()).expect_err("it is wrong");
        assert_eq!(error.to_string(), expected);
    }

    #[test]
    fn scalars_become_what_the_operations_take() {
        check("Name: 012\nTimeout: '5'\nEnabled: 'true'", r#"{"Enabled":true,"Name":"012","Timeout":5}"#);
        check("Name: n\nVariables: {PORT: 8080, ON: True}", r#"{"Name":"n","Variables":{"ON":"true","PORT":"8080"}}"#);
        check("Name: n\nPattern: {source: [a], n: [1]}", r#"{"Name":"n","Pattern":"{\"n\":[1],\"source\":[\"a\"]}"}"#);
        check("Name: n\nPattern: '{}'\nAny: {a: [1]}", r#"{"Any":{"a":[1]},"Name":"n","Pattern":"{}"}"#);
        check("Name: n\nTimeout: 0.5", r#"{"Name":"n","Timeout":0.5}"#);
    }

    #[test]
    fn members_get_small_letters_and_keys_of_maps_do_not() {
        let read = read("AWS::X::Y", &node("Name: n\nKeys: [{Key: a}]\nVariables: {Ab: c}"), MEMBERS, &mut Vec::new());
        let small = in_small_letters(&read.expect("it is right"), MEMBERS);
        assert_eq!(Value::Object(small).to_string(), r#"{"keys":[{"key":"a"}],"name":"n","variables":{"Ab":"c"}}"#);
    }

    #[test]
    fn mistakes_have_a_place() {
        check_error("Timeout: 1", "t.yaml:1:1: AWS::X::Y needs the property Name");
        check_error("Name: n\nTimeout: soon", "t.yaml:2:10: Timeout must be a number, not a text");
        check_error("Name: n\nKeys: [{}]", "t.yaml:2:8: AWS::X::Y needs the property Keys.0.Key");
        check_error("Name: [n]", "t.yaml:1:7: Name must be a text, not a list");
    }

    #[test]
    fn what_is_left_out_is_named_once() {
        let mut warnings = Vec::new();
        let node = node("Name: n\nVpc: {a: b}\nNmae: x\nSilent: 1\nKeys: [{Key: a, Other: b}]");
        let read = read("AWS::X::Y", &node, MEMBERS, &mut warnings).expect("it is right");
        assert_eq!(Value::Object(read).to_string(), r#"{"Keys":[{"Key":"a"}],"Name":"n"}"#);
        let said: Vec<_> = warnings.iter().map(|warning| format!("{} {}", warning.span, warning.message)).collect();
        assert_eq!(
            said,
            [
                "t.yaml:2:1 Vpc of AWS::X::Y is not honoured: it is left out",
                "t.yaml:3:1 AWS::X::Y has no property Nmae here: it is left out",
                "t.yaml:5:17 AWS::X::Y has no property Keys.0.Other here: it is left out",
            ]
        );
    }
}
