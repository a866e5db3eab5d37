//! Loading a stack: its template against what an earlier load made of it.
//!
//! First everything is checked; then resources are made and brought up to date, each recorded as soon as it stands;
//! then those go that left the template. A refusal on the way ends the load, and the next one goes on from there.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use template::{Files, Resource, Template, TemplateError, Warning};

use crate::check::{self, existing_pool_of, presence, settled};
use crate::error::{LoadError, StackError};
use crate::kind::{At, Attributes, Kind, Made, Presence, Properties, Standing, Surroundings};
use crate::kinds::{self, existing_pool};
use crate::known::{Elsewhere, Known, is_unsettled};
use crate::nested;
use crate::order::order;
use crate::store::{Record, Recorded, RecordedOutput, State};
use crate::{Change, Loaded, Resources, Stack, What};

/// How often properties are set again because something that they name has turned out otherwise.
const SETTLING_MAX: usize = 3;

pub struct Load<'a> {
    record: &'a Record,
    resources: &'a Resources<'a>,
    around: &'a Surroundings,
    template: &'a Template,
    files: &'a Arc<dyn Files>,
    known: Known<'a>,
    /// What stands, by logical id.
    recorded: BTreeMap<String, Recorded>,
    /// What was replaced, to be removed in the end.
    replaced: Vec<Recorded>,
    /// What was made or changed by this load.
    touched: BTreeSet<String>,
    /// What was really set.
    applied: BTreeMap<String, Properties>,
    changes: Vec<Change>,
    warnings: Vec<Warning>,
    position: i64,
    /// What stands of the stacks within this one.
    inner: Vec<Stack>,
}

impl<'a> Load<'a> {
    /// Loads a template that was read.
    pub async fn run(
        record: &'a Record,
        resources: &'a Resources<'a>,
        around: &'a Surroundings,
        template: &'a Template,
        files: &'a Arc<dyn Files>,
        elsewhere: &'a Elsewhere,
    ) -> Result<Loaded, LoadError> {
        let (mut load, order) = Self::begin(record, resources, around, template, files, elsewhere).await?;
        for at in &order {
            load.bring_about(&template.resources[*at]).await?;
        }
        load.settle(&order).await?;
        load.remove().await?;
        let outputs = load.put_outputs().await?;
        Ok(load.loaded(outputs))
    }

    /// Looks at everything, and makes nothing.
    async fn begin(
        record: &'a Record,
        resources: &'a Resources<'a>,
        around: &'a Surroundings,
        template: &'a Template,
        files: &'a Arc<dyn Files>,
        elsewhere: &'a Elsewhere,
    ) -> Result<(Self, Vec<usize>), LoadError> {
        let known = Known::of(template, around, elsewhere);
        let warnings = check::check(template, &known, resources, around, files)?;
        let order = order(template, &known)?;
        let recorded = record.resources(&around.stack).await?;
        let position = recorded.values().map(|row| row.position).max().unwrap_or_default();
        let mut load = Self {
            record,
            resources,
            around,
            template,
            files,
            known,
            recorded,
            replaced: Vec::new(),
            touched: BTreeSet::new(),
            applied: BTreeMap::new(),
            changes: Vec::new(),
            warnings,
            position,
            inner: Vec::new(),
        };
        load.look_around().await?;
        load.check_against_record().await?;
        for resource in template.resources.iter().filter(|resource| resource.kind == nested::TYPE) {
            load.rehearse(resource).await?;
        }
        Ok((load, order))
    }

    fn is_made(&self, resource: &Resource) -> bool {
        presence(self.resources, resource) == Presence::Made
    }

    fn at<'b>(&'b self, logical_id: &'b str, id: &'b str) -> At<'b> {
        At { resources: self.resources, around: self.around, logical_id, id }
    }

    /// The id that a resource has, or will have.
    fn id_of(&self, logical_id: &str) -> String {
        self.known.identities.get(logical_id).and_then(|identity| identity.id.clone()).unwrap_or_default()
    }

    /// Finds out which of the recorded resources are still there, and what is known of them now.
    async fn look_around(&mut self) -> Result<(), LoadError> {
        for row in self.recorded.values().cloned().collect::<Vec<_>>() {
            let kind = kinds::of(&row.kind);
            let found = kind.find(&self.at(&row.logical_id, &row.standing.id), &row.standing).await;
            let Some(made) = found.unwrap_or_default() else {
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
        Ok(())
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
    async fn check_against_record(&self) -> Result<(), LoadError> {
        for resource in self.template.resources.iter().filter(|resource| self.is_made(resource)) {
            let properties = check::properties(self.template, resource, &self.known, &mut Vec::new())?;
            match self.standing(resource) {
                Some(row) if row.state != State::Making => self.check_change(resource, row, &properties)?,
                Some(_) => {}
                None => self.check_new(resource, &properties).await?,
            }
        }
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
        Ok(())
    }

    /// What stands of a resource; one of another type under its name does not count.
    fn standing(&self, resource: &Resource) -> Option<&Recorded> {
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
    fn renamed(&self, resource: &Resource, row: &Recorded) -> Option<&'static str> {
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
            let name = crate::kind::text(properties, "UserPoolName");
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
            if answer.is_err_and(|error| crate::kind::is_missing(&error)) {
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
        let is = |identity: &crate::kind::Identity| {
            identity.id.as_deref() == Some(name) || identity.attributes.values().any(|value| value == name)
        };
        self.known.identities.values().any(is)
    }

    /// Whether a stack within this one can be brought about.
    async fn rehearse(&self, resource: &Resource) -> Result<(), LoadError> {
        let properties = check::properties(self.template, resource, &self.known, &mut Vec::new())?;
        let inner = nested::read(resource, &properties, &self.known, self.around, self.files)?;
        let elsewhere = self.known.elsewhere;
        let (record, resources) = (self.record, self.resources);
        let begun = Load::begin(record, resources, &inner.around, &inner.template, self.files, elsewhere);
        Box::pin(begun).await.map(drop)
    }

    /// Loads a stack within this one. Its outputs are its attributes.
    async fn bring_about_stack(&mut self, resource: &Resource) -> Result<(), LoadError> {
        let properties = check::properties(self.template, resource, &self.known, &mut Vec::new())?;
        let inner = nested::read(resource, &properties, &self.known, self.around, self.files)?;
        let elsewhere = self.known.elsewhere;
        let (record, resources) = (self.record, self.resources);
        let load = Load::run(record, resources, &inner.around, &inner.template, self.files, elsewhere);
        let loaded = Box::pin(load).await?;
        let outputs = loaded.stack.outputs.iter().map(|(name, value)| (format!("Outputs.{name}"), value.clone()));
        let id = self.id_of(&resource.logical_id);
        let standing = Standing { id, attributes: outputs.collect(), properties };
        let within =
            |change: Change| Change { logical_id: format!("{}/{}", resource.logical_id, change.logical_id), ..change };
        self.changes.extend(loaded.changes.into_iter().map(within));
        self.inner.push(loaded.stack);
        match self.standing(resource).map(|row| (row.position, row.standing == standing)) {
            Some((_, true)) => Ok(()),
            Some((position, false)) => self.stands(resource, position, standing, What::Updated).await,
            None => {
                self.position += 1;
                self.stands(resource, self.position, standing, What::Made).await
            }
        }
    }

    /// Makes a resource, brings it up to date, or leaves it as it is.
    async fn bring_about(&mut self, resource: &Resource) -> Result<(), LoadError> {
        if !self.is_made(resource) {
            return Ok(());
        }
        if resource.kind == nested::TYPE {
            return self.bring_about_stack(resource).await;
        }
        let kind = kinds::of(&resource.kind);
        let properties = check::properties(self.template, resource, &self.known, &mut Vec::new())?;
        let (properties, _later) = settled(kind, &properties);
        if let Some((name, _)) = properties.iter().find(|(_, value)| is_unsettled(value)) {
            let message = format!("{name} of {} names what its resource did not tell", resource.logical_id);
            return Err(TemplateError::new(&resource.span, message).into());
        }
        let Some(row) = self.standing(resource).cloned() else {
            return self.make(resource, properties, What::Made).await;
        };
        if row.state == State::Making {
            return self.finish(resource, row, properties).await;
        }
        let follows = kind.follows_changes()
            && existing_pool_of(self.template, &self.known, resource).is_some_and(|pool| self.touched.contains(pool));
        if row.standing.properties == properties && !follows {
            self.applied.insert(resource.logical_id.clone(), properties);
            return self.keep_up(resource, row).await;
        }
        if changed_fixed(kind, &row.standing.properties, &properties).is_some()
            || self.renamed(resource, &row).is_some()
        {
            return self.replace(resource, row, properties).await;
        }
        let made = kind.update(&self.at(&resource.logical_id, &row.standing.id), &row.standing, &properties).await;
        let made = made.map_err(|error| refused(resource, error))?;
        let standing = merged(&row.standing.id, &row.standing.attributes, &made, properties);
        let what = if row.state == State::Kept { What::Made } else { What::Updated };
        self.stands(resource, row.position, standing, what).await
    }

    /// It stands as it should. What is known of it may have changed (a queue's URL has the port in it), and it may have
    /// come back.
    async fn keep_up(&mut self, resource: &Resource, row: Recorded) -> Result<(), LoadError> {
        if row.state == State::Kept || row.logical_id != resource.logical_id {
            return self.stands(resource, row.position, row.standing, What::Made).await;
        }
        self.record.put(&self.around.stack, &record_of(resource, row.position, row.standing, State::Made)).await?;
        Ok(())
    }

    async fn make(&mut self, resource: &Resource, properties: Properties, what: What) -> Result<(), LoadError> {
        self.position += 1;
        let (position, kind) = (self.position, kinds::of(&resource.kind));
        let identity = self.known.identities.get(&resource.logical_id).cloned().unwrap_or_default();
        let id = identity.id.unwrap_or_default();
        let begun = Standing { id: id.clone(), attributes: identity.attributes.clone(), properties: Properties::new() };
        let begun = record_of(resource, position, begun, State::Making);
        self.record.put(&self.around.stack, &begun).await?;
        let made = kind.make(&self.at(&resource.logical_id, &id), &properties).await;
        let made = made.map_err(|error| refused(resource, error))?;
        let standing = merged(&id, &identity.attributes, &made, properties);
        self.stands(resource, position, standing, what).await
    }

    /// A start that was cut short has begun it, and it is there: made anew, unless it holds something.
    async fn finish(&mut self, resource: &Resource, row: Recorded, properties: Properties) -> Result<(), LoadError> {
        let kind = kinds::of(&resource.kind);
        let at = self.at(&resource.logical_id, &row.standing.id);
        let holds = kind.holds(&at, &row.standing).await.map_err(|error| refused(resource, error))?;
        if holds.is_some() {
            let standing = Standing { properties, ..row.standing };
            return self.stands(resource, row.position, standing, What::Made).await;
        }
        // Some are removed by what their properties say.
        let standing = Standing { properties: properties.clone(), ..row.standing.clone() };
        kind.delete(&at, &standing).await.map_err(|error| refused(resource, error))?;
        self.make(resource, properties, What::Made).await
    }

    /// Makes another in its place. The old one goes in the end, unless it has the name of the new one.
    async fn replace(&mut self, resource: &Resource, row: Recorded, properties: Properties) -> Result<(), LoadError> {
        let id = self.id_of(&resource.logical_id);
        if id == row.standing.id {
            let kind = kinds::of(&resource.kind);
            let deleted = kind.delete(&self.at(&resource.logical_id, &id), &row.standing).await;
            deleted.map_err(|error| refused(resource, error))?;
        } else if resource.update_replace_policy.as_deref() != Some("Retain") {
            self.replaced.push(row);
        }
        self.known.there.remove(&resource.logical_id);
        self.make(resource, properties, What::Replaced).await
    }

    async fn stands(
        &mut self,
        resource: &Resource,
        position: i64,
        standing: Standing,
        what: What,
    ) -> Result<(), LoadError> {
        let logical_id = &resource.logical_id;
        self.known.there.insert(logical_id.clone(), (standing.id.clone(), standing.attributes.clone()));
        self.applied.insert(logical_id.clone(), standing.properties.clone());
        self.touched.insert(logical_id.clone());
        self.changes.push(Change { logical_id: logical_id.clone(), kind: resource.kind.clone(), what });
        let row = record_of(resource, position, standing, State::Made);
        self.record.put(&self.around.stack, &row).await?;
        let renamed = self.recorded.insert(logical_id.clone(), row).filter(|before| before.logical_id != *logical_id);
        if let Some(before) = renamed {
            self.recorded.remove(&before.logical_id);
            self.record.forget(&self.around.stack, &before.logical_id).await?;
        }
        Ok(())
    }

    /// Sets what could not be set when a resource was made, because what it names was made after it.
    async fn settle(&mut self, order: &[usize]) -> Result<(), LoadError> {
        for _ in 0..SETTLING_MAX {
            let mut settled = true;
            for resource in order.iter().map(|at| &self.template.resources[*at]) {
                let Some(applied) = self.applied.get(&resource.logical_id).filter(|_| resource.kind != nested::TYPE)
                else {
                    continue;
                };
                let properties = check::properties(self.template, resource, &self.known, &mut Vec::new())?;
                if properties == *applied {
                    continue;
                }
                settled = false;
                let Some(row) = self.recorded.get(&resource.logical_id).cloned() else { continue };
                let kind = kinds::of(&resource.kind);
                let at = self.at(&resource.logical_id, &row.standing.id);
                let made = kind.update(&at, &row.standing, &properties).await;
                let made = made.map_err(|error| refused(resource, error))?;
                let standing = merged(&row.standing.id, &row.standing.attributes, &made, properties.clone());
                self.known
                    .there
                    .insert(resource.logical_id.clone(), (standing.id.clone(), standing.attributes.clone()));
                self.applied.insert(resource.logical_id.clone(), properties);
                let row = record_of(resource, row.position, standing, State::Made);
                self.record.put(&self.around.stack, &row).await?;
                self.recorded.insert(resource.logical_id.clone(), row);
            }
            if settled {
                break;
            }
        }
        Ok(())
    }

    /// Removes what left the template and what was replaced, the last made first.
    async fn remove(&mut self) -> Result<(), LoadError> {
        let template = self.template;
        let left = |row: &&Recorded| {
            row.state != State::Kept
                && template.resource(&row.logical_id).is_none_or(|resource| resource.kind != row.kind)
        };
        let mut leaving: Vec<(Recorded, bool)> =
            self.recorded.values().filter(left).cloned().map(|row| (row, true)).collect();
        leaving.extend(std::mem::take(&mut self.replaced).into_iter().map(|row| (row, false)));
        leaving.sort_by_key(|(row, _)| std::cmp::Reverse(row.position));
        for (row, left) in leaving {
            self.remove_one(row, left).await?;
        }
        Ok(())
    }

    async fn remove_one(&mut self, row: Recorded, left: bool) -> Result<(), LoadError> {
        if row.kind == nested::TYPE && row.deletion_policy != "Retain" {
            self.remove_stack(&row.logical_id).await?;
        }
        let kind = kinds::of(&row.kind);
        let failed = |error: StackError| LoadError::Removal {
            logical_id: row.logical_id.clone(),
            kind: row.kind.clone(),
            error: Box::new(error),
        };
        let at = self.at(&row.logical_id, &row.standing.id);
        let reason = match row.deletion_policy.as_str() {
            _ if !left => None,
            "Retain" | "RetainExceptOnCreate" => Some("its DeletionPolicy is Retain".to_owned()),
            _ => kind.holds(&at, &row.standing).await.map_err(failed)?.map(|what| format!("it has {what} in it")),
        };
        if let Some(reason) = reason {
            tracing::warn!("{} ({}) left the template and stays: {reason}", row.standing.id, row.kind);
            self.changes.push(Change { logical_id: row.logical_id.clone(), kind: row.kind.clone(), what: What::Kept });
            let row = Recorded { state: State::Kept, ..row };
            return Ok(self.record.put(&self.around.stack, &row).await?);
        }
        kind.delete(&at, &row.standing).await.map_err(failed)?;
        if left {
            self.changes.push(Change {
                logical_id: row.logical_id.clone(),
                kind: row.kind.clone(),
                what: What::Removed,
            });
            if self.recorded.get(&row.logical_id).is_some_and(|now| now.kind == row.kind) {
                self.record.forget(&self.around.stack, &row.logical_id).await?;
                self.recorded.remove(&row.logical_id);
            }
        }
        Ok(())
    }

    /// Takes everything out of a stack that was within this one.
    async fn remove_stack(&mut self, logical_id: &str) -> Result<(), LoadError> {
        let around = nested::around(self.around, logical_id);
        let template = nested::nothing(&around)?;
        let elsewhere = self.known.elsewhere;
        let load = Load::run(self.record, self.resources, &around, &template, self.files, elsewhere);
        let loaded = Box::pin(load).await?;
        let within = |change: Change| Change { logical_id: format!("{logical_id}/{}", change.logical_id), ..change };
        self.changes.extend(loaded.changes.into_iter().map(within));
        Ok(())
    }

    async fn put_outputs(&self) -> Result<BTreeMap<String, String>, LoadError> {
        let mut outputs = Vec::new();
        for output in &self.template.outputs {
            let text = |node| -> Result<String, TemplateError> {
                let value = self.template.resolve(node, &self.known)?.to_json();
                Ok(value.as_str().map_or_else(|| value.to_string(), str::to_owned))
            };
            let export = output.export.as_ref().map(text).transpose()?;
            let (stack, name) = (self.around.stack.clone(), output.name.clone());
            outputs.push(RecordedOutput { stack, name, value: text(&output.value)?, export });
        }
        self.record.put_outputs(&self.around.stack, outputs.clone()).await?;
        Ok(outputs.into_iter().map(|output| (output.name, output.value)).collect())
    }

    fn loaded(self, outputs: BTreeMap<String, String>) -> Loaded {
        let mut stack = Stack::of(self.around);
        for resource in &self.template.resources {
            let Some(row) = self.recorded.get(&resource.logical_id).filter(|row| row.kind == resource.kind) else {
                continue;
            };
            stack.add(row);
        }
        for inner in self.inner {
            stack.take_in(inner);
        }
        stack.outputs = outputs;
        stack.warnings = self.warnings.iter().map(|warning| format!("{}: {}", warning.span, warning.message)).collect();
        Loaded { stack, changes: self.changes, warnings: self.warnings }
    }
}

fn refused(resource: &Resource, error: StackError) -> LoadError {
    LoadError::Refused {
        span: Box::new(resource.span.clone()),
        logical_id: resource.logical_id.clone(),
        kind: resource.kind.clone(),
        error: Box::new(error),
    }
}

fn record_of(resource: &Resource, position: i64, standing: Standing, state: State) -> Recorded {
    let deletion_policy = resource.deletion_policy.clone().unwrap_or_default();
    let (logical_id, kind) = (resource.logical_id.clone(), resource.kind.clone());
    Recorded { logical_id, position, kind, standing, deletion_policy, state }
}

/// What is known of a resource after an operation: its answer goes before what was known already.
fn merged(id: &str, attributes: &Attributes, made: &Made, properties: Properties) -> Standing {
    let mut attributes = attributes.clone();
    attributes.extend(made.attributes.clone());
    Standing { id: made.id.clone().unwrap_or_else(|| id.to_owned()), attributes, properties }
}

/// A property whose change makes another resource; what is not known yet is no change.
fn changed_fixed(kind: &dyn Kind, before: &Properties, after: &Properties) -> Option<&'static str> {
    let fixed = kind.members().iter().filter(|member| member.fixed);
    let differs = |name: &str| {
        let after = after.get(name);
        before.get(name) != after && !after.is_some_and(is_unsettled)
    };
    fixed.map(|member| member.name).find(|name| differs(name))
}
