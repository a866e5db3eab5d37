//! All the SQL of this room: the schema, and what is read and written, by its nouns.

pub(crate) mod attempts;
pub(crate) mod deduplications;
pub(crate) mod groups;
pub(crate) mod jobs;
pub(crate) mod messages;
pub(crate) mod move_tasks;
pub(crate) mod queues;

use rusqlite::Connection;
use storage::StorageError;

/// Entries are only ever added.
pub(crate) const SCHEMA: &[&str] = &[
    "
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
",
    "
    -- FIFO queues: only their messages have a sequence number.
    ALTER TABLE queues ADD COLUMN sequence INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE messages ADD COLUMN sequence INTEGER;
    ALTER TABLE messages ADD COLUMN deduplication_id TEXT;
    CREATE INDEX messages_by_group ON messages (queue, group_id, sequence) WHERE sequence IS NOT NULL;
    CREATE INDEX messages_that_lock ON messages (queue, group_id, visible)
        WHERE sequence IS NOT NULL AND receives_here > 0;

    -- A row per group that has messages, so that a receiver finds the next group without looking at those that
    -- are locked, however long they are. `available` is when its first message may be received.
    CREATE TABLE message_groups (
        queue INTEGER NOT NULL,
        group_id TEXT NOT NULL,
        head INTEGER NOT NULL,
        available INTEGER NOT NULL,
        PRIMARY KEY (queue, group_id)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX message_groups_by_available ON message_groups (queue, available, head);

    CREATE TABLE deduplications (
        queue INTEGER NOT NULL,
        scope TEXT NOT NULL,
        deduplication_id TEXT NOT NULL,
        message_id TEXT NOT NULL,
        sequence INTEGER NOT NULL,
        until INTEGER NOT NULL,
        PRIMARY KEY (queue, scope, deduplication_id)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX deduplications_by_end ON deduplications (until);

    CREATE TABLE receive_attempts (
        queue INTEGER NOT NULL,
        attempt_id TEXT NOT NULL,
        receipts TEXT NOT NULL,
        visible INTEGER NOT NULL,
        until INTEGER NOT NULL,
        PRIMARY KEY (queue, attempt_id)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX receive_attempts_by_end ON receive_attempts (until);

    CREATE TABLE move_tasks (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        task_id TEXT NOT NULL UNIQUE,
        source TEXT NOT NULL,
        destination TEXT,
        per_second INTEGER,
        status TEXT NOT NULL,
        moved INTEGER NOT NULL,
        to_move INTEGER NOT NULL,
        failure TEXT,
        started INTEGER NOT NULL,
        due INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX move_tasks_by_source ON move_tasks (source, id);
    CREATE INDEX move_tasks_that_run ON move_tasks (due) WHERE status = 'RUNNING';
",
];

/// What is asked with every push, send and receive: none of it may look at all that is stored.
#[cfg(test)]
pub(crate) fn hot_statements() -> Vec<String> {
    [jobs::hot_statements(), messages::hot_statements(), groups::hot_statements()].concat()
}

/// Deletes everything that anybody stored.
pub(crate) fn delete_everything(connection: &Connection) -> Result<(), StorageError> {
    let sql = "DELETE FROM jobs; DELETE FROM messages; DELETE FROM message_groups; DELETE FROM deduplications;
        DELETE FROM receive_attempts; DELETE FROM move_tasks; DELETE FROM queues;";
    Ok(connection.execute_batch(sql)?)
}
