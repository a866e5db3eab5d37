//! An app client: who may call the public operations, by which flows, and for how long its tokens live.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use subtle::ConstantTimeEq;
use world::Timestamp;

use crate::pool::PoolId;
use crate::{Error, secret_hash};

/// 26 lower-case letters and digits.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ClientId(pub String);

impl fmt::Display for ClientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A client as the store keeps it.
#[derive(Clone, Debug)]
pub struct Client {
    pub id: ClientId,
    pub pool: PoolId,
    pub secret: Option<String>,
    pub settings: ClientSettings,
    pub created: Timestamp,
    pub modified: Timestamp,
}

impl Client {
    /// Checks what a client with a secret must prove, and that one without a secret proves nothing.
    pub fn check_secret_hash(&self, username: &str, hash: Option<&str>) -> Result<(), Error> {
        let id = &self.id;
        match (&self.secret, hash) {
            (None, None) => Ok(()),
            (None, Some(_)) => Err(Error::NotAuthorized(format!("Unable to verify secret hash for client {id}"))),
            (Some(_), None) => {
                let message = format!("Client {id} is configured with secret but SECRET_HASH was not received");
                Err(Error::NotAuthorized(message))
            }
            (Some(secret), Some(hash)) if secret_hash::matches(secret, username, &id.0, hash) => Ok(()),
            (Some(_), Some(_)) => Err(Error::NotAuthorized(format!("SecretHash does not match for the client: {id}"))),
        }
    }

    /// Checks the plain secret that some operations take in place of a hash.
    pub fn check_secret(&self, given: Option<&str>) -> Result<(), Error> {
        let right = match (&self.secret, given) {
            (None, _) => true,
            (Some(secret), Some(given)) => secret.as_bytes().ct_eq(given.as_bytes()).into(),
            (Some(_), None) => false,
        };
        let id = &self.id;
        if right { Ok(()) } else { Err(Error::NotAuthorized(format!("Unable to verify the secret of client {id}"))) }
    }
}

/// What `CreateUserPoolClient` takes and `DescribeUserPoolClient` gives; see [`crate::pool::Settings`] on `others`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ClientSettings {
    pub client_name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub explicit_auth_flows: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refresh_token_validity: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access_token_validity: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id_token_validity: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_validity_units: Option<TokenValidityUnits>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auth_session_validity: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub read_attributes: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub write_attributes: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prevent_user_existence_errors: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enable_token_revocation: Option<bool>,
    #[serde(rename = "AllowedOAuthFlows", skip_serializing_if = "Option::is_none")]
    pub allowed_oauth_flows: Option<Vec<String>>,
    #[serde(rename = "AllowedOAuthFlowsUserPoolClient", skip_serializing_if = "Option::is_none")]
    pub allows_oauth: Option<bool>,
    #[serde(rename = "AllowedOAuthScopes", skip_serializing_if = "Option::is_none")]
    pub allowed_oauth_scopes: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub supported_identity_providers: Option<Vec<String>>,
    #[serde(flatten)]
    pub others: Map<String, Value>,
}

/// `seconds`, `minutes`, `hours` or `days`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
#[expect(clippy::struct_field_names, reason = "AWS's names")]
pub struct TokenValidityUnits {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access_token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id_token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refresh_token: Option<String>,
}

impl ClientSettings {
    /// Whether a flow (`USER_SRP_AUTH`) may be used: by its `ALLOW_` name or, in older clients, by its plain one.
    pub fn allows_flow(&self, flow: &str) -> bool {
        let Some(flows) = self.explicit_auth_flows.as_ref().filter(|flows| !flows.is_empty()) else {
            return matches!(flow, "USER_SRP_AUTH" | "REFRESH_TOKEN_AUTH" | "CUSTOM_AUTH");
        };
        let legacy = flows.iter().all(|listed| !listed.starts_with("ALLOW_"));
        flows.iter().any(|listed| match listed.strip_prefix("ALLOW_") {
            Some(listed) => listed == flow,
            None => listed == flow || (listed == "ADMIN_NO_SRP_AUTH" && flow == "ADMIN_USER_PASSWORD_AUTH"),
        }) || (legacy && matches!(flow, "USER_SRP_AUTH" | "REFRESH_TOKEN_AUTH"))
    }

    /// How long an access token lives: an hour unless said otherwise.
    pub fn access_token_life(&self) -> Duration {
        let unit = self.token_validity_units.as_ref().and_then(|units| units.access_token.as_deref());
        life(self.access_token_validity, unit, "hours").unwrap_or(Duration::from_hours(1))
    }

    /// How long an id token lives: an hour unless said otherwise.
    pub fn id_token_life(&self) -> Duration {
        let unit = self.token_validity_units.as_ref().and_then(|units| units.id_token.as_deref());
        life(self.id_token_validity, unit, "hours").unwrap_or(Duration::from_hours(1))
    }

    /// How long a refresh token lives: 30 days unless said otherwise.
    pub fn refresh_token_life(&self) -> Duration {
        let unit = self.token_validity_units.as_ref().and_then(|units| units.refresh_token.as_deref());
        life(self.refresh_token_validity, unit, "days").unwrap_or(Duration::from_hours(720))
    }

    /// How long a challenge may take: three minutes unless said otherwise.
    pub fn session_life(&self) -> Duration {
        Duration::from_secs(60 * u64::from(self.auth_session_validity.unwrap_or(3)))
    }

    /// Whether strangers must not learn who has an account.
    pub fn hides_users(&self) -> bool {
        self.prevent_user_existence_errors.as_deref() == Some("ENABLED")
    }

    /// Whether refresh tokens can be revoked one by one: yes unless said otherwise.
    pub fn revokes_tokens(&self) -> bool {
        self.enable_token_revocation.unwrap_or(true)
    }

    /// Whether this client's callers may see an attribute of theirs.
    pub fn may_read(&self, attribute: &str) -> bool {
        attribute == "sub" || (!is_for_developers(attribute) && lists(self.read_attributes.as_ref(), attribute))
    }

    /// Whether this client's callers may set an attribute of theirs; that an address is verified, never.
    pub fn may_write(&self, attribute: &str) -> bool {
        let for_admins =
            is_for_developers(attribute) || matches!(attribute, "email_verified" | "phone_number_verified");
        !for_admins && lists(self.write_attributes.as_ref(), attribute)
    }

    /// Refuses what this client's callers may not set.
    pub fn check_writes<'a>(&self, mut attributes: impl Iterator<Item = &'a str>) -> Result<(), Error> {
        if attributes.all(|attribute| self.may_write(attribute)) { Ok(()) } else { Err(Error::not_writable()) }
    }

    /// What is set and changes nothing here, by AWS's names.
    pub fn not_honoured(&self) -> Vec<String> {
        const FOR_MANAGED_LOGIN_ALONE: &[&str] = &["CallbackURLs", "DefaultRedirectURI", "LogoutURLs"];
        self.others.keys().filter(|name| !FOR_MANAGED_LOGIN_ALONE.contains(&name.as_str())).cloned().collect()
    }
}

/// Without a list, every attribute is on it.
fn lists(list: Option<&Vec<String>>, attribute: &str) -> bool {
    list.is_none_or(|list| list.iter().any(|name| name == attribute))
}

/// `DeveloperOnlyAttribute`: no client sees or sets it.
fn is_for_developers(attribute: &str) -> bool {
    attribute.starts_with("dev:")
}

/// 0 counts as "not said".
fn life(number: Option<u32>, unit: Option<&str>, default_unit: &str) -> Option<Duration> {
    let seconds = match unit.unwrap_or(default_unit) {
        "seconds" => 1,
        "minutes" => 60,
        "hours" => 3600,
        _ => 86_400,
    };
    number.filter(|number| *number > 0).map(|number| Duration::from_secs(u64::from(number) * seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(flows: Option<&[&str]>) -> ClientSettings {
        let explicit_auth_flows = flows.map(|flows| flows.iter().map(ToString::to_string).collect());
        ClientSettings { explicit_auth_flows, ..ClientSettings::default() }
    }

    #[test]
    fn flows() {
        assert!(client(None).allows_flow("USER_SRP_AUTH"));
        assert!(!client(None).allows_flow("USER_PASSWORD_AUTH"));
        assert!(client(Some(&["ALLOW_USER_PASSWORD_AUTH"])).allows_flow("USER_PASSWORD_AUTH"));
        assert!(!client(Some(&["ALLOW_USER_PASSWORD_AUTH"])).allows_flow("USER_SRP_AUTH"));
        assert!(client(Some(&["ADMIN_NO_SRP_AUTH"])).allows_flow("ADMIN_USER_PASSWORD_AUTH"));
    }

    #[test]
    fn the_number_of_a_life_has_a_unit_of_its_own() {
        let mut client = ClientSettings { access_token_validity: Some(30), ..ClientSettings::default() };
        assert_eq!(client.access_token_life(), Duration::from_hours(30));
        let access_token = Some("minutes".into());
        client.token_validity_units = Some(TokenValidityUnits { access_token, ..TokenValidityUnits::default() });
        assert_eq!(client.access_token_life(), Duration::from_mins(30));
    }
}
