//! A document as a tree of located nodes. Scalars stay text until somebody asks what they are, so account ids, versions
//! and dates come through undamaged.

use serde_json::{Number, Value};

use crate::error::TemplateError;
use crate::source::Span;

/// A value and its place.
#[derive(Clone, Debug)]
pub struct Node {
    /// Where it stands.
    pub span: Span,
    /// What it is.
    pub kind: Kind,
}

/// What a node is.
#[derive(Clone, Debug)]
pub enum Kind {
    /// A scalar.
    Scalar(Scalar),
    /// A list.
    List(Vec<Node>),
    /// A map.
    Map(Map),
}

/// A scalar as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scalar {
    /// Its text, without quotes and escapes.
    pub text: String,
    /// Whether it was written without quotes, so that it may be a number, a truth value or null.
    pub plain: bool,
}

/// A map in the order in which it was written. Small: it is searched from the front.
#[derive(Clone, Debug, Default)]
pub struct Map {
    entries: Vec<Entry>,
}

/// One entry of a map.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Its key.
    pub key: String,
    /// Where the key stands.
    pub key_span: Span,
    /// Its value.
    pub value: Node,
}

impl Node {
    /// A text that was not written where it stands.
    pub fn string(span: &Span, text: impl Into<String>) -> Self {
        Self { span: span.clone(), kind: Kind::Scalar(Scalar { text: text.into(), plain: false }) }
    }

    /// A scalar without quotes: a number, a truth value or null.
    pub fn plain(span: &Span, text: impl Into<String>) -> Self {
        Self { span: span.clone(), kind: Kind::Scalar(Scalar { text: text.into(), plain: true }) }
    }

    /// A list.
    pub fn list(span: &Span, items: Vec<Self>) -> Self {
        Self { span: span.clone(), kind: Kind::List(items) }
    }

    /// A map whose keys stand where the map does.
    pub fn map<'k>(span: &Span, entries: impl IntoIterator<Item = (&'k str, Self)>) -> Self {
        let mut map = Map::default();
        for (key, value) in entries {
            map.insert(key, span, value);
        }
        Self { span: span.clone(), kind: Kind::Map(map) }
    }

    /// Any JSON, all of it at one place.
    pub fn from_json(span: &Span, value: &Value) -> Self {
        match value {
            Value::Null => Self::plain(span, "null"),
            Value::Bool(value) => Self::plain(span, value.to_string()),
            Value::Number(number) => Self::plain(span, number.to_string()),
            Value::String(text) => Self::string(span, text),
            Value::Array(items) => Self::list(span, items.iter().map(|item| Self::from_json(span, item)).collect()),
            Value::Object(members) => {
                Self::map(span, members.iter().map(|(key, value)| (key.as_str(), Self::from_json(span, value))))
            }
        }
    }

    /// The map, if it is one.
    pub fn as_map(&self) -> Option<&Map> {
        if let Kind::Map(map) = &self.kind { Some(map) } else { None }
    }

    /// The map, to be changed, if it is one.
    pub fn as_map_mut(&mut self) -> Option<&mut Map> {
        if let Kind::Map(map) = &mut self.kind { Some(map) } else { None }
    }

    /// The items, if it is a list.
    pub fn as_list(&self) -> Option<&[Self]> {
        if let Kind::List(items) = &self.kind { Some(items) } else { None }
    }

    /// The scalar, if it is one.
    pub fn as_scalar(&self) -> Option<&Scalar> {
        if let Kind::Scalar(scalar) = &self.kind { Some(scalar) } else { None }
    }

    /// The text of a scalar but null, whatever it looks like.
    pub fn as_str(&self) -> Option<&str> {
        self.as_scalar().filter(|scalar| !scalar.is_null()).map(|scalar| scalar.text.as_str())
    }

    /// A truth value, also one in quotes, as CloudFormation takes it.
    pub fn as_bool(&self) -> Option<bool> {
        self.as_scalar().and_then(Scalar::as_bool)
    }

    /// Whether it is null.
    pub fn is_null(&self) -> bool {
        self.as_scalar().is_some_and(Scalar::is_null)
    }

    /// The member of a map.
    pub fn get(&self, key: &str) -> Option<&Self> {
        self.as_map()?.get(key)
    }

    /// The node at the end of a path of members.
    pub fn at(&self, path: &[&str]) -> Option<&Self> {
        path.iter().try_fold(self, |node, key| node.get(key))
    }

    /// The map, or a mistake that says what `what` should be.
    pub fn expect_map(&self, what: &str) -> Result<&Map, TemplateError> {
        self.as_map().ok_or_else(|| self.unexpected(what, "a map"))
    }

    /// The items, or a mistake.
    pub fn expect_list(&self, what: &str) -> Result<&[Self], TemplateError> {
        self.as_list().ok_or_else(|| self.unexpected(what, "a list"))
    }

    /// The text, or a mistake.
    pub fn expect_str(&self, what: &str) -> Result<&str, TemplateError> {
        self.as_str().ok_or_else(|| self.unexpected(what, "a text"))
    }

    /// "… must be …, not …".
    pub fn unexpected(&self, what: &str, expected: &str) -> TemplateError {
        let found = match &self.kind {
            Kind::Scalar(scalar) if scalar.is_null() => "nothing",
            Kind::Scalar(_) => "a text",
            Kind::List(_) => "a list",
            Kind::Map(_) => "a map",
        };
        TemplateError::new(&self.span, format!("{what} must be {expected}, not {found}"))
    }

    /// If it is an intrinsic function or a `Condition` (a map with that one member): its name and its argument.
    pub fn as_intrinsic(&self) -> Option<(&str, &Self)> {
        let [entry] = self.as_map()?.entries() else { return None };
        let named = entry.key == "Ref" || entry.key == "Condition" || entry.key.starts_with("Fn::");
        named.then_some((entry.key.as_str(), &entry.value))
    }

    /// As JSON: plain scalars become numbers, truth values and null where they are written so.
    pub fn to_json(&self) -> Value {
        match &self.kind {
            Kind::Scalar(scalar) => scalar.to_json(),
            Kind::List(items) => items.iter().map(Self::to_json).collect(),
            Kind::Map(map) => {
                Value::Object(map.entries.iter().map(|entry| (entry.key.clone(), entry.value.to_json())).collect())
            }
        }
    }
}

impl Scalar {
    /// Whether it is null.
    pub fn is_null(&self) -> bool {
        self.plain && matches!(self.text.as_str(), "" | "~" | "null" | "Null" | "NULL")
    }

    /// A truth value. `yes` and `on` are ones in CloudFormation alone: [`load_template`](crate::load_template) sees to it.
    pub fn as_bool(&self) -> Option<bool> {
        match self.text.as_str() {
            "true" | "True" | "TRUE" => Some(true),
            "false" | "False" | "FALSE" => Some(false),
            _ => None,
        }
    }

    fn to_json(&self) -> Value {
        if !self.plain {
            return Value::String(self.text.clone());
        }
        if self.is_null() {
            return Value::Null;
        }
        if let Some(value) = self.as_bool() {
            return Value::Bool(value);
        }
        self.as_number().map_or_else(|| Value::String(self.text.clone()), Value::Number)
    }

    /// A number as JSON would write it. `012`, `1_000` and `.5` are texts, and so is what a double cannot hold exactly.
    fn as_number(&self) -> Option<Number> {
        let digits = self.text.strip_prefix('-').unwrap_or(&self.text);
        let leading_zero = digits.len() > 1 && digits.starts_with('0') && !digits.starts_with("0.");
        if !digits.starts_with(|c: char| c.is_ascii_digit()) || leading_zero {
            return None;
        }
        self.text
            .parse()
            .ok()
            .filter(|number: &Number| number.is_i64() || number.is_u64() || self.text.contains(['.', 'e', 'E']))
    }
}

impl Map {
    /// Its entries, in order.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Entries whose keys differ, which is not checked.
    pub(crate) fn from_entries(entries: Vec<Entry>) -> Self {
        Self { entries }
    }

    /// Its entries, in order, to be changed.
    pub fn entries_mut(&mut self) -> &mut Vec<Entry> {
        &mut self.entries
    }

    /// Its entries, in order, taken out.
    pub fn into_entries(self) -> Vec<Entry> {
        self.entries
    }

    /// Keys and values, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Node)> {
        self.entries.iter().map(|entry| (entry.key.as_str(), &entry.value))
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// A member.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.entry(key).map(|entry| &entry.value)
    }

    /// A member with its key's place.
    pub fn entry(&self, key: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.key == key)
    }

    /// A member, to be changed.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut Node> {
        self.entries.iter_mut().find(|entry| entry.key == key).map(|entry| &mut entry.value)
    }

    /// Sets a member; a new one goes to the end.
    pub fn insert(&mut self, key: impl Into<String>, key_span: &Span, value: Node) {
        let key = key.into();
        match self.entries.iter_mut().find(|entry| entry.key == key) {
            Some(entry) => entry.value = value,
            None => self.entries.push(Entry { key, key_span: key_span.clone(), value }),
        }
    }

    /// Adds a member that is not there yet, which is not checked.
    pub(crate) fn push(&mut self, key: &str, key_span: &Span, value: Node) {
        self.entries.push(Entry { key: key.to_owned(), key_span: key_span.clone(), value });
    }

    /// Takes a member out.
    pub fn remove(&mut self, key: &str) -> Option<Node> {
        let at = self.entries.iter().position(|entry| entry.key == key)?;
        Some(self.entries.remove(at).value)
    }
}
