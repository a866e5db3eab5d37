//! `DeleteAuthorizer`.

use aws_api::{Call, Reply};
use http::StatusCode;
use serde::Deserialize;

use crate::document::done;
use crate::error::Error;
use crate::room::HttpApis;

#[derive(Deserialize)]
pub struct Request {
    restapi_id: String,
    authorizer_id: String,
}

pub async fn run(room: &HttpApis, request: Request, _call: &Call) -> Result<Reply, Error> {
    room.change_rest(&request.restapi_id, |api| {
        let mut methods = api.resources.values().flat_map(|resource| resource.resource_methods.values());
        if methods.any(|method| method.authorizer_id.as_ref() == Some(&request.authorizer_id)) {
            return Err(Error::conflict("Cannot delete an authorizer that a method has"));
        }
        api.authorizers.remove(&request.authorizer_id).map(drop).ok_or_else(|| Error::no_such("Authorizer"))
    })
    .await?;
    Ok(done(StatusCode::ACCEPTED))
}
