//! Pool against table: drift, repair, backfill.
//!
//! [`Reconciliation`] reads all users and all profiles once, at the pace that the services allow, keeps digests of both
//! in a [`Spool`], and compares them partition by partition, so that memory does not grow with the pool. Whatever
//! differs is read again before it is called drift, and repaired by the same events and conditions as everything else.
//! [`Backfill`] is for the first day: it streams users, and makes the profiles that are not there.
//!
//! A run can be killed at any moment; the same run goes on from the last page that it recorded.
//!
//! Not here: reading users and publishing (`tandem-pool`), what an event does to a profile (`tandem-profiles`), and
//! whatever a person sees. Time, randomness and the wish to stop come in as [`Surroundings`].

mod again;
mod backfill;
mod calls;
mod claims;
mod compare;
mod digest;
mod error;
mod finding;
mod limiter;
mod meter;
mod progress;
mod reconciliation;
mod record;
mod sides;
mod spool;

pub use backfill::{Backfill, Backfilled};
pub use calls::Pace;
pub use digest::fresh_key;
pub use error::Error;
pub use finding::{Counts, Finding, Kind, Outcome, Report};
pub use limiter::Limiter;
pub use meter::{Meter, Operation, Phase, Requests};
pub use reconciliation::{Ended, Reconciliation, Repair, Settings, Surroundings};
pub use spool::{Directory, Log, Spool, SpoolError, Stream, Table};
