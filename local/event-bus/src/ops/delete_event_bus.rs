//! `DeleteEventBus`. A bus that is not there is deleted already.

use aws_api::Call;
use serde::Deserialize;

use super::Empty;
use crate::book::DEFAULT_BUS;
use crate::constraint::Constraints;
use crate::error::Error;
use crate::room::EventBus;
use crate::store;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    name: Option<String>,
}

pub async fn run(room: &EventBus, request: Request, _call: &Call) -> Result<Empty, Error> {
    let name = request.name.as_deref();
    Constraints::new().required(name.as_ref(), "name").bus(name, "name").check()?;
    let name = room.bus_name(name);
    if name == DEFAULT_BUS {
        return Err(Error::validation("Cannot delete event bus default."));
    }
    let deleted = room.shelf.change(move |book, connection| {
        let Some(bus) = book.find(&name) else { return Ok(Empty {}) };
        // An archive counts: on AWS it has a rule of its own on the bus.
        if !bus.rules().is_empty() || book.archives.values().any(|archive| archive.bus == name) {
            return Err(Error::validation("EventBus can't be deleted since it has rules."));
        }
        store::delete_bus(connection, bus)?;
        book.remove(&name);
        Ok(Empty {})
    });
    deleted.await
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::Room;

    #[tokio::test]
    async fn deletes_what_has_no_rules() {
        let t = Room::new();
        t.call("CreateEventBus", json!({ "Name": "b" })).await.ok();
        t.rule("b", "r", r#"{"source":["s"]}"#).await;
        let refused = t.call("DeleteEventBus", json!({ "Name": "b" })).await;
        refused.error("ValidationException", "EventBus can't be deleted since it has rules.");
        t.call("DeleteRule", json!({ "Name": "r", "EventBusName": "b" })).await.ok();
        t.call("DeleteEventBus", json!({ "Name": "b" })).await.ok();
        t.call("DeleteEventBus", json!({ "Name": "b" })).await.ok();
        t.call("DescribeEventBus", json!({ "Name": "b" }))
            .await
            .error("ResourceNotFoundException", "Event bus b does not exist.");
    }

    #[tokio::test]
    async fn keeps_the_default_bus() {
        let refused = Room::new().call("DeleteEventBus", json!({ "Name": "default" })).await;
        refused.error("ValidationException", "Cannot delete event bus default.");
    }
}
