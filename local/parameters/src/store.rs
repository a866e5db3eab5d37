//! The database's schema; what is done with it stands in `ssm/store.rs` and `secrets/store.rs`.

use rusqlite::Connection;
use storage::StorageError;

/// Versions of the schema, oldest first.
pub const SCHEMA: &[&str] = &["
CREATE TABLE parameters (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    version INTEGER NOT NULL,
    tags TEXT NOT NULL
) STRICT;
CREATE TABLE parameter_versions (
    parameter_id INTEGER NOT NULL REFERENCES parameters ON DELETE CASCADE,
    version INTEGER NOT NULL,
    kind TEXT NOT NULL,
    value TEXT NOT NULL,
    modified_at INTEGER NOT NULL,
    labels TEXT NOT NULL,
    settings TEXT NOT NULL,
    PRIMARY KEY (parameter_id, version)
) STRICT, WITHOUT ROWID;
CREATE TABLE secrets (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    deletion_at INTEGER,
    secret TEXT NOT NULL
) STRICT;
CREATE TABLE secret_versions (
    secret_id INTEGER NOT NULL REFERENCES secrets ON DELETE CASCADE,
    n INTEGER NOT NULL,
    version_id TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    accessed_at INTEGER,
    stages TEXT NOT NULL,
    string TEXT,
    binary TEXT,
    PRIMARY KEY (secret_id, n),
    UNIQUE (secret_id, version_id)
) STRICT, WITHOUT ROWID;
"];

/// Empties everything.
pub fn clear(connection: &Connection) -> Result<(), StorageError> {
    for sql in ["DELETE FROM parameters", "DELETE FROM secrets"] {
        connection.prepare_cached(sql)?.execute([])?;
    }
    Ok(())
}
