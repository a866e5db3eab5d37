//! A parameter's versions: what they hold, and what they may become.

use regex_lite::Regex;
use serde::{Deserialize, Serialize};

use super::error::Error;
use crate::hidden::Hidden;
use crate::opaque;
use crate::tags::Tags;

/// What `Type` may be, in the order in which the service lists them.
pub const KINDS: &[&str] = &["SecureString", "StringList", "String"];
/// The kind whose value is given back only when it is asked for.
pub const SECURE: &str = "SecureString";
/// The key that a secure value has unless another is named.
const DEFAULT_KEY: &str = "alias/aws/ssm";
/// What `Tier` may be.
pub const TIERS: &[&str] = &["Standard", "Advanced", "Intelligent-Tiering"];
pub const STANDARD: &str = "Standard";
pub const ADVANCED: &str = "Advanced";
pub const TEXT: &str = "text";
const DATA_TYPES: &[&str] = &[TEXT, "aws:ec2:image", "aws:ssm:integration"];

const STANDARD_CHARS_MAX: usize = 4096;
const ADVANCED_CHARS_MAX: usize = 8192;
/// Versions that are kept of one parameter.
pub const VERSIONS_MAX: usize = 100;
/// Labels of one version.
const LABELS_MAX: usize = 10;

/// One version of a parameter.
#[derive(Clone, Debug)]
pub struct Version {
    pub name: String,
    pub number: i64,
    pub kind: String,
    pub value: Hidden,
    pub modified_at: i64,
    pub labels: Vec<String>,
    pub settings: Settings,
}

/// What a version has beside its value.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Settings {
    pub description: Option<String>,
    pub key_id: Option<String>,
    pub allowed_pattern: Option<String>,
    pub tier: String,
    pub policies: Option<String>,
    pub data_type: String,
}

/// A version and the tags of its parameter.
#[derive(Clone, Debug)]
pub struct Found {
    pub version: Version,
    pub tags: Tags,
}

/// What a caller wants a parameter to be. What is not said stays as it was.
#[derive(Clone, Debug)]
pub struct Wanted {
    pub name: String,
    pub value: Hidden,
    pub kind: Option<String>,
    pub description: Option<String>,
    pub key_id: Option<String>,
    pub allowed_pattern: Option<String>,
    pub tier: Option<String>,
    pub policies: Option<String>,
    pub data_type: Option<String>,
}

impl Wanted {
    /// Only a value.
    pub fn value(name: &str, value: &str) -> Self {
        Self {
            name: name.to_owned(),
            value: Hidden(value.to_owned()),
            kind: None,
            description: None,
            key_id: None,
            allowed_pattern: None,
            tier: None,
            policies: None,
            data_type: None,
        }
    }

    /// The version that comes behind `last`, or the first one.
    pub fn after(self, last: Option<&Version>, now: i64) -> Result<Version, Error> {
        let before = last.map(|last| last.settings.clone()).unwrap_or_default();
        let kind = self.kind.or_else(|| last.map(|last| last.kind.clone()));
        let kind = kind.ok_or_else(|| Error::invalid("A parameter type is required when you create a parameter."))?;
        let is_secure = kind == SECURE;
        let key = self.key_id.or(before.key_id).unwrap_or_else(|| DEFAULT_KEY.to_owned());
        let policies = self.policies.or(before.policies);
        let has_policies = policies.is_some();
        let length = self.value.0.chars().count();
        let data_type =
            self.data_type.unwrap_or(if before.data_type.is_empty() { TEXT.into() } else { before.data_type });
        let settings = Settings {
            description: self.description.or(before.description),
            key_id: is_secure.then_some(key),
            allowed_pattern: self.allowed_pattern.or(before.allowed_pattern).filter(|pattern| !pattern.is_empty()),
            tier: tier(self.tier.as_deref(), &before.tier, length, has_policies)?,
            policies,
            data_type,
        };
        check_value(&self.value, &settings)?;
        let number = last.map_or(1, |last| last.number + 1);
        let (name, value) = (self.name, self.value);
        Ok(Version { name, number, kind, value, modified_at: now, labels: Vec::new(), settings })
    }
}

/// The tier that a value gets.
fn tier(wanted: Option<&str>, before: &str, length: usize, has_policies: bool) -> Result<String, Error> {
    let needs_advanced = length > STANDARD_CHARS_MAX || has_policies;
    let tier = match wanted.unwrap_or(if before.is_empty() { STANDARD } else { before }) {
        "Intelligent-Tiering" if needs_advanced || before == ADVANCED => ADVANCED,
        "Intelligent-Tiering" => STANDARD,
        tier => tier,
    };
    if tier == STANDARD && before == ADVANCED {
        return Err(Error::invalid(
            "This parameter uses the advanced-parameter tier. You can't downgrade a parameter from the \
             advanced-parameter tier to the standard-parameter tier. If necessary, you can delete the advanced parameter \
             and recreate it as a standard parameter.",
        ));
    }
    if tier == STANDARD && length > STANDARD_CHARS_MAX {
        return Err(Error::invalid(format!(
            "Standard tier parameters support a maximum parameter value of {STANDARD_CHARS_MAX} characters. To create a \
             larger parameter value, upgrade the parameter to use the advanced-parameter tier. For more information, see \
             https://docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-advanced-parameters.html"
        )));
    }
    if length > ADVANCED_CHARS_MAX {
        return Err(Error::invalid(format!(
            "Advanced tier parameters support a maximum parameter value of {ADVANCED_CHARS_MAX} characters."
        )));
    }
    if tier == STANDARD && has_policies {
        return Err(Error::invalid("Parameter policies are only supported by the advanced-parameter tier."));
    }
    Ok(tier.to_owned())
}

fn check_value(value: &Hidden, settings: &Settings) -> Result<(), Error> {
    let data_type = &settings.data_type;
    if !DATA_TYPES.contains(&data_type.as_str()) {
        return Err(Error::invalid(format!(
            "The following data type is not supported: {data_type} (Data type names are all lowercase.)"
        )));
    }
    if let Some(pattern) = &settings.allowed_pattern {
        let whole = Regex::new(&format!("^(?:{pattern})$")).map_err(|_| Error::InvalidAllowedPattern)?;
        if !whole.is_match(&value.0) {
            return Err(Error::ParameterPatternMismatch(pattern.clone()));
        }
    }
    Ok(())
}

impl Version {
    pub fn is_secure(&self) -> bool {
        self.kind == SECURE
    }

    /// The value as a caller gets it.
    pub fn shown(&self, with_decryption: bool) -> String {
        if self.is_secure() && !with_decryption {
            opaque::ciphertext(&format!("{}:{}", self.name, self.number))
        } else {
            self.value.0.clone()
        }
    }

    /// Whether a selector means this version.
    pub fn is_selected(&self, selector: &str) -> bool {
        selector.parse() == Ok(self.number) || self.labels.iter().any(|label| label == selector)
    }
}

/// Puts labels on the version at `at`, and takes them from the others. Returns those that cannot be labels.
pub fn label(versions: &mut [Version], at: usize, labels: Vec<String>) -> Result<Vec<String>, Error> {
    let (good, bad): (Vec<_>, Vec<_>) = labels.into_iter().partition(|label| is_label(label));
    for (n, version) in versions.iter_mut().enumerate() {
        version.labels.retain(|label| n == at || !good.contains(label));
    }
    let labels = &mut versions[at].labels;
    labels.extend(good);
    labels.sort_unstable();
    labels.dedup();
    if labels.len() > LABELS_MAX {
        return Err(Error::ParameterVersionLabelLimitExceeded);
    }
    Ok(bad)
}

/// Letters, digits, `.`, `-` and `_`; not AWS's own words, and not to be taken for a version's number.
fn is_label(label: &str) -> bool {
    let lower = label.to_ascii_lowercase();
    let fits = |c: char| c.is_ascii_alphanumeric() || ".-_".contains(c);
    let reserved = lower.starts_with("aws") || lower.starts_with("ssm");
    !reserved && !label.starts_with(|c: char| c.is_ascii_digit()) && label.chars().all(fits)
}
