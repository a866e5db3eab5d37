//! `DeleteLogStream`.

use aws_api::Call;
use serde::Deserialize;

use super::{Empty, existing_group, existing_stream};
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
    let deleted = room.database.write(move |connection| {
        let group = existing_group(connection, &request.log_group_name)?;
        let stream = existing_stream(connection, &group, &request.log_stream_name)?;
        store::delete_stream(connection, group.id, stream.id)
    });
    deleted.await.map(|()| Empty {})
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::Room;

    #[tokio::test]
    async fn its_events_go_with_it() {
        let t = Room::with_stream().await;
        t.put("s", &["one"]).await;
        t.put("t", &["two"]).await;
        let stream = json!({ "logGroupName": "g", "logStreamName": "s" });
        t.call("DeleteLogStream", stream.clone()).await.ok();
        t.call("DeleteLogStream", stream)
            .await
            .error("ResourceNotFoundException", "The specified log stream does not exist.");
        assert_eq!(t.found(json!({})).await, ["two"]);
        let groups = t.call("DescribeLogGroups", json!({})).await.ok();
        assert_eq!(groups["logGroups"][0]["storedBytes"], 3 + 26);
    }
}
