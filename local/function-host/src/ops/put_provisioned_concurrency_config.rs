//! `PutProvisionedConcurrencyConfig`: sandboxes of a version that are started now and kept.
//!
//! No more are started than a function may have here; the answer tells how many that are.

use aws_api::{ApiError, Call, Reply};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use world::Timestamp;

use crate::error::Error;
use crate::function::{Function, Provisioned};
use crate::host::FunctionHost;
use crate::name::{LATEST, Qualifier};
use crate::named::Named;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Request {
    function_name: String,
    qualifier: Option<String>,
    provisioned_concurrent_executions: i64,
}

/// As Put, Get and List answer.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Response {
    #[serde(skip_serializing_if = "Option::is_none")]
    function_arn: Option<String>,
    requested_provisioned_concurrent_executions: u32,
    available_provisioned_concurrent_executions: u32,
    allocated_provisioned_concurrent_executions: u32,
    status: &'static str,
    last_modified: String,
}

pub(crate) async fn run(host: &FunctionHost, request: Request, _call: &Call) -> Result<Reply, ApiError> {
    let Some(requested) = u32::try_from(request.provisioned_concurrent_executions).ok().filter(|count| *count > 0)
    else {
        let value = request.provisioned_concurrent_executions.to_string();
        let constraint = "Member must have value greater than or equal to 1";
        return Err(Error::constraint(&value, "provisionedConcurrentExecutions", constraint).into());
    };
    let qualifier = request.qualifier.as_deref();
    if qualifier == Some(LATEST) {
        let message = "Provisioned Concurrency Configs cannot be applied to unpublished function versions.";
        return Err(Error::InvalidParameterValue(message.into()).into());
    }
    let named = find(host, "PutProvisionedConcurrencyConfig", &request.function_name, qualifier)?;
    let provisioned = Provisioned { requested, last_modified_ms: host.world().clock.now().millis() };
    let change = host.change(&named.function.name, |function| {
        check(function, &named, requested)?;
        function.at_mut(named.qualifier.as_deref()).provisioned = Some(provisioned.clone());
        Ok(())
    });
    change.await?;
    let max = host.sandboxes_max();
    if requested > max {
        let function = named.label();
        tracing::warn!(function, requested, max, "fewer sandboxes are provisioned than were asked for");
    }
    Ok(Reply::json(&Response::of(host, None, &provisioned))?.status(StatusCode::ACCEPTED))
}

/// The version or alias, which must be one.
pub(crate) fn find(
    host: &FunctionHost,
    operation: &str,
    reference: &str,
    qualifier: Option<&str>,
) -> Result<Named, Error> {
    if qualifier == Some(LATEST) {
        let message = "The function resource provided must be an alias or a published version.";
        return Err(Error::InvalidParameterValue(message.into()));
    }
    let named = host.find_alias_or_version(operation, reference, qualifier)?;
    if named.qualifier.as_deref().is_none_or(|qualifier| Qualifier::of(qualifier) == Qualifier::Latest) {
        let message = "The function resource provided must be an alias or a published version.";
        return Err(Error::InvalidParameterValue(message.into()));
    }
    Ok(named)
}

/// A version is provisioned by itself or by an alias, never by both; and no more than is reserved.
fn check(function: &Function, named: &Named, requested: u32) -> Result<(), Error> {
    let is_provisioned = |at: &str| function.at(Some(at)).is_some_and(|configured| configured.provisioned.is_some());
    if let Some(alias) = named.alias() {
        if alias.versions().any(|version| is_provisioned(&version.to_string())) {
            let message =
                "Alias can't be used for Provisioned Concurrency configuration on an already Provisioned version";
            return Err(Error::ResourceConflict(message.into()));
        }
    } else if let Some(version) = named.version() {
        let mut aliases = function.aliases.iter();
        if aliases.any(|(name, alias)| is_provisioned(name) && alias.versions().any(|other| other == version)) {
            return Err(Error::ResourceConflict("Version is pointed by a Provisioned Concurrency alias".into()));
        }
    }
    if let Some(reserved) = function.reserved_concurrency {
        let others = function.qualified.iter().filter(|(at, _)| Some(at.as_str()) != named.qualifier.as_deref());
        let others: u32 = others.filter_map(|(_, configured)| Some(configured.provisioned.as_ref()?.requested)).sum();
        if others.saturating_add(requested) > reserved {
            return Err(Error::InvalidParameterValue(format!(
                "Requested Provisioned Concurrency should not be greater than the reservedConcurrentExecution for \
                 function: {reserved}"
            )));
        }
    }
    Ok(())
}

impl Response {
    pub(crate) fn of(host: &FunctionHost, function_arn: Option<String>, provisioned: &Provisioned) -> Self {
        let count = provisioned.requested.min(host.sandboxes_max());
        let modified = Timestamp::from_millis(provisioned.last_modified_ms);
        Self {
            function_arn,
            requested_provisioned_concurrent_executions: provisioned.requested,
            available_provisioned_concurrent_executions: count,
            allocated_provisioned_concurrent_executions: count,
            status: "READY",
            last_modified: modified.format("%Y-%m-%dT%H:%M:%S+0000"),
        }
    }
}
