//! The stacks of one local cloud: what they are loaded with, and what they made.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use storage::{Durability, Location, StorageError};
use template::Template;

use crate::check;
use crate::error::LoadError;
use crate::kind::Surroundings;
use crate::known::{Elsewhere, Known, Store};
use crate::load::Load;
use crate::store::Record;
use crate::{Loaded, Resources};

/// What somebody gives for things that are not in this local cloud.
#[derive(Clone, Debug, Default)]
pub struct Given {
    /// `--import name=value`.
    pub imports: BTreeMap<String, String>,
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

    /// What a stack may know of the others.
    pub async fn elsewhere(&self, stack: &str, given: &Given) -> Result<Elsewhere, StorageError> {
        let mut elsewhere = Elsewhere::default();
        for output in self.record.outputs().await? {
            if output.stack == stack {
                continue;
            }
            if let Some(export) = output.export {
                elsewhere.exports.insert(export.clone(), output.value.clone());
                elsewhere.exporters.insert(export, output.stack.clone());
            }
            elsewhere.outputs.insert((output.stack, output.name), output.value);
        }
        elsewhere.exports.extend(given.imports.clone());
        Ok(elsewhere)
    }

    /// Brings a stack to what its template says. Nothing is made if anything in it is wrong.
    pub async fn load(
        &self,
        resources: &Resources<'_>,
        around: &Surroundings,
        template: &Template,
        mut elsewhere: Elsewhere,
    ) -> Result<Loaded, LoadError> {
        loop {
            let known = Known::of(template, around, &elsewhere);
            let Err(error) = check::check(template, &known, resources, around) else { break };
            if !elsewhere.look_up(resources).await {
                return Err(error.into());
            }
        }
        Load::run(&self.record, resources, around, template, &elsewhere).await
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
                    self.parameters.insert(name, value);
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
