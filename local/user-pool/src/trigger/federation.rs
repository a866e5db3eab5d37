//! The `InboundFederation` function: sees what a provider said before a user is made or changed of it.
//!
//! Source: "Inbound federation Lambda trigger" in Cognito's developer guide.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{Context, Source, unrecognizable};
use crate::Error;

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Answer {
    user_attributes_to_map: Option<Map<String, Value>>,
}

impl Context<'_> {
    /// What the function makes of a provider's attributes, said by name, type and value: all of them if it says
    /// nothing, and those alone that it names if it names any.
    pub async fn inbound_federation(
        &self,
        username: &str,
        (provider, provider_type, said): (&str, &str, BTreeMap<String, String>),
    ) -> Result<BTreeMap<String, String>, Error> {
        let request = || {
            let attributes = match provider_type {
                "SAML" => json!({"samlResponse": said}),
                _ => json!({"tokenResponse": {}, "idToken": {}, "userInfo": said}),
            };
            json!({"providerName": provider, "providerType": provider_type, "attributes": attributes})
        };
        let response = json!({"userAttributesToMap": {}});
        let Some(response) = self.run(Source::InboundFederation, username, request, response).await? else {
            return Ok(said);
        };
        let answer: Answer = serde_json::from_value(response).map_err(|_| unrecognizable())?;
        match answer.user_attributes_to_map {
            None => Ok(said),
            Some(map) if map.is_empty() => Ok(said),
            Some(map) => Ok(map.into_iter().filter_map(|(name, value)| Some((name, text(value)?))).collect()),
        }
    }
}

/// A value of a provider as the text that an attribute is.
fn text(value: Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text),
        other => Some(other.to_string()),
    }
}
