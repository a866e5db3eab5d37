//! `DescribeRiskConfiguration`: of a client, or of all where it has none of its own. Its tests stand with
//! `SetRiskConfiguration`.

use aws_api::Call;
use serde::Deserialize;

use super::set_risk_configuration::Response;
use crate::declared::{RiskConfiguration, UiCustomization};
use crate::{Error, UserPools};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    user_pool_id: String,
    client_id: Option<String>,
}

pub async fn run(room: &UserPools, request: Request, _call: &Call) -> Result<Response, Error> {
    let pool = room.pool(&request.user_pool_id)?;
    for name in request.client_id.as_deref().into_iter().chain([UiCustomization::ALL]) {
        if let Some(found) = room.store.find_declared::<RiskConfiguration>(&pool.id, name).await? {
            return Ok(found.into());
        }
    }
    Ok(Response::nothing(request.user_pool_id))
}
