//! `CreateLogStream`.

use aws_api::Call;
use serde::Deserialize;

use super::{Empty, existing_group};
use crate::constraint::Constraints;
use crate::error::Error;
use crate::room::Logs;
use crate::store;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Request {
    log_group_name: String,
    log_stream_name: String,
}

pub async fn run(room: &Logs, request: Request, _call: &Call) -> Result<Empty, Error> {
    let mut constraints = Constraints::new();
    constraints.group(Some(&request.log_group_name), "logGroupName");
    constraints.stream(Some(&request.log_stream_name), "logStreamName").check()?;
    let now = room.world.clock.now();
    let added = room.database.write(move |connection| {
        let group = existing_group(connection, &request.log_group_name)?;
        store::add_stream(connection, group.id, &request.log_stream_name, now)
    });
    if added.await? { Ok(Empty {}) } else { Err(Error::stream_exists()) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::Room;

    #[tokio::test]
    async fn a_name_is_taken_once_and_needs_its_group() {
        let t = Room::with_stream().await;
        let create = |group: &str, stream: &str| {
            t.call("CreateLogStream", json!({ "logGroupName": group, "logStreamName": stream }))
        };
        create("g", "s").await.error("ResourceAlreadyExistsException", "The specified log stream already exists");
        create("h", "s").await.error("ResourceNotFoundException", "The specified log group does not exist.");
        create("g", "a:b").await.error(
            "InvalidParameterException",
            "1 validation error detected: Value 'a:b' at 'logStreamName' failed to satisfy constraint: Member must \
             satisfy regular expression pattern: [^:*]*",
        );
    }
}
