//! An HTTP API as `apigatewayv2` makes it: routes, integrations, authorizers, stages, deployments.
//!
//! The documents are stored and answered in the same shape. What they mean for requests is `served.rs`'s.

#![expect(clippy::struct_field_names, reason = "members have AWS's names")]

mod check;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use world::{Timestamp, World};

use crate::cors::Cors;
use crate::document::{Other, Tags, new_id};
use crate::route_key::{DEFAULT, RouteKey};
use crate::served::{Format, FunctionGuard, FunctionTarget, Guard, GuardFormat, JwtGuard, Served, ServedRoute, Target};

/// AWS's for HTTP APIs, also the longest.
pub const TIMEOUT_MS_MAX: u64 = 30_000;

/// All of it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct HttpApi {
    pub id: String,
    pub created_ms: i64,
    pub settings: Settings,
    pub tags: Tags,
    pub routes: BTreeMap<String, Route>,
    pub integrations: BTreeMap<String, Integration>,
    pub authorizers: BTreeMap<String, Authorizer>,
    pub stages: BTreeMap<String, Stage>,
    pub deployments: BTreeMap<String, StoredDeployment>,
}

/// What `CreateApi` and `UpdateApi` set.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Settings {
    pub name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cors_configuration: Option<Cors>,
    #[serde(flatten)]
    pub other: Other,
}

/// A route.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Route {
    #[serde(default)]
    pub route_id: String,
    pub route_key: RouteKey,
    /// `integrations/{id}`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    #[serde(default = "none")]
    pub authorization_type: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authorizer_id: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub authorization_scopes: Vec<String>,
    #[serde(default)]
    pub api_key_required: bool,
    #[serde(flatten)]
    pub other: Other,
}

/// What routes lead to.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Integration {
    #[serde(default)]
    pub integration_id: String,
    pub integration_type: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub integration_subtype: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub integration_uri: Option<String>,
    #[serde(default = "internet")]
    pub connection_type: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credentials_arn: Option<String>,
    #[serde(default = "first_format")]
    pub payload_format_version: String,
    #[serde(default = "timeout_ms")]
    pub timeout_in_millis: u64,
    #[serde(flatten)]
    pub other: Other,
}

/// Who guards routes.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Authorizer {
    #[serde(default)]
    pub authorizer_id: String,
    pub name: String,
    pub authorizer_type: String,
    #[serde(default)]
    pub identity_source: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jwt_configuration: Option<JwtConfiguration>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authorizer_uri: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authorizer_credentials_arn: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authorizer_payload_format_version: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enable_simple_responses: Option<bool>,
    #[serde(flatten)]
    pub other: Other,
}

/// Whose tokens a JWT authorizer takes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct JwtConfiguration {
    pub issuer: Option<String>,
    pub audience: Vec<String>,
}

/// A stage.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Stage {
    pub stage_name: String,
    #[serde(default)]
    pub auto_deploy: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deployment_id: Option<String>,
    #[serde(default)]
    pub stage_variables: BTreeMap<String, String>,
    #[serde(default)]
    pub tags: Tags,
    #[serde(default)]
    pub created_date: String,
    #[serde(default)]
    pub last_updated_date: String,
    #[serde(flatten)]
    pub other: Other,
}

/// A deployment.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Deployment {
    pub deployment_id: String,
    pub auto_deployed: bool,
    pub created_date: String,
    pub deployment_status: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// A deployment and what it serves.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct StoredDeployment {
    pub deployment: Deployment,
    pub served: Served,
}

fn none() -> String {
    "NONE".into()
}

fn internet() -> String {
    "INTERNET".into()
}

/// AWS's own default; consoles and frameworks ask for 2.0.
fn first_format() -> String {
    "1.0".into()
}

fn timeout_ms() -> u64 {
    TIMEOUT_MS_MAX
}

impl Deployment {
    pub fn new(world: &World, auto_deployed: bool, description: Option<String>) -> Self {
        Self {
            deployment_id: new_id(world),
            auto_deployed,
            created_date: date(world.clock.now()),
            deployment_status: "DEPLOYED".into(),
            description,
        }
    }
}

/// As `apigatewayv2` writes times.
pub fn date(at: Timestamp) -> String {
    at.rfc3339_seconds()
}

impl HttpApi {
    pub fn new(id: String, settings: Settings, tags: Tags, now: Timestamp) -> Self {
        Self {
            id,
            created_ms: now.millis(),
            settings,
            tags,
            routes: BTreeMap::new(),
            integrations: BTreeMap::new(),
            authorizers: BTreeMap::new(),
            stages: BTreeMap::new(),
            deployments: BTreeMap::new(),
        }
    }

    /// What a deployment made now would serve.
    pub fn to_serve(&self) -> Served {
        let routes = self.routes.values().map(|route| ServedRoute {
            id: route.route_id.clone(),
            key: route.route_key.clone(),
            guard: self.guard(route),
            target: self.target(route),
        });
        Served {
            routes: routes.collect(),
            cors: self.settings.cors_configuration.clone().filter(|cors| !cors.is_empty()),
            ..Served::default()
        }
    }

    fn target(&self, route: &Route) -> Option<Target> {
        let integration = self.integrations.get(route.target.as_deref()?.strip_prefix("integrations/")?)?;
        Some(Target::Function(FunctionTarget {
            uri: integration.integration_uri.clone()?,
            format: if integration.payload_format_version == "2.0" { Format::Http2 } else { Format::Http1 },
            timeout_ms: integration.timeout_in_millis,
            as_account: integration.credentials_arn.is_some(),
        }))
    }

    fn guard(&self, route: &Route) -> Guard {
        match route.authorization_type.as_str() {
            "NONE" => return Guard::Open,
            "AWS_IAM" => return Guard::Signature,
            _ => {}
        }
        let authorizer = route.authorizer_id.as_ref().and_then(|id| self.authorizers.get(id));
        let Some(authorizer) = authorizer else { return Guard::Nobody };
        match &authorizer.jwt_configuration {
            Some(jwt) if authorizer.authorizer_type == "JWT" => Guard::Jwt(JwtGuard {
                name: authorizer.name.clone(),
                issuer: jwt.issuer.clone().unwrap_or_default(),
                audience: jwt.audience.clone(),
                source: authorizer.identity_source.first().cloned().unwrap_or_default(),
                scopes: route.authorization_scopes.clone(),
            }),
            _ => Guard::Function(FunctionGuard {
                id: authorizer.authorizer_id.clone(),
                name: authorizer.name.clone(),
                uri: authorizer.authorizer_uri.clone().unwrap_or_default(),
                format: match authorizer.authorizer_payload_format_version.as_deref() {
                    Some("2.0") if authorizer.enable_simple_responses == Some(true) => GuardFormat::Http2Simple,
                    Some("2.0") => GuardFormat::Http2,
                    _ => GuardFormat::Http1,
                },
                sources: authorizer.identity_source.clone(),
                as_account: authorizer.authorizer_credentials_arn.is_some(),
            }),
        }
    }

    /// Deploys to the stages that are deployed to by themselves, where something has changed. What such a deployment
    /// replaces is forgotten if no other stage has it.
    pub fn deploy_by_itself(&mut self, world: &World) {
        if !self.stages.values().any(|stage| stage.auto_deploy) {
            return;
        }
        let served = self.to_serve();
        let deployments = &self.deployments;
        let is_stale = |stage: &Stage| {
            let current = stage.deployment_id.as_ref().and_then(|id| deployments.get(id));
            stage.auto_deploy && current.is_none_or(|current| current.served != served)
        };
        if !self.stages.values().any(is_stale) {
            return;
        }
        let description = Some("Automatic deployment triggered by changes to the Api configuration".to_owned());
        let deployment = Deployment::new(world, true, description);
        let id = deployment.deployment_id.clone();
        for stage in self.stages.values_mut().filter(|stage| stage.auto_deploy) {
            stage.deployment_id = Some(id.clone());
            stage.last_updated_date.clone_from(&deployment.created_date);
        }
        self.deployments.insert(id, StoredDeployment { deployment, served });
        let stages = &self.stages;
        let is_used = |id: &str| stages.values().any(|stage| stage.deployment_id.as_deref() == Some(id));
        self.deployments.retain(|id, stored| !stored.deployment.auto_deployed || is_used(id));
    }

    /// The stage that a path leads to, and the path behind it.
    pub fn stage_of<'a>(&self, path: &'a str) -> Option<(&Stage, &'a str)> {
        let rest = path.strip_prefix('/').unwrap_or(path);
        let (first, behind) = rest.find('/').map_or((rest, ""), |slash| rest.split_at(slash));
        if let Some(stage) = self.stages.get(first).filter(|_| first != DEFAULT) {
            return Some((stage, if behind.is_empty() { "/" } else { behind }));
        }
        self.stages.get(DEFAULT).map(|stage| (stage, path))
    }

    /// What a stage serves.
    pub fn served_by(&self, stage: &Stage) -> Option<&Served> {
        self.deployments.get(stage.deployment_id.as_ref()?).map(|stored| &stored.served)
    }
}
