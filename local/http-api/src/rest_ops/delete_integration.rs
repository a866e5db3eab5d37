//! `DeleteIntegration`.

use aws_api::{Call, Reply};
use http::StatusCode;

use crate::document::done;
use crate::error::Error;
use crate::room::HttpApis;

pub type Request = super::MethodRequest;

pub async fn run(room: &HttpApis, request: Request, _call: &Call) -> Result<Reply, Error> {
    room.change_rest(&request.restapi_id, |api| {
        let method = api.method_mut(&request.resource_id, &request.http_method)?;
        method.method_integration.take().map(drop).ok_or_else(|| Error::no_such("Integration"))
    })
    .await?;
    Ok(done(StatusCode::NO_CONTENT))
}
