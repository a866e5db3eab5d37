//! `DescribeUserImportJob`.

use aws_api::Call;
use serde::Deserialize;

use super::create_user_import_job::Response;
use crate::{Error, UserPools};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    pub user_pool_id: String,
    pub job_id: String,
}

pub async fn run(room: &UserPools, request: Request, _call: &Call) -> Result<Response, Error> {
    let pool = room.pool(&request.user_pool_id)?;
    let job = room.store.declared(&pool.id, &request.job_id).await?;
    Ok(Response::of(room, &pool, job))
}
