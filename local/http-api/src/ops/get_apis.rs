//! `GetApis`, in pages.

use aws_api::Call;
use serde::Deserialize;
use serde_json::Value;

use super::List;
use super::create_api::describe;
use crate::document::page;
use crate::error::Error;
use crate::room::{Api, HttpApis};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Request {
    max_results: Option<String>,
    next_token: Option<String>,
}

#[expect(clippy::unused_async, reason = "the table of operations awaits every one of them")]
pub async fn run(room: &HttpApis, request: Request, _call: &Call) -> Result<List<Value>, Error> {
    let all = room.all();
    let of_http = all.iter().filter_map(|api| match &**api {
        Api::Http(api) => Some(describe(room, api)),
        Api::Rest(_) => None,
    });
    page(of_http.collect(), request.max_results.as_deref(), request.next_token.as_deref()).map(List::from)
}
