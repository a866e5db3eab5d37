//! `DeleteResource`, with all below it.

use aws_api::{Call, Reply};
use http::StatusCode;
use serde::Deserialize;

use crate::document::done;
use crate::error::Error;
use crate::room::HttpApis;

#[derive(Deserialize)]
pub struct Request {
    restapi_id: String,
    resource_id: String,
}

pub async fn run(room: &HttpApis, request: Request, _call: &Call) -> Result<Reply, Error> {
    room.change_rest(&request.restapi_id, |api| {
        api.resource(&request.resource_id)?;
        if request.resource_id == api.root_resource_id {
            return Err(Error::bad_request("Root resource cannot be deleted"));
        }
        api.remove_resource(&request.resource_id);
        Ok(())
    })
    .await?;
    Ok(done(StatusCode::ACCEPTED))
}
