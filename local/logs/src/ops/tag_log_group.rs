//! `TagLogGroup`, which `TagResource` has replaced. Its tests stand there.

use aws_api::Call;
use serde::Deserialize;

use super::{Empty, tag_resource};
use crate::constraint::Constraints;
use crate::error::Error;
use crate::room::Logs;
use crate::tags::Tags;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Request {
    log_group_name: String,
    tags: Tags,
}

pub async fn run(room: &Logs, request: Request, _call: &Call) -> Result<Empty, Error> {
    Constraints::new().group(Some(&request.log_group_name), "logGroupName").check()?;
    tag_resource::add(room, request.log_group_name, request.tags).await
}
