//! `DeleteRule`. A rule that is not there is deleted already.

use aws_api::Call;

use super::Empty;
pub use super::describe_rule::Request;
use crate::error::Error;
use crate::room::EventBus;
use crate::store;

pub async fn run(room: &EventBus, request: Request, _call: &Call) -> Result<Empty, Error> {
    let (bus, name) = request.read(room)?;
    let deleted = room.shelf.change(move |book, connection| {
        let bus = book.bus_mut(&bus)?;
        let Ok(rule) = bus.rule(&name) else { return Ok(Empty {}) };
        if !rule.targets.is_empty() {
            return Err(Error::validation("Rule can't be deleted since it has targets."));
        }
        store::delete_rule(connection, rule)?;
        bus.remove_rule(&name);
        Ok(Empty {})
    });
    deleted.await
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::Room;

    #[tokio::test]
    async fn deletes_what_has_no_targets() {
        let t = Room::new();
        t.rule("default", "r", r#"{"source":["s"]}"#).await;
        t.target("default", "r", json!({ "Id": "t", "Arn": "arn:aws:sqs:us-east-1:000000000000:q" })).await;
        let refused = t.call("DeleteRule", json!({ "Name": "r" })).await;
        refused.error("ValidationException", "Rule can't be deleted since it has targets.");
        t.call("RemoveTargets", json!({ "Rule": "r", "Ids": ["t"] })).await.ok();
        t.call("DeleteRule", json!({ "Name": "r" })).await.ok();
        t.call("DeleteRule", json!({ "Name": "r" })).await.ok();
        let missing = t.call("DeleteRule", json!({ "Name": "r", "EventBusName": "b" })).await;
        missing.error("ResourceNotFoundException", "Event bus b does not exist.");
    }
}
