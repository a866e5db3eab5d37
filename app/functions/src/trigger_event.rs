//! A user pool's trigger event, read leniently: what is not needed is not looked at, and nothing in it can fail a
//! trigger that does not need it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use tandem_profiles::Identity;

use crate::error::Error;

/// The status of users whose password is kept by somebody else.
pub(crate) const FEDERATED_STATUS: &str = "EXTERNAL_PROVIDER";

/// The event of any trigger.
pub(crate) struct TriggerEvent(Value);

impl TriggerEvent {
    /// Whatever came; what is no JSON has no fields.
    pub fn parse(text: &str) -> Self {
        Self(serde_json::from_str(text).unwrap_or_default())
    }

    /// The `triggerSource`, empty if there is none.
    pub fn source(&self) -> &str {
        self.0["triggerSource"].as_str().unwrap_or_default()
    }

    /// One of the user's attributes.
    pub fn attribute(&self, name: &str) -> Option<String> {
        text(&self.0["request"]["userAttributes"][name])
    }

    /// The user's groups, where the trigger is told of them: `PreTokenGeneration` alone is.
    pub fn groups(&self) -> Option<BTreeSet<String>> {
        let groups = self.0["request"]["groupConfiguration"]["groupsToOverride"].as_array()?;
        Some(groups.iter().filter_map(text).collect())
    }

    /// Who the event is about, with the attributes that `passed_on` names.
    pub fn identity(&self, passed_on: &[String]) -> Result<Identity, Error> {
        let missing = Error::IncompleteTriggerEvent;
        let attributes = self.0["request"]["userAttributes"].as_object();
        let attributes: BTreeMap<String, String> =
            attributes.into_iter().flatten().filter_map(|(name, value)| Some((name.clone(), text(value)?))).collect();
        let sub = attributes.get("sub").ok_or_else(|| missing("user's sub"))?;
        let pool = text(&self.0["userPoolId"]).ok_or_else(|| missing("userPoolId"))?;
        let username = text(&self.0["userName"]).unwrap_or_else(|| sub.clone());
        Identity::from_attributes(&pool, &username, &attributes, passed_on).ok_or_else(|| missing("user's sub"))
    }
}

/// What Cognito writes as a string, though not always: flags and numbers have been seen as such.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}
