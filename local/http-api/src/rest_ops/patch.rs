//! `patchOperations`: how Update operations of REST APIs name their changes.
//!
//! Source: <https://docs.aws.amazon.com/apigateway/latest/api/patch-operations.html>.

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::error::Error;

/// One change.
#[derive(Clone, Debug, Deserialize)]
pub struct PatchOperation {
    pub(super) op: String,
    pub(super) path: String,
    pub(super) value: Option<String>,
}

/// Changes members of a document, or members of an object or elements of a list in it. What lies deeper (settings of
/// methods) is given back: nothing here honours it.
pub fn apply(members: &mut Map<String, Value>, operations: &[PatchOperation]) -> Result<Vec<String>, Error> {
    let mut without_effect = Vec::new();
    for PatchOperation { op, path, value } in operations {
        let refused = || Error::bad_request(format!("Invalid patch path {path}"));
        let segments: Vec<String> = path.strip_prefix('/').ok_or_else(refused)?.split('/').map(unescaped).collect();
        let value = match op.as_str() {
            "add" | "replace" => Some(value.clone().unwrap_or_default()),
            "remove" => None,
            other => return Err(Error::bad_request(format!("Invalid patch operation specified: {other}"))),
        };
        match segments.as_slice() {
            [name] => set(members, name, value),
            [list, element] if list.ends_with("Types") => {
                let entry = members.entry(list.clone()).or_insert_with(|| Value::Array(Vec::new()));
                let elements = entry.as_array_mut().ok_or_else(refused)?;
                elements.retain(|known| known != element);
                if value.is_some() {
                    elements.push(element.clone().into());
                }
            }
            [object, name] => {
                let entry = members.entry(object.clone()).or_insert_with(|| Value::Object(Map::new()));
                set(entry.as_object_mut().ok_or_else(refused)?, name, value);
            }
            _ => without_effect.push(path.clone()),
        }
    }
    Ok(without_effect)
}

fn set(members: &mut Map<String, Value>, name: &str, value: Option<String>) {
    match value {
        Some(value) => drop(members.insert(name.to_owned(), value.into())),
        None => drop(members.remove(name)),
    }
}

/// `~1` is a slash, `~0` a tilde.
fn unescaped(segment: &str) -> String {
    segment.replace("~1", "/").replace("~0", "~")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(before: Value, operations: Value, expected: &Value, left: &[&str]) {
        let Value::Object(mut members) = before else { panic!("an object") };
        let operations: Vec<PatchOperation> = serde_json::from_value(operations).expect("operations");
        let without_effect = apply(&mut members, &operations).expect("it is applied");
        assert_eq!(
            (&Value::Object(members), without_effect.as_slice()),
            (expected, &left.iter().map(ToString::to_string).collect::<Vec<_>>()[..])
        );
    }

    #[test]
    fn members_are_set_and_taken_away() {
        let replace = json!([{"op": "replace", "path": "/a", "value": "2"}, {"op": "remove", "path": "/b"}]);
        check(json!({"a": "1", "b": "1"}), replace, &json!({"a": "2"}), &[]);
        let variables = json!([{"op": "replace", "path": "/variables/x~1y", "value": "2"}]);
        check(json!({}), variables, &json!({"variables": {"x/y": "2"}}), &[]);
        let types = json!([{"op": "add", "path": "/binaryMediaTypes/image~1png"}]);
        check(json!({}), types, &json!({"binaryMediaTypes": ["image/png"]}), &[]);
        let deep = json!([{"op": "replace", "path": "/*/*/logging/loglevel", "value": "INFO"}]);
        check(json!({}), deep, &json!({}), &["/*/*/logging/loglevel"]);
    }
}
