//! A profile as the application reads it.

use std::collections::BTreeMap;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::decide::AsOf;
use crate::identity::Identity;
use crate::timestamp::Timestamp;

/// The application's attributes when it has no type of its own for them: everything that is there.
pub type Attributes = BTreeMap<String, serde_json::Value>;

/// A user's profile: what the pool says, and in `application` what the application keeps.
///
/// `A` is the application's own `serde` type. It need not name every attribute: those that it leaves out stay in the
/// item, whatever is written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct UserProfile<A = Attributes> {
    /// The user as the pool knew them at `as_of`.
    #[serde(flatten)]
    pub identity: Identity,
    /// The event that the identity is from.
    #[serde(flatten)]
    pub as_of: AsOf,
    /// When the user came to be: the time of the earliest event.
    pub created_at: Timestamp,
    /// When the item was last written, for an event or by the application.
    pub updated_at: Timestamp,
    /// Of the application's attributes.
    pub version: Version,
    /// Whether the address is verified and yet another profile's, where addresses are unique
    /// ([`with_unique_email`](crate::ProfileStore::with_unique_email)).
    pub email_conflict: bool,
    /// The application's attributes.
    #[serde(flatten)]
    pub application: A,
}

/// How often the application has changed its attributes. An update names the version that it was made from, and is
/// refused if somebody else was faster. Events do not count: they touch nothing of the application's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Version(u64);

impl Version {
    /// From the number in the item; 0 is a profile that the application has not written to.
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// The number in the item.
    pub const fn number(self) -> u64 {
        self.0
    }

    /// As HTTP's `ETag` and `If-Match` have it: the number in quotation marks.
    pub fn etag(self) -> String {
        format!("\"{}\"", self.0)
    }
}

/// An entity tag that is none of ours.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("this entity tag is no profile's version: send back the `ETag` that came with the profile, as it was")]
pub struct InvalidEtag;

impl FromStr for Version {
    type Err = InvalidEtag;

    /// Reads what [`Version::etag`] writes.
    fn from_str(etag: &str) -> Result<Self, InvalidEtag> {
        let number = etag.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).ok_or(InvalidEtag)?;
        number.parse().map(Self).map_err(|_| InvalidEtag)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_its_own_etag() {
        assert_eq!(Version::new(7).etag().parse(), Ok(Version::new(7)));
    }

    #[test]
    fn a_weak_etag_is_none_of_ours() {
        assert_eq!("W/\"7\"".parse::<Version>(), Err(InvalidEtag));
    }
}
