//! `UpdateEventBus`.

use aws_api::Call;
use serde::{Deserialize, Serialize};

use super::create_event_bus::Settings;
use crate::constraint::Constraints;
use crate::error::Error;
use crate::room::EventBus;
use crate::store;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    name: Option<String>,
    #[serde(flatten)]
    settings: Settings,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Response {
    arn: String,
    name: String,
    #[serde(flatten)]
    settings: Settings,
}

pub async fn run(room: &EventBus, request: Request, _call: &Call) -> Result<Response, Error> {
    let mut constraints = Constraints::new();
    constraints.bus(request.name.as_deref(), "name");
    request.settings.constrain(&mut constraints);
    constraints.check()?;
    let name = room.bus_name(request.name.as_deref());
    let settings = request.settings.read(&name);
    let now = room.world.clock.now();
    let changed = room.shelf.change(move |book, connection| {
        let bus = book.bus_mut(&name)?;
        bus.settings = settings;
        bus.modified_at = now;
        store::put_bus(connection, bus)?;
        Ok(Response { arn: bus.arn.clone(), name: bus.name.clone(), settings: Settings::of(bus) })
    });
    changed.await
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;

    use crate::testing::Room;

    #[tokio::test]
    async fn replaces_the_settings() {
        let t = Room::new();
        t.call("CreateEventBus", json!({ "Name": "b", "Description": "old" })).await.ok();
        t.world.clock.advance(Duration::from_mins(1));
        let updated = t.call("UpdateEventBus", json!({ "Name": "b", "Description": "new" })).await.ok();
        assert_eq!(updated["Description"], "new");
        let bus = t.call("DescribeEventBus", json!({ "Name": "b" })).await.ok();
        assert_eq!(
            (&bus["CreationTime"], &bus["LastModifiedTime"]),
            (&json!(1_767_225_600.0), &json!(1_767_225_660.0))
        );
        let missing = t.call("UpdateEventBus", json!({ "Name": "c" })).await;
        missing.error("ResourceNotFoundException", "Event bus c does not exist.");
    }
}
