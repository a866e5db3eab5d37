//! `PutRetentionPolicy`.

use aws_api::Call;
use serde::Deserialize;

use super::{Empty, change_group};
use crate::constraint::Constraints;
use crate::error::Error;
use crate::room::Logs;
use crate::store::Group;

/// What it may be.
const DAYS: &[&str] = &[
    "1", "3", "5", "7", "14", "30", "60", "90", "120", "150", "180", "365", "400", "545", "731", "1096", "1827",
    "2192", "2557", "2922", "3288", "3653",
];

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Request {
    log_group_name: String,
    retention_in_days: i64,
}

pub async fn run(room: &Logs, request: Request, _call: &Call) -> Result<Empty, Error> {
    let mut constraints = Constraints::new();
    constraints.group(Some(&request.log_group_name), "logGroupName");
    constraints.one_of(Some(&request.retention_in_days.to_string()), "retentionInDays", DAYS).check()?;
    let change = move |group: &mut Group| {
        group.retention_days = Some(request.retention_in_days);
        Ok(())
    };
    change_group(room, request.log_group_name, change).await
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;

    use crate::testing::Room;

    const DAY: Duration = Duration::from_hours(24);

    #[tokio::test]
    async fn what_is_too_old_is_gone() {
        let t = Room::with_stream().await;
        t.put("s", &["old"]).await;
        t.world.clock.advance(2 * DAY);
        t.put("s", &["new"]).await;
        assert_eq!(t.found(json!({})).await, ["old", "new"]);
        t.call("PutRetentionPolicy", json!({ "logGroupName": "g", "retentionInDays": 1 })).await.ok();
        assert_eq!(t.found(json!({})).await, ["new"]);
        t.world.clock.advance(2 * DAY); // nobody writes, and nobody has swept yet
        assert_eq!(t.found(json!({})).await, [""; 0]);
    }

    #[tokio::test]
    async fn a_sweep_finds_groups_that_nobody_writes_to() {
        let t = Room::with_stream().await;
        t.put("s", &["old"]).await;
        t.call("PutRetentionPolicy", json!({ "logGroupName": "g", "retentionInDays": 1 })).await.ok();
        let run = tokio::spawn({
            let logs = std::sync::Arc::clone(&t.logs);
            async move { logs.run().await }
        });
        tokio::task::yield_now().await; // it waits for its hour
        t.world.clock.advance(2 * DAY);
        loop {
            let groups = t.call("DescribeLogGroups", json!({})).await.ok();
            if groups["logGroups"][0]["storedBytes"] == 0 {
                break;
            }
            tokio::task::yield_now().await;
        }
        run.abort();
    }

    #[tokio::test]
    async fn some_numbers_of_days_can_be_chosen() {
        let t = Room::with_stream().await;
        t.call("PutRetentionPolicy", json!({ "logGroupName": "g", "retentionInDays": 2 })).await.error(
            "InvalidParameterException",
            "1 validation error detected: Value '2' at 'retentionInDays' failed to satisfy constraint: Member must \
             satisfy enum value set: [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, \
             2557, 2922, 3288, 3653]",
        );
        t.call("PutRetentionPolicy", json!({ "logGroupName": "g", "retentionInDays": 14 })).await.ok();
        let groups = t.call("DescribeLogGroups", json!({})).await.ok();
        assert_eq!(groups["logGroups"][0]["retentionInDays"], 14);
        t.call("DeleteRetentionPolicy", json!({ "logGroupName": "g" })).await.ok();
        let groups = t.call("DescribeLogGroups", json!({})).await.ok();
        assert_eq!(groups["logGroups"][0].get("retentionInDays"), None);
    }
}
