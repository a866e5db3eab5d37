//! `ListUserImportJobs`, by id.

use aws_api::Call;
use serde::{Deserialize, Serialize};

use super::create_user_import_job::UserImportJobType;
use crate::page_token::{PageTokens, max_results};
use crate::{Error, UserPools};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    user_pool_id: String,
    max_results: i64,
    pagination_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Response {
    user_import_jobs: Vec<UserImportJobType>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pagination_token: Option<String>,
}

pub async fn run(room: &UserPools, request: Request, _call: &Call) -> Result<Response, Error> {
    let limit = max_results(Some(request.max_results), 1, 60)?;
    let pool = room.pool(&request.user_pool_id)?;
    let tokens = PageTokens::new(room, &pool, &"ListUserImportJobs");
    let after = tokens.after(request.pagination_token.as_deref())?;
    let found = room.store.list_declared(&pool.id, after, limit + 1).await?;
    let (jobs, pagination_token) = tokens.page(found, limit);
    let user_import_jobs = jobs.into_iter().map(|job| UserImportJobType::of(room, &pool, job)).collect();
    Ok(Response { user_import_jobs, pagination_token })
}
