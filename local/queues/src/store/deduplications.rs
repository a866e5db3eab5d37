//! What FIFO queues remember for five minutes of the messages that they took.

use rusqlite::{Connection, OptionalExtension};
use world::Timestamp;

use crate::error::Error;

type Result<T> = std::result::Result<T, Error>;

/// The message that was sent under a deduplication id: its id and its sequence number.
pub(crate) fn find(
    connection: &Connection,
    queue: i64,
    scope: &str,
    deduplication_id: &str,
    now: Timestamp,
) -> Result<Option<(String, i64)>> {
    let sql = "SELECT message_id, sequence FROM deduplications
        WHERE queue = ?1 AND scope = ?2 AND deduplication_id = ?3 AND until > ?4";
    let key = (queue, scope, deduplication_id, now.millis());
    let read = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?));
    Ok(connection.prepare_cached(sql)?.query_row(key, read).optional()?)
}

/// Remembers a message until then, and forgets those whose time is over.
pub(crate) fn insert(
    connection: &Connection,
    (queue, scope, deduplication_id): (i64, &str, &str),
    (message_id, sequence): (&str, i64),
    (now, until): (Timestamp, Timestamp),
) -> Result<()> {
    connection.prepare_cached("DELETE FROM deduplications WHERE until <= ?1")?.execute([now.millis()])?;
    let sql = "INSERT OR REPLACE INTO deduplications (queue, scope, deduplication_id, message_id, sequence, until)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    let row = (queue, scope, deduplication_id, message_id, sequence, until.millis());
    connection.prepare_cached(sql)?.execute(row)?;
    Ok(())
}

pub(crate) fn delete_all(connection: &Connection, queue: i64) -> Result<()> {
    connection.prepare_cached("DELETE FROM deduplications WHERE queue = ?1")?.execute([queue])?;
    Ok(())
}
