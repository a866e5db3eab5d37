//! `ListTags`.

use std::collections::BTreeMap;

use aws_api::Call;
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::host::FunctionHost;
use crate::ops::tag_resource::{Tagged, tagged};

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
    let tags = match tagged(host, "ListTags", &request.resource)? {
        Tagged::Function(name) => {
            host.named(&name).map(|deployment| deployment.function.tags.clone()).unwrap_or_default()
        }
        Tagged::Mapping(uuid) => host.mappings.get(&uuid)?.mapping.tags.clone(),
    };
    Ok(Response { tags })
}
