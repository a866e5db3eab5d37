//! A user pool: its settings and what follows from them.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use world::Timestamp;

use crate::attributes::{AttributeType, SchemaAttribute};
use crate::{Error, password};

/// `{region}_{9 letters and digits}`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PoolId(pub String);

impl PoolId {
    /// The part behind the underscore: what SRP hashes as the pool's name.
    pub fn short_name(&self) -> &str {
        self.0.split_once('_').map_or(&self.0, |(_, name)| name)
    }

    /// The region, which is part of the issuer's address.
    pub fn region(&self) -> &str {
        self.0.split_once('_').map_or("", |(region, _)| region)
    }

    /// `https://cognito-idp.{region}.amazonaws.com/{id}`: the issuer in tokens, as on AWS, so that verifiers
    /// configured for AWS accept our tokens.
    pub fn issuer(&self) -> String {
        format!("https://cognito-idp.{}.amazonaws.com/{}", self.region(), self.0)
    }
}

impl fmt::Display for PoolId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A pool as the store keeps it.
#[derive(Clone, Debug)]
pub struct Pool {
    pub id: PoolId,
    pub arn: String,
    pub settings: Settings,
    pub created: Timestamp,
    pub modified: Timestamp,
    /// Seals sessions and refresh tokens, and hides which users exist.
    pub secret: [u8; 32],
}

impl Pool {
    /// Checks a password against the pool's policy.
    pub fn check_password(&self, password: &str) -> Result<(), Error> {
        let Some(violation) = password::violation(&self.settings.policies.password_policy, password) else {
            return Ok(());
        };
        Err(Error::InvalidPassword(format!("Password did not conform with policy: {violation}")))
    }
}

/// What `CreateUserPool` takes and `DescribeUserPool` gives: the wire's own names, since it is the wire's own document.
/// The members with a type are honoured; those in `others` are kept, given back and reported when they are set
/// (see [`Settings::not_honoured`]).
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
#[expect(clippy::struct_field_names, reason = "AWS's names")]
pub struct Settings {
    #[serde(rename = "Name", alias = "PoolName")]
    pub name: String,
    pub policies: Policies,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deletion_protection: Option<String>,
    #[serde(skip_serializing_if = "LambdaConfig::is_empty")]
    pub lambda_config: LambdaConfig,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auto_verified_attributes: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alias_attributes: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub username_attributes: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub username_configuration: Option<UsernameConfiguration>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email_verification_message: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email_verification_subject: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sms_verification_message: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verification_message_template: Option<VerificationMessageTemplate>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_attribute_update_settings: Option<UserAttributeUpdateSettings>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mfa_configuration: Option<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub user_pool_tags: BTreeMap<String, String>,
    pub admin_create_user_config: AdminCreateUserConfig,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account_recovery_setting: Option<AccountRecoverySetting>,
    /// Custom attributes and changed standard ones, as `CreateUserPool` got them; the full list is worked out.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub schema: Vec<SchemaAttribute>,
    #[serde(flatten)]
    pub others: Map<String, Value>,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Policies {
    pub password_policy: PasswordPolicy,
    #[serde(flatten)]
    pub others: Map<String, Value>,
}

/// Without any, AWS's default holds: eight characters of all four kinds, a temporary password good for seven days. Of
/// one that is given in part, what it leaves out is not required.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[expect(clippy::struct_excessive_bools, reason = "AWS's shape")]
pub struct PasswordPolicy {
    #[serde(default = "eight")]
    pub minimum_length: u32,
    #[serde(default)]
    pub require_uppercase: bool,
    #[serde(default)]
    pub require_lowercase: bool,
    #[serde(default)]
    pub require_numbers: bool,
    #[serde(default)]
    pub require_symbols: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password_history_size: Option<u32>,
    #[serde(default = "seven")]
    pub temporary_password_validity_days: u32,
}

fn eight() -> u32 {
    8
}

fn seven() -> u32 {
    7
}

impl Default for PasswordPolicy {
    fn default() -> Self {
        Self {
            minimum_length: eight(),
            require_uppercase: true,
            require_lowercase: true,
            require_numbers: true,
            require_symbols: true,
            password_history_size: None,
            temporary_password_validity_days: seven(),
        }
    }
}

/// Which function each trigger runs, by ARN.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct LambdaConfig {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pre_sign_up: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub post_confirmation: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pre_authentication: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub post_authentication: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub custom_message: Option<String>,
    /// The older setting: version 1 of the event.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pre_token_generation: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pre_token_generation_config: Option<PreTokenGenerationConfig>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_migration: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inbound_federation: Option<InboundFederation>,
    /// Triggers that are kept and given back but not run yet.
    #[serde(flatten)]
    pub others: Map<String, Value>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct PreTokenGenerationConfig {
    /// `V1_0`, `V2_0` or `V3_0`.
    pub lambda_version: String,
    pub lambda_arn: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct InboundFederation {
    /// `V1_0`: there is no other.
    pub lambda_version: String,
    pub lambda_arn: String,
}

impl LambdaConfig {
    /// The function that changes tokens, and the version of its event.
    pub fn pre_token_generation(&self) -> Option<(&str, &'static str)> {
        let Some(config) = &self.pre_token_generation_config else {
            return self.pre_token_generation.as_deref().map(|function| (function, "1"));
        };
        let version = match config.lambda_version.as_str() {
            "V3_0" => "3",
            "V2_0" => "2",
            _ => "1",
        };
        Some((&config.lambda_arn, version))
    }

    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct UsernameConfiguration {
    #[serde(default = "yes")]
    pub case_sensitive: bool,
}

fn yes() -> bool {
    true
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct VerificationMessageTemplate {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sms_message: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email_message: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email_subject: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_email_option: Option<String>,
    #[serde(flatten)]
    pub others: Map<String, Value>,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct UserAttributeUpdateSettings {
    pub attributes_require_verification_before_update: Vec<String>,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct AdminCreateUserConfig {
    pub allow_admin_create_user_only: bool,
    /// Older name of the temporary password's life, in days.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unused_account_validity_days: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub invite_message_template: Option<InviteMessageTemplate>,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct InviteMessageTemplate {
    #[serde(rename = "SMSMessage", skip_serializing_if = "Option::is_none")]
    pub sms_message: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email_message: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email_subject: Option<String>,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct AccountRecoverySetting {
    pub recovery_mechanisms: Vec<RecoveryMechanism>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct RecoveryMechanism {
    pub priority: u32,
    /// `verified_email`, `verified_phone_number` or `admin_only`.
    pub name: String,
}

impl Settings {
    /// Whether names are compared letter by letter. True when nothing is said: the API's default, not the console's.
    pub fn is_case_sensitive(&self) -> bool {
        self.username_configuration.is_none_or(|configuration| configuration.case_sensitive)
    }

    /// A name as it is stored and compared: lower-cased where case does not count.
    pub fn fold(&self, name: &str) -> String {
        if self.is_case_sensitive() { name.to_owned() } else { name.to_lowercase() }
    }

    /// An attribute's value as it is stored: names are lower-cased for good where case does not count.
    pub fn folded(&self, attribute: &AttributeType) -> String {
        match attribute.name.as_str() {
            "email" | "preferred_username" => self.fold(&attribute.value),
            _ => attribute.value.clone(),
        }
    }

    /// Whether users sign up with this attribute (`email`, `phone_number`) in place of a name.
    pub fn has_username_attribute(&self, attribute: &str) -> bool {
        lists(self.username_attributes.as_ref(), attribute)
    }

    /// Whether users have an e-mail address or number in place of a name.
    pub fn uses_username_attributes(&self) -> bool {
        self.username_attributes.as_ref().is_some_and(|attributes| !attributes.is_empty())
    }

    /// Whether this attribute may be used beside the name to sign in.
    pub fn has_alias(&self, attribute: &str) -> bool {
        lists(self.alias_attributes.as_ref(), attribute)
    }

    /// Whether a code is sent on its own for this attribute.
    pub fn auto_verifies(&self, attribute: &str) -> bool {
        lists(self.auto_verified_attributes.as_ref(), attribute)
    }

    /// Whether a new value waits for its code before it replaces the old one.
    pub fn verifies_before_update(&self, attribute: &str) -> bool {
        let settings = self.user_attribute_update_settings.as_ref();
        lists(settings.map(|settings| &settings.attributes_require_verification_before_update), attribute)
    }

    /// How long a temporary password is good: by the policy, or by the older setting where the policy says nothing
    /// but the default.
    pub fn temporary_password_life(&self) -> Duration {
        const DEFAULT_DAYS: u32 = 7;
        let older = self.admin_create_user_config.unused_account_validity_days.filter(|days| *days > 0);
        let days = match self.policies.password_policy.temporary_password_validity_days {
            0 | DEFAULT_DAYS => older.unwrap_or(DEFAULT_DAYS),
            days => days,
        };
        Duration::from_secs(u64::from(days) * 24 * 3600)
    }

    /// Whether nobody but an administrator may reset passwords.
    pub fn only_admins_reset_passwords(&self) -> bool {
        let setting = self.account_recovery_setting.as_ref();
        setting
            .is_some_and(|setting| setting.recovery_mechanisms.iter().any(|mechanism| mechanism.name == "admin_only"))
    }

    /// What is set and changes nothing here, by AWS's names: told to whoever set it.
    pub fn not_honoured(&self) -> Vec<String> {
        const KEPT_WITHOUT_EFFECT_ON_AWS_TOO: &[&str] = &["UserPoolTier", "EmailConfiguration", "SmsConfiguration"];
        let mut names: Vec<String> =
            self.lambda_config.others.keys().map(|name| format!("LambdaConfig.{name}")).collect();
        names.extend(self.policies.others.keys().map(|name| format!("Policies.{name}")));
        names.extend(
            self.others.keys().filter(|name| !KEPT_WITHOUT_EFFECT_ON_AWS_TOO.contains(&name.as_str())).cloned(),
        );
        if self.mfa_configuration.as_deref().is_some_and(|mode| mode != "OFF") {
            names.push("MfaConfiguration".into());
        }
        let template = self.verification_message_template.as_ref();
        if template.and_then(|template| template.default_email_option.as_deref()) == Some("CONFIRM_WITH_LINK") {
            names.push("VerificationMessageTemplate.DefaultEmailOption".into());
        }
        if self.policies.password_policy.password_history_size.is_some_and(|size| size > 0) {
            names.push("Policies.PasswordPolicy.PasswordHistorySize".into());
        }
        names
    }
}

fn lists(list: Option<&Vec<String>>, attribute: &str) -> bool {
    list.is_some_and(|list| list.iter().any(|name| name == attribute))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_keep_their_case_unless_the_pool_says_otherwise() {
        let silent = Settings::default();
        assert_eq!(silent.fold("Ann"), "Ann");
        let configuration = Some(UsernameConfiguration { case_sensitive: false });
        let insensitive = Settings { username_configuration: configuration, ..Settings::default() };
        assert_eq!(insensitive.fold("Ann"), "ann");
    }

    #[test]
    fn the_issuer_is_that_of_aws() {
        let id = PoolId("eu-west-1_AbCdEf123".into());
        assert_eq!(id.issuer(), "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_AbCdEf123");
        assert_eq!(id.short_name(), "AbCdEf123");
    }
}
