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

pub(crate) async fn run(host: &FunctionHost, request: Request, _call: &Call) -> Result<Reply, Error> {
    if request.tags.is_empty() {
        let message = "An error occurred and the request cannot be processed.";
        return Err(Error::InvalidParameterValue(message.into()));
    }
    let name = function_name(host, "TagResource", &request.resource)?;
    let change = host.change(&name, |function| {
        function.tags.extend(request.tags);
        check_tags(&function.tags)
    });
    change.await?;
    Ok(Reply::bytes(StatusCode::NO_CONTENT, ""))
}

/// Not too many of them.
pub(crate) fn check_tags(tags: &BTreeMap<String, String>) -> Result<(), Error> {
    if tags.len() > TAGS_MAX {
        return Err(Error::InvalidParameterValue("Number of tags exceeds resource tag limit.".into()));
    }
    Ok(())
}

/// The function of an unqualified ARN: only functions have tags here.
pub(crate) fn function_name(host: &FunctionHost, operation: &str, resource: &str) -> Result<String, Error> {
    let arn: Option<Arn> = resource.parse().ok().filter(|arn: &Arn| arn.service == "lambda");
    if !arn.is_some_and(|arn| arn.resource.starts_with("function:")) {
        let constraint = format!("Member must satisfy regular expression pattern: {PATTERN}");
        return Err(Error::constraint(resource, "resource", &constraint));
    }
    if resource.split(':').count() > 7 {
        let message = "Tags on function aliases and versions are not supported. Please specify a function ARN.";
        return Err(Error::InvalidParameterValue(message.into()));
    }
    Ok(host.find(operation, resource, None)?.function.name.clone())
}
