//! `ChangeMessageVisibilityBatch`: hides or shows up to ten received messages.

use aws_api::Call;

use super::change_message_visibility::set_visibility;
use super::wire::{BatchRequest, BatchResult, BatchResultEntry, ReceivedMessage, each_received};
use crate::Queues;
use crate::error::Error;

pub type Request = BatchRequest<ReceivedMessage>;

pub async fn run(room: &Queues, request: Request, _call: &Call) -> Result<BatchResult<BatchResultEntry>, Error> {
    let batch = request.read(room, "ChangeMessageVisibilityBatchRequestEntry")?;
    let now = room.world.clock.now();
    let change = move |connection: &_, queue: &_, entry| set_visibility(connection, queue, entry, now);
    let (queue, result) = each_received(room, batch, change).await?;
    room.tell_pollers(queue.id);
    Ok(result)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::tests::Room;

    #[tokio::test]
    async fn changes_what_it_can() {
        let room = Room::new();
        let url = room.queue("orders", json!({})).await;
        room.send(&url, "x").await;
        let handle = room.receive(&url).await[0]["ReceiptHandle"].clone();
        let entries = json!([
            {"Id": "good", "ReceiptHandle": handle, "VisibilityTimeout": 0},
            {"Id": "bad", "ReceiptHandle": handle, "VisibilityTimeout": 43_201},
        ]);
        let input = json!({"QueueUrl": url, "Entries": entries});
        let answer = room.call("ChangeMessageVisibilityBatch", input).await.ok();
        assert_eq!(answer["Successful"], json!([{"Id": "good"}]));
        assert_eq!(answer["Failed"][0]["Code"], "InvalidParameterValue");
        assert_eq!(room.bodies(&url).await, ["x"]);
    }
}
