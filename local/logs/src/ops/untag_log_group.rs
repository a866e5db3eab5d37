//! `UntagLogGroup`, which `UntagResource` has replaced. Its tests stand with `TagResource`.

use aws_api::Call;
use serde::Deserialize;

use super::{Empty, untag_resource};
use crate::constraint::Constraints;
use crate::error::Error;
use crate::room::Logs;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Request {
    log_group_name: String,
    /// Their keys.
    tags: Vec<String>,
}

pub async fn run(room: &Logs, request: Request, _call: &Call) -> Result<Empty, Error> {
    Constraints::new().group(Some(&request.log_group_name), "logGroupName").check()?;
    untag_resource::remove(room, request.log_group_name, request.tags).await
}
