//! What references come to: who a resource will be before it is made, and who it is afterwards.
//!
//! What is known when a resource is made alone stands as a mark in the text until then, so that everything around it
//! can be checked before anything is made.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use serde_json::Value;
use template::{Outside, Resource, Template};

use crate::kind::{Attributes, Identity, Named, Surroundings};
use crate::kinds;

/// Stands for what is not known yet. From Unicode's private use: nobody writes it.
pub const LATER: char = '\u{F8FF}';

/// What comes from outside the stack.
#[derive(Clone, Debug, Default)]
pub struct Elsewhere {
    /// Given on the command line, in the place of exports.
    pub imports: BTreeMap<String, String>,
    /// Exports: whose, and their values.
    pub exports: BTreeMap<String, (String, String)>,
    /// Outputs, by stack and name.
    pub outputs: BTreeMap<(String, String), String>,
    /// Of Parameter Store: values and their types.
    pub parameters: BTreeMap<String, (String, String)>,
    /// Of Secrets Manager.
    pub secrets: BTreeMap<String, String>,
    wanted: Wanted,
}

/// What was asked for and is not there: looked up between two attempts, since looking up takes calls.
#[derive(Debug, Default)]
struct Wanted(Mutex<BTreeSet<(Store, String)>>);

impl Clone for Wanted {
    fn clone(&self) -> Self {
        Self::default()
    }
}

/// Where a value is looked up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Store {
    Parameters,
    Secrets,
}

impl Elsewhere {
    /// An output of a stack.
    pub fn output(&self, stack: &str, name: &str) -> Option<&str> {
        self.outputs.get(&(stack.to_owned(), name.to_owned())).map(String::as_str)
    }

    /// A value of Parameter Store, and its type: `String`, `StringList` or `SecureString`.
    pub fn stored(&self, name: &str) -> Option<(String, String)> {
        let found = self.parameters.get(name).cloned();
        if found.is_none() {
            self.want(Store::Parameters, name);
        }
        found
    }

    /// What was asked for in vain since the last time.
    pub(crate) fn take_wanted(&self) -> BTreeSet<(Store, String)> {
        std::mem::take(&mut *self.wanted.0.lock().expect("no holder panics"))
    }

    fn want(&self, store: Store, name: &str) {
        self.wanted.0.lock().expect("no holder panics").insert((store, name.to_owned()));
    }
}

/// While a template is read, no resource is known.
impl Outside for Elsewhere {
    fn reference(&self, _: &str) -> Option<Value> {
        None
    }

    fn attribute(&self, _: &str, _: &str) -> Option<Value> {
        None
    }

    fn import(&self, export: &str) -> Option<String> {
        self.imports.get(export).or_else(|| self.exports.get(export).map(|(_, value)| value)).cloned()
    }

    fn parameter(&self, name: &str) -> Option<String> {
        self.stored(name).map(|(value, _)| value)
    }

    fn secret(&self, id: &str) -> Option<String> {
        let found = self.secrets.get(id).cloned();
        if found.is_none() {
            self.want(Store::Secrets, id);
        }
        found
    }
}

/// What is known of a stack's resources.
#[derive(Debug)]
pub struct Known<'a> {
    pub elsewhere: &'a Elsewhere,
    pub identities: BTreeMap<String, Identity>,
    /// Of resources that are there: what `Ref` gives, and attributes.
    pub there: BTreeMap<String, (String, Attributes)>,
}

impl<'a> Known<'a> {
    /// What can be known before anything is made.
    pub fn of(template: &Template, around: &Surroundings, elsewhere: &'a Elsewhere) -> Self {
        let identifying = Identifying { template, around, elsewhere, found: RefCell::default() };
        for resource in &template.resources {
            identifying.identity(&resource.logical_id);
        }
        let found = identifying.found.into_inner();
        let identities = found.into_iter().filter_map(|(name, identity)| Some((name, identity?))).collect();
        Self { elsewhere, identities, there: BTreeMap::new() }
    }

    /// Whether a reference must wait until its resource is made.
    pub fn is_later(&self, logical_id: &str, attribute: Option<&str>) -> bool {
        let Some(identity) = self.identities.get(logical_id) else { return false };
        match attribute {
            None => identity.id.is_none(),
            Some(name) => !identity.attributes.contains_key(name) && identity.tells_later(name),
        }
    }
}

impl Outside for Known<'_> {
    fn reference(&self, logical_id: &str) -> Option<Value> {
        if let Some((id, _)) = self.there.get(logical_id) {
            return Some(id.as_str().into());
        }
        self.identities.get(logical_id).map(|identity| reference(logical_id, identity))
    }

    fn attribute(&self, logical_id: &str, name: &str) -> Option<Value> {
        if let Some(value) = self.there.get(logical_id).and_then(|(_, attributes)| attributes.get(name)) {
            return Some(value.as_str().into());
        }
        attribute(logical_id, name, self.identities.get(logical_id)?)
    }

    fn import(&self, export: &str) -> Option<String> {
        self.elsewhere.import(export)
    }

    fn parameter(&self, name: &str) -> Option<String> {
        self.elsewhere.parameter(name)
    }

    fn secret(&self, id: &str) -> Option<String> {
        self.elsewhere.secret(id)
    }
}

fn reference(logical_id: &str, identity: &Identity) -> Value {
    identity.id.clone().unwrap_or_else(|| later(logical_id, "Ref")).into()
}

fn attribute(logical_id: &str, name: &str, identity: &Identity) -> Option<Value> {
    if let Some(value) = identity.attributes.get(name) {
        return Some(value.as_str().into());
    }
    if identity.tells_later(name) {
        return Some(later(logical_id, name).into());
    }
    identity.open.then(|| kinds::placeholder(logical_id).into())
}

fn later(logical_id: &str, what: &str) -> String {
    format!("{LATER}{logical_id}.{what}{LATER}")
}

/// Whether anything in it is not known yet.
pub fn is_unsettled(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains(LATER),
        Value::Array(items) => items.iter().any(is_unsettled),
        Value::Object(members) => members.values().any(is_unsettled),
        _ => false,
    }
}

/// Works out identities, one of which may be part of another's name.
struct Identifying<'a> {
    template: &'a Template,
    around: &'a Surroundings,
    elsewhere: &'a Elsewhere,
    /// None while it is being worked out: two resources that are named after each other have no name.
    found: RefCell<BTreeMap<String, Option<Identity>>>,
}

impl Identifying<'_> {
    fn identity(&self, logical_id: &str) -> Option<Identity> {
        if let Some(known) = self.found.borrow().get(logical_id) {
            return Some(known.clone().unwrap_or_default());
        }
        let resource = self.template.resource(logical_id)?;
        self.found.borrow_mut().insert(logical_id.to_owned(), None);
        let identity = self.work_out(resource);
        self.found.borrow_mut().insert(logical_id.to_owned(), Some(identity.clone()));
        Some(identity)
    }

    fn work_out(&self, resource: &Resource) -> Identity {
        let kind = kinds::of(&resource.kind);
        let mut given = BTreeMap::new();
        for path in kind.naming() {
            let (property, member) = path.split_once('.').unwrap_or((path, ""));
            // A mistake in it is told when all properties are read.
            let Some(Ok(value)) = resource.properties.get(property).map(|node| self.template.resolve(node, self))
            else {
                continue;
            };
            let value = if member.is_empty() { Some(&value) } else { value.get(member) };
            let Some(text) = value.and_then(|value| value.as_str()) else { continue };
            if text.contains(LATER) {
                return Identity { nameless: true, ..Identity::later() };
            }
            given.insert(*path, text.to_owned());
        }
        kind.identity(&Named { logical_id: &resource.logical_id, around: self.around, given: &given })
    }
}

impl Outside for Identifying<'_> {
    fn reference(&self, logical_id: &str) -> Option<Value> {
        self.identity(logical_id).map(|identity| reference(logical_id, &identity))
    }

    fn attribute(&self, logical_id: &str, name: &str) -> Option<Value> {
        attribute(logical_id, name, &self.identity(logical_id)?)
    }

    fn import(&self, export: &str) -> Option<String> {
        self.elsewhere.import(export)
    }

    fn parameter(&self, name: &str) -> Option<String> {
        self.elsewhere.parameter(name)
    }

    fn secret(&self, id: &str) -> Option<String> {
        self.elsewhere.secret(id)
    }
}
