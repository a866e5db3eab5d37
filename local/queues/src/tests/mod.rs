//! What the tests of operations and lanes stand on, and the tests that belong to no single operation.

mod backlog;
mod fifo;
mod fifo_model;
mod lane_model;
mod lanes;
mod move_tasks;
mod query_protocol;

use std::sync::Arc;
use std::time::Duration;

use aws_api::{ApiError, Call, Reply, Service};
use serde_json::{Value, json};
use storage::{Durability, Location};
use world::{TraceId, World};

use crate::Queues;

/// A room in memory, called as the router calls it.
pub(crate) struct Room {
    pub queues: Arc<Queues>,
    pub world: World,
    service: Arc<dyn Service>,
}

/// What became of a call.
pub(crate) struct Answer(Result<Reply, ApiError>);

impl Room {
    pub fn new() -> Self {
        Self::open(&World::for_tests(7), Location::Memory)
    }

    /// A room whose file may be there already.
    pub fn open(world: &World, location: Location) -> Self {
        let endpoint = "http://127.0.0.1:4566".to_owned();
        let queues = Queues::open(world.clone(), location, Durability::default(), endpoint).expect("it opens");
        let service = queues.services().pop().expect("SQS");
        Self { queues, world: world.clone(), service }
    }

    pub async fn call(&self, operation: &str, input: Value) -> Answer {
        let trace = TraceId::new(self.world.clock.now(), &self.world.random);
        let call = Call::internal(operation, &input, trace, self.world.random.uuid());
        Answer(self.service.call(&call).await)
    }

    /// Makes a queue and gives its URL.
    pub async fn queue(&self, name: &str, attributes: Value) -> String {
        let made = self.call("CreateQueue", json!({"QueueName": name, "Attributes": attributes})).await.ok();
        made["QueueUrl"].as_str().expect("a URL").to_owned()
    }

    /// Makes a FIFO queue that deduplicates by content, unless told otherwise.
    pub async fn fifo(&self, name: &str, mut attributes: Value) -> String {
        attributes["FifoQueue"] = json!("true");
        if attributes["ContentBasedDeduplication"].is_null() {
            attributes["ContentBasedDeduplication"] = json!("true");
        }
        self.queue(name, attributes).await
    }

    /// Sends to a FIFO queue; gives the answer.
    pub async fn append(&self, url: &str, group: &str, body: &str) -> Value {
        self.call("SendMessage", json!({"QueueUrl": url, "MessageBody": body, "MessageGroupId": group})).await.ok()
    }

    pub async fn delete(&self, url: &str, message: &Value) {
        let input = json!({"QueueUrl": url, "ReceiptHandle": message["ReceiptHandle"]});
        self.call("DeleteMessage", input).await.ok();
    }

    pub async fn send(&self, url: &str, body: &str) {
        self.call("SendMessage", json!({"QueueUrl": url, "MessageBody": body})).await.ok();
    }

    /// Receives up to ten messages, with everything that there is to know of them.
    pub async fn receive(&self, url: &str) -> Vec<Value> {
        let input = json!({"QueueUrl": url, "MaxNumberOfMessages": 10, "MessageSystemAttributeNames": ["All"],
            "MessageAttributeNames": ["All"]});
        let answer = self.call("ReceiveMessage", input).await.ok();
        answer["Messages"].as_array().cloned().unwrap_or_default()
    }

    pub async fn bodies(&self, url: &str) -> Vec<String> {
        let text = |message: Value| message["Body"].as_str().expect("a body").to_owned();
        self.receive(url).await.into_iter().map(text).collect()
    }

    pub async fn attribute(&self, url: &str, name: &str) -> String {
        let answer = self.call("GetQueueAttributes", json!({"QueueUrl": url, "AttributeNames": [name]})).await.ok();
        answer["Attributes"][name].as_str().expect("the attribute").to_owned()
    }

    /// Returns when somebody polls a queue.
    pub async fn is_polled(&self) {
        while !self.queues.is_polled() {
            tokio::task::yield_now().await;
        }
    }

    pub fn advance_s(&self, seconds: u64) {
        self.world.clock.advance(Duration::from_secs(seconds));
    }
}

impl Answer {
    #[track_caller]
    pub fn ok(self) -> Value {
        serde_json::from_slice(&self.0.expect("it succeeds").body).expect("JSON")
    }

    /// The exception's name without its namespace, and its message.
    #[track_caller]
    pub fn error(self) -> (String, String) {
        let error = self.0.expect_err("it fails");
        (error.short_code().to_owned(), error.message)
    }

    pub fn result(self) -> Result<Value, String> {
        let reply = self.0.map_err(|error| error.to_string())?;
        Ok(serde_json::from_slice(&reply.body).expect("JSON"))
    }

    #[track_caller]
    pub fn api_error(self) -> ApiError {
        self.0.expect_err("it fails")
    }
}

pub(crate) fn refused(code: &str, message: &str) -> (String, String) {
    (code.to_owned(), message.to_owned())
}
