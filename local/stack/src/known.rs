//! What references come to: who a resource will be before it is made, and who it is afterwards.
//!
//! What is known when a resource is made alone stands as a mark in the text until then, so that everything around it
//! can be checked before anything is made.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use serde_json::Value;
use template::{Awaited, Node, Outside, Resource, Template};

use crate::absent::{Absent, absent};
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
    /// What is not made, though its type is.
    pub absent: BTreeMap<String, Absent>,
    /// The values that the stack itself puts into stores, by the names that it gives them: their logical ids.
    own: BTreeMap<(Store, String), String>,
    /// What is in the stack's own secrets, as far as they are there.
    secrets: BTreeMap<String, String>,
}

impl<'a> Known<'a> {
    /// What can be known before anything is made.
    pub fn of(template: &Template, around: &Surroundings, elsewhere: &'a Elsewhere) -> Self {
        let mut identifying =
            Identifying { template, around, elsewhere, absent: BTreeMap::new(), found: RefCell::default() };
        identifying.absent = absent(template, &|node| identifying.text(node));
        identifying.found.take(); // what is not made has another identity
        for resource in &template.resources {
            identifying.identity(&resource.logical_id);
        }
        let own = identifying.own();
        let Identifying { absent, found, .. } = identifying;
        let found = found.into_inner();
        let identities = found.into_iter().filter_map(|(name, identity)| Some((name, identity?))).collect();
        Self { elsewhere, identities, there: BTreeMap::new(), absent, own, secrets: BTreeMap::new() }
    }

    /// What is in one of the stack's own secrets.
    pub fn learn(&mut self, logical_id: &str, secret: String) {
        self.secrets.insert(logical_id.to_owned(), secret);
    }

    /// The logical id of a value that the stack itself puts into a store, by its name, its ARN, or what stands for that.
    pub fn own(&self, store: Store, name: &str) -> Option<&str> {
        if let Some(logical_id) = self.own.get(&(store, name.to_owned())) {
            return Some(logical_id);
        }
        let is_it = |logical_id: &&String| {
            let id = self.there.get(*logical_id).map_or_else(|| later(logical_id, REF), |(id, _)| id.clone());
            id == name
        };
        self.own
            .iter()
            .filter(|((of, _), _)| *of == store)
            .map(|(_, logical_id)| logical_id)
            .find(is_it)
            .map(String::as_str)
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

    /// What the stack itself sets is known from its template.
    fn parameter(&self, name: &str) -> Option<String> {
        let bare = name.split_once(':').map_or(name, |(bare, _)| bare);
        let Some(logical_id) = self.own(Store::Parameters, bare) else { return self.elsewhere.parameter(name) };
        // What it will be, before what it is.
        let told = self.identities.get(logical_id).and_then(|identity| identity.attributes.get("Value"));
        match told.filter(|value| !value.contains(LATER)) {
            Some(value) => Some(value.clone()),
            None => self.attribute(logical_id, "Value")?.as_str().map(str::to_owned),
        }
    }

    fn secret(&self, id: &str) -> Option<String> {
        match self.own(Store::Secrets, id) {
            Some(logical_id) => self.secrets.get(logical_id).cloned(),
            None => self.elsewhere.secret(id),
        }
    }

    fn awaited(&self, awaited: Awaited<'_>) -> Option<String> {
        match awaited {
            Awaited::Secret(id) => {
                let logical_id = self.own(Store::Secrets, id)?;
                (!self.secrets.contains_key(logical_id)).then(|| later(logical_id, REF))
            }
            Awaited::Parameter(name) => name.contains(LATER).then(|| name.to_owned()),
        }
    }
}

/// What stands for a resource's `Ref`.
const REF: &str = "Ref";

fn reference(logical_id: &str, identity: &Identity) -> Value {
    identity.id.clone().unwrap_or_else(|| later(logical_id, REF)).into()
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

/// The resources that a value waits for.
pub fn named_later(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => {
            let marks = text.split(LATER).skip(1).step_by(2);
            marks.filter_map(|mark| Some(mark.split_once('.')?.0.to_owned())).collect()
        }
        Value::Array(items) => items.iter().flat_map(named_later).collect(),
        Value::Object(members) => members.values().flat_map(named_later).collect(),
        _ => Vec::new(),
    }
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
    absent: BTreeMap<String, Absent>,
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

    /// A text, as far as it is known before anything is made.
    fn text(&self, node: &Node) -> Option<String> {
        let resolved = self.template.resolve(node, self).ok()?;
        resolved.as_str().filter(|text| !text.contains(LATER)).map(str::to_owned)
    }

    /// The values that the stack puts into stores, by name.
    fn own(&self) -> BTreeMap<(Store, String), String> {
        let named = self.template.resources.iter().filter_map(|resource| {
            let store = match resource.kind.as_str() {
                kinds::PARAMETER => Store::Parameters,
                kinds::SECRET => Store::Secrets,
                _ => return None,
            };
            let name = resource.properties.get("Name").and_then(|name| self.text(name));
            // Without a name of its own, it is found by what `Ref` gives.
            let name = name.or_else(|| self.identity(&resource.logical_id)?.id);
            let name = name.unwrap_or_else(|| later(&resource.logical_id, REF));
            Some(((store, name), resource.logical_id.clone()))
        });
        named.collect()
    }

    fn work_out(&self, resource: &Resource) -> Identity {
        if self.absent.contains_key(&resource.logical_id) {
            return Identity { open: true, ..Identity::of(kinds::placeholder(&resource.logical_id)) };
        }
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
            if text.contains(LATER) && kind.telling().contains(path) {
                continue;
            }
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

    fn awaited(&self, awaited: Awaited<'_>) -> Option<String> {
        let (Awaited::Parameter(name) | Awaited::Secret(name)) = awaited;
        name.contains(LATER).then(|| name.to_owned())
    }
}
