//! The only SQL of the room.

use storage::rusqlite::{Connection, OptionalExtension, params};
use storage::{Database, Durability, Location, StorageError};
use world::Timestamp;

use crate::StoredMessage;
use crate::identity::Identity;

/// Messages kept: the newest.
const MESSAGES_MAX: i64 = 10_000;

const SCHEMA: &[&str] = &["
    CREATE TABLE messages (
        number INTEGER PRIMARY KEY,
        sent_ms INTEGER NOT NULL,
        message TEXT NOT NULL
    );
    CREATE TABLE recipients (
        address TEXT NOT NULL,
        number INTEGER NOT NULL REFERENCES messages ON DELETE CASCADE,
        PRIMARY KEY (address, number)
    ) WITHOUT ROWID;
    CREATE INDEX recipients_by_message ON recipients (number);
    CREATE TABLE identities (
        name TEXT PRIMARY KEY,
        identity TEXT NOT NULL
    ) WITHOUT ROWID;
"];

/// The mailbox on disk or in memory.
#[derive(Debug)]
pub struct Store {
    database: Database,
}

impl Store {
    pub fn open(location: Location, durability: Durability) -> Result<Self, StorageError> {
        Ok(Self { database: Database::open(location, durability, SCHEMA)? })
    }

    /// Adds a message; the oldest goes when there are too many.
    pub async fn add(&self, message: StoredMessage) -> Result<(), StorageError> {
        self.database.write(move |connection| insert(connection, &message)).await
    }

    pub async fn all(&self) -> Result<Vec<StoredMessage>, StorageError> {
        self.database
            .read(|connection| {
                let mut query = connection.prepare_cached("SELECT message FROM messages ORDER BY number")?;
                let rows = query.query_map([], |row| from_json(&row.get::<_, String>(0)?))?;
                Ok(rows.collect::<Result<_, _>>()?)
            })
            .await
    }

    /// By bare address, in lower case.
    pub async fn of_recipient(&self, address: String) -> Result<Vec<StoredMessage>, StorageError> {
        self.database
            .read(move |connection| {
                let mut query = connection.prepare_cached(
                    "SELECT message FROM recipients JOIN messages USING (number) WHERE address = ?1 ORDER BY number",
                )?;
                let rows = query.query_map([address], |row| from_json(&row.get::<_, String>(0)?))?;
                Ok(rows.collect::<Result<_, _>>()?)
            })
            .await
    }

    /// How many messages were sent at `start` or later and are still kept.
    pub async fn count_since(&self, start: Timestamp) -> Result<i64, StorageError> {
        self.database
            .read(move |connection| {
                let mut query = connection.prepare_cached("SELECT count(*) FROM messages WHERE sent_ms >= ?1")?;
                Ok(query.query_row([start.millis()], |row| row.get(0))?)
            })
            .await
    }

    /// Adds an identity; false if one of this name is there.
    pub async fn add_identity(&self, identity: Identity) -> Result<bool, StorageError> {
        self.database
            .write(move |connection| {
                let mut insert = connection.prepare_cached("INSERT OR IGNORE INTO identities VALUES (?1, ?2)")?;
                Ok(insert.execute(params![identity.name, to_json(&identity)?])? == 1)
            })
            .await
    }

    pub async fn identity(&self, name: String) -> Result<Option<Identity>, StorageError> {
        self.database
            .read(move |connection| {
                let mut query = connection.prepare_cached("SELECT identity FROM identities WHERE name = ?1")?;
                Ok(query.query_row([name], |row| from_json(&row.get::<_, String>(0)?)).optional()?)
            })
            .await
    }

    /// By name, from the first after `after`.
    pub async fn identities(&self, after: String, limit: usize) -> Result<Vec<Identity>, StorageError> {
        self.database
            .read(move |connection| {
                let mut query = connection
                    .prepare_cached("SELECT identity FROM identities WHERE name > ?1 ORDER BY name LIMIT ?2")?;
                let limit = i64::try_from(limit).unwrap_or(i64::MAX);
                let rows = query.query_map(params![after, limit], |row| from_json(&row.get::<_, String>(0)?))?;
                Ok(rows.collect::<Result<_, _>>()?)
            })
            .await
    }

    /// False if there was none.
    pub async fn delete_identity(&self, name: String) -> Result<bool, StorageError> {
        self.database
            .write(move |connection| {
                Ok(connection.prepare_cached("DELETE FROM identities WHERE name = ?1")?.execute([name])? == 1)
            })
            .await
    }

    pub async fn clear(&self) -> Result<(), StorageError> {
        self.database
            .write(|connection| {
                Ok(connection.execute_batch("DELETE FROM recipients; DELETE FROM messages; DELETE FROM identities")?)
            })
            .await
    }
}

fn insert(connection: &Connection, message: &StoredMessage) -> Result<(), StorageError> {
    connection
        .prepare_cached("INSERT INTO messages (sent_ms, message) VALUES (?1, ?2)")?
        .execute(params![message.sent.millis(), to_json(message)?])?;
    let number = connection.last_insert_rowid();
    let mut recipient = connection.prepare_cached("INSERT INTO recipients VALUES (?1, ?2)")?;
    for address in &message.addresses {
        recipient.execute(params![address, number])?;
    }
    // Numbers have no gaps, so the count needs no counting.
    connection.prepare_cached("DELETE FROM messages WHERE number <= ?1")?.execute([number - MESSAGES_MAX])?;
    Ok(())
}

fn to_json(value: &impl serde::Serialize) -> Result<String, storage::rusqlite::Error> {
    serde_json::to_string(value).map_err(|error| storage::rusqlite::Error::ToSqlConversionFailure(error.into()))
}

fn from_json<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, storage::rusqlite::Error> {
    serde_json::from_str(text).map_err(|error| {
        storage::rusqlite::Error::FromSqlConversionFailure(0, storage::rusqlite::types::Type::Text, error.into())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Message;

    fn message(n: i64) -> StoredMessage {
        let to = vec![format!("user-{}@example.com", n % 2)];
        StoredMessage::new(n.to_string(), Timestamp::from_millis(n), Message { to, ..Message::default() })
    }

    #[test]
    fn keeps_the_newest_only() {
        let connection = Connection::open_in_memory().expect("it opens");
        connection.execute_batch(SCHEMA[0]).expect("the schema holds");
        connection.pragma_update(None, "foreign_keys", "ON").expect("it is set");
        connection.execute_batch("BEGIN").expect("it begins");
        for n in 0..MESSAGES_MAX + 5 {
            insert(&connection, &message(n)).expect("it is stored");
        }
        let count = |table: &str| {
            let sql = format!("SELECT count(*) FROM {table}");
            connection.query_row(&sql, [], |row| row.get::<_, i64>(0)).expect("a count")
        };
        assert_eq!((count("messages"), count("recipients")), (MESSAGES_MAX, MESSAGES_MAX));
    }

    #[test]
    fn finds_a_recipient_by_an_index() {
        let connection = Connection::open_in_memory().expect("it opens");
        connection.execute_batch(SCHEMA[0]).expect("the schema holds");
        let sql = "EXPLAIN QUERY PLAN SELECT message FROM recipients JOIN messages USING (number) \
                   WHERE address = ?1 ORDER BY number";
        let mut query = connection.prepare(sql).expect("it is valid");
        let plan = query.query_map(["a"], |row| row.get::<_, String>(3)).expect("a plan");
        for step in plan.map(|step| step.expect("a step")) {
            assert!(step.starts_with("SEARCH"), "{step}");
        }
    }
}
