//! Everything that can be wrong with a stack before anything of it is made.

use std::collections::BTreeSet;
use std::sync::Arc;

use template::{Files, Outside, Resource, Template, TemplateError, Warning};

use crate::Resources;
use crate::absent::{Absent, gone_with};
use crate::kind::{At, Kind, Presence, Properties, Surroundings};
use crate::kinds::{self, existing_pool, placeholder};
use crate::known::{Known, is_unsettled};
use crate::nested;
use crate::shape;

/// What becomes of a resource with these services.
pub fn presence(resources: &Resources<'_>, resource: &Resource, known: &Known<'_>) -> Presence {
    let kind = kinds::of(&resource.kind);
    match known.absent.get(&resource.logical_id) {
        Some(Absent::Itself(reason)) => return Presence::Absent(reason),
        Some(Absent::With(_)) => return Presence::Silent, // said of what it belongs to
        None => {}
    }
    match kind.presence() {
        Presence::Made if kind.made_by() != kinds::BY_THE_LOADER && !resources.has(kind.made_by()) => {
            Presence::Absent("this server lacks the operation that makes it")
        }
        presence => presence,
    }
}

/// A resource's properties, as its operations take them.
pub fn properties(
    template: &Template,
    resource: &Resource,
    known: &Known<'_>,
    warnings: &mut Vec<Warning>,
) -> Result<Properties, TemplateError> {
    let kind = kinds::of(&resource.kind);
    let resolved = template.resolve(&resource.properties, known)?;
    shape::read(&resource.kind, &resolved, kind.members(), warnings)
}

/// Checks all resources and outputs; gives what is left out or other than on AWS.
pub fn check(
    template: &Template,
    known: &Known<'_>,
    resources: &Resources<'_>,
    around: &Surroundings,
    files: &Arc<dyn Files>,
) -> Result<Vec<Warning>, TemplateError> {
    let mut warnings = template.warnings.clone();
    let mut said = BTreeSet::new();
    for resource in &template.resources {
        let kind = kinds::of(&resource.kind);
        match presence(resources, resource, known) {
            Presence::Made if resource.kind == nested::TYPE => {
                let properties = properties(template, resource, known, &mut warnings)?;
                let inner = nested::read(resource, &properties, known, around, files)?;
                nested::check_outputs(template, &resource.logical_id, &inner.template)?;
                let known = Known::of(&inner.template, &inner.around, known.elsewhere);
                warnings.extend(check(&inner.template, &known, resources, &inner.around, files)?);
            }
            Presence::Made => check_one(template, resource, kind, known, (resources, around), &mut warnings)?,
            Presence::Silent => {}
            Presence::Absent(reason) => {
                warnings.push(Warning::new(&resource.span, left_out(resource, reason, known)));
            }
            Presence::AbsentAll(reason) => {
                if said.insert(reason) {
                    warnings.push(Warning::new(&resource.span, reason));
                }
            }
        }
    }
    for output in &template.outputs {
        template.resolve(&output.value, known)?.expect_str("an output's value")?;
        if let Some(export) = &output.export {
            template.resolve(export, known)?.expect_str("an export's name")?;
        }
    }
    Ok(warnings)
}

/// What is said of a resource that is not made.
fn left_out(resource: &Resource, reason: &str, known: &Known<'_>) -> String {
    let id = known.reference(&resource.logical_id).and_then(|id| id.as_str().map(str::to_owned));
    let id = id.unwrap_or_else(|| placeholder(&resource.logical_id));
    let gone = gone_with(&known.absent, &resource.logical_id);
    let gone = if gone.is_empty() { String::new() } else { format!("; with it {}", gone.join(", ")) };
    let (name, kind) = (&resource.logical_id, &resource.kind);
    format!("{name} ({kind}) is left out: {reason}; references to it give {id}{gone}")
}

fn check_one(
    template: &Template,
    resource: &Resource,
    kind: &dyn Kind,
    known: &Known<'_>,
    (resources, around): (&Resources<'_>, &Surroundings),
    warnings: &mut Vec<Warning>,
) -> Result<(), TemplateError> {
    let properties = properties(template, resource, known, warnings)?;
    let wrong = |message: String| TemplateError::new(&resource.span, format!("{}: {message}", resource.logical_id));
    kind.check(&properties).map_err(wrong)?;
    let id = known.identities.get(&resource.logical_id).and_then(|identity| identity.id.clone()).unwrap_or_default();
    let at = At { resources, around, logical_id: &resource.logical_id, id: &id };
    for note in kind.notes(&at, &properties) {
        warnings.push(Warning::new(&resource.span, format!("{} ({}): {note}", resource.logical_id, resource.kind)));
    }
    Ok(())
}

/// The pool of this stack that an `existing: true` means, by its logical id.
pub fn existing_pool_of<'t>(template: &'t Template, known: &Known<'_>, resource: &Resource) -> Option<&'t str> {
    if resource.kind != existing_pool::TYPE {
        return None;
    }
    let text = |node| template.resolve(node, known).ok().and_then(|node| node.as_str().map(str::to_owned));
    let name = resource.properties.get("UserPoolName").and_then(text)?;
    let pools = template.resources.iter().filter(|resource| resource.kind == "AWS::Cognito::UserPool");
    let mut named =
        pools.filter(|pool| pool.properties.get("UserPoolName").and_then(text).as_deref() == Some(name.as_str()));
    named.next().map(|pool| pool.logical_id.as_str())
}

/// Splits off what can be set later and is not known yet.
pub fn settled(kind: &dyn Kind, properties: &Properties) -> (Properties, Vec<String>) {
    let waits = |name: &str, value: &serde_json::Value| kind.unordered().contains(&name) && is_unsettled(value);
    let (later, now): (Vec<_>, Vec<_>) = properties
        .iter()
        .map(|(name, value)| (name.clone(), value.clone()))
        .partition(|(name, value)| waits(name, value));
    (now.into_iter().collect(), later.into_iter().map(|(name, _)| name).collect())
}
