//! `SetQueueAttributes`: changes some attributes of a queue, or none if any is refused.

use std::collections::BTreeMap;

use aws_api::Call;
use rusqlite::Connection;
use serde::Deserialize;
use world::World;

use super::wire::{Empty, required};
use crate::Queues;
use crate::error::Error;
use crate::queue_attributes::QueueAttributes;
use crate::queues::name_in_arn;
use crate::store::{messages, queues};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    queue_url: Option<String>,
    attributes: Option<BTreeMap<String, String>>,
}

pub async fn run(room: &Queues, request: Request, _call: &Call) -> Result<Empty, Error> {
    let name = room.name_in_url(request.queue_url.as_deref())?;
    let given = required(request.attributes, "Attributes")?;
    let world = room.world.clone();
    report(&name, &given);
    let change = room.database.write(move |connection| {
        let mut queue = queues::of_name(connection, &name)?;
        queue.attributes.set(&given)?;
        check_redrive(connection, &world, &name, &queue.attributes, &given)?;
        queues::set_attributes(connection, queue.id, &queue.attributes, world.clock.now())?;
        if queue.is_fifo() && given.contains_key("DelaySeconds") {
            messages::delay_anew(connection, queue.id, queue.attributes.delay_s())?;
        }
        Ok::<_, Error>(queue.id)
    });
    room.tell_pollers(change.await?); // a new redrive policy may bury what they wait for
    Ok(Empty {})
}

/// The dead-letter queue of a new redrive policy must be there and allow it.
pub(super) fn check_redrive(
    connection: &Connection,
    world: &World,
    name: &str,
    attributes: &QueueAttributes,
    given: &BTreeMap<String, String>,
) -> Result<(), Error> {
    let (Some(text), Some(policy)) = (given.get("RedrivePolicy"), attributes.redrive_policy()) else {
        return Ok(());
    };
    let refused = |reason: &str| Error::invalid_value(text, "RedrivePolicy", reason);
    let target = name_in_arn(world, &policy.dead_letter_target_arn);
    let target = target.map(|name| queues::find(connection, &name)).transpose()?.flatten();
    let Some(target) = target else { return Err(refused("Dead letter target does not exist.")) };
    if target.is_fifo() != attributes.is_fifo() {
        // Two full stops, as recorded.
        return Err(refused("Dead-letter queue must be same type of queue as the source.."));
    }
    if target.attributes.allows_redrive_from(&world.place.arn("sqs", name)) {
        Ok(())
    } else {
        Err(refused("Dead letter target does not allow this queue as a source (RedriveAllowPolicy)."))
    }
}

/// Says which of the given attributes is kept and given back but changes nothing here.
pub(super) fn report(queue: &str, given: &BTreeMap<String, String>) {
    if given.get("KmsMasterKeyId").is_some_and(|key| !key.is_empty()) {
        tracing::warn!(queue, attribute = "KmsMasterKeyId", "the attribute is kept, but nothing is encrypted by it");
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::tests::Room;

    #[tokio::test]
    async fn sets_what_is_given_and_keeps_the_rest() {
        let room = Room::new();
        let url = room.queue("orders", json!({"DelaySeconds": "5"})).await;
        room.advance_s(10);
        let input = json!({"QueueUrl": url, "Attributes": {"VisibilityTimeout": "69"}});
        room.call("SetQueueAttributes", input).await.ok();
        assert_eq!(room.attribute(&url, "VisibilityTimeout").await, "69");
        assert_eq!(room.attribute(&url, "DelaySeconds").await, "5");
        assert_eq!(room.attribute(&url, "LastModifiedTimestamp").await, "1767225610");
    }

    #[tokio::test]
    async fn a_dead_letter_queue_must_be_there() {
        let room = Room::new();
        let url = room.queue("orders", json!({})).await;
        let policy = r#"{"deadLetterTargetArn":"arn:aws:sqs:us-east-1:000000000000:dead","maxReceiveCount":3}"#;
        let input = json!({"QueueUrl": url, "Attributes": {"RedrivePolicy": policy}});
        let (code, message) = room.call("SetQueueAttributes", input.clone()).await.error();
        assert_eq!(code, "InvalidParameterValueException");
        assert!(message.ends_with("Reason: Dead letter target does not exist."), "{message}");
        room.queue("dead", json!({})).await;
        room.call("SetQueueAttributes", input).await.ok();
    }

    #[tokio::test]
    async fn a_dead_letter_queue_may_deny_its_sources() {
        let room = Room::new();
        room.queue("dead", json!({"RedriveAllowPolicy": r#"{"redrivePermission":"denyAll"}"#})).await;
        let url = room.queue("orders", json!({})).await;
        let policy = r#"{"deadLetterTargetArn":"arn:aws:sqs:us-east-1:000000000000:dead","maxReceiveCount":3}"#;
        let input = json!({"QueueUrl": url, "Attributes": {"RedrivePolicy": policy}});
        assert_eq!(room.call("SetQueueAttributes", input).await.error().0, "InvalidParameterValueException");
    }
}
