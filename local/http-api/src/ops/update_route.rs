//! `UpdateRoute`: what is named changes, the rest stays.

use aws_api::Call;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::create_route::HARMLESS;
use crate::document::{changed, report_not_honoured};
use crate::error::Error;
use crate::http_api::Route;
use crate::room::HttpApis;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Request {
    api_id: String,
    route_id: String,
    #[serde(flatten)]
    changes: Map<String, Value>,
}

pub async fn run(room: &HttpApis, request: Request, _call: &Call) -> Result<Route, Error> {
    room.change_http(&request.api_id, |api| {
        let route = api.routes.get(&request.route_id).ok_or_else(|| Error::no_such("Route"))?;
        let mut route = changed(route, request.changes)?;
        route.route_id.clone_from(&request.route_id);
        api.check_route(&route)?;
        report_not_honoured(&room.world, &format!("route {}", route.route_key), &route.other, HARMLESS);
        api.routes.insert(request.route_id, route.clone());
        Ok(route)
    })
    .await
}
