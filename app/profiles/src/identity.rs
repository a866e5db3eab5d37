//! A user as the user pool knows them.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

/// A user's `sub`: given by the pool, never empty, never used again for somebody else.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct UserId(String);

/// A user id without a character.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("a user id must not be empty: give the user's `sub`")]
pub struct EmptyUserId;

impl UserId {
    /// From the pool's `sub`.
    pub fn new(sub: impl Into<String>) -> Result<Self, EmptyUserId> {
        let sub = sub.into();
        if sub.is_empty() { Err(EmptyUserId) } else { Ok(Self(sub)) }
    }

    /// As the pool writes it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for UserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for UserId {
    type Error = EmptyUserId;

    fn try_from(sub: String) -> Result<Self, EmptyUserId> {
        Self::new(sub)
    }
}

impl From<UserId> for String {
    fn from(user: UserId) -> Self {
        user.0
    }
}

/// Everything that the pool says about a user at one moment: the `data` of `UserCreated` and `UserUpdated`, and the
/// part of a profile that follows them. What is not in it is not known of the user any more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Identity {
    /// The user's `sub`.
    pub user_id: UserId,
    /// The pool that the user is in.
    pub user_pool_id: String,
    /// The name in the pool; the `sub` again where people sign in with their address.
    pub username: String,
    /// The address, as the pool writes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Whether the pool has seen the user read mail at the address.
    #[serde(default)]
    pub email_verified: bool,
    /// The full name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Other attributes of the pool, if the publisher was told to pass them on.
    #[serde(default)]
    pub attributes: BTreeMap<String, String>,
}
