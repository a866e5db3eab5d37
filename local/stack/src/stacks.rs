//! The stacks of one local cloud: what they are loaded with, and what they made.

use std::fmt;
use std::sync::Arc;

use serde_json::{Value, json};
use storage::{Durability, Location, StorageError};
use template::{Files, Template};

use crate::check;
use crate::error::LoadError;
use crate::kind::Surroundings;
use crate::known::{Elsewhere, Known, Store};
use crate::load::Load;
use crate::store::Record;
use crate::{Loaded, Resources};

/// Where a stack is written down. It is read at every start, at a reset, and when a file of it changes.
pub trait StackSource: fmt::Debug + Send + Sync {
    /// Reads it. What it may ask of other stacks, of Parameter Store and of Secrets Manager is in `elsewhere`.
    fn read(&self, elsewhere: &Elsewhere) -> Result<Reading, LoadError>;
}

/// A stack as it was read.
pub struct Reading {
    /// The stack's name.
    pub stack: String,
    /// What it says.
    pub template: Template,
    /// What templates within it are read from.
    pub files: Arc<dyn Files>,
}

impl fmt::Debug for Reading {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Reading({})", self.stack)
    }
}

/// The stacks.
#[derive(Clone, Debug)]
pub struct Stacks {
    record: Record,
}

impl Stacks {
    /// Opens the record.
    pub fn open(location: Location, durability: Durability) -> Result<Self, StorageError> {
        Ok(Self { record: Record::open(location, durability)? })
    }

    /// Forgets what every stack made.
    pub async fn reset(&self) -> Result<(), StorageError> {
        self.record.reset().await
    }

    /// What stacks have told of themselves.
    pub async fn elsewhere(&self) -> Result<Elsewhere, StorageError> {
        let mut elsewhere = Elsewhere::default();
        for output in self.record.outputs().await? {
            if let Some(export) = output.export {
                elsewhere.exports.insert(export, (output.stack.clone(), output.value.clone()));
            }
            elsewhere.outputs.insert((output.stack, output.name), output.value);
        }
        Ok(elsewhere)
    }

    /// Brings a stack to what its template says. Nothing is made if anything in it is wrong.
    pub async fn load(
        &self,
        resources: &Resources<'_>,
        around: &Surroundings,
        template: &Template,
        files: &Arc<dyn Files>,
        mut elsewhere: Elsewhere,
    ) -> Result<Loaded, LoadError> {
        loop {
            let known = Known::of(template, around, &elsewhere);
            let Err(error) = check::check(template, &known, resources, around, files) else { break };
            if !elsewhere.look_up(resources).await {
                return Err(error.into());
            }
        }
        Load::run(&self.record, resources, around, template, files, &elsewhere).await
    }
}

impl Elsewhere {
    /// Looks up what was asked for in vain; whether any of it is there.
    pub async fn look_up(&mut self, resources: &Resources<'_>) -> bool {
        let mut found = false;
        for (store, name) in self.take_wanted() {
            let text =
                |answer: &Value, pointer: &str| answer.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
            match store {
                Store::Parameters => {
                    let input = json!({"Name": name, "WithDecryption": true});
                    let answer = resources.call("ssm", "GetParameter", &input).await.unwrap_or_default();
                    let Some(value) = text(&answer, "/Parameter/Value") else { continue };
                    let kind = text(&answer, "/Parameter/Type").unwrap_or_default();
                    self.parameters.insert(name, (value, kind));
                }
                Store::Secrets => {
                    let input = json!({"SecretId": name});
                    let answer = resources.call("secretsmanager", "GetSecretValue", &input).await.unwrap_or_default();
                    let Some(value) = text(&answer, "/SecretString") else { continue };
                    self.secrets.insert(name, value);
                }
            }
            found = true;
        }
        found
    }
}
