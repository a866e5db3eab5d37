//! The record of what stacks made: the only file here that knows SQL.

use std::collections::BTreeMap;

use serde_json::Value;
use storage::rusqlite::{Connection, Row, params};
use storage::{Database, Durability, Location, StorageError};

use crate::kind::{Attributes, Properties, Standing};

const SCHEMA: &[&str] = &["
    CREATE TABLE resources (
        stack TEXT NOT NULL,
        logical_id TEXT NOT NULL,
        position INTEGER NOT NULL,
        kind TEXT NOT NULL,
        id TEXT NOT NULL,
        attributes TEXT NOT NULL,
        properties TEXT NOT NULL,
        deletion_policy TEXT NOT NULL,
        state TEXT NOT NULL,
        PRIMARY KEY (stack, logical_id)
    );
    CREATE TABLE outputs (
        stack TEXT NOT NULL,
        name TEXT NOT NULL,
        value TEXT NOT NULL,
        export TEXT,
        PRIMARY KEY (stack, name)
    );
"];

/// What became of a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It was begun; a crash may have come between.
    Making,
    /// It stands.
    Made,
    /// It left the template and stands all the same.
    Kept,
}

/// A resource that a stack made.
#[derive(Clone, Debug)]
pub struct Recorded {
    pub logical_id: String,
    /// When it was made: what was made last is removed first.
    pub position: i64,
    pub kind: String,
    pub standing: Standing,
    pub deletion_policy: String,
    pub state: State,
}

/// An output of a stack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordedOutput {
    pub stack: String,
    pub name: String,
    pub value: String,
    pub export: Option<String>,
}

/// The record.
#[derive(Clone, Debug)]
pub struct Record(Database);

impl Record {
    pub fn open(location: Location, durability: Durability) -> Result<Self, StorageError> {
        Database::open(location, durability, SCHEMA).map(Self)
    }

    pub async fn reset(&self) -> Result<(), StorageError> {
        self.0.write(|connection| Ok(connection.execute_batch("DELETE FROM resources; DELETE FROM outputs")?)).await
    }

    /// What a stack made, by logical id.
    pub async fn resources(&self, stack: &str) -> Result<BTreeMap<String, Recorded>, StorageError> {
        let stack = stack.to_owned();
        let read = |connection: &Connection| {
            let sql = "SELECT logical_id, position, kind, id, attributes, properties, deletion_policy, state
                       FROM resources WHERE stack = ?1";
            let mut query = connection.prepare_cached(sql)?;
            let rows = query.query_map([stack], recorded)?;
            rows.map(|row| row.map(|row| (row.logical_id.clone(), row))).collect::<Result<_, _>>().map_err(Into::into)
        };
        self.0.read(read).await
    }

    pub async fn put(&self, stack: &str, row: &Recorded) -> Result<(), StorageError> {
        let (stack, row) = (stack.to_owned(), row.clone());
        let write = move |connection: &Connection| {
            let sql = "INSERT OR REPLACE INTO resources VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
            let Standing { id, attributes, properties } = row.standing;
            let attributes = Value::Object(attributes.into_iter().map(|(name, value)| (name, value.into())).collect());
            connection.prepare_cached(sql)?.execute(params![
                stack,
                row.logical_id,
                row.position,
                row.kind,
                id,
                attributes.to_string(),
                Value::Object(properties).to_string(),
                row.deletion_policy,
                state_word(row.state),
            ])?;
            Ok(())
        };
        self.0.write(write).await
    }

    pub async fn forget(&self, stack: &str, logical_id: &str) -> Result<(), StorageError> {
        let (stack, logical_id) = (stack.to_owned(), logical_id.to_owned());
        let write = move |connection: &Connection| {
            let sql = "DELETE FROM resources WHERE stack = ?1 AND logical_id = ?2";
            connection.prepare_cached(sql)?.execute([stack, logical_id])?;
            Ok(())
        };
        self.0.write(write).await
    }

    /// The outputs of every stack.
    pub async fn outputs(&self) -> Result<Vec<RecordedOutput>, StorageError> {
        let read = |connection: &Connection| {
            let mut query = connection.prepare_cached("SELECT stack, name, value, export FROM outputs")?;
            let rows = query.query_map([], |row| {
                Ok(RecordedOutput { stack: row.get(0)?, name: row.get(1)?, value: row.get(2)?, export: row.get(3)? })
            })?;
            rows.collect::<Result<_, _>>().map_err(Into::into)
        };
        self.0.read(read).await
    }

    /// Sets the outputs of a stack, in the place of those it had.
    pub async fn put_outputs(&self, stack: &str, outputs: Vec<RecordedOutput>) -> Result<(), StorageError> {
        let stack = stack.to_owned();
        let write = move |connection: &Connection| {
            connection.prepare_cached("DELETE FROM outputs WHERE stack = ?1")?.execute([stack])?;
            let mut insert = connection.prepare_cached("INSERT INTO outputs VALUES (?1, ?2, ?3, ?4)")?;
            for output in outputs {
                insert.execute(params![output.stack, output.name, output.value, output.export])?;
            }
            Ok(())
        };
        self.0.write(write).await
    }
}

fn state_word(state: State) -> &'static str {
    match state {
        State::Making => "making",
        State::Made => "made",
        State::Kept => "kept",
    }
}

fn recorded(row: &Row<'_>) -> Result<Recorded, storage::rusqlite::Error> {
    let attributes: Attributes = serde_json::from_str(&row.get::<_, String>(4)?).unwrap_or_default();
    let properties: Properties = serde_json::from_str(&row.get::<_, String>(5)?).unwrap_or_default();
    Ok(Recorded {
        logical_id: row.get(0)?,
        position: row.get(1)?,
        kind: row.get(2)?,
        standing: Standing { id: row.get(3)?, attributes, properties },
        deletion_policy: row.get(6)?,
        state: match row.get::<_, String>(7)?.as_str() {
            "made" => State::Made,
            "kept" => State::Kept,
            _ => State::Making,
        },
    })
}
