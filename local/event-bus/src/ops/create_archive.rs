//! `CreateArchive`.

use aws_api::Call;
use serde::{Deserialize, Serialize};

use super::put_rule::PATTERN_CHARS_MAX;
use crate::archive::{Archive, ENABLED};
use crate::constraint::{Constraints, NAME_FORM, is_name};
use crate::document::Document;
use crate::error::Error;
use crate::pattern::Pattern;
use crate::room::EventBus;
use crate::store;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    archive_name: Option<String>,
    event_source_arn: Option<String>,
    #[serde(flatten)]
    settings: Settings,
}

/// What `UpdateArchive` can change as well.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Settings {
    pub description: Option<String>,
    pub event_pattern: Option<String>,
    pub retention_days: Option<i64>,
    pub kms_key_identifier: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Response {
    archive_arn: String,
    state: &'static str,
    creation_time: f64,
}

pub async fn run(room: &EventBus, request: Request, _call: &Call) -> Result<Response, Error> {
    let mut constraints = Constraints::new();
    constrain_name(&mut constraints, request.archive_name.as_ref());
    constraints.required(request.event_source_arn.as_ref(), "eventSourceArn");
    constraints.length(request.event_source_arn.as_deref(), "eventSourceArn", 1, 1600);
    request.settings.constrain(&mut constraints);
    constraints.check()?;
    let bus = room.bus_name(request.event_source_arn.as_deref());
    let mut archive = Archive::new(request.archive_name.unwrap_or_default(), bus, room.world.clock.now());
    request.settings.put_into(&mut archive)?;
    let place = room.world.place.clone();
    let made = room.shelf.change(move |book, connection| {
        book.bus(&archive.bus)?;
        if book.archives.contains_key(&archive.name) {
            return Err(Error::ResourceAlreadyExists(format!("Archive {} already exists.", archive.name)));
        }
        store::put_document(connection, &archive)?;
        let response = Response::of(&archive, &place);
        book.archives.insert(archive.name.clone(), archive.loaded().into());
        Ok(response)
    });
    made.await
}

/// Of an archive: 1 to 48 characters.
pub fn constrain_name(constraints: &mut Constraints, name: Option<&String>) {
    constraints.required(name, "archiveName");
    constraints.length(name.map(String::as_str), "archiveName", 1, 48);
    constraints.form(name.map(String::as_str), "archiveName", NAME_FORM, is_name);
}

impl Settings {
    pub fn constrain(&self, constraints: &mut Constraints) {
        constraints.length(self.description.as_deref(), "description", 0, 512);
        constraints.length(self.event_pattern.as_deref(), "eventPattern", 0, PATTERN_CHARS_MAX);
        constraints.range(self.retention_days, "retentionDays", 0, i64::from(i32::MAX));
        constraints.length(self.kms_key_identifier.as_deref(), "kmsKeyIdentifier", 0, 2048);
    }

    /// Changes what is given.
    pub fn put_into(self, archive: &mut Archive) -> Result<(), Error> {
        if let Some(pattern) = self.event_pattern {
            if !pattern.is_empty() {
                Pattern::compile(&pattern)?;
            }
            archive.pattern = Some(pattern).filter(|pattern| !pattern.is_empty());
        }
        if self.kms_key_identifier.is_some() {
            tracing::warn!(
                archive = archive.name,
                "KmsKeyIdentifier of an archive is kept and shown, and has no effect"
            );
            archive.kms_key_identifier = self.kms_key_identifier;
        }
        archive.description = self.description.or(archive.description.take());
        archive.retention_days = self.retention_days.unwrap_or(archive.retention_days);
        Ok(())
    }
}

impl Response {
    pub fn of(archive: &Archive, place: &world::Place) -> Self {
        let created_at = world::Timestamp::from_millis(archive.created_at_ms);
        Self { archive_arn: archive.arn(place), state: ENABLED, creation_time: created_at.epoch_seconds() }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::{Value, json};
    use storage::Location;
    use world::World;

    use crate::testing::Room;

    const BUS: &str = "arn:aws:events:us-east-1:000000000000:event-bus/default";

    async fn describe(t: &Room, name: &str) -> Value {
        t.call("DescribeArchive", json!({ "ArchiveName": name })).await.ok()
    }

    #[tokio::test]
    async fn keeps_what_its_pattern_matches() {
        let t = Room::new();
        let pattern = r#"{"source":["s"]}"#;
        let made = json!({ "ArchiveName": "a", "EventSourceArn": BUS, "EventPattern": pattern, "RetentionDays": 1 });
        let made = t.call("CreateArchive", made).await.ok();
        let arn = "arn:aws:events:us-east-1:000000000000:archive/a";
        assert_eq!(made, json!({ "ArchiveArn": arn, "State": "ENABLED", "CreationTime": 1_767_225_600.0 }));
        t.call("CreateArchive", json!({ "ArchiveName": "all", "EventSourceArn": BUS })).await.ok();
        t.event("default", "s", json!({ "a": 1 })).await;
        t.event("default", "other", json!({})).await;
        let (a, all) = (describe(&t, "a").await, describe(&t, "all").await);
        assert_eq!((&a["EventCount"], &all["EventCount"]), (&json!(1), &json!(2)));
        assert_eq!(
            (&a["EventPattern"], &a["RetentionDays"], &a["EventSourceArn"]),
            (&json!(pattern), &json!(1), &json!(BUS))
        );
        assert!(a["SizeBytes"].as_i64() > Some(150) && all["SizeBytes"].as_i64() > a["SizeBytes"].as_i64());
        assert_eq!(all["RetentionDays"], 0);
    }

    #[tokio::test]
    async fn forgets_after_its_days() {
        let t = Room::new();
        t.call("CreateArchive", json!({ "ArchiveName": "a", "EventSourceArn": BUS, "RetentionDays": 2 })).await.ok();
        t.event("default", "s", json!({})).await;
        t.world.clock.advance(Duration::from_hours(24));
        t.event("default", "s", json!({})).await;
        assert_eq!(describe(&t, "a").await["EventCount"], 2);
        t.world.clock.advance(Duration::from_hours(25));
        assert_eq!(describe(&t, "a").await["EventCount"], 1);
        t.bus.sweep().await.expect("it sweeps");
        t.call("UpdateArchive", json!({ "ArchiveName": "a", "RetentionDays": 0 })).await.ok();
        assert_eq!(describe(&t, "a").await["EventCount"], 1, "what was swept is gone");
    }

    #[tokio::test]
    async fn events_outlive_the_process() {
        let dir = tempfile::tempdir().expect("a directory");
        let open = || Room::over(World::for_tests(1), Location::File(dir.path().join("bus.db")));
        {
            let t = open();
            let pattern = r#"{"source":["s"]}"#;
            t.call("CreateArchive", json!({ "ArchiveName": "a", "EventSourceArn": BUS, "EventPattern": pattern }))
                .await
                .ok();
            t.event("default", "s", json!({})).await;
        }
        let t = open();
        assert_eq!(describe(&t, "a").await["EventCount"], 1);
        t.event("default", "other", json!({})).await;
        assert_eq!(describe(&t, "a").await["EventCount"], 1, "the pattern is there too");
    }

    #[tokio::test]
    async fn refuses_in_the_services_words() {
        let t = Room::new();
        let create =
            |name: &str, arn: &str| t.call("CreateArchive", json!({ "ArchiveName": name, "EventSourceArn": arn }));
        create("a", BUS).await.ok();
        create("a", BUS).await.error("ResourceAlreadyExistsException", "Archive a already exists.");
        let missing = BUS.replace("default", "b");
        create("b", &missing).await.error("ResourceNotFoundException", "Event bus b does not exist.");
        let message = "1 validation error detected: Value 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa' at 'archiveName' failed to satisfy constraint: Member must have length less than or equal to 48";
        create(&"a".repeat(49), BUS).await.error("ValidationException", message);
        let pattern = json!({ "ArchiveName": "c", "EventSourceArn": BUS, "EventPattern": "[]" });
        let message = "Event pattern is not valid. Reason: Filter is not an object\n at [Source: (String)\"[]\"; line: 1, column: 2]";
        t.call("CreateArchive", pattern).await.error("InvalidEventPatternException", message);
        let missing = "Archive x does not exist.";
        t.call("DescribeArchive", json!({ "ArchiveName": "x" })).await.error("ResourceNotFoundException", missing);
        t.call("DeleteArchive", json!({ "ArchiveName": "x" })).await.error("ResourceNotFoundException", missing);
        t.call("UpdateArchive", json!({ "ArchiveName": "x", "Description": "d" }))
            .await
            .error("ResourceNotFoundException", missing);
        let message = "At least one of EventPattern, RetentionDays or Description must be provided.";
        t.call("UpdateArchive", json!({ "ArchiveName": "a" })).await.error("ValidationException", message);
        t.call("CreateEventBus", json!({ "Name": "b" })).await.ok();
        create("d", &BUS.replace("default", "b")).await.ok();
        let refused = t.call("DeleteEventBus", json!({ "Name": "b" })).await;
        refused.error("ValidationException", "EventBus can't be deleted since it has rules.");
    }

    #[tokio::test]
    async fn updates_lists_and_deletes() {
        let t = Room::new();
        for name in ["a1", "a2", "b"] {
            t.call("CreateArchive", json!({ "ArchiveName": name, "EventSourceArn": BUS })).await.ok();
        }
        t.event("default", "s", json!({})).await;
        let update = json!({ "ArchiveName": "a1", "Description": "d", "EventPattern": r#"{"source":["t"]}"# });
        t.call("UpdateArchive", update).await.ok();
        t.event("default", "s", json!({})).await;
        let a1 = describe(&t, "a1").await;
        assert_eq!((&a1["Description"], &a1["EventCount"]), (&json!("d"), &json!(1)));
        let listed = t.call("ListArchives", json!({ "NamePrefix": "a", "Limit": 1 })).await.ok();
        assert_eq!(listed["Archives"][0]["ArchiveName"], "a1");
        let rest = json!({ "NamePrefix": "a", "NextToken": listed["NextToken"] });
        let rest = t.call("ListArchives", rest).await.ok();
        assert_eq!(
            (&rest["Archives"][0]["ArchiveName"], &rest["Archives"][0]["EventCount"]),
            (&json!("a2"), &json!(2))
        );
        let by_source = t.call("ListArchives", json!({ "EventSourceArn": BUS })).await.ok();
        assert_eq!(by_source["Archives"].as_array().map(Vec::len), Some(3));
        t.call("DeleteArchive", json!({ "ArchiveName": "a2" })).await.ok();
        t.call("CreateArchive", json!({ "ArchiveName": "a2", "EventSourceArn": BUS })).await.ok();
        assert_eq!(describe(&t, "a2").await["EventCount"], 0, "a new archive holds nothing of an old one");
    }
}
