//! `ListFunctions`, by name, in pages; with `FunctionVersion=ALL` every version of each.

use aws_api::{ApiError, Call, Reply};
use serde::{Deserialize, Serialize};

use crate::alias::version_text;
use crate::configuration::FunctionConfiguration;
use crate::error::Error;
use crate::host::FunctionHost;
use crate::page::{MANY, Page};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Request {
    marker: Option<String>,
    max_items: Option<String>,
    function_version: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Response<'a> {
    functions: Vec<FunctionConfiguration<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_marker: Option<String>,
}

#[expect(clippy::unused_async, reason = "the table of operations awaits every one of them")]
pub(crate) async fn run(host: &FunctionHost, request: Request, _call: &Call) -> Result<Reply, ApiError> {
    let with_versions = match request.function_version.as_deref() {
        None => false,
        Some("ALL") => true,
        Some(other) => {
            let constraint = "Member must satisfy enum value set: [ALL]";
            return Err(Error::constraint(other, "functionVersion", constraint).into());
        }
    };
    let page = Page::of(request.marker, request.max_items.as_deref(), MANY)?;
    let deployments = host.all();
    let all = deployments.iter().flat_map(|deployment| {
        let function = &deployment.function;
        let versions = function.versions.keys().copied().map(Some).filter(|_| with_versions);
        std::iter::once(None).chain(versions).map(move |version| (deployment, version))
    });
    let key = |version| format!(":{}", version_text(version));
    let (page, next_marker) =
        page.cut(all.collect(), |(deployment, version)| deployment.function.name.clone() + &key(*version));
    let functions = page.into_iter().filter_map(|(deployment, version)| {
        let arn = deployment.arn.clone() + &if with_versions { key(version) } else { String::new() };
        Some(FunctionConfiguration::listed(host, deployment.function.shown(version)?, arn))
    });
    Reply::json(&Response { functions: functions.collect(), next_marker })
}
