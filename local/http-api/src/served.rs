//! What a deployment serves: the one shape that HTTP APIs and REST APIs become. The engine knows nothing else of them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::cors::Cors;
use crate::mock::Mock;
use crate::route_key::RouteKey;

/// Which of the two kinds an API is: they route, refuse and report differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    /// `apigatewayv2`
    Http,
    /// `apigateway`
    Rest,
}

/// A deployment's content.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Served {
    pub routes: Vec<ServedRoute>,
    /// Of an HTTP API.
    pub cors: Option<Cors>,
    /// Of a REST API: the types of bodies that go in Base64.
    pub binary_media_types: Vec<String>,
    /// Of a REST API: by the type of what the gateway says itself (`DEFAULT_4XX`, `UNAUTHORIZED`, …).
    pub gateway_responses: BTreeMap<String, GatewayResponse>,
}

/// A route, who guards it and where it leads.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ServedRoute {
    /// A route's id, or a resource's.
    pub id: String,
    pub key: RouteKey,
    pub guard: Guard,
    /// None if nothing was attached to it.
    pub target: Option<Target>,
}

/// Who is let in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Guard {
    /// Everybody.
    Open,
    /// Nobody: the authorizer that is named is not there.
    Nobody,
    /// Whoever signs.
    Signature,
    /// Whoever has a token of an issuer.
    Jwt(JwtGuard),
    /// Whoever has a token of one of these user pools (REST APIs).
    UserPools(UserPoolsGuard),
    /// Whomever a function lets in.
    Function(FunctionGuard),
}

/// A JWT authorizer, and the scopes that a route asks for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct JwtGuard {
    pub name: String,
    pub issuer: String,
    pub audience: Vec<String>,
    pub source: String,
    pub scopes: Vec<String>,
}

/// An authorizer of the type `COGNITO_USER_POOLS`, and the scopes that a method asks for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct UserPoolsGuard {
    pub name: String,
    pub pool_ids: Vec<String>,
    pub source: String,
    pub scopes: Vec<String>,
}

/// An authorizer that is a function.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FunctionGuard {
    pub id: String,
    pub name: String,
    pub uri: String,
    pub format: GuardFormat,
    /// What must be there for the function to be asked at all.
    pub sources: Vec<String>,
    /// Credentials are configured, so that no permission of the function's is needed.
    pub as_account: bool,
}

/// What an authorizer's function is sent, and how its answer is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum GuardFormat {
    /// An HTTP API's format 1.0; answered with a policy.
    Http1,
    /// An HTTP API's format 2.0; answered with a policy.
    Http2,
    /// An HTTP API's format 2.0; answered with `isAuthorized`.
    Http2Simple,
    /// A REST API's token alone; answered with a policy.
    RestToken,
    /// A REST API's whole request; answered with a policy.
    RestRequest,
}

/// Where a route leads.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Target {
    Function(FunctionTarget),
    Mock(Mock),
}

/// A function behind a route.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FunctionTarget {
    /// See `function_uri.rs`.
    pub uri: String,
    pub format: Format,
    pub timeout_ms: u64,
    /// Credentials are configured, so that no permission of the function's is needed.
    pub as_account: bool,
}

/// What a function is sent, and how its answer is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Format {
    /// An HTTP API's format 1.0.
    Http1,
    /// An HTTP API's format 2.0.
    Http2,
    /// A REST API's.
    Rest,
}

/// What a REST API says in the gateway's own place.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct GatewayResponse {
    pub response_type: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status_code: Option<String>,
    /// `gatewayresponse.header.{Name}` to `'text'`.
    pub response_parameters: BTreeMap<String, String>,
    /// By media type; `$context.error.messageString` and `$context.error.message` are filled in.
    pub response_templates: BTreeMap<String, String>,
}
