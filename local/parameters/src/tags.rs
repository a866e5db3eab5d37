//! Tags, which both services write as lists of keys and values.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::constraint::Constraints;

/// Tags, by key.
pub type Tags = BTreeMap<String, String>;

/// Tags on one resource.
pub const TAGS_MAX: usize = 50;

/// A tag as it is written.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Tag {
    pub key: String,
    #[serde(default)]
    pub value: String,
}

/// What breaks the services' models.
pub fn check(tags: &[Tag], constraints: &mut Constraints) {
    for (tag, n) in tags.iter().zip(1..) {
        constraints.length(Some(&tag.key), &format!("tags.{n}.member.key"), 1, 128);
        constraints.length(Some(&tag.value), &format!("tags.{n}.member.value"), 0, 256);
    }
}

/// As they are stored.
pub fn read(tags: Vec<Tag>) -> Tags {
    tags.into_iter().map(|tag| (tag.key, tag.value)).collect()
}

/// As they are written.
pub fn write(tags: &Tags) -> Vec<Tag> {
    tags.iter().map(|(key, value)| Tag { key: key.clone(), value: value.clone() }).collect()
}
