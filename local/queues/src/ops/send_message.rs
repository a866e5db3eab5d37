//! `SendMessage`: puts a message into a queue.

use aws_api::Call;
use serde::{Deserialize, Serialize};

use super::wire::WireMessage;
use crate::Queues;
use crate::error::Error;
use crate::message::{NewMessage, sequence_number};
use crate::message_attribute::{digest, md5_hex};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    queue_url: Option<String>,
    #[serde(flatten)]
    message: WireMessage,
}

#[derive(Debug, Serialize)]
pub struct Response {
    #[serde(rename = "MD5OfMessageBody")]
    md5_of_body: String,
    #[serde(rename = "MD5OfMessageAttributes", skip_serializing_if = "Option::is_none")]
    md5_of_attributes: Option<String>,
    #[serde(rename = "MD5OfMessageSystemAttributes", skip_serializing_if = "Option::is_none")]
    md5_of_system_attributes: Option<String>,
    #[serde(rename = "MessageId")]
    message_id: String,
    #[serde(rename = "SequenceNumber", skip_serializing_if = "Option::is_none")]
    sequence_number: Option<String>,
}

impl Response {
    /// What SDKs compare with what they sent.
    pub(super) fn of(message: &NewMessage, md5_of_system_attributes: Option<String>) -> Self {
        Self {
            md5_of_body: md5_hex(message.body.as_bytes()),
            md5_of_attributes: digest(&message.attributes),
            md5_of_system_attributes,
            message_id: message.message_id.clone(),
            sequence_number: message.sequence.map(sequence_number),
        }
    }
}

pub async fn run(room: &Queues, request: Request, call: &Call) -> Result<Response, Error> {
    let name = room.name_in_url(request.queue_url.as_deref())?;
    let (message, system_digest) = request.message.read(room.world.random.uuid(), call)?;
    let sent = room.put(name, vec![message], false).await?.pop();
    let message = sent.unwrap_or(Err(Error::MissingParameter("MessageBody")))?;
    Ok(Response::of(&message, system_digest))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::tests::{Room, refused};

    #[tokio::test]
    async fn answers_with_the_digests_that_sdks_check() {
        let room = Room::new();
        let url = room.queue("orders", json!({})).await;
        let input = json!({"QueueUrl": url, "MessageBody": "msg",
            "MessageAttributes": {"Foo": {"DataType": "String", "StringValue": "Bar"}}});
        let answer = room.call("SendMessage", input).await.ok();
        assert_eq!(answer["MD5OfMessageBody"], "6e2baaf3b97dbeef01c0043275f9a0e7");
        assert_eq!(answer["MD5OfMessageAttributes"], "ae7155c6026991b6d54b11589678bf9c");
        assert_eq!(answer["MD5OfMessageSystemAttributes"], Value::Null);
        assert_eq!(answer["MessageId"].as_str().map(str::len), Some(36));
    }

    #[tokio::test]
    async fn wrong_input_is_refused() {
        let room = Room::new();
        let url = room.queue("orders", json!({"MaximumMessageSize": "1024"})).await;
        let group_text = "Value a b for parameter MessageGroupId is invalid. Reason: MessageGroupId can only include \
                          alphanumeric and punctuation characters. 1 to 128 in length.";
        for (member, value, expected) in [
            (
                "MessageBody",
                json!(""),
                refused("MissingRequiredParameterException", "The request must contain the parameter MessageBody."),
            ),
            (
                "MessageBody",
                json!("x".repeat(1025)),
                refused(
                    "InvalidParameterValueException",
                    "One or more parameters are invalid. Reason: Message must be shorter than 1024 bytes.",
                ),
            ),
            (
                "DelaySeconds",
                json!(901),
                refused(
                    "InvalidParameterValueException",
                    "Value 901 for parameter DelaySeconds is invalid. Reason: DelaySeconds must be >= 0 and <= 900.",
                ),
            ),
            ("MessageGroupId", json!("a b"), refused("InvalidParameterValueException", group_text)),
            (
                "MessageDeduplicationId",
                json!("d"),
                refused(
                    "InvalidParameterValueException",
                    "Value d for parameter MessageDeduplicationId is invalid. Reason: The request includes a parameter \
                     that is not valid for this queue type.",
                ),
            ),
            (
                "QueueUrl",
                json!("http://127.0.0.1:4566/000000000000/nothing"),
                refused("QueueDoesNotExist", "The specified queue does not exist."),
            ),
            (
                "QueueUrl",
                json!("orders"),
                refused("InvalidAddress", "The address orders is not valid for this endpoint."),
            ),
        ] {
            let mut input = json!({"QueueUrl": url, "MessageBody": "x"});
            input[member] = value;
            assert_eq!(room.call("SendMessage", input).await.error(), expected);
        }
    }

    #[tokio::test]
    async fn characters_that_xml_has_no_place_for_are_refused() {
        let room = Room::new();
        let url = room.queue("orders", json!({})).await;
        let input = json!({"QueueUrl": url, "MessageBody": "a\u{ffff}b"});
        assert_eq!(room.call("SendMessage", input).await.error().0, "InvalidMessageContents");
    }

    #[tokio::test]
    async fn a_delayed_message_comes_when_its_time_has_come() {
        let room = Room::new();
        let url = room.queue("orders", json!({"DelaySeconds": "5"})).await;
        room.send(&url, "by the queue").await;
        room.call("SendMessage", json!({"QueueUrl": url, "MessageBody": "by itself", "DelaySeconds": 0})).await.ok();
        assert_eq!(room.bodies(&url).await, ["by itself"]);
        room.advance_s(5);
        assert_eq!(room.bodies(&url).await, ["by the queue"]);
    }
}
