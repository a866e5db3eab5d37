//! `GetResources`, in pages.

use aws_api::Call;
use serde::Deserialize;
use serde_json::Value;

use super::List;
use super::get_resource::describe;
use crate::document::{TagKeys, page};
use crate::error::Error;
use crate::room::HttpApis;

#[derive(Deserialize)]
pub struct Request {
    restapi_id: String,
    embed: Option<TagKeys>,
    limit: Option<String>,
    position: Option<String>,
}

#[expect(clippy::unused_async, reason = "the table of operations awaits every one of them")]
pub async fn run(room: &HttpApis, request: Request, _call: &Call) -> Result<List<Value>, Error> {
    room.read_rest(&request.restapi_id, |api| {
        let whole = request.embed.is_some_and(|embed| embed.has("methods"));
        let all = api.resources.values().map(|resource| describe(resource, whole)).collect();
        page(all, request.limit.as_deref(), request.position.as_deref()).map(List::from)
    })
}
