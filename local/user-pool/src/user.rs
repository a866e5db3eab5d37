//! A user and the states they go through.

use std::fmt;

use serde::{Deserialize, Serialize};
use world::Timestamp;

use crate::attributes::Attributes;
use crate::code::{Code, Purpose};
use crate::limit::Attempts;
use crate::owed::Owed;
use crate::pool::{PoolId, Settings};
use crate::srp::Verifier;

/// A user's id for ever: a UUID by its looks.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Sub(pub String);

impl fmt::Display for Sub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// `UserStatusType`, without the states that AWS no longer uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Signed up, waiting for the code.
    Unconfirmed,
    /// May sign in.
    Confirmed,
    /// Must set a new password by a code first.
    ResetRequired,
    /// Made by an administrator; must replace the temporary password at the first sign-in.
    ForceChangePassword,
    /// Signs in through an identity provider.
    ExternalProvider,
}

impl Status {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Unconfirmed, Self::Confirmed, Self::ResetRequired, Self::ForceChangePassword, Self::ExternalProvider];

    /// AWS's word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unconfirmed => "UNCONFIRMED",
            Self::Confirmed => "CONFIRMED",
            Self::ResetRequired => "RESET_REQUIRED",
            Self::ForceChangePassword => "FORCE_CHANGE_PASSWORD",
            Self::ExternalProvider => "EXTERNAL_PROVIDER",
        }
    }

    /// The reverse of [`Status::as_str`].
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == name)
    }
}

/// A user as the store keeps them.
#[derive(Clone, Debug)]
pub struct User {
    /// The store's own key; pages of `ListUsers` go by it.
    pub row: i64,
    pub pool: PoolId,
    pub sub: Sub,
    /// As given at sign-up, or the sub where an address or number takes the place of a name.
    pub username: String,
    pub status: Status,
    pub enabled: bool,
    /// Without `sub`.
    pub attributes: Attributes,
    /// Nobody without one can sign in by password.
    pub verifier: Option<Verifier>,
    /// When the temporary password of [`Status::ForceChangePassword`] stops to work.
    pub temporary_password_until: Option<Timestamp>,
    /// Codes that were sent and not yet used: one per purpose.
    pub codes: Vec<Code>,
    /// How often everything of theirs was signed out: part of every token's `origin_jti`, so that one number
    /// revokes all tokens of before.
    pub sign_outs: u16,
    /// What they did lately that may not be done too often.
    pub attempts: Attempts,
    pub created: Timestamp,
    pub modified: Timestamp,
    /// The trigger that the change now being made must run: stored with it, and not read back.
    pub owed: Option<Owed>,
}

impl User {
    /// A new user, in nobody's store yet.
    pub fn new(pool: &PoolId, sub: Sub, username: String, status: Status, now: Timestamp) -> Self {
        Self {
            row: 0,
            pool: pool.clone(),
            sub,
            username,
            status,
            enabled: true,
            attributes: Attributes::default(),
            verifier: None,
            temporary_password_until: None,
            codes: Vec::new(),
            sign_outs: 0,
            attempts: Attempts::default(),
            created: now,
            modified: now,
            owed: None,
        }
    }

    /// Ends every sign-in of before.
    pub fn sign_out_everywhere(&mut self) {
        self.sign_outs = self.sign_outs.wrapping_add(1);
    }

    /// Whether an attribute (`email`, `phone_number`) is there and verified.
    pub fn has_verified(&self, attribute: &str) -> bool {
        self.attributes.get(attribute).is_some() && self.attributes.is_true(&format!("{attribute}_verified"))
    }

    /// The code sent for a purpose.
    pub fn code(&self, purpose: Purpose) -> Option<&Code> {
        self.codes.iter().find(|code| code.purpose == purpose)
    }

    /// Puts a code in place of an older one for the same purpose.
    pub fn set_code(&mut self, code: Code) {
        self.codes.retain(|old| old.purpose != code.purpose);
        self.codes.push(code);
    }

    /// Takes the code for a purpose away: it is used up.
    pub fn take_code(&mut self, purpose: Purpose) -> Option<Code> {
        let at = self.codes.iter().position(|code| code.purpose == purpose)?;
        Some(self.codes.swap_remove(at))
    }

    /// Every name that finds this user at sign-in, with its kind: the name itself; where addresses or numbers take
    /// its place, those, verified or not; aliases once they are verified. Whoever comes from an identity provider has
    /// the name alone, so that somebody else may have the same address.
    pub fn sign_in_names(&self, settings: &Settings) -> Vec<(&'static str, String)> {
        let mut names = vec![("username", settings.fold(&self.username))];
        if self.status == Status::ExternalProvider {
            return names;
        }
        for attribute in ["email", "phone_number"] {
            let Some(value) = self.attributes.get(attribute) else { continue };
            let is_name = settings.has_username_attribute(attribute);
            if is_name || (settings.has_alias(attribute) && self.has_verified(attribute)) {
                names.push((attribute, settings.fold(value)));
            }
        }
        if settings.has_alias("preferred_username")
            && let Some(value) = self.attributes.get("preferred_username")
        {
            names.push(("preferred_username", settings.fold(value)));
        }
        names
    }

    /// All names of this person, for the timeline.
    pub fn known_as(&self) -> Vec<String> {
        let mut names = vec![self.sub.0.clone(), self.username.clone()];
        names.extend(["email", "phone_number"].into_iter().filter_map(|name| self.attributes.get(name)).cloned());
        names.dedup();
        names
    }
}

#[cfg(test)]
mod tests;
