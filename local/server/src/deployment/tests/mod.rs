//! Templates in rooms that are real but for the clock: what is made, changed and removed, by the services' own word.

mod apis;
mod changes;
mod crash;
mod left_out;
mod mistakes;
mod nested;
mod pools;
mod stores;
mod whole;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use aws_api::Service;
use serde_json::{Value, json};
use stack::{LoadError, Loaded, Resources, Stacks, Surroundings, What};
use storage::{Durability, Location};
use template::{Files, Inputs, Source, Template, load_template};
use tokio::task::JoinSet;
use world::World;

use crate::cloud::Rooms;
use crate::testing;

/// Rooms and the record of what a stack made in them.
pub struct Kit {
    pub world: World,
    pub rooms: Rooms,
    pub stacks: Stacks,
    pub parameters: BTreeMap<String, String>,
    /// What templates may read.
    pub files: BTreeMap<PathBuf, String>,
    endpoint: String,
    _tasks: JoinSet<()>,
}

impl Kit {
    pub async fn new() -> Self {
        let world = World::for_tests(1);
        let (rooms, tasks) = testing::rooms(&world).await;
        let stacks = Stacks::open(Location::Memory, Durability::default()).expect("a record in memory");
        let endpoint = "http://127.0.0.1:4566".to_owned();
        Self { world, rooms, stacks, parameters: BTreeMap::new(), files: BTreeMap::new(), endpoint, _tasks: tasks }
    }

    /// As if the port were another one today.
    pub fn at_port(&mut self, port: u16) {
        self.endpoint = format!("http://127.0.0.1:{port}");
    }

    /// Loads the stack `app`.
    pub async fn load(&self, text: &str) -> Result<Loaded, LoadError> {
        self.load_as("app", text).await
    }

    /// Loads the stack `app` through these services.
    pub async fn load_by(&self, services: &[Arc<dyn Service>], text: &str) -> Result<Loaded, LoadError> {
        self.load_through(&Resources::new(&self.world, services), "app", text).await
    }

    pub async fn load_as(&self, stack: &str, text: &str) -> Result<Loaded, LoadError> {
        self.load_through(&self.resources(), stack, text).await
    }

    async fn load_through(&self, resources: &Resources<'_>, stack: &str, text: &str) -> Result<Loaded, LoadError> {
        let document = load_template(&Source::new("template.yaml", text))?;
        let files: Arc<dyn Files> = Arc::new(self.files.clone());
        let inputs = Inputs {
            stack_name: stack.to_owned(),
            parameters: self.parameters.clone(),
            files: Arc::clone(&files),
            ..Inputs::default()
        };
        let elsewhere = self.stacks.elsewhere().await?;
        let template = Template::read_with(document, inputs, &elsewhere)?;
        let place = self.world.place.clone();
        let around = Surroundings { stack: stack.to_owned(), place, endpoint: self.endpoint.clone(), depth: 0 };
        self.stacks.load(resources, &around, &template, &files, elsewhere).await
    }

    /// Loads what must be right; what was done, as `made Users`.
    #[track_caller]
    pub fn loaded(&self, text: &str) -> impl Future<Output = Vec<String>> {
        let place = std::panic::Location::caller();
        async move {
            let loaded = self.load(text).await.unwrap_or_else(|error| panic!("{place}: {error}"));
            changes(&loaded)
        }
    }

    /// Loads what must be wrong; what is said of it.
    pub async fn refused(&self, text: &str) -> String {
        self.load(text).await.expect_err("it is refused").to_string()
    }

    pub fn resources(&self) -> Resources<'_> {
        Resources::new(&self.world, &self.rooms.services)
    }

    /// Calls an operation that must succeed.
    pub async fn call(&self, service: &str, operation: &'static str, input: Value) -> Value {
        let answer = self.resources().call(service, operation, &input).await;
        answer.unwrap_or_else(|error| panic!("{operation}: {error}"))
    }

    /// The error of an operation that must fail.
    pub async fn error(&self, service: &str, operation: &'static str, input: Value) -> String {
        let answer = self.resources().call(service, operation, &input).await;
        answer.expect_err("it fails").short_code().to_owned()
    }
}

pub fn changes(loaded: &Loaded) -> Vec<String> {
    let said = |what: What, id: &str| format!("{what} {id}");
    loaded.changes.iter().map(|change| said(change.what, &change.logical_id)).collect()
}

/// A function that needs no code of its own, to be pasted below `Resources`.
pub const FUNCTION: &str = "
  Announce:
    Type: AWS::Lambda::Function
    Properties:
      FunctionName: announce
      Runtime: provided.al2023
      Handler: announce
      Role: !Sub arn:aws:iam::${AWS::AccountId}:role/any
      Code: {S3Bucket: built-in, S3Key: 'false'}
";

/// An item of a table whose key is `pk`.
pub async fn put_item(kit: &Kit, table: &str) {
    kit.call("dynamodb", "PutItem", json!({"TableName": table, "Item": {"pk": {"S": "a"}}})).await;
}
