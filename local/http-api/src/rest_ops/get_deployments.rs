//! `GetDeployments`, in pages.

use aws_api::Call;

use super::List;
use crate::document::page;
use crate::error::Error;
use crate::rest_api::Deployment;
use crate::room::HttpApis;

pub type Request = super::ListRequest;

#[expect(clippy::unused_async, reason = "the table of operations awaits every one of them")]
pub async fn run(room: &HttpApis, request: Request, _call: &Call) -> Result<List<Deployment>, Error> {
    room.read_rest(&request.restapi_id, |api| {
        let all = api.deployments.values().map(|stored| stored.deployment.clone()).collect();
        page(all, request.limit.as_deref(), request.position.as_deref()).map(List::from)
    })
}
