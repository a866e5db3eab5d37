//! What stands already, and what can be said before anything is made only when that is known.

use serde_json::json;
use template::{Resource, TemplateError};

use super::{Load, changed_fixed, merged, refused};
use crate::check::{self, existing_pool_of};
use crate::error::LoadError;
use crate::kind::{Identity, Made, Properties, Standing, is_missing, text};
use crate::kinds::{self, existing_pool};
use crate::known::is_unsettled;
use crate::nested;
use crate::store::{Recorded, State};

impl Load<'_> {
    /// Finds out which of the recorded resources are still there, and what is known of them now.
    pub(super) async fn look_around(&mut self) -> Result<(), LoadError> {
        for row in self.recorded.values().cloned().collect::<Vec<_>>() {
            if row.state == State::Making && row.standing.id.is_empty() {
                continue; // it is looked for by its properties when it is made
            }
            let kind = kinds::of(&row.kind);
            let found = kind.find(&self.at(&row.logical_id, &row.standing.id), &row.standing).await;
            // One that cannot be asked for is taken to be as it was.
            let Some(made) = found.unwrap_or_else(|_| Some(Made::default())) else {
                self.record.forget(&self.around.stack, &row.logical_id).await?;
                self.recorded.remove(&row.logical_id);
                continue;
            };
            let standing = merged(&row.standing.id, &row.standing.attributes, &made, row.standing.properties);
            if self.template.resource(&row.logical_id).is_some_and(|resource| resource.kind == row.kind) {
                let there = (standing.id.clone(), standing.attributes.clone());
                self.known.there.insert(row.logical_id.clone(), there);
            }
            if let Some(row) = self.recorded.get_mut(&row.logical_id) {
                row.standing = standing;
            }
        }
        self.take_over_renamed();
        for logical_id in self.recorded.keys().cloned().collect::<Vec<_>>() {
            self.learn(&logical_id).await;
        }
        Ok(())
    }

    /// What is in a secret of the stack, for those that refer to it.
    pub(super) async fn learn(&mut self, logical_id: &str) {
        let Some(row) = self.recorded.get(logical_id).filter(|row| row.kind == kinds::SECRET) else { return };
        let input = json!({"SecretId": row.standing.id});
        let answer = self.resources.call("secretsmanager", "GetSecretValue", &input).await.unwrap_or_default();
        if let Some(text) = answer["SecretString"].as_str() {
            self.known.learn(logical_id, text.to_owned());
        }
    }

    /// A resource that only its logical id has changed of stays what it is.
    fn take_over_renamed(&mut self) {
        let template = self.template;
        for resource in &template.resources {
            let id = self.id_of(&resource.logical_id);
            if !self.is_made(resource) || id.is_empty() || self.recorded.contains_key(&resource.logical_id) {
                continue;
            }
            let same = |row: &&Recorded| {
                row.kind == resource.kind && row.standing.id == id && self.template.resource(&row.logical_id).is_none()
            };
            let Some(row) = self.recorded.values().find(same).cloned() else { continue };
            let there = (row.standing.id.clone(), row.standing.attributes.clone());
            self.known.there.insert(resource.logical_id.clone(), there);
            self.recorded.insert(resource.logical_id.clone(), row);
        }
    }

    /// What can be said only now that it is known what stands: before anything is made, still.
    pub(super) async fn check_against_record(&self) -> Result<(), LoadError> {
        for output in &self.template.outputs {
            let Some(export) = &output.export else { continue };
            let name = self.template.resolve(export, &self.known)?.to_json();
            let name = name.as_str().unwrap_or_default();
            let exporter = self.known.elsewhere.exports.get(name).map(|(stack, _)| stack);
            if let Some(stack) = exporter.filter(|stack| **stack != self.around.stack) {
                let message = format!("Export with name {name} is already exported by stack {stack}");
                return Err(TemplateError::new(&output.span, message).into());
            }
        }
        for resource in self.template.resources.iter().filter(|resource| self.is_made(resource)) {
            let properties = check::properties(self.template, resource, &self.known, &mut Vec::new())?;
            match self.standing(resource) {
                Some(row) if row.state != State::Making => self.check_change(resource, row, &properties)?,
                Some(_) => {}
                None => self.check_new(resource, &properties).await?,
            }
        }
        Ok(())
    }

    /// What stands of a resource; one of another type under its name does not count.
    pub(super) fn standing(&self, resource: &Resource) -> Option<&Recorded> {
        self.recorded.get(&resource.logical_id).filter(|row| row.kind == resource.kind)
    }

    fn check_change(&self, resource: &Resource, row: &Recorded, after: &Properties) -> Result<(), LoadError> {
        let kind = kinds::of(&resource.kind);
        let wrong = |message: String| LoadError::from(TemplateError::new(&resource.span, message));
        let before = &row.standing.properties;
        if let Some(reason) = kind.refuses(before, after) {
            return Err(wrong(format!("{} ({}): {reason}", resource.logical_id, resource.kind)));
        }
        if !kind.is_precious() {
            return Ok(());
        }
        match changed_fixed(kind, before, after).or_else(|| self.renamed(resource, row)) {
            Some(property) => Err(wrong(format!(
                "{} ({}): a change of {property} makes AWS replace it, with all that is in {}: give the new one another \
                 logical id, or delete the old one first",
                resource.logical_id, resource.kind, row.standing.id
            ))),
            None => Ok(()),
        }
    }

    /// Whether the resource would have another id.
    pub(super) fn renamed(&self, resource: &Resource, row: &Recorded) -> Option<&'static str> {
        let id = self.id_of(&resource.logical_id);
        (!id.is_empty() && id != row.standing.id && !kinds::of(&resource.kind).id_moves()).then_some("its name")
    }

    /// Nobody else's resource is taken.
    async fn check_new(&self, resource: &Resource, properties: &Properties) -> Result<(), LoadError> {
        let kind = kinds::of(&resource.kind);
        let id = self.id_of(&resource.logical_id);
        let at = self.at(&resource.logical_id, &id);
        let wrong = |message: String| LoadError::from(TemplateError::new(&resource.span, message));
        if resource.kind == existing_pool::TYPE && existing_pool_of(self.template, &self.known, resource).is_none() {
            let name = text(properties, "UserPoolName");
            let found = existing_pool::pool_named(&at, name).await.map_err(|error| refused(resource, error))?;
            if found.is_none() {
                return Err(wrong(format!(
                    "there is no user pool with the name {name}: declare it in this stack, or make it with aws \
                     cognito-idp create-user-pool --pool-name {name} --endpoint-url {}",
                    self.around.endpoint
                )));
            }
        }
        for expected in kind.expects(&at, properties) {
            if is_unsettled(&expected.input) || self.is_of_this_stack(&expected.name) {
                continue;
            }
            let (service, operation) = expected.operation;
            let answer = self.resources.call(service, operation, &expected.input).await;
            if answer.is_err_and(|error| is_missing(&error)) {
                return Err(wrong(format!(
                    "{}: {} is not there: {} --endpoint-url {} makes it",
                    resource.logical_id, expected.what, expected.made_by, self.around.endpoint
                )));
            }
        }
        if id.is_empty() || kind.adopts() || properties.values().any(is_unsettled) {
            return Ok(());
        }
        let attributes = self.known.identities.get(&resource.logical_id).map(|identity| identity.attributes.clone());
        let standing =
            Standing { id: id.clone(), attributes: attributes.unwrap_or_default(), properties: properties.clone() };
        match kind.find(&at, &standing).await {
            Ok(Some(_)) => Err(wrong(format!(
                "{} ({}): {} already exists, and this stack did not make it",
                resource.logical_id, resource.kind, standing.id
            ))),
            _ => Ok(()),
        }
    }

    /// Whether something with this id is part of the stack.
    fn is_of_this_stack(&self, name: &str) -> bool {
        let is = |identity: &Identity| {
            identity.id.as_deref() == Some(name) || identity.attributes.values().any(|value| value == name)
        };
        self.known.identities.values().any(is)
    }

    /// Whether a stack within this one can be brought about.
    pub(super) async fn rehearse(&self, resource: &Resource) -> Result<(), LoadError> {
        let properties = check::properties(self.template, resource, &self.known, &mut Vec::new())?;
        let inner = nested::read(resource, &properties, &self.known, self.around, self.files)?;
        let elsewhere = self.known.elsewhere;
        let (record, resources) = (self.record, self.resources);
        let begun = Load::begin(record, resources, &inner.around, &inner.template, self.files, elsewhere);
        Box::pin(begun).await.map(drop)
    }
}
