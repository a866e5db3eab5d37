//! `ChangeMessageVisibility`: hides a received message for longer, or shows it to others again.

use std::time::Duration;

use aws_api::Call;
use rusqlite::Connection;
use serde::Deserialize;
use world::Timestamp;

use super::wire::{Empty, ReceivedMessage, required};
use crate::Queues;
use crate::error::Error;
use crate::queue::Queue;
use crate::queues::later;
use crate::receipt::Receipt;
use crate::store::{groups, messages, queues};

/// Twelve hours, also over all extensions of one receipt.
const VISIBILITY_TIMEOUT_S_MAX: i64 = 43_200;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    queue_url: Option<String>,
    #[serde(flatten)]
    received: ReceivedMessage,
}

pub async fn run(room: &Queues, request: Request, _call: &Call) -> Result<Empty, Error> {
    let name = room.name_in_url(request.queue_url.as_deref())?;
    let now = room.world.clock.now();
    let change = room.database.write(move |connection| {
        let queue = queues::of_name(connection, &name)?;
        set_visibility(connection, &queue, request.received, now)?;
        Ok::<_, Error>(queue.id)
    });
    room.tell_pollers(change.await?);
    Ok(Empty {})
}

/// Hides the message for some seconds from now.
pub(super) fn set_visibility(
    connection: &Connection,
    queue: &Queue,
    received: ReceivedMessage,
    now: Timestamp,
) -> Result<(), Error> {
    let handle = required(received.receipt_handle, "ReceiptHandle")?;
    let timeout_s = required(received.visibility_timeout, "VisibilityTimeout")?;
    let refused = |reason: &str| Error::invalid_value(timeout_s, "VisibilityTimeout", reason);
    if !(0..=VISIBILITY_TIMEOUT_S_MAX).contains(&timeout_s) {
        return Err(refused("VisibilityTimeout must be an integer between 0 and 43200"));
    }
    let receipt = Receipt::read(&handle, queue.id)?;
    let last = messages::last_receipt(connection, queue.id, receipt.message)?;
    let Some(last) = last.filter(|last| last.nonce == Some(receipt.nonce)) else {
        return Err(Error::message_is_gone(&handle));
    };
    if last.visible <= now {
        return Err(Error::MessageNotInflight);
    }
    let visible = later(now, timeout_s);
    let longest = Duration::from_secs(VISIBILITY_TIMEOUT_S_MAX.unsigned_abs());
    if visible.since(last.last_received) > longest {
        return Err(refused("Total VisibilityTimeout for the message is beyond the limit [43200 seconds]"));
    }
    messages::set_visible(connection, receipt.message, visible)?;
    last.group_id.map_or(Ok(()), |group_id| groups::refresh(connection, queue.id, &group_id))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::tests::Room;

    async fn received(room: &Room) -> (String, Value) {
        let url = room.queue("orders", json!({})).await;
        room.send(&url, "x").await;
        let handle = room.receive(&url).await[0]["ReceiptHandle"].clone();
        (url, handle)
    }

    fn input(url: &str, handle: &Value, timeout: i64) -> Value {
        json!({"QueueUrl": url, "ReceiptHandle": handle, "VisibilityTimeout": timeout})
    }

    #[tokio::test]
    async fn hides_for_longer_and_shows_at_once() {
        let room = Room::new();
        let (url, handle) = received(&room).await;
        room.call("ChangeMessageVisibility", input(&url, &handle, 100)).await.ok();
        room.advance_s(99);
        assert!(room.receive(&url).await.is_empty());
        room.call("ChangeMessageVisibility", input(&url, &handle, 0)).await.ok();
        assert_eq!(room.bodies(&url).await, ["x"]);
    }

    #[tokio::test]
    async fn a_message_that_shows_again_cannot_be_hidden() {
        let room = Room::new();
        let (url, handle) = received(&room).await;
        room.advance_s(30);
        let error = room.call("ChangeMessageVisibility", input(&url, &handle, 9)).await.error();
        assert_eq!(error.0, "MessageNotInflight");
    }

    #[tokio::test]
    async fn a_message_that_is_gone_cannot_be_hidden() {
        let room = Room::new();
        let (url, handle) = received(&room).await;
        room.call("DeleteMessage", json!({"QueueUrl": url, "ReceiptHandle": handle})).await.ok();
        let (code, message) = room.call("ChangeMessageVisibility", input(&url, &handle, 9)).await.error();
        assert_eq!(code, "InvalidParameterValueException");
        assert!(message.ends_with("Message does not exist or is not available for visibility timeout change."));
    }

    #[tokio::test]
    async fn nothing_is_hidden_for_more_than_twelve_hours() {
        let room = Room::new();
        let (url, handle) = received(&room).await;
        room.advance_s(1);
        let (_, message) = room.call("ChangeMessageVisibility", input(&url, &handle, 43_200)).await.error();
        assert!(message.contains("beyond the limit [43200 seconds]"), "{message}");
    }
}
