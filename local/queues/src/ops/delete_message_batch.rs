//! `DeleteMessageBatch`: deletes up to ten messages that were received.

use aws_api::Call;

use super::delete_message::delete;
use super::wire::{BatchRequest, BatchResult, BatchResultEntry, ReceivedMessage, each_received};
use crate::Queues;
use crate::error::Error;

pub type Request = BatchRequest<ReceivedMessage>;

pub async fn run(room: &Queues, request: Request, _call: &Call) -> Result<BatchResult<BatchResultEntry>, Error> {
    let batch = request.read(room, "DeleteMessageBatchRequestEntry")?;
    let now = room.world.clock.now();
    let delete = move |connection: &_, queue: &_, entry| delete(connection, queue, entry, now);
    let (queue, result) = each_received(room, batch, delete).await?;
    if queue.is_fifo() {
        room.tell_pollers(queue.id); // the next messages of their groups may come
    }
    Ok(result)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::tests::Room;

    #[tokio::test]
    async fn deletes_what_it_can() {
        let room = Room::new();
        let url = room.queue("orders", json!({})).await;
        room.send(&url, "x").await;
        let handle = room.receive(&url).await[0]["ReceiptHandle"].clone();
        let entries = json!([{"Id": "good", "ReceiptHandle": handle}, {"Id": "bad", "ReceiptHandle": "garbage"}]);
        let answer = room.call("DeleteMessageBatch", json!({"QueueUrl": url, "Entries": entries})).await.ok();
        assert_eq!(answer["Successful"], json!([{"Id": "good"}]));
        assert_eq!(answer["Failed"][0]["Code"], "ReceiptHandleIsInvalid");
        assert_eq!(room.attribute(&url, "ApproximateNumberOfMessagesNotVisible").await, "0");
    }
}
