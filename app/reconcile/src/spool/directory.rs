//! A spool of files, for commands. They can be read by their owner alone.
//!
//! Nothing is forced to the disk: what was written survives the death of the process, and after a power cut a lost page
//! shows as a log that is shorter than the progress says, which begins the whole anew.

use std::collections::HashMap;
use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;

use super::{Spool, SpoolError, Stream};

const SHARDS: u16 = 64;
const BLOCK_BYTES: u64 = 256 * 1024;
const PROGRESS: &str = "progress.json";
const LOCK: &str = "lock";

/// A spool in a directory.
#[derive(Debug)]
pub struct Directory {
    path: PathBuf,
    /// Held as long as this lives.
    _lock: File,
    /// Logs that were written to.
    files: Mutex<HashMap<Stream, File>>,
}

impl Directory {
    /// Opens it, made if it is not there.
    pub fn open(path: &Path) -> Result<Self, SpoolError> {
        let failed = |error: &io::Error| failed(path, error);
        DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(|error| failed(&error))?;
        let lock = private().write(true).create(true).truncate(false).open(path.join(LOCK));
        let lock = lock.map_err(|error| failed(&error))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(SpoolError::Taken { place: path.display().to_string() }),
            Err(TryLockError::Error(error)) => return Err(failed(&error)),
        }
        Ok(Self { path: path.to_owned(), _lock: lock, files: Mutex::default() })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn append_to(&self, stream: Stream, bytes: &[u8]) -> io::Result<()> {
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(file) = files.get_mut(&stream) {
            return file.write_all(bytes);
        }
        let mut file = private().append(true).create(true).open(self.file(stream))?;
        file.write_all(bytes)?;
        files.insert(stream, file);
        Ok(())
    }

    fn replace_progress(&self, progress: &str) -> io::Result<()> {
        let new = self.path.join("progress.new");
        private().write(true).create(true).truncate(true).open(&new)?.write_all(progress.as_bytes())?;
        fs::rename(new, self.path.join(PROGRESS))
    }

    fn cut(&self, stream: Stream, length: u64) -> io::Result<()> {
        match private().write(true).open(self.file(stream)) {
            Ok(file) if file.metadata()?.len() < length => {
                Err(io::Error::other(format!("{stream} is shorter than it was: begin again with --restart")))
            }
            Ok(file) => file.set_len(length),
            Err(error) if error.kind() == ErrorKind::NotFound && length == 0 => Ok(()),
            Err(error) => Err(error),
        }
    }

    fn block(&self, stream: Stream, from: u64) -> io::Result<Vec<u8>> {
        let mut block = Vec::new();
        match File::open(self.file(stream)) {
            Ok(mut file) => {
                file.seek(SeekFrom::Start(from))?;
                file.take(BLOCK_BYTES).read_to_end(&mut block)?;
                Ok(block)
            }
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(block),
            Err(error) => Err(error),
        }
    }

    /// Files of ours and no others: somebody may have named a directory with something else in it.
    fn remove(&self) -> io::Result<()> {
        self.files.lock().unwrap_or_else(PoisonError::into_inner).clear();
        for entry in fs::read_dir(&self.path)? {
            let name = entry?.file_name();
            let name = name.to_string_lossy();
            let is_log =
                ["users.", "members.", "profiles.", "claims.", "findings."].iter().any(|log| name.starts_with(log));
            if is_log || name.starts_with("progress.") {
                fs::remove_file(self.path.join(name.as_ref()))?;
            }
        }
        Ok(())
    }

    fn file(&self, stream: Stream) -> PathBuf {
        self.path.join(stream.to_string())
    }

    fn failed(&self, error: &io::Error) -> SpoolError {
        failed(&self.path, error)
    }
}

fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.mode(0o600);
    options
}

fn failed(path: &Path, error: &io::Error) -> SpoolError {
    SpoolError::Failed { place: path.display().to_string(), reason: error.to_string() }
}

#[async_trait]
impl Spool for Directory {
    fn shards(&self) -> u16 {
        SHARDS
    }

    async fn progress(&self) -> Result<Option<String>, SpoolError> {
        match fs::read_to_string(self.path.join(PROGRESS)) {
            Ok(progress) => Ok(Some(progress)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(self.failed(&error)),
        }
    }

    async fn append(&self, stream: Stream, bytes: &[u8]) -> Result<(), SpoolError> {
        self.append_to(stream, bytes).map_err(|error| self.failed(&error))
    }

    async fn record(&self, progress: &str, _now: bool) -> Result<(), SpoolError> {
        self.replace_progress(progress).map_err(|error| self.failed(&error))
    }

    async fn truncate(&self, stream: Stream, length: u64) -> Result<(), SpoolError> {
        self.cut(stream, length).map_err(|error| self.failed(&error))
    }

    async fn read(&self, stream: Stream, from: u64) -> Result<Vec<u8>, SpoolError> {
        self.block(stream, from).map_err(|error| self.failed(&error))
    }

    async fn clear(&self) -> Result<(), SpoolError> {
        self.remove().map_err(|error| self.failed(&error))
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::super::Log;
    use super::*;

    const USERS: Stream = Stream { log: Log::Users, shard: 3 };

    fn directory() -> (tempfile::TempDir, Directory) {
        let place = tempfile::tempdir().expect("a directory");
        let spool = Directory::open(&place.path().join("spool")).expect("it opens");
        (place, spool)
    }

    #[tokio::test]
    async fn a_log_grows_and_is_cut() {
        let (_place, spool) = directory();
        spool.append(USERS, b"one").await.expect("appended");
        spool.append(USERS, b"two").await.expect("appended");
        spool.truncate(USERS, 3).await.expect("cut");
        spool.append(USERS, b"three").await.expect("appended");
        assert_eq!(spool.read(USERS, 0).await.expect("read"), b"onethree");
        assert_eq!(spool.read(USERS, 3).await.expect("read"), b"three");
        assert_eq!(spool.read(USERS, 8).await.expect("read"), b"");
    }

    #[tokio::test]
    async fn a_log_that_has_shrunk_is_told() {
        let (_place, spool) = directory();
        spool.append(USERS, b"one").await.expect("appended");
        let error = spool.truncate(USERS, 4).await.expect_err("there is less");
        assert!(error.to_string().contains("--restart"), "{error}");
    }

    #[tokio::test]
    async fn progress_is_replaced_and_everything_cleared_but_what_is_not_ours() {
        let (_place, spool) = directory();
        assert_eq!(spool.progress().await.expect("read"), None);
        spool.record("1", false).await.expect("recorded");
        spool.record("2", false).await.expect("recorded");
        assert_eq!(spool.progress().await.expect("read").as_deref(), Some("2"));
        spool.append(USERS, b"one").await.expect("appended");
        fs::write(spool.path().join("diary"), "dear").expect("written");
        spool.clear().await.expect("cleared");
        assert_eq!(spool.progress().await.expect("read"), None);
        assert_eq!(spool.read(USERS, 0).await.expect("read"), b"");
        assert!(spool.path().join("diary").exists());
    }

    #[tokio::test]
    async fn nobody_else_may_read_it() {
        let (_place, spool) = directory();
        spool.append(USERS, b"one").await.expect("appended");
        spool.record("1", true).await.expect("recorded");
        for (name, mode) in [("", 0o700), ("users.03", 0o600), (PROGRESS, 0o600)] {
            let metadata = fs::metadata(spool.path().join(name)).expect("it is there");
            assert_eq!(metadata.permissions().mode() & 0o777, mode, "{name}");
        }
    }

    #[test]
    fn two_at_a_time_are_one_too_many() {
        let (_place, spool) = directory();
        let error = Directory::open(spool.path()).expect_err("it is taken");
        assert!(matches!(error, SpoolError::Taken { .. }));
    }
}
