//! Tags of groups.

use std::collections::BTreeMap;

use crate::constraint::Constraints;
use crate::error::Error;

/// Tags, by key.
pub type Tags = BTreeMap<String, String>;

/// Tags on one group.
const TAGS_MAX: usize = 50;

/// Checks tags that a caller gives.
pub fn check(tags: &Tags) -> Result<(), Error> {
    let mut constraints = Constraints::new();
    for (key, value) in tags {
        constraints.length(Some(key), "tags", 1, 128);
        constraints.length(Some(value), "tags", 0, 256);
    }
    constraints.check()
}

/// More than AWS allows on one group are refused.
pub fn check_count(tags: &Tags) -> Result<(), Error> {
    if tags.len() <= TAGS_MAX {
        return Ok(());
    }
    Err(Error::TooManyTags(format!("A resource can have at most {TAGS_MAX} tags.")))
}
