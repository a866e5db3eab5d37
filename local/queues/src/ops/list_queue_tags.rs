//! `ListQueueTags`: the tags of a queue.

use std::collections::BTreeMap;

use aws_api::Call;
use serde::{Deserialize, Serialize};

use crate::Queues;
use crate::error::Error;
use crate::store::queues;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    queue_url: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Response {
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    tags: BTreeMap<String, String>,
}

pub async fn run(room: &Queues, request: Request, _call: &Call) -> Result<Response, Error> {
    let name = room.name_in_url(request.queue_url.as_deref())?;
    let queue = room.database.read(move |connection| queues::of_name(connection, &name)).await?;
    Ok(Response { tags: queue.tags })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::tests::Room;

    #[tokio::test]
    async fn tags_come_and_go() {
        let room = Room::new();
        let input = json!({"QueueName": "orders", "tags": {"team": "a"}});
        let url = room.call("CreateQueue", input).await.ok()["QueueUrl"].clone();
        room.call("TagQueue", json!({"QueueUrl": url, "Tags": {"team": "b", "stage": "dev"}})).await.ok();
        let tags = room.call("ListQueueTags", json!({"QueueUrl": url})).await.ok();
        assert_eq!(tags, json!({"Tags": {"team": "b", "stage": "dev"}}));
        room.call("UntagQueue", json!({"QueueUrl": url, "TagKeys": ["team", "stage", "none"]})).await.ok();
        assert_eq!(room.call("ListQueueTags", json!({"QueueUrl": url})).await.ok(), json!({}));
    }
}
