//! `DeleteMessage`: deletes a message that was received.

use aws_api::Call;
use rusqlite::Connection;
use serde::Deserialize;

use super::wire::{Empty, required};
use crate::Queues;
use crate::error::Error;
use crate::receipt::Receipt;
use crate::store::{messages, queues};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    queue_url: Option<String>,
    receipt_handle: Option<String>,
}

pub async fn run(room: &Queues, request: Request, _call: &Call) -> Result<Empty, Error> {
    let name = room.name_in_url(request.queue_url.as_deref())?;
    let handle = required(request.receipt_handle, "ReceiptHandle")?;
    let change = room.database.write(move |connection| {
        let queue = queues::of_name(connection, &name)?;
        delete(connection, queue.id, &handle)
    });
    change.await?;
    Ok(Empty {})
}

/// The newest handle of a message deletes it, also when its time is over. An older one changes nothing, nor
/// does one of a message that is gone; AWS calls all of it a success.
pub(super) fn delete(connection: &Connection, queue: i64, handle: &str) -> Result<(), Error> {
    let receipt = Receipt::read(handle, queue)?;
    match messages::last_receipt(connection, queue, receipt.message)? {
        Some(last) if last.nonce == Some(receipt.nonce) => messages::delete(connection, receipt.message),
        _ => Ok(()),
    }
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
