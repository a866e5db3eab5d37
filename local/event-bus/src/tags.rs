//! Tags on the wire, and the resources that can have them.

use aws_api::Arn;
use serde::{Deserialize, Serialize};

use crate::book::{Book, DEFAULT_BUS, Tags};
use crate::constraint::Constraints;
use crate::error::Error;
use crate::room::EventBus;

/// Tags on one resource.
const TAGS_MAX: usize = 50;

/// A tag.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Tag {
    key: String,
    value: String,
}

/// Checks tags and makes a map of them.
pub fn read(tags: Vec<Tag>) -> Result<Tags, Error> {
    let mut constraints = Constraints::new();
    for (index, tag) in tags.iter().enumerate() {
        let at = format!("tags.{}.member", index + 1);
        constraints.length(Some(&tag.key), &format!("{at}.key"), 1, 128);
        constraints.length(Some(&tag.value), &format!("{at}.value"), 0, 256);
    }
    constraints.check()?;
    Ok(tags.into_iter().map(|tag| (tag.key, tag.value)).collect())
}

/// Tags as the wire has them.
pub fn write(tags: &Tags) -> Vec<Tag> {
    tags.iter().map(|(key, value)| Tag { key: key.clone(), value: value.clone() }).collect()
}

/// More than AWS allows on one resource are refused.
pub fn check_count(tags: &Tags) -> Result<(), Error> {
    if tags.len() > TAGS_MAX { Err(Error::too_many()) } else { Ok(()) }
}

/// What an ARN names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resource {
    /// A bus.
    Bus(String),
    /// A rule, and the bus that it is on.
    Rule {
        /// The bus.
        bus: String,
        /// The rule.
        rule: String,
    },
}

impl Resource {
    /// Reads `ResourceARN`.
    pub fn read(room: &EventBus, text: &str) -> Result<Self, Error> {
        Constraints::new().length(Some(text), "resourceARN", 1, 1600).check()?;
        let refused = || Error::parameter("ResourceARN", Some("Provided Arn is not in correct format."));
        let arn: Arn = text.parse().map_err(|_| refused())?;
        let place = &room.world.place;
        if arn.service != "events" || arn.region != place.region || arn.account != place.account {
            return Err(refused());
        }
        if let Some(bus) = arn.resource.strip_prefix("event-bus/") {
            return Ok(Self::Bus(bus.to_owned()));
        }
        let rule = arn.resource.strip_prefix("rule/").ok_or_else(refused)?;
        // Names of partner buses have slashes in them; names of rules have not.
        let (bus, rule) = rule.rsplit_once('/').unwrap_or((DEFAULT_BUS, rule));
        Ok(Self::Rule { bus: bus.to_owned(), rule: rule.to_owned() })
    }

    /// The tags of the resource, which must be there.
    pub fn tags<'b>(&self, book: &'b Book) -> Result<&'b Tags, Error> {
        match self {
            Self::Bus(bus) => Ok(&book.bus(bus)?.tags),
            Self::Rule { bus, rule } => Ok(&book.rule(bus, rule)?.tags),
        }
    }

    /// The tags of the resource, to be changed, and its ARN.
    pub fn tags_mut<'b>(&self, book: &'b mut Book) -> Result<(String, &'b mut Tags), Error> {
        match self {
            Self::Bus(bus) => {
                let bus = book.bus_mut(bus)?;
                Ok((bus.arn.clone(), &mut bus.tags))
            }
            Self::Rule { bus, rule } => {
                let rule = book.bus_mut(bus)?.rule_mut(rule)?;
                Ok((rule.arn.clone(), &mut rule.tags))
            }
        }
    }
}
