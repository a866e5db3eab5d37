//! What FIFO queues gave to calls of `ReceiveMessage` that may be repeated.

use rusqlite::{Connection, OptionalExtension};
use world::Timestamp;

use crate::error::Error;

type Result<T> = std::result::Result<T, Error>;

/// What a call was given.
pub(crate) struct Attempt {
    /// Number and receipt of each message.
    pub receipts: Vec<(i64, i64)>,
    /// Until when they were hidden.
    pub visible: Timestamp,
    /// The call may be repeated before.
    pub until: Timestamp,
}

/// What the call of this id was given, if its time is not over.
pub(crate) fn find(connection: &Connection, queue: i64, attempt_id: &str, now: Timestamp) -> Result<Option<Attempt>> {
    let sql = "SELECT receipts, visible, until FROM receive_attempts
        WHERE queue = ?1 AND attempt_id = ?2 AND until > ?3";
    let read = |row: &rusqlite::Row<'_>| {
        let receipts: String = row.get(0)?;
        Ok(Attempt {
            receipts: serde_json::from_str(&receipts).unwrap_or_default(),
            visible: Timestamp::from_millis(row.get(1)?),
            until: Timestamp::from_millis(row.get(2)?),
        })
    };
    let key = (queue, attempt_id, now.millis());
    Ok(connection.prepare_cached(sql)?.query_row(key, read).optional()?)
}

/// Remembers what a call was given, and forgets those whose time is over.
pub(crate) fn insert(
    connection: &Connection,
    queue: i64,
    attempt_id: &str,
    attempt: &Attempt,
    now: Timestamp,
) -> Result<()> {
    connection.prepare_cached("DELETE FROM receive_attempts WHERE until <= ?1")?.execute([now.millis()])?;
    let sql = "INSERT OR REPLACE INTO receive_attempts (queue, attempt_id, receipts, visible, until)
        VALUES (?1, ?2, ?3, ?4, ?5)";
    let receipts = serde_json::to_string(&attempt.receipts).unwrap_or_default();
    let row = (queue, attempt_id, receipts, attempt.visible.millis(), attempt.until.millis());
    connection.prepare_cached(sql)?.execute(row)?;
    Ok(())
}

pub(crate) fn delete_all(connection: &Connection, queue: i64) -> Result<()> {
    connection.prepare_cached("DELETE FROM receive_attempts WHERE queue = ?1")?.execute([queue])?;
    Ok(())
}
