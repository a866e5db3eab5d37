//! A user as the user pool knows them.

use std::collections::{BTreeMap, BTreeSet};
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
    /// Whether the pool lets the user sign in.
    #[serde(default = "yes")]
    pub enabled: bool,
    /// The pool's groups that the user is in.
    #[serde(default)]
    pub groups: BTreeSet<String>,
    /// Other attributes of the pool, if the publisher was told to pass them on.
    #[serde(default)]
    pub attributes: BTreeMap<String, String>,
}

fn yes() -> bool {
    true
}

impl Identity {
    /// What a user's attributes say, under the names that Cognito has for them; of the others those that `passed_on`
    /// names. `None` without a `sub`. Attributes tell nothing of being enabled and of groups: the user is taken for
    /// enabled, and for a member of none.
    pub fn from_attributes(
        user_pool_id: &str,
        username: &str,
        attributes: &BTreeMap<String, String>,
        passed_on: &[String],
    ) -> Option<Self> {
        let value = |name: &str| attributes.get(name).filter(|value| !value.is_empty()).cloned();
        let passed_on = passed_on.iter().filter_map(|name| Some((name.clone(), value(name)?)));
        Some(Self {
            user_id: UserId::new(value("sub")?).ok()?,
            user_pool_id: user_pool_id.to_owned(),
            username: username.to_owned(),
            email: value("email"),
            email_verified: value("email_verified").is_some_and(|flag| flag.eq_ignore_ascii_case("true")),
            name: value("name"),
            enabled: true,
            groups: BTreeSet::new(),
            attributes: passed_on.collect(),
        })
    }

    /// What is not the same in two identities, by the names that events and items have for it. Empty if they are equal.
    pub fn differences(&self, other: &Self) -> Vec<&'static str> {
        let differs = [
            ("userId", self.user_id != other.user_id),
            ("userPoolId", self.user_pool_id != other.user_pool_id),
            ("username", self.username != other.username),
            ("email", self.email != other.email),
            ("emailVerified", self.email_verified != other.email_verified),
            ("name", self.name != other.name),
            ("enabled", self.enabled != other.enabled),
            ("groups", self.groups != other.groups),
            ("attributes", self.attributes != other.attributes),
        ];
        differs.into_iter().filter(|(_, differs)| *differs).map(|(name, _)| name).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(attributes: &[(&str, &str)]) -> Option<Identity> {
        let attributes = attributes.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Identity::from_attributes("eu-west-1_Pool", "ada", &attributes, &["locale".to_owned(), "zoneinfo".to_owned()])
    }

    #[test]
    fn attributes_are_read_under_the_pools_names() {
        let attributes = [("sub", "s"), ("email", "a@example.com"), ("email_verified", "TRUE"), ("locale", "en")];
        let ada = of(&attributes).expect("there is a sub");
        assert_eq!(
            (ada.user_id.as_str(), ada.email.as_deref(), ada.email_verified),
            ("s", Some("a@example.com"), true)
        );
        assert_eq!(ada.attributes, [("locale".to_owned(), "en".to_owned())].into());
    }

    #[test]
    fn without_a_sub_there_is_nobody() {
        assert_eq!(of(&[("email", "a@example.com")]), None);
    }

    #[test]
    fn an_empty_attribute_is_none() {
        assert_eq!(of(&[("sub", "s"), ("email", "")]).expect("there is a sub").email, None);
    }

    #[test]
    fn differences_have_the_names_of_fields() {
        let ada = of(&[("sub", "s")]).expect("there is a sub");
        let disabled = Identity { enabled: false, groups: ["staff".to_owned()].into(), ..ada.clone() };
        assert_eq!(ada.differences(&disabled), ["enabled", "groups"]);
        assert_eq!(ada.differences(&ada), <[&str; 0]>::default());
    }
}
