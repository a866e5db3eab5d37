//! The messages of SQS queues.

use rusqlite::{Connection, OptionalExtension, Row, named_params};
use world::Timestamp;

use crate::error::Error;
use crate::message::NewMessage;
use crate::message_attribute::{self, MessageAttributes};
use crate::queue::Counts;

type Result<T> = std::result::Result<T, Error>;

/// A message that may be received.
pub(crate) struct Visible {
    pub id: i64,
    pub message_id: String,
    pub body: String,
    pub attributes: MessageAttributes,
    pub group_id: Option<String>,
    pub trace_header: Option<String>,
    pub source_arn: Option<String>,
    pub sent: Timestamp,
    pub first_received: Option<Timestamp>,
    pub receives: i64,
    pub receives_here: i64,
}

/// The newest receipt of a message.
pub(crate) struct LastReceipt {
    pub nonce: Option<i64>,
    pub visible: Timestamp,
    pub last_received: Timestamp,
}

pub(crate) fn insert(
    connection: &Connection,
    queue: i64,
    message: &NewMessage,
    sent: Timestamp,
    visible: Timestamp,
) -> Result<()> {
    let sql = "INSERT INTO messages (queue, message_id, body, attributes, group_id, trace_header, sent, visible,
            receives, receives_here)
        VALUES (:queue, :message_id, :body, :attributes, :group_id, :trace_header, :sent, :visible, 0, 0)";
    connection.prepare_cached(sql)?.execute(named_params! {
        ":queue": queue,
        ":message_id": message.message_id,
        ":body": message.body,
        ":attributes": message_attribute::encode(&message.attributes),
        ":group_id": message.group_id,
        ":trace_header": message.trace_header,
        ":sent": sent.millis(),
        ":visible": visible.millis(),
    })?;
    Ok(())
}

/// Up to `count` messages of a queue that may be received, those first that have been visible for longest.
pub(crate) fn visible(connection: &Connection, queue: i64, now: Timestamp, count: usize) -> Result<Vec<Visible>> {
    let sql = "SELECT id, message_id, body, attributes, group_id, trace_header, source_arn, sent, first_received,
            receives, receives_here
        FROM messages WHERE queue = ?1 AND visible <= ?2 ORDER BY visible, id LIMIT ?3";
    let mut select = connection.prepare_cached(sql)?;
    let count = i64::try_from(count).unwrap_or(i64::MAX);
    let messages = select.query_map((queue, now.millis(), count), read)?.collect::<rusqlite::Result<_>>();
    Ok(messages?)
}

/// When the first message that is hidden now becomes visible.
pub(crate) fn next_visible(connection: &Connection, queue: i64, now: Timestamp) -> Result<Option<Timestamp>> {
    let sql = "SELECT min(visible) FROM messages WHERE queue = ?1 AND visible > ?2";
    let next: Option<i64> = connection.prepare_cached(sql)?.query_row((queue, now.millis()), |row| row.get(0))?;
    Ok(next.map(Timestamp::from_millis))
}

/// Notes that a message is received: hidden until `visible`, under a new receipt.
pub(crate) fn receive(connection: &Connection, id: i64, nonce: i64, now: Timestamp, visible: Timestamp) -> Result<()> {
    let sql = "UPDATE messages SET visible = ?2, receipt = ?3, last_received = ?4, receives = receives + 1,
            receives_here = receives_here + 1, first_received = coalesce(first_received, ?4)
        WHERE id = ?1";
    connection.prepare_cached(sql)?.execute((id, visible.millis(), nonce, now.millis()))?;
    Ok(())
}

/// Moves a message to its dead-letter queue, where it is a message not received yet.
pub(crate) fn bury(connection: &Connection, id: i64, target: i64, source_arn: &str, now: Timestamp) -> Result<()> {
    let sql = "UPDATE messages SET queue = ?2, source_arn = ?3, visible = ?4, receives_here = 0, receipt = NULL
        WHERE id = ?1";
    connection.prepare_cached(sql)?.execute((id, target, source_arn, now.millis()))?;
    Ok(())
}

/// The newest receipt of a message of a queue.
pub(crate) fn last_receipt(connection: &Connection, queue: i64, id: i64) -> Result<Option<LastReceipt>> {
    let sql = "SELECT receipt, visible, last_received FROM messages WHERE id = ?1 AND queue = ?2";
    let mut select = connection.prepare_cached(sql)?;
    let read = |row: &Row<'_>| {
        Ok(LastReceipt {
            nonce: row.get(0)?,
            visible: Timestamp::from_millis(row.get(1)?),
            last_received: Timestamp::from_millis(row.get::<_, Option<i64>>(2)?.unwrap_or_default()),
        })
    };
    Ok(select.query_row((id, queue), read).optional()?)
}

pub(crate) fn set_visible(connection: &Connection, id: i64, visible: Timestamp) -> Result<()> {
    connection.prepare_cached("UPDATE messages SET visible = ?2 WHERE id = ?1")?.execute((id, visible.millis()))?;
    Ok(())
}

pub(crate) fn delete(connection: &Connection, id: i64) -> Result<()> {
    connection.prepare_cached("DELETE FROM messages WHERE id = ?1")?.execute([id])?;
    Ok(())
}

pub(crate) fn delete_all(connection: &Connection, queue: i64) -> Result<()> {
    connection.prepare_cached("DELETE FROM messages WHERE queue = ?1")?.execute([queue])?;
    Ok(())
}

/// Deletes what was sent at `until` or before.
pub(crate) fn expire(connection: &Connection, queue: i64, until: Timestamp) -> Result<()> {
    let sql = "DELETE FROM messages WHERE queue = ?1 AND sent <= ?2";
    connection.prepare_cached(sql)?.execute((queue, until.millis()))?;
    Ok(())
}

/// How many messages there are, but for those sent at `until` or before.
pub(crate) fn counts(connection: &Connection, queue: i64, until: Timestamp, now: Timestamp) -> Result<Counts> {
    let sql = "SELECT count(*) FILTER (WHERE visible <= ?3),
            count(*) FILTER (WHERE visible > ?3 AND receives_here > 0),
            count(*) FILTER (WHERE visible > ?3 AND receives_here = 0)
        FROM messages WHERE queue = ?1 AND sent > ?2";
    let mut select = connection.prepare_cached(sql)?;
    let read = |row: &Row<'_>| Ok(Counts { visible: row.get(0)?, not_visible: row.get(1)?, delayed: row.get(2)? });
    Ok(select.query_row((queue, until.millis(), now.millis()), read)?)
}

fn read(row: &Row<'_>) -> rusqlite::Result<Visible> {
    let attributes: Vec<u8> = row.get(3)?;
    Ok(Visible {
        id: row.get(0)?,
        message_id: row.get(1)?,
        body: row.get(2)?,
        attributes: message_attribute::decode(&attributes).unwrap_or_default(),
        group_id: row.get(4)?,
        trace_header: row.get(5)?,
        source_arn: row.get(6)?,
        sent: Timestamp::from_millis(row.get(7)?),
        first_received: row.get::<_, Option<i64>>(8)?.map(Timestamp::from_millis),
        receives: row.get(9)?,
        receives_here: row.get(10)?,
    })
}
