//! Dynoxide's file: private, ours, and with the durability that was asked for.

use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;

use dynoxide::storage_backend::Clock;
use dynoxide::{Database, DynoxideError};
use storage::rusqlite::{Connection, ErrorCode, OpenFlags};
use storage::{Durability, Location, StorageError};
use world::World;

use crate::upkeep::{self, Upkeep};

/// Opens dynoxide's database. In memory it tells the world's time; on disk it tells the system's, since
/// dynoxide takes a clock only there: then there is [`Upkeep`] to do.
pub fn open(
    world: &World,
    location: Location,
    durability: Durability,
) -> Result<(Database, Option<Upkeep>), StorageError> {
    let path = match location {
        Location::Memory => {
            let database = Database::memory_with_clock(Arc::new(WorldClock(world.clone()))).map_err(sql)?;
            upkeep::furnish(&database).map_err(sql)?;
            return Ok((database, None));
        }
        Location::File(path) => path,
    };
    make_private(&path).map_err(|source| StorageError::Open { path: path.clone(), source })?;
    check_ours(&path)?;
    let corrupt = |message: String| StorageError::Corrupt { path: path.clone(), message };
    let text = path.to_str().ok_or_else(|| {
        let source = io::Error::new(io::ErrorKind::InvalidInput, "the path is not Unicode");
        StorageError::Open { path: path.clone(), source }
    })?;
    let database = Database::new(text).map_err(|error| match error {
        DynoxideError::SqliteError(error) if !is_corruption(&error) => StorageError::Sql(error),
        other => corrupt(other.to_string()), // damaged, or written by a later dynoxide: its message says which
    })?;
    match durability {
        // Dynoxide leaves SQLite's `synchronous = FULL`; the "normal" of its bulk loader is our promise.
        Durability::ProcessDeath => database.disable_bulk_loading().map_err(sql)?,
        Durability::PowerCut => {}
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let upkeep = Upkeep::of_file(Connection::open_with_flags(&path, flags)?)?;
    Ok((database, Some(upkeep)))
}

/// A new file is readable by its owner alone; SQLite gives its companions the same mode.
fn make_private(path: &Path) -> io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop)
}

/// Dynoxide would add its tables to whatever database it is given.
fn check_ours(path: &Path) -> Result<(), StorageError> {
    let corrupt = |message: &str| StorageError::Corrupt { path: path.to_owned(), message: message.to_owned() };
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let found = Connection::open_with_flags(path, flags).and_then(|connection| {
        connection.query_row(
            "SELECT count(*), coalesce(sum(name = '_tables'), 0) FROM sqlite_master WHERE type = 'table'",
            [],
            |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?)),
        )
    });
    match found {
        Ok((0, _) | (_, 1)) => Ok(()),
        Ok(_) => Err(corrupt("it holds something else")),
        Err(error) if is_corruption(&error) => Err(corrupt(&error.to_string())),
        Err(error) => Err(StorageError::Sql(error)),
    }
}

fn is_corruption(error: &storage::rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt))
}

fn sql(error: DynoxideError) -> StorageError {
    match error {
        DynoxideError::SqliteError(error) => StorageError::Sql(error),
        other => StorageError::Sql(storage::rusqlite::Error::ToSqlConversionFailure(other.into())),
    }
}

struct WorldClock(World);

impl Clock for WorldClock {
    fn now_unix_secs(&self) -> u64 {
        u64::try_from(self.0.clock.now().seconds()).unwrap_or(0)
    }

    fn now_unix_secs_f64(&self) -> f64 {
        self.0.clock.now().epoch_seconds()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open_file(path: &Path) -> Result<Database, StorageError> {
        open(&World::for_tests(1), Location::File(path.to_owned()), Durability::default()).map(|(database, _)| database)
    }

    #[track_caller]
    fn check_left_alone(path: &Path) {
        let before = fs::read(path).expect("it is there");
        let error = open_file(path).err().expect("it is refused");
        assert!(matches!(error, StorageError::Corrupt { .. }), "{error}");
        assert_eq!(error.to_string().lines().count(), 1, "{error}");
        assert!(fs::read(path).expect("it is there") == before, "it was changed");
    }

    #[test]
    fn a_diary_is_left_alone() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("tables.db");
        fs::write(&path, "a diary, and not a short one: long enough for a header".repeat(20)).expect("written");
        check_left_alone(&path);
    }

    #[test]
    fn a_foreign_database_is_left_alone() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("tables.db");
        let foreign = Connection::open(&path).expect("it opens");
        foreign.execute_batch("CREATE TABLE books (title)").expect("it is made");
        drop(foreign);
        check_left_alone(&path);
    }

    #[test]
    fn a_damaged_file_is_left_alone() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("tables.db");
        drop(open_file(&path).expect("it opens"));
        let mut bytes = fs::read(&path).expect("it is there");
        bytes[20..2000].fill(0xff);
        fs::write(&path, bytes).expect("written");
        check_left_alone(&path);
    }

    #[test]
    fn the_durability_is_what_was_asked_for() {
        let dir = tempfile::tempdir().expect("a directory");
        let location = Location::File(dir.path().join("tables.db"));
        for durability in [Durability::ProcessDeath, Durability::PowerCut] {
            open(&World::for_tests(1), location.clone(), durability).expect("it opens, and again");
        }
    }

    #[cfg(unix)]
    #[test]
    fn the_files_are_private() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().expect("a directory");
        let _database = open_file(&dir.path().join("tables.db")).expect("it opens");
        for entry in fs::read_dir(dir.path()).expect("a directory") {
            let entry = entry.expect("an entry");
            let mode = entry.metadata().expect("its mode").permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{:?}", entry.file_name());
        }
    }
}
