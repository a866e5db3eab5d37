//! The directory that holds every file of a local cloud, and the lock that keeps a second process out.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use crate::StorageError;

/// A state directory that this process holds until the value is dropped.
#[derive(Debug)]
pub struct StateDir {
    path: PathBuf,
    _lock: File,
}

impl StateDir {
    /// Makes the directory (mode 0700) if it is not there, and locks it.
    pub fn open(path: &Path) -> Result<Self, StorageError> {
        let cannot_open = |source| StorageError::Open { path: path.to_owned(), source };
        create_private_dir(path).map_err(cannot_open)?;
        let lock = open_private(&path.join("lock")).map_err(cannot_open)?;
        match lock.try_lock() {
            // Functions have working directories of their own, and find what lies in here all the same.
            Ok(()) => Ok(Self { path: std::path::absolute(path).map_err(cannot_open)?, _lock: lock }),
            Err(TryLockError::WouldBlock) => Err(StorageError::Held { path: path.to_owned() }),
            Err(TryLockError::Error(error)) => Err(cannot_open(error)),
        }
    }

    /// The path of a file in it.
    pub fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// The directory.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

fn create_private_dir(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// Opens a file for reading and writing; a new one is readable by its owner alone.
pub(crate) fn open_private(path: &Path) -> io::Result<File> {
    let mut options = fs::OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_holder_is_refused() {
        let dir = tempfile::tempdir().expect("a directory");
        let _held = StateDir::open(dir.path()).expect("the first opens it");
        assert!(matches!(StateDir::open(dir.path()), Err(StorageError::Held { .. })));
    }

    #[test]
    fn its_path_holds_from_any_working_directory() {
        let dir = tempfile::tempdir_in(".").expect("a directory");
        let relative = Path::new(dir.path().file_name().expect("a name"));
        assert!(StateDir::open(relative).expect("it opens").path().is_absolute());
    }
}
