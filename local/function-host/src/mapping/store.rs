//! Mappings on disk, and how far each has read: the only file here that knows SQL.

use rusqlite::{Connection, params};
use storage::{Database, StorageError};

use super::Mapping;
use super::sources::Position;

/// The tables, for the schema of the room's file.
pub(crate) const TABLES: &str = "
    CREATE TABLE mappings (
        uuid TEXT NOT NULL PRIMARY KEY,
        definition TEXT NOT NULL,
        last_result TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE mapping_positions (
        uuid TEXT NOT NULL,
        shard TEXT NOT NULL,
        position TEXT NOT NULL,
        PRIMARY KEY (uuid, shard)
    ) STRICT, WITHOUT ROWID;";

/// A mapping as it was stored, and how its last batch went.
pub(crate) type Stored = (Mapping, String);

/// Writes a new mapping with the positions it begins at, or a changed one without any.
pub(crate) async fn save(
    database: &Database,
    mapping: &Mapping,
    last_result: String,
    positions: Vec<(String, Position)>,
) -> Result<(), StorageError> {
    let uuid = mapping.uuid.clone();
    let definition = serde_json::to_string(mapping).map_err(|error| unreadable(&uuid, &error))?;
    database
        .write(move |connection| {
            let sql = "INSERT INTO mappings (uuid, definition, last_result) VALUES (?1, ?2, ?3) \
                       ON CONFLICT (uuid) DO UPDATE SET definition = excluded.definition";
            connection.prepare_cached(sql)?.execute(params![uuid, definition, last_result])?;
            for (shard, position) in positions {
                put_position(connection, &uuid, &shard, &position)?;
            }
            Ok(())
        })
        .await
}

/// Removes a mapping and its positions.
pub(crate) async fn delete(database: &Database, uuid: &str) -> Result<(), StorageError> {
    let uuid = uuid.to_owned();
    database
        .write(move |connection| {
            connection.prepare_cached("DELETE FROM mapping_positions WHERE uuid = ?1")?.execute([&uuid])?;
            connection.prepare_cached("DELETE FROM mappings WHERE uuid = ?1")?.execute([&uuid])?;
            Ok(())
        })
        .await
}

/// Removes all of them.
pub(crate) async fn clear(database: &Database) -> Result<(), StorageError> {
    let clear =
        |connection: &Connection| Ok(connection.execute_batch("DELETE FROM mapping_positions; DELETE FROM mappings;")?);
    database.write(clear).await
}

/// All mappings.
pub(crate) async fn all(database: &Database) -> Result<Vec<Stored>, StorageError> {
    database
        .read(|connection| {
            let mut select = connection.prepare_cached("SELECT uuid, definition, last_result FROM mappings")?;
            let rows = select.query_map([], |row| {
                Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?, row.get::<_, String>(2)?))
            })?;
            let mut all = Vec::new();
            for row in rows {
                let (uuid, definition, last_result) = row?;
                let mapping = serde_json::from_str(&definition).map_err(|error| unreadable(&uuid, &error))?;
                all.push((mapping, last_result));
            }
            Ok(all)
        })
        .await
}

/// Notes how the last batch of a mapping went.
pub(crate) async fn save_result(database: &Database, uuid: &str, last_result: &str) -> Result<(), StorageError> {
    let (uuid, last_result) = (uuid.to_owned(), last_result.to_owned());
    database
        .write(move |connection| {
            let sql = "UPDATE mappings SET last_result = ?2 WHERE uuid = ?1";
            connection.prepare_cached(sql)?.execute(params![uuid, last_result])?;
            Ok(())
        })
        .await
}

/// Notes how far a shard has been read; comes to nothing if the mapping is gone.
pub(crate) async fn save_position(
    database: &Database,
    uuid: &str,
    shard: &str,
    position: Position,
) -> Result<(), StorageError> {
    let (uuid, shard) = (uuid.to_owned(), shard.to_owned());
    database
        .write(move |connection| {
            let exists = connection.prepare_cached("SELECT 1 FROM mappings WHERE uuid = ?1")?.exists([&uuid])?;
            if exists { put_position(connection, &uuid, &shard, &position) } else { Ok(()) }
        })
        .await
}

/// Where to go on in a shard; none if it was never read.
pub(crate) async fn position(database: &Database, uuid: &str, shard: &str) -> Result<Option<Position>, StorageError> {
    let (uuid, shard) = (uuid.to_owned(), shard.to_owned());
    database
        .read(move |connection| {
            let sql = "SELECT position FROM mapping_positions WHERE uuid = ?1 AND shard = ?2";
            let mut select = connection.prepare_cached(sql)?;
            let mut rows = select.query(params![uuid, shard])?;
            let Some(row) = rows.next()? else { return Ok(None) };
            let position: String = row.get(0)?;
            serde_json::from_str(&position).map(Some).map_err(|error| unreadable(&uuid, &error))
        })
        .await
}

fn put_position(connection: &Connection, uuid: &str, shard: &str, position: &Position) -> Result<(), StorageError> {
    let position = serde_json::to_string(position).map_err(|error| unreadable(uuid, &error))?;
    let sql = "INSERT OR REPLACE INTO mapping_positions (uuid, shard, position) VALUES (?1, ?2, ?3)";
    connection.prepare_cached(sql)?.execute(params![uuid, shard, position])?;
    Ok(())
}

fn unreadable(uuid: &str, error: &serde_json::Error) -> StorageError {
    let text = format!("event source mapping {uuid}: {error}");
    StorageError::Sql(rusqlite::Error::ToSqlConversionFailure(text.into()))
}
