//! The SQL of secrets. One whose time has come counts as gone; the next change takes it out.

use std::collections::BTreeSet;

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::error::Error;
use super::secret::{Secret, Value, Version, Versions};
use crate::hidden::Hidden;

/// The secret that one of these names has.
pub fn secret(connection: &Connection, names: &[String], now: i64) -> Result<Option<Secret>, Error> {
    let sql = "SELECT id, secret FROM secrets WHERE name = ?1 AND coalesce(deletion_at > ?2, TRUE)";
    let mut statement = connection.prepare_cached(sql)?;
    for name in names {
        let row = |row: &Row<'_>| Ok((row.get(0)?, row.get::<_, String>(1)?));
        if let Some((id, text)) = statement.query_row(params![name, now], row).optional()? {
            return Ok(Some(Secret { id, ..read(&text)? }));
        }
    }
    Ok(None)
}

/// The secret, which must be there.
pub fn existing(connection: &Connection, names: &[String], now: i64) -> Result<Secret, Error> {
    secret(connection, names, now)?.ok_or_else(Error::no_secret)
}

/// All secrets, by name.
pub fn secrets(connection: &Connection, now: i64) -> Result<Vec<Secret>, Error> {
    let sql = "SELECT id, secret FROM secrets WHERE coalesce(deletion_at > ?1, TRUE) ORDER BY name";
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query([now])?;
    let mut secrets = Vec::new();
    while let Some(row) = rows.next()? {
        let text: String = row.get(1)?;
        secrets.push(Secret { id: row.get(0)?, ..read(&text)? });
    }
    Ok(secrets)
}

/// Takes out what is to be gone.
pub fn purge(connection: &Connection, now: i64) -> Result<(), Error> {
    connection.prepare_cached("DELETE FROM secrets WHERE deletion_at <= ?1")?.execute([now])?;
    Ok(())
}

/// Adds a secret; returns it with its id.
pub fn add(connection: &Connection, secret: Secret) -> Result<Secret, Error> {
    let sql = "INSERT INTO secrets (name, secret) VALUES (?1, ?2) RETURNING id";
    let row = params![secret.name, write(&secret)?];
    let id = connection.prepare_cached(sql)?.query_row(row, |row| row.get(0))?;
    Ok(Secret { id, ..secret })
}

/// Stores what has changed of a secret.
pub fn save(connection: &Connection, secret: &Secret) -> Result<(), Error> {
    let sql = "UPDATE secrets SET secret = ?2, deletion_at = ?3 WHERE id = ?1";
    connection.prepare_cached(sql)?.execute(params![secret.id, write(secret)?, secret.deletion_at])?;
    Ok(())
}

/// Takes out a secret with its versions.
pub fn delete(connection: &Connection, secret: &Secret) -> Result<(), Error> {
    connection.prepare_cached("DELETE FROM secrets WHERE id = ?1")?.execute([secret.id])?;
    Ok(())
}

/// A secret's versions, oldest first.
pub fn versions(connection: &Connection, secret: &Secret) -> Result<Versions, Error> {
    let sql = "SELECT n, version_id, created_at, accessed_at, stages, string, binary FROM secret_versions \
               WHERE secret_id = ?1 ORDER BY n";
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query([secret.id])?;
    let mut versions = Vec::new();
    while let Some(row) = rows.next()? {
        let (stages, string, binary): (String, Option<String>, Option<String>) =
            (row.get(4)?, row.get(5)?, row.get(6)?);
        let stages: BTreeSet<String> = read(&stages)?;
        let value = match (string, binary) {
            (Some(string), _) => Value::Text(Hidden(string)),
            (None, binary) => Value::Binary(Hidden(binary.unwrap_or_default())),
        };
        let (n, id, created_at, accessed_at) = (row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?);
        versions.push(Version { n, id, created_at, accessed_at, stages, value });
    }
    Ok(Versions(versions))
}

/// Stores a secret's versions as they are now.
pub fn save_versions(connection: &Connection, secret: &Secret, versions: &Versions) -> Result<(), Error> {
    connection.prepare_cached("DELETE FROM secret_versions WHERE secret_id = ?1")?.execute([secret.id])?;
    let sql = "INSERT INTO secret_versions VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
    let mut statement = connection.prepare_cached(sql)?;
    for version in &versions.0 {
        let (string, binary) = match &version.value {
            Value::Text(text) => (Some(&text.0), None),
            Value::Binary(bytes) => (None, Some(&bytes.0)),
        };
        let Version { n, id, created_at, accessed_at, stages, .. } = version;
        statement.execute(params![secret.id, n, id, created_at, accessed_at, write(stages)?, string, binary])?;
    }
    Ok(())
}

fn read<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, Error> {
    serde_json::from_str(text).map_err(|error| Error::Damaged(format!("what is stored of a secret is none: {error}")))
}

fn write<T: serde::Serialize>(value: &T) -> Result<String, Error> {
    serde_json::to_string(value).map_err(|error| Error::Damaged(format!("a secret could not be written: {error}")))
}
