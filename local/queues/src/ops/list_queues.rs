//! `ListQueues`: the URLs of all queues, or of those whose names begin alike.

use aws_api::Call;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use crate::Queues;
use crate::error::Error;
use crate::store::queues;

pub(super) const RESULTS_MAX: i64 = 1_000;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    #[serde(default)]
    queue_name_prefix: String,
    next_token: Option<String>,
    max_results: Option<i64>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Response {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    queue_urls: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

pub async fn run(room: &Queues, request: Request, _call: &Call) -> Result<Response, Error> {
    let count = page_size(request.max_results)?;
    let after = read_token(request.next_token.as_deref())?;
    let prefix = request.queue_name_prefix;
    let read = room.database.read(move |connection| queues::names(connection, &prefix, &after, count + 1));
    let mut names = read.await?;
    // AWS pages only for those who say how long a page is.
    let more = names.len() > count && request.max_results.is_some();
    names.truncate(count);
    let next_token = names.last().filter(|_| more).map(|name| STANDARD.encode(name));
    Ok(Response { queue_urls: names.iter().map(|name| room.url(name)).collect(), next_token })
}

pub(super) fn page_size(max_results: Option<i64>) -> Result<usize, Error> {
    let count = max_results.unwrap_or(RESULTS_MAX);
    let refused = || Error::invalid_value(count, "MaxResults", "MaxResults must be an integer between 1 and 1000.");
    let in_range = Some(count).filter(|count| (1..=RESULTS_MAX).contains(count));
    in_range.and_then(|count| usize::try_from(count).ok()).ok_or_else(refused)
}

/// The name behind which a page begins.
pub(super) fn read_token(token: Option<&str>) -> Result<String, Error> {
    let Some(token) = token else { return Ok(String::new()) };
    let name = STANDARD.decode(token).ok().and_then(|name| String::from_utf8(name).ok());
    name.ok_or_else(|| Error::invalid("Invalid or expired next token."))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::tests::Room;

    async fn names(room: &Room, input: Value) -> (Vec<String>, Value) {
        let answer = room.call("ListQueues", input).await.ok();
        let urls = answer["QueueUrls"].as_array().cloned().unwrap_or_default();
        let name = |url: &Value| url.as_str().and_then(|url| url.rsplit('/').next()).unwrap_or_default().to_owned();
        (urls.iter().map(name).collect(), answer["NextToken"].clone())
    }

    #[tokio::test]
    async fn lists_by_prefix_and_in_pages() {
        let room = Room::new();
        for name in ["b-1", "a-1", "a-3", "a-2"] {
            room.queue(name, json!({})).await;
        }
        assert_eq!(names(&room, json!({})).await.0, ["a-1", "a-2", "a-3", "b-1"]);
        let (page, token) = names(&room, json!({"QueueNamePrefix": "a-", "MaxResults": 2})).await;
        assert_eq!(page, ["a-1", "a-2"]);
        let next = json!({"QueueNamePrefix": "a-", "MaxResults": 2, "NextToken": token});
        assert_eq!(names(&room, next).await, (vec!["a-3".to_owned()], Value::Null));
    }

    #[tokio::test]
    async fn without_queues_the_answer_is_empty() {
        assert_eq!(Room::new().call("ListQueues", json!({})).await.ok(), json!({}));
    }
}
