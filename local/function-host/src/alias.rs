//! An alias: a name for a version, or for two of them with a weight.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::name::{LATEST, Qualifier};

/// Beside the version that an alias stands for.
const ADDITIONAL_VERSIONS_MAX: usize = 1;
const NAME_LENGTH_MAX: usize = 128;
pub(crate) const DESCRIPTION_LENGTH_MAX: usize = 256;

/// A name for a version.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Alias {
    /// None is `$LATEST`.
    pub(crate) version: Option<u64>,
    pub(crate) description: String,
    /// Another version, and which share of the invocations it gets.
    pub(crate) weights: BTreeMap<u64, f64>,
    pub(crate) revision_id: String,
}

/// `RoutingConfig`, in and out.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct RoutingConfig {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    additional_version_weights: Option<BTreeMap<String, f64>>,
}

/// As the operations answer.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct AliasAnswer {
    alias_arn: String,
    name: String,
    function_version: String,
    description: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    routing_config: Option<RoutingConfig>,
    revision_id: String,
}

impl Alias {
    /// The version for an invocation that drew `lot`, which is spread evenly from 0 to 1 (without 1).
    pub(crate) fn choose(&self, lot: f64) -> Option<u64> {
        let mut from = 0.0;
        for (version, weight) in &self.weights {
            from += weight;
            if lot < from {
                return Some(*version);
            }
        }
        self.version
    }

    /// Every published version that it may choose.
    pub(crate) fn versions(&self) -> impl Iterator<Item = u64> {
        self.version.into_iter().chain(self.weights.keys().copied())
    }
}

impl AliasAnswer {
    pub(crate) fn of(name: &str, alias: &Alias, function_arn: &str) -> Self {
        let weights = alias.weights.iter().map(|(version, weight)| (version.to_string(), *weight)).collect();
        Self {
            alias_arn: format!("{function_arn}:{name}"),
            name: name.to_owned(),
            function_version: version_text(alias.version),
            description: alias.description.clone(),
            routing_config: (!alias.weights.is_empty())
                .then_some(RoutingConfig { additional_version_weights: Some(weights) }),
            revision_id: alias.revision_id.clone(),
        }
    }
}

impl RoutingConfig {
    /// The weights, if they make sense beside `version`. Whether the versions exist is not looked at.
    pub(crate) fn check(self, version: Option<u64>) -> Result<BTreeMap<u64, f64>, Error> {
        let given = self.additional_version_weights.unwrap_or_default();
        let refused = |constraint: &str| {
            let shown: Vec<String> = given.iter().map(|(version, weight)| format!("{version}={weight:?}")).collect();
            let shown = format!("{{{}}}", shown.join(", "));
            Error::constraint(&shown, "routingConfig.additionalVersionWeights", constraint)
        };
        if given.len() > ADDITIONAL_VERSIONS_MAX {
            let message =
                format!("Number of items in AdditionalVersionWeights cannot be greater than {ADDITIONAL_VERSIONS_MAX}");
            return Err(Error::InvalidParameterValue(message));
        }
        let mut weights = BTreeMap::new();
        for (text, weight) in &given {
            if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
                return Err(refused(
                    "Map keys must satisfy constraint: [Member must have length less than or equal to 1024, Member \
                     must have length greater than or equal to 1, Member must satisfy regular expression pattern: \
                     [0-9]+, Member must not be null]",
                ));
            }
            if !(0.0..=1.0).contains(weight) {
                return Err(refused(
                    "Map value must satisfy constraint: [Member must have value less than or equal to 1.0, Member \
                     must have value greater than or equal to 0.0, Member must not be null]",
                ));
            }
            let Some(main) = version else {
                let message = "$LATEST is not supported for an alias pointing to more than 1 version";
                return Err(Error::InvalidParameterValue(message.into()));
            };
            let number = text.parse().unwrap_or(0); // there is no version 0
            if number == main {
                return Err(Error::InvalidParameterValue(format!(
                    "Invalid function version {main}. Function version {main} is already included in routing \
                     configuration."
                )));
            }
            weights.insert(number, *weight);
        }
        Ok(weights)
    }
}

/// `FunctionVersion`: a number, or `$LATEST` (none).
pub(crate) fn check_version(text: &str) -> Result<Option<u64>, Error> {
    match Qualifier::of(text) {
        Qualifier::Latest => Ok(None),
        _ if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) => {
            let constraint = r"Member must satisfy regular expression pattern: (\$LATEST|[0-9]+)";
            Err(Error::constraint(text, "functionVersion", constraint))
        }
        Qualifier::Version(number) => Ok(Some(number)),
        _ => Ok(Some(0)), // there is no such version, which is another error
    }
}

/// Of a new alias.
pub(crate) fn check_name(name: &str) -> Result<(), Error> {
    if name.len() > NAME_LENGTH_MAX {
        let constraint = format!("Member must have length less than or equal to {NAME_LENGTH_MAX}");
        return Err(Error::constraint(name, "name", &constraint));
    }
    if !matches!(Qualifier::of(name), Qualifier::Alias(_)) {
        let constraint = "Member must satisfy regular expression pattern: (?!^[0-9]+$)([a-zA-Z0-9-_]+)";
        return Err(Error::constraint(name, "name", constraint));
    }
    Ok(())
}

/// Of versions and aliases.
pub(crate) fn check_description(description: Option<String>) -> Result<Option<String>, Error> {
    match description {
        Some(text) if text.len() > DESCRIPTION_LENGTH_MAX => {
            let constraint = format!("Member must have length less than or equal to {DESCRIPTION_LENGTH_MAX}");
            Err(Error::constraint(&text, "description", &constraint))
        }
        other => Ok(other),
    }
}

/// `$LATEST` or the number.
pub(crate) fn version_text(version: Option<u64>) -> String {
    version.map_or_else(|| LATEST.to_owned(), |number| number.to_string())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn alias(weight: f64) -> Alias {
        Alias {
            version: Some(1),
            description: String::new(),
            weights: BTreeMap::from([(2, weight)]),
            revision_id: String::new(),
        }
    }

    #[test]
    fn all_or_nothing_is_certain() {
        assert_eq!((alias(0.0).choose(0.0), alias(1.0).choose(0.999_999)), (Some(1), Some(2)));
    }

    #[track_caller]
    fn check_refused(weights: &str, version: Option<u64>, expected: &str) {
        let config: RoutingConfig =
            serde_json::from_str(&format!(r#"{{"AdditionalVersionWeights":{weights}}}"#)).expect("JSON");
        let error = config.check(version).expect_err("it is refused").to_string();
        assert!(error.contains(expected), "{error}");
    }

    #[test]
    fn refuses_in_lambdas_words() {
        check_refused(r#"{"2":0.1,"3":0.1}"#, Some(1), "cannot be greater than 1");
        check_refused(r#"{"2":2.0}"#, Some(1), "Value '{2=2.0}' at 'routingConfig.additionalVersionWeights'");
        check_refused(r#"{"2":-1}"#, Some(1), "Value '{2=-1.0}'");
        check_refused(r#"{"$LATEST":0.5}"#, Some(1), "Map keys must satisfy constraint");
        check_refused(r#"{"1":0.5}"#, Some(1), "Function version 1 is already included in routing configuration.");
        check_refused(r#"{"2":0.5}"#, None, "$LATEST is not supported for an alias pointing to more than 1 version");
    }

    proptest! {
        #[test]
        fn shares_are_as_weighted(weight in 0.0..=1.0f64) {
            let alias = alias(weight);
            let lots = 1000_u32;
            let chosen = (0..lots).filter(|lot| alias.choose(f64::from(*lot) / f64::from(lots)) == Some(2));
            let second: f64 = chosen.map(|_| 1.0).sum();
            let expected = weight * f64::from(lots);
            prop_assert!((second - expected).abs() <= 1.0, "{second} of {lots}, expected {expected}");
        }

        #[test]
        fn only_its_versions_are_chosen(weight in 0.0..=1.0f64, lot in 0.0..1.0f64) {
            let chosen = alias(weight).choose(lot);
            prop_assert!(chosen == Some(1) || chosen == Some(2));
        }
    }
}
