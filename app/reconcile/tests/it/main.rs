//! Reconciliation over SDK transports that are answered in this process: a pool and a bus of ours, tables by dynoxide.

mod backfill;
mod claims;
mod cloud;
mod drift;
mod resume;
