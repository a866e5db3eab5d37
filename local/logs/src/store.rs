//! The database of the logs: the only SQL.
//!
//! Events are kept in the order of a group's time, because that is how they are searched and how the oldest are
//! found; an index leads to those of one stream. Groups count their events and bytes as they change.

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension, Row, Rows, params};
use world::Timestamp;

use crate::error::Error;
use crate::inlet::{Printed, StreamName};
use crate::position::Position;
use crate::tags::Tags;

/// What a group holds; beyond it the oldest events go.
pub const GROUP_BYTES_MAX: i64 = 64 * 1024 * 1024;
/// How many events a group holds; beyond it the oldest go.
pub const GROUP_EVENTS_MAX: i64 = 200_000;
/// How many streams services make in a group; beyond it those go that were written to longest ago.
pub const STREAMS_PER_GROUP_MAX: i64 = 1000;
/// What an event counts beside its message, as on AWS.
pub const EVENT_BYTES: usize = 26;
/// What is read at once, and what an answer holds at most.
pub const READ_BYTES_MAX: usize = 1_048_576;
const DAY_MS: i64 = 86_400_000;

/// Versions of the schema, oldest first.
pub const SCHEMA: &[&str] = &["
CREATE TABLE numbers (n INTEGER NOT NULL) STRICT;
INSERT INTO numbers VALUES (0);
CREATE TABLE groups (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    created_at INTEGER NOT NULL,
    class TEXT NOT NULL,
    kms_key_id TEXT,
    retention_days INTEGER,
    tags TEXT NOT NULL,
    events INTEGER NOT NULL DEFAULT 0,
    bytes INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE TABLE streams (
    id INTEGER PRIMARY KEY,
    group_id INTEGER NOT NULL REFERENCES groups ON DELETE CASCADE,
    name TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    first_at INTEGER,
    last_at INTEGER,
    ingested_at INTEGER,
    UNIQUE (group_id, name)
) STRICT;
CREATE TABLE events (
    group_id INTEGER NOT NULL,
    at INTEGER NOT NULL,
    n INTEGER NOT NULL,
    stream_id INTEGER NOT NULL,
    ingested_at INTEGER NOT NULL,
    message TEXT NOT NULL,
    PRIMARY KEY (group_id, at, n)
) STRICT, WITHOUT ROWID;
CREATE INDEX events_of_stream ON events (stream_id, at, n);
"];

/// A group.
#[derive(Clone, Debug)]
pub struct Group {
    pub id: i64,
    pub name: String,
    pub created_at: i64,
    pub class: String,
    pub kms_key_id: Option<String>,
    pub retention_days: Option<i64>,
    pub tags: Tags,
    pub bytes: i64,
}

/// A stream.
#[derive(Clone, Debug)]
pub struct Stream {
    pub id: i64,
    pub name: String,
    pub created_at: i64,
    pub first_at: Option<i64>,
    pub last_at: Option<i64>,
    pub ingested_at: Option<i64>,
}

/// An event.
#[derive(Clone, Debug)]
pub struct Event {
    pub position: Position,
    pub stream_id: i64,
    pub ingested_at: i64,
    pub message: String,
}

impl Group {
    /// Of a name, as they are made.
    pub fn new(name: &str, now: Timestamp) -> Self {
        Self {
            id: 0,
            name: name.to_owned(),
            created_at: now.millis(),
            class: "STANDARD".into(),
            kms_key_id: None,
            retention_days: None,
            tags: Tags::new(),
            bytes: 0,
        }
    }

    /// The time before which events count as gone.
    pub fn kept_from(&self, now: Timestamp) -> i64 {
        self.retention_days.map_or(0, |days| now.millis().saturating_sub(days.saturating_mul(DAY_MS)))
    }
}

const GROUP_COLUMNS: &str = "id, name, created_at, class, kms_key_id, retention_days, tags, bytes";

fn group_of(row: &Row<'_>) -> Result<Group, Error> {
    let tags: String = row.get(6)?;
    let tags = serde_json::from_str(&tags).map_err(|error| Error::Damaged(format!("stored tags are none: {error}")))?;
    Ok(Group {
        id: row.get(0)?,
        name: row.get(1)?,
        created_at: row.get(2)?,
        class: row.get(3)?,
        kms_key_id: row.get(4)?,
        retention_days: row.get(5)?,
        tags,
        bytes: row.get(7)?,
    })
}

/// The group of this name.
pub fn group(connection: &Connection, name: &str) -> Result<Option<Group>, Error> {
    let mut statement = connection.prepare_cached(&format!("SELECT {GROUP_COLUMNS} FROM groups WHERE name = ?1"))?;
    let mut rows = statement.query([name])?;
    rows.next()?.map(group_of).transpose()
}

/// All groups, by name.
pub fn groups(connection: &Connection) -> Result<Vec<Group>, Error> {
    let mut statement = connection.prepare_cached(&format!("SELECT {GROUP_COLUMNS} FROM groups ORDER BY name"))?;
    let mut rows = statement.query([])?;
    let mut groups = Vec::new();
    while let Some(row) = rows.next()? {
        groups.push(group_of(row)?);
    }
    Ok(groups)
}

/// Adds a group; false if there is one of its name.
pub fn add_group(connection: &Connection, group: &Group) -> Result<bool, Error> {
    let sql = "INSERT OR IGNORE INTO groups (name, created_at, class, kms_key_id, tags) VALUES (?1, ?2, ?3, ?4, ?5)";
    let row = params![group.name, group.created_at, group.class, group.kms_key_id, tags_text(&group.tags)?];
    Ok(connection.prepare_cached(sql)?.execute(row)? == 1)
}

/// Changes what of a group can be changed: retention and tags.
pub fn save_group(connection: &Connection, group: &Group) -> Result<(), Error> {
    let sql = "UPDATE groups SET retention_days = ?2, tags = ?3 WHERE id = ?1";
    connection.prepare_cached(sql)?.execute(params![group.id, group.retention_days, tags_text(&group.tags)?])?;
    Ok(())
}

fn tags_text(tags: &Tags) -> Result<String, Error> {
    serde_json::to_string(tags).map_err(|error| Error::Damaged(format!("tags could not be written: {error}")))
}

/// Takes out a group with all that is in it.
pub fn delete_group(connection: &Connection, id: i64) -> Result<(), Error> {
    connection.prepare_cached("DELETE FROM events WHERE group_id = ?1")?.execute([id])?;
    connection.prepare_cached("DELETE FROM groups WHERE id = ?1")?.execute([id])?;
    Ok(())
}

/// The group of this name, made if it is not there.
pub fn ensure_group(connection: &Connection, name: &str, now: Timestamp) -> Result<i64, Error> {
    let id = |connection: &Connection| -> Result<Option<i64>, Error> {
        let mut statement = connection.prepare_cached("SELECT id FROM groups WHERE name = ?1")?;
        Ok(statement.query_row([name], |row| row.get(0)).optional()?)
    };
    if let Some(id) = id(connection)? {
        return Ok(id);
    }
    add_group(connection, &Group::new(name, now))?;
    id(connection)?.ok_or_else(|| Error::Damaged(format!("the log group {name} was not made")))
}

const STREAM_COLUMNS: &str = "id, name, created_at, first_at, last_at, ingested_at";

fn stream_of(row: &Row<'_>) -> Result<Stream, rusqlite::Error> {
    Ok(Stream {
        id: row.get(0)?,
        name: row.get(1)?,
        created_at: row.get(2)?,
        first_at: row.get(3)?,
        last_at: row.get(4)?,
        ingested_at: row.get(5)?,
    })
}

/// The stream of this name.
pub fn stream(connection: &Connection, group: i64, name: &str) -> Result<Option<Stream>, Error> {
    let sql = format!("SELECT {STREAM_COLUMNS} FROM streams WHERE group_id = ?1 AND name = ?2");
    Ok(connection.prepare_cached(&sql)?.query_row(params![group, name], stream_of).optional()?)
}

/// All streams of a group, by name.
pub fn streams(connection: &Connection, group: i64) -> Result<Vec<Stream>, Error> {
    let sql = format!("SELECT {STREAM_COLUMNS} FROM streams WHERE group_id = ?1 ORDER BY name");
    let mut statement = connection.prepare_cached(&sql)?;
    let streams = statement.query_map([group], stream_of)?.collect::<Result<_, _>>()?;
    Ok(streams)
}

/// Adds a stream; false if there is one of its name.
pub fn add_stream(connection: &Connection, group: i64, name: &str, now: Timestamp) -> Result<bool, Error> {
    let sql = "INSERT OR IGNORE INTO streams (group_id, name, created_at) VALUES (?1, ?2, ?3)";
    Ok(connection.prepare_cached(sql)?.execute(params![group, name, now.millis()])? == 1)
}

/// Takes out a stream with its events.
pub fn delete_stream(connection: &Connection, group: i64, stream: i64) -> Result<(), Error> {
    let sql = "SELECT count(*), coalesce(sum(octet_length(message)), 0) FROM events WHERE stream_id = ?1";
    let gone: (i64, i64) = connection.prepare_cached(sql)?.query_row([stream], |row| Ok((row.get(0)?, row.get(1)?)))?;
    connection.prepare_cached("DELETE FROM events WHERE stream_id = ?1")?.execute([stream])?;
    connection.prepare_cached("DELETE FROM streams WHERE id = ?1")?.execute([stream])?;
    count(connection, group, -gone.0, -gone.1)
}

/// The stream of this name, made if it is not there. A service's streams come and go: beyond a number, those go
/// that were written to longest ago.
pub fn ensure_stream(connection: &Connection, group: i64, name: &str, now: Timestamp) -> Result<i64, Error> {
    if let Some(stream) = stream(connection, group, name)? {
        return Ok(stream.id);
    }
    let sql = "SELECT id FROM streams WHERE group_id = ?1 ORDER BY coalesce(ingested_at, created_at) DESC, id DESC \
               LIMIT -1 OFFSET ?2";
    let mut statement = connection.prepare_cached(sql)?;
    let surplus = statement.query_map([group, STREAMS_PER_GROUP_MAX - 1], |row| row.get(0))?;
    for id in surplus.collect::<Result<Vec<i64>, _>>()? {
        delete_stream(connection, group, id)?;
    }
    add_stream(connection, group, name, now)?;
    let stream = stream(connection, group, name)?;
    stream.map(|stream| stream.id).ok_or_else(|| Error::Damaged(format!("the log stream {name} was not made")))
}

/// Adds events to a stream.
pub fn append<T: AsRef<str>>(
    connection: &Connection,
    group: i64,
    stream: i64,
    events: &[(i64, T)],
    now: Timestamp,
) -> Result<(), Error> {
    let (Some(first), Some(last)) =
        (events.iter().map(|event| event.0).min(), events.iter().map(|event| event.0).max())
    else {
        return Ok(());
    };
    let added = i64::try_from(events.len()).unwrap_or(i64::MAX);
    let sql = "UPDATE numbers SET n = n + ?1 RETURNING n";
    let last_n: i64 = connection.prepare_cached(sql)?.query_row([added], |row| row.get(0))?;
    let mut insert = connection.prepare_cached("INSERT INTO events VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?;
    let mut bytes = 0;
    for ((at, message), n) in events.iter().zip(last_n - added + 1..) {
        let message = message.as_ref();
        bytes += i64::try_from(message.len()).unwrap_or(i64::MAX);
        insert.execute(params![group, at, n, stream, now.millis(), message])?;
    }
    let sql = "UPDATE streams SET first_at = min(coalesce(first_at, ?2), ?2), last_at = max(coalesce(last_at, ?3), ?3), \
               ingested_at = ?4 WHERE id = ?1";
    connection.prepare_cached(sql)?.execute([stream, first, last, now.millis()])?;
    count(connection, group, added, bytes)
}

/// So many events and bytes of messages more, or fewer.
fn count(connection: &Connection, group: i64, events: i64, message_bytes: i64) -> Result<(), Error> {
    let overhead = events.saturating_mul(i64::try_from(EVENT_BYTES).unwrap_or(0));
    let sql = "UPDATE groups SET events = events + ?2, bytes = bytes + ?3 WHERE id = ?1";
    connection.prepare_cached(sql)?.execute([group, events, message_bytes.saturating_add(overhead)])?;
    Ok(())
}

/// Stores what was printed, and says what was lost.
pub fn append_printed(
    connection: &Connection,
    printed: &BTreeMap<StreamName, Printed>,
    now: Timestamp,
) -> Result<(), Error> {
    for ((group, stream), printed) in printed {
        let group = ensure_group(connection, group, now)?;
        let stream = ensure_stream(connection, group, stream, now)?;
        append(connection, group, stream, &printed.lines, now)?;
        if printed.dropped > 0 {
            let lost = format!("[tandem] {} lines are missing here: they came too fast to be stored", printed.dropped);
            append(connection, group, stream, &[(now.millis(), lost)], now)?;
        }
        trim(connection, group, now)?;
    }
    Ok(())
}

/// Deletes what is too old or too much.
pub fn trim(connection: &Connection, group: i64, now: Timestamp) -> Result<(), Error> {
    let sql = "SELECT retention_days, events, bytes FROM groups WHERE id = ?1";
    let state = |row: &Row<'_>| Ok((row.get::<_, Option<i64>>(0)?, row.get::<_, i64>(1)?, row.get::<_, i64>(2)?));
    let (days, mut events, mut bytes) = connection.prepare_cached(sql)?.query_row([group], state)?;
    if let Some(days) = days {
        let before = Position::before(now.millis().saturating_sub(days.saturating_mul(DAY_MS)));
        (events, bytes) = delete_before(connection, group, before)?;
    }
    while events > GROUP_EVENTS_MAX || bytes > GROUP_BYTES_MAX {
        // A tenth at once, so that not every line that comes makes one go.
        let sql = "SELECT at, n FROM events WHERE group_id = ?1 ORDER BY at, n LIMIT 1 OFFSET ?2";
        let position = |row: &Row<'_>| Ok(Position { at: row.get(0)?, n: row.get(1)? });
        let first_kept = connection.prepare_cached(sql)?.query_row([group, events / 10 + 1], position).optional()?;
        let first_kept = first_kept.unwrap_or(Position { at: i64::MAX, n: i64::MAX });
        let left = delete_before(connection, group, first_kept)?;
        if left.0 >= events {
            return Err(Error::Damaged("a log group counts more events than it has".into()));
        }
        (events, bytes) = left;
    }
    Ok(())
}

/// Deletes a group's events before a position; returns how many events and bytes are left.
fn delete_before(connection: &Connection, group: i64, before: Position) -> Result<(i64, i64), Error> {
    let sql = "SELECT count(*), coalesce(sum(octet_length(message)), 0) FROM events \
               WHERE group_id = ?1 AND (at, n) < (?2, ?3)";
    let range = [group, before.at, before.n];
    let pair = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?));
    let gone: (i64, i64) = connection.prepare_cached(sql)?.query_row(range, pair)?;
    if gone.0 > 0 {
        let sql = "DELETE FROM events WHERE group_id = ?1 AND (at, n) < (?2, ?3)";
        connection.prepare_cached(sql)?.execute(range)?;
        count(connection, group, -gone.0, -gone.1)?;
    }
    let sql = "SELECT events, bytes FROM groups WHERE id = ?1";
    Ok(connection.prepare_cached(sql)?.query_row([group], pair)?)
}

/// Deletes what is too old in all groups.
pub fn sweep(connection: &Connection, now: Timestamp) -> Result<(), Error> {
    for group in groups(connection)? {
        trim(connection, group.id, now)?;
    }
    Ok(())
}

/// A part of the events of a group or a stream.
#[derive(Clone, Copy, Debug)]
pub struct Span {
    /// The first that counts.
    pub from: Position,
    /// The first that does not.
    pub to: Position,
    /// At most so many.
    pub limit: usize,
}

/// Where a look through a span begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Edge {
    /// At its beginning.
    Oldest,
    /// At its end.
    Newest,
}

fn event_of(row: &Row<'_>) -> Result<Event, rusqlite::Error> {
    Ok(Event {
        position: Position { at: row.get(0)?, n: row.get(1)? },
        stream_id: row.get(2)?,
        ingested_at: row.get(3)?,
        message: row.get(4)?,
    })
}

/// Events, and whether the span holds no more.
pub type Found = (Vec<Event>, bool);

/// Takes rows until there are enough, or enough bytes of them; one at least.
fn take(mut rows: Rows<'_>, limit: usize) -> Result<Found, Error> {
    let (mut events, mut bytes) = (Vec::new(), 0);
    while let Some(row) = rows.next()? {
        let event = event_of(row)?;
        bytes += event.message.len() + EVENT_BYTES;
        if events.len() == limit || (bytes > READ_BYTES_MAX && !events.is_empty()) {
            return Ok((events, false));
        }
        events.push(event);
    }
    Ok((events, true))
}

/// Events of a stream, oldest first, taken from one edge of the span.
pub fn stream_events(connection: &Connection, stream: i64, span: Span, edge: Edge) -> Result<Found, Error> {
    let direction = if edge == Edge::Oldest { "ASC" } else { "DESC" };
    let sql = format!(
        "SELECT at, n, stream_id, ingested_at, message FROM events WHERE stream_id = ?1 AND (at, n) >= (?2, ?3) \
         AND (at, n) < (?4, ?5) ORDER BY at {direction}, n {direction}"
    );
    let range = params![stream, span.from.at, span.from.n, span.to.at, span.to.n];
    let (mut events, all) = take(connection.prepare_cached(&sql)?.query(range)?, span.limit)?;
    if edge == Edge::Newest {
        events.reverse();
    }
    Ok((events, all))
}

/// Events of a group, oldest first; of some of its streams, if any are named.
pub fn group_events(connection: &Connection, group: i64, span: Span, streams: Option<&[i64]>) -> Result<Found, Error> {
    let named = streams.map(serde_json::to_string).transpose();
    let named = named.map_err(|error| Error::Damaged(format!("a list could not be written: {error}")))?;
    // The plus keeps SQLite from the streams' index: the group's own order needs no sorting.
    let chosen = if named.is_some() { "AND +stream_id IN (SELECT value FROM json_each(?6))" } else { "AND ?6 IS NULL" };
    let sql = format!(
        "SELECT at, n, stream_id, ingested_at, message FROM events WHERE group_id = ?1 AND (at, n) >= (?2, ?3) \
         AND (at, n) < (?4, ?5) {chosen} ORDER BY at, n"
    );
    let range = params![group, span.from.at, span.from.n, span.to.at, span.to.n, named];
    take(connection.prepare_cached(&sql)?.query(range)?, span.limit)
}

/// Empties everything but the count of events.
pub fn clear(connection: &Connection) -> Result<(), Error> {
    for sql in ["DELETE FROM events", "DELETE FROM streams", "DELETE FROM groups"] {
        connection.prepare_cached(sql)?.execute([])?;
    }
    Ok(())
}
