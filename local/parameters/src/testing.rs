//! A room in memory.

use std::sync::Arc;

use aws_api::{ApiError, Call, Service};
use serde_json::{Value, json};
use storage::{Durability, Location};
use world::{TraceId, World};

use crate::Parameters;

/// The room, and its APIs.
pub struct Room {
    pub world: World,
    pub parameters: Arc<Parameters>,
    services: Vec<Arc<dyn Service>>,
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
        assert_eq!(self.message(code), message);
    }

    /// The message of an error with this code.
    #[track_caller]
    pub fn message(self, code: &str) -> String {
        let error = self.0.expect_err("the call fails");
        assert_eq!(error.code, code, "{}", error.message);
        error.message
    }
}

impl Room {
    pub fn new() -> Self {
        Self::over(World::for_tests(1), Location::Memory)
    }

    pub fn over(world: World, location: Location) -> Self {
        let room = Parameters::open(world.clone(), location, Durability::default()).expect("the room opens");
        let services = room.services();
        Self { world, parameters: room, services }
    }

    /// Calls Systems Manager.
    pub async fn ssm(&self, operation: &str, input: Value) -> Answer {
        self.call(0, operation, input).await
    }

    /// Calls Secrets Manager.
    pub async fn secrets(&self, operation: &str, input: Value) -> Answer {
        self.call(1, operation, input).await
    }

    async fn call(&self, service: usize, operation: &str, input: Value) -> Answer {
        let trace = TraceId::new(self.world.clock.now(), &self.world.random);
        let call = Call::internal(operation, &input, trace, self.world.random.uuid());
        let reply = self.services[service].call(&call).await;
        Answer(reply.map(|reply| serde_json::from_slice(&reply.body).expect("a JSON body")))
    }

    /// Seconds since the epoch.
    pub fn now(&self) -> f64 {
        self.world.clock.now().epoch_seconds()
    }

    /// Gives a parameter a value.
    pub async fn put(&self, name: &str, value: &str) {
        let input = json!({ "Name": name, "Value": value, "Type": "String", "Overwrite": true });
        self.ssm("PutParameter", input).await.ok();
    }

    /// Makes a secret whose first version has the first token.
    pub async fn create_secret(&self, name: &str, value: &str) -> Value {
        let input = json!({ "Name": name, "ClientRequestToken": token(1), "SecretString": value });
        self.secrets("CreateSecret", input).await.ok()
    }

    /// Reads a secret, with more members in the request.
    pub async fn value(&self, id: &str, more: Value) -> Answer {
        let mut input = json!({ "SecretId": id });
        input.as_object_mut().expect("an object").extend(more.as_object().cloned().unwrap_or_default());
        self.secrets("GetSecretValue", input).await
    }
}

/// A token for a request, and so the id of a version.
pub fn token(n: u32) -> String {
    format!("00000000-0000-4000-8000-{n:012}")
}

/// The names of what is listed.
pub fn names(list: &Value) -> Vec<String> {
    let list = list.as_array().expect("a list");
    list.iter().map(|one| one["Name"].as_str().expect("a name").to_owned()).collect()
}
