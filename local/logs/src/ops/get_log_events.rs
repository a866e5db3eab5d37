//! `GetLogEvents`: the events of one stream, forward and backward.

use aws_api::Call;
use serde::{Deserialize, Serialize};

use super::{existing_group, existing_stream};
use crate::arn;
use crate::constraint::Constraints;
use crate::error::Error;
use crate::position::{Cursor, Position};
use crate::room::Logs;
use crate::store::{self, Edge, Event, Span};

const EVENTS_MAX: i64 = 10_000;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Request {
    log_group_name: Option<String>,
    log_group_identifier: Option<String>,
    log_stream_name: String,
    start_time: Option<i64>,
    end_time: Option<i64>,
    next_token: Option<String>,
    limit: Option<i64>,
    #[serde(default)]
    start_from_head: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Response {
    events: Vec<OutputLogEvent>,
    next_forward_token: String,
    next_backward_token: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct OutputLogEvent {
    timestamp: i64,
    message: String,
    ingestion_time: i64,
}

pub async fn run(room: &Logs, request: Request, _call: &Call) -> Result<Response, Error> {
    let mut constraints = Constraints::new();
    constraints.stream(Some(&request.log_stream_name), "logStreamName");
    constraints.range(request.start_time, "startTime", 0, i64::MAX);
    constraints.range(request.end_time, "endTime", 0, i64::MAX);
    constraints.range(request.limit, "limit", 1, EVENTS_MAX).check()?;
    let group_name = arn::named(&room.world.place, request.log_group_name, request.log_group_identifier)?;
    let cursor = request.next_token.as_deref().map(Cursor::from_token).transpose()?;
    room.flush().await?; // what was printed shows at once
    let now = room.world.clock.now();
    let (start, end) = (request.start_time.unwrap_or(0), request.end_time.unwrap_or(i64::MAX));
    let limit = request.limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(10_000);
    let edge = match cursor {
        Some(Cursor::After(_)) => Edge::Oldest,
        None if request.start_from_head => Edge::Oldest,
        Some(Cursor::Before(_)) | None => Edge::Newest,
    };
    let read = room.database.read(move |connection| {
        let group = existing_group(connection, &group_name)?;
        let stream = existing_stream(connection, &group, &request.log_stream_name)?;
        let mut from = Position::before(start.max(group.kept_from(now)));
        let mut to = Position::before(end);
        match cursor {
            Some(Cursor::After(seen)) => from = from.max(seen.next()),
            Some(Cursor::Before(seen)) => to = to.min(seen),
            None => {}
        }
        store::stream_events(connection, stream.id, Span { from, to, limit }, edge)
    });
    let (events, _) = read.await?;
    let (forward, backward) = cursors(&events, cursor, start);
    let events = events.into_iter().map(|event| OutputLogEvent {
        timestamp: event.position.at,
        message: event.message,
        ingestion_time: event.ingested_at,
    });
    Ok(Response {
        events: events.collect(),
        next_forward_token: forward.token(),
        next_backward_token: backward.token(),
    })
}

/// Where it goes on. At either end of the stream the token is the one that was given.
fn cursors(events: &[Event], given: Option<Cursor>, start: i64) -> (Cursor, Cursor) {
    if let Some((first, last)) = events.first().zip(events.last()) {
        return (Cursor::After(last.position), Cursor::Before(first.position));
    }
    match given {
        Some(Cursor::After(seen)) => (Cursor::After(seen), Cursor::Before(seen.next())),
        Some(Cursor::Before(seen)) => (Cursor::After(seen.previous()), Cursor::Before(seen)),
        None => (Cursor::After(Position::before(start)), Cursor::Before(Position::before(start))),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::testing::{Room, messages};

    async fn get(t: &Room, more: Value) -> Value {
        let mut input = json!({ "logGroupName": "g", "logStreamName": "s" });
        input.as_object_mut().expect("an object").extend(more.as_object().cloned().unwrap_or_default());
        t.call("GetLogEvents", input).await.ok()
    }

    async fn with_events() -> Room {
        let t = Room::with_stream().await;
        t.put("s", &["0", "1", "2", "3", "4"]).await;
        t.put("other", &["no"]).await;
        t
    }

    #[tokio::test]
    async fn the_latest_come_unless_told_otherwise() {
        let t = with_events().await;
        assert_eq!(messages(&get(&t, json!({ "limit": 2 })).await), ["3", "4"]);
        assert_eq!(messages(&get(&t, json!({ "limit": 2, "startFromHead": true })).await), ["0", "1"]);
        let event = &get(&t, json!({ "limit": 1 })).await["events"][0];
        assert_eq!(*event, json!({ "timestamp": t.now() + 4, "message": "4", "ingestionTime": t.now() }));
    }

    #[tokio::test]
    async fn the_start_counts_and_the_end_does_not() {
        let t = with_events().await;
        let span = json!({ "startTime": t.now() + 1, "endTime": t.now() + 3 });
        assert_eq!(messages(&get(&t, span).await), ["1", "2"]);
    }

    #[tokio::test]
    async fn tokens_lead_forward_and_backward_and_stay_at_the_ends() {
        let t = with_events().await;
        let page = get(&t, json!({ "limit": 2, "startFromHead": true })).await;
        let next = get(&t, json!({ "limit": 2, "nextToken": page["nextForwardToken"] })).await;
        assert_eq!(messages(&next), ["2", "3"]);
        let back = get(&t, json!({ "limit": 9, "nextToken": next["nextBackwardToken"] })).await;
        assert_eq!(messages(&back), ["0", "1"]);
        let end = get(&t, json!({ "nextToken": next["nextForwardToken"] })).await;
        assert_eq!(messages(&end), ["4"]);
        let none = get(&t, json!({ "nextToken": end["nextForwardToken"] })).await;
        assert_eq!((messages(&none).len(), &none["nextForwardToken"]), (0, &end["nextForwardToken"]));
        let back = get(&t, json!({ "limit": 1, "nextToken": none["nextBackwardToken"] })).await;
        assert_eq!(messages(&back), ["4"]);
        let head = get(&t, json!({ "nextToken": page["nextBackwardToken"] })).await;
        assert_eq!((messages(&head).len(), &head["nextBackwardToken"]), (0, &page["nextBackwardToken"]));
        let again = get(&t, json!({ "limit": 1, "nextToken": head["nextForwardToken"] })).await;
        assert_eq!(messages(&again), ["0"]);
    }

    #[tokio::test]
    async fn a_reader_that_waits_sees_what_comes() {
        let t = Room::with_stream().await;
        let none = get(&t, json!({ "startFromHead": true })).await;
        t.put("s", &["late"]).await;
        assert_eq!(messages(&get(&t, json!({ "nextToken": none["nextForwardToken"] })).await), ["late"]);
    }

    #[tokio::test]
    async fn an_answer_has_its_size() {
        let t = Room::with_stream().await;
        let big = "x".repeat(500_000);
        t.put("s", &[&big, &big, &big]).await;
        let first = get(&t, json!({ "startFromHead": true })).await;
        let rest = get(&t, json!({ "nextToken": first["nextForwardToken"] })).await;
        assert_eq!((messages(&first).len(), messages(&rest).len()), (2, 1));
        assert_eq!(messages(&get(&t, json!({})).await).len(), 2);
    }

    #[tokio::test]
    async fn a_token_must_be_one() {
        let t = Room::with_stream().await;
        for token in ["x", "f/1", "a/00000000000000000000000000000000000000000000000000000000/s"] {
            let input = json!({ "logGroupName": "g", "logStreamName": "s", "nextToken": token });
            t.call("GetLogEvents", input)
                .await
                .error("InvalidParameterException", "The specified nextToken is invalid.");
        }
    }

    #[tokio::test]
    async fn a_limit_has_a_limit() {
        let t = Room::with_stream().await;
        let input = json!({ "logGroupName": "g", "logStreamName": "s", "limit": 10_001 });
        t.call("GetLogEvents", input).await.error(
            "InvalidParameterException",
            "1 validation error detected: Value '10001' at 'limit' failed to satisfy constraint: Member must have value \
             less than or equal to 10000",
        );
    }
}
