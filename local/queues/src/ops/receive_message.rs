//! `ReceiveMessage`: takes messages and hides them from others for a while.

use std::collections::BTreeMap;

use aws_api::Call;
use serde::{Deserialize, Serialize};

use super::wire::{WireAttributes, write_attributes};
use crate::Queues;
use crate::error::Error;
use crate::message::{Received, check_id, sequence_number};
use crate::message_attribute::{digest, md5_hex, select};
use crate::receiving::Receive;

const SYSTEM_ATTRIBUTES: &[&str] = &[
    "All",
    "ApproximateFirstReceiveTimestamp",
    "ApproximateReceiveCount",
    "AWSTraceHeader",
    "DeadLetterQueueSourceArn",
    "MessageDeduplicationId",
    "MessageGroupId",
    "SenderId",
    "SentTimestamp",
    "SequenceNumber",
];

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    queue_url: Option<String>,
    /// The older name of `MessageSystemAttributeNames`; both count.
    #[serde(default)]
    attribute_names: Vec<String>,
    #[serde(default)]
    message_system_attribute_names: Vec<String>,
    #[serde(default)]
    message_attribute_names: Vec<String>,
    max_number_of_messages: Option<i64>,
    visibility_timeout: Option<i64>,
    wait_time_seconds: Option<i64>,
    receive_request_attempt_id: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Response {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    messages: Vec<Message>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
#[expect(clippy::struct_field_names, reason = "the members are named by AWS")]
struct Message {
    message_id: String,
    receipt_handle: String,
    #[serde(rename = "MD5OfBody")]
    md5_of_body: String,
    body: String,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    attributes: BTreeMap<&'static str, String>,
    #[serde(rename = "MD5OfMessageAttributes", skip_serializing_if = "Option::is_none")]
    md5_of_message_attributes: Option<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    message_attributes: WireAttributes,
}

pub async fn run(room: &Queues, request: Request, _call: &Call) -> Result<Response, Error> {
    let name = room.name_in_url(request.queue_url.as_deref())?;
    let receive = check(&request)?;
    let mut system = request.attribute_names;
    system.extend(request.message_system_attribute_names);
    if let Some(unknown) = system.iter().find(|name| !SYSTEM_ATTRIBUTES.contains(&name.as_str())) {
        return Err(Error::unknown_attribute(unknown));
    }
    let received = room.receive(&name, receive).await?;
    let account = &room.world.place.account;
    let messages =
        received.into_iter().map(|message| write(message, account, &system, &request.message_attribute_names));
    Ok(Response { messages: messages.collect() })
}

fn check(request: &Request) -> Result<Receive, Error> {
    let count = request.max_number_of_messages.unwrap_or(1);
    if !(1..=10).contains(&count) {
        return Err(Error::invalid_value(count, "MaxNumberOfMessages", "Must be between 1 and 10, if provided."));
    }
    if let Some(timeout) = request.visibility_timeout.filter(|timeout| !(0..=43_200).contains(timeout)) {
        return Err(Error::invalid_value(timeout, "VisibilityTimeout", "Must be >= 0 and <= 43200, if provided."));
    }
    if let Some(wait) = request.wait_time_seconds.filter(|wait| !(0..=20).contains(wait)) {
        return Err(Error::invalid_value(wait, "WaitTimeSeconds", "Must be >= 0 and <= 20, if provided."));
    }
    if let Some(id) = &request.receive_request_attempt_id {
        check_id(id, "ReceiveRequestAttemptId")?;
    }
    Ok(Receive {
        count: usize::try_from(count).unwrap_or(1),
        visibility_timeout_s: request.visibility_timeout,
        wait_s: request.wait_time_seconds,
        attempt_id: request.receive_request_attempt_id.clone(),
    })
}

fn write(message: Received, account: &str, system: &[String], wanted: &[String]) -> Message {
    // The digest is of the attributes that are given back, not of all that were sent.
    let message_attributes = select(message.attributes, wanted);
    let some = |name, value: Option<String>| value.map(|value| (name, value));
    let attributes = [
        some("ApproximateFirstReceiveTimestamp", Some(message.first_received.millis().to_string())),
        some("ApproximateReceiveCount", Some(message.receives.to_string())),
        some("AWSTraceHeader", message.trace_header),
        some("DeadLetterQueueSourceArn", message.source_arn),
        some("MessageDeduplicationId", message.deduplication_id),
        some("MessageGroupId", message.group_id),
        some("SenderId", Some(account.to_owned())),
        some("SentTimestamp", Some(message.sent.millis().to_string())),
        some("SequenceNumber", message.sequence.map(sequence_number)),
    ];
    let asked_for = |name: &str| system.iter().any(|wanted| wanted == "All" || wanted == name);
    Message {
        message_id: message.message_id,
        receipt_handle: message.receipt_handle,
        md5_of_body: md5_hex(message.body.as_bytes()),
        body: message.body,
        attributes: attributes.into_iter().flatten().filter(|(name, _)| asked_for(name)).collect(),
        md5_of_message_attributes: digest(&message_attributes),
        message_attributes: write_attributes(&message_attributes),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::{Value, json};

    use crate::tests::{Room, refused};
    use crate::{OutgoingMessage, SendError};

    const DEAD_POLICY: &str =
        r#"{"deadLetterTargetArn":"arn:aws:sqs:us-east-1:000000000000:dead","maxReceiveCount":2}"#;

    #[tokio::test]
    async fn tells_what_was_asked_for() {
        let room = Room::new();
        let url = room.queue("orders", json!({})).await;
        let input = json!({"QueueUrl": url, "MessageBody": "msg", "MessageGroupId": "g", "MessageAttributes": {
            "Foo": {"DataType": "String", "StringValue": "Bar"},
            "Raw": {"DataType": "Binary", "BinaryValue": "AAEC"}}});
        room.call("SendMessage", input).await.ok();
        room.advance_s(1);
        let message = room.receive(&url).await.remove(0);
        assert_eq!(
            message["Attributes"],
            json!({
                "ApproximateFirstReceiveTimestamp": "1767225601000",
                "ApproximateReceiveCount": "1",
                "MessageGroupId": "g",
                "SenderId": "000000000000",
                "SentTimestamp": "1767225600000"
            })
        );
        assert_eq!(message["MessageAttributes"]["Raw"], json!({"DataType": "Binary", "BinaryValue": "AAEC"}));

        room.advance_s(30);
        let input = json!({"QueueUrl": url, "MessageAttributeNames": ["Foo"], "AttributeNames": ["SenderId"]});
        let message = room.call("ReceiveMessage", input).await.ok()["Messages"][0].clone();
        assert_eq!(message["MD5OfMessageAttributes"], "ae7155c6026991b6d54b11589678bf9c");
        assert_eq!(message["Attributes"], json!({"SenderId": "000000000000"}));
    }

    #[tokio::test]
    async fn without_messages_the_answer_is_empty() {
        let room = Room::new();
        let url = room.queue("orders", json!({})).await;
        assert_eq!(room.call("ReceiveMessage", json!({"QueueUrl": url})).await.ok(), json!({}));
    }

    #[tokio::test]
    async fn a_message_is_hidden_until_its_time_out() {
        let room = Room::new();
        let url = room.queue("orders", json!({})).await;
        room.send(&url, "x").await;
        assert_eq!(room.bodies(&url).await, ["x"]);
        room.advance_s(29);
        assert!(room.receive(&url).await.is_empty());
        room.advance_s(1);
        assert_eq!(room.receive(&url).await[0]["Attributes"]["ApproximateReceiveCount"], "2");
    }

    #[tokio::test]
    async fn a_message_without_a_time_out_comes_once_per_call() {
        let room = Room::new();
        let url = room.queue("orders", json!({})).await;
        room.send(&url, "x").await;
        let input = json!({"QueueUrl": url, "MaxNumberOfMessages": 10, "VisibilityTimeout": 0});
        let answer = room.call("ReceiveMessage", input).await.ok();
        assert_eq!(answer["Messages"].as_array().map(Vec::len), Some(1));
        assert_eq!(room.bodies(&url).await, ["x"]);
    }

    #[tokio::test]
    async fn a_message_is_kept_for_the_retention_period() {
        let room = Room::new();
        let url = room.queue("orders", json!({"MessageRetentionPeriod": "60"})).await;
        room.send(&url, "x").await;
        room.advance_s(60);
        assert_eq!(room.attribute(&url, "ApproximateNumberOfMessages").await, "0");
        assert!(room.receive(&url).await.is_empty());
    }

    #[tokio::test]
    async fn a_message_received_too_often_is_a_dead_letter() {
        let room = Room::new();
        let dead = room.queue("dead", json!({})).await;
        let url = room.queue("orders", json!({"RedrivePolicy": DEAD_POLICY, "VisibilityTimeout": "1"})).await;
        room.send(&url, "poison").await;
        for _ in 0..2 {
            assert_eq!(room.bodies(&url).await, ["poison"]);
            room.advance_s(1);
        }
        room.send(&url, "good").await;
        assert_eq!(room.bodies(&url).await, ["good"]);
        let buried = room.receive(&dead).await.remove(0);
        assert_eq!(buried["Attributes"]["DeadLetterQueueSourceArn"], "arn:aws:sqs:us-east-1:000000000000:orders");
        assert_eq!(buried["Attributes"]["ApproximateReceiveCount"], "3");
        assert_eq!(buried["Attributes"]["SentTimestamp"], "1767225600000");
        let told = room.world.timeline.all();
        assert!(told.iter().any(|moment| moment.what == "orders → dead"));
    }

    #[tokio::test]
    async fn wrong_input_is_refused() {
        let room = Room::new();
        let url = room.queue("orders", json!({})).await;
        for (member, value, reason) in [
            ("MaxNumberOfMessages", 11, "Must be between 1 and 10, if provided."),
            ("MaxNumberOfMessages", 0, "Must be between 1 and 10, if provided."),
            ("WaitTimeSeconds", 21, "Must be >= 0 and <= 20, if provided."),
            ("WaitTimeSeconds", -1, "Must be >= 0 and <= 20, if provided."),
            ("VisibilityTimeout", 43_201, "Must be >= 0 and <= 43200, if provided."),
        ] {
            let mut input = json!({"QueueUrl": url});
            input[member] = json!(value);
            let text = format!("Value {value} for parameter {member} is invalid. Reason: {reason}");
            let expected = refused("InvalidParameterValueException", &text);
            assert_eq!(room.call("ReceiveMessage", input).await.error(), expected);
        }
    }

    /// Polls for twenty seconds, which `nudge` has to cut short.
    async fn polled(room: &Room, url: &str, nudge: impl Future<Output = ()>) -> Value {
        let poll = room.call("ReceiveMessage", json!({"QueueUrl": url, "WaitTimeSeconds": 20}));
        let began = tokio::time::Instant::now();
        let nudge = async {
            room.is_polled().await;
            nudge.await;
        };
        let (answer, ()) = tokio::join!(poll, nudge);
        assert!(began.elapsed() < Duration::from_secs(1), "it waited for {:?}", began.elapsed());
        answer.ok()["Messages"][0]["Body"].clone()
    }

    #[tokio::test]
    async fn a_poll_ends_with_the_first_message() {
        let room = Room::new();
        let url = room.queue("orders", json!({})).await;
        assert_eq!(polled(&room, &url, room.send(&url, "x")).await, "x");
    }

    #[tokio::test]
    async fn a_poll_ends_when_a_hidden_message_shows() {
        let room = Room::new();
        let url = room.queue("orders", json!({"DelaySeconds": "900"})).await;
        room.send(&url, "x").await;
        assert_eq!(polled(&room, &url, async { room.advance_s(900) }).await, "x");
    }

    #[tokio::test]
    async fn a_poll_of_a_queue_that_goes_is_an_error() {
        let room = Room::new();
        let url = room.queue("orders", json!({})).await;
        let poll = room.call("ReceiveMessage", json!({"QueueUrl": url, "WaitTimeSeconds": 20}));
        let delete = async {
            room.is_polled().await;
            room.call("DeleteQueue", json!({"QueueUrl": url})).await.ok();
        };
        let (answer, ()) = tokio::join!(poll, delete);
        assert_eq!(answer.error().0, "QueueDoesNotExist");
    }

    #[tokio::test(start_paused = true)]
    async fn an_empty_queue_is_polled_for_as_long_as_asked() {
        let room = Room::new();
        let url = room.queue("orders", json!({"ReceiveMessageWaitTimeSeconds": "7"})).await;
        let began = tokio::time::Instant::now();
        assert_eq!(room.call("ReceiveMessage", json!({"QueueUrl": url})).await.ok(), json!({}));
        assert_eq!(began.elapsed().as_secs(), 7);
    }

    #[tokio::test]
    async fn the_local_cloud_sends_by_arn() {
        let room = Room::new();
        let url = room.queue("dead", json!({})).await;
        let letter = OutgoingMessage {
            body: "letter".into(),
            attributes: vec![("ERROR_CODE".into(), "NO_RESOURCE".into())],
            ..OutgoingMessage::default()
        };
        let arn = "arn:aws:sqs:us-east-1:000000000000:dead";
        let message_id = room.queues.send(arn, letter.clone()).await.expect("it is sent");
        let received = room.receive(&url).await.remove(0);
        assert_eq!((&received["MessageId"], &received["Body"]), (&json!(message_id), &json!("letter")));
        assert_eq!(received["MessageAttributes"]["ERROR_CODE"]["StringValue"], "NO_RESOURCE");
        let nowhere = room.queues.send("arn:aws:sqs:us-east-1:000000000000:none", letter).await;
        assert!(matches!(nowhere, Err(SendError::NoSuchQueue)));
    }
}
