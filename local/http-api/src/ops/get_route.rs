//! `GetRoute`.

use aws_api::Call;
use serde::Deserialize;

use crate::error::Error;
use crate::http_api::Route;
use crate::room::HttpApis;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Request {
    api_id: String,
    route_id: String,
}

#[expect(clippy::unused_async, reason = "the table of operations awaits every one of them")]
pub async fn run(room: &HttpApis, request: Request, _call: &Call) -> Result<Route, Error> {
    room.read_http(&request.api_id, |api| {
        api.routes.get(&request.route_id).cloned().ok_or_else(|| Error::no_such("Route"))
    })
}
