//! The application's own JSON Schema: what a profile's attributes have to follow after a change.

use std::fmt;
use std::sync::Arc;

use jsonschema::{PatternOptions, Validator};
use serde_json::Value;
use tandem_profiles::Attributes;

use super::problem::{FAULTS_MAX, Fault};

/// How large one regular expression may become when it is compiled.
const PATTERN_BYTES_MAX: usize = 1024 * 1024;

/// A compiled schema. Cheap to clone.
#[derive(Clone)]
pub struct Schema(Arc<Validator>);

/// A schema that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum InvalidSchema {
    /// There is no such file.
    #[error("the file {path} cannot be read ({reason}): put it into the function's package, or give the schema's text")]
    Unreadable {
        /// Which file.
        path: String,
        /// Why.
        reason: std::io::Error,
    },
    /// The text is no JSON.
    #[error("the schema is not JSON ({0})")]
    NotJson(#[from] serde_json::Error),
    /// It is no JSON Schema, or needs what is not here.
    #[error(
        "the schema cannot be used ({0}); patterns without look-around and back references, and no references to other documents"
    )]
    Unusable(String),
}

impl Schema {
    /// From a schema's text, or from the path of a file that has it: a function's environment holds 4 KB.
    pub fn from_setting(setting: &str) -> Result<Self, InvalidSchema> {
        if setting.trim_start().starts_with('{') {
            return Self::new(&serde_json::from_str(setting)?);
        }
        let unreadable = |reason| InvalidSchema::Unreadable { path: setting.to_owned(), reason };
        Self::new(&serde_json::from_str(&std::fs::read_to_string(setting).map_err(unreadable)?)?)
    }

    /// From a schema, of 2020-12 unless its `$schema` says otherwise.
    ///
    /// Patterns are matched by an engine whose time is linear in the text: what people enter cannot make it hang.
    pub fn new(schema: &Value) -> Result<Self, InvalidSchema> {
        let patterns = PatternOptions::regex().size_limit(PATTERN_BYTES_MAX).dfa_size_limit(PATTERN_BYTES_MAX);
        let validator =
            jsonschema::options().with_pattern_options(patterns).should_validate_formats(true).build(schema);
        Ok(Self(Arc::new(validator.map_err(|error| InvalidSchema::Unusable(error.to_string()))?)))
    }

    /// What is wrong with attributes.
    pub(crate) fn faults(&self, attributes: &Attributes) -> Vec<Fault> {
        let attributes = attributes.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
        let attributes = Value::Object(attributes);
        let errors = self.0.iter_errors(&attributes).take(FAULTS_MAX);
        // The caller has sent the value, and need not get it back.
        errors.map(|error| Fault::at(fragment(error.instance_path().as_str()), error.masked().to_string())).collect()
    }
}

impl fmt::Debug for Schema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Schema")
    }
}

/// A JSON pointer as a URI's fragment has it.
fn fragment(pointer: &str) -> String {
    let tokens =
        pointer.split('/').map(|token| super::problem::pointer_token(&token.replace("~1", "/").replace("~0", "~")));
    tokens.collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use serde_json::json;

    use super::*;

    fn attributes(value: Value) -> Attributes {
        serde_json::from_value(value).expect("an object")
    }

    #[test]
    fn faults_name_their_places() {
        let schema = json!({
            "type": "object",
            "properties": {"a/b": {"type": "object", "properties": {"n": {"type": "integer", "maximum": 3}}}},
            "required": ["plan"],
        });
        let faults = Schema::new(&schema).expect("a schema").faults(&attributes(json!({"a/b": {"n": 4}})));
        let mut pointers: Vec<_> = faults.iter().map(|fault| fault.pointer.as_str()).collect();
        pointers.sort_unstable();
        assert_eq!(pointers, ["#", "#/a~1b/n"], "{faults:?}");
    }

    #[test]
    fn a_schema_is_text_or_a_file() {
        assert!(Schema::from_setting(" {\"type\": \"object\"}").is_ok());
        let error = Schema::from_setting("nowhere.json").expect_err("there is no such file");
        assert!(error.to_string().starts_with("the file nowhere.json cannot be read"), "{error}");
    }

    #[test]
    fn what_is_no_schema_is_refused() {
        assert!(matches!(Schema::from_setting("{"), Err(InvalidSchema::NotJson(_))));
        assert!(matches!(Schema::new(&json!({"type": "thing"})), Err(InvalidSchema::Unusable(_))));
    }

    #[test]
    fn nothing_is_fetched() {
        let elsewhere = json!({"$ref": "https://example.com/schema.json"});
        assert!(matches!(Schema::new(&elsewhere), Err(InvalidSchema::Unusable(_))));
    }

    /// Ten thousand letters keep a backtracking engine busy for ever.
    #[test]
    fn no_pattern_hangs() {
        let schema = Schema::new(&json!({"properties": {"a": {"pattern": "^(a+)+$"}}})).expect("a schema");
        let text = format!("{}!", "a".repeat(10_000));
        assert_eq!(schema.faults(&attributes(json!({"a": text}))).len(), 1);
    }

    #[test]
    fn patterns_that_can_hang_are_refused() {
        for pattern in ["^(?=a)", r"(a)\1"] {
            let schema = json!({"properties": {"a": {"pattern": pattern}}});
            assert!(matches!(Schema::new(&schema), Err(InvalidSchema::Unusable(_))), "{pattern}");
        }
    }

    #[test]
    fn as_many_faults_as_people_read() {
        let mut names = String::new();
        for n in 0..50 {
            let _ = write!(names, "\"n{n}\",");
        }
        let required: Value = serde_json::from_str(&format!("[{}]", names.trim_end_matches(','))).expect("JSON");
        let schema = Schema::new(&json!({"required": required})).expect("a schema");
        assert_eq!(schema.faults(&Attributes::new()).len(), FAULTS_MAX);
    }
}
