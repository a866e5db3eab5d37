//! Access to the book of buses: snapshots for readers, changes for writers.
//!
//! Readers take a snapshot that never changes under them. A change is made to a copy, on the database's writer
//! thread and inside its transaction, and the copy is published when that is committed. Changes are numbered in
//! the database itself: if a commit failed, the next change sees by the number that its copy is ahead of the
//! file, and starts from the file again. So nobody waits for a lock while somebody writes, and what readers see
//! is what a restart would see.

use std::sync::{Arc, Mutex, RwLock};

use rusqlite::Connection;
use storage::Database;
use tokio::sync::watch;
use world::{Place, Timestamp, World};

use crate::book::Book;
use crate::error::Error;
use crate::store;

/// Readers' and writers' access to the book. Cheap to clone: all clones are one shelf.
#[derive(Clone, Debug)]
pub struct Shelf {
    database: Database,
    world: World,
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    /// The book as of the last change that was made, committed or not. Only the writer thread takes it.
    staged: Mutex<Option<Arc<Book>>>,
    /// The book as of the last change that was committed; nothing before the first use.
    published: RwLock<Option<Arc<Book>>>,
    /// The number of the last change that was published, for whoever waits for one.
    news: watch::Sender<i64>,
}

impl Shelf {
    /// A shelf for the book in `database`, which is read when it is first asked for.
    pub fn new(database: Database, world: World) -> Self {
        Self { database, world, shared: Arc::default() }
    }

    /// The book as it stands.
    pub async fn book(&self) -> Result<Arc<Book>, Error> {
        if let Some(book) = self.shared.published() {
            return Ok(book);
        }
        self.change(|_, _| Ok(())).await?; // reads the file, and makes the default bus in a new one
        self.shared.published().ok_or_else(|| Error::Damaged("the book of buses is missing".into()))
    }

    /// Tells of every change from now on, of several at once maybe.
    pub fn changes(&self) -> watch::Receiver<i64> {
        self.shared.news.subscribe()
    }

    /// The file, for what is not in the book: events of archives, and firings.
    pub fn database(&self) -> &Database {
        &self.database
    }

    /// Makes a change to a copy of the book and to the database, and publishes the copy when it is committed.
    /// An error undoes both.
    pub async fn change<T: Send + 'static>(
        &self,
        change: impl FnOnce(&mut Book, &Connection) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let this = self.clone();
        // A task of its own: a caller that goes away must not keep a committed change from being published.
        let changed = tokio::spawn(async move {
            let shared = Arc::clone(&this.shared);
            let (place, now) = (this.world.place.clone(), this.world.clock.now());
            let write = move |connection: &Connection| shared.stage(connection, &place, now, change);
            let (book, answer) = this.database.write(write).await?;
            this.shared.publish(book);
            Ok(answer)
        });
        changed.await.unwrap_or_else(|error| Err(Error::Damaged(format!("a change broke off: {error}"))))
    }
}

impl Shared {
    /// On the writer thread, inside the transaction.
    fn stage<T>(
        &self,
        connection: &Connection,
        place: &Place,
        now: Timestamp,
        change: impl FnOnce(&mut Book, &Connection) -> Result<T, Error>,
    ) -> Result<(Arc<Book>, T), Error> {
        let mut staged = self.staged.lock().expect("no holder panics");
        let revision = store::revision(connection)?;
        let mut book = match staged.as_ref().filter(|book| book.revision == revision) {
            Some(book) => Book::clone(book),
            None => store::load(connection, place, now)?,
        };
        let answer = change(&mut book, connection)?;
        book.revision = store::next_revision(connection)?;
        let book = Arc::new(book);
        *staged = Some(Arc::clone(&book));
        Ok((book, answer))
    }

    fn published(&self) -> Option<Arc<Book>> {
        self.published.read().expect("no holder panics").clone()
    }

    /// Of two that are committed together, the later one holds the earlier.
    fn publish(&self, book: Arc<Book>) {
        let mut published = self.published.write().expect("no holder panics");
        if published.as_ref().is_none_or(|before| before.revision < book.revision) {
            let revision = book.revision;
            *published = Some(book);
            drop(published);
            self.news.send_replace(revision);
        }
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
            let mut staged = t.bus.shelf.shared.staged.lock().expect("no holder panics");
            let mut book = crate::book::Book::clone(staged.as_ref().expect("a book"));
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
