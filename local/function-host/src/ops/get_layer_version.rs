//! `GetLayerVersion`.

use aws_api::Call;
use serde::Deserialize;

use crate::error::Error;
use crate::host::FunctionHost;
use crate::layer::{LayerVersionAnswer, check_number, layer_name};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Request {
    pub(crate) layer_name: String,
    pub(crate) version_number: String,
}

#[expect(clippy::unused_async, reason = "the table of operations awaits every one of them")]
pub(crate) async fn run(host: &FunctionHost, request: Request, _call: &Call) -> Result<LayerVersionAnswer, Error> {
    let number = check_number(&request.version_number)?;
    let name = layer_name(&request.layer_name)?;
    let version = host.layer_version(name, number).ok_or_else(Error::resource_not_found)?;
    Ok(LayerVersionAnswer::of(host, &host.layer_arn(name), number, &version))
}
