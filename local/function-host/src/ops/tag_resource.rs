//! `TagResource`.

use std::collections::BTreeMap;

use aws_api::{Arn, Call, Reply};
use http::StatusCode;
use serde::Deserialize;

use crate::error::Error;
use crate::host::FunctionHost;

/// Of a function.
const TAGS_MAX: usize = 50;
const PATTERN: &str = r"arn:(aws[a-zA-Z-]*):lambda:[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}:\d{12}:(function:[a-zA-Z0-9-_]+(:(\$LATEST|[a-zA-Z0-9-_]+))?|layer:([a-zA-Z0-9-_]+)|code-signing-config:csc-[a-z0-9]{17}|event-source-mapping:[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12})";

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Request {
    /// An ARN.
    resource: String,
    #[serde(default)]
    tags: BTreeMap<String, String>,
}

/// What can have tags.
pub(crate) enum Tagged {
    /// A function, by its name.
    Function(String),
    /// An event source mapping, by its UUID.
    Mapping(String),
}

pub(crate) async fn run(host: &FunctionHost, request: Request, _call: &Call) -> Result<Reply, Error> {
    if request.tags.is_empty() {
        let message = "An error occurred and the request cannot be processed.";
        return Err(Error::InvalidParameterValue(message.into()));
    }
    let extend = |tags: &mut BTreeMap<String, String>| {
        tags.extend(request.tags);
        check_tags(tags)
    };
    change_tags(host, tagged(host, "TagResource", &request.resource)?, extend).await?;
    Ok(Reply::bytes(StatusCode::NO_CONTENT, ""))
}

/// Not too many of them.
pub(crate) fn check_tags(tags: &BTreeMap<String, String>) -> Result<(), Error> {
    if tags.len() > TAGS_MAX {
        return Err(Error::InvalidParameterValue("Number of tags exceeds resource tag limit.".into()));
    }
    Ok(())
}

/// Changes the tags of a function or a mapping.
pub(crate) async fn change_tags(
    host: &FunctionHost,
    tagged: Tagged,
    change: impl FnOnce(&mut BTreeMap<String, String>) -> Result<(), Error>,
) -> Result<(), Error> {
    match tagged {
        Tagged::Function(name) => host.change(&name, |function| change(&mut function.tags)).await.map(drop),
        Tagged::Mapping(uuid) => host.mappings.change(&uuid, |mapping| change(&mut mapping.tags)).await.map(drop),
    }
}

/// What an ARN names: a function without a qualifier, or an event source mapping.
pub(crate) fn tagged(host: &FunctionHost, operation: &str, resource: &str) -> Result<Tagged, Error> {
    let arn: Option<Arn> = resource.parse().ok().filter(|arn: &Arn| arn.service == "lambda");
    if let Some(uuid) = arn.as_ref().and_then(|arn| arn.resource.strip_prefix("event-source-mapping:")) {
        return host.mappings.get(uuid).map(|entry| Tagged::Mapping(entry.mapping.uuid.clone()));
    }
    if arn.as_ref().is_some_and(|arn| arn.resource.starts_with("layer:")) {
        return Err(Error::InvalidParameterValue("Tags on layers are not implemented by this server".into()));
    }
    if !arn.is_some_and(|arn| arn.resource.starts_with("function:")) {
        let constraint = format!("Member must satisfy regular expression pattern: {PATTERN}");
        return Err(Error::constraint(resource, "resource", &constraint));
    }
    if resource.split(':').count() > 7 {
        let message = "Tags on function aliases and versions are not supported. Please specify a function ARN.";
        return Err(Error::InvalidParameterValue(message.into()));
    }
    Ok(Tagged::Function(host.find(operation, resource, None)?.function.name.clone()))
}
