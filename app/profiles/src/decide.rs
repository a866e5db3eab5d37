//! What an event does to a profile: the rule behind every conditional write, as a pure function.
//!
//! Events come at least once and in any order. The rule makes the item the same whatever the order was:
//!
//! - Events of a user are ordered by [`AsOf`]; the newest creation or update has the say.
//! - A deletion is final, whatever its time: the pool never gives an id to anybody else, so an update that seems to
//!   follow a deletion is one publisher's clock against another's. Of several deletions the newest stays.
//! - `createdAt` is the time of the earliest event.

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
    let event_as_of = event.as_of();
    match *standing {
        Standing::Absent if deletes => Decision::Erase,
        Standing::Absent => Decision::Create,
        Standing::Tombstone { as_of } if as_of == event_as_of => Decision::Ignore(Ignored::Duplicate),
        Standing::Tombstone { .. } if !deletes => Decision::Ignore(Ignored::Tombstoned),
        Standing::Tombstone { as_of } if as_of < event_as_of => Decision::Erase,
        Standing::Tombstone { .. } => Decision::Ignore(Ignored::Stale),
        Standing::Profile { .. } if deletes => Decision::Erase,
        Standing::Profile { as_of, .. } if as_of == event_as_of => Decision::Ignore(Ignored::Duplicate),
        Standing::Profile { as_of, .. } if as_of < event_as_of => Decision::Update,
        Standing::Profile { created_at, .. } if event_as_of.occurred_at < created_at => Decision::Backdate,
        Standing::Profile { .. } => Decision::Ignore(Ignored::Stale),
    }
}
