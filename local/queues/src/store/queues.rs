//! SQS queues.

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension, Row};
use world::Timestamp;

use crate::error::Error;
use crate::queue::Queue;
use crate::queue_attributes::QueueAttributes;

type Result<T> = std::result::Result<T, Error>;

const COLUMNS: &str = "id, name, attributes, tags, created, modified, purged";

/// The queue of a name, which must be there.
pub(crate) fn of_name(connection: &Connection, name: &str) -> Result<Queue> {
    find(connection, name)?.ok_or(Error::QueueDoesNotExist)
}

/// The queue of a name, if it is there.
pub(crate) fn find(connection: &Connection, name: &str) -> Result<Option<Queue>> {
    let mut select = connection.prepare_cached(&format!("SELECT {COLUMNS} FROM queues WHERE name = ?1"))?;
    Ok(select.query_row([name], read).optional()?)
}

/// Up to `count` names after `after` that begin with `prefix`, in order.
pub(crate) fn names(connection: &Connection, prefix: &str, after: &str, count: usize) -> Result<Vec<String>> {
    let sql = "SELECT name FROM queues WHERE name > ?1 AND substr(name, 1, length(?2)) = ?2 ORDER BY name LIMIT ?3";
    let mut select = connection.prepare_cached(sql)?;
    let count = i64::try_from(count).unwrap_or(i64::MAX);
    let names = select.query_map((after, prefix, count), |row| row.get(0))?.collect::<rusqlite::Result<_>>();
    Ok(names?)
}

/// Every queue.
pub(crate) fn all(connection: &Connection) -> Result<Vec<Queue>> {
    let mut select = connection.prepare_cached(&format!("SELECT {COLUMNS} FROM queues ORDER BY name"))?;
    let queues = select.query_map([], read)?.collect::<rusqlite::Result<_>>();
    Ok(queues?)
}

pub(crate) fn insert(
    connection: &Connection,
    name: &str,
    attributes: &QueueAttributes,
    tags: &BTreeMap<String, String>,
    now: Timestamp,
) -> Result<()> {
    let sql = "INSERT INTO queues (name, attributes, tags, created, modified) VALUES (?1, ?2, ?3, ?4, ?4)";
    connection.prepare_cached(sql)?.execute((name, attributes.to_stored(), tags_text(tags), now.millis()))?;
    Ok(())
}

pub(crate) fn set_attributes(
    connection: &Connection,
    queue: i64,
    attributes: &QueueAttributes,
    now: Timestamp,
) -> Result<()> {
    let sql = "UPDATE queues SET attributes = ?2, modified = ?3 WHERE id = ?1";
    connection.prepare_cached(sql)?.execute((queue, attributes.to_stored(), now.millis()))?;
    Ok(())
}

pub(crate) fn set_tags(connection: &Connection, queue: i64, tags: &BTreeMap<String, String>) -> Result<()> {
    connection.prepare_cached("UPDATE queues SET tags = ?2 WHERE id = ?1")?.execute((queue, tags_text(tags)))?;
    Ok(())
}

pub(crate) fn set_purged(connection: &Connection, queue: i64, now: Timestamp) -> Result<()> {
    connection.prepare_cached("UPDATE queues SET purged = ?2 WHERE id = ?1")?.execute((queue, now.millis()))?;
    Ok(())
}

/// The next sequence number of a FIFO queue.
pub(crate) fn next_sequence(connection: &Connection, queue: i64) -> Result<i64> {
    let sql = "UPDATE queues SET sequence = sequence + 1 WHERE id = ?1 RETURNING sequence";
    Ok(connection.prepare_cached(sql)?.query_row([queue], |row| row.get(0))?)
}

/// Deletes the queue with its messages and all that is remembered of them.
pub(crate) fn delete(connection: &Connection, queue: &Queue) -> Result<()> {
    super::messages::delete_all(connection, queue.id)?;
    super::deduplications::delete_all(connection, queue.id)?;
    super::attempts::delete_all(connection, queue.id)?;
    super::move_tasks::delete_all(connection, &queue.name)?;
    connection.prepare_cached("DELETE FROM queues WHERE id = ?1")?.execute([queue.id])?;
    Ok(())
}

fn tags_text(tags: &BTreeMap<String, String>) -> String {
    serde_json::to_string(tags).unwrap_or_default()
}

fn read(row: &Row<'_>) -> rusqlite::Result<Queue> {
    let attributes: String = row.get(2)?;
    let tags: String = row.get(3)?;
    Ok(Queue {
        id: row.get(0)?,
        name: row.get(1)?,
        attributes: QueueAttributes::from_stored(&attributes),
        tags: serde_json::from_str(&tags).unwrap_or_default(),
        created: Timestamp::from_millis(row.get(4)?),
        modified: Timestamp::from_millis(row.get(5)?),
        purged: row.get::<_, Option<i64>>(6)?.map(Timestamp::from_millis),
    })
}
