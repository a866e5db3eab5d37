//! The book of buses: every bus with its rules and targets, in memory, as it stands in the database.
//!
//! Readers take a snapshot that never changes under them. A change is made to a copy, on the database's writer
//! thread and inside its transaction, and the copy is published when that is committed. Changes are numbered in
//! the database itself: if a commit failed, the next change sees by the number that its copy is ahead of the
//! file, and starts from the file again. So nobody waits for a lock while somebody writes, and what readers see
//! is what a restart would see.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock, RwLock};

use rusqlite::Connection;
use serde_json::Value;
use storage::Database;
use world::{Place, Timestamp, World};

use crate::error::Error;
use crate::pattern::{Index, Pattern};
use crate::store;
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
    pub pattern_text: String,
    /// The same, compiled.
    pub pattern: Pattern,
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
}

impl Book {
    /// With what the database holds.
    pub fn new(revision: i64, buses: impl IntoIterator<Item = Bus>) -> Self {
        let buses = buses.into_iter().map(|bus| (bus.name.clone(), Arc::new(bus)));
        Self { revision, buses: buses.collect() }
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
            let rules: Vec<_> = self.rules.iter().filter(|rule| rule.is_enabled()).cloned().collect();
            RuleIndex { patterns: Index::new(rules.iter().map(|rule| &rule.pattern)), rules }
        })
    }
}

impl Rule {
    /// Whether events are tested against it.
    pub fn is_enabled(&self) -> bool {
        self.state != "DISABLED"
    }
}

/// Readers' and writers' access to the book.
#[derive(Debug)]
pub struct Shelf {
    database: Database,
    world: World,
    /// The book as of the last change that was made, committed or not. Only the writer thread takes it.
    staged: Arc<Mutex<Option<Arc<Book>>>>,
    /// The book as of the last change that was committed; nothing before the first use.
    published: RwLock<Option<Arc<Book>>>,
}

impl Shelf {
    /// A shelf for the book in `database`, which is read when it is first asked for.
    pub fn new(database: Database, world: World) -> Self {
        Self { database, world, staged: Arc::default(), published: RwLock::default() }
    }

    /// The book as it stands.
    pub async fn book(&self) -> Result<Arc<Book>, Error> {
        if let Some(book) = self.published() {
            return Ok(book);
        }
        self.change(|_, _| Ok(())).await?; // reads the file, and makes the default bus in a new one
        self.published().ok_or_else(|| Error::Damaged("the book of buses is missing".into()))
    }

    fn published(&self) -> Option<Arc<Book>> {
        self.published.read().expect("no holder panics").clone()
    }

    /// Makes a change to a copy of the book and to the database, and publishes the copy when it is committed.
    /// An error undoes both.
    pub async fn change<T: Send + 'static>(
        &self,
        change: impl FnOnce(&mut Book, &Connection) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let staged = Arc::clone(&self.staged);
        let (place, now) = (self.world.place.clone(), self.world.clock.now());
        let (book, answer) = self
            .database
            .write(move |connection| {
                let mut staged = staged.lock().expect("no holder panics");
                let revision = store::revision(connection)?;
                let current = staged.as_ref().filter(|book| book.revision == revision);
                let mut book = match current {
                    Some(book) => Book::clone(book),
                    None => store::load(connection, &place, now)?,
                };
                let answer = change(&mut book, connection)?;
                book.revision = store::next_revision(connection)?;
                let book = Arc::new(book);
                *staged = Some(Arc::clone(&book));
                Ok::<_, Error>((book, answer))
            })
            .await?;
        let mut published = self.published.write().expect("no holder panics");
        if published.as_ref().is_none_or(|before| before.revision < book.revision) {
            *published = Some(book);
        }
        Ok(answer)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use storage::Location;
    use world::World;

    use crate::testing::Room;

    const QUEUE: &str = "arn:aws:sqs:us-east-1:000000000000:q";

    #[tokio::test]
    async fn everything_is_there_after_a_restart() {
        let dir = tempfile::tempdir().expect("a directory");
        let open = || Room::over(World::for_tests(1), Location::File(dir.path().join("bus.db")));
        let asked = [
            ("DescribeEventBus", json!({ "Name": "b" })),
            ("DescribeRule", json!({ "Name": "r", "EventBusName": "b" })),
            ("ListTargetsByRule", json!({ "Rule": "r", "EventBusName": "b" })),
            ("ListTagsForResource", json!({ "ResourceARN": "arn:aws:events:us-east-1:000000000000:rule/b/r" })),
            ("ListEventBuses", json!({})),
        ];
        let mut before = Vec::new();
        {
            let t = open();
            t.call("CreateEventBus", json!({ "Name": "b", "Description": "d" })).await.ok();
            let policy = json!({ "EventBusName": "b", "Action": "a", "Principal": "*", "StatementId": "s" });
            t.call("PutPermission", policy).await.ok();
            let tags = json!([{ "Key": "k", "Value": "v" }]);
            let rule = json!({ "Name": "r", "EventBusName": "b", "EventPattern": r#"{"source":["s"]}"#, "Tags": tags });
            t.call("PutRule", rule).await.ok();
            let transformer = json!({ "InputPathsMap": { "a": "$.detail" }, "InputTemplate": "<a>" });
            t.target("b", "r", json!({ "Id": "2", "Arn": QUEUE, "InputTransformer": transformer })).await;
            t.target("b", "r", json!({ "Id": "1", "Arn": QUEUE })).await;
            for (operation, input) in &asked {
                before.push(t.call(operation, input.clone()).await.ok());
            }
        }
        let t = open();
        for ((operation, input), before) in asked.iter().zip(before) {
            assert_eq!(t.call(operation, input.clone()).await.ok(), before, "{operation}");
        }
        t.event("b", "s", json!({})).await;
        assert_eq!(t.queued().len(), 2);
    }

    #[tokio::test]
    async fn a_change_that_fails_changes_nothing() {
        let t = Room::new();
        t.rule("default", "r", r#"{"source":["s"]}"#).await;
        let targets = json!([{ "Id": "1", "Arn": QUEUE }, { "Id": "2", "Arn": "no" }]);
        t.call("PutTargets", json!({ "Rule": "r", "Targets": targets }))
            .await
            .error("ValidationException", "Parameter no is not valid. Reason: Provided Arn is not in correct format.");
        assert_eq!(t.call("ListTargetsByRule", json!({ "Rule": "r" })).await.ok(), json!({ "Targets": [] }));
        t.rule("default", "r2", r#"{"source":["s"]}"#).await;
        assert_eq!(t.call("ListTargetsByRule", json!({ "Rule": "r" })).await.ok(), json!({ "Targets": [] }));
    }

    #[tokio::test]
    async fn changes_at_once_are_all_made() {
        let t = Room::new();
        let rules: Vec<_> = (0..30).map(|n| format!("r{n}")).collect();
        let put = rules.iter().map(|name| t.rule("default", name, r#"{"source":["s"]}"#));
        let mut put: Vec<_> = put.map(Box::pin).collect();
        std::future::poll_fn(|context| {
            put.retain_mut(|put| put.as_mut().poll(context).is_pending());
            if put.is_empty() { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
        })
        .await;
        assert_eq!(t.call("ListRules", json!({})).await.ok()["Rules"].as_array().map(Vec::len), Some(30));
    }

    #[tokio::test]
    async fn a_copy_ahead_of_the_file_is_not_built_upon() {
        let t = Room::new();
        t.rule("default", "r", r#"{"source":["s"]}"#).await;
        // What a failed commit leaves: the copy holds a change that the file does not.
        {
            let mut staged = t.bus.shelf.staged.lock().expect("no holder panics");
            let mut book = super::Book::clone(staged.as_ref().expect("a book"));
            book.bus_mut("default").expect("the bus").remove_rule("r");
            book.revision += 1;
            *staged = Some(std::sync::Arc::new(book));
        }
        t.rule("default", "r2", r#"{"source":["s"]}"#).await;
        assert_eq!(t.call("ListRules", json!({})).await.ok()["Rules"].as_array().map(Vec::len), Some(2));
    }

    #[tokio::test]
    async fn a_reset_leaves_the_default_bus() {
        let t = Room::new();
        t.call("CreateEventBus", json!({ "Name": "b" })).await.ok();
        t.rule("default", "r", r#"{"source":["s"]}"#).await;
        t.bus.reset().await.expect("it is reset");
        let buses = t.call("ListEventBuses", json!({})).await.ok();
        assert_eq!(
            (buses["EventBuses"].as_array().map(Vec::len), &buses["EventBuses"][0]["Name"]),
            (Some(1), &json!("default"))
        );
        assert_eq!(t.call("ListRules", json!({})).await.ok()["Rules"], json!([]));
    }
}
