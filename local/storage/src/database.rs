//! The file itself: opening it, the writer thread, the readers.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use rusqlite::{Connection, ErrorCode, OpenFlags};
use tokio::sync::{mpsc, oneshot};

use crate::state_dir::open_private;

/// Changes that may wait for the writer before callers do.
const WAITING_MAX: usize = 1024;
/// Changes in one transaction: bounds how long the first of a group waits for the last.
const GROUP_MAX: usize = 256;
/// Connections that read beside the writer: as many as run at once on a small machine.
const READERS: usize = 4;
/// Prepared statements kept per connection: more than any room has.
const STATEMENTS_CACHED: usize = 128;

/// Where a room's data lives.
#[derive(Clone, Debug)]
pub enum Location {
    /// In a file, made readable by its owner alone.
    File(PathBuf),
    /// In memory, gone with the process.
    Memory,
}

/// What a committed change survives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Durability {
    /// The death of the process.
    #[default]
    ProcessDeath,
    /// A power cut as well.
    PowerCut,
}

/// Why a file could not be opened, read or written.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    /// Another process has the directory.
    #[error("{} is in use by another process: stop it, or choose another directory with --state", path.display())]
    Held {
        /// The directory.
        path: PathBuf,
    },
    /// The file or directory cannot be opened at all.
    #[error("cannot open {}: {source}", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The file is damaged or was never ours. It is left as it is.
    #[error("{} is not a database of Tandem's ({message}): nothing was changed; restore it, or move it away to start anew", path.display())]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// What SQLite says.
        message: String,
    },
    /// The file was written by a later version. It is left as it is.
    #[error("{} was written by a newer version of Tandem (schema {found}, this one knows {known}): use that version, or another directory with --state", path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its schema version.
        found: usize,
        /// The newest we know.
        known: usize,
    },
    /// The change was not made: the disk is full, or the file system failed.
    #[error("the change could not be stored: {0}")]
    Sql(#[from] rusqlite::Error),
    /// The writer has ended or could not begin; the log says why.
    #[error("the change was not made: the database does not take any")]
    Closed,
}

/// A handle to one file. Cheap to clone. The writer thread ends with the last handle.
#[derive(Clone)]
pub struct Database(Arc<Inner>);

struct Inner {
    writer: mpsc::Sender<Change>,
    /// Shared with the writer.
    commits: Arc<AtomicU64>,
    /// Empty in memory: then the writer reads too.
    readers: Mutex<Vec<Connection>>,
    location: Location,
    durability: Durability,
}

/// A change, run inside the writer's transaction; it returns what tells its caller how it ended.
type Change = Box<dyn FnOnce(&Connection) -> Answer + Send>;
/// Run after the commit, with the commit's own failure if it had one.
type Answer = Box<dyn FnOnce(Option<Arc<rusqlite::Error>>) + Send>;

impl Database {
    /// Opens the file, or makes it, and brings its schema up to date: `schema[n]` is the SQL that leads from
    /// version `n` to `n + 1`. Entries are only ever added.
    pub fn open(location: Location, durability: Durability, schema: &[&str]) -> Result<Self, StorageError> {
        Self::open_and(location, durability, schema, |_| Ok(())).map(|(database, ())| database)
    }

    /// Opens like [`Database::open`] and reads what a room must know before its first caller, without waiting
    /// for a runtime.
    pub fn open_and<T>(
        location: Location,
        durability: Durability,
        schema: &[&str],
        first: impl FnOnce(&Connection) -> Result<T, StorageError>,
    ) -> Result<(Self, T), StorageError> {
        let connection = match &location {
            Location::File(path) => open_file(path, durability, schema)?,
            Location::Memory => {
                let connection = Connection::open_in_memory()?;
                migrate(&connection, Path::new(":memory:"), schema)?;
                connection
            }
        };
        let known = first(&connection)?;
        let (writer, changes) = mpsc::channel(WAITING_MAX);
        let commits = Arc::new(AtomicU64::new(0));
        let counter = Arc::clone(&commits);
        std::thread::Builder::new()
            .name("storage-writer".into())
            .spawn(move || write_in_groups(&connection, changes, &counter))
            .map_err(|source| StorageError::Open { path: PathBuf::from(format!("{location:?}")), source })?;
        Ok((Self(Arc::new(Inner { writer, commits, readers: Mutex::default(), location, durability })), known))
    }

    /// How many commits there were. What was read after asking is still true while the answer stays the same: a
    /// commit counts before its callers hear of it.
    pub fn commits(&self) -> u64 {
        self.0.commits.load(Ordering::SeqCst)
    }

    /// Runs `change` in a transaction and returns when it is committed. An `Err` of `change` undoes all of it
    /// and nothing of anybody else's.
    pub async fn write<T, E>(&self, change: impl FnOnce(&Connection) -> Result<T, E> + Send + 'static) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StorageError> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let change: Change = Box::new(move |connection| {
            let result = in_savepoint(connection, change);
            Box::new(move |failure| {
                let result = match failure {
                    None => result,
                    Some(failure) => result.and_then(|_| Err(commit_failed(&failure).into())),
                };
                let _ = reply.send(result); // the caller may have gone; its change stands
            })
        });
        self.0.writer.send(change).await.map_err(|_| StorageError::Closed)?;
        answer.await.map_err(|_| StorageError::Closed)?
    }

    /// Runs `query` on the calling thread beside the writer. For point reads and short scans: it must not
    /// write. What was committed before the call is seen.
    pub async fn read<T, E>(&self, query: impl FnOnce(&Connection) -> Result<T, E> + Send + 'static) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StorageError> + Send + 'static,
    {
        let Location::File(path) = &self.0.location else {
            return self.write(query).await;
        };
        let free = self.0.readers.lock().expect("no holder panics").pop();
        let reader = match free {
            Some(reader) => reader,
            None => open_connection(path, self.0.durability).map_err(StorageError::from)?,
        };
        let result = query(&reader);
        let mut readers = self.0.readers.lock().expect("no holder panics");
        if readers.len() < READERS {
            readers.push(reader);
        }
        result
    }
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Database").field(&self.0.location).finish()
    }
}

fn open_file(path: &Path, durability: Durability, schema: &[&str]) -> Result<Connection, StorageError> {
    open_private(path).map_err(|source| StorageError::Open { path: path.to_owned(), source })?;
    let opened = open_connection(path, durability);
    let corrupt = |error: &rusqlite::Error| StorageError::Corrupt { path: path.to_owned(), message: error.to_string() };
    let connection = opened.map_err(|error| corrupt(&error))?;
    match migrate(&connection, path, schema) {
        Err(StorageError::Sql(error)) if is_corruption(&error) => Err(corrupt(&error)),
        result => result.map(|()| connection),
    }
}

fn is_corruption(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt))
}

fn open_connection(path: &Path, durability: Durability) -> Result<Connection, rusqlite::Error> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS_CACHED);
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(
        None,
        "synchronous",
        match durability {
            Durability::ProcessDeath => "NORMAL",
            Durability::PowerCut => "FULL",
        },
    )?;
    connection.pragma_update(None, "foreign_keys", "ON")?;
    Ok(connection)
}

fn migrate(connection: &Connection, path: &Path, schema: &[&str]) -> Result<(), StorageError> {
    let found: usize = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    if found > schema.len() {
        return Err(StorageError::Newer { path: path.to_owned(), found, known: schema.len() });
    }
    if found < schema.len() {
        let steps = schema[found..].concat();
        connection.execute_batch(&format!("BEGIN; {steps}; PRAGMA user_version = {}; COMMIT", schema.len()))?;
    }
    Ok(())
}

/// The writer thread: takes what waits, commits it as one, answers, and begins again.
fn write_in_groups(connection: &Connection, mut changes: mpsc::Receiver<Change>, commits: &AtomicU64) {
    let file = connection.path().filter(|path| !path.is_empty()).unwrap_or("the database in memory").to_owned();
    let mut failing = false; // said when it begins and when it ends: a full disk fails every change
    while let Some(first) = changes.blocking_recv() {
        if let Err(error) = execute(connection, "BEGIN IMMEDIATE") {
            tracing::error!(%error, "no transaction could begin; a change was refused");
            continue; // its caller learns that it was not made when `first` is dropped
        }
        let mut answers = vec![first(connection)];
        while answers.len() < GROUP_MAX
            && let Ok(change) = changes.try_recv()
        {
            answers.push(change(connection));
        }
        let failure = execute(connection, "COMMIT").err().map(Arc::new);
        if let Some(failure) = &failure {
            if !failing {
                tracing::error!(error = %failure, "{file} cannot be written: changes are refused until it can");
            }
            let _ = execute(connection, "ROLLBACK"); // already rolled back if SQLite did so itself
        }
        if failing && failure.is_none() {
            tracing::warn!("{file} can be written again");
        }
        failing = failure.is_some();
        commits.fetch_add(1, Ordering::SeqCst);
        for answer in answers {
            answer(failure.clone());
        }
    }
}

fn in_savepoint<T, E>(connection: &Connection, change: impl FnOnce(&Connection) -> Result<T, E>) -> Result<T, E>
where
    E: From<StorageError>,
{
    execute(connection, "SAVEPOINT change").map_err(StorageError::from)?;
    let result = change(connection);
    if result.is_err() {
        execute(connection, "ROLLBACK TO change").map_err(StorageError::from)?;
    }
    execute(connection, "RELEASE change").map_err(StorageError::from)?;
    result
}

fn execute(connection: &Connection, sql: &str) -> Result<(), rusqlite::Error> {
    connection.prepare_cached(sql)?.execute([]).map(drop)
}

/// One failure is told to every caller of the group, and `rusqlite::Error` cannot be cloned.
fn commit_failed(error: &rusqlite::Error) -> StorageError {
    let code = error.sqlite_error().copied();
    let code = code.unwrap_or_else(|| rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_ERROR));
    StorageError::Sql(rusqlite::Error::SqliteFailure(code, Some(error.to_string())))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCHEMA: &[&str] = &["CREATE TABLE numbers (n INTEGER PRIMARY KEY)"];

    fn open(path: &Path) -> Result<Database, StorageError> {
        Database::open(Location::File(path.to_owned()), Durability::default(), SCHEMA)
    }

    async fn insert(database: &Database, n: i64) -> Result<(), StorageError> {
        database.write(move |c| Ok(c.execute("INSERT INTO numbers VALUES (?1)", [n]).map(drop)?)).await
    }

    async fn count(database: &Database) -> i64 {
        let count =
            database.read(|c| Ok::<_, StorageError>(c.query_row("SELECT count(*) FROM numbers", [], |r| r.get(0))?));
        count.await.expect("a count")
    }

    #[tokio::test]
    async fn what_fails_undoes_itself_alone() {
        let dir = tempfile::tempdir().expect("a directory");
        let database = open(&dir.path().join("db")).expect("it opens");
        let (a, b, c) = tokio::join!(insert(&database, 1), insert(&database, 1), insert(&database, 2));
        assert!(a.is_ok() && c.is_ok());
        assert!(matches!(b, Err(StorageError::Sql(_))));
        assert_eq!(count(&database).await, 2);
    }

    #[tokio::test]
    async fn what_was_written_is_there_after_reopening() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("db");
        insert(&open(&path).expect("it opens"), 1).await.expect("it is stored");
        assert_eq!(count(&open(&path).expect("it opens again")).await, 1);
    }

    #[tokio::test]
    async fn memory_reads_what_it_wrote() {
        let database = Database::open(Location::Memory, Durability::default(), SCHEMA).expect("it opens");
        insert(&database, 1).await.expect("it is stored");
        assert_eq!(count(&database).await, 1);
    }

    #[tokio::test]
    async fn a_commit_counts_before_its_caller_hears_of_it() {
        let dir = tempfile::tempdir().expect("a directory");
        let database = open(&dir.path().join("db")).expect("it opens");
        let before = database.commits();
        count(&database).await;
        assert_eq!(database.commits(), before);
        insert(&database, 1).await.expect("it is stored");
        assert!(database.commits() > before);
    }

    #[test]
    fn a_file_of_somebody_else_is_left_alone() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("db");
        let text = "a diary, and not a short one: long enough to be taken for a header".repeat(20);
        std::fs::write(&path, &text).expect("it is written");
        assert!(matches!(open(&path), Err(StorageError::Corrupt { .. })));
        assert_eq!(std::fs::read_to_string(&path).expect("it is there"), text);
    }

    #[test]
    fn a_newer_schema_is_refused() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("db");
        let connection = Connection::open(&path).expect("it opens");
        connection.pragma_update(None, "user_version", 9).expect("it is set");
        assert!(matches!(open(&path), Err(StorageError::Newer { found: 9, known: 1, .. })));
    }

    #[cfg(unix)]
    #[test]
    fn the_file_is_private() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("db");
        let _database = open(&path).expect("it opens");
        let mode = path.metadata().expect("it is there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}
