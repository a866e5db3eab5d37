//! The store: profiles in a `DynamoDB` table.
//!
//! `apply` writes what events say, `unique` does so where addresses are unique, `update` writes what the application
//! says, `read` reads. They meet in the item and nowhere else: every write is conditional, so no two of them can
//! overwrite each other.

mod apply;
mod read;
mod unique;
mod update;

use std::fmt;
use std::str::FromStr;

use aws_sdk_dynamodb::Client;

pub use apply::{Applied, TOMBSTONE_DAYS};
pub use read::{PAGE_LIMIT_MAX, Page};
pub use unique::{MARKER_KEY_PREFIX, Reservation};

use crate::error::Error;

/// Profiles in a table. Cheap to clone.
#[derive(Clone, Debug)]
pub struct ProfileStore {
    client: Client,
    table: String,
    unique_email: bool,
}

impl ProfileStore {
    /// Over a table made by [`table()`](crate::table()).
    pub fn new(client: Client, table: impl Into<String>) -> Self {
        Self { client, table: table.into(), unique_email: false }
    }

    /// Reserves verified addresses: no two profiles of the table have the same one, whatever its case. Whoever is first
    /// has it until they change it or are deleted. A pool does not promise this: one person may be in it as a native
    /// and as a federated user. So who comes second has a profile all the same, with
    /// [`email_conflict`](crate::UserProfile::email_conflict) set and [`Applied::Conflict`] reported.
    ///
    /// An address that nobody has verified is reserved for nobody, or strangers could be locked out by it. A
    /// reservation is a marker item ([`MARKER_KEY_PREFIX`]), written in one transaction with the profile, which costs
    /// twice the capacity where addresses change and a reading per event. Everything that writes to the table must
    /// agree on whether addresses are unique.
    #[must_use]
    pub fn with_unique_email(self) -> Self {
        Self { unique_email: true, ..self }
    }
}

/// Where the next page begins. A text that means nothing to anybody else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor {
    partition_key: String,
    sort_key: String,
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}|{}", self.sort_key, self.partition_key)
    }
}

impl FromStr for Cursor {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let (sort_key, partition_key) = text.split_once('|').ok_or(Error::InvalidCursor)?;
        if sort_key.is_empty() || partition_key.is_empty() {
            return Err(Error::InvalidCursor);
        }
        Ok(Self { partition_key: partition_key.to_owned(), sort_key: sort_key.to_owned() })
    }
}
