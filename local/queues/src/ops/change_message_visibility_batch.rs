//! `ChangeMessageVisibilityBatch`: hides or shows up to ten received messages.

use aws_api::Call;
use serde::Deserialize;

use super::change_message_visibility::set_visibility;
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
    visibility_timeout: Option<i64>,
}

pub async fn run(room: &Queues, request: Request, _call: &Call) -> Result<BatchResult<BatchResultEntry>, Error> {
    let name = room.name_in_url(request.queue_url.as_deref())?;
    let mut entries = Vec::with_capacity(request.entries.len());
    for entry in request.entries {
        let (id, handle) = (required(entry.id, "Id")?, required(entry.receipt_handle, "ReceiptHandle")?);
        entries.push((id, handle, entry.visibility_timeout));
    }
    check_batch(entries.iter().map(|(id, _, _)| id.as_str()), "ChangeMessageVisibilityBatchRequestEntry")?;
    let now = room.world.clock.now();
    let change = room.database.write(move |connection| {
        let queue = queues::of_name(connection, &name)?;
        let changed = entries.into_iter().map(|(id, handle, timeout_s)| {
            let timeout_s = required(timeout_s, "VisibilityTimeout");
            let result = timeout_s.and_then(|seconds| set_visibility(connection, queue.id, &handle, seconds, now));
            (id.clone(), result.map(|()| BatchResultEntry { id }))
        });
        Ok::<_, Error>((queue.id, changed.collect::<Vec<_>>()))
    });
    let (queue, results) = change.await?;
    room.tell_pollers(queue);
    Ok(BatchResult::of(results))
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
