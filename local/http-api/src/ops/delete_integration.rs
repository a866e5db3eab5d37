//! `DeleteIntegration`.

use aws_api::{Call, Reply};
use http::StatusCode;
use serde::Deserialize;

use crate::document::done;
use crate::error::Error;
use crate::room::HttpApis;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Request {
    api_id: String,
    integration_id: String,
}

pub async fn run(room: &HttpApis, request: Request, _call: &Call) -> Result<Reply, Error> {
    room.change_http(&request.api_id, |api| {
        let target = format!("integrations/{}", request.integration_id);
        if let Some(route) = api.routes.values().find(|route| route.target.as_ref() == Some(&target)) {
            return Err(Error::conflict(format!(
                "Cannot delete Integration '{}', is referenced in route: {}",
                request.integration_id, route.route_key
            )));
        }
        api.integrations.remove(&request.integration_id).map(drop).ok_or_else(|| Error::no_such("Integration"))
    })
    .await?;
    Ok(done(StatusCode::NO_CONTENT))
}
