//! `CreateRoute`.

use aws_api::{ApiError, Call, Reply};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::document::{created, new_id, read, report_not_honoured};
use crate::room::HttpApis;

/// What needs no engine.
pub const HARMLESS: &[&str] = &["operationName", "apiGatewayManaged"];

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Request {
    api_id: String,
    #[serde(flatten)]
    route: Map<String, Value>,
}

pub async fn run(room: &HttpApis, request: Request, _call: &Call) -> Result<Reply, ApiError> {
    let made = room.change_http(&request.api_id, |api| {
        let mut route: crate::http_api::Route = read(request.route)?;
        route.route_id = new_id(&room.world);
        api.check_route(&route)?;
        report_not_honoured(&room.world, &format!("route {}", route.route_key), &route.other, HARMLESS);
        api.routes.insert(route.route_id.clone(), route.clone());
        Ok(route)
    });
    created(&made.await?)
}
