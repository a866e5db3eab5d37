//! `SendMessageBatch`: puts up to ten messages into a queue; each is taken or refused by itself.

use aws_api::Call;
use serde::Serialize;

use super::send_message;
use super::wire::{BatchRequest, BatchResult, WireMessage};
use crate::Queues;
use crate::error::Error;
use crate::queue_attributes::MESSAGE_BYTES_MAX;

pub type Request = BatchRequest<WireMessage>;

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ResultEntry {
    id: String,
    #[serde(flatten)]
    sent: send_message::Response,
}

pub async fn run(room: &Queues, request: Request, call: &Call) -> Result<BatchResult<ResultEntry>, Error> {
    let (name, entries) = request.read(room, "SendMessageBatchRequestEntry")?;
    let read = entries.into_iter().map(|(id, message)| (id, message.read(room.world.random.uuid(), call)));
    let (ids, read): (Vec<_>, Vec<_>) = read.unzip();
    let sent: usize = read.iter().flatten().map(|(message, _)| message.bytes()).sum();
    if sent > MESSAGE_BYTES_MAX {
        return Err(Error::BatchRequestTooLong { max: MESSAGE_BYTES_MAX, sent });
    }
    let (mut messages, mut outcomes) = (Vec::new(), Vec::new());
    for message in read {
        // What could be read keeps its place among the sent; what could not has its error already.
        outcomes.push(message.map(|(message, system_digest)| {
            messages.push(message);
            system_digest
        }));
    }
    let mut put = room.put(name, messages, true).await?.into_iter();
    let results = ids.into_iter().zip(outcomes).map(|(id, outcome)| {
        let result = outcome.and_then(|system_digest| {
            let message = put.next().unwrap_or(Err(Error::MissingParameter("MessageBody")))?;
            let sent = send_message::Response::of(&message, system_digest);
            Ok(ResultEntry { id: id.clone(), sent })
        });
        (id, result)
    });
    Ok(BatchResult::of(results.collect::<Vec<_>>()))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::tests::{Room, refused};

    fn entries(count: usize, body: &str) -> Value {
        (0..count).map(|n| json!({"Id": format!("e{n}"), "MessageBody": body})).collect()
    }

    #[tokio::test]
    async fn each_entry_is_taken_or_refused_by_itself() {
        let room = Room::new();
        let url = room.queue("orders", json!({"MaximumMessageSize": "1024"})).await;
        let entries = json!([
            {"Id": "long", "MessageBody": "x".repeat(1025)},
            {"Id": "good", "MessageBody": "message"},
        ]);
        let answer = room.call("SendMessageBatch", json!({"QueueUrl": url, "Entries": entries})).await.ok();
        assert_eq!(
            answer["Failed"],
            json!([{
                "Id": "long",
                "SenderFault": true,
                "Code": "InvalidParameterValue",
                "Message": "One or more parameters cannot be validated. Reason: Message must be shorter than 1024 bytes."
            }])
        );
        assert_eq!(answer["Successful"][0]["Id"], "good");
        assert_eq!(answer["Successful"][0]["MD5OfMessageBody"], "78e731027d8fd50ed642340b7c9a63b3");
        assert_eq!(room.bodies(&url).await, ["message"]);
    }

    #[tokio::test]
    async fn a_batch_of_a_wrong_shape_is_refused_whole() {
        let room = Room::new();
        let url = room.queue("orders", json!({})).await;
        let twice = json!([{"Id": "a", "MessageBody": "x"}, {"Id": "a", "MessageBody": "x"}]);
        let id_text = "A batch entry id can only contain alphanumeric characters, hyphens and underscores. It can be \
                       at most 80 letters long.";
        for (entries, expected) in [
            (
                json!([]),
                refused(
                    "EmptyBatchRequest",
                    "There should be at least one SendMessageBatchRequestEntry in the request.",
                ),
            ),
            (
                entries(20, "x"),
                refused(
                    "TooManyEntriesInBatchRequest",
                    "Maximum number of entries per request are 10. You have sent 20.",
                ),
            ),
            (json!([{"Id": "a:b", "MessageBody": "x"}]), refused("InvalidBatchEntryId", id_text)),
            (twice, refused("BatchEntryIdsNotDistinct", "Id a repeated.")),
            (
                entries(3, &"x".repeat(400_000)),
                refused(
                    "BatchRequestTooLong",
                    "Batch requests cannot be longer than 1048576 bytes. You have sent 1200000 bytes.",
                ),
            ),
        ] {
            let input = json!({"QueueUrl": url, "Entries": entries});
            assert_eq!(room.call("SendMessageBatch", input).await.error(), expected);
        }
    }
}
