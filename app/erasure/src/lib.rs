//! What is held of a person, everywhere, and its removal.
//!
//! [`holdings`] looks: the account in the pool, every item under the user's key, the reservation of the address, dead
//! letters, the archives of the bus, log events that name the user, and the table's backups. [`erase`] removes what can
//! be removed one by one. Archives, log streams and backups hold many people's data and cannot be opened for one: of
//! those it is said until when they keep it, and log streams are removed whole if that is asked for.
//!
//! The order is the one that a crash in between cannot undo: the account goes first, so that no sign-in brings the
//! profile back; then a tombstone takes the profile's place; then everything else. Erasing twice changes nothing.

mod error;
mod logs;
mod removal;
mod search;

pub use error::Error;
pub use logs::{LogStream, Logs};
pub use removal::{Erased, Removal, erase};
pub use search::{Account, Archive, Holdings, Item, Places, holdings, who};
