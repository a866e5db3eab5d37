//! Loading a stack: its template against what an earlier load made of it.
//!
//! First everything is checked; then resources are made and brought up to date, each recorded as soon as it stands;
//! then those go that left the template. A refusal on the way ends the load, and the next one goes on from there.

mod look;
mod make;
mod remove;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use template::{Files, Resource, Template, TemplateError, Warning};

use crate::check::{self, presence};
use crate::error::{LoadError, StackError};
use crate::kind::{At, Attributes, Kind, Made, Presence, Properties, Standing, Surroundings};
use crate::known::{Elsewhere, Known, is_unsettled};
use crate::nested;
use crate::order::order;
use crate::store::{Record, Recorded, RecordedOutput, State};
use crate::{Change, Loaded, Resources, Stack};

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
    /// How many resources came before the one that is being made.
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
        for (position, at) in (0..).zip(&order) {
            load.position = position;
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
            position: 0,
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
        presence(self.resources, resource, &self.known) == Presence::Made
    }

    fn at<'b>(&'b self, logical_id: &'b str, id: &'b str) -> At<'b> {
        At { resources: self.resources, around: self.around, logical_id, id }
    }

    /// The id that a resource has, or will have.
    fn id_of(&self, logical_id: &str) -> String {
        self.known.identities.get(logical_id).and_then(|identity| identity.id.clone()).unwrap_or_default()
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
            stack.add(row, self.around);
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
