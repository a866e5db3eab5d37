//! `DeleteAuthorizer`.

use aws_api::{Call, Reply};
use http::StatusCode;
use serde::Deserialize;

use crate::document::done;
use crate::error::Error;
use crate::http_api::Route;
use crate::room::HttpApis;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Request {
    api_id: String,
    authorizer_id: String,
}

pub async fn run(room: &HttpApis, request: Request, _call: &Call) -> Result<Reply, Error> {
    room.change_http(&request.api_id, |api| {
        let is_guarded = |route: &&Route| route.authorizer_id.as_ref() == Some(&request.authorizer_id);
        if let Some(route) = api.routes.values().find(is_guarded) {
            return Err(Error::conflict(format!(
                "Cannot delete authorizer '{}', is referenced in route: {}",
                request.authorizer_id, route.route_key
            )));
        }
        api.authorizers.remove(&request.authorizer_id).map(drop).ok_or_else(|| Error::no_such("Authorizer"))
    })
    .await?;
    Ok(done(StatusCode::NO_CONTENT))
}
