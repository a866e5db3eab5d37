//! Making resources, and bringing them up to date.

use template::{Resource, TemplateError};

use super::{Load, changed_fixed, merged, record_of, refused};
use crate::check::{self, existing_pool_of, settled};
use crate::error::LoadError;
use crate::kind::{Follows, Properties, Standing};
use crate::kinds;
use crate::known::is_unsettled;
use crate::nested;
use crate::store::{Recorded, State};
use crate::{Change, What};

/// How often properties are set again because something that they name has turned out otherwise.
const SETTLING_MAX: usize = 3;

impl Load<'_> {
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
        match self.standing(resource).map(|row| row.standing == standing) {
            Some(true) => Ok(()),
            Some(false) => self.stands(resource, standing, What::Updated).await,
            None => self.stands(resource, standing, What::Made).await,
        }
    }

    /// Makes a resource, brings it up to date, or leaves it as it is.
    pub(super) async fn bring_about(&mut self, resource: &Resource) -> Result<(), LoadError> {
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
        let follows = self.follows(resource, &properties);
        if follows && kind.follows() == Follows::Parts {
            return self.replace(resource, row, properties).await;
        }
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
        self.stands(resource, standing, what).await
    }

    /// Whether something was changed that it must be done again for.
    fn follows(&self, resource: &Resource, properties: &Properties) -> bool {
        match kinds::of(&resource.kind).follows() {
            Follows::Nothing => false,
            Follows::Pool => {
                existing_pool_of(self.template, &self.known, resource).is_some_and(|pool| self.touched.contains(pool))
            }
            Follows::Parts => {
                let of_this_api = |name: &String| {
                    self.recorded.get(name).is_some_and(|row| {
                        let other = &row.standing.properties;
                        ["RestApiId", "ApiId"]
                            .iter()
                            .any(|id| other.contains_key(*id) && other.get(*id) == properties.get(*id))
                    })
                };
                self.touched.iter().any(of_this_api)
            }
        }
    }

    /// It stands as it should. What is known of it may have changed (a queue's URL has the port in it), and it may have
    /// come back.
    async fn keep_up(&mut self, resource: &Resource, row: Recorded) -> Result<(), LoadError> {
        if row.state == State::Kept || row.logical_id != resource.logical_id {
            return self.stands(resource, row.standing, What::Made).await;
        }
        self.record.put(&self.around.stack, &record_of(resource, self.position, row.standing, State::Made)).await?;
        Ok(())
    }

    async fn make(&mut self, resource: &Resource, properties: Properties, what: What) -> Result<(), LoadError> {
        let kind = kinds::of(&resource.kind);
        let identity = self.known.identities.get(&resource.logical_id).cloned().unwrap_or_default();
        let id = identity.id.unwrap_or_default();
        let begun =
            Standing { id: id.clone(), attributes: identity.attributes.clone(), properties: properties.clone() };
        let begun = record_of(resource, self.position, begun, State::Making);
        self.record.put(&self.around.stack, &begun).await?;
        let made = kind.make(&self.at(&resource.logical_id, &id), &properties).await;
        let made = made.map_err(|error| refused(resource, error))?;
        let standing = merged(&id, &identity.attributes, &made, properties);
        self.stands(resource, standing, what).await
    }

    /// A start that was cut short has begun it, and it is there: made anew, unless it holds something.
    async fn finish(
        &mut self,
        resource: &Resource,
        mut row: Recorded,
        properties: Properties,
    ) -> Result<(), LoadError> {
        let kind = kinds::of(&resource.kind);
        if row.standing.id.is_empty() {
            let at = self.at(&resource.logical_id, "");
            let taken: Vec<&str> = self.recorded.values().map(|row| row.standing.id.as_str()).collect();
            let begun = kind.begun(&at, &row.standing.properties, &taken).await;
            let begun = begun.map_err(|error| refused(resource, error))?;
            let Some(id) = begun else { return self.make(resource, properties, What::Made).await };
            row.standing.id = id;
        }
        let at = self.at(&resource.logical_id, &row.standing.id);
        let holds = kind.holds(&at, &row.standing).await.map_err(|error| refused(resource, error))?;
        if holds.is_some() {
            let standing = Standing { properties, ..row.standing };
            return self.stands(resource, standing, What::Made).await;
        }
        kind.delete(&at, &row.standing).await.map_err(|error| refused(resource, error))?;
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

    async fn stands(&mut self, resource: &Resource, standing: Standing, what: What) -> Result<(), LoadError> {
        let logical_id = &resource.logical_id;
        self.known.there.insert(logical_id.clone(), (standing.id.clone(), standing.attributes.clone()));
        self.applied.insert(logical_id.clone(), standing.properties.clone());
        self.touched.insert(logical_id.clone());
        self.changes.push(Change { logical_id: logical_id.clone(), kind: resource.kind.clone(), what });
        let row = record_of(resource, self.position, standing, State::Made);
        self.record.put(&self.around.stack, &row).await?;
        let renamed = self.recorded.insert(logical_id.clone(), row).filter(|before| before.logical_id != *logical_id);
        if let Some(before) = renamed {
            self.recorded.remove(&before.logical_id);
            self.record.forget(&self.around.stack, &before.logical_id).await?;
        }
        self.learn(logical_id).await;
        Ok(())
    }

    /// Sets what could not be set when a resource was made, because what it names was made after it.
    pub(super) async fn settle(&mut self, order: &[usize]) -> Result<(), LoadError> {
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
}
