//! FIFO queues, one behaviour at a time. `fifo_model.rs` looks for what nobody thought of.

use serde_json::{Value, json};
use storage::Location;
use world::World;

use crate::OutgoingMessage;
use crate::SendError;
use crate::tests::{Room, refused};

const DEAD_POLICY: &str =
    r#"{"deadLetterTargetArn":"arn:aws:sqs:us-east-1:000000000000:dead.fifo","maxReceiveCount":1}"#;

fn invalid(text: &str) -> (String, String) {
    refused("InvalidParameterValueException", text)
}

#[tokio::test]
async fn a_queue_tells_that_it_is_one() {
    let room = Room::new();
    let url = room.queue("orders.fifo", json!({"FifoQueue": "true"})).await;
    for (name, value) in [
        ("FifoQueue", "true"),
        ("ContentBasedDeduplication", "false"),
        ("DeduplicationScope", "queue"),
        ("FifoThroughputLimit", "perQueue"),
        ("QueueArn", "arn:aws:sqs:us-east-1:000000000000:orders.fifo"),
    ] {
        assert_eq!(room.attribute(&url, name).await, value);
    }
    assert_eq!(room.queue("orders.fifo", json!({"FifoQueue": "true"})).await, url);
}

#[tokio::test]
async fn its_attributes_are_checked() {
    let room = Room::new();
    let url = room.fifo("orders.fifo", json!({})).await;
    let high = "The perMessageGroupId value is allowed only when the value for DeduplicationScope is messageGroup.";
    for (attributes, expected) in [
        (
            json!({"FifoQueue": "false"}),
            "Invalid value for the parameter FifoQueue. Reason: Modifying queue type is not supported.",
        ),
        (json!({"ContentBasedDeduplication": "yes"}), "Invalid value for the parameter ContentBasedDeduplication."),
        (json!({"DeduplicationScope": "all"}), "Invalid value for the parameter DeduplicationScope."),
        (json!({"FifoThroughputLimit": "perMessageGroupId"}), high),
    ] {
        let input = json!({"QueueUrl": url, "Attributes": attributes});
        assert_eq!(room.call("SetQueueAttributes", input).await.error(), refused("InvalidAttributeValue", expected));
    }
    let both = json!({"DeduplicationScope": "messageGroup", "FifoThroughputLimit": "perMessageGroupId"});
    room.call("SetQueueAttributes", json!({"QueueUrl": url, "Attributes": both})).await.ok();
}

#[tokio::test]
async fn what_a_message_must_and_must_not_say() {
    let room = Room::new();
    let url = room.queue("orders.fifo", json!({"FifoQueue": "true"})).await;
    let deduplication = "The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId \
                         provided explicitly";
    let delay = "Value 5 for parameter DelaySeconds is invalid. Reason: The request include parameter that is not \
                 valid for this queue type.";
    for (message, expected) in [
        (
            json!({"MessageDeduplicationId": "d"}),
            refused("MissingRequiredParameterException", "The request must contain the parameter MessageGroupId."),
        ),
        (json!({"MessageGroupId": "g"}), invalid(deduplication)),
        (json!({"MessageGroupId": "g", "MessageDeduplicationId": "d", "DelaySeconds": 5}), invalid(delay)),
        (
            json!({"MessageGroupId": "g", "MessageDeduplicationId": ""}),
            invalid(
                "Value  for parameter MessageDeduplicationId is invalid. Reason: MessageDeduplicationId can only \
                 include alphanumeric and punctuation characters. 1 to 128 in length.",
            ),
        ),
    ] {
        let mut input = json!({"QueueUrl": url, "MessageBody": "x"});
        input.as_object_mut().expect("members").extend(message.as_object().expect("members").clone());
        assert_eq!(room.call("SendMessage", input).await.error(), expected);
    }
    let input = json!({"QueueUrl": url, "MessageBody": "x", "MessageGroupId": "g", "MessageDeduplicationId": "d",
        "DelaySeconds": 0});
    room.call("SendMessage", input).await.ok();
}

#[tokio::test]
async fn a_message_says_where_it_stands() {
    let room = Room::new();
    let url = room.fifo("orders.fifo", json!({})).await;
    let first = room.append(&url, "g", "a").await["SequenceNumber"].clone();
    let second = room.append(&url, "g", "b").await["SequenceNumber"].clone();
    assert!(first.as_str().map(str::len) == Some(20) && first.as_str() < second.as_str(), "{first} {second}");
    let received = room.receive(&url).await;
    assert_eq!(received[0]["Attributes"]["SequenceNumber"], first);
    assert_eq!(received[0]["Attributes"]["MessageGroupId"], "g");
    let sha256_of_a = "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb";
    assert_eq!(received[0]["Attributes"]["MessageDeduplicationId"], sha256_of_a);
}

#[tokio::test]
async fn a_group_is_locked_while_one_of_its_messages_is_in_flight() {
    let room = Room::new();
    let url = room.fifo("orders.fifo", json!({})).await;
    for (group, body) in [("a", "a1"), ("a", "a2"), ("a", "a3"), ("b", "b1")] {
        room.append(&url, group, body).await;
    }
    let input = json!({"QueueUrl": url, "MaxNumberOfMessages": 2});
    let answer = room.call("ReceiveMessage", input).await.ok();
    let (a1, a2) = (answer["Messages"][0].clone(), answer["Messages"][1].clone());
    assert_eq!((&a1["Body"], &a2["Body"]), (&json!("a1"), &json!("a2")));
    assert_eq!(room.bodies(&url).await, ["b1"]);
    room.delete(&url, &a1).await;
    assert!(room.bodies(&url).await.is_empty());
    let show = json!({"QueueUrl": url, "ReceiptHandle": a2["ReceiptHandle"], "VisibilityTimeout": 0});
    room.call("ChangeMessageVisibility", show).await.ok();
    assert_eq!(room.bodies(&url).await, ["a2", "a3"]);
}

#[tokio::test]
async fn a_poll_ends_when_a_group_is_unlocked() {
    let room = Room::new();
    let url = room.fifo("orders.fifo", json!({})).await;
    room.append(&url, "g", "a").await;
    let first = room.receive(&url).await.remove(0);
    room.append(&url, "g", "b").await;
    let poll = room.call("ReceiveMessage", json!({"QueueUrl": url, "WaitTimeSeconds": 20}));
    let delete = async {
        room.is_polled().await;
        room.delete(&url, &first).await;
    };
    let (answer, ()) = tokio::join!(poll, delete);
    assert_eq!(answer.ok()["Messages"][0]["Body"], "b");
}

#[tokio::test]
async fn an_expired_handle_deletes_nothing() {
    let room = Room::new();
    let url = room.fifo("orders.fifo", json!({})).await;
    room.append(&url, "g", "a").await;
    let message = room.receive(&url).await.remove(0);
    room.advance_s(30);
    let input = json!({"QueueUrl": url, "ReceiptHandle": message["ReceiptHandle"]});
    let (code, text) = room.call("DeleteMessage", input).await.error();
    assert_eq!(code, "InvalidParameterValueException");
    assert!(text.ends_with("Reason: The receipt handle has expired."), "{text}");
    assert_eq!(room.bodies(&url).await, ["a"]);
}

#[tokio::test]
async fn a_message_sent_twice_in_five_minutes_is_one() {
    let dir = tempfile::tempdir().expect("a directory");
    let location = || Location::File(dir.path().join("queues.db"));
    let world = World::for_tests(7);
    let room = Room::open(&world, location());
    let url = room.fifo("orders.fifo", json!({})).await;
    let first = room.append(&url, "g", "a").await;
    let received = room.receive(&url).await;
    room.delete(&url, &received[0]).await;
    room.advance_s(299);
    drop(room);
    let room = Room::open(&world, location()); // the window survives the process
    let again = room.append(&url, "h", "a").await;
    assert_eq!((&again["MessageId"], &again["SequenceNumber"]), (&first["MessageId"], &first["SequenceNumber"]));
    assert!(room.receive(&url).await.is_empty());
    room.advance_s(1);
    assert_ne!(room.append(&url, "g", "a").await["MessageId"], first["MessageId"]);
    assert_eq!(room.bodies(&url).await, ["a"]);
}

#[tokio::test]
async fn deduplication_may_end_at_the_group() {
    let room = Room::new();
    let url = room.fifo("orders.fifo", json!({"DeduplicationScope": "messageGroup"})).await;
    for group in ["a", "b", "a"] {
        room.append(&url, group, "x").await;
    }
    assert_eq!(room.receive(&url).await.len(), 2);
}

#[tokio::test]
async fn an_id_of_its_own_goes_before_the_content() {
    let room = Room::new();
    let url = room.fifo("orders.fifo", json!({})).await;
    let entries = json!([
        {"Id": "1", "MessageBody": "x", "MessageGroupId": "g", "MessageDeduplicationId": "one"},
        {"Id": "2", "MessageBody": "x", "MessageGroupId": "g", "MessageDeduplicationId": "two"},
        {"Id": "3", "MessageBody": "y", "MessageGroupId": "g", "MessageDeduplicationId": "two"},
        {"Id": "4", "MessageBody": "z"},
    ]);
    let answer = room.call("SendMessageBatch", json!({"QueueUrl": url, "Entries": entries})).await.ok();
    let ids = |entry: usize| answer["Successful"][entry]["MessageId"].clone();
    assert_ne!(ids(0), ids(1));
    assert_eq!(ids(1), ids(2));
    assert_eq!((&answer["Failed"][0]["Id"], &answer["Failed"][0]["Code"]), (&json!("4"), &json!("MissingParameter")));
    assert_eq!(room.bodies(&url).await, ["x", "x"]);
}

#[tokio::test]
async fn a_delay_is_the_queues_and_holds_for_what_is_there() {
    let room = Room::new();
    let url = room.fifo("orders.fifo", json!({"DelaySeconds": "60"})).await;
    room.append(&url, "g", "a").await;
    assert!(room.receive(&url).await.is_empty());
    room.advance_s(10);
    let input = json!({"QueueUrl": url, "Attributes": {"DelaySeconds": "10"}});
    room.call("SetQueueAttributes", input).await.ok();
    assert_eq!(room.bodies(&url).await, ["a"]);
}

#[tokio::test]
async fn the_dead_letter_queue_is_one_too() {
    let room = Room::new();
    room.queue("dead", json!({})).await;
    let dead = room.fifo("dead.fifo", json!({})).await;
    let standard = r#"{"deadLetterTargetArn":"arn:aws:sqs:us-east-1:000000000000:dead","maxReceiveCount":1}"#;
    let attributes = json!({"FifoQueue": "true", "RedrivePolicy": standard});
    let (_, text) = room.call("CreateQueue", json!({"QueueName": "o.fifo", "Attributes": attributes})).await.error();
    assert!(text.ends_with("Reason: Dead-letter queue must be same type of queue as the source.."), "{text}");

    let attributes =
        json!({"RedrivePolicy": DEAD_POLICY, "VisibilityTimeout": "1", "DeduplicationScope": "messageGroup"});
    let url = room.fifo("orders.fifo", attributes).await;
    for (group, body) in [("a", "x"), ("a", "y"), ("b", "x")] {
        room.append(&url, group, body).await;
    }
    assert_eq!(room.receive(&url).await.len(), 3);
    room.advance_s(1);
    room.append(&url, "a", "z").await;
    assert_eq!(room.bodies(&url).await, ["z"]);
    let buried = room.receive(&dead).await;
    let bodies: Vec<&Value> = buried.iter().map(|message| &message["Body"]).collect();
    assert_eq!(bodies, ["x", "y", "x"]); // two of the same content: each under its own id
    assert_eq!(buried[0]["Attributes"]["MessageDeduplicationId"], buried[0]["MessageId"]);
    assert_eq!(buried[0]["Attributes"]["SentTimestamp"], "1767225601000");
    assert_eq!(buried[0]["Attributes"]["DeadLetterQueueSourceArn"], "arn:aws:sqs:us-east-1:000000000000:orders.fifo");
}

#[tokio::test]
async fn a_receive_may_be_repeated() {
    let room = Room::new();
    let url = room.fifo("orders.fifo", json!({})).await;
    for (group, body) in [("a", "a1"), ("a", "a2"), ("b", "b1")] {
        room.append(&url, group, body).await;
    }
    let ask = |id: &str| {
        let input = json!({"QueueUrl": url, "MaxNumberOfMessages": 2, "ReceiveRequestAttemptId": id});
        room.call("ReceiveMessage", input)
    };
    let first = ask("one").await.ok();
    room.advance_s(20);
    assert_eq!(ask("one").await.ok(), first);
    room.advance_s(20); // hidden anew by the second call
    assert_eq!(ask("two").await.ok()["Messages"][0]["Body"], "b1");
    room.delete(&url, &first["Messages"][0]).await;
    assert_eq!(ask("one").await.ok(), json!({})); // changed, so it is a new call: both groups are locked
    let standard = room.queue("orders", json!({})).await;
    let input = json!({"QueueUrl": standard, "ReceiveRequestAttemptId": "one"});
    let text = "Value one for parameter ReceiveRequestAttemptId is invalid. Reason: The request includes a parameter \
                that is not valid for this queue type.";
    assert_eq!(room.call("ReceiveMessage", input).await.error(), invalid(text));
}

#[tokio::test]
async fn messages_expire_and_leave_no_group() {
    let room = Room::new();
    let url = room.fifo("orders.fifo", json!({"MessageRetentionPeriod": "60"})).await;
    room.append(&url, "g", "old").await;
    room.advance_s(60);
    room.append(&url, "g", "new").await;
    assert_eq!(room.bodies(&url).await, ["new"]);
    room.call("PurgeQueue", json!({"QueueUrl": url})).await.ok();
    room.append(&url, "g", "newer").await;
    assert_eq!(room.bodies(&url).await, ["newer"]);
}

#[tokio::test]
async fn no_more_than_the_limit_is_in_flight() {
    let room = Room::new();
    let (fifo, standard) = (room.fifo("orders.fifo", json!({})).await, room.queue("orders", json!({})).await);
    room.queues.in_flight.set_max(2);
    for body in ["1", "2", "3"] {
        room.append(&fifo, body, body).await;
        room.send(&standard, body).await;
    }
    assert_eq!(room.bodies(&fifo).await, ["1", "2"]);
    assert!(room.bodies(&fifo).await.is_empty());
    let received = room.receive(&standard).await;
    assert_eq!(received.len(), 2);
    let error = room.call("ReceiveMessage", json!({"QueueUrl": standard})).await.api_error();
    assert_eq!((error.short_code(), error.status.as_u16()), ("OverLimit", 403));
    room.delete(&standard, &received[0]).await;
    assert_eq!(room.bodies(&standard).await, ["3"]);
}

#[tokio::test]
async fn the_local_cloud_sends_to_groups() {
    let room = Room::new();
    let url = room.fifo("orders.fifo", json!({})).await;
    let arn = "arn:aws:sqs:us-east-1:000000000000:orders.fifo";
    let event = OutgoingMessage { body: "e".into(), group_id: Some("g".into()), ..OutgoingMessage::default() };
    let first = room.queues.send(arn, event.clone()).await.expect("it is sent");
    assert_eq!(room.queues.send(arn, event.clone()).await.expect("it was sent"), first);
    let other = OutgoingMessage { deduplication_id: Some("other".into()), ..event };
    room.queues.send(arn, other).await.expect("it is sent");
    assert_eq!(room.bodies(&url).await, ["e", "e"]);
    let nowhere = OutgoingMessage { body: "e".into(), ..OutgoingMessage::default() };
    assert!(matches!(room.queues.send(arn, nowhere).await, Err(SendError::Refused(_))));
}
