//! A user as Cognito's API describes them.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_cognitoidentityprovider::primitives::DateTime;
use aws_sdk_cognitoidentityprovider::types::{AttributeType, UserType};
use tandem_profiles::{Identity, Timestamp, UserId};

/// The status of a user who has signed up and confirmed nothing.
pub const UNCONFIRMED: &str = "UNCONFIRMED";

/// A user of a pool, without their groups, which are asked for apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PoolUser {
    /// The `sub`.
    pub id: UserId,
    /// The name in the pool.
    pub username: String,
    /// Cognito's `UserStatus`.
    pub status: String,
    /// Whether the user may sign in.
    pub enabled: bool,
    /// When the user was created.
    pub created_at: Timestamp,
    /// When anything but groups was last changed.
    pub modified_at: Timestamp,
    /// All attributes, under Cognito's names.
    pub attributes: BTreeMap<String, String>,
}

impl PoolUser {
    /// Whether the user should have a profile: who has confirmed nothing may be anybody, and nobody was told of them.
    pub fn has_profile(&self) -> bool {
        self.status != UNCONFIRMED
    }

    /// What a profile should say; of attributes beside address and name those that `passed_on` names.
    pub fn identity(&self, user_pool_id: &str, groups: BTreeSet<String>, passed_on: &[String]) -> Identity {
        let identity = Identity::from_attributes(user_pool_id, &self.username, &self.attributes, passed_on);
        let identity = identity.expect("a user with an id has a sub");
        Identity { enabled: self.enabled, groups, ..identity }
    }

    /// `None` for a user without a `sub`, whom there is not.
    pub(crate) fn from_sdk(user: UserType) -> Option<Self> {
        let attributes = attributes(user.attributes.unwrap_or_default());
        Some(Self {
            id: UserId::new(attributes.get("sub")?).ok()?,
            username: user.username.unwrap_or_default(),
            status: user.user_status.map(|status| status.as_str().to_owned()).unwrap_or_default(),
            enabled: user.enabled,
            created_at: timestamp(user.user_create_date),
            modified_at: timestamp(user.user_last_modified_date),
            attributes,
        })
    }
}

fn attributes(list: Vec<AttributeType>) -> BTreeMap<String, String> {
    list.into_iter().map(|attribute| (attribute.name, attribute.value.unwrap_or_default())).collect()
}

fn timestamp(time: Option<DateTime>) -> Timestamp {
    Timestamp::from_millis(time.and_then(|time| time.to_millis().ok()).unwrap_or_default())
}
