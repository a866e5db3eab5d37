//! `ListLayerVersions`, the newest first.

use aws_api::{ApiError, Call, Reply};
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::host::FunctionHost;
use crate::layer::{LayerVersionAnswer, layer_name};
use crate::page::{FEW, Page};
use crate::runtime;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Request {
    layer_name: String,
    compatible_architecture: Option<String>,
    compatible_runtime: Option<String>,
    marker: Option<String>,
    max_items: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Response {
    layer_versions: Vec<LayerVersionAnswer>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_marker: Option<String>,
}

#[expect(clippy::unused_async, reason = "the table of operations awaits every one of them")]
pub(crate) async fn run(host: &FunctionHost, request: Request, _call: &Call) -> Result<Reply, ApiError> {
    let (runtime, architecture) = (request.compatible_runtime.as_deref(), request.compatible_architecture.as_deref());
    check_filters(runtime, architecture)?;
    let name = layer_name(&request.layer_name)?;
    let page = Page::of(request.marker, request.max_items.as_deref(), FEW)?;
    let layer = host.layers().remove(name).unwrap_or_default();
    let all = layer.visible().rev().filter(|(_, version)| version.fits(runtime, architecture)).collect();
    let (versions, next_marker) = page.cut(all, |(number, _)| number.to_string());
    let arn = host.layer_arn(name);
    let versions = versions.into_iter().map(|(number, version)| LayerVersionAnswer::listed(&arn, number, version));
    Reply::json(&Response { layer_versions: versions.collect(), next_marker })
}

/// `CompatibleRuntime` and `CompatibleArchitecture`.
pub(crate) fn check_filters(runtime: Option<&str>, architecture: Option<&str>) -> Result<(), Error> {
    if let Some(name) = runtime.filter(|name| !runtime::is_known(name)) {
        let constraint = format!("Member must satisfy enum value set: [{}]", runtime::known().join(", "));
        return Err(Error::constraint(name, "compatibleRuntime", &constraint));
    }
    if let Some(name) = architecture.filter(|name| !matches!(*name, "x86_64" | "arm64")) {
        let constraint = "Member must satisfy enum value set: [x86_64, arm64]";
        return Err(Error::constraint(name, "compatibleArchitecture", constraint));
    }
    Ok(())
}
