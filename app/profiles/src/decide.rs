//! What an event does to a profile: the rule behind every conditional write, as a pure function.
//!
//! Events come at least once and in any order. The rule makes the item the same whatever the order was:
//!
//! - Events of a user are ordered by [`AsOf`]; the newest creation or update has the say.
//! - A deletion is final, whatever its time: the pool never gives an id to anybody else, so an update that seems to
//!   follow a deletion is one publisher's clock against another's. Of several deletions the newest stays.
//! - `createdAt` is the time of the earliest event.

use std::cmp::Ordering;

use serde::Serialize;

use crate::event::{Change, EventId, IdentityEvent};
use crate::timestamp::Timestamp;

/// An event's place among the events of its user: by time, then by id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct AsOf {
    /// When it happened.
    #[serde(rename = "identityAsOf")]
    pub occurred_at: Timestamp,
    /// The id decides between events of one millisecond.
    #[serde(rename = "identityEventId")]
    pub event_id: EventId,
}

/// What is stored of a user, as far as events are concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Nothing that an event wrote (though the application may have).
    Absent,
    /// A profile.
    Profile {
        /// The event that wrote it last.
        as_of: AsOf,
        /// The time of the earliest event so far.
        created_at: Timestamp,
    },
    /// What a deletion leaves.
    Tombstone {
        /// The deletion.
        as_of: AsOf,
    },
}

/// What is to be done about an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Write the profile: it is the first of the user.
    Create,
    /// Write the identity's part of the profile.
    Update,
    /// Put a tombstone in the place of everything.
    Erase,
    /// Move `createdAt` and nothing else: the event is late, and earlier than any before.
    Backdate,
    /// Nothing.
    Ignore(Ignored),
}

/// Why nothing is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ignored {
    /// This very event has been applied.
    Duplicate,
    /// A newer one has been applied.
    Stale,
    /// The user was deleted.
    Tombstoned,
}

/// What an event does, given what is stored.
pub fn decide(standing: &Standing, event: &IdentityEvent) -> Decision {
    let deletes = matches!(event.change, Change::Deleted(_));
    let event = event.as_of();
    match (*standing, deletes) {
        (Standing::Absent | Standing::Profile { .. }, true) => Decision::Erase,
        (Standing::Absent, false) => Decision::Create,
        (Standing::Profile { as_of, created_at }, false) => match event.cmp(&as_of) {
            Ordering::Greater => Decision::Update,
            Ordering::Equal => Decision::Ignore(Ignored::Duplicate),
            Ordering::Less if event.occurred_at < created_at => Decision::Backdate,
            Ordering::Less => Decision::Ignore(Ignored::Stale),
        },
        (Standing::Tombstone { as_of }, _) => match event.cmp(&as_of) {
            Ordering::Equal => Decision::Ignore(Ignored::Duplicate),
            _ if !deletes => Decision::Ignore(Ignored::Tombstoned),
            Ordering::Greater => Decision::Erase,
            Ordering::Less => Decision::Ignore(Ignored::Stale),
        },
    }
}
