//! Why a run cannot go on.

use crate::spool::SpoolError;

/// A run that has ended early. What it had read is kept: the same run goes on from there.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The pool could not be read.
    #[error(transparent)]
    Pool(#[from] tandem_pool::Error),
    /// The table could not be read.
    #[error(transparent)]
    Profiles(#[from] tandem_profiles::Error),
    /// What was read could not be kept.
    #[error(transparent)]
    Spool(#[from] SpoolError),
    /// The spool belongs to another run.
    #[error("what is kept here is of another run ({what}): begin anew with --restart, or name another --state")]
    OtherRun {
        /// What is not the same, and what it is there.
        what: String,
    },
}
