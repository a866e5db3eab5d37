//! `EnableRule`, and the one way to change a rule's state.

use aws_api::Call;

use super::Empty;
pub use super::describe_rule::Request;
use crate::error::Error;
use crate::room::EventBus;
use crate::store;

pub async fn run(room: &EventBus, request: Request, _call: &Call) -> Result<Empty, Error> {
    set_state(room, request, "ENABLED").await
}

pub async fn set_state(room: &EventBus, request: Request, state: &'static str) -> Result<Empty, Error> {
    let (bus, name) = request.read(room)?;
    let now = room.world.clock.now();
    let changed = room.shelf.change(move |book, connection| {
        let rule = book.bus_mut(&bus)?.rule_mut(&name)?;
        if !rule.is_enabled() {
            rule.scheduled_at = now; // what was missed in between is not made up for
        }
        state.clone_into(&mut rule.state);
        store::put_rule(connection, rule)?;
        Ok(Empty {})
    });
    changed.await
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::Room;

    #[tokio::test]
    async fn a_disabled_rule_matches_nothing_until_it_is_enabled() {
        let t = Room::new();
        t.rule("default", "r", r#"{"source":["s"]}"#).await;
        t.target("default", "r", json!({ "Id": "t", "Arn": "arn:aws:sqs:us-east-1:000000000000:q" })).await;
        t.call("DisableRule", json!({ "Name": "r" })).await.ok();
        t.event("default", "s", json!({})).await;
        assert_eq!(t.queued().len(), 0);
        t.call("EnableRule", json!({ "Name": "r" })).await.ok();
        t.event("default", "s", json!({})).await;
        assert_eq!(t.queued().len(), 1);
        let missing = t.call("EnableRule", json!({ "Name": "x" })).await;
        missing.error("ResourceNotFoundException", "Rule x does not exist on EventBus default.");
    }
}
