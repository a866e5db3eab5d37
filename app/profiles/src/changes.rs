//! Changes of the application's attributes.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::AttributeValue;
use serde::Serialize;

use crate::error::Error;
use crate::item::{Item, OWNED_ATTRIBUTES};

/// What an update is to do to the application's attributes. Attributes that it does not name stay as they are.
#[derive(Clone, Debug, Default)]
pub struct Changes {
    /// `None` takes the attribute away.
    attributes: BTreeMap<String, Option<AttributeValue>>,
}

impl Changes {
    /// No change so far.
    pub fn new() -> Self {
        Self::default()
    }

    /// Every field of a struct or map: set to its value, taken away if it is `None`. A field that `serde` skips stays
    /// as it is.
    pub fn of(application: &impl Serialize) -> Result<Self, Error> {
        let item: Item = serde_dynamo::to_item(application).map_err(|error| Error::Unwritable(Box::new(error)))?;
        item.into_iter().try_fold(Self::new(), |changes, (name, value)| changes.put(name, value))
    }

    /// Sets one attribute; `None` takes it away.
    pub fn set(self, name: impl Into<String>, value: &impl Serialize) -> Result<Self, Error> {
        let value = serde_dynamo::to_attribute_value(value).map_err(|error| Error::Unwritable(Box::new(error)))?;
        self.put(name.into(), value)
    }

    /// Takes one attribute away.
    pub fn remove(self, name: impl Into<String>) -> Result<Self, Error> {
        self.put(name.into(), AttributeValue::Null(true))
    }

    fn put(mut self, name: String, value: AttributeValue) -> Result<Self, Error> {
        if OWNED_ATTRIBUTES.contains(&name.as_str()) {
            return Err(Error::OwnedAttribute { name });
        }
        let value = if matches!(value, AttributeValue::Null(_)) { None } else { Some(value) };
        self.attributes.insert(name, value);
        Ok(self)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, Option<&AttributeValue>)> {
        self.attributes.iter().map(|(name, value)| (name.as_str(), value.as_ref()))
    }

    /// Whether an item is as these changes leave one.
    pub(crate) fn are_in(&self, item: &Item) -> bool {
        self.iter().all(|(name, value)| item.get(name) == value)
    }
}
