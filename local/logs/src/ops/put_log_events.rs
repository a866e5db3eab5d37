//! `PutLogEvents`.

use aws_api::Call;
use serde::{Deserialize, Serialize};
use world::Timestamp;

use super::{existing_group, existing_stream};
use crate::constraint::Constraints;
use crate::error::Error;
use crate::room::Logs;
use crate::store::{self, EVENT_BYTES, Group};

const EVENTS_MAX: usize = 10_000;
const BATCH_BYTES_MAX: usize = 1_048_576;
const EVENT_BYTES_MAX: usize = 1_048_576;
const SPAN_MS_MAX: i64 = 24 * 3_600_000;
const FUTURE_MS_MAX: i64 = 2 * 3_600_000;
const PAST_MS_MAX: i64 = 14 * 24 * 3_600_000;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_field_names, reason = "the wire's names")]
pub struct Request {
    log_group_name: String,
    log_stream_name: String,
    log_events: Vec<InputLogEvent>,
}

#[derive(Deserialize)]
struct InputLogEvent {
    timestamp: i64,
    message: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Response {
    next_sequence_token: String,
    #[serde(skip_serializing_if = "Rejected::is_nothing")]
    rejected_log_events_info: Rejected,
}

/// What was not stored: ends are exclusive.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_field_names, reason = "the wire's names")]
struct Rejected {
    #[serde(skip_serializing_if = "Option::is_none")]
    too_new_log_event_start_index: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    too_old_log_event_end_index: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expired_log_event_end_index: Option<usize>,
}

pub async fn run(room: &Logs, request: Request, _call: &Call) -> Result<Response, Error> {
    check(&request)?;
    let now = room.world.clock.now();
    let put = room.database.write(move |connection| {
        let group = existing_group(connection, &request.log_group_name)?;
        let stream = existing_stream(connection, &group, &request.log_stream_name)?;
        let rejected = Rejected::of(&request.log_events, &group, now);
        let from = rejected.too_old_log_event_end_index.max(rejected.expired_log_event_end_index).unwrap_or(0);
        let to = rejected.too_new_log_event_start_index.unwrap_or(request.log_events.len());
        let events = request.log_events.into_iter().take(to).skip(from);
        let events: Vec<(i64, String)> = events.map(|event| (event.timestamp, event.message)).collect();
        store::append(connection, group.id, stream.id, &events, now)?;
        store::trim(connection, group.id, now)?;
        Ok::<_, Error>((stream.id, rejected))
    });
    let (stream, rejected_log_events_info) = put.await?;
    Ok(Response { next_sequence_token: sequence_token(stream), rejected_log_events_info })
}

/// Sequence tokens are given out and never asked for again, as on AWS.
pub fn sequence_token(stream: i64) -> String {
    format!("4964{stream:052}")
}

fn check(request: &Request) -> Result<(), Error> {
    let events = &request.log_events;
    let mut constraints = Constraints::new();
    constraints.group(Some(&request.log_group_name), "logGroupName");
    constraints.stream(Some(&request.log_stream_name), "logStreamName");
    constraints.count(events.len(), if events.is_empty() { "[]" } else { "[…]" }, "logEvents", 1, EVENTS_MAX);
    for (event, index) in events.iter().zip(1..) {
        constraints.range(Some(event.timestamp), &format!("logEvents.{index}.member.timestamp"), 0, i64::MAX);
        if event.message.is_empty() {
            constraints.length(Some(""), &format!("logEvents.{index}.member.message"), 1, usize::MAX);
        }
    }
    constraints.check()?;
    let sizes = events.iter().map(|event| event.message.len() + EVENT_BYTES);
    if let Some(size) = sizes.clone().find(|size| *size > EVENT_BYTES_MAX) {
        let message = format!("Log event too large: {size} bytes exceeds limit of {EVENT_BYTES_MAX}");
        return Err(Error::invalid(message));
    }
    let size: usize = sizes.sum();
    if size > BATCH_BYTES_MAX {
        return Err(Error::invalid(format!("Upload too large: {size} bytes exceeds limit of {BATCH_BYTES_MAX}")));
    }
    if !events.is_sorted_by_key(|event| event.timestamp) {
        let message = "Log events in a single PutLogEvents request must be in chronological order.";
        return Err(Error::invalid(message));
    }
    let span = events.first().zip(events.last()).map_or(0, |(first, last)| last.timestamp - first.timestamp);
    if span > SPAN_MS_MAX {
        let message = "The batch of log events in a single PutLogEvents request cannot span more than 24 hours.";
        return Err(Error::invalid(message));
    }
    Ok(())
}

impl Rejected {
    fn of(events: &[InputLogEvent], group: &Group, now: Timestamp) -> Self {
        let before = |time: i64| events.partition_point(|event| event.timestamp < time);
        let (old, expired) = (before(now.millis() - PAST_MS_MAX), before(group.kept_from(now)));
        let new = before(now.millis() + FUTURE_MS_MAX + 1);
        Self {
            too_new_log_event_start_index: (new < events.len()).then_some(new),
            too_old_log_event_end_index: (old > 0).then_some(old),
            expired_log_event_end_index: (expired > old).then_some(expired),
        }
    }

    fn is_nothing(&self) -> bool {
        *self == Self::default()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::testing::{Answer, Room};

    const HOUR: i64 = 3_600_000;

    async fn put(t: &Room, events: &[(i64, &str)]) -> Answer {
        let events: Vec<Value> =
            events.iter().map(|(at, message)| json!({ "timestamp": t.now() + at, "message": message })).collect();
        t.call("PutLogEvents", json!({ "logGroupName": "g", "logStreamName": "s", "logEvents": events })).await
    }

    #[tokio::test]
    async fn events_are_stored_and_counted() {
        let t = Room::with_stream().await;
        let answer = put(&t, &[(-2, "one"), (-1, "two"), (-1, "three")]).await.ok();
        assert_eq!(answer["nextSequenceToken"].as_str().map(str::len), Some(56));
        assert_eq!(answer.get("rejectedLogEventsInfo"), None);
        assert_eq!(t.found(json!({})).await, ["one", "two", "three"]);
        let stream = &t.call("DescribeLogStreams", json!({ "logGroupName": "g" })).await.ok()["logStreams"][0];
        assert_eq!(stream["firstEventTimestamp"], t.now() - 2);
        assert_eq!(
            (&stream["lastEventTimestamp"], &stream["lastIngestionTime"]),
            (&json!(t.now() - 1), &json!(t.now()))
        );
    }

    #[tokio::test]
    async fn what_is_too_old_or_too_new_is_left_out() {
        let t = Room::with_stream().await;
        let answer = put(&t, &[(HOUR, "fine"), (2 * HOUR, "just"), (2 * HOUR + 1, "new")]).await.ok();
        assert_eq!(answer["rejectedLogEventsInfo"], json!({ "tooNewLogEventStartIndex": 2 }));
        let edge = -14 * 24 * HOUR;
        let answer = put(&t, &[(edge - 2, "old"), (edge - 1, "old"), (edge, "just old enough")]).await.ok();
        assert_eq!(answer["rejectedLogEventsInfo"], json!({ "tooOldLogEventEndIndex": 2 }));
        assert_eq!(t.found(json!({})).await, ["just old enough", "fine", "just"]);
        t.call("PutRetentionPolicy", json!({ "logGroupName": "g", "retentionInDays": 1 })).await.ok();
        let answer = put(&t, &[(-25 * HOUR, "expired"), (-23 * HOUR, "kept")]).await.ok();
        assert_eq!(answer["rejectedLogEventsInfo"], json!({ "expiredLogEventEndIndex": 1 }));
        assert_eq!(t.found(json!({})).await, ["kept", "fine", "just"]);
    }

    #[tokio::test]
    async fn a_batch_has_limits() {
        let t = Room::with_stream().await;
        let invalid = "InvalidParameterException";
        put(&t, &[(1, "b"), (0, "a")])
            .await
            .error(invalid, "Log events in a single PutLogEvents request must be in chronological order.");
        put(&t, &[(-25 * HOUR, "a"), (0, "b")])
            .await
            .error(invalid, "The batch of log events in a single PutLogEvents request cannot span more than 24 hours.");
        let big = "x".repeat(600_000);
        put(&t, &[(0, &big), (0, &big)])
            .await
            .error(invalid, "Upload too large: 1200052 bytes exceeds limit of 1048576");
        let big = "x".repeat(1_048_551);
        put(&t, &[(0, &big)]).await.error(invalid, "Log event too large: 1048577 bytes exceeds limit of 1048576");
        let none = "failed to satisfy constraint: Member must have length greater than or equal to 1";
        put(&t, &[]).await.error(invalid, &format!("1 validation error detected: Value '[]' at 'logEvents' {none}"));
        put(&t, &[(0, "")])
            .await
            .error(invalid, &format!("1 validation error detected: Value '' at 'logEvents.1.member.message' {none}"));
        let many = vec![(0, "x"); 10_001];
        put(&t, &many).await.error(
            invalid,
            "1 validation error detected: Value '[…]' at 'logEvents' failed to satisfy constraint: Member must have \
             length less than or equal to 10000",
        );
        assert_eq!(t.found(json!({})).await, [""; 0]);
    }

    #[tokio::test]
    async fn group_and_stream_must_be_there() {
        let t = Room::with_stream().await;
        let put = |group: &str, stream: &str| {
            let events = json!([{ "timestamp": t.now(), "message": "m" }]);
            t.call("PutLogEvents", json!({ "logGroupName": group, "logStreamName": stream, "logEvents": events }))
        };
        put("h", "s").await.error("ResourceNotFoundException", "The specified log group does not exist.");
        put("g", "t").await.error("ResourceNotFoundException", "The specified log stream does not exist.");
    }
}
