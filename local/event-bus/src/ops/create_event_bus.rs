//! `CreateEventBus`.

use aws_api::Call;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::book::{Bus, BusSettings, DEFAULT_BUS};
use crate::constraint::{BUS_NAME_FORM, Constraints, is_bus_name};
use crate::error::Error;
use crate::room::EventBus;
use crate::store;
use crate::tags::{self, Tag};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    name: Option<String>,
    event_source_name: Option<String>,
    #[serde(default)]
    tags: Vec<Tag>,
    #[serde(flatten)]
    settings: Settings,
}

/// What `UpdateEventBus` can change as well.
#[derive(Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Settings {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kms_key_identifier: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dead_letter_config: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log_config: Option<Value>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Response {
    event_bus_arn: String,
    #[serde(flatten)]
    settings: Settings,
}

pub async fn run(room: &EventBus, request: Request, _call: &Call) -> Result<Response, Error> {
    let mut constraints = Constraints::new();
    constraints.required(request.name.as_ref(), "name");
    constraints.length(request.name.as_deref(), "name", 1, 256);
    constraints.form(request.name.as_deref(), "name", BUS_NAME_FORM, is_bus_name);
    request.settings.constrain(&mut constraints);
    constraints.check()?;
    let name = request.name.unwrap_or_default();
    if request.event_source_name.is_some() {
        return Err(Error::not_implemented("EventSourceName (a partner event source)"));
    }
    if name.contains('/') {
        return Err(Error::validation("Event bus name must not contain '/'."));
    }
    if name == DEFAULT_BUS {
        return Err(Error::bus_exists(&name));
    }
    let tags = tags::read(request.tags)?;
    tags::check_count(&tags)?;
    let settings = request.settings.read(&name);
    let (place, now) = (room.world.place.clone(), room.world.clock.now());
    let made = room.shelf.change(move |book, connection| {
        if book.find(&name).is_some() {
            return Err(Error::bus_exists(&name));
        }
        let mut bus = Bus::new(&place, &name, settings, now);
        bus.tags = tags;
        store::put_bus(connection, &bus)?;
        store::put_tags(connection, &bus.arn, &bus.tags)?;
        let response = Response { event_bus_arn: bus.arn.clone(), settings: Settings::of(&bus) };
        book.put(bus);
        Ok(response)
    });
    made.await
}

impl Settings {
    /// As a bus has them.
    pub fn of(bus: &Bus) -> Self {
        let BusSettings { description, kms_key_identifier, dead_letter_config, log_config } = bus.settings.clone();
        Self { description, kms_key_identifier, dead_letter_config, log_config }
    }

    pub fn constrain(&self, constraints: &mut Constraints) {
        constraints.length(self.description.as_deref(), "description", 0, 512);
        constraints.length(self.kms_key_identifier.as_deref(), "kmsKeyIdentifier", 0, 2048);
    }

    /// What has no effect here is named.
    pub fn read(self, bus: &str) -> BusSettings {
        let Self { description, kms_key_identifier, dead_letter_config, log_config } = self;
        let ineffective = [
            ("KmsKeyIdentifier", kms_key_identifier.is_some()),
            ("DeadLetterConfig", dead_letter_config.is_some()),
            ("LogConfig", log_config.is_some()),
        ];
        for (setting, _) in ineffective.iter().filter(|(_, is_given)| *is_given) {
            tracing::warn!(bus, "{setting} of an event bus is kept and shown, and has no effect");
        }
        BusSettings { description, kms_key_identifier, dead_letter_config, log_config }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::Room;

    #[tokio::test]
    async fn makes_a_bus_once() {
        let t = Room::new();
        let made = t.call("CreateEventBus", json!({ "Name": "b", "Description": "d" })).await.ok();
        assert_eq!(
            made,
            json!({ "EventBusArn": "arn:aws:events:us-east-1:000000000000:event-bus/b", "Description": "d" })
        );
        let again = t.call("CreateEventBus", json!({ "Name": "b" })).await;
        again.error("ResourceAlreadyExistsException", "Event bus b already exists.");
        let default = t.call("CreateEventBus", json!({ "Name": "default" })).await;
        default.error("ResourceAlreadyExistsException", "Event bus default already exists.");
    }

    #[tokio::test]
    async fn refuses_names_that_are_none() {
        let t = Room::new();
        let refused = t.call("CreateEventBus", json!({ "Name": "a/b" })).await;
        refused.error("ValidationException", "Event bus name must not contain '/'.");
        let refused = t.call("CreateEventBus", json!({ "Name": "a b" })).await;
        refused.error(
            "ValidationException",
            r"1 validation error detected: Value 'a b' at 'name' failed to satisfy constraint: Member must satisfy regular expression pattern: [/\.\-_A-Za-z0-9]+",
        );
        let refused = t.call("CreateEventBus", json!({})).await;
        refused.error(
            "ValidationException",
            "1 validation error detected: Value null at 'name' failed to satisfy constraint: Member must not be null",
        );
    }
}
