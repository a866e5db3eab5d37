//! `ListLayers`: the newest fitting version of each.

use aws_api::{ApiError, Call, Reply};
use serde::{Deserialize, Serialize};

use crate::host::FunctionHost;
use crate::layer::LayerVersionAnswer;
use crate::ops::list_layer_versions::check_filters;
use crate::page::{FEW, Page};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Request {
    compatible_architecture: Option<String>,
    compatible_runtime: Option<String>,
    marker: Option<String>,
    max_items: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Response {
    layers: Vec<Item>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_marker: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Item {
    layer_name: String,
    layer_arn: String,
    latest_matching_version: LayerVersionAnswer,
}

#[expect(clippy::unused_async, reason = "the table of operations awaits every one of them")]
pub(crate) async fn run(host: &FunctionHost, request: Request, _call: &Call) -> Result<Reply, ApiError> {
    let (runtime, architecture) = (request.compatible_runtime.as_deref(), request.compatible_architecture.as_deref());
    check_filters(runtime, architecture)?;
    let page = Page::of(request.marker, request.max_items.as_deref(), FEW)?;
    let items = host.layers().into_iter().filter_map(|(name, layer)| {
        let (number, version) = layer.visible().rev().find(|(_, version)| version.fits(runtime, architecture))?;
        let layer_arn = host.layer_arn(&name);
        let latest_matching_version = LayerVersionAnswer::listed(&layer_arn, number, version);
        Some(Item { layer_name: name, layer_arn, latest_matching_version })
    });
    let (layers, next_marker) = page.cut(items.collect(), |item| item.layer_name.clone());
    Reply::json(&Response { layers, next_marker })
}
