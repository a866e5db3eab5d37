//! What the deployer has to know of a type of resource. `kinds/` has one file a family.

use std::collections::BTreeMap;

use async_trait::async_trait;
use aws_api::ApiError;
use serde_json::{Map, Value, json};
use world::Place;

use crate::name::physical_name;
use crate::shape::Member;
use crate::{Resources, StackError};

/// Properties of a resource, as its operations take them.
pub type Properties = Map<String, Value>;
/// What `Fn::GetAtt` gives.
pub type Attributes = BTreeMap<String, String>;

/// Where a stack stands.
#[derive(Clone, Debug)]
pub struct Surroundings {
    /// The stack's name.
    pub stack: String,
    /// Account and region.
    pub place: Place,
    /// `http://127.0.0.1:4566`, for URLs of queues.
    pub endpoint: String,
    /// How many stacks it lies in.
    pub depth: usize,
}

/// What a resource is called before it is made.
pub struct Named<'a> {
    pub logical_id: &'a str,
    pub around: &'a Surroundings,
    /// The properties that name it, those of them that are given.
    pub given: &'a BTreeMap<&'static str, String>,
}

impl Named<'_> {
    pub fn given(&self, property: &str) -> Option<&str> {
        self.given.get(property).map(String::as_str).filter(|text| !text.is_empty())
    }

    /// The name that is written in a property, or one made up.
    pub fn name(&self, property: &str, length_max: usize) -> String {
        let made_up = || physical_name(&self.around.stack, self.logical_id, length_max);
        self.given(property).map_or_else(made_up, str::to_owned)
    }

    pub fn arn(&self, service: &str, resource: &str) -> String {
        self.around.place.arn(service, resource)
    }
}

/// As far as it is known before it is made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identity {
    /// What `Ref` gives; none if AWS, or a room here, makes it up.
    pub id: Option<String>,
    pub attributes: Attributes,
    /// Attributes that are known when it is made.
    pub later: &'static [&'static str],
    /// So are those that begin with this.
    pub later_within: Option<&'static str>,
    /// Whether anything may be asked of it: a placeholder, a resource of somebody's own type.
    pub open: bool,
    /// Whether its very name depends on what is known later, and so do its attributes.
    pub nameless: bool,
}

impl Identity {
    pub fn of(id: impl Into<String>) -> Self {
        Self { id: Some(id.into()), ..Self::default() }
    }

    /// Known when it is made.
    pub fn later() -> Self {
        Self::default()
    }

    pub fn with(mut self, attribute: &str, value: impl Into<String>) -> Self {
        self.attributes.insert(attribute.to_owned(), value.into());
        self
    }

    pub fn and_later(mut self, attributes: &'static [&'static str]) -> Self {
        self.later = attributes;
        self
    }

    /// Whether an attribute is known when it is made.
    pub fn tells_later(&self, attribute: &str) -> bool {
        let within = self.later_within.is_some_and(|beginning| attribute.starts_with(beginning));
        self.nameless || within || self.later.contains(&attribute)
    }
}

/// For whose changes a resource is done again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Follows {
    Nothing,
    /// Of the pool of the same stack whose triggers it sets: bringing that up to date takes them away.
    Pool,
    /// Of the API whose deployment it is. On AWS, tools make a new one at every deployment.
    Parts,
}

/// What becomes of a resource here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    /// It is made.
    Made,
    /// There is nothing to make, and nobody misses it.
    Silent,
    /// It is not made: said for each, with what it is.
    Absent(&'static str),
    /// It is not made: said once for all of them.
    AbsentAll(&'static str),
}

/// A resource as it stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// What `Ref` gives.
    pub id: String,
    pub attributes: Attributes,
    pub properties: Properties,
}

impl Standing {
    /// A property that is a text.
    pub fn text(&self, property: &str) -> &str {
        text(&self.properties, property)
    }

    pub fn attribute(&self, name: &str) -> &str {
        self.attributes.get(name).map(String::as_str).unwrap_or_default()
    }
}

/// What an operation said of a resource that it made or found: its id where that was not known, and attributes.
#[derive(Clone, Debug, Default)]
pub struct Made {
    pub id: Option<String>,
    pub attributes: Attributes,
}

impl Made {
    pub fn of(id: impl Into<String>) -> Self {
        Self { id: Some(id.into()), attributes: Attributes::new() }
    }

    pub fn with(mut self, attribute: &str, value: impl Into<String>) -> Self {
        self.attributes.insert(attribute.to_owned(), value.into());
        self
    }

    /// An attribute from a member of an answer, if it is there.
    pub fn member(self, attribute: &str, answer: &Value, pointer: &str) -> Self {
        match answer.pointer(pointer).and_then(Value::as_str) {
            Some(value) => self.with(attribute, value),
            None => self,
        }
    }
}

/// An operation: the service's signing name, and its name.
pub type Operation = (&'static str, &'static str);

/// In what order resources are made that do not refer to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rank {
    /// Roles, parameters, log groups: nothing runs.
    First,
    /// Queues, tables, buses, identities.
    Stores,
    Functions,
    /// Versions, aliases, URLs.
    OfFunctions,
    /// User pools, APIs.
    Callers,
    /// Clients, groups, routes.
    OfCallers,
    Permissions,
    /// Rules and mappings: from now on, things happen.
    Sources,
    /// Users, who may run triggers.
    Last,
}

/// Where a resource is being made, changed or removed.
pub struct At<'a> {
    pub resources: &'a Resources<'a>,
    pub around: &'a Surroundings,
    pub logical_id: &'a str,
    /// What it will be called; empty if that is made up when it is made.
    pub id: &'a str,
}

impl At<'_> {
    /// Calls an operation that must succeed.
    pub async fn call(&self, (service, operation): Operation, input: Value) -> Result<Value, StackError> {
        self.resources.make(service, operation, self.logical_id, &input).await
    }

    /// Calls an operation on something that may not be there.
    pub async fn ask(&self, operation: Operation, input: Value) -> Result<Option<Value>, StackError> {
        match self.call(operation, input).await {
            Err(failure) if is_missing(&failure.error) => Ok(None),
            result => result.map(Some),
        }
    }

    /// Calls an operation that may say that the resource is there already.
    pub async fn unless(&self, exists: &str, operation: Operation, input: Value) -> Result<Option<Value>, StackError> {
        match self.call(operation, input).await {
            Err(failure) if failure.error.short_code() == exists => Ok(None),
            result => result.map(Some),
        }
    }

    pub fn arn(&self, service: &str, resource: &str) -> String {
        self.around.place.arn(service, resource)
    }
}

/// Whether an exception says that what was named is not there.
pub fn is_missing(error: &ApiError) -> bool {
    let code = error.short_code();
    code.contains("NotFound") || code.contains("NonExistent") || code.contains("DoesNotExist")
}

/// Something that a resource needs and that may be anybody's.
pub struct Expected {
    /// As people call it: `the event bus orders`.
    pub what: String,
    /// Its name, ARN or id.
    pub name: String,
    /// The operation that finds it.
    pub operation: Operation,
    pub input: Value,
    /// The command that makes it.
    pub made_by: String,
}

/// A type of resource.
#[async_trait]
pub trait Kind: Send + Sync {
    /// Its properties.
    fn members(&self) -> &'static [Member];
    /// The operation that makes it.
    fn made_by(&self) -> Operation;
    fn rank(&self) -> Rank;
    /// What becomes of it here.
    fn presence(&self) -> Presence {
        Presence::Made
    }

    /// Why one with these properties is not made here, if so; `Code.ImageUri` is a member of one.
    fn not_served(&self, _given: &dyn Fn(&str) -> Option<String>) -> Option<&'static str> {
        None
    }
    /// The properties that name what it belongs to: where that is not made, it is not made either.
    fn belongs_to(&self) -> &'static [&'static str] {
        &[]
    }

    /// The properties that its identity depends on; `UserPoolTags._custom_id_` is a member of one.
    fn naming(&self) -> &'static [&'static str] {
        &[]
    }
    /// Those of the naming properties that attributes alone depend on: they may be known later than its name.
    fn telling(&self) -> &'static [&'static str] {
        &[]
    }
    /// Who it will be.
    fn identity(&self, named: &Named<'_>) -> Identity;
    /// Properties that may name what is not there yet: an environment, a trigger.
    fn unordered(&self) -> &'static [&'static str] {
        &[]
    }
    /// What must be there already, if it is not of the same stack.
    fn expects(&self, _at: &At<'_>, _properties: &Properties) -> Vec<Expected> {
        Vec::new()
    }
    /// Whether its id has parts that change from start to start: a port.
    fn id_moves(&self) -> bool {
        false
    }
    /// Why these properties cannot be served, if so: found before anything is made.
    fn check(&self, _properties: &Properties) -> Result<(), String> {
        Ok(())
    }

    /// What of it is left out, or other than on AWS: said at every start.
    fn notes(&self, _at: &At<'_>, _properties: &Properties) -> Vec<String> {
        Vec::new()
    }

    /// Makes it. One of that name that somebody else made is an error, as the operation says it.
    async fn make(&self, at: &At<'_>, properties: &Properties) -> Result<Made, StackError>;
    /// The id of one that a start which was cut short has made, where nobody could know it before. What is `taken` is
    /// another resource's.
    async fn begun(
        &self,
        _at: &At<'_>,
        _properties: &Properties,
        _taken: &[&str],
    ) -> Result<Option<String>, StackError> {
        Ok(None)
    }
    /// Brings it up to date where it stands.
    async fn update(&self, at: &At<'_>, _before: &Standing, properties: &Properties) -> Result<Made, StackError> {
        self.make(at, properties).await
    }
    /// Whether it is still there, and what is known of it now.
    async fn find(&self, at: &At<'_>, standing: &Standing) -> Result<Option<Made>, StackError>;
    /// Removes it; one that is gone is fine.
    async fn delete(&self, at: &At<'_>, standing: &Standing) -> Result<(), StackError>;

    /// Whether it holds what nobody wants to lose: it is never replaced, and not removed while anything is in it.
    fn is_precious(&self) -> bool {
        false
    }
    /// What would be lost with it: `3 users`.
    async fn holds(&self, _at: &At<'_>, _standing: &Standing) -> Result<Option<String>, StackError> {
        Ok(None)
    }
    /// A change that the service refuses, or that would make it another resource; beside that of fixed properties.
    fn refuses(&self, _before: &Properties, _after: &Properties) -> Option<String> {
        None
    }
    /// Whether one of that name, made by others, is taken over and not an error.
    fn adopts(&self) -> bool {
        false
    }
    /// What it must be done again for, where its own properties stay the same.
    fn follows(&self) -> Follows {
        Follows::Nothing
    }
}

/// A text property; empty if it is not there.
pub fn text<'a>(properties: &'a Properties, name: &str) -> &'a str {
    properties.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// The properties but some.
pub fn without(properties: &Properties, names: &[&str]) -> Properties {
    let kept = properties.iter().filter(|(name, _)| !names.contains(&name.as_str()));
    kept.map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// The properties of these names that are there.
pub fn only(properties: &Properties, names: &[&str]) -> Properties {
    let kept = properties.iter().filter(|(name, _)| names.contains(&name.as_str()));
    kept.map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// `[{Key, Value}]` as a map.
pub fn tag_map(properties: &Properties) -> Value {
    let list = properties.get("Tags").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let pairs = list.iter().filter_map(|tag| Some((tag.get("Key")?.as_str()?.to_owned(), tag.get("Value")?.clone())));
    Value::Object(pairs.collect())
}

/// The keys of tags that are no longer there.
pub fn gone_tags(before: &Properties, after: &Properties) -> Vec<String> {
    let (before, after) = (tag_map(before), tag_map(after));
    let keys = before.as_object().into_iter().flat_map(Map::keys);
    keys.filter(|key| after.get(key).is_none()).cloned().collect()
}

/// Sets tags that are new or other, and removes those that are gone, by operations that take a list.
pub async fn retag(
    at: &At<'_>,
    service: &'static str,
    member: &str,
    arn: &str,
    (before, after): (&Properties, &Properties),
) -> Result<(), StackError> {
    let gone = gone_tags(before, after);
    if !gone.is_empty() {
        at.call((service, "UntagResource"), json!({member: arn, "TagKeys": gone})).await?;
    }
    match after.get("Tags").filter(|tags| before.get("Tags") != Some(tags)) {
        Some(tags) => at.call((service, "TagResource"), json!({member: arn, "Tags": tags})).await.map(drop),
        None => Ok(()),
    }
}
