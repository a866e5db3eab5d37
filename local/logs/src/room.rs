//! The room itself: what it is built of, and what the server and other rooms do with it.

use std::sync::Arc;
use std::time::Duration;

use aws_api::{Protocol, Service, ServiceName};
use storage::{Database, Durability, Location, StorageError};
use world::World;

use crate::error::Error;
use crate::inlet::Inlet;
use crate::ops::OPERATIONS;
use crate::store;

const NAME: ServiceName = ServiceName {
    title: "Amazon CloudWatch Logs",
    target: "Logs_20140328",
    signing: "logs",
    protocol: Protocol::Json11,
    unsigned: &[],
    constraint_exception: "InvalidParameterException",
};

/// How long printed lines wait for more of them: a commit costs the same for one as for a hundred.
const GATHER: Duration = Duration::from_millis(100);
/// How often groups that nobody writes to lose what is older than their retention.
const SWEEP_EVERY: Duration = Duration::from_hours(1);

/// CloudWatch Logs.
#[derive(Debug)]
pub struct Logs {
    pub(crate) world: World,
    pub(crate) database: Database,
    inlet: Arc<Inlet>,
}

/// Why events were not stored.
#[derive(Debug, thiserror::Error)]
#[error("the log events could not be stored: {0}")]
pub struct PutError(String);

impl Logs {
    /// Opens the room over `logs.db` or a database in memory. [`Logs::run`] has to run for what is printed to be
    /// stored in time.
    pub fn open(world: World, location: Location, durability: Durability) -> Result<Arc<Self>, StorageError> {
        let database = Database::open(location, durability, store::SCHEMA)?;
        Ok(Arc::new(Self { world, database, inlet: Arc::default() }))
    }

    /// The API.
    pub fn services(self: &Arc<Self>) -> Vec<Arc<dyn Service>> {
        vec![<dyn Service>::of(NAME, Arc::clone(self), OPERATIONS)]
    }

    /// Stores events (milliseconds since the epoch, message) of a service's, in the order given. Group and stream
    /// are made if they are not there.
    pub async fn put(&self, group: &str, stream: &str, events: Vec<(i64, String)>) -> Result<(), PutError> {
        let (group, stream, now) = (group.to_owned(), stream.to_owned(), self.world.clock.now());
        let put = self.database.write(move |connection| {
            let group = store::ensure_group(connection, &group, now)?;
            let stream = store::ensure_stream(connection, group, &stream, now)?;
            store::append(connection, group, stream, &events, now)?;
            store::trim(connection, group, now)
        });
        put.await.map_err(|error: Error| PutError(error.to_string()))
    }

    /// Whether there is a group of this name.
    pub async fn has_group(&self, group: &str) -> Result<bool, StorageError> {
        let group = group.to_owned();
        let found = self.database.read(move |connection| store::group(connection, &group).map(|found| found.is_some()));
        found.await.map_err(|error| storage_error(error, "a group could not be read"))
    }

    /// Takes a line that was printed. It returns at once; what there is no room for is dropped and counted.
    pub fn print(&self, group: &Arc<str>, stream: &Arc<str>, at_ms: i64, line: &str) {
        self.inlet.push(group, stream, at_ms, line);
    }

    /// Stores what is printed, some of it at a time, and forgets what is too old. It never returns.
    pub async fn run(&self) {
        let mut sweep = self.world.clock.now().plus(SWEEP_EVERY);
        loop {
            tokio::select! {
                () = self.inlet.arrived.notified() => {
                    tokio::select! {
                        () = tokio::time::sleep(GATHER) => {}
                        () = self.inlet.pressing.notified() => {}
                    }
                    if let Err(error) = self.flush().await {
                        tracing::error!(%error, "what functions printed could not be stored");
                    }
                }
                () = self.world.clock.sleep_until(sweep) => {
                    sweep = self.world.clock.now().plus(SWEEP_EVERY);
                    if let Err(error) = self.sweep().await {
                        tracing::error!(%error, "old log events could not be deleted");
                    }
                }
            }
        }
    }

    /// Returns when everything that was printed before the call is stored.
    pub async fn flush(&self) -> Result<(), StorageError> {
        let (inlet, clock) = (Arc::clone(&self.inlet), self.world.clock.clone());
        // The lines are taken on the writer's thread. It makes one change after the other, so once this change is
        // made, what an earlier one took is stored as well.
        let flushed =
            self.database.write(move |connection| store::append_printed(connection, &inlet.take(), clock.now()));
        flushed.await.map_err(|error| storage_error(error, "what was printed could not be stored"))
    }

    /// Forgets every group. What was printed and waits is forgotten too.
    pub async fn reset(&self) -> Result<(), StorageError> {
        let inlet = Arc::clone(&self.inlet);
        let cleared = self.database.write(move |connection| {
            drop(inlet.take());
            store::clear(connection)
        });
        cleared.await.map_err(|error| storage_error(error, "the logs could not be reset"))
    }

    async fn sweep(&self) -> Result<(), Error> {
        let now = self.world.clock.now();
        self.database.write(move |connection| store::sweep(connection, now)).await
    }
}

fn storage_error(error: Error, what: &str) -> StorageError {
    match error {
        Error::Storage(error) => error,
        error => {
            tracing::error!(%error, "{what}");
            StorageError::Closed
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::{Value, json};
    use storage::Location;
    use world::World;

    use crate::store::{GROUP_BYTES_MAX, STREAMS_PER_GROUP_MAX};
    use crate::testing::Room;

    fn print(t: &Room, stream: &str, line: &str) {
        t.logs.print(&Arc::from("g"), &Arc::from(stream), t.now(), line);
    }

    async fn described(t: &Room) -> Value {
        t.call("DescribeLogGroups", json!({})).await.ok()["logGroups"][0].clone()
    }

    #[tokio::test]
    async fn what_is_printed_is_found_at_once_and_in_order() {
        let t = Room::new();
        for n in 0..10 {
            print(&t, "s", &n.to_string());
        }
        assert_eq!(t.call("DescribeLogGroups", json!({})).await.ok()["logGroups"][0]["logGroupName"], "g");
        assert_eq!(t.found(json!({})).await.concat(), "0123456789");
    }

    #[tokio::test]
    async fn a_flood_is_bounded_and_says_what_it_lost() {
        let t = Room::new();
        let line = "x".repeat(1000);
        for _ in 0..100_000 {
            print(&t, "s", &line);
        }
        print(&t, "other", "still heard");
        let lost = t.found(json!({ "filterPattern": "tandem" })).await;
        let kept = t.filter(json!({ "filterPattern": "still" })).await;
        let stored = described(&t).await["storedBytes"].as_i64().expect("a number");
        let count = (stored - i64::try_from(lost[0].len()).expect("short") - 26 - 11 - 26) / 1026;
        let expected = format!("[tandem] {} lines are missing here: they came too fast to be stored", 100_000 - count);
        assert_eq!((lost, crate::testing::messages(&kept)), (vec![expected], vec!["still heard".to_owned()]));
    }

    #[tokio::test]
    async fn a_full_group_loses_its_oldest_events() {
        let t = Room::with_stream().await;
        let big = "x".repeat(1_000_000);
        for n in 0..80 {
            t.put("s", &[&format!("{n} {big}")]).await;
            t.world.clock.advance(std::time::Duration::from_secs(1));
        }
        let bytes = described(&t).await["storedBytes"].as_i64().expect("a number");
        assert!(bytes <= GROUP_BYTES_MAX && bytes > GROUP_BYTES_MAX * 8 / 10, "{bytes}");
        let newest = t.filter(json!({ "filterPattern": "\"79 x\"" })).await;
        let oldest = t.filter(json!({ "filterPattern": "\"0 x\"", "limit": 1 })).await;
        assert_eq!(newest["events"].as_array().map(Vec::len), Some(1));
        assert!(!crate::testing::messages(&oldest)[0].starts_with("0 "));
    }

    #[tokio::test]
    async fn a_service_leaves_so_many_streams() {
        let t = Room::new();
        for n in 0..STREAMS_PER_GROUP_MAX + 20 {
            print(&t, &format!("{n:05}"), "line");
            t.world.clock.advance(std::time::Duration::from_millis(1));
            t.logs.flush().await.expect("it is stored");
        }
        let streams = t.call("DescribeLogStreams", json!({ "logGroupName": "g", "limit": 1 })).await.ok();
        assert_eq!(streams["logStreams"][0]["logStreamName"], "00020");
        assert_eq!(described(&t).await["storedBytes"], STREAMS_PER_GROUP_MAX * 30);
    }

    #[tokio::test]
    async fn it_is_there_after_a_restart() {
        let dir = tempfile::tempdir().expect("a directory");
        let open = || Room::over(World::for_tests(1), Location::File(dir.path().join("logs.db")));
        let t = open();
        t.put("s", &["before"]).await;
        drop(t);
        let t = open();
        t.put("s", &["after"]).await;
        assert_eq!(t.found(json!({})).await, ["before", "after"]);
        t.logs.reset().await.expect("it is reset");
        assert_eq!(t.call("DescribeLogGroups", json!({})).await.ok(), json!({ "logGroups": [] }));
    }
}
