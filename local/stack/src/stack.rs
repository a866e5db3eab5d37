//! What a load made, for people and tests: `GET /_tandem/stack`.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use crate::kind::Surroundings;
use crate::store::Recorded;

/// What a stack made. What it has none of is left out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Stack {
    /// Its name.
    pub name: String,
    /// The region that we pretend to be in.
    pub region: String,
    /// The account that we pretend to be.
    pub account_id: String,
    /// The user pool; of several, the first in the template.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub user_pool_id: String,
    /// Its client.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub user_pool_client_id: String,
    /// The event bus.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub event_bus_name: String,
    /// The table of profiles; of a template, its first table.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub table_name: String,
    /// The functions, by name.
    pub functions: Vec<String>,
    /// Where deliveries end that no target took.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub dead_letter_queue_url: String,
    /// Where invocations end that no attempt brought to success.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub failed_invocations_queue_url: String,
    /// The addresses of HTTP APIs and function URLs, by logical id.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub urls: BTreeMap<String, String>,
    /// Every resource of a template.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub resources: Vec<Resource>,
    /// The outputs of a template.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub outputs: BTreeMap<String, String>,
    /// What is left out, or other than on AWS, with its place.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}

/// A resource of a template.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Resource {
    /// What the template calls it.
    pub logical_id: String,
    /// Its type.
    #[serde(rename = "type")]
    pub kind: String,
    /// What `Ref` gives.
    pub physical_id: String,
    /// What `Fn::GetAtt` gives, secrets left out.
    pub attributes: BTreeMap<String, String>,
}

/// What a load did to a resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// What the template calls it.
    pub logical_id: String,
    /// Its type.
    pub kind: String,
    /// What was done.
    pub what: What,
}

/// What can be done to a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// It is new.
    Made,
    /// It was changed where it stands.
    Updated,
    /// Another stands in its place.
    Replaced,
    /// It is gone.
    Removed,
    /// It left the template and stays.
    Kept,
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Made => "made",
            Self::Updated => "updated",
            Self::Replaced => "replaced",
            Self::Removed => "removed",
            Self::Kept => "kept",
        })
    }
}

/// What came of a load.
#[derive(Clone, Debug, Default)]
pub struct Loaded {
    /// What stands now.
    pub stack: Stack,
    /// What was done; nothing if it stood already.
    pub changes: Vec<Change>,
    /// What is left out, or other than on AWS.
    pub warnings: Vec<template::Warning>,
}

impl Stack {
    pub(crate) fn of(around: &Surroundings) -> Self {
        let Surroundings { stack, place, .. } = around;
        Self { name: stack.clone(), region: place.region.clone(), account_id: place.account.clone(), ..Self::default() }
    }

    /// Adds what a stack within this one has.
    pub(crate) fn take_in(&mut self, inner: Self) {
        let first = |member: &mut String, other: String| {
            if member.is_empty() {
                *member = other;
            }
        };
        first(&mut self.user_pool_id, inner.user_pool_id);
        first(&mut self.user_pool_client_id, inner.user_pool_client_id);
        first(&mut self.event_bus_name, inner.event_bus_name);
        first(&mut self.table_name, inner.table_name);
        self.functions.extend(inner.functions);
        self.urls.extend(inner.urls);
        self.resources.extend(inner.resources);
    }

    /// Adds a resource; the first of a type gets its own member.
    pub(crate) fn add(&mut self, row: &Recorded, around: &Surroundings) {
        let id = &row.standing.id;
        let first = |member: &mut String| {
            if member.is_empty() {
                member.clone_from(id);
            }
        };
        match row.kind.as_str() {
            "AWS::Cognito::UserPool" => first(&mut self.user_pool_id),
            "AWS::Cognito::UserPoolClient" => first(&mut self.user_pool_client_id),
            "AWS::Events::EventBus" => first(&mut self.event_bus_name),
            "AWS::DynamoDB::Table" | "AWS::DynamoDB::GlobalTable" => first(&mut self.table_name),
            "AWS::Lambda::Function" => self.functions.push(id.clone()),
            _ => {}
        }
        for name in ["FunctionUrl", "ApiEndpoint"] {
            if let Some(url) = row.standing.attributes.get(name) {
                self.urls.insert(row.logical_id.clone(), url.clone());
            }
        }
        let stage = match row.kind.as_str() {
            "AWS::ApiGateway::Stage" => id,
            "AWS::ApiGateway::Deployment" => row.standing.text("StageName"),
            _ => "",
        };
        if let Some((_, port)) = around.endpoint.rsplit_once(':').filter(|_| !stage.is_empty()) {
            let (api, region) = (row.standing.text("RestApiId"), &around.place.region);
            let url = format!("http://{api}.execute-api.{region}.localhost:{port}/{stage}");
            self.urls.insert(row.logical_id.clone(), url);
        }
        let mut attributes = row.standing.attributes.clone();
        attributes.retain(|name, _| name != "ClientSecret");
        self.resources.push(Resource {
            logical_id: row.logical_id.clone(),
            kind: row.kind.clone(),
            physical_id: id.clone(),
            attributes,
        });
    }
}
