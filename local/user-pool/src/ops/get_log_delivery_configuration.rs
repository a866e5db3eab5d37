//! `GetLogDeliveryConfiguration`. Its tests stand with `SetLogDeliveryConfiguration`.

use aws_api::Call;
use serde::Deserialize;

use super::set_log_delivery_configuration::Response;
use crate::declared::LogDelivery;
use crate::{Error, UserPools};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    user_pool_id: String,
}

pub async fn run(room: &UserPools, request: Request, _call: &Call) -> Result<Response, Error> {
    let pool = room.pool(&request.user_pool_id)?;
    let found = room.store.find_declared::<LogDelivery>(&pool.id, LogDelivery::ONLY).await?;
    Ok(Response::of(request.user_pool_id, found.map(|declared| declared.document).unwrap_or_default()))
}
