//! A REST API as `apigateway` makes it: a tree of resources with methods, authorizers, stages, deployments.
//!
//! The documents are stored and answered in the same shape. What they mean for requests is `served.rs`'s.

#![expect(clippy::struct_field_names, reason = "members have AWS's names")]

mod check;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use world::Timestamp;

use crate::document::{Other, Tags};
use crate::error::Error;
use crate::mock::{Mock, MockResponse};
use crate::route_key::RouteKey;
use crate::served::{
    Format, FunctionGuard, FunctionTarget, GatewayResponse, Guard, GuardFormat, Served, ServedRoute, Target,
    UserPoolsGuard,
};

/// AWS's for REST APIs.
pub const TIMEOUT_MS_MAX: u64 = 29_000;
const DEFAULT_SOURCE: &str = "method.request.header.Authorization";

/// All of it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RestApi {
    pub id: String,
    pub created_ms: i64,
    pub settings: Settings,
    pub tags: Tags,
    pub root_resource_id: String,
    pub resources: BTreeMap<String, Resource>,
    pub authorizers: BTreeMap<String, Authorizer>,
    pub stages: BTreeMap<String, Stage>,
    pub deployments: BTreeMap<String, StoredDeployment>,
    #[serde(default)]
    pub gateway_responses: BTreeMap<String, GatewayResponse>,
}

/// What `CreateRestApi` and `UpdateRestApi` set.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Settings {
    pub name: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub binary_media_types: Vec<String>,
    #[serde(flatten)]
    pub other: Other,
}

/// A part of a path, with its methods.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Resource {
    pub id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path_part: Option<String>,
    pub path: String,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub resource_methods: BTreeMap<String, Method>,
}

/// A method of a resource.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Method {
    #[serde(default)]
    pub http_method: String,
    pub authorization_type: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authorizer_id: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub authorization_scopes: Vec<String>,
    #[serde(default)]
    pub api_key_required: bool,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub method_responses: BTreeMap<String, Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub method_integration: Option<Integration>,
    #[serde(flatten)]
    pub other: Other,
}

/// Where a method leads.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Integration {
    #[serde(rename = "type")]
    pub kind: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uri: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credentials: Option<String>,
    #[serde(default = "timeout_ms")]
    pub timeout_in_millis: u64,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub request_templates: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub integration_responses: BTreeMap<String, MockResponse>,
    #[serde(flatten)]
    pub other: Other,
}

/// Who guards methods.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Authorizer {
    #[serde(default)]
    pub id: String,
    pub name: String,
    #[serde(rename = "type")]
    pub kind: String,
    #[serde(rename = "providerARNs", default, skip_serializing_if = "Vec::is_empty")]
    pub provider_arns: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authorizer_uri: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authorizer_credentials: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub identity_source: Option<String>,
    #[serde(flatten)]
    pub other: Other,
}

/// A stage. Times are in seconds.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Stage {
    pub stage_name: String,
    pub deployment_id: String,
    #[serde(default)]
    pub variables: BTreeMap<String, String>,
    #[serde(default)]
    pub tags: Tags,
    #[serde(default)]
    pub created_date: i64,
    #[serde(default)]
    pub last_updated_date: i64,
    #[serde(flatten)]
    pub other: Other,
}

/// A deployment.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Deployment {
    pub id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Seconds.
    pub created_date: i64,
}

/// A deployment and what it serves.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct StoredDeployment {
    pub deployment: Deployment,
    pub served: Served,
}

fn timeout_ms() -> u64 {
    TIMEOUT_MS_MAX
}

impl RestApi {
    pub fn new(id: String, root: String, settings: Settings, tags: Tags, now: Timestamp) -> Self {
        let resource = Resource {
            id: root.clone(),
            parent_id: None,
            path_part: None,
            path: "/".into(),
            resource_methods: BTreeMap::new(),
        };
        Self {
            id,
            created_ms: now.millis(),
            settings,
            tags,
            resources: BTreeMap::from([(root.clone(), resource)]),
            root_resource_id: root,
            authorizers: BTreeMap::new(),
            stages: BTreeMap::new(),
            deployments: BTreeMap::new(),
            gateway_responses: BTreeMap::new(),
        }
    }

    pub fn resource(&self, id: &str) -> Result<&Resource, Error> {
        self.resources.get(id).ok_or_else(|| Error::no_such("Resource"))
    }

    pub fn resource_mut(&mut self, id: &str) -> Result<&mut Resource, Error> {
        self.resources.get_mut(id).ok_or_else(|| Error::no_such("Resource"))
    }

    pub fn method(&self, resource: &str, method: &str) -> Result<&Method, Error> {
        self.resource(resource)?.resource_methods.get(method).ok_or_else(|| Error::no_such("Method"))
    }

    pub fn method_mut(&mut self, resource: &str, method: &str) -> Result<&mut Method, Error> {
        let resource = self.resource_mut(resource)?;
        resource.resource_methods.get_mut(method).ok_or_else(|| Error::no_such("Method"))
    }

    pub fn integration_mut(&mut self, resource: &str, method: &str) -> Result<&mut Integration, Error> {
        let method = self.method_mut(resource, method)?;
        method.method_integration.as_mut().ok_or_else(|| Error::no_such("Integration"))
    }

    /// Removes a resource and all below it.
    pub fn remove_resource(&mut self, id: &str) {
        let children: Vec<String> = {
            let of_it = self.resources.values().filter(|resource| resource.parent_id.as_deref() == Some(id));
            of_it.map(|resource| resource.id.clone()).collect()
        };
        for child in children {
            self.remove_resource(&child);
        }
        self.resources.remove(id);
    }

    /// What a deployment made now would serve.
    pub fn to_serve(&self) -> Result<Served, Error> {
        let mut routes = Vec::new();
        for resource in self.resources.values() {
            for (name, method) in &resource.resource_methods {
                let Some(integration) = &method.method_integration else {
                    return Err(Error::bad_request("No integration defined for method"));
                };
                routes.push(ServedRoute {
                    id: resource.id.clone(),
                    key: RouteKey::Path { method: name.clone(), path: resource.path.clone() },
                    guard: self.guard(method),
                    target: integration.target(),
                });
            }
        }
        if routes.is_empty() {
            return Err(Error::bad_request("The REST API doesn't contain any methods"));
        }
        Ok(Served {
            routes,
            cors: None,
            binary_media_types: self.settings.binary_media_types.clone(),
            gateway_responses: self.gateway_responses.clone(),
        })
    }

    fn guard(&self, method: &Method) -> Guard {
        match method.authorization_type.as_str() {
            "NONE" => return Guard::Open,
            "AWS_IAM" => return Guard::Signature,
            _ => {}
        }
        let authorizer = method.authorizer_id.as_ref().and_then(|id| self.authorizers.get(id));
        let Some(authorizer) = authorizer else { return Guard::Nobody };
        let source = authorizer.identity_source.clone();
        if authorizer.kind == "COGNITO_USER_POOLS" {
            let id_of = |arn: &String| arn.rsplit_once("userpool/").map(|(_, id)| id.to_owned());
            return Guard::UserPools(UserPoolsGuard {
                name: authorizer.name.clone(),
                pool_ids: authorizer.provider_arns.iter().filter_map(id_of).collect(),
                source: source.unwrap_or_else(|| DEFAULT_SOURCE.into()),
                scopes: method.authorization_scopes.clone(),
            });
        }
        let is_token = authorizer.kind == "TOKEN";
        let source = source.or_else(|| is_token.then(|| DEFAULT_SOURCE.into())).unwrap_or_default();
        let sources = source.split(',').map(|one| one.trim().to_owned()).filter(|one| !one.is_empty());
        Guard::Function(FunctionGuard {
            id: authorizer.id.clone(),
            name: authorizer.name.clone(),
            uri: authorizer.authorizer_uri.clone().unwrap_or_default(),
            format: if is_token { GuardFormat::RestToken } else { GuardFormat::RestRequest },
            sources: sources.collect(),
            as_account: authorizer.authorizer_credentials.is_some(),
        })
    }

    /// The stage that a path leads to, and the path behind it.
    pub fn stage_of<'a>(&self, path: &'a str) -> Option<(&Stage, &'a str)> {
        let rest = path.strip_prefix('/').unwrap_or(path);
        let (first, behind) = rest.find('/').map_or((rest, ""), |slash| rest.split_at(slash));
        self.stages.get(first).map(|stage| (stage, if behind.is_empty() { "/" } else { behind }))
    }

    /// What a stage serves.
    pub fn served_by(&self, stage: &Stage) -> Option<&Served> {
        self.deployments.get(&stage.deployment_id).map(|stored| &stored.served)
    }
}

impl Integration {
    /// The mock that it is.
    pub fn mock(&self) -> Mock {
        Mock { request_templates: self.request_templates.clone(), responses: self.integration_responses.clone() }
    }

    fn target(&self) -> Option<Target> {
        if self.kind == "MOCK" {
            return Some(Target::Mock(self.mock()));
        }
        Some(Target::Function(FunctionTarget {
            uri: self.uri.clone()?,
            format: Format::Rest,
            timeout_ms: self.timeout_in_millis,
            as_account: self.credentials.is_some(),
        }))
    }
}
