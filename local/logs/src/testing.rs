//! A room in memory.

use std::sync::Arc;

use aws_api::{ApiError, Call, Service};
use serde_json::{Value, json};
use storage::{Durability, Location};
use world::{TraceId, World};

use crate::Logs;

/// The room, and its API.
pub struct Room {
    pub world: World,
    pub logs: Arc<Logs>,
    service: Arc<dyn Service>,
}

/// What an operation answered.
pub struct Answer(Result<Value, ApiError>);

impl Answer {
    #[track_caller]
    pub fn ok(self) -> Value {
        self.0.expect("the call succeeds")
    }

    #[track_caller]
    pub fn error(self, code: &str, message: &str) {
        let error = self.0.expect_err("the call fails");
        assert_eq!((&*error.code, error.message.as_str()), (code, message));
    }
}

impl Room {
    pub fn new() -> Self {
        Self::over(World::for_tests(1), Location::Memory)
    }

    pub fn over(world: World, location: Location) -> Self {
        let logs = Logs::open(world.clone(), location, Durability::default()).expect("the room opens");
        let service = logs.services().remove(0);
        Self { world, logs, service }
    }

    /// With the group `g` and its stream `s`.
    pub async fn with_stream() -> Self {
        let t = Self::new();
        t.call("CreateLogGroup", json!({ "logGroupName": "g" })).await.ok();
        t.call("CreateLogStream", json!({ "logGroupName": "g", "logStreamName": "s" })).await.ok();
        t
    }

    pub async fn call(&self, operation: &str, input: Value) -> Answer {
        let trace = TraceId::new(self.world.clock.now(), &self.world.random);
        let call = Call::internal(operation, &input, trace, self.world.random.uuid());
        let reply = self.service.call(&call).await;
        Answer(reply.map(|reply| serde_json::from_slice(&reply.body).expect("a JSON body")))
    }

    /// Milliseconds since the epoch.
    pub fn now(&self) -> i64 {
        self.world.clock.now().millis()
    }

    /// Events in `g` and the stream, one millisecond after the other from now on.
    pub async fn put(&self, stream: &str, messages: &[&str]) {
        let events = messages.iter().zip(self.now()..).map(|(message, at)| (at, (*message).to_owned())).collect();
        self.logs.put("g", stream, events).await.expect("they are stored");
    }

    /// The messages that `FilterLogEvents` finds in `g`.
    pub async fn found(&self, more: Value) -> Vec<String> {
        messages(&self.filter(more).await)
    }

    pub async fn filter(&self, more: Value) -> Value {
        let mut input = json!({ "logGroupName": "g" });
        let members = input.as_object_mut().expect("an object");
        members.extend(more.as_object().cloned().unwrap_or_default());
        self.call("FilterLogEvents", input).await.ok()
    }
}

/// The messages of an answer's events.
pub fn messages(answer: &Value) -> Vec<String> {
    let events = answer["events"].as_array().expect("events");
    events.iter().map(|event| event["message"].as_str().expect("a message").to_owned()).collect()
}
