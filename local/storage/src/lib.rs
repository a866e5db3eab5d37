//! One SQLite file of a room: a writer that groups commits, readers beside it, a versioned schema.
//!
//! Not here: any table of any room (each room's `store.rs` alone knows its SQL), and DynamoDB's file, which
//! dynoxide opens itself. Start at [`Database::open`].
//!
//! # The promise
//!
//! When [`Database::write`] returns, the change survives the death of the process: the file is in WAL mode
//! with `synchronous = NORMAL`, so a commit is a write to the operating system. With [`Durability::PowerCut`]
//! it survives a power cut too: `synchronous = FULL`, one `fsync` per commit. In both cases the writer takes
//! all the changes that wait into one transaction (a savepoint each), so a commit is paid for once per group.

mod database;
mod state_dir;

pub use database::{Database, Durability, Location, StorageError};
pub use rusqlite;
pub use state_dir::StateDir;
