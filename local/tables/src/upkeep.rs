//! What we add to dynoxide's file so that streams stay fast and small.
//!
//! Dynoxide numbers a stream record by the highest number of its table, reads by number, and has no index for either:
//! each write to a table with a stream looks through all its records. Nor does it ever remove one. So the file gets
//!
//! - an index in the order in which records are numbered and read,
//! - a trigger that removes what is older than a day, some records per write, by the time of the newest,
//! - triggers that remove the records of a table or a stream that is gone, which a new one of the same name would
//!   otherwise inherit,
//! - and, on disk, where dynoxide knows only the system's clock, how far the world's clock is ahead of it.
//!
//! All of it is named `_tandem_…`. Dynoxide neither reads nor changes it.

use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock};
use std::time::Duration;

use dynoxide::{Database, DynoxideError};
use storage::rusqlite::{Connection, OpenFlags};
use world::Clock;

/// How long a stream keeps its records: a day.
pub const RETENTION: Duration = Duration::from_hours(24);
/// How long to wait for dynoxide's connection to end what it is at.
const BUSY_TIME_MAX: Duration = Duration::from_secs(5);
/// Differences of the clocks that are not worth a write.
const LEAD_TOLERATED_S: i64 = 1;

/// Records removed per write are more than one, so that a backlog goes away, and few, so that no write stalls.
const SCHEMA: &str = "
    CREATE INDEX IF NOT EXISTS _tandem_stream_order
        ON _stream_records (table_name, CAST(sequence_number AS INTEGER), shard_id);
    CREATE INDEX IF NOT EXISTS _tandem_stream_age ON _stream_records (created_at);
    CREATE TABLE IF NOT EXISTS _tandem_clock (lead_s INTEGER NOT NULL) STRICT;
    INSERT INTO _tandem_clock SELECT 0 WHERE NOT EXISTS (SELECT 1 FROM _tandem_clock);
    CREATE TRIGGER IF NOT EXISTS _tandem_stream_trim AFTER INSERT ON _stream_records BEGIN
        UPDATE _stream_records SET created_at = NEW.created_at + (SELECT lead_s FROM _tandem_clock)
            WHERE id = NEW.id AND (SELECT lead_s FROM _tandem_clock) <> 0;
        DELETE FROM _stream_records WHERE id IN (
            SELECT id FROM _stream_records
            WHERE created_at < NEW.created_at + (SELECT lead_s FROM _tandem_clock) - 86400
            ORDER BY created_at LIMIT 20
        );
    END;
    CREATE TRIGGER IF NOT EXISTS _tandem_stream_of_deleted_table AFTER DELETE ON _tables BEGIN
        DELETE FROM _stream_records WHERE table_name = OLD.table_name;
    END;
    CREATE TRIGGER IF NOT EXISTS _tandem_stream_made_anew AFTER UPDATE OF stream_label ON _tables
        WHEN OLD.stream_label IS NOT NEW.stream_label BEGIN
        DELETE FROM _stream_records WHERE table_name = NEW.table_name;
    END;";

/// The connection beside dynoxide's, for a file.
pub struct Upkeep {
    connection: Mutex<Connection>,
    /// As it stands in the file.
    lead_s: AtomicI64,
}

impl Upkeep {
    /// Brings dynoxide's file up to date. `connection` is to the same file.
    pub fn of_file(connection: Connection) -> Result<Self, storage::rusqlite::Error> {
        connection.busy_timeout(BUSY_TIME_MAX)?;
        connection.execute_batch(SCHEMA)?;
        connection.execute("UPDATE _tandem_clock SET lead_s = 0", [])?;
        Ok(Self { connection: Mutex::new(connection), lead_s: AtomicI64::new(0) })
    }

    /// Whether the world's clock has jumped since the file was told.
    pub fn is_behind(&self, clock: &Clock) -> bool {
        (lead_s(clock) - self.lead_s.load(Ordering::Relaxed)).abs() > LEAD_TOLERATED_S
    }

    /// Tells the file how far the world's clock is ahead of the system's. Nobody else may write meanwhile.
    pub fn follow(&self, clock: &Clock) -> Result<(), storage::rusqlite::Error> {
        let lead_s = lead_s(clock);
        let connection = self.connection.lock().expect("no holder panics");
        connection.prepare_cached("UPDATE _tandem_clock SET lead_s = ?1")?.execute([lead_s])?;
        self.lead_s.store(lead_s, Ordering::Relaxed);
        Ok(())
    }
}

fn lead_s(clock: &Clock) -> i64 {
    clock.now().seconds() - Clock::system().now().seconds()
}

/// Gives a database in memory what a file gets. Dynoxide does not let anybody else at its connection, but restores
/// from a snapshot: ours is an empty database that is kept for all rooms of this process.
pub fn furnish(database: &Database) -> Result<(), DynoxideError> {
    static SNAPSHOTS: AtomicUsize = AtomicUsize::new(0);
    static SNAPSHOT: OnceLock<(String, Database)> = OnceLock::new();
    let make = || -> Result<(String, Database), DynoxideError> {
        let number = SNAPSHOTS.fetch_add(1, Ordering::Relaxed);
        let name = format!("file:tandem-tables-{number}?mode=memory&cache=shared");
        let snapshot = Database::new(&name)?;
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_URI | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        Connection::open_with_flags(&name, flags)?.execute_batch(SCHEMA)?;
        Ok((name, snapshot))
    };
    if SNAPSHOT.get().is_none() {
        let _ = SNAPSHOT.set(make()?); // another room may have been faster; one is as good as the other
    }
    let Some((name, _)) = SNAPSHOT.get() else { return Ok(()) };
    database.restore_from(name)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use aws_api::{Call, Service};
    use serde_json::{Value, json};
    use storage::{Durability, Location};
    use world::{TraceId, World};

    use super::*;
    use crate::Tables;
    use crate::tests::people;

    struct Room {
        world: World,
        services: Vec<Arc<dyn Service>>,
    }

    impl Room {
        async fn open(location: Location) -> Self {
            let world = World::for_tests(1);
            let tables = Tables::open(world.clone(), location, Durability::default()).expect("it opens");
            let room = Self { world, services: tables.services() };
            room.call(0, "CreateTable", people()).await;
            room
        }

        async fn call(&self, service: usize, operation: &str, input: Value) -> Value {
            let call = Call::internal(operation, &input, TraceId::from_root("1-0-0"), "request".into());
            let reply = self.services[service].call(&call).await.expect("an answer");
            assert!(reply.status.is_success(), "{}", String::from_utf8_lossy(&reply.body));
            serde_json::from_slice(&reply.body).expect("JSON")
        }

        async fn put(&self, sk: &str) {
            let item = json!({"pk": {"S": "a"}, "sk": {"S": sk}, "at": {"S": "x"}});
            self.call(0, "PutItem", json!({"TableName": "people", "Item": item})).await;
        }

        /// The sort keys and times of all records of the stream.
        async fn records(&self) -> Vec<(String, i64)> {
            let streams = self.call(1, "ListStreams", json!({})).await;
            let arn = streams["Streams"][0]["StreamArn"].clone();
            let stream = self.call(1, "DescribeStream", json!({"StreamArn": arn})).await;
            let shard = &stream["StreamDescription"]["Shards"][0]["ShardId"];
            let input = json!({"StreamArn": arn, "ShardId": shard, "ShardIteratorType": "TRIM_HORIZON"});
            let iterator = self.call(1, "GetShardIterator", input).await["ShardIterator"].clone();
            let read = self.call(1, "GetRecords", json!({"ShardIterator": iterator})).await;
            let of = |record: &Value| {
                let at = record["dynamodb"]["ApproximateCreationDateTime"].as_f64().expect("a time");
                #[expect(clippy::cast_possible_truncation, reason = "a second of this century")]
                (record["dynamodb"]["Keys"]["sk"]["S"].as_str().expect("a key").to_owned(), at as i64)
            };
            read["Records"].as_array().expect("records").iter().map(of).collect()
        }
    }

    async fn on_both(check: impl AsyncFn(Room)) {
        check(Room::open(Location::Memory).await).await;
        let dir = tempfile::tempdir().expect("a directory");
        check(Room::open(Location::File(dir.path().join("tables.db"))).await).await;
    }

    #[tokio::test]
    async fn records_tell_the_worlds_time() {
        on_both(async |room| {
            room.put("1").await;
            room.world.clock.advance(Duration::from_hours(5));
            room.put("2").await;
            let now = room.world.clock.now().seconds();
            let read = room.records().await;
            assert_eq!(read.iter().map(|(sk, _)| sk.as_str()).collect::<Vec<_>>(), ["1", "2"]);
            assert!((read[0].1 - (now - 5 * 3600)).abs() <= 2 && (read[1].1 - now).abs() <= 2, "{read:?} at {now}");
        })
        .await;
    }

    #[tokio::test]
    async fn records_are_gone_after_a_day() {
        on_both(async |room| {
            room.put("1").await;
            room.world.clock.advance(Duration::from_hours(25));
            assert!(room.records().await.is_empty(), "passed over until a write removes them");
            room.put("2").await;
            assert_eq!(room.records().await.len(), 1);
        })
        .await;
    }

    #[tokio::test]
    async fn a_new_table_does_not_inherit_the_stream_of_an_old_one() {
        on_both(async |room| {
            room.put("1").await;
            room.call(0, "DeleteTable", json!({"TableName": "people"})).await;
            room.call(0, "CreateTable", people()).await;
            assert!(room.records().await.is_empty());
        })
        .await;
    }

    #[test]
    fn the_order_of_a_stream_is_looked_up_in_its_index() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("tables.db");
        let world = World::for_tests(1);
        let _tables = Tables::open(world, Location::File(path.clone()), Durability::default()).expect("it opens");
        let connection = Connection::open(&path).expect("it opens");
        for sql in [
            "SELECT COALESCE(MAX(CAST(sequence_number AS INTEGER)), 0) + 1 FROM _stream_records WHERE table_name = 'a'",
            "SELECT event_name, keys_json FROM _stream_records WHERE table_name = 'a' AND shard_id = 's'
             AND CAST(sequence_number AS INTEGER) > 5 ORDER BY CAST(sequence_number AS INTEGER) ASC LIMIT 7",
        ] {
            let mut plan = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).expect("a plan");
            let steps = plan.query_map([], |row| row.get::<_, String>(3)).expect("steps");
            let steps: Vec<String> = steps.map(|step| step.expect("a step")).collect();
            assert!(
                steps.iter().all(|step| step.starts_with("SEARCH") && step.contains("_tandem_stream_order")),
                "{steps:?}"
            );
        }
    }
}
