//! `ListTagsLogGroup`, which `ListTagsForResource` has replaced. Its tests stand with `TagResource`.

use aws_api::Call;
use serde::Deserialize;

use super::list_tags_for_resource::{self, Response};
use crate::constraint::Constraints;
use crate::error::Error;
use crate::room::Logs;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Request {
    log_group_name: String,
}

pub async fn run(room: &Logs, request: Request, _call: &Call) -> Result<Response, Error> {
    Constraints::new().group(Some(&request.log_group_name), "logGroupName").check()?;
    list_tags_for_resource::list(room, request.log_group_name).await
}
