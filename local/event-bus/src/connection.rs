//! Connections: how API destinations are authorised, and what is sent along with every call.
//!
//! Secrets are stored in the room's file, which only its owner can read; they are never given back and never printed.
//! Not here: the calls (`api_call`), and fetching tokens (`oauth`).

use std::fmt;

use serde::{Deserialize, Serialize};
use world::{Place, Timestamp};

use crate::constraint::Constraints;
use crate::document::Document;
use crate::error::Error;

/// The ways to be authorised.
pub const TYPES: &[&str] = &["BASIC", "OAUTH_CLIENT_CREDENTIALS", "API_KEY"];
/// A connection's states.
pub const STATES: &[&str] = &[
    "CREATING",
    "UPDATING",
    "DELETING",
    "AUTHORIZED",
    "DEAUTHORIZED",
    "AUTHORIZING",
    "DEAUTHORIZING",
    "ACTIVE",
    "FAILED_CONNECTIVITY",
];
/// Parameters of one kind in one list.
const PARAMETERS_MAX: usize = 100;

/// A connection.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Connection {
    /// Chosen by the caller.
    pub name: String,
    /// Part of its ARN.
    pub id: String,
    /// Part of its secret's ARN.
    pub secret_id: String,
    /// For people.
    #[serde(default)]
    pub description: Option<String>,
    /// One of [`TYPES`].
    pub authorization_type: String,
    /// With the secrets.
    pub auth: AuthParameters,
    /// Kept and given back; nothing is encrypted here.
    #[serde(default)]
    pub kms_key_identifier: Option<String>,
    /// Where it stands.
    pub state: State,
    /// For people.
    #[serde(default)]
    pub state_reason: Option<String>,
    /// When it was made.
    pub created_at_ms: i64,
    /// When its caller changed it last.
    pub modified_at_ms: i64,
    /// When it was last authorised.
    #[serde(default)]
    pub authorized_at_ms: Option<i64>,
}

/// Where a connection stands. The others of [`STATES`] take no time here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum State {
    /// It can be used.
    Authorized,
    /// Its first token is being fetched.
    Authorizing,
    /// It has no secrets any more, or got no token.
    Deauthorized,
}

/// A text that is never printed.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// The text.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

/// `AuthParameters`, as the wire and the store have them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
#[expect(clippy::struct_field_names, reason = "the wire's names")]
pub struct AuthParameters {
    /// For `BASIC`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub basic_auth_parameters: Option<Basic>,
    /// For `OAUTH_CLIENT_CREDENTIALS`.
    #[serde(rename = "OAuthParameters", skip_serializing_if = "Option::is_none")]
    pub oauth_parameters: Option<OAuth>,
    /// For `API_KEY`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub api_key_auth_parameters: Option<ApiKey>,
    /// Sent with every call.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub invocation_http_parameters: Option<HttpParameters>,
    /// Private connections, which there are none of here.
    #[serde(skip_serializing)]
    pub connectivity_parameters: Option<serde_json::Value>,
}

/// A user and a password.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Basic {
    /// The user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// The password.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password: Option<Secret>,
}

/// A header with a key.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ApiKey {
    /// The header.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub api_key_name: Option<String>,
    /// The key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub api_key_value: Option<Secret>,
}

/// Where tokens come from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct OAuth {
    /// Who asks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_parameters: Option<OAuthClient>,
    /// Whom.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authorization_endpoint: Option<String>,
    /// How.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub http_method: Option<String>,
    /// What else is sent.
    #[serde(rename = "OAuthHttpParameters", skip_serializing_if = "Option::is_none")]
    pub http_parameters: Option<HttpParameters>,
}

/// A client of an authorisation server.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct OAuthClient {
    /// Its id.
    #[serde(rename = "ClientID", skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Its secret.
    #[serde(rename = "ClientSecret", skip_serializing_if = "Option::is_none")]
    pub secret: Option<Secret>,
}

/// What is added to requests.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
#[expect(clippy::struct_field_names, reason = "the wire's names")]
pub struct HttpParameters {
    /// Headers.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub header_parameters: Vec<Parameter>,
    /// Of the query string.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub query_string_parameters: Vec<Parameter>,
    /// Members of the body.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub body_parameters: Vec<Parameter>,
}

/// One of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Parameter {
    /// Its name.
    pub key: String,
    /// Printed by nobody, and given back unless it is a secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<Secret>,
    /// Whether it is.
    pub is_value_secret: bool,
}

impl Document for Connection {
    const KIND: &'static str = "connection";

    fn name(&self) -> &str {
        &self.name
    }
}

impl State {
    /// As the wire has it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Authorized => "AUTHORIZED",
            Self::Authorizing => "AUTHORIZING",
            Self::Deauthorized => "DEAUTHORIZED",
        }
    }
}

impl Connection {
    /// Its ARN.
    pub fn arn(&self, place: &Place) -> String {
        place.arn("events", &format!("connection/{}/{}", self.name, self.id))
    }

    /// Where AWS would keep its secrets. There is nothing there.
    pub fn secret_arn(&self, place: &Place) -> String {
        place.arn("secretsmanager", &format!("secret:events!connection/{}/{}", self.name, self.secret_id))
    }

    /// Gets tokens from somewhere.
    pub fn is_oauth(&self) -> bool {
        self.authorization_type == TYPES[1]
    }

    /// A change of its authorisation begins: only `OAuth` has to ask somebody.
    pub fn begin_authorization(&mut self, now: Timestamp) {
        self.state_reason = None;
        if self.is_oauth() {
            self.state = State::Authorizing;
        } else {
            self.state = State::Authorized;
            self.authorized_at_ms = Some(now.millis());
        }
    }

    /// What is missing for its type of authorisation.
    pub fn check(&self) -> Result<(), Error> {
        let auth = &self.auth;
        let (is_there, parameters) = match self.authorization_type.as_str() {
            "BASIC" => (auth.basic_auth_parameters.is_some(), "BasicAuthParameters"),
            "API_KEY" => (auth.api_key_auth_parameters.is_some(), "ApiKeyAuthParameters"),
            _ => (auth.oauth_parameters.is_some(), "OAuthParameters"),
        };
        if is_there {
            return Ok(());
        }
        let reason = format!("{} authorization needs {parameters}.", self.authorization_type);
        Err(Error::parameter("AuthParameters", Some(&reason)))
    }
}

impl AuthParameters {
    /// Without secrets, as they are given back.
    pub fn shown(&self) -> Self {
        let mut shown = self.clone();
        if let Some(basic) = &mut shown.basic_auth_parameters {
            basic.password = None;
        }
        if let Some(key) = &mut shown.api_key_auth_parameters {
            key.api_key_value = None;
        }
        let oauth = shown.oauth_parameters.as_mut();
        if let Some(oauth) = oauth {
            if let Some(client) = &mut oauth.client_parameters {
                client.secret = None;
            }
            oauth.http_parameters.iter_mut().for_each(HttpParameters::hide);
        }
        shown.invocation_http_parameters.iter_mut().for_each(HttpParameters::hide);
        shown
    }

    /// With what an update gives; what it leaves out stays.
    #[must_use]
    pub fn updated(mut self, update: Self) -> Self {
        if let Some(update) = update.basic_auth_parameters {
            let basic = self.basic_auth_parameters.get_or_insert_default();
            basic.username = update.username.or(basic.username.take());
            basic.password = update.password.or(basic.password.take());
        }
        if let Some(update) = update.api_key_auth_parameters {
            let key = self.api_key_auth_parameters.get_or_insert_default();
            key.api_key_name = update.api_key_name.or(key.api_key_name.take());
            key.api_key_value = update.api_key_value.or(key.api_key_value.take());
        }
        if let Some(update) = update.oauth_parameters {
            let oauth = self.oauth_parameters.get_or_insert_default();
            oauth.authorization_endpoint = update.authorization_endpoint.or(oauth.authorization_endpoint.take());
            oauth.http_method = update.http_method.or(oauth.http_method.take());
            oauth.http_parameters = update.http_parameters.or(oauth.http_parameters.take());
            if let Some(update) = update.client_parameters {
                let client = oauth.client_parameters.get_or_insert_default();
                client.id = update.id.or(client.id.take());
                client.secret = update.secret.or(client.secret.take());
            }
        }
        self.invocation_http_parameters = update.invocation_http_parameters.or(self.invocation_http_parameters);
        self
    }

    /// Keeps only what belongs to a type of authorisation.
    pub fn keep_only(&mut self, authorization_type: &str) {
        if authorization_type != "BASIC" {
            self.basic_auth_parameters = None;
        }
        if authorization_type != "API_KEY" {
            self.api_key_auth_parameters = None;
        }
        if authorization_type != "OAUTH_CLIENT_CREDENTIALS" {
            self.oauth_parameters = None;
        }
    }

    /// Lengths and words; with `is_new`, also what must be there.
    pub fn constrain(&self, constraints: &mut Constraints, is_new: bool) {
        let at = |member: &str| format!("authParameters.{member}");
        let mut text = |value: Option<&str>, member: &str| {
            if is_new {
                constraints.required(value.as_ref(), &at(member));
            }
            constraints.length(value, &at(member), 1, 512);
        };
        if let Some(basic) = &self.basic_auth_parameters {
            text(basic.username.as_deref(), "basicAuthParameters.username");
        }
        if let Some(key) = &self.api_key_auth_parameters {
            text(key.api_key_name.as_deref(), "apiKeyAuthParameters.apiKeyName");
        }
        let client = self.oauth_parameters.as_ref().map(|oauth| oauth.client_parameters.clone().unwrap_or_default());
        if let Some(client) = &client {
            text(client.id.as_deref(), "oAuthParameters.clientParameters.clientID");
        }
        let mut secret = |value: Option<&Secret>, member: &str| {
            if is_new {
                constraints.required(value, &at(member));
            }
            constraints.secret_length(value.map(Secret::reveal), &at(member), 1, 512);
        };
        if let Some(basic) = &self.basic_auth_parameters {
            secret(basic.password.as_ref(), "basicAuthParameters.password");
        }
        if let Some(key) = &self.api_key_auth_parameters {
            secret(key.api_key_value.as_ref(), "apiKeyAuthParameters.apiKeyValue");
        }
        if let Some(client) = &client {
            secret(client.secret.as_ref(), "oAuthParameters.clientParameters.clientSecret");
        }
        if let Some(oauth) = &self.oauth_parameters {
            let (endpoint, method) = (oauth.authorization_endpoint.as_deref(), oauth.http_method.as_deref());
            if is_new {
                constraints.required(endpoint.as_ref(), &at("oAuthParameters.authorizationEndpoint"));
                constraints.required(method.as_ref(), &at("oAuthParameters.httpMethod"));
            }
            constraints.length(endpoint, &at("oAuthParameters.authorizationEndpoint"), 1, 2048);
            constraints.one_of(method, &at("oAuthParameters.httpMethod"), &["GET", "POST", "PUT"]);
            let parameters = oauth.http_parameters.as_ref();
            parameters.inspect(|all| all.constrain(constraints, &at("oAuthParameters.oAuthHttpParameters")));
        }
        let parameters = self.invocation_http_parameters.as_ref();
        parameters.inspect(|all| all.constrain(constraints, &at("invocationHttpParameters")));
    }
}

impl HttpParameters {
    fn lists(&self) -> [(&'static str, &Vec<Parameter>); 3] {
        [
            ("headerParameters", &self.header_parameters),
            ("queryStringParameters", &self.query_string_parameters),
            ("bodyParameters", &self.body_parameters),
        ]
    }

    fn hide(&mut self) {
        let lists = [&mut self.header_parameters, &mut self.query_string_parameters, &mut self.body_parameters];
        for parameter in lists.into_iter().flatten().filter(|parameter| parameter.is_value_secret) {
            parameter.value = None;
        }
    }

    fn constrain(&self, constraints: &mut Constraints, at: &str) {
        for (list, parameters) in self.lists() {
            let shown = || format!("a list of {}", parameters.len());
            constraints.count(parameters.len(), shown, &format!("{at}.{list}"), 0, PARAMETERS_MAX);
            for (index, parameter) in parameters.iter().enumerate() {
                let at = format!("{at}.{list}.{}.member", index + 1);
                constraints.length(Some(&parameter.key), &format!("{at}.key"), 0, 512);
                let value = parameter.value.as_ref().map(Secret::reveal);
                constraints.secret_length(value, &format!("{at}.value"), 0, 512);
            }
        }
    }
}
