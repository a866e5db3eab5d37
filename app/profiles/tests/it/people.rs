//! Users and their events, for tests.

use tandem_profiles::{
    Change, DeletedUser, EventId, Identity, IdentityEvent, Metadata, Origin, ProfileStore, Timestamp, UserId,
};

use crate::table;

/// 2026-01-01T00:00:00Z.
const START_MILLIS: i64 = 1_767_225_600_000;

pub const ADA: &str = "ada-sub";

/// So many seconds after the start.
pub fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(START_MILLIS + seconds * 1000)
}

/// When the tests write.
pub fn now() -> Timestamp {
    at(1000)
}

pub fn user(sub: &str) -> UserId {
    UserId::new(sub).expect("it is not empty")
}

pub fn identity(sub: &str) -> Identity {
    Identity {
        user_id: user(sub),
        user_pool_id: "us-east-1_Pool".into(),
        username: sub.into(),
        email: Some(format!("{sub}@Example.com")),
        email_verified: true,
        name: Some("Ada Lovelace".into()),
        enabled: true,
        groups: ["staff".to_owned()].into(),
        attributes: [("locale".to_owned(), "en".to_owned())].into(),
    }
}

pub fn ada() -> Identity {
    identity(ADA)
}

fn event(change: Change, seconds: i64, id: u8) -> IdentityEvent {
    let metadata = Metadata::new(EventId::new(at(seconds), [id; 10]), at(seconds), Origin::SignUp);
    IdentityEvent { metadata, change }
}

pub fn created(identity: Identity, seconds: i64) -> IdentityEvent {
    event(Change::Created(identity), seconds, 1)
}

pub fn updated(identity: Identity, seconds: i64, id: u8) -> IdentityEvent {
    event(Change::Updated(identity), seconds, id)
}

pub fn deleted(sub: &str, seconds: i64, id: u8) -> IdentityEvent {
    let gone = DeletedUser { user_id: user(sub), user_pool_id: "us-east-1_Pool".into() };
    event(Change::Deleted(gone), seconds, id)
}

/// A store over a table of its own.
pub async fn store() -> ProfileStore {
    ProfileStore::new(table::table().await, table::TABLE)
}
