//! `DeleteRetentionPolicy`. Its tests stand with `PutRetentionPolicy`.

use aws_api::Call;
use serde::Deserialize;

use super::{Empty, change_group};
use crate::constraint::Constraints;
use crate::error::Error;
use crate::room::Logs;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Request {
    log_group_name: String,
}

pub async fn run(room: &Logs, request: Request, _call: &Call) -> Result<Empty, Error> {
    Constraints::new().group(Some(&request.log_group_name), "logGroupName").check()?;
    let change = |group: &mut crate::store::Group| {
        group.retention_days = None;
        Ok(())
    };
    change_group(room, request.log_group_name, change).await
}
