//! The functions on disk: the only file that knows SQL.
//!
//! A function is one row and its definition one JSON text. It is read when the host opens and written when a
//! function changes; invocations never come here.

use rusqlite::{Connection, params};
use storage::{Database, StorageError};

use crate::function::Function;
use crate::layer::Layer;

/// The schema, version by version.
pub(crate) const SCHEMA: &[&str] = &[
    "CREATE TABLE functions (name TEXT NOT NULL PRIMARY KEY, definition TEXT NOT NULL) STRICT, WITHOUT ROWID;",
    "CREATE TABLE layers (name TEXT NOT NULL PRIMARY KEY, definition TEXT NOT NULL) STRICT, WITHOUT ROWID;",
    crate::mapping::TABLES,
];

/// Writes a function, new or changed.
pub(crate) async fn save(database: &Database, function: &Function) -> Result<(), StorageError> {
    let name = function.name.clone();
    let definition = serde_json::to_string(function).map_err(|error| unreadable(&name, &error))?;
    database
        .write(move |connection| {
            let sql = "INSERT INTO functions (name, definition) VALUES (?1, ?2) \
                       ON CONFLICT (name) DO UPDATE SET definition = excluded.definition";
            connection.prepare_cached(sql)?.execute(params![name, definition])?;
            Ok(())
        })
        .await
}

/// Removes a function.
pub(crate) async fn delete(database: &Database, name: &str) -> Result<(), StorageError> {
    let name = name.to_owned();
    database
        .write(move |connection| {
            connection.prepare_cached("DELETE FROM functions WHERE name = ?1")?.execute([name])?;
            Ok(())
        })
        .await
}

/// Removes all functions and layers.
pub(crate) async fn clear(database: &Database) -> Result<(), StorageError> {
    database
        .write(|connection| {
            connection.prepare_cached("DELETE FROM functions")?.execute([])?;
            connection.prepare_cached("DELETE FROM layers")?.execute([])?;
            Ok(())
        })
        .await
}

/// Writes a layer, new or changed.
pub(crate) async fn save_layer(database: &Database, name: &str, layer: &Layer) -> Result<(), StorageError> {
    let name = name.to_owned();
    let definition = serde_json::to_string(layer).map_err(|error| unreadable(&name, &error))?;
    database
        .write(move |connection| {
            let sql = "INSERT INTO layers (name, definition) VALUES (?1, ?2) \
                       ON CONFLICT (name) DO UPDATE SET definition = excluded.definition";
            connection.prepare_cached(sql)?.execute(params![name, definition])?;
            Ok(())
        })
        .await
}

/// All layers, by name.
pub(crate) fn all_layers(connection: &Connection) -> Result<Vec<(String, Layer)>, StorageError> {
    let mut statement = connection.prepare_cached("SELECT name, definition FROM layers ORDER BY name")?;
    let rows = statement.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)))?;
    let mut layers = Vec::new();
    for row in rows {
        let (name, definition) = row?;
        let layer = serde_json::from_str(&definition).map_err(|error| unreadable(&name, &error))?;
        layers.push((name, layer));
    }
    Ok(layers)
}

/// All functions.
pub(crate) fn all(connection: &Connection) -> Result<Vec<Function>, StorageError> {
    let mut statement = connection.prepare_cached("SELECT name, definition FROM functions ORDER BY name")?;
    let rows = statement.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)))?;
    let mut functions = Vec::new();
    for row in rows {
        let (name, definition) = row?;
        functions.push(serde_json::from_str(&definition).map_err(|error| unreadable(&name, &error))?);
    }
    Ok(functions)
}

fn unreadable(name: &str, error: &serde_json::Error) -> StorageError {
    let text = format!("function {name}: {error}");
    StorageError::Sql(rusqlite::Error::ToSqlConversionFailure(text.into()))
}
