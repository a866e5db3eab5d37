//! `DeleteMessage`: deletes a message that was received.

use aws_api::Call;
use rusqlite::Connection;
use serde::Deserialize;
use world::Timestamp;

use super::wire::{Empty, ReceivedMessage, required};
use crate::Queues;
use crate::error::Error;
use crate::queue::Queue;
use crate::receipt::Receipt;
use crate::store::{groups, messages, queues};

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
        delete(connection, &queue, request.received, now)?;
        Ok::<_, Error>(queue)
    });
    let queue = change.await?;
    if queue.is_fifo() {
        room.tell_pollers(queue.id); // the next message of its group may come
    }
    Ok(Empty {})
}

/// The newest handle of a message deletes it; in a standard queue also when its time is over. An older one
/// changes nothing, nor does one of a message that is gone; AWS calls all of it a success.
pub(super) fn delete(
    connection: &Connection,
    queue: &Queue,
    received: ReceivedMessage,
    now: Timestamp,
) -> Result<(), Error> {
    let handle = required(received.receipt_handle, "ReceiptHandle")?;
    let receipt = Receipt::read(&handle, queue.id)?;
    let last = messages::last_receipt(connection, queue.id, receipt.message)?;
    let Some(last) = last.filter(|last| last.nonce == Some(receipt.nonce)) else { return Ok(()) };
    if queue.is_fifo() && last.visible <= now {
        return Err(Error::receipt_expired(&handle));
    }
    messages::delete(connection, receipt.message)?;
    last.group_id.map_or(Ok(()), |group_id| groups::refresh(connection, queue.id, &group_id))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::tests::{Room, refused};

    #[tokio::test]
    async fn the_newest_handle_deletes_also_after_its_time() {
        let room = Room::new();
        let url = room.queue("orders", json!({})).await;
        room.send(&url, "x").await;
        let handle = room.receive(&url).await[0]["ReceiptHandle"].clone();
        room.advance_s(31);
        room.call("DeleteMessage", json!({"QueueUrl": url, "ReceiptHandle": handle})).await.ok();
        assert!(room.receive(&url).await.is_empty());
    }

    #[tokio::test]
    async fn an_older_handle_succeeds_and_deletes_nothing() {
        let room = Room::new();
        let url = room.queue("orders", json!({})).await;
        room.send(&url, "x").await;
        let old = room.receive(&url).await[0]["ReceiptHandle"].clone();
        room.advance_s(30);
        room.receive(&url).await;
        room.call("DeleteMessage", json!({"QueueUrl": url, "ReceiptHandle": old})).await.ok();
        room.advance_s(30);
        assert_eq!(room.bodies(&url).await, ["x"]);
    }

    #[tokio::test]
    async fn what_is_no_handle_is_refused() {
        let room = Room::new();
        let url = room.queue("orders", json!({})).await;
        let input = json!({"QueueUrl": url, "ReceiptHandle": "garbage"});
        let expected =
            refused("ReceiptHandleIsInvalid", "The input receipt handle \"garbage\" is not a valid receipt handle.");
        assert_eq!(room.call("DeleteMessage", input).await.error(), expected);
    }
}
