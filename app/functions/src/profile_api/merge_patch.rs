//! JSON merge patches (RFC 7396) of the application's attributes.

use std::collections::BTreeMap;

use http::HeaderMap;
use http::header::CONTENT_TYPE;
use serde_json::{Map, Value};
use tandem_profiles::{Attributes, Changes, Error, OWNED_ATTRIBUTES};

use super::limits;
use super::problem::{Fault, Kind, Problem};

/// What a patch says it is.
pub(crate) const MEDIA_TYPE: &str = "application/merge-patch+json";

/// A patch whose names are all the application's.
pub(crate) struct MergePatch(Map<String, Value>);

impl MergePatch {
    /// Reads a body.
    pub(crate) fn read(headers: &HeaderMap, body: &[u8]) -> Result<Self, Problem> {
        if !is_merge_patch(headers) {
            return Err(Problem::new(Kind::NotAMergePatch).detail(format!("`Content-Type` must be {MEDIA_TYPE}")));
        }
        let not_json = |error: serde_json::Error| {
            let (line, column) = (error.line(), error.column());
            Problem::new(Kind::NotJson).detail(format!("it goes wrong at line {line}, column {column}"))
        };
        let patch: Value = serde_json::from_slice(body).map_err(not_json)?;
        let Value::Object(patch) = patch else {
            let fault = Fault::at("", "must be an object: a profile cannot become anything else");
            return Err(Problem::new(Kind::NotStorable).errors(vec![fault]));
        };
        let owned: Vec<&str> =
            patch.keys().map(String::as_str).filter(|name| OWNED_ATTRIBUTES.contains(name)).collect();
        if !owned.is_empty() {
            return Err(Problem::owned(owned));
        }
        let faults = limits::of_patch(&patch, body);
        if faults.is_empty() { Ok(Self(patch)) } else { Err(Problem::new(Kind::NotStorable).errors(faults)) }
    }

    /// The attributes as the patch leaves them.
    pub(crate) fn applied_to(&self, attributes: &Attributes) -> Attributes {
        let mut after = attributes.clone();
        for (name, change) in &self.0 {
            if change.is_null() {
                after.remove(name);
            } else {
                apply(after.entry(name.clone()).or_default(), change);
            }
        }
        after
    }
}

/// What leads from one state of the attributes to another; `None` if nothing has to be done.
pub(crate) fn changes(before: &Attributes, after: &Attributes) -> Result<Option<Changes>, Error> {
    let mut names: BTreeMap<&String, Option<&Value>> = before.keys().map(|name| (name, None)).collect();
    names.extend(after.iter().map(|(name, value)| (name, Some(value))));
    names.retain(|name, value| before.get(*name) != *value);
    if names.is_empty() {
        return Ok(None);
    }
    let put = |changes: Changes, (name, value): (&String, Option<&Value>)| match value {
        Some(value) => changes.set(name, value),
        None => changes.remove(name),
    };
    names.into_iter().try_fold(Changes::new(), put).map(Some)
}

/// RFC 7396, section 2. The parser's limit of 128 levels is that of the recursion.
fn apply(target: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    let Value::Object(target) = target else { return };
    for (name, change) in patch {
        if change.is_null() {
            target.remove(name);
        } else {
            apply(target.entry(name.clone()).or_insert(Value::Null), change);
        }
    }
}

/// Parameters beside the media type are none of ours: JSON has no charset but UTF-8.
fn is_merge_patch(headers: &HeaderMap) -> bool {
    let value = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    value.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case(MEDIA_TYPE)
}

#[cfg(test)]
mod tests;
