//! `StartReplay`.

use aws_api::{Arn, Call};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use world::TraceId;

use super::put_events::read_time;
use crate::constraint::Constraints;
use crate::error::Error;
use crate::replay::{ACTIVE_MAX, Replay, State};
use crate::room::EventBus;
use crate::store;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    replay_name: Option<String>,
    description: Option<String>,
    event_source_arn: Option<String>,
    event_start_time: Option<Value>,
    event_end_time: Option<Value>,
    destination: Option<Destination>,
}

/// As `DescribeReplay` has it too.
#[derive(Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Destination {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub arn: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub filter_arns: Vec<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Response {
    replay_arn: String,
    state: &'static str,
    replay_start_time: f64,
}

pub async fn run(room: &EventBus, request: Request, _call: &Call) -> Result<Response, Error> {
    request.constrain()?;
    let name = request.replay_name.unwrap_or_default();
    let destination = request.destination.unwrap_or(Destination { arn: None, filter_arns: Vec::new() });
    let source = request.event_source_arn.unwrap_or_default();
    let time = |time: Option<Value>, parameter: &str| {
        let time = time.as_ref().and_then(read_time);
        time.ok_or_else(|| Error::parameter(parameter, Some("It is not a timestamp.")))
    };
    let from = time(request.event_start_time, "EventStartTime")?;
    let to = time(request.event_end_time, "EventEndTime")?;
    let (place, now) = (room.world.place.clone(), room.world.clock.now());
    let bus = room.bus_name(destination.arn.as_deref());
    let trace = TraceId::new(now, &room.world.random).to_string();
    let description = request.description;
    let started = room.shelf.change(move |book, connection| {
        let archive =
            source.parse::<Arn>().ok().and_then(|arn| arn.resource.strip_prefix("archive/").map(str::to_owned));
        let archive_name = archive.unwrap_or_else(|| source.clone());
        let archive = book.archives.get(&archive_name).ok_or_else(|| {
            Error::parameter("EventSourceArn", Some(&format!("Archive {archive_name} does not exist.")))
        })?;
        if bus != archive.bus {
            book.bus(&bus)?;
            return Err(Error::parameter("Destination.Arn", Some("Cross event bus replay is not permitted.")));
        }
        if to <= from {
            return Err(Error::parameter("EventEndTime", Some("EventStartTime must be before EventEndTime.")));
        }
        if book.replays.contains_key(&name) {
            return Err(Error::ResourceAlreadyExists(format!("Replay {name} already exists.")));
        }
        if book.replays.values().filter(|replay| replay.is_active()).count() >= ACTIVE_MAX {
            return Err(Error::too_many());
        }
        let replay = Replay {
            name: name.clone(),
            description,
            archive: archive_name,
            bus,
            rule_arns: destination.filter_arns.into_iter().collect(),
            from_ms: from.millis(),
            to_ms: to.millis(),
            state: State::Starting,
            state_reason: None,
            started_at_ms: now.millis(),
            ended_at_ms: None,
            position: None,
            trace,
        };
        store::put_document(connection, &replay)?;
        let response = Response {
            replay_arn: replay.arn(&place),
            state: replay.state.as_str(),
            replay_start_time: now.epoch_seconds(),
        };
        book.replays.insert(name, replay.into());
        Ok(response)
    });
    started.await
}

impl Request {
    fn constrain(&self) -> Result<(), Error> {
        let mut constraints = Constraints::new();
        constraints.required(self.replay_name.as_ref(), "replayName").name(self.replay_name.as_deref(), "replayName");
        constraints.length(self.description.as_deref(), "description", 0, 512);
        constraints.required(self.event_source_arn.as_ref(), "eventSourceArn");
        constraints.length(self.event_source_arn.as_deref(), "eventSourceArn", 1, 1600);
        constraints.required(self.event_start_time.as_ref(), "eventStartTime");
        constraints.required(self.event_end_time.as_ref(), "eventEndTime");
        constraints.required(self.destination.as_ref(), "destination");
        if let Some(destination) = &self.destination {
            constraints.required(destination.arn.as_ref(), "destination.arn");
            constraints.length(destination.arn.as_deref(), "destination.arn", 1, 1600);
        }
        constraints.check()
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
    const ARCHIVE: &str = "arn:aws:events:us-east-1:000000000000:archive/a";
    const QUEUE: &str = "arn:aws:sqs:us-east-1:000000000000:";
    const START: f64 = 1_767_225_600.0;

    fn replay(name: &str, rules: &[&str]) -> Value {
        let rules: Vec<_> =
            rules.iter().map(|rule| BUS.replace("event-bus/default", &format!("rule/{rule}"))).collect();
        json!({
            "ReplayName": name, "EventSourceArn": ARCHIVE, "EventStartTime": START, "EventEndTime": START + 3600.0,
            "Destination": { "Arn": BUS, "FilterArns": rules },
        })
    }

    /// Two rules, two queues, an archive, and two events of different minutes that were delivered.
    async fn fill(t: &Room) {
        t.call("CreateArchive", json!({ "ArchiveName": "a", "EventSourceArn": BUS })).await.ok();
        for rule in ["r1", "r2"] {
            t.rule("default", rule, r#"{"source":["s"]}"#).await;
            t.target("default", rule, json!({ "Id": "q", "Arn": format!("{QUEUE}{rule}") })).await;
        }
        t.event("default", "s", json!({ "n": 1 })).await;
        t.world.clock.advance(Duration::from_mins(2));
        t.event("default", "s", json!({ "n": 2, "data": { "userId": "u" } })).await;
        t.attempt_all().await;
    }

    async fn state(t: &Room, name: &str) -> Value {
        t.call("DescribeReplay", json!({ "ReplayName": name })).await.ok()["State"].clone()
    }

    async fn finish(t: &Room) {
        while t.bus.step_replays().await.expect("a step") {}
    }

    #[tokio::test]
    async fn goes_to_the_rules_that_are_named_in_the_order_of_time() {
        let t = Room::new();
        fill(&t).await;
        let before = t.sent().len();
        let started = t.call("StartReplay", replay("again", &["r2"])).await.ok();
        let arn = "arn:aws:events:us-east-1:000000000000:replay/again";
        assert_eq!(started, json!({ "ReplayArn": arn, "State": "STARTING", "ReplayStartTime": START + 120.0 }));
        assert!(t.bus.is_replaying().await);
        finish(&t).await;
        t.attempt_all().await;
        let sent = t.sent().split_off(before);
        let seen: Vec<_> =
            sent.iter().map(|sent| (sent.queue.rsplit(':').next().expect("a name"), &sent.body)).collect();
        assert_eq!(seen.len(), 2);
        for ((queue, body), n) in seen.iter().zip(1..) {
            assert_eq!(*queue, "r2");
            assert!(body.contains(r#""region":"us-east-1","replay-name":"again","resources":[]"#), "{body}");
            assert!(body.contains(&format!("\"n\":{n}")), "{body}");
        }
        let described = t.call("DescribeReplay", json!({ "ReplayName": "again" })).await.ok();
        assert_eq!(described["State"], "COMPLETED");
        assert_eq!(
            (&described["EventLastReplayedTime"], &described["ReplayEndTime"]),
            (&json!(START + 120.0), &json!(START + 120.0))
        );
        assert!(!t.bus.is_replaying().await);
    }

    #[tokio::test]
    async fn nothing_is_archived_twice() {
        let t = Room::new();
        fill(&t).await;
        t.call("CreateEventBus", json!({ "Name": "b" })).await.ok();
        let b = BUS.replace("default", "b");
        t.call("CreateArchive", json!({ "ArchiveName": "of-b", "EventSourceArn": b })).await.ok();
        t.target("default", "r1", json!({ "Id": "b", "Arn": b })).await;
        t.call("StartReplay", replay("again", &[])).await.ok();
        finish(&t).await;
        t.attempt_all().await;
        for (archive, count) in [("a", 2), ("of-b", 0)] {
            let described = t.call("DescribeArchive", json!({ "ArchiveName": archive })).await.ok();
            assert_eq!(described["EventCount"], count, "{archive}");
        }
    }

    #[tokio::test]
    async fn only_events_of_the_window_are_replayed() {
        let t = Room::new();
        fill(&t).await;
        let mut request = replay("again", &["r1"]);
        request["EventStartTime"] = json!(START + 60.0);
        t.call("StartReplay", request).await.ok();
        finish(&t).await;
        assert_eq!(t.queued().len(), 1);
        assert!(t.moments(world::Kind::Event).last().expect("a moment").about.contains(&"u".to_owned()));
    }

    #[tokio::test]
    async fn a_pattern_can_leave_replays_out() {
        let t = Room::new();
        fill(&t).await;
        t.rule("default", "r1", r#"{"source":["s"],"replay-name":[{"exists":false}]}"#).await;
        t.call("StartReplay", replay("again", &["r1"])).await.ok();
        finish(&t).await;
        assert_eq!(t.queued().len(), 0);
    }

    #[tokio::test]
    async fn goes_on_after_a_restart() {
        let dir = tempfile::tempdir().expect("a directory");
        let open = || Room::over(World::for_tests(1), Location::File(dir.path().join("bus.db")));
        {
            let t = open();
            fill(&t).await;
            t.call("StartReplay", replay("again", &["r1"])).await.ok();
            t.bus.step_replays().await.expect("a step");
            assert_eq!((t.queued().len(), state(&t, "again").await), (2, json!("RUNNING")));
        }
        let t = open();
        finish(&t).await;
        assert_eq!((t.queued().len(), state(&t, "again").await), (0, json!("COMPLETED")));
    }

    #[tokio::test]
    async fn can_be_cancelled_until_it_ends() {
        let t = Room::new();
        fill(&t).await;
        t.call("StartReplay", replay("again", &[])).await.ok();
        let cancelled = t.call("CancelReplay", json!({ "ReplayName": "again" })).await.ok();
        assert_eq!(cancelled["State"], "CANCELLING");
        finish(&t).await;
        assert_eq!((t.queued().len(), state(&t, "again").await), (0, json!("CANCELLED")));
        let refused = t.call("CancelReplay", json!({ "ReplayName": "again" })).await;
        refused.error("IllegalStatusException", "Replay again is not in a valid state for this operation.");
        let missing = t.call("CancelReplay", json!({ "ReplayName": "x" })).await;
        missing.error("ResourceNotFoundException", "Replay x does not exist.");
    }

    #[tokio::test]
    async fn fails_with_its_archive() {
        let t = Room::new();
        fill(&t).await;
        t.call("StartReplay", replay("again", &[])).await.ok();
        t.call("DeleteArchive", json!({ "ArchiveName": "a" })).await.ok();
        finish(&t).await;
        let described = t.call("DescribeReplay", json!({ "ReplayName": "again" })).await.ok();
        assert_eq!(
            (&described["State"], &described["StateReason"]),
            (&json!("FAILED"), &json!("Archive a does not exist."))
        );
    }

    #[tokio::test]
    async fn refuses_in_the_services_words() {
        let t = Room::new();
        fill(&t).await;
        t.call("CreateEventBus", json!({ "Name": "b" })).await.ok();
        let changed = |changes: Value| {
            let mut request = replay("n", &[]);
            for (name, value) in changes.as_object().expect("an object") {
                request[name] = value.clone();
            }
            t.call("StartReplay", request)
        };
        let message = "Parameter EventSourceArn is not valid. Reason: Archive x does not exist.";
        changed(json!({ "EventSourceArn": ARCHIVE.replace("/a", "/x") })).await.error("ValidationException", message);
        let message = "Parameter Destination.Arn is not valid. Reason: Cross event bus replay is not permitted.";
        changed(json!({ "Destination": { "Arn": BUS.replace("default", "b") } }))
            .await
            .error("ValidationException", message);
        let message = "Event bus c does not exist.";
        changed(json!({ "Destination": { "Arn": BUS.replace("default", "c") } }))
            .await
            .error("ResourceNotFoundException", message);
        let message = "Parameter EventEndTime is not valid. Reason: EventStartTime must be before EventEndTime.";
        changed(json!({ "EventEndTime": START })).await.error("ValidationException", message);
        for n in 0..10 {
            t.call("StartReplay", replay(&format!("n{n}"), &[])).await.ok();
        }
        t.call("StartReplay", replay("n0", &[]))
            .await
            .error("ResourceAlreadyExistsException", "Replay n0 already exists.");
        let message = "The requested resource exceeds the maximum number allowed.";
        t.call("StartReplay", replay("n", &[])).await.error("LimitExceededException", message);
        finish(&t).await;
        let listed =
            t.call("ListReplays", json!({ "State": "COMPLETED", "EventSourceArn": ARCHIVE, "Limit": 3 })).await.ok();
        assert_eq!((listed["Replays"].as_array().map(Vec::len), listed["NextToken"].is_string()), (Some(3), true));
        assert_eq!(t.call("ListReplays", json!({ "State": "RUNNING" })).await.ok()["Replays"], json!([]));
        t.world.clock.advance(Duration::from_hours(91 * 24));
        t.bus.sweep().await.expect("it sweeps");
        assert_eq!(t.call("ListReplays", json!({})).await.ok()["Replays"], json!([]));
    }
}
