//! User profiles in DynamoDB: the item, the identity events, the store.
//!
//! A profile is one item with two owners. Tandem owns a fixed list of its attributes ([`OWNED_ATTRIBUTES`]) and
//! keeps them in step with the user pool, from [`IdentityEvent`]s. Every other attribute belongs to the
//! application, which reads and writes it here too, typed with `serde`; no event ever touches one.
//!
//! Events arrive at least once and in any order. [`ProfileStore::apply`] makes one conditional write of each, so
//! that duplicates and late events change nothing; [`decide()`] is the rule behind the conditions, as a pure function.
//!
//! Not here: where events come from and go to (`tandem-functions`), and any reading of the clock: the time is a
//! parameter. Start at [`ProfileStore`]; the table that it needs is [`table()`].

mod address;
mod changes;
mod decide;
mod error;
mod event;
mod identity;
mod item;
mod profile;
mod store;
mod table;
mod timestamp;

pub use address::normalised;
pub use changes::Changes;
pub use decide::{AsOf, Decision, Ignored, Standing, decide};
pub use error::Error;
pub use event::{
    BusEvent, Change, ConflictingUser, DeletedUser, EmailConflict, EventId, IdentityEvent, InvalidEvent, Metadata,
    Origin, SCHEMA_VERSION, SOURCE,
};
pub use identity::{EmptyUserId, Identity, UserId};
pub use item::{OWNED_ATTRIBUTES, partition_key};
pub use profile::{Attributes, InvalidEtag, UserProfile, Version};
pub use store::{Applied, Cursor, MARKER_KEY_PREFIX, PAGE_LIMIT_MAX, Page, ProfileStore, Reservation, TOMBSTONE_DAYS};
pub use table::{EMAIL_INDEX, EMAIL_KEY, EXPIRY, PARTITION_KEY, SORT_KEY, table, time_to_live};
pub use timestamp::{InvalidTimestamp, Timestamp};
