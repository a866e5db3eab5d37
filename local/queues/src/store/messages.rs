//! The messages of SQS queues.

use std::collections::BTreeSet;

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
    /// Not to be received before.
    pub hidden_until: Timestamp,
    /// Of a FIFO queue.
    pub sequence: Option<i64>,
    pub deduplication_id: Option<String>,
}

/// The newest receipt of a message.
pub(crate) struct LastReceipt {
    pub nonce: Option<i64>,
    pub visible: Timestamp,
    pub last_received: Timestamp,
    /// The group that the message locks, of a FIFO queue.
    pub group_id: Option<String>,
}

/// Where a message goes, and as what.
pub(crate) struct Move<'a> {
    pub queue: i64,
    pub message_id: &'a str,
    pub sent: Timestamp,
    pub visible: Timestamp,
    /// In a FIFO queue.
    pub sequence: Option<i64>,
    pub deduplication_id: Option<&'a str>,
    /// The queue that it is a dead letter of; such a message keeps the count of its receives.
    pub source_arn: Option<&'a str>,
}

const COLUMNS: &str = "id, message_id, body, attributes, group_id, trace_header, source_arn, sent, first_received,
    receives, receives_here, visible, sequence, deduplication_id";
const NEXT_VISIBLE: &str = "SELECT min(visible) FROM messages WHERE queue = ?1 AND visible > ?2";
const EXPIRE: &str =
    "DELETE FROM messages WHERE queue = ?1 AND sent <= ?2 RETURNING iif(sequence IS NULL, NULL, group_id)";

pub(crate) fn insert(
    connection: &Connection,
    queue: i64,
    message: &NewMessage,
    sent: Timestamp,
    visible: Timestamp,
) -> Result<()> {
    let sql = "INSERT INTO messages (queue, message_id, body, attributes, group_id, trace_header, sent, visible,
            receives, receives_here, sequence, deduplication_id)
        VALUES (:queue, :message_id, :body, :attributes, :group_id, :trace_header, :sent, :visible, 0, 0, :sequence,
            :deduplication_id)";
    connection.prepare_cached(sql)?.execute(named_params! {
        ":queue": queue,
        ":message_id": message.message_id,
        ":body": message.body,
        ":attributes": message_attribute::encode(&message.attributes),
        ":group_id": message.group_id,
        ":trace_header": message.trace_header,
        ":sent": sent.millis(),
        ":visible": visible.millis(),
        ":sequence": message.sequence,
        ":deduplication_id": message.deduplication_id,
    })?;
    Ok(())
}

/// Up to `count` messages of a queue that may be received, those first that have been visible for longest.
pub(crate) fn visible(connection: &Connection, queue: i64, now: Timestamp, count: usize) -> Result<Vec<Visible>> {
    let mut select = connection.prepare_cached(&visible_sql())?;
    let count = i64::try_from(count).unwrap_or(i64::MAX);
    let messages = select.query_map((queue, now.millis(), count), read)?.collect::<rusqlite::Result<_>>();
    Ok(messages?)
}

#[cfg(test)]
pub(crate) fn hot_statements() -> Vec<String> {
    vec![visible_sql(), of_group_sql(), NEXT_VISIBLE.into(), EXPIRE.into()]
}

fn visible_sql() -> String {
    format!("SELECT {COLUMNS} FROM messages WHERE queue = ?1 AND visible <= ?2 ORDER BY visible, id LIMIT ?3")
}

/// The first messages of a group, in order: those up to `count` before the first that is hidden.
pub(crate) fn of_group(
    connection: &Connection,
    queue: i64,
    group_id: &str,
    now: Timestamp,
    count: usize,
) -> Result<Vec<Visible>> {
    let mut select = connection.prepare_cached(&of_group_sql())?;
    let count = i64::try_from(count).unwrap_or(i64::MAX);
    let messages: rusqlite::Result<Vec<Visible>> = select.query_map((queue, group_id, count), read)?.collect();
    Ok(messages?.into_iter().take_while(|message| message.hidden_until <= now).collect())
}

fn of_group_sql() -> String {
    format!(
        "SELECT {COLUMNS} FROM messages WHERE queue = ?1 AND group_id = ?2 AND sequence IS NOT NULL
            ORDER BY sequence LIMIT ?3"
    )
}

/// The message of a receipt, while it is the newest one.
pub(crate) fn of_receipt(connection: &Connection, queue: i64, id: i64, nonce: i64) -> Result<Option<Visible>> {
    let sql = format!("SELECT {COLUMNS} FROM messages WHERE id = ?1 AND queue = ?2 AND receipt = ?3");
    Ok(connection.prepare_cached(&sql)?.query_row((id, queue, nonce), read).optional()?)
}

/// When the first message that is hidden now becomes visible.
pub(crate) fn next_visible(connection: &Connection, queue: i64, now: Timestamp) -> Result<Option<Timestamp>> {
    let next: Option<i64> =
        connection.prepare_cached(NEXT_VISIBLE)?.query_row((queue, now.millis()), |row| row.get(0))?;
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

/// Moves a message to another queue, where it is a message not received yet.
pub(crate) fn change_queue(connection: &Connection, id: i64, to: &Move<'_>) -> Result<()> {
    let sql = "UPDATE messages SET queue = :queue, message_id = :message_id, sent = :sent, visible = :visible,
            sequence = :sequence, deduplication_id = :deduplication_id, source_arn = :source_arn,
            receives = iif(:source_arn IS NULL, 0, receives),
            first_received = iif(:source_arn IS NULL, NULL, first_received), receives_here = 0, receipt = NULL
        WHERE id = :id";
    connection.prepare_cached(sql)?.execute(named_params! {
        ":queue": to.queue,
        ":message_id": to.message_id,
        ":sent": to.sent.millis(),
        ":visible": to.visible.millis(),
        ":sequence": to.sequence,
        ":deduplication_id": to.deduplication_id,
        ":source_arn": to.source_arn,
        ":id": id,
    })?;
    Ok(())
}

/// The newest receipt of a message of a queue.
pub(crate) fn last_receipt(connection: &Connection, queue: i64, id: i64) -> Result<Option<LastReceipt>> {
    let sql = "SELECT receipt, visible, last_received, iif(sequence IS NULL, NULL, group_id) FROM messages
        WHERE id = ?1 AND queue = ?2";
    let mut select = connection.prepare_cached(sql)?;
    let read = |row: &Row<'_>| {
        Ok(LastReceipt {
            nonce: row.get(0)?,
            visible: Timestamp::from_millis(row.get(1)?),
            last_received: Timestamp::from_millis(row.get::<_, Option<i64>>(2)?.unwrap_or_default()),
            group_id: row.get(3)?,
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
    super::groups::delete_all(connection, queue)?;
    connection.prepare_cached("DELETE FROM messages WHERE queue = ?1")?.execute([queue])?;
    Ok(())
}

/// Deletes what was sent at `until` or before.
pub(crate) fn expire(connection: &Connection, queue: i64, until: Timestamp) -> Result<()> {
    let mut delete = connection.prepare_cached(EXPIRE)?;
    let groups: rusqlite::Result<BTreeSet<Option<String>>> =
        delete.query_map((queue, until.millis()), |row| row.get(0))?.collect();
    groups?.into_iter().flatten().try_for_each(|group_id| super::groups::refresh(connection, queue, &group_id))
}

/// How many messages are received and neither deleted nor shown again.
pub(crate) fn in_flight(connection: &Connection, queue: i64, now: Timestamp) -> Result<usize> {
    let sql = "SELECT count(*) FROM messages WHERE queue = ?1 AND visible > ?2 AND receives_here > 0";
    Ok(connection.prepare_cached(sql)?.query_row((queue, now.millis()), |row| row.get(0))?)
}

/// Shows the messages of a FIFO queue that nobody has received `delay_s` after they were sent: unlike those of a
/// standard queue, they follow a change of the queue's delay.
pub(crate) fn delay_anew(connection: &Connection, queue: i64, delay_s: i64) -> Result<()> {
    let sql = "UPDATE messages SET visible = sent + ?2 * 1000
        WHERE queue = ?1 AND sequence IS NOT NULL AND receives_here = 0";
    connection.prepare_cached(sql)?.execute((queue, delay_s))?;
    super::groups::refresh_all(connection, queue)
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
        hidden_until: Timestamp::from_millis(row.get(11)?),
        sequence: row.get(12)?,
        deduplication_id: row.get(13)?,
    })
}
