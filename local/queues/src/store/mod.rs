//! All the SQL of this room: the schema, and what is read and written by its three nouns.

pub(crate) mod jobs;
pub(crate) mod messages;
pub(crate) mod queues;

use rusqlite::Connection;
use storage::StorageError;

/// Entries are only ever added.
pub(crate) const SCHEMA: &[&str] = &["
    CREATE TABLE jobs (
        id INTEGER PRIMARY KEY,
        lane TEXT NOT NULL,
        due INTEGER NOT NULL,
        attempt INTEGER NOT NULL,
        first_queued INTEGER NOT NULL,
        label TEXT NOT NULL,
        body BLOB NOT NULL
    ) STRICT;
    CREATE INDEX jobs_by_due ON jobs (lane, due, id);

    CREATE TABLE queues (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        name TEXT NOT NULL UNIQUE,
        attributes TEXT NOT NULL,
        tags TEXT NOT NULL,
        created INTEGER NOT NULL,
        modified INTEGER NOT NULL,
        purged INTEGER
    ) STRICT;

    CREATE TABLE messages (
        id INTEGER PRIMARY KEY,
        queue INTEGER NOT NULL REFERENCES queues (id),
        message_id TEXT NOT NULL,
        body TEXT NOT NULL,
        attributes BLOB NOT NULL,
        group_id TEXT,
        trace_header TEXT,
        source_arn TEXT,
        sent INTEGER NOT NULL,
        visible INTEGER NOT NULL,
        first_received INTEGER,
        last_received INTEGER,
        receives INTEGER NOT NULL,
        receives_here INTEGER NOT NULL,
        receipt INTEGER
    ) STRICT;
    CREATE INDEX messages_by_visible ON messages (queue, visible, id);
    CREATE INDEX messages_by_sent ON messages (queue, sent);
"];

/// Deletes everything that anybody stored.
pub(crate) fn delete_everything(connection: &Connection) -> Result<(), StorageError> {
    Ok(connection.execute_batch("DELETE FROM jobs; DELETE FROM messages; DELETE FROM queues;")?)
}
