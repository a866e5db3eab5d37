//! The SQL of parameters.

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::error::Error;
use super::name::Named;
use super::parameter::{Found, Version};
use crate::hidden::Hidden;
use crate::tags::Tags;

const COLUMNS: &str = "p.name, v.version, v.kind, v.value, v.modified_at, v.labels, v.settings, p.tags";

/// A parameter.
#[derive(Clone, Debug)]
pub struct Parameter {
    id: i64,
    pub name: String,
    pub tags: Tags,
}

/// The parameter that one of these names has.
pub fn parameter(connection: &Connection, names: &[String]) -> Result<Option<Parameter>, Error> {
    let sql = "SELECT id, name, tags FROM parameters WHERE name = ?1";
    let mut statement = connection.prepare_cached(sql)?;
    for name in names {
        let row = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get::<_, String>(2)?));
        if let Some((id, name, tags)) = statement.query_row([name], row).optional()? {
            return Ok(Some(Parameter { id, name, tags: read(&tags)? }));
        }
    }
    Ok(None)
}

/// The parameter, which must be there.
pub fn existing(connection: &Connection, names: &[String]) -> Result<Parameter, Error> {
    let missing = || Error::ParameterNotFound(names.last().cloned().unwrap_or_default());
    parameter(connection, names)?.ok_or_else(missing)
}

/// All versions of a parameter, oldest first.
pub fn versions(connection: &Connection, parameter: &Parameter) -> Result<Vec<Version>, Error> {
    let sql = format!(
        "SELECT {COLUMNS} FROM parameters p JOIN parameter_versions v ON v.parameter_id = p.id WHERE p.id = ?1 \
         ORDER BY v.version"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query([parameter.id])?;
    let mut versions = Vec::new();
    while let Some(row) = rows.next()? {
        versions.push(found(row)?.version);
    }
    Ok(versions)
}

/// The version that is named: the newest unless another is selected.
pub fn named(connection: &Connection, named: &Named) -> Result<Version, Error> {
    let parameter = existing(connection, &named.names)?;
    let mut versions = versions(connection, &parameter)?;
    let at = match &named.selector {
        None => versions.len().checked_sub(1),
        Some(selector) => versions.iter().position(|version| version.is_selected(selector)),
    };
    match (at, &named.selector) {
        (Some(at), _) => Ok(versions.swap_remove(at)),
        (None, Some(selector)) => Err(Error::no_version(&parameter.name, selector)),
        (None, None) => Err(Error::Damaged(format!("the parameter {} has no version", parameter.name))),
    }
}

/// Which versions are looked through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// The newest of each parameter.
    Current,
    /// All of them.
    Every,
}

/// Parameters by name, behind one of them, until there are enough.
pub fn search(
    connection: &Connection,
    depth: Depth,
    after: Option<&str>,
    limit: usize,
    takes: impl Fn(&Found) -> bool,
) -> Result<Vec<Found>, Error> {
    let which = if depth == Depth::Current { "AND v.version = p.version" } else { "" };
    let sql = format!(
        "SELECT {COLUMNS} FROM parameters p JOIN parameter_versions v ON v.parameter_id = p.id {which} \
         WHERE p.name > ?1 ORDER BY p.name, v.version"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query([after.unwrap_or_default()])?;
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        let found = found(row)?;
        if takes(&found) {
            all.push(found);
        }
        if all.len() == limit {
            break;
        }
    }
    Ok(all)
}

fn found(row: &Row<'_>) -> Result<Found, Error> {
    let (labels, settings, tags): (String, String, String) = (row.get(5)?, row.get(6)?, row.get(7)?);
    let version = Version {
        name: row.get(0)?,
        number: row.get(1)?,
        kind: row.get(2)?,
        value: Hidden(row.get(3)?),
        modified_at: row.get(4)?,
        labels: read(&labels)?,
        settings: read(&settings)?,
    };
    Ok(Found { version, tags: read(&tags)? })
}

/// Adds a version, and the parameter if it is the first one.
pub fn add_version(connection: &Connection, version: &Version, tags: &Tags) -> Result<(), Error> {
    let sql = "INSERT INTO parameters (name, version, tags) VALUES (?1, ?2, ?3) \
               ON CONFLICT (name) DO UPDATE SET version = excluded.version RETURNING id";
    let row = params![version.name, version.number, write(tags)?];
    let id: i64 = connection.prepare_cached(sql)?.query_row(row, |row| row.get(0))?;
    let sql = "INSERT INTO parameter_versions VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    let (labels, settings) = (write(&version.labels)?, write(&version.settings)?);
    let row = params![id, version.number, version.kind, version.value.0, version.modified_at, labels, settings];
    connection.prepare_cached(sql)?.execute(row)?;
    Ok(())
}

/// Takes out one version.
pub fn delete_version(connection: &Connection, parameter: &Parameter, version: i64) -> Result<(), Error> {
    let sql = "DELETE FROM parameter_versions WHERE parameter_id = ?1 AND version = ?2";
    connection.prepare_cached(sql)?.execute([parameter.id, version])?;
    Ok(())
}

/// Stores the labels of all versions.
pub fn save_labels(connection: &Connection, parameter: &Parameter, versions: &[Version]) -> Result<(), Error> {
    let sql = "UPDATE parameter_versions SET labels = ?3 WHERE parameter_id = ?1 AND version = ?2";
    let mut statement = connection.prepare_cached(sql)?;
    for version in versions {
        statement.execute(params![parameter.id, version.number, write(&version.labels)?])?;
    }
    Ok(())
}

/// Stores a parameter's tags.
pub fn save_tags(connection: &Connection, parameter: &Parameter) -> Result<(), Error> {
    let sql = "UPDATE parameters SET tags = ?2 WHERE id = ?1";
    connection.prepare_cached(sql)?.execute(params![parameter.id, write(&parameter.tags)?])?;
    Ok(())
}

/// Takes out a parameter with its versions.
pub fn delete(connection: &Connection, parameter: &Parameter) -> Result<(), Error> {
    connection.prepare_cached("DELETE FROM parameters WHERE id = ?1")?.execute([parameter.id])?;
    Ok(())
}

fn read<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, Error> {
    serde_json::from_str(text)
        .map_err(|error| Error::Damaged(format!("what is stored of a parameter is none: {error}")))
}

fn write<T: serde::Serialize>(value: &T) -> Result<String, Error> {
    serde_json::to_string(value).map_err(|error| Error::Damaged(format!("a parameter could not be written: {error}")))
}
