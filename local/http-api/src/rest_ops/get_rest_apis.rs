//! `GetRestApis`, in pages.

use aws_api::Call;
use serde::Deserialize;
use serde_json::Value;

use super::List;
use super::create_rest_api::describe;
use crate::document::page;
use crate::error::Error;
use crate::room::{Api, HttpApis};

#[derive(Deserialize)]
pub struct Request {
    limit: Option<String>,
    position: Option<String>,
}

#[expect(clippy::unused_async, reason = "the table of operations awaits every one of them")]
pub async fn run(room: &HttpApis, request: Request, _call: &Call) -> Result<List<Value>, Error> {
    let all = room.all();
    let of_rest = all.iter().filter_map(|api| match &**api {
        Api::Rest(api) => Some(describe(api)),
        Api::Http(_) => None,
    });
    page(of_rest.collect(), request.limit.as_deref(), request.position.as_deref()).map(List::from)
}
