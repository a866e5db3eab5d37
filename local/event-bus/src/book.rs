//! The book of buses: every bus with its rules and targets, in memory.
//!
//! Not here: how it is read, changed and kept ([`Shelf`](crate::shelf::Shelf)).

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use serde_json::Value;
use world::{Place, Timestamp};

use crate::api_destination::ApiDestination;
use crate::archive::Archive;
use crate::connection::Connection;
use crate::document::Named;
use crate::error::Error;
use crate::pattern::{Index, Pattern};
use crate::replay::Replay;
use crate::schedule::Schedule;
use crate::target::Target;

/// The bus that every account has.
pub const DEFAULT_BUS: &str = "default";
/// Rules beyond which an index is built off the threads that answer requests.
const RULES_INDEXED_AT_ONCE_MAX: usize = 500;

/// All buses, as of one change.
#[derive(Clone, Debug)]
pub struct Book {
    /// Counts changes.
    pub revision: i64,
    /// Archives by name.
    pub archives: Named<Archive>,
    /// Replays by name, until long after they ended.
    pub replays: Named<Replay>,
    /// Connections by name.
    pub connections: Named<Connection>,
    /// API destinations by name.
    pub api_destinations: Named<ApiDestination>,
    buses: BTreeMap<String, Arc<Bus>>,
}

/// A bus.
#[derive(Clone, Debug)]
pub struct Bus {
    /// `default`, or the caller's choice.
    pub name: String,
    /// Its ARN.
    pub arn: String,
    /// What else the caller said of it.
    pub settings: BusSettings,
    /// Statements of the resource policy; none if nobody was given access.
    pub policy: Option<Value>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When its settings changed last.
    pub modified_at: Timestamp,
    /// Its tags.
    pub tags: Tags,
    rules: Vec<Arc<Rule>>,
    index: Arc<OnceLock<RuleIndex>>,
}

/// Names and values.
pub type Tags = BTreeMap<String, String>;

/// Members of a bus that are kept and given back, and have no effect here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BusSettings {
    /// For people.
    pub description: Option<String>,
    /// Nothing is encrypted here.
    pub kms_key_identifier: Option<String>,
    /// For events that could not be encrypted.
    pub dead_letter_config: Option<Value>,
    /// Where AWS would log.
    pub log_config: Option<Value>,
}

/// A rule.
#[derive(Clone, Debug)]
pub struct Rule {
    /// Unique on its bus.
    pub name: String,
    /// Its ARN.
    pub arn: String,
    /// Its bus.
    pub bus: String,
    /// As it was given.
    pub pattern_text: Option<String>,
    /// The same, compiled.
    pub pattern: Option<Pattern>,
    /// When it fires by itself.
    pub schedule: Option<Schedule>,
    /// When its schedule began: at the last change of the rule.
    pub scheduled_at: Timestamp,
    /// `ENABLED`, `DISABLED` or `ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS`.
    pub state: String,
    /// For people.
    pub description: Option<String>,
    /// Kept and given back.
    pub role_arn: Option<String>,
    /// Its tags.
    pub tags: Tags,
    /// In the order in which they were added.
    pub targets: Vec<Arc<Target>>,
}

/// The patterns of a bus's enabled rules.
#[derive(Debug)]
pub struct RuleIndex {
    /// Knows rules by their places in `rules`.
    pub patterns: Index,
    /// The rules.
    pub rules: Vec<Arc<Rule>>,
    /// Those that are not tested at all.
    pub disabled: Vec<Arc<Rule>>,
}

impl Book {
    /// With what the database holds.
    pub fn new(revision: i64, buses: impl IntoIterator<Item = Bus>) -> Self {
        let buses = buses.into_iter().map(|bus| (bus.name.clone(), Arc::new(bus)));
        Self {
            revision,
            archives: Named::new(),
            replays: Named::new(),
            connections: Named::new(),
            api_destinations: Named::new(),
            buses: buses.collect(),
        }
    }

    /// All buses by name.
    pub fn buses(&self) -> impl Iterator<Item = &Arc<Bus>> {
        self.buses.values()
    }

    /// A bus.
    pub fn find(&self, name: &str) -> Option<&Arc<Bus>> {
        self.buses.get(name)
    }

    /// A bus that must be there.
    pub fn bus(&self, name: &str) -> Result<&Arc<Bus>, Error> {
        self.find(name).ok_or_else(|| Error::no_bus(name))
    }

    /// A bus to change.
    pub fn bus_mut(&mut self, name: &str) -> Result<&mut Bus, Error> {
        self.buses.get_mut(name).map(Arc::make_mut).ok_or_else(|| Error::no_bus(name))
    }

    /// Adds or replaces a bus.
    pub fn put(&mut self, bus: Bus) {
        self.buses.insert(bus.name.clone(), Arc::new(bus));
    }

    /// Takes a bus out.
    pub fn remove(&mut self, name: &str) {
        self.buses.remove(name);
    }

    /// A rule that must be there, on a bus that must be there.
    pub fn rule(&self, bus: &str, rule: &str) -> Result<&Arc<Rule>, Error> {
        self.bus(bus)?.rule(rule)
    }
}

impl Bus {
    /// A bus without rules.
    pub fn new(place: &Place, name: &str, settings: BusSettings, now: Timestamp) -> Self {
        Self {
            arn: place.arn("events", &format!("event-bus/{name}")),
            name: name.into(),
            settings,
            policy: None,
            created_at: now,
            modified_at: now,
            tags: Tags::new(),
            rules: Vec::new(),
            index: Arc::default(),
        }
    }

    /// Its rules by name.
    pub fn rules(&self) -> &[Arc<Rule>] {
        &self.rules
    }

    /// A rule that must be there.
    pub fn rule(&self, name: &str) -> Result<&Arc<Rule>, Error> {
        let found = self.place_of(name).map_err(|_| Error::no_rule(name, &self.name))?;
        Ok(&self.rules[found])
    }

    /// A rule to change.
    pub fn rule_mut(&mut self, name: &str) -> Result<&mut Rule, Error> {
        let found = self.place_of(name).map_err(|_| Error::no_rule(name, &self.name))?;
        self.index = Arc::default();
        Ok(Arc::make_mut(&mut self.rules[found]))
    }

    /// Adds or replaces a rule.
    pub fn put_rule(&mut self, rule: Rule) {
        self.index = Arc::default();
        match self.place_of(&rule.name) {
            Ok(found) => self.rules[found] = Arc::new(rule),
            Err(place) => self.rules.insert(place, Arc::new(rule)),
        }
    }

    /// Takes a rule out.
    pub fn remove_rule(&mut self, name: &str) {
        if let Ok(found) = self.place_of(name) {
            self.index = Arc::default();
            self.rules.remove(found);
        }
    }

    fn place_of(&self, name: &str) -> Result<usize, usize> {
        self.rules.binary_search_by(|rule| rule.name.as_str().cmp(name))
    }

    /// The patterns of the enabled rules, put together when they are first needed after a change.
    pub async fn index(self: &Arc<Self>) -> &RuleIndex {
        if self.index.get().is_none() && self.rules.len() > RULES_INDEXED_AT_ONCE_MAX {
            let bus = Arc::clone(self);
            // If the task fails, the index is built below and fails there, where somebody sees it.
            let _ = tokio::task::spawn_blocking(move || _ = bus.build_index()).await;
        }
        self.build_index()
    }

    fn build_index(&self) -> &RuleIndex {
        self.index.get_or_init(|| {
            // A rule with a schedule alone looks at no event.
            let rules = self.rules.iter().filter(|rule| rule.pattern.is_some()).cloned();
            let (rules, disabled): (Vec<_>, Vec<_>) = rules.partition(|rule| rule.is_enabled());
            RuleIndex { patterns: Index::new(rules.iter().filter_map(|rule| rule.pattern.as_ref())), rules, disabled }
        })
    }
}

impl Rule {
    /// Whether events are tested against it.
    pub fn is_enabled(&self) -> bool {
        self.state != "DISABLED"
    }

    /// Whether an event matches its pattern, enabled or not. This reads the whole event: it is for explanations.
    pub fn would_match(&self, event: &str) -> bool {
        self.pattern.as_ref().is_some_and(|pattern| pattern.matches(event).unwrap_or(false))
    }
}
