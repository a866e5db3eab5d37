//! `DeleteLogGroup`.

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
}

pub async fn run(room: &Logs, request: Request, _call: &Call) -> Result<Empty, Error> {
    Constraints::new().group(Some(&request.log_group_name), "logGroupName").check()?;
    let deleted = room.database.write(move |connection| {
        let group = existing_group(connection, &request.log_group_name)?;
        store::delete_group(connection, group.id)
    });
    deleted.await.map(|()| Empty {})
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::Room;

    #[tokio::test]
    async fn its_streams_and_events_go_with_it() {
        let t = Room::with_stream().await;
        t.put("s", &["one"]).await;
        t.call("DeleteLogGroup", json!({ "logGroupName": "g" })).await.ok();
        t.call("DeleteLogGroup", json!({ "logGroupName": "g" }))
            .await
            .error("ResourceNotFoundException", "The specified log group does not exist.");
        t.put("t", &["two"]).await;
        assert_eq!(t.found(json!({})).await, ["two"]);
        let streams = t.call("DescribeLogStreams", json!({ "logGroupName": "g" })).await.ok();
        assert_eq!(streams["logStreams"].as_array().map(Vec::len), Some(1));
    }
}
