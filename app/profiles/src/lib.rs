//! User profiles in DynamoDB: the item, the identity events, the store.
//!
//! A profile is one item with two owners. Tandem owns a fixed list of its attributes ([`OWNED_ATTRIBUTES`]) and
//! keeps them in step with the user pool, from [`IdentityEvent`]s. Every other attribute belongs to the
//! application, which reads and writes it here too, typed with `serde`; no event ever touches one.
//!
//! Events arrive at least once and in any order. [`ProfileStore::apply`] makes one conditional write of each, so
//! that duplicates and late events change nothing; [`decide()`] is the rule behind the conditions, as a pure function.
//!
//! ```
//! use serde::Deserialize;
//! use tandem_profiles::{Changes, Error, ProfileStore, Timestamp, UserId, UserProfile};
//!
//! /// What the application keeps beside the identity. Attributes that it does not name stay as they are.
//! #[derive(Deserialize)]
//! struct Settings {
//!     theme: Option<String>,
//! }
//!
//! async fn darken(
//!     dynamodb: aws_sdk_dynamodb::Client,
//!     sub: &str,
//!     now: Timestamp,
//! ) -> Result<UserProfile<Settings>, Error> {
//!     let profiles = ProfileStore::new(dynamodb, "tandem-profiles");
//!     let user = UserId::new(sub).expect("Cognito gives no empty sub");
//!     let profile = profiles.get::<Settings>(&user).await?.ok_or_else(|| Error::NoProfile(user.clone()))?;
//!     if profile.application.theme.as_deref() == Some("dark") {
//!         return Ok(profile);
//!     }
//!     // Refused if somebody else was faster: `Error::Conflict` says to read it again.
//!     let changes = Changes::new().set("theme", &"dark")?;
//!     profiles.update(&user, profile.version, &changes, now).await
//! }
//! ```
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
pub use store::{
    Applied, BATCH_KEYS_MAX, BatchPage, Claim, Cursor, Holding, MARKER_KEY_PREFIX, PAGE_LIMIT_MAX, Page, ProfileStore,
    Reservation, ScanPage, Stored, TOMBSTONE_DAYS,
};
pub use table::{EMAIL_INDEX, EMAIL_KEY, EXPIRY, PARTITION_KEY, SORT_KEY, table, time_to_live};
pub use timestamp::{InvalidTimestamp, Timestamp};
