//! `RemoveTargets`.

use aws_api::Call;
use serde::Deserialize;

use super::put_targets::{FailedEntry, Response};
use crate::constraint::Constraints;
use crate::error::Error;
use crate::room::EventBus;
use crate::store;

/// Ids in one call.
const IDS_MAX: usize = 100;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    rule: Option<String>,
    event_bus_name: Option<String>,
    ids: Option<Vec<String>>,
}

pub async fn run(room: &EventBus, request: Request, _call: &Call) -> Result<Response, Error> {
    let mut constraints = Constraints::new();
    constraints.required(request.rule.as_ref(), "rule").name(request.rule.as_deref(), "rule");
    constraints.bus(request.event_bus_name.as_deref(), "eventBusName");
    constraints.required(request.ids.as_ref(), "ids");
    if let Some(ids) = &request.ids {
        constraints.count(ids.len(), || format!("[{}]", ids.join(", ")), "ids", 1, IDS_MAX);
    }
    constraints.check()?;
    let bus = room.bus_name(request.event_bus_name.as_deref());
    let name = request.rule.unwrap_or_default();
    let ids = request.ids.unwrap_or_default();
    let removed = room.shelf.change(move |book, connection| {
        let rule = book.bus_mut(&bus)?.rule_mut(&name)?;
        let is_missing = |id: &&String| !rule.targets.iter().any(|target| target.id == **id);
        let failed = ids.iter().filter(is_missing).map(|id| FailedEntry {
            target_id: id.clone(),
            error_code: "ResourceNotFoundException",
            error_message: format!("Rule '{name}' does not have a target with the Id '{id}'."),
        });
        let failed_entries: Vec<_> = failed.collect();
        rule.targets.retain(|target| !ids.contains(&target.id));
        store::put_targets(connection, rule)?;
        Ok(Response { failed_entry_count: failed_entries.len(), failed_entries })
    });
    removed.await
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::Room;

    #[tokio::test]
    async fn removes_by_id() {
        let t = Room::new();
        t.rule("default", "r", r#"{"source":["s"]}"#).await;
        t.target("default", "r", json!({ "Id": "t", "Arn": "arn:aws:sqs:us-east-1:000000000000:q" })).await;
        let removed = t.call("RemoveTargets", json!({ "Rule": "r", "Ids": ["t", "x"] })).await.ok();
        assert_eq!((&removed["FailedEntryCount"], &removed["FailedEntries"][0]["TargetId"]), (&json!(1), &json!("x")));
        assert_eq!(t.call("ListTargetsByRule", json!({ "Rule": "r" })).await.ok()["Targets"], json!([]));
        let missing = t.call("RemoveTargets", json!({ "Rule": "x", "Ids": ["t"] })).await;
        missing.error("ResourceNotFoundException", "Rule x does not exist on EventBus default.");
    }
}
