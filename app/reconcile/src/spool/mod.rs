//! Where a run keeps what it has read, so that memory is bounded and a death costs no more than a page.
//!
//! A spool has logs, which only grow, and the progress, which says how long each log is: bytes beyond that length were
//! written by a run that died before it could say so, and are cut off when the next one goes on. A command keeps its
//! spool in a [`Directory`]; a function, whose disk does not last, in the [`Table`] itself.

mod directory;
mod table;

use std::fmt;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

pub use directory::Directory;
pub use table::Table;

/// What a log holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Log {
    /// The pool's users.
    Users,
    /// Who is in which group.
    Members,
    /// What the table has of whom.
    Profiles,
    /// Whose addresses are.
    Claims,
    /// What was found, as lines of JSON. It has one shard.
    Findings,
}

/// One log, or the part of it whose users fall together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Stream {
    /// Which log.
    pub log: Log,
    /// Which part.
    pub shard: u16,
}

impl fmt::Display for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let log = match self.log {
            Log::Users => "users",
            Log::Members => "members",
            Log::Profiles => "profiles",
            Log::Claims => "claims",
            Log::Findings => "findings",
        };
        write!(f, "{log}.{:02}", self.shard)
    }
}

/// A spool that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SpoolError {
    /// Another process has it.
    #[error("{place} is in use by another process: wait for it, or name another directory with --state")]
    Taken {
        /// Where it is.
        place: String,
    },
    /// It could not be read or written.
    #[error("what has been read so far cannot be kept in {place} ({reason}): see to it, then run the same again")]
    Failed {
        /// Where it is.
        place: String,
        /// Why.
        reason: String,
    },
}

/// A spool. One run uses it at a time.
#[async_trait]
pub trait Spool: Send + Sync {
    /// Into how many shards logs are split. It never changes.
    fn shards(&self) -> u16;

    /// The progress that was recorded last, if any.
    async fn progress(&self) -> Result<Option<String>, SpoolError>;

    /// Adds to the end of a log. It is kept at the latest when the progress is recorded next.
    async fn append(&self, stream: Stream, bytes: &[u8]) -> Result<(), SpoolError>;

    /// Records the progress, in the place of the one before, once everything that was appended is kept. A spool for
    /// which that is dear may put it off unless `now`.
    async fn record(&self, progress: &str, now: bool) -> Result<(), SpoolError>;

    /// Cuts a log to a length.
    async fn truncate(&self, stream: Stream, length: u64) -> Result<(), SpoolError>;

    /// Some bytes of a log, from its beginning or from where an earlier answer has ended; none at its end.
    async fn read(&self, stream: Stream, from: u64) -> Result<Vec<u8>, SpoolError>;

    /// Takes everything away.
    async fn clear(&self) -> Result<(), SpoolError>;
}
