//! `FilterLogEvents`: the events of a group that match a pattern.

use std::collections::HashMap;

use aws_api::Call;
use rusqlite::Connection;
use serde::{Deserialize, Serialize};

use super::existing_group;
use crate::arn;
use crate::constraint::Constraints;
use crate::error::Error;
use crate::pattern::Pattern;
use crate::position::Position;
use crate::room::Logs;
use crate::store::{self, EVENT_BYTES, Event, READ_BYTES_MAX, Span};

const EVENTS_MAX: i64 = 10_000;
const STREAMS_MAX: usize = 100;
const PATTERN_CHARS_MAX: usize = 1024;
/// Looked at before others get their turn.
const EVENTS_AT_ONCE: usize = 1000;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Request {
    log_group_name: Option<String>,
    log_group_identifier: Option<String>,
    log_stream_names: Option<Vec<String>>,
    log_stream_name_prefix: Option<String>,
    start_time: Option<i64>,
    end_time: Option<i64>,
    filter_pattern: Option<String>,
    next_token: Option<String>,
    limit: Option<i64>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Response {
    events: Vec<FilteredLogEvent>,
    /// Always empty, as on AWS since 2020.
    searched_log_streams: [(); 0],
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct FilteredLogEvent {
    log_stream_name: String,
    timestamp: i64,
    message: String,
    ingestion_time: i64,
    event_id: String,
}

/// What is looked through.
#[derive(Clone)]
struct Search {
    group: i64,
    /// Those asked for; nothing means all.
    streams: Option<Vec<i64>>,
    from: Position,
    to: Position,
}

pub async fn run(room: &Logs, request: Request, _call: &Call) -> Result<Response, Error> {
    check(&request)?;
    let group_name =
        arn::named(&room.world.place, request.log_group_name.clone(), request.log_group_identifier.clone())?;
    let pattern = Pattern::parse(request.filter_pattern.as_deref().unwrap_or_default())?;
    let seen = request.next_token.as_deref().map(Position::from_token).transpose()?;
    let limit = request.limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(10_000);
    room.flush().await?; // what was printed shows at once

    let now = room.world.clock.now();
    let prepare = move |connection: &Connection| {
        let group = existing_group(connection, &group_name)?;
        let start = request.start_time.unwrap_or(0).max(group.kept_from(now));
        Ok::<_, Error>(Search {
            group: group.id,
            streams: chosen_streams(connection, group.id, &request)?,
            from: Position::before(start).max(seen.map_or(Position::before(0), Position::next)),
            to: Position::before(request.end_time.map_or(i64::MAX, |end| end.saturating_add(1))), // the end counts
        })
    };
    let search = room.database.read(prepare).await?;
    let (found, has_more) = find(room, &search, &pattern, limit).await?;
    let next_token = found.last().filter(|_| has_more).map(|last| last.position.token());
    let names = room.database.read(move |connection| store::streams(connection, search.group)).await?;
    let names: HashMap<i64, String> = names.into_iter().map(|stream| (stream.id, stream.name)).collect();
    let events = found.into_iter().map(|event| FilteredLogEvent {
        log_stream_name: names.get(&event.stream_id).cloned().unwrap_or_default(),
        timestamp: event.position.at,
        ingestion_time: event.ingested_at,
        event_id: event.position.digits(),
        message: event.message,
    });
    Ok(Response { events: events.collect(), searched_log_streams: [], next_token })
}

fn check(request: &Request) -> Result<(), Error> {
    let mut constraints = Constraints::new();
    constraints.stream(request.log_stream_name_prefix.as_deref(), "logStreamNamePrefix");
    if let Some(names) = &request.log_stream_names {
        constraints.count(names.len(), &format!("[{}]", names.join(", ")), "logStreamNames", 1, STREAMS_MAX);
        for name in names {
            constraints.stream(Some(name), "logStreamNames");
        }
    }
    constraints.length(request.filter_pattern.as_deref(), "filterPattern", 0, PATTERN_CHARS_MAX);
    constraints.range(request.start_time, "startTime", 0, i64::MAX);
    constraints.range(request.end_time, "endTime", 0, i64::MAX);
    constraints.range(request.limit, "limit", 1, EVENTS_MAX).check()?;
    if request.log_stream_names.is_some() && request.log_stream_name_prefix.is_some() {
        return Err(Error::invalid(
            "LogStreamNames and LogStreamNamePrefix parameters are both specified in the request. Only one of them can \
             be specified.",
        ));
    }
    Ok(())
}

/// The streams that are asked for; those named must be there.
fn chosen_streams(connection: &Connection, group: i64, request: &Request) -> Result<Option<Vec<i64>>, Error> {
    if let Some(names) = &request.log_stream_names {
        let ids = names.iter().map(|name| Ok(store::stream(connection, group, name)?.ok_or_else(Error::no_stream)?.id));
        return ids.collect::<Result<_, _>>().map(Some);
    }
    let Some(prefix) = &request.log_stream_name_prefix else { return Ok(None) };
    let streams = store::streams(connection, group)?.into_iter().filter(|stream| stream.name.starts_with(prefix));
    Ok(Some(streams.map(|stream| stream.id).collect()))
}

/// The first events that match, as many as fit, and whether there are more.
async fn find(room: &Logs, search: &Search, pattern: &Pattern, limit: usize) -> Result<(Vec<Event>, bool), Error> {
    let (mut found, mut bytes) = (Vec::new(), 0);
    let mut from = search.from;
    loop {
        let Search { group, streams, to, .. } = search.clone();
        let span = Span { from, to, limit: EVENTS_AT_ONCE };
        let read =
            room.database.read(move |connection| store::group_events(connection, group, span, streams.as_deref()));
        let (events, is_last) = read.await?;
        let Some(last) = events.last() else { return Ok((found, false)) };
        from = last.position.next();
        for event in events.into_iter().filter(|event| pattern.matches(&event.message)) {
            bytes += event.message.len() + EVENT_BYTES;
            if found.len() == limit || (bytes > READ_BYTES_MAX && !found.is_empty()) {
                return Ok((found, true));
            }
            found.push(event);
        }
        if is_last {
            return Ok((found, false));
        }
        tokio::task::yield_now().await;
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::{Room, messages};

    #[tokio::test]
    async fn streams_are_interleaved_by_time() {
        let t = Room::with_stream().await;
        let at = |n: i64| t.now() + n;
        t.logs.put("g", "s", vec![(at(1), "1".into()), (at(3), "3".into())]).await.expect("stored");
        t.logs.put("g", "t", vec![(at(2), "2".into()), (at(3), "3 too".into())]).await.expect("stored");
        let answer = t.filter(json!({})).await;
        assert_eq!(messages(&answer), ["1", "2", "3", "3 too"]);
        let event = &answer["events"][1];
        assert_eq!((&event["logStreamName"], &event["timestamp"]), (&json!("t"), &json!(at(2))));
        assert_eq!(event["eventId"].as_str().map(str::len), Some(56));
        assert_eq!((&answer["searchedLogStreams"], answer.get("nextToken")), (&json!([]), None));
    }

    #[tokio::test]
    async fn start_and_end_both_count() {
        let t = Room::with_stream().await;
        t.put("s", &["0", "1", "2", "3"]).await;
        let span = json!({ "startTime": t.now() + 1, "endTime": t.now() + 2 });
        assert_eq!(t.found(span).await, ["1", "2"]);
    }

    #[tokio::test]
    async fn streams_are_chosen_by_name_or_prefix() {
        let t = Room::with_stream().await;
        for stream in ["a1", "a2", "b"] {
            t.put(stream, &[stream]).await;
        }
        assert_eq!(t.found(json!({ "logStreamNames": ["a2", "b"] })).await, ["a2", "b"]);
        assert_eq!(t.found(json!({ "logStreamNamePrefix": "a" })).await, ["a1", "a2"]);
        assert_eq!(t.found(json!({ "logStreamNamePrefix": "c" })).await, [""; 0]);
        t.call("FilterLogEvents", json!({ "logGroupName": "g", "logStreamNames": ["c"] }))
            .await
            .error("ResourceNotFoundException", "The specified log stream does not exist.");
        t.call("FilterLogEvents", json!({ "logGroupName": "h" }))
            .await
            .error("ResourceNotFoundException", "The specified log group does not exist.");
    }

    #[tokio::test]
    async fn pages_hold_what_matches_and_end() {
        let t = Room::with_stream().await;
        let all: Vec<String> = (0..2500).map(|n| format!("{} {n}", if n % 500 == 0 { "yes" } else { "no" })).collect();
        t.put("s", &all.iter().map(String::as_str).collect::<Vec<_>>()).await;
        let mut found = Vec::new();
        let mut ask = json!({ "filterPattern": "yes", "limit": 2 });
        let mut pages = 0;
        loop {
            let page = t.filter(ask.clone()).await;
            found.extend(messages(&page));
            pages += 1;
            let Some(token) = page.get("nextToken") else { break };
            ask["nextToken"] = token.clone();
        }
        assert_eq!((found.join(","), pages), ("yes 0,yes 500,yes 1000,yes 1500,yes 2000".into(), 3));
    }

    #[tokio::test]
    async fn a_bad_pattern_or_token_is_refused() {
        let t = Room::with_stream().await;
        t.call("FilterLogEvents", json!({ "logGroupName": "g", "filterPattern": "a@b" }))
            .await
            .error("InvalidParameterException", "Invalid filter pattern: Invalid character(s) in term 'a@b'");
        t.call("FilterLogEvents", json!({ "logGroupName": "g", "nextToken": "x" }))
            .await
            .error("InvalidParameterException", "The specified nextToken is invalid.");
    }
}
