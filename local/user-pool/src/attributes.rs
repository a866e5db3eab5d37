//! Attributes of users, and the schema that they keep to.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::Error;
use crate::constraint::Constraints;
use crate::pool::Settings;

/// Longest value, in bytes (AWS's "Quotas in Amazon Cognito").
const VALUE_BYTES_MAX: usize = 2048;
/// Longest name of a custom attribute, without its prefix.
const CUSTOM_NAME_LENGTH_MAX: usize = 20;
/// Custom attributes of a pool.
const CUSTOM_ATTRIBUTES_MAX: usize = 50;

/// `{Name, Value}`, as every operation takes and gives attributes.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct AttributeType {
    pub name: String,
    #[serde(default)]
    pub value: String,
}

/// Names and values; all values are text.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Attributes(BTreeMap<String, String>);

impl Attributes {
    /// An attribute's value.
    pub fn get(&self, name: &str) -> Option<&String> {
        self.0.get(name)
    }

    /// Whether an attribute says `true`.
    pub fn is_true(&self, name: &str) -> bool {
        self.get(name).is_some_and(|value| value == "true")
    }

    /// Sets an attribute; a blank value takes it away, as in `AdminUpdateUserAttributes`.
    pub fn set(&mut self, name: &str, value: impl Into<String>) {
        let value = value.into();
        if value.is_empty() {
            self.0.remove(name);
        } else {
            self.0.insert(name.into(), value);
        }
    }

    /// Takes an attribute away.
    pub fn remove(&mut self, name: &str) -> Option<String> {
        self.0.remove(name)
    }

    /// By name.
    pub fn iter(&self) -> impl Iterator<Item = (&String, &String)> {
        self.0.iter()
    }

    /// As a list for an answer, `sub` first.
    pub fn listed(&self, sub: &str) -> Vec<AttributeType> {
        let entry = |name: &str, value: &str| AttributeType { name: name.into(), value: value.into() };
        std::iter::once(entry("sub", sub)).chain(self.0.iter().map(|(name, value)| entry(name, value))).collect()
    }
}

/// One entry of a pool's schema, in the API's form.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct SchemaAttribute {
    pub name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attribute_data_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub developer_only_attribute: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mutable: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub required: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub number_attribute_constraints: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub string_attribute_constraints: Option<Value>,
}

/// The standard attributes with their types, in the order in which AWS lists them.
const STANDARD: &[(&str, &str)] = &[
    ("sub", "String"),
    ("name", "String"),
    ("given_name", "String"),
    ("family_name", "String"),
    ("middle_name", "String"),
    ("nickname", "String"),
    ("preferred_username", "String"),
    ("profile", "String"),
    ("picture", "String"),
    ("website", "String"),
    ("email", "String"),
    ("email_verified", "Boolean"),
    ("gender", "String"),
    ("birthdate", "String"),
    ("zoneinfo", "String"),
    ("locale", "String"),
    ("phone_number", "String"),
    ("phone_number_verified", "Boolean"),
    ("address", "String"),
    ("updated_at", "Number"),
];

/// Who sets attributes: decides what they may set and how a refusal is worded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Author {
    /// Somebody who signs up.
    Newcomer,
    /// Somebody who is signed in.
    User,
    /// An administrator, for a user who is there.
    Admin,
    /// An administrator who creates a user.
    Host,
}

impl Author {
    /// What can be set once is set with the user itself.
    fn creates(self) -> bool {
        matches!(self, Self::Newcomer | Self::Host)
    }

    /// A refusal in the words for this author.
    fn refusal(self, attribute: &str, reason: &str) -> Error {
        Error::InvalidParameter(match self {
            Self::Newcomer => format!("Attributes did not conform to the schema: {attribute}: {reason}\n"),
            Self::User | Self::Admin | Self::Host => format!("Invalid user attributes: user.{attribute}: {reason}\n"),
        })
    }
}

const NOT_IN_SCHEMA: &str = "Attribute does not exist in the schema.";
const IMMUTABLE: &str = "Attribute cannot be updated.";

/// The schema of a pool.
pub struct Schema<'a>(&'a Settings);

impl<'a> Schema<'a> {
    /// Of these settings.
    pub fn of(settings: &'a Settings) -> Self {
        Self(settings)
    }

    /// All attributes, as `DescribeUserPool` lists them.
    pub fn listed(&self) -> Vec<SchemaAttribute> {
        let standard = STANDARD.iter().map(|(name, kind)| {
            let declared = self.0.schema.iter().find(|declared| declared.name == *name);
            SchemaAttribute {
                name: (*name).into(),
                attribute_data_type: Some((*kind).into()),
                developer_only_attribute: Some(false),
                mutable: Some(*name != "sub" && declared.and_then(|declared| declared.mutable).unwrap_or(true)),
                required: Some(*name == "sub" || declared.and_then(|declared| declared.required).unwrap_or(false)),
                ..constraints(name, kind, declared)
            }
        });
        let custom = self.0.schema.iter().filter(|declared| !is_standard(&declared.name));
        let custom = custom.map(|declared| {
            let kind = declared.attribute_data_type.as_deref().unwrap_or("String");
            SchemaAttribute {
                name: custom_name(declared),
                attribute_data_type: Some(kind.into()),
                developer_only_attribute: Some(declared.developer_only_attribute.unwrap_or(false)),
                mutable: Some(declared.mutable.unwrap_or(true)),
                required: Some(false),
                number_attribute_constraints: declared.number_attribute_constraints.clone(),
                string_attribute_constraints: declared
                    .string_attribute_constraints
                    .clone()
                    .or_else(|| (kind == "String").then(|| json!({}))),
            }
        });
        standard.chain(custom).collect()
    }

    /// Checks what somebody wants to set against names, types and rights; values as they will be stored.
    pub fn check(&self, given: &[AttributeType], author: Author) -> Result<(), Error> {
        for attribute in given {
            let refused = |reason: &str| author.refusal(&attribute.name, reason);
            let entry = self.entry(&attribute.name).ok_or_else(|| refused(NOT_IN_SCHEMA))?;
            if entry.name == "sub" || (!author.creates() && entry.mutable == Some(false)) {
                return Err(refused(IMMUTABLE));
            }
            if attribute.value.is_empty() && !author.creates() {
                self.check_removal(&entry.name, author)?;
            }
            check_value(&entry, &attribute.value).map_err(|reason| match reason {
                Refusal::Whole(message) => Error::InvalidParameter(message.into()),
                Refusal::Reason(reason) => refused(&reason),
            })?;
        }
        Ok(())
    }

    /// Checks that an attribute may be taken away.
    pub fn check_removal(&self, name: &str, author: Author) -> Result<(), Error> {
        let entry = self.entry(name).ok_or_else(|| author.refusal(name, NOT_IN_SCHEMA))?;
        if name == "sub" || entry.mutable == Some(false) {
            return Err(author.refusal(name, IMMUTABLE));
        }
        if self.required().any(|required| required == name) {
            return Err(author.refusal(name, "The attribute is required"));
        }
        Ok(())
    }

    /// Checks custom attributes that the pool is to get beside those it has.
    pub fn check_additions(&self, added: &[SchemaAttribute]) -> Result<(), Error> {
        let invalid = |message: String| Err(Error::InvalidParameter(message));
        let mut names: Vec<String> =
            self.0.schema.iter().filter(|declared| !is_standard(&declared.name)).map(custom_name).collect();
        for attribute in added {
            let (full, plain) = (custom_name(attribute), plain_name(attribute));
            Constraints::new().length("customAttributes.member.name", plain, 1..=CUSTOM_NAME_LENGTH_MAX).check()?;
            if let Some(kind) = &attribute.attribute_data_type {
                let member = "customAttributes.member.attributeDataType";
                Constraints::new().one_of(member, kind, &["String", "Number", "DateTime", "Boolean"]).check()?;
            }
            if attribute.required == Some(true) {
                return invalid("Required custom attributes are not supported currently.".into());
            }
            if names.contains(&full) {
                return invalid(format!("custom:{plain}: Existing attribute already has name {full}."));
            }
            names.push(full);
        }
        if names.len() > CUSTOM_ATTRIBUTES_MAX {
            return invalid(format!("A user pool cannot have more than {CUSTOM_ATTRIBUTES_MAX} custom attributes."));
        }
        Ok(())
    }

    /// Checks that nothing required is missing.
    pub fn check_required(&self, has: impl Fn(&str) -> bool) -> Result<(), Error> {
        let line =
            |name: &str| format!("Attributes did not conform to the schema: {name}: The attribute is required\n");
        let lines = self.required().filter(|name| !has(name)).map(line).collect::<Vec<_>>().concat();
        if lines.is_empty() { Ok(()) } else { Err(Error::InvalidParameter(lines)) }
    }

    /// The attributes that everybody must have, but `sub`.
    pub fn required(&self) -> impl Iterator<Item = &'a str> {
        self.0.schema.iter().filter(|declared| declared.required == Some(true)).map(|declared| declared.name.as_str())
    }

    fn entry(&self, name: &str) -> Option<SchemaAttribute> {
        let declared = self.0.schema.iter().find(|declared| {
            if is_standard(&declared.name) { declared.name == name } else { custom_name(declared) == name }
        });
        let standard = STANDARD.iter().find(|(standard, _)| *standard == name);
        let entry = match (standard, declared) {
            (Some((_, kind)), declared) => SchemaAttribute {
                name: name.into(),
                attribute_data_type: Some((*kind).into()),
                mutable: declared.and_then(|declared| declared.mutable),
                ..constraints(name, kind, declared)
            },
            (None, Some(declared)) => SchemaAttribute { name: name.into(), ..declared.clone() },
            (None, None) => return None,
        };
        Some(entry)
    }
}

/// Whether AWS brings this attribute along.
pub fn is_standard(name: &str) -> bool {
    STANDARD.iter().any(|(standard, _)| *standard == name)
}

/// A custom attribute's name without its prefix.
fn plain_name(declared: &SchemaAttribute) -> &str {
    declared.name.trim_start_matches("dev:").trim_start_matches("custom:")
}

/// A custom attribute's full name: `custom:` or `dev:custom:` and its own.
pub fn custom_name(declared: &SchemaAttribute) -> String {
    let plain = plain_name(declared);
    if declared.developer_only_attribute == Some(true) {
        format!("dev:custom:{plain}")
    } else {
        format!("custom:{plain}")
    }
}

fn constraints(name: &str, kind: &str, declared: Option<&SchemaAttribute>) -> SchemaAttribute {
    let string = match name {
        "sub" => json!({"MinLength": "1", "MaxLength": "2048"}),
        "birthdate" => json!({"MinLength": "10", "MaxLength": "10"}),
        _ => json!({"MinLength": "0", "MaxLength": "2048"}),
    };
    let declared_string = declared.and_then(|declared| declared.string_attribute_constraints.clone());
    SchemaAttribute {
        string_attribute_constraints: (kind == "String").then(|| declared_string.unwrap_or(string)),
        number_attribute_constraints: (kind == "Number").then(|| json!({"MinValue": "0"})),
        ..SchemaAttribute::default()
    }
}

enum Refusal {
    /// A message of its own.
    Whole(&'static str),
    /// A reason behind the attribute's name.
    Reason(String),
}

fn check_value(entry: &SchemaAttribute, value: &str) -> Result<(), Refusal> {
    if value.is_empty() {
        return Ok(()); // a blank value takes the attribute away
    }
    if value.len() > VALUE_BYTES_MAX {
        return Err(Refusal::Reason(format!("String must be no longer than {VALUE_BYTES_MAX} characters.")));
    }
    match entry.name.as_str() {
        "email" if !is_email(value) => return Err(Refusal::Whole("Invalid email address format.")),
        "phone_number" if !is_phone_number(value) => return Err(Refusal::Whole("Invalid phone number format.")),
        _ => {}
    }
    match entry.attribute_data_type.as_deref() {
        Some("Boolean") if !matches!(value, "true" | "false") => {
            Err(Refusal::Reason("Attribute value must be a boolean.".into()))
        }
        Some("Number") => check_number(entry, value),
        Some("String") | None => check_length(entry, value),
        _ => Ok(()),
    }
}

fn check_number(entry: &SchemaAttribute, value: &str) -> Result<(), Refusal> {
    // Rust also reads `NaN` and `inf`.
    let Some(number) = value.parse::<f64>().ok().filter(|number| number.is_finite()) else {
        return Err(Refusal::Reason("Attribute value must be a number.".into()));
    };
    let limits = entry.number_attribute_constraints.as_ref();
    let limit = |name: &str| limits?.get(name)?.as_str()?.parse::<f64>().ok();
    if limit("MinValue").is_some_and(|min| number < min) || limit("MaxValue").is_some_and(|max| number > max) {
        return Err(Refusal::Reason("The number is outside the allowed range.".into()));
    }
    Ok(())
}

fn check_length(entry: &SchemaAttribute, value: &str) -> Result<(), Refusal> {
    let limits = entry.string_attribute_constraints.as_ref();
    let limit = |name: &str| limits?.get(name)?.as_str()?.parse::<usize>().ok();
    let length = value.chars().count();
    if limit("MinLength").is_some_and(|min| length < min) {
        return Err(Refusal::Reason(format!(
            "String must be at least {} characters.",
            limit("MinLength").unwrap_or(0)
        )));
    }
    if let Some(max) = limit("MaxLength").filter(|max| length > *max) {
        return Err(Refusal::Reason(format!("String must be no longer than {max} characters.")));
    }
    Ok(())
}

/// `local@domain` without white space or a second `@`: about what Cognito takes.
pub fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.split_once('@') else { return false };
    !local.is_empty() && !domain.is_empty() && !domain.contains('@') && !text.chars().any(char::is_whitespace)
}

/// E.164: a plus and up to fifteen digits.
pub fn is_phone_number(text: &str) -> bool {
    text.strip_prefix('+')
        .is_some_and(|digits| (1..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(author: Author, name: &str, value: &str, expected: Option<&str>) {
        let settings = Settings {
            schema: vec![SchemaAttribute { name: "plan".into(), ..SchemaAttribute::default() }],
            ..Settings::default()
        };
        let given = [AttributeType { name: name.into(), value: value.into() }];
        let message = Schema::of(&settings).check(&given, author).err().map(|error| error.to_string());
        assert_eq!(message.as_deref(), expected);
    }

    #[test]
    fn values_keep_to_the_schema() {
        check(Author::Newcomer, "email", "a@example.com", None);
        check(Author::Newcomer, "email", "nobody", Some("Invalid email address format."));
        check(Author::Newcomer, "phone_number", "030123", Some("Invalid phone number format."));
        check(Author::Newcomer, "custom:plan", "free", None);
        check(
            Author::Newcomer,
            "custom:size",
            "1",
            Some("Attributes did not conform to the schema: custom:size: Attribute does not exist in the schema.\n"),
        );
        check(
            Author::Admin,
            "plan",
            "free",
            Some("Invalid user attributes: user.plan: Attribute does not exist in the schema.\n"),
        );
    }

    #[test]
    fn values_of_every_kind_are_short_and_numbers_are_numbers() {
        let declared = |name: &str, kind: &str| SchemaAttribute {
            name: name.into(),
            attribute_data_type: Some(kind.into()),
            ..SchemaAttribute::default()
        };
        let settings =
            Settings { schema: vec![declared("size", "Number"), declared("since", "DateTime")], ..Settings::default() };
        let refused = |name: &str, value: &str| {
            let given = [AttributeType { name: name.into(), value: value.into() }];
            Schema::of(&settings).check(&given, Author::Host).is_err()
        };
        let long = "0".repeat(VALUE_BYTES_MAX + 1);
        for name in ["custom:size", "custom:since", "name"] {
            assert!(refused(name, &long), "{name}");
            assert!(!refused(name, "1"), "{name}");
        }
        for none in ["NaN", "inf", "-infinity", "one"] {
            assert!(refused("custom:size", none), "{none}");
        }
    }

    #[test]
    fn every_missing_attribute_is_named() {
        let required = |name: &str| SchemaAttribute { name: name.into(), required: Some(true), ..Default::default() };
        let settings = Settings { schema: vec![required("name"), required("email")], ..Settings::default() };
        let error = Schema::of(&settings).check_required(|name| name == "email").expect_err("a name is missing");
        let expected = "Attributes did not conform to the schema: name: The attribute is required\n";
        assert_eq!(error.to_string(), expected);
    }
}
