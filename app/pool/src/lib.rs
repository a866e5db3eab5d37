//! The user pool from outside: its users as identities, and the bus that hears of them.
//!
//! [`Pool`] reads users, one or page by page, through Cognito's API. [`Bus`] publishes identity events through
//! `EventBridge`'s, and knows that an entry may fail inside an answer that is a success.
//!
//! Not here: what a profile is and how events change it (`tandem-profiles`), and any comparison of the two
//! (`tandem-reconcile`). The time is a parameter.

mod bus;
mod error;
mod pool;
mod user;

pub use bus::{Bus, ENTRIES_MAX, Published, TurnedDown};
pub use error::{Error, reason};
pub use pool::{PAGE_USERS_MAX, Page, Pool};
pub use user::{PoolUser, UNCONFIRMED};
