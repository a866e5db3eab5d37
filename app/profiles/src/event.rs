//! Identity events: what the user pool's side tells everybody else.
//!
//! An event has two halves on the bus: the detail type, which says what happened, and the detail, which is the JSON
//! that `docs/schemas/` describes. [`IdentityEvent`] is both.

use std::fmt;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use crate::decide::AsOf;
use crate::identity::{Identity, UserId};
use crate::timestamp::Timestamp;

/// The `source` of every identity event.
pub const SOURCE: &str = "tandem.identity";

/// The version of the schemas in `docs/schemas/`. It changes only if a consumer of the old one would break.
pub const SCHEMA_VERSION: u32 = 1;

const USER_CREATED: &str = "UserCreated";
const USER_UPDATED: &str = "UserUpdated";
const USER_DELETED: &str = "UserDeleted";

const EMAIL_CONFLICT: &str = "EmailConflict";

/// What a bus takes: the two texts of an entry that differ from event to event.
pub trait BusEvent {
    /// What is written into `detail-type`.
    fn detail_type(&self) -> &'static str;

    /// What is written into `detail`: JSON.
    fn detail(&self) -> String;
}

/// Something that happened to a user in the pool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdentityEvent {
    /// Which event this is, and from when.
    pub metadata: Metadata,
    /// What happened.
    pub change: Change,
}

/// Which event this is, and from when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Metadata {
    /// [`SCHEMA_VERSION`].
    pub schema_version: u32,
    /// The same for every delivery of the event. `EventBridge`'s own id is not: it changes when an event is
    /// published again.
    pub event_id: EventId,
    /// When it happened, by the publisher's clock.
    pub occurred_at: Timestamp,
    /// What made the publisher tell.
    pub origin: Origin,
    /// W3C trace context, to follow a user's path by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<String>,
}

impl Metadata {
    /// Of an event of the present schema, without a trace.
    pub fn new(event_id: EventId, occurred_at: Timestamp, origin: Origin) -> Self {
        Self { schema_version: SCHEMA_VERSION, event_id, occurred_at, origin, traceparent: None }
    }
}

/// What made the publisher tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// The user signed up and was confirmed.
    SignUp,
    /// The user came from another identity provider for the first time.
    Federated,
    /// The user signed in, and something had changed.
    SignIn,
    /// An administrator did it.
    Admin,
    /// The user was imported or migrated.
    Import,
    /// The reconciler found that nobody had told.
    Reconcile,
}

/// What happened to a user. A creation and an update carry the whole identity, so the newest one is all that counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// `UserCreated`: the user is there, and confirmed.
    Created(Identity),
    /// `UserUpdated`: something about the user is different.
    Updated(Identity),
    /// `UserDeleted`: the user is gone for good; a new account of the same person has another id.
    Deleted(DeletedUser),
}

/// Who was deleted: the ids and nothing personal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeletedUser {
    /// The user's `sub`.
    pub user_id: UserId,
    /// The pool that the user was in.
    pub user_pool_id: String,
}

/// `EmailConflict`: a verified address is two users', where it should be one's. Told by whoever keeps the profiles, at
/// least once for each event that brought it about. It carries ids and nothing personal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EmailConflict {
    /// Which event this is, and from when: that of the identity event behind it.
    pub metadata: Metadata,
    /// Who is in conflict.
    pub data: ConflictingUser,
}

/// Who has an address that is somebody else's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ConflictingUser {
    /// The user who came second.
    pub user_id: UserId,
    /// The pool that the user is in.
    pub user_pool_id: String,
    /// Whose the address is.
    pub owner_id: UserId,
}

impl EmailConflict {
    /// Of the identity event that could not have its address; none if that was a deletion.
    pub fn of(event: &IdentityEvent, owner: UserId) -> Option<Self> {
        let (Change::Created(identity) | Change::Updated(identity)) = &event.change else { return None };
        let data = ConflictingUser {
            user_id: identity.user_id.clone(),
            user_pool_id: identity.user_pool_id.clone(),
            owner_id: owner,
        };
        let name = format!("{EMAIL_CONFLICT} {}", event.metadata.event_id);
        let event_id = EventId::named(event.metadata.occurred_at, &name);
        Some(Self { metadata: Metadata { event_id, ..event.metadata.clone() }, data })
    }
}

impl BusEvent for EmailConflict {
    fn detail_type(&self) -> &'static str {
        EMAIL_CONFLICT
    }

    fn detail(&self) -> String {
        written(self)
    }
}

/// An event's own id: a UUID of version 7.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct EventId(Uuid);

impl EventId {
    /// From the time of the event and 74 bits that tell it from others of the same millisecond (the version and the
    /// variant overwrite six of the 80).
    pub fn new(occurred_at: Timestamp, random: [u8; 10]) -> Self {
        let millis = u64::try_from(occurred_at.millis()).unwrap_or_default();
        Self(uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid())
    }

    /// From the time of the event and a name: events that are told twice in one millisecond are one, and those that
    /// are told again later differ in their time alone, so that they can be recognised.
    pub fn named(occurred_at: Timestamp, name: &str) -> Self {
        let hash = Uuid::new_v5(&Uuid::NAMESPACE_URL, name.as_bytes());
        // From the end: its bytes are hash through and through.
        let mut random = [0; 10];
        random.copy_from_slice(&hash.as_bytes()[6..]);
        Self::new(occurred_at, random)
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.hyphenated().fmt(f)
    }
}

impl TryFrom<String> for EventId {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, &'static str> {
        const WRONG: &str = "an event id must be a UUID of version 7";
        let id = Uuid::try_parse(&text).map_err(|_| WRONG)?;
        if id.get_version_num() == 7 { Ok(Self(id)) } else { Err(WRONG) }
    }
}

impl From<EventId> for String {
    fn from(id: EventId) -> Self {
        id.to_string()
    }
}

/// A detail that is no identity event. The words name the place and never quote the content, which may be personal.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidEvent {
    /// Not one of the three.
    #[error("detail type {0:?} is no identity event: expected UserCreated, UserUpdated or UserDeleted")]
    UnknownDetailType(String),
    /// From a publisher that is ahead of us.
    #[error("schema version {0} is not known here, only {SCHEMA_VERSION}: deploy the newer consumer, then redrive")]
    UnsupportedSchemaVersion(u64),
    /// Not as the schema has it.
    #[error("the detail does not follow docs/schemas/{detail_type}.json at {path}: {reason}; correct the publisher")]
    Malformed {
        /// Which schema.
        detail_type: &'static str,
        /// Where in the detail.
        path: String,
        /// Why.
        reason: String,
    },
}

impl IdentityEvent {
    /// Of the present schema. Its id follows from what it says: told twice in one millisecond, it is one event.
    pub fn new(change: Change, occurred_at: Timestamp, origin: Origin) -> Self {
        let name = match &change {
            Change::Created(data) | Change::Updated(data) => written(data),
            Change::Deleted(data) => written(data),
        };
        Self { metadata: Metadata::new(EventId::named(occurred_at, &name), occurred_at, origin), change }
    }

    /// What is written into `detail-type`.
    pub fn detail_type(&self) -> &'static str {
        match self.change {
            Change::Created(_) => USER_CREATED,
            Change::Updated(_) => USER_UPDATED,
            Change::Deleted(_) => USER_DELETED,
        }
    }

    /// What is written into `detail`.
    pub fn detail(&self) -> String {
        let metadata = &self.metadata;
        match &self.change {
            Change::Created(data) | Change::Updated(data) => written(&Detail { metadata, data }),
            Change::Deleted(data) => written(&Detail { metadata, data }),
        }
    }

    /// Reads an event off the bus. Fields that are not in the schema are passed over: it may grow.
    pub fn parse(detail_type: &str, detail: &Value) -> Result<Self, InvalidEvent> {
        match detail_type {
            USER_CREATED => read(USER_CREATED, detail, Change::Created),
            USER_UPDATED => read(USER_UPDATED, detail, Change::Updated),
            USER_DELETED => read(USER_DELETED, detail, Change::Deleted),
            other => Err(InvalidEvent::UnknownDetailType(other.to_owned())),
        }
    }

    /// Whom it is about.
    pub fn user_id(&self) -> &UserId {
        match &self.change {
            Change::Created(identity) | Change::Updated(identity) => &identity.user_id,
            Change::Deleted(user) => &user.user_id,
        }
    }

    /// Its place among the events of its user.
    pub fn as_of(&self) -> AsOf {
        AsOf { occurred_at: self.metadata.occurred_at, event_id: self.metadata.event_id }
    }
}

impl BusEvent for IdentityEvent {
    fn detail_type(&self) -> &'static str {
        Self::detail_type(self)
    }

    fn detail(&self) -> String {
        Self::detail(self)
    }
}

#[derive(Serialize)]
struct Detail<'a, D> {
    metadata: &'a Metadata,
    data: &'a D,
}

#[derive(Deserialize)]
struct ReadDetail<D> {
    metadata: Metadata,
    data: D,
}

fn written(detail: &impl Serialize) -> String {
    serde_json::to_string(detail).expect("a detail is made of strings, numbers and flags")
}

fn read<D: DeserializeOwned>(
    detail_type: &'static str,
    detail: &Value,
    change: impl FnOnce(D) -> Change,
) -> Result<IdentityEvent, InvalidEvent> {
    // First, because a detail of another version may have any shape.
    match detail.pointer("/metadata/schemaVersion").and_then(Value::as_u64) {
        Some(version) if version != u64::from(SCHEMA_VERSION) => {
            return Err(InvalidEvent::UnsupportedSchemaVersion(version));
        }
        _ => {}
    }
    let ReadDetail { metadata, data } =
        serde_path_to_error::deserialize(detail).map_err(|error| malformed(detail_type, &error))?;
    let event = IdentityEvent { metadata, change: change(data) };
    match &event.change {
        Change::Created(Identity { email: Some(email), .. }) | Change::Updated(Identity { email: Some(email), .. })
            if email.is_empty() =>
        {
            let path = "data.email".to_owned();
            Err(InvalidEvent::Malformed { detail_type, path, reason: "is empty; leave it out instead".into() })
        }
        _ => Ok(event),
    }
}

fn malformed(detail_type: &'static str, error: &serde_path_to_error::Error<serde_json::Error>) -> InvalidEvent {
    let words = error.inner().to_string();
    // Serde's other messages quote the value that they complain about.
    let reason = if words.starts_with("missing field") { words } else { "has a wrong type or form".to_owned() };
    InvalidEvent::Malformed { detail_type, path: error.path().to_string(), reason }
}
