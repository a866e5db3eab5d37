//! `GetLayerVersionByArn`.

use aws_api::Call;
use serde::Deserialize;

use crate::error::Error;
use crate::host::FunctionHost;
use crate::layer::{LayerVersionAnswer, is_version_arn};

const PATTERN: &str = r"((arn:(aws[a-zA-Z-]*)?:lambda:(eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}:\d{12}:layer:[a-zA-Z0-9-_]+:[0-9]+)|(arn:[a-zA-Z0-9-]+:lambda:::awslayer:[a-zA-Z0-9-_]+))";

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Request {
    arn: String,
}

#[expect(clippy::unused_async, reason = "the table of operations awaits every one of them")]
pub(crate) async fn run(host: &FunctionHost, request: Request, _call: &Call) -> Result<LayerVersionAnswer, Error> {
    if !is_version_arn(&request.arn) {
        let constraint = format!("Member must satisfy regular expression pattern: {PATTERN}");
        return Err(Error::constraint(&request.arn, "arn", &constraint));
    }
    let (name, number, version) = host.layer_version_by_arn(&request.arn).ok_or_else(Error::resource_not_found)?;
    Ok(LayerVersionAnswer::of(host, &host.layer_arn(&name), number, &version))
}
