//! `GetQueueAttributes`: what is set of a queue, and how many messages it has.

use std::collections::BTreeMap;

use aws_api::Call;
use serde::{Deserialize, Serialize};
use world::World;

use crate::Queues;
use crate::error::Error;
use crate::queue::{Counts, Queue};
use crate::queue_attributes::is_known;
use crate::store::{messages, queues};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    queue_url: Option<String>,
    #[serde(default)]
    attribute_names: Vec<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Response {
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    attributes: BTreeMap<String, String>,
}

pub async fn run(room: &Queues, request: Request, _call: &Call) -> Result<Response, Error> {
    let name = room.name_in_url(request.queue_url.as_deref())?;
    let wanted = request.attribute_names;
    if let Some(unknown) = wanted.iter().find(|name| *name != "All" && !is_known(name)) {
        return Err(Error::unknown_attribute(unknown));
    }
    let now = room.world.clock.now();
    // Counting looks at every message, so only who asks for it pays.
    let asks = wanted.iter().any(|name| name == "All" || name.starts_with("ApproximateNumberOfMessages"));
    let read = room.database.read(move |connection| {
        let queue = queues::of_name(connection, &name)?;
        let until = queue.keeps_after(now);
        let counts = if asks { messages::counts(connection, queue.id, until, now)? } else { Counts::default() };
        Ok::<_, Error>((queue, counts))
    });
    let (queue, counts) = read.await?;
    let mut attributes = all(&room.world, &queue, counts);
    attributes.retain(|name, _| wanted.iter().any(|wanted| wanted == "All" || wanted == name));
    Ok(Response { attributes })
}

fn all(world: &World, queue: &Queue, counts: Counts) -> BTreeMap<String, String> {
    let computed = [
        ("ApproximateNumberOfMessages", counts.visible.to_string()),
        ("ApproximateNumberOfMessagesDelayed", counts.delayed.to_string()),
        ("ApproximateNumberOfMessagesNotVisible", counts.not_visible.to_string()),
        ("CreatedTimestamp", queue.created.seconds().to_string()),
        ("LastModifiedTimestamp", queue.modified.seconds().to_string()),
        ("QueueArn", queue.arn(&world.place)),
    ];
    let computed = computed.map(|(name, value)| (name.to_owned(), value));
    queue.attributes.iter().map(|(name, value)| (name.clone(), value.clone())).chain(computed).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::tests::{Room, refused};

    #[tokio::test]
    async fn tells_all_that_aws_tells_of_a_new_queue() {
        let room = Room::new();
        let url = room.queue("orders", json!({})).await;
        let answer = room.call("GetQueueAttributes", json!({"QueueUrl": url, "AttributeNames": ["All"]})).await.ok();
        assert_eq!(
            answer["Attributes"],
            json!({
                "ApproximateNumberOfMessages": "0",
                "ApproximateNumberOfMessagesDelayed": "0",
                "ApproximateNumberOfMessagesNotVisible": "0",
                "CreatedTimestamp": "1767225600",
                "DelaySeconds": "0",
                "LastModifiedTimestamp": "1767225600",
                "MaximumMessageSize": "1048576",
                "MessageRetentionPeriod": "345600",
                "QueueArn": "arn:aws:sqs:us-east-1:000000000000:orders",
                "ReceiveMessageWaitTimeSeconds": "0",
                "SqsManagedSseEnabled": "true",
                "VisibilityTimeout": "30"
            })
        );
    }

    #[tokio::test]
    async fn tells_nothing_that_was_not_asked_for() {
        let room = Room::new();
        let url = room.queue("orders", json!({})).await;
        assert_eq!(room.call("GetQueueAttributes", json!({"QueueUrl": url})).await.ok(), json!({}));
        let input = json!({"QueueUrl": url, "AttributeNames": ["Colour"]});
        let expected = refused("InvalidAttributeName", "Unknown Attribute Colour.");
        assert_eq!(room.call("GetQueueAttributes", input).await.error(), expected);
    }

    #[tokio::test]
    async fn counts_messages_by_their_state() {
        let room = Room::new();
        let url = room.queue("orders", json!({})).await;
        for delay in [0, 0, 60] {
            let input = json!({"QueueUrl": url, "MessageBody": "x", "DelaySeconds": delay});
            room.call("SendMessage", input).await.ok();
        }
        room.call("ReceiveMessage", json!({"QueueUrl": url})).await.ok();
        for state in ["", "NotVisible", "Delayed"] {
            assert_eq!(room.attribute(&url, &format!("ApproximateNumberOfMessages{state}")).await, "1", "{state}");
        }
    }
}
