//! `DescribeLogStreams`.

use aws_api::Call;
use serde::{Deserialize, Serialize};

use super::existing_group;
use crate::arn;
use crate::constraint::Constraints;
use crate::error::Error;
use crate::page::{self, page};
use crate::room::Logs;
use crate::store::{self, Stream};

const BY_NAME: &str = "LogStreamName";
const BY_TIME: &str = "LastEventTime";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Request {
    log_group_name: Option<String>,
    log_group_identifier: Option<String>,
    log_stream_name_prefix: Option<String>,
    order_by: Option<String>,
    #[serde(default)]
    descending: bool,
    next_token: Option<String>,
    limit: Option<i64>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Response {
    log_streams: Vec<Described>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Described {
    log_stream_name: String,
    creation_time: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    first_event_timestamp: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_event_timestamp: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_ingestion_time: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    upload_sequence_token: Option<String>,
    arn: String,
    /// AWS counts those of groups alone.
    stored_bytes: i64,
}

pub async fn run(room: &Logs, request: Request, _call: &Call) -> Result<Response, Error> {
    let mut constraints = Constraints::new();
    constraints.stream(request.log_stream_name_prefix.as_deref(), "logStreamNamePrefix");
    constraints.one_of(request.order_by.as_deref(), "orderBy", &[BY_NAME, BY_TIME]);
    constraints.range(request.limit, "limit", 1, page::ITEMS_MAX).check()?;
    let by_time = request.order_by.as_deref() == Some(BY_TIME);
    if by_time && request.log_stream_name_prefix.is_some() {
        return Err(Error::invalid("Cannot order by LastEventTime with a logStreamNamePrefix."));
    }
    let group_name = arn::named(&room.world.place, request.log_group_name, request.log_group_identifier)?;
    let group_arn = arn::group_arn(&room.world.place, &group_name);
    room.flush().await?; // what was printed shows at once
    let read = move |connection: &rusqlite::Connection| {
        store::streams(connection, existing_group(connection, &group_name)?.id)
    };
    let mut streams = room.database.read(read).await?;
    if let Some(prefix) = &request.log_stream_name_prefix {
        streams.retain(|stream| stream.name.starts_with(prefix));
    }
    let key = |stream: &Stream| {
        let time = if by_time { format!("{:020}", stream.last_at.unwrap_or(0)) } else { String::new() };
        time + &stream.name
    };
    streams.sort_by_cached_key(key);
    if request.descending {
        streams.reverse();
    }
    let page = page(streams, key, request.descending, request.limit, request.next_token.as_deref())?;
    let log_streams = page.items.into_iter().map(|stream| Described::of(stream, &group_arn)).collect();
    Ok(Response { log_streams, next_token: page.next_token })
}

impl Described {
    fn of(stream: Stream, group_arn: &str) -> Self {
        Self {
            arn: format!("{group_arn}:log-stream:{}", stream.name),
            log_stream_name: stream.name,
            creation_time: stream.created_at,
            first_event_timestamp: stream.first_at,
            last_event_timestamp: stream.last_at,
            last_ingestion_time: stream.ingested_at,
            upload_sequence_token: stream.ingested_at.map(|_| super::put_log_events::sequence_token(stream.id)),
            stored_bytes: 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::testing::Room;

    async fn names(t: &Room, more: Value) -> Vec<String> {
        let mut input = json!({ "logGroupName": "g" });
        input.as_object_mut().expect("an object").extend(more.as_object().cloned().unwrap_or_default());
        let answer = t.call("DescribeLogStreams", input).await.ok();
        let streams = answer["logStreams"].as_array().expect("streams");
        streams.iter().map(|stream| stream["logStreamName"].as_str().expect("a name").to_owned()).collect()
    }

    #[tokio::test]
    async fn an_empty_stream_is_described_as_on_aws() {
        let t = Room::with_stream().await;
        let expected = json!({ "logStreams": [{
            "arn": "arn:aws:logs:us-east-1:000000000000:log-group:g:log-stream:s",
            "creationTime": t.now(),
            "logStreamName": "s",
            "storedBytes": 0,
        }] });
        for input in [
            json!({ "logGroupName": "g" }),
            json!({ "logGroupIdentifier": "g" }),
            json!({ "logGroupIdentifier": "arn:aws:logs:us-east-1:000000000000:log-group:g" }),
        ] {
            assert_eq!(t.call("DescribeLogStreams", input).await.ok(), expected);
        }
        t.call("DescribeLogStreams", json!({ "logGroupName": "g", "logGroupIdentifier": "g" }))
            .await
            .error("ValidationException", "LogGroup name and LogGroup ARN are mutually exclusive parameters.");
    }

    #[tokio::test]
    async fn lists_in_either_order_and_in_pages() {
        let t = Room::with_stream().await;
        for stream in ["b", "c", "a"] {
            t.put(stream, &["x"]).await;
            t.world.clock.advance(std::time::Duration::from_secs(1));
        }
        assert_eq!(names(&t, json!({})).await, ["a", "b", "c", "s"]);
        assert_eq!(names(&t, json!({ "logStreamNamePrefix": "b" })).await, ["b"]);
        let latest = json!({ "orderBy": "LastEventTime", "descending": true });
        assert_eq!(names(&t, latest.clone()).await, ["a", "c", "b", "s"]);
        let mut first = latest.clone();
        first["limit"] = json!(1);
        first["logGroupName"] = json!("g");
        let first = t.call("DescribeLogStreams", first).await.ok();
        let mut rest = latest;
        rest["nextToken"] = first["nextToken"].clone();
        assert_eq!(names(&t, rest).await, ["c", "b", "s"]);
    }
}
