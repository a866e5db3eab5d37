//! `DescribeEventBus`.

use aws_api::Call;
use serde::{Deserialize, Serialize};

use super::create_event_bus::Settings;
use crate::book::Bus;
use crate::constraint::Constraints;
use crate::error::Error;
use crate::room::EventBus;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    name: Option<String>,
}

/// A bus; `ListEventBuses` has the same members.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Response {
    name: String,
    arn: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    policy: Option<String>,
    #[serde(flatten)]
    settings: Settings,
    creation_time: f64,
    last_modified_time: f64,
}

pub async fn run(room: &EventBus, request: Request, _call: &Call) -> Result<Response, Error> {
    Constraints::new().bus(request.name.as_deref(), "name").check()?;
    let name = room.bus_name(request.name.as_deref());
    Ok(Response::of(room.shelf.book().await?.bus(&name)?))
}

impl Response {
    pub fn of(bus: &Bus) -> Self {
        Self {
            name: bus.name.clone(),
            arn: bus.arn.clone(),
            policy: bus.policy.as_ref().map(ToString::to_string),
            settings: Settings::of(bus),
            creation_time: bus.created_at.epoch_seconds(),
            last_modified_time: bus.modified_at.epoch_seconds(),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::Room;

    #[tokio::test]
    async fn the_default_bus_is_always_there() {
        let t = Room::new();
        let bus = t.call("DescribeEventBus", json!({})).await.ok();
        assert_eq!(bus["Arn"], "arn:aws:events:us-east-1:000000000000:event-bus/default");
        assert_eq!(bus["CreationTime"], 1_767_225_600.0);
    }

    #[tokio::test]
    async fn names_and_arns_are_taken() {
        let t = Room::new();
        t.call("CreateEventBus", json!({ "Name": "b" })).await.ok();
        let arn = "arn:aws:events:us-east-1:000000000000:event-bus/b";
        assert_eq!(t.call("DescribeEventBus", json!({ "Name": arn })).await.ok()["Name"], "b");
        let missing = t.call("DescribeEventBus", json!({ "Name": "c" })).await;
        missing.error("ResourceNotFoundException", "Event bus c does not exist.");
    }
}
