//! The `UserMigration` function: knows users whom the pool does not know yet.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{ClientMetadata, Context, Source, unrecognizable};
use crate::Error;
use crate::attributes::AttributeType;

/// Somebody whom the function knows.
#[derive(Clone, Debug, Default)]
pub struct Migrant {
    pub attributes: Vec<AttributeType>,
    /// Whether the password is theirs for good; else they must set a new one.
    pub is_confirmed: bool,
    /// `ForceAliasCreation`.
    pub takes_aliases: bool,
    /// Whether they are to be welcomed by a message.
    pub is_welcomed: bool,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Answer {
    user_attributes: Option<Map<String, Value>>,
    final_user_status: Option<String>,
    message_action: Option<String>,
    force_alias_creation: Option<bool>,
}

impl Context<'_> {
    /// Asks the function about a name that nobody has, with the password that came with it. Nothing if the pool has
    /// no such function, or if that knows nobody either.
    pub async fn user_migration(
        &self,
        source: Source,
        name: &str,
        password: Option<&str>,
        validation_data: Option<&ClientMetadata>,
    ) -> Result<Option<Migrant>, Error> {
        let request = || {
            let mut request = json!({"userAttributes": null, "validationData": validation_data});
            if let Some(password) = password {
                request["password"] = password.into();
            }
            request
        };
        let response = json!({
            "userAttributes": null, "forceAliasCreation": null, "enableSMSMFA": null, "finalUserStatus": null,
            "messageAction": null, "desiredDeliveryMediums": null,
        });
        let Some(response) = self.run(source, name, request, response).await? else { return Ok(None) };
        let answer: Option<Answer> = serde_json::from_value(response).map_err(|_| unrecognizable())?;
        let answer = answer.unwrap_or_default();
        let Some(attributes) = answer.user_attributes else { return Ok(None) };
        let attribute = |(name, value): (String, Value)| match value {
            Value::String(value) => Ok(AttributeType { name, value }),
            _ => Err(unrecognizable()),
        };
        // Their own name, as another pool has it, means nothing here.
        let own = |(name, _): &(String, Value)| name != "username" && name != "sub" && !name.starts_with("cognito:");
        Ok(Some(Migrant {
            attributes: attributes.into_iter().filter(own).map(attribute).collect::<Result<_, _>>()?,
            is_confirmed: answer.final_user_status.as_deref() == Some("CONFIRMED"),
            takes_aliases: answer.force_alias_creation == Some(true),
            is_welcomed: answer.message_action.as_deref() != Some("SUPPRESS"),
        }))
    }

    /// Says that nobody is welcomed.
    pub fn report_unwelcomed(&self, source: Source, name: &str) {
        let what = "no welcome message is sent to users who are migrated; messageAction SUPPRESS says so on AWS";
        self.report_ignored(source, name, what);
    }
}
