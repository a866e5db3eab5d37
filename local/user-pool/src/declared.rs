//! What a pool declares beside its settings, and what nothing here acts on yet: domains, resource servers, identity
//! providers, MFA, the looks of login pages, risks and logs. Kept, checked and given back, so that templates and clients find what
//! they expect; that it has no effect is said by name when it is declared.
//!
//! The documents are the wire's own, since they are the wire's own documents.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use world::Timestamp;

use crate::Error;
use crate::constraint::Constraints;
use crate::pool::PoolId;

/// One kind of declaration.
pub trait Document: Clone + Serialize + DeserializeOwned + Send + 'static {
    /// The store's word for it.
    const KIND: &'static str;
    /// Its name in the plural, for refusals.
    const PLURAL: &'static str;
    /// Most of them in a pool ("Quotas in Amazon Cognito").
    const MOST: usize;

    /// Another one has this name.
    fn taken(name: &str, pool: &PoolId) -> Error;
    /// There is none of this name.
    fn missing(name: &str) -> Error;
}

/// A declaration as the store keeps it.
#[derive(Clone, Debug)]
pub struct Declared<D> {
    pub pool: PoolId,
    pub name: String,
    pub document: D,
    pub created: Timestamp,
    pub modified: Timestamp,
}

/// A domain; its name is the prefix, or the whole of a custom one.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Domain {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub custom_domain_config: Option<CustomDomainConfig>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub managed_login_version: Option<i64>,
    #[serde(flatten)]
    pub others: Map<String, Value>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct CustomDomainConfig {
    pub certificate_arn: String,
}

impl Domain {
    /// Whether it is somebody's own, and not a prefix of AWS's.
    pub fn is_custom(&self) -> bool {
        self.custom_domain_config.is_some()
    }

    /// The rules that hold for a domain, new or changed.
    pub fn check(&self, name: &str) -> Result<(), Error> {
        const RESERVED: &[&str] = &["aws", "amazon", "cognito"];
        let is_custom = self.is_custom();
        let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || (is_custom && c == '.');
        let mut constraints = Constraints::new().length("domain", name, 1..=if is_custom { 253 } else { 63 });
        let pattern = r"^[a-z0-9](?:[a-z0-9\-]{0,61}[a-z0-9])?$";
        if !name.chars().all(fits) || name.starts_with(['-', '.']) || name.ends_with(['-', '.']) {
            constraints = constraints.not_like("domain", name, pattern);
        }
        if let Some(version) = self.managed_login_version {
            constraints = constraints.number("managedLoginVersion", version, 1..=2);
        }
        constraints.check()?;
        match RESERVED.iter().find(|word| !is_custom && name.contains(**word)) {
            Some(word) => Err(Error::InvalidParameter(format!("Domain cannot contain reserved word: {word}"))),
            None => Ok(()),
        }
    }
}

impl Document for Domain {
    const KIND: &'static str = "domain";
    const PLURAL: &'static str = "domains in a user pool";
    const MOST: usize = 2; // a prefix and a custom one

    fn taken(_name: &str, _pool: &PoolId) -> Error {
        Error::InvalidParameter("Domain already associated with another user pool.".into())
    }

    fn missing(_name: &str) -> Error {
        Error::InvalidParameter("No such domain or user pool exists.".into())
    }
}

/// A resource server; its name is its identifier.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ResourceServer {
    pub name: String,
    #[serde(default)]
    pub scopes: Vec<ResourceServerScope>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ResourceServerScope {
    pub scope_name: String,
    pub scope_description: String,
}

impl ResourceServer {
    /// The rules that hold for a resource server, new or changed.
    pub fn check(&self, identifier: &str) -> Result<(), Error> {
        let fits = |c: char| c.is_ascii_graphic() && c != '"' && c != '\\';
        let name_fits = |c: char| c.is_alphanumeric() || c == '_' || c.is_whitespace() || "+=,.@-".contains(c);
        let mut constraints = Constraints::new()
            .length("identifier", identifier, 1..=256)
            .pattern("identifier", identifier, r"[\x21\x23-\x5B\x5D-\x7E]+", fits)
            .length("name", &self.name, 1..=256)
            .pattern("name", &self.name, r"[\w\s+=,.@-]+", name_fits)
            .items("scopes", self.scopes.len(), 0..=100);
        for ResourceServerScope { scope_name, scope_description } in &self.scopes {
            let pattern = r"[\x21\x23-\x2E\x30-\x5B\x5D-\x7E]+";
            constraints = constraints
                .length("scopes.scopeName", scope_name, 1..=256)
                .pattern("scopes.scopeName", scope_name, pattern, |c| fits(c) && c != '/')
                .length("scopes.scopeDescription", scope_description, 1..=256);
        }
        constraints.check()
    }
}

impl Document for ResourceServer {
    const KIND: &'static str = "resource server";
    const PLURAL: &'static str = "resource servers in a user pool";
    const MOST: usize = 25;

    fn taken(name: &str, pool: &PoolId) -> Error {
        Error::InvalidParameter(format!("{name} already exists in user pool {pool}."))
    }

    fn missing(name: &str) -> Error {
        Error::ResourceNotFound(format!("Resource server: {name} does not exist."))
    }
}

/// An identity provider outside; its name is `ProviderName`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct IdentityProvider {
    pub provider_type: String,
    #[serde(default)]
    pub provider_details: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub attribute_mapping: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub idp_identifiers: Vec<String>,
}

impl IdentityProvider {
    /// The rules that hold for an identity provider, new or changed.
    pub fn check(&self, name: &str) -> Result<(), Error> {
        const TYPES: &[&str] = &["SAML", "Facebook", "Google", "LoginWithAmazon", "SignInWithApple", "OIDC"];
        let fits = |c: char| !c.is_whitespace() && !c.is_control();
        let identifier_fits = |c: char| c.is_alphanumeric() || c.is_whitespace() || "_+=.@-".contains(c);
        let mut constraints = Constraints::new()
            .length("providerName", name, 1..=32)
            .pattern("providerName", name, r"[^_\p{Z}][\p{L}\p{M}\p{S}\p{N}\p{P}][^_\p{Z}]+", fits)
            .one_of("providerType", &self.provider_type, TYPES)
            .items("idpIdentifiers", self.idp_identifiers.len(), 0..=50);
        for identifier in &self.idp_identifiers {
            constraints = constraints.length("idpIdentifiers", identifier, 1..=40).pattern(
                "idpIdentifiers",
                identifier,
                r"[\w\s+=.@-]+",
                identifier_fits,
            );
        }
        constraints.check()?;
        match self.missing_detail() {
            Some(missing) => Err(Error::InvalidParameter(format!(
                "ProviderDetails of type {} must have {missing}.",
                self.provider_type
            ))),
            None => Ok(()),
        }
    }

    /// What every provider of this type needs. (AWS asks its endpoints too; here nobody is asked.)
    fn missing_detail(&self) -> Option<&'static str> {
        let needed: &[&str] = match self.provider_type.as_str() {
            "SAML" if self.provider_details.contains_key("MetadataFile") => &[],
            "SAML" => &["MetadataURL"],
            "SignInWithApple" => &["client_id", "team_id", "key_id", "authorize_scopes"],
            "OIDC" => &["client_id", "oidc_issuer", "authorize_scopes"],
            _ => &["client_id", "client_secret", "authorize_scopes"],
        };
        needed.iter().find(|name| !self.provider_details.contains_key(**name)).copied()
    }
}

impl Document for IdentityProvider {
    const KIND: &'static str = "identity provider";
    const PLURAL: &'static str = "identity providers in a user pool";
    const MOST: usize = 300;

    fn taken(name: &str, _pool: &PoolId) -> Error {
        Error::DuplicateProvider(format!("A provider with the name {name} already exists."))
    }

    fn missing(name: &str) -> Error {
        Error::ResourceNotFound(format!("Identity provider {name} does not exist."))
    }
}

/// What `SetUserPoolMfaConfig` took beside the mode, which is a setting of the pool.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
#[expect(clippy::struct_field_names, reason = "AWS's names")]
pub struct MfaConfig {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sms_mfa_configuration: Option<SmsMfaConfig>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub software_token_mfa_configuration: Option<SoftwareTokenMfaConfig>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email_mfa_configuration: Option<EmailMfaConfig>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub web_authn_configuration: Option<Map<String, Value>>,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct SmsMfaConfig {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sms_authentication_message: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sms_configuration: Option<Map<String, Value>>,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct SoftwareTokenMfaConfig {
    pub enabled: bool,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct EmailMfaConfig {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
}

impl MfaConfig {
    /// There is one in a pool.
    pub const NAME: &'static str = "";

    /// The factors and the mode must fit each other.
    pub fn check(&self, mode: &str) -> Result<(), Error> {
        let sms = self.sms_mfa_configuration.as_ref();
        let email = self.email_mfa_configuration.as_ref();
        let texts = [
            (sms.and_then(|sms| sms.sms_authentication_message.as_ref()), "smsAuthenticationMessage", 140),
            (email.and_then(|email| email.message.as_ref()), "emailMfaConfiguration.message", 20_000),
        ];
        let mut constraints = Constraints::new().one_of("mfaConfiguration", mode, &["OFF", "ON", "OPTIONAL"]);
        for (text, member, length_max) in texts {
            let Some(text) = text else { continue };
            constraints =
                constraints.length(member, text, 6..=length_max).containing(member, text, "{####}", r".*\{####\}.*");
        }
        constraints.check()?;
        let token = self.software_token_mfa_configuration.as_ref().is_some_and(|token| token.enabled);
        let any = sms.is_some() || email.is_some() || token;
        match (mode, any) {
            ("OFF", true) => Err(Error::InvalidParameter(
                "Invalid MFA configuration given, can't turn off MFA and configure an MFA together.".into(),
            )),
            ("ON" | "OPTIONAL", false) => Err(Error::InvalidParameter(
                "Invalid MFA Configuration given. SMS MFA, Email MFA, or Software Token MFA must be enabled.".into(),
            )),
            _ => Ok(()),
        }
    }
}

impl Document for MfaConfig {
    const KIND: &'static str = "mfa";
    const PLURAL: &'static str = "MFA configurations in a user pool";
    const MOST: usize = 1;

    fn taken(_name: &str, pool: &PoolId) -> Error {
        Error::InvalidParameter(format!("User pool {pool} has an MFA configuration.")) // it is only ever replaced
    }

    fn missing(name: &str) -> Error {
        Error::no_such_pool(name)
    }
}

/// The looks of login pages; their name is a client's id, or [`UiCustomization::ALL`].
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct UiCustomization {
    #[serde(rename = "CSS", skip_serializing_if = "Option::is_none")]
    pub css: Option<String>,
}

impl UiCustomization {
    /// For every client without looks of its own.
    pub const ALL: &'static str = "ALL";
}

impl Document for UiCustomization {
    const KIND: &'static str = "ui";
    const PLURAL: &'static str = "UI customizations in a user pool";
    const MOST: usize = 1_001; // one a client

    fn taken(name: &str, _pool: &PoolId) -> Error {
        Error::InvalidParameter(format!("{name} has a UI customization.")) // it is only ever replaced
    }

    fn missing(name: &str) -> Error {
        Error::no_such_client(name)
    }
}

/// What is done about risky sign-ins; its name is a client's id, or [`UiCustomization::ALL`].
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
#[expect(clippy::struct_field_names, reason = "the wire's names")]
pub struct RiskConfiguration {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account_takeover_risk_configuration: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub compromised_credentials_risk_configuration: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub risk_exception_configuration: Option<Value>,
}

impl Document for RiskConfiguration {
    const KIND: &'static str = "risk";
    const PLURAL: &'static str = "risk configurations in a user pool";
    const MOST: usize = 1_001; // one a client

    fn taken(name: &str, _pool: &PoolId) -> Error {
        Error::InvalidParameter(format!("{name} has a risk configuration.")) // it is only ever replaced
    }

    fn missing(name: &str) -> Error {
        Error::no_such_client(name)
    }
}

/// Where a pool writes what happens in it; there is one a pool.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct LogDelivery {
    pub log_configurations: Vec<Value>,
}

impl LogDelivery {
    /// The name of the only one.
    pub const ONLY: &'static str = "logs";
}

impl Document for LogDelivery {
    const KIND: &'static str = "logs";
    const PLURAL: &'static str = "log delivery configurations in a user pool";
    const MOST: usize = 1;

    fn taken(_name: &str, pool: &PoolId) -> Error {
        Error::InvalidParameter(format!("{} has a log delivery configuration.", pool.0)) // it is only ever replaced
    }

    fn missing(name: &str) -> Error {
        Error::InvalidParameter(format!("There is no log delivery configuration {name}."))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn domains() {
        let prefix = Domain::default();
        for right in ["a", "my-app", "app7"] {
            prefix.check(right).expect("a domain");
        }
        for wrong in ["", "-a", "a-", "a.b", "A", "my-aws-app", &"a".repeat(64)] {
            assert!(prefix.check(wrong).is_err(), "{wrong}");
        }
        let custom_domain_config = Some(CustomDomainConfig { certificate_arn: "arn".into() });
        let custom = Domain { custom_domain_config, ..Domain::default() };
        custom.check("login.aws.example.com").expect("a domain");
        assert!(custom.check("login.example.com.").is_err());
    }

    #[track_caller]
    fn details(provider_type: &str, given: &[&str], right: bool) {
        let provider_details = given.iter().map(|name| ((*name).to_owned(), "value".to_owned())).collect();
        let provider = IdentityProvider {
            provider_type: provider_type.into(),
            provider_details,
            attribute_mapping: BTreeMap::new(),
            idp_identifiers: Vec::new(),
        };
        assert_eq!(provider.check("name").is_ok(), right, "{provider:?}");
    }

    #[test]
    fn providers_have_what_their_type_needs() {
        details("Google", &["client_id", "client_secret", "authorize_scopes"], true);
        details("Google", &["client_id", "authorize_scopes"], false);
        details("OIDC", &["client_id", "oidc_issuer", "authorize_scopes"], true);
        details("SAML", &["MetadataFile"], true);
        details("SAML", &["MetadataURL"], true);
        details("SAML", &[], false);
        details("GitHub", &["client_id", "client_secret", "authorize_scopes"], false);
    }
}
