//! `ListTags`.

use std::collections::BTreeMap;

use aws_api::Call;
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::host::FunctionHost;
use crate::ops::tag_resource::function_name;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Request {
    resource: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Response {
    tags: BTreeMap<String, String>,
}

#[expect(clippy::unused_async, reason = "the table of operations awaits every one of them")]
pub(crate) async fn run(host: &FunctionHost, request: Request, _call: &Call) -> Result<Response, Error> {
    let name = function_name(host, "ListTags", &request.resource)?;
    Ok(Response { tags: host.named(&name).map(|deployment| deployment.function.tags.clone()).unwrap_or_default() })
}
