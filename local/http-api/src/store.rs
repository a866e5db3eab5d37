//! The APIs on disk: the only file that knows SQL.
//!
//! An API is one row and all of it one JSON text. It is read when the room opens and written when it changes;
//! requests never come here.

use rusqlite::{Connection, params};
use storage::{Database, StorageError};

use crate::room::Api;

/// The schema, version by version.
pub const SCHEMA: &[&str] =
    &["CREATE TABLE apis (id TEXT NOT NULL PRIMARY KEY, document TEXT NOT NULL) STRICT, WITHOUT ROWID;"];

/// Writes an API, new or changed.
pub async fn save(database: &Database, api: &Api) -> Result<(), StorageError> {
    let id = api.id().to_owned();
    let document = serde_json::to_string(api).map_err(|error| unreadable(&id, &error))?;
    database
        .write(move |connection| {
            let sql = "INSERT INTO apis (id, document) VALUES (?1, ?2) \
                       ON CONFLICT (id) DO UPDATE SET document = excluded.document";
            connection.prepare_cached(sql)?.execute(params![id, document])?;
            Ok(())
        })
        .await
}

/// Removes an API.
pub async fn delete(database: &Database, id: &str) -> Result<(), StorageError> {
    let id = id.to_owned();
    database
        .write(move |connection| {
            connection.prepare_cached("DELETE FROM apis WHERE id = ?1")?.execute([id])?;
            Ok(())
        })
        .await
}

/// Removes all.
pub async fn clear(database: &Database) -> Result<(), StorageError> {
    database
        .write(|connection| {
            connection.prepare_cached("DELETE FROM apis")?.execute([])?;
            Ok(())
        })
        .await
}

/// All APIs.
pub fn all(connection: &Connection) -> Result<Vec<Api>, StorageError> {
    let mut statement = connection.prepare_cached("SELECT id, document FROM apis ORDER BY id")?;
    let rows = statement.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)))?;
    let mut apis = Vec::new();
    for row in rows {
        let (id, document) = row?;
        apis.push(serde_json::from_str(&document).map_err(|error| unreadable(&id, &error))?);
    }
    Ok(apis)
}

fn unreadable(id: &str, error: &serde_json::Error) -> StorageError {
    let text = format!("API {id}: {error}");
    StorageError::Sql(rusqlite::Error::ToSqlConversionFailure(text.into()))
}
