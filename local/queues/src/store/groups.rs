//! The groups of messages in FIFO queues: which has a message that may be received.

use rusqlite::Connection;
use world::Timestamp;

use crate::error::Error;

type Result<T> = std::result::Result<T, Error>;

const AVAILABLE: &str = "SELECT group_id FROM message_groups WHERE queue = ?1 AND available <= ?2
    ORDER BY available, head LIMIT ?3";
const NEXT_AVAILABLE: &str = "SELECT min(available) FROM message_groups WHERE queue = ?1 AND available > ?2";
const REFRESH: &str = "INSERT INTO message_groups (queue, group_id, head, available)
    SELECT queue, group_id, sequence, max(visible, coalesce((
        SELECT max(visible) FROM messages
        WHERE queue = ?1 AND group_id = ?2 AND sequence IS NOT NULL AND receives_here > 0), 0))
    FROM messages WHERE queue = ?1 AND group_id = ?2 AND sequence IS NOT NULL ORDER BY sequence LIMIT 1
    ON CONFLICT DO UPDATE SET head = excluded.head, available = excluded.available";

#[cfg(test)]
pub(crate) fn hot_statements() -> Vec<String> {
    [AVAILABLE, NEXT_AVAILABLE, REFRESH].map(Into::into).into()
}

/// A message went to the end of its group. Only of a group that had none is it the first.
pub(crate) fn append(
    connection: &Connection,
    queue: i64,
    group_id: &str,
    sequence: i64,
    visible: Timestamp,
) -> Result<()> {
    let sql = "INSERT INTO message_groups (queue, group_id, head, available) VALUES (?1, ?2, ?3, ?4)
        ON CONFLICT DO NOTHING";
    connection.prepare_cached(sql)?.execute((queue, group_id, sequence, visible.millis()))?;
    Ok(())
}

/// A group's messages were received, shown or deleted: finds its first message, and when that may be received.
/// Any message that was received and is still hidden locks the group.
pub(crate) fn refresh(connection: &Connection, queue: i64, group_id: &str) -> Result<()> {
    if connection.prepare_cached(REFRESH)?.execute((queue, group_id))? == 0 {
        let sql = "DELETE FROM message_groups WHERE queue = ?1 AND group_id = ?2";
        connection.prepare_cached(sql)?.execute((queue, group_id))?;
    }
    Ok(())
}

/// [`refresh`] of every group of a queue.
pub(crate) fn refresh_all(connection: &Connection, queue: i64) -> Result<()> {
    let mut select = connection.prepare_cached("SELECT group_id FROM message_groups WHERE queue = ?1")?;
    let groups: rusqlite::Result<Vec<String>> = select.query_map([queue], |row| row.get(0))?.collect();
    groups?.iter().try_for_each(|group_id| refresh(connection, queue, group_id))
}

/// Up to `count` groups whose first message may be received, those first that waited for longest.
pub(crate) fn available(connection: &Connection, queue: i64, now: Timestamp, count: usize) -> Result<Vec<String>> {
    let mut select = connection.prepare_cached(AVAILABLE)?;
    let count = i64::try_from(count).unwrap_or(i64::MAX);
    let groups: rusqlite::Result<Vec<String>> =
        select.query_map((queue, now.millis(), count), |row| row.get(0))?.collect();
    Ok(groups?)
}

/// When the next group can be received from.
pub(crate) fn next_available(connection: &Connection, queue: i64, now: Timestamp) -> Result<Option<Timestamp>> {
    let next: Option<i64> =
        connection.prepare_cached(NEXT_AVAILABLE)?.query_row((queue, now.millis()), |row| row.get(0))?;
    Ok(next.map(Timestamp::from_millis))
}

pub(crate) fn delete_all(connection: &Connection, queue: i64) -> Result<()> {
    connection.prepare_cached("DELETE FROM message_groups WHERE queue = ?1")?.execute([queue])?;
    Ok(())
}
