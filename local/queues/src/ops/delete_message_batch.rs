//! `DeleteMessageBatch`: deletes up to ten messages that were received.

use aws_api::Call;
use serde::Deserialize;

use super::delete_message::delete;
use super::wire::{BatchResult, BatchResultEntry, check_batch, required};
use crate::Queues;
use crate::error::Error;
use crate::store::queues;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    queue_url: Option<String>,
    #[serde(default)]
    entries: Vec<Entry>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Entry {
    id: Option<String>,
    receipt_handle: Option<String>,
}

pub async fn run(room: &Queues, request: Request, _call: &Call) -> Result<BatchResult<BatchResultEntry>, Error> {
    let name = room.name_in_url(request.queue_url.as_deref())?;
    let mut entries = Vec::with_capacity(request.entries.len());
    for entry in request.entries {
        entries.push((required(entry.id, "Id")?, required(entry.receipt_handle, "ReceiptHandle")?));
    }
    check_batch(entries.iter().map(|(id, _)| id.as_str()), "DeleteMessageBatchRequestEntry")?;
    let change = room.database.write(move |connection| {
        let queue = queues::of_name(connection, &name)?;
        let deleted = entries.into_iter().map(|(id, handle)| {
            let result = delete(connection, queue.id, &handle);
            (id.clone(), result.map(|()| BatchResultEntry { id }))
        });
        Ok::<_, Error>(deleted.collect::<Vec<_>>())
    });
    Ok(BatchResult::of(change.await?))
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
