//! `CreateResource`: a part of a path below another.

use aws_api::{ApiError, Call, Reply};
use serde::Deserialize;

use crate::document::{created, new_id};
use crate::room::HttpApis;

#[derive(Deserialize)]
pub struct Request {
    restapi_id: String,
    parent_id: String,
    #[serde(rename = "pathPart")]
    path_part: String,
}

pub async fn run(room: &HttpApis, request: Request, _call: &Call) -> Result<Reply, ApiError> {
    let made = room.change_rest(&request.restapi_id, |api| {
        let resource = api.child(new_id(&room.world), &request.parent_id, &request.path_part)?;
        api.resources.insert(resource.id.clone(), resource.clone());
        Ok(resource)
    });
    created(&made.await?)
}
