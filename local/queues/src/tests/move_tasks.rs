//! Message move tasks from their beginning to their end.

use serde_json::{Value, json};
use storage::Location;
use world::World;

use crate::tests::{Room, refused};

const DEAD: &str = "arn:aws:sqs:us-east-1:000000000000:dead";
const OTHER: &str = "arn:aws:sqs:us-east-1:000000000000:other";

/// A queue with so many dead letters; the URLs of both queues.
async fn with_dead_letters(room: &Room, count: usize) -> (String, String) {
    let dead = room.queue("dead", json!({})).await;
    let policy = json!({"deadLetterTargetArn": DEAD, "maxReceiveCount": 1}).to_string();
    let url = room.queue("orders", json!({"RedrivePolicy": policy, "VisibilityTimeout": "1"})).await;
    for n in 0..count {
        room.send(&url, &n.to_string()).await;
    }
    while !room.receive(&url).await.is_empty() {}
    room.advance_s(1);
    assert!(room.receive(&url).await.is_empty());
    (url, dead)
}

async fn start(room: &Room, input: Value) -> String {
    let answer = room.call("StartMessageMoveTask", input).await.ok();
    answer["TaskHandle"].as_str().expect("a handle").to_owned()
}

async fn task(room: &Room) -> Value {
    room.call("ListMessageMoveTasks", json!({"SourceArn": DEAD})).await.ok()["Results"][0].clone()
}

/// The task, when it has come so far.
async fn task_when(room: &Room, reached: impl Fn(&Value) -> bool) -> Value {
    loop {
        let task = task(room).await;
        if reached(&task) {
            return task;
        }
        tokio::task::yield_now().await;
    }
}

async fn ended(room: &Room) -> Value {
    task_when(room, |task| task["Status"] != "RUNNING").await
}

#[tokio::test]
async fn dead_letters_go_back_where_they_came_from() {
    let room = Room::new();
    let (url, dead) = with_dead_letters(&room, 12).await;
    start(&room, json!({"SourceArn": DEAD})).await;
    let expected = json!({"Status": "COMPLETED", "SourceArn": DEAD, "ApproximateNumberOfMessagesMoved": 12,
        "ApproximateNumberOfMessagesToMove": 12, "StartedTimestamp": 1_767_225_601_000_i64});
    assert_eq!(ended(&room).await, expected);
    let message = room.receive(&url).await.remove(0);
    assert_eq!(message["Attributes"]["ApproximateReceiveCount"], "1"); // it is a new message
    assert_eq!(message["Attributes"]["SentTimestamp"], "1767225601000");
    assert_eq!(message["Attributes"]["DeadLetterQueueSourceArn"], Value::Null);
    assert_eq!(room.attribute(&dead, "ApproximateNumberOfMessages").await, "0");
}

#[tokio::test]
async fn a_poll_of_the_destination_ends() {
    let room = Room::new();
    with_dead_letters(&room, 1).await;
    let other = room.queue("other", json!({})).await;
    let poll = room.call("ReceiveMessage", json!({"QueueUrl": other, "WaitTimeSeconds": 20}));
    let move_there = async {
        room.is_polled().await;
        start(&room, json!({"SourceArn": DEAD, "DestinationArn": OTHER})).await;
    };
    let (answer, ()) = tokio::join!(poll, move_there);
    assert_eq!(answer.ok()["Messages"][0]["Body"], "0");
}

#[tokio::test]
async fn a_velocity_holds_by_the_clock_and_a_task_can_be_cancelled() {
    let room = Room::new();
    with_dead_letters(&room, 10).await;
    let handle = start(&room, json!({"SourceArn": DEAD, "MaxNumberOfMessagesPerSecond": 2})).await;
    let moved = |count: i64| move |task: &Value| task["ApproximateNumberOfMessagesMoved"] == count;
    let running = task_when(&room, moved(2)).await;
    assert_eq!((&running["Status"], &running["TaskHandle"]), (&json!("RUNNING"), &json!(handle)));
    let text = "There is already a task running. Only one active task is allowed for a source queue arn at a given \
                time.";
    let again = room.call("StartMessageMoveTask", json!({"SourceArn": DEAD})).await.error();
    assert_eq!(again, refused("InvalidParameterValueException", text));
    room.advance_s(2);
    task_when(&room, moved(6)).await;
    let answer = room.call("CancelMessageMoveTask", json!({"TaskHandle": handle})).await.ok();
    assert_eq!(answer, json!({"ApproximateNumberOfMessagesMoved": 6}));
    let cancelled = task(&room).await;
    assert_eq!((&cancelled["Status"], &cancelled["TaskHandle"]), (&json!("CANCELLED"), &Value::Null));
    let again = room.call("CancelMessageMoveTask", json!({"TaskHandle": handle})).await.error();
    assert_eq!(again, refused("InvalidParameterValueException", "Only active tasks can be cancelled."));
}

#[tokio::test]
async fn a_task_goes_on_after_a_restart() {
    let dir = tempfile::tempdir().expect("a directory");
    let location = || Location::File(dir.path().join("queues.db"));
    let world = World::for_tests(7);
    let room = Room::open(&world, location());
    with_dead_letters(&room, 4).await;
    start(&room, json!({"SourceArn": DEAD, "MaxNumberOfMessagesPerSecond": 1})).await;
    task_when(&room, |task| task["ApproximateNumberOfMessagesMoved"] == 1).await;
    drop(room);
    let room = Room::open(&world, location());
    room.advance_s(60);
    let task = ended(&room).await;
    assert_eq!((&task["Status"], &task["ApproximateNumberOfMessagesMoved"]), (&json!("COMPLETED"), &json!(4)));
}

#[tokio::test]
async fn a_task_that_cannot_go_on_says_why() {
    let room = Room::new();
    let (url, dead) = with_dead_letters(&room, 1).await;
    room.send(&dead, "sent here").await;
    start(&room, json!({"SourceArn": DEAD})).await;
    let task = ended(&room).await;
    assert_eq!((&task["Status"], &task["FailureReason"]), (&json!("FAILED"), &json!("CouldNotDetermineMessageSource")));
    assert_eq!(task["ApproximateNumberOfMessagesMoved"], 1);

    let url_again = room.bodies(&url).await;
    assert_eq!(url_again, ["0"]);
    room.advance_s(1);
    room.receive(&url).await; // buried again
    let other = room.queue("other", json!({})).await;
    let slow = json!({"SourceArn": DEAD, "DestinationArn": OTHER, "MaxNumberOfMessagesPerSecond": 1});
    start(&room, slow).await;
    task_when(&room, |task| task["ApproximateNumberOfMessagesMoved"] == 1).await;
    room.call("DeleteQueue", json!({"QueueUrl": other})).await.ok();
    room.advance_s(1);
    let task = ended(&room).await;
    assert_eq!(task["FailureReason"], "AWS.SimpleQueueService.NonExistentQueue");
}

#[tokio::test]
async fn groups_keep_their_order_on_the_way_back() {
    let room = Room::new();
    room.fifo("dead.fifo", json!({})).await;
    let dead = "arn:aws:sqs:us-east-1:000000000000:dead.fifo";
    let policy = json!({"deadLetterTargetArn": dead, "maxReceiveCount": 1}).to_string();
    let url = room.fifo("orders.fifo", json!({"RedrivePolicy": policy, "VisibilityTimeout": "1"})).await;
    for body in ["1", "2", "3"] {
        room.append(&url, "g", body).await;
    }
    room.receive(&url).await;
    room.advance_s(1);
    assert!(room.receive(&url).await.is_empty());
    start(&room, json!({"SourceArn": dead})).await;
    let tasks = json!({"SourceArn": dead});
    while room.call("ListMessageMoveTasks", tasks.clone()).await.ok()["Results"][0]["Status"] == "RUNNING" {
        tokio::task::yield_now().await;
    }
    assert_eq!(room.bodies(&url).await, ["1", "2", "3"]);
}

#[tokio::test]
async fn wrong_input_is_refused() {
    let room = Room::new();
    with_dead_letters(&room, 0).await;
    room.fifo("other.fifo", json!({})).await;
    let value = |text: &str| refused("InvalidParameterValueException", text);
    let nowhere = "arn:aws:sqs:us-east-1:000000000000:nowhere";
    let gone = |parameter: &str| {
        let text = format!("The resource that you specified for the {parameter} parameter doesn't exist.");
        refused("ResourceNotFoundException", &text)
    };
    for (input, expected) in [
        (json!({"SourceArn": nowhere}), gone("SourceArn")),
        (json!({"SourceArn": DEAD, "DestinationArn": nowhere}), gone("DestinationArn")),
        (
            json!({"SourceArn": "arn:aws:sqs:us-east-1:000000000000:orders"}),
            value("Source queue must be configured as a Dead Letter Queue."),
        ),
        (
            json!({"SourceArn": DEAD, "DestinationArn": format!("{OTHER}.fifo")}),
            value("The source queue and destination queue must be of the same queue type."),
        ),
        (
            json!({"SourceArn": DEAD, "MaxNumberOfMessagesPerSecond": 501}),
            value(
                "Value 501 for parameter MaxNumberOfMessagesPerSecond is invalid. Reason: The value must be between 1 \
                 and 500, if provided.",
            ),
        ),
    ] {
        assert_eq!(room.call("StartMessageMoveTask", input).await.error(), expected);
    }
    let unknown = crate::tests::move_tasks::handle_of_nothing();
    let error = room.call("CancelMessageMoveTask", json!({"TaskHandle": unknown})).await.api_error();
    assert_eq!((error.short_code(), error.status.as_u16()), ("ResourceNotFoundException", 404));
    let error = room.call("CancelMessageMoveTask", json!({"TaskHandle": "garbage"})).await.error();
    assert_eq!(error, value("Value garbage for parameter TaskHandle is invalid."));
}

fn handle_of_nothing() -> String {
    use base64::Engine;
    base64::engine::general_purpose::STANDARD.encode(json!({"taskId": "none", "sourceArn": DEAD}).to_string())
}
