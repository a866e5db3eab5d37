//! The item: names of attributes, and the way from an item to a profile and from an identity to an item.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use serde::de::DeserializeOwned;

use crate::address::normalised;
use crate::decide::{AsOf, Standing};
use crate::error::Error;
use crate::event::SCHEMA_VERSION;
use crate::identity::{Identity, UserId};
use crate::profile::{UserProfile, Version};
use crate::table::{EMAIL_KEY, EXPIRY, PARTITION_KEY, SORT_KEY};
use crate::timestamp::Timestamp;

pub(crate) type Item = HashMap<String, AttributeValue>;

/// The sort key of a profile. Other sort keys under a user's partition key are free for the application, except
/// `WELCOME`, where `welcome-email` remembers that it wrote.
pub(crate) const PROFILE: &str = "PROFILE";

pub(crate) const USER_ID: &str = "userId";
pub(crate) const USER_POOL_ID: &str = "userPoolId";
pub(crate) const USERNAME: &str = "username";
pub(crate) const EMAIL: &str = "email";
pub(crate) const EMAIL_VERIFIED: &str = "emailVerified";
pub(crate) const NAME: &str = "name";
pub(crate) const IDENTITY_ATTRIBUTES: &str = "identityAttributes";
pub(crate) const IDENTITY_GROUPS: &str = "identityGroups";
pub(crate) const IDENTITY_STATUS: &str = "identityStatus";
pub(crate) const IDENTITY_AS_OF: &str = "identityAsOf";
pub(crate) const IDENTITY_EVENT_ID: &str = "identityEventId";
pub(crate) const CREATED_AT: &str = "createdAt";
pub(crate) const UPDATED_AT: &str = "updatedAt";
pub(crate) const DELETED_AT: &str = "deletedAt";
pub(crate) const SCHEMA_VERSION_NAME: &str = "schemaVersion";
pub(crate) const VERSION: &str = "version";

/// The normalised address that the user's marker reserves; only where addresses are unique.
pub(crate) const UNIQUE_EMAIL: &str = "uniqueEmail";
/// Set where the user's address is another's; only where addresses are unique.
pub(crate) const EMAIL_CONFLICT: &str = "emailConflict";

const ACTIVE: &str = "ACTIVE";
const DISABLED: &str = "DISABLED";
const DELETED: &str = "DELETED";

/// The attributes of a profile's item that Tandem owns. Every other name is the application's.
pub const OWNED_ATTRIBUTES: &[&str] = &[
    PARTITION_KEY,
    SORT_KEY,
    USER_ID,
    USER_POOL_ID,
    USERNAME,
    EMAIL,
    EMAIL_KEY,
    EMAIL_VERIFIED,
    EMAIL_CONFLICT,
    UNIQUE_EMAIL,
    NAME,
    IDENTITY_ATTRIBUTES,
    IDENTITY_GROUPS,
    IDENTITY_STATUS,
    IDENTITY_AS_OF,
    IDENTITY_EVENT_ID,
    CREATED_AT,
    UPDATED_AT,
    DELETED_AT,
    EXPIRY,
    SCHEMA_VERSION_NAME,
    VERSION,
];

/// The partition key of everything about a user: `USER#` and the user's `sub`.
pub fn partition_key(user: &UserId) -> String {
    format!("USER#{user}")
}

/// The key of a user's profile.
pub(crate) fn key(user: &UserId) -> Item {
    Item::from([(PARTITION_KEY.to_owned(), text(partition_key(user))), (SORT_KEY.to_owned(), text(PROFILE))])
}

pub(crate) fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

pub(crate) fn number(value: impl Into<u64>) -> AttributeValue {
    AttributeValue::N(value.into().to_string())
}

/// What an identity writes into the item; `None` where an attribute must go. The times are not among them: those
/// depend on what is there.
pub(crate) fn identity_attributes(identity: &Identity, as_of: AsOf) -> Vec<(&'static str, Option<AttributeValue>)> {
    let others = identity.attributes.iter().map(|(name, value)| (name.clone(), text(value))).collect::<Item>();
    // A set must have members.
    let groups = (!identity.groups.is_empty()).then(|| AttributeValue::Ss(identity.groups.iter().cloned().collect()));
    vec![
        (USER_ID, Some(text(identity.user_id.as_str()))),
        (USER_POOL_ID, Some(text(&identity.user_pool_id))),
        (USERNAME, Some(text(&identity.username))),
        (EMAIL, identity.email.as_ref().map(text)),
        (EMAIL_KEY, identity.email.as_deref().and_then(normalised).map(text)),
        (EMAIL_VERIFIED, Some(AttributeValue::Bool(identity.email_verified))),
        (NAME, identity.name.as_ref().map(text)),
        (IDENTITY_ATTRIBUTES, (!others.is_empty()).then_some(AttributeValue::M(others))),
        (IDENTITY_GROUPS, groups),
        (IDENTITY_STATUS, Some(text(if identity.enabled { ACTIVE } else { DISABLED }))),
        (IDENTITY_AS_OF, Some(text(as_of.occurred_at))),
        (IDENTITY_EVENT_ID, Some(text(as_of.event_id))),
        (SCHEMA_VERSION_NAME, Some(number(SCHEMA_VERSION))),
    ]
}

/// What a deletion leaves: who it was by id, and nothing personal.
pub(crate) fn tombstone(user: &UserId, user_pool_id: &str, as_of: AsOf, expires_at: Timestamp) -> Item {
    let attributes = [
        (USER_ID, text(user.as_str())),
        (USER_POOL_ID, text(user_pool_id)),
        (IDENTITY_STATUS, text(DELETED)),
        (IDENTITY_AS_OF, text(as_of.occurred_at)),
        (IDENTITY_EVENT_ID, text(as_of.event_id)),
        (DELETED_AT, text(as_of.occurred_at)),
        (EXPIRY, number(expires_at.seconds())),
        (SCHEMA_VERSION_NAME, number(SCHEMA_VERSION)),
    ];
    let mut item = key(user);
    item.extend(attributes.map(|(name, value)| (name.to_owned(), value)));
    item
}

/// What an item says about its user, as far as events are concerned.
pub(crate) fn standing(item: Option<&Item>) -> Result<Standing, Error> {
    let Some(item) = item else { return Ok(Standing::Absent) };
    if !item.contains_key(IDENTITY_AS_OF) {
        return Ok(Standing::Absent);
    }
    let as_of = as_of(item)?;
    if item.contains_key(DELETED_AT) {
        return Ok(Standing::Tombstone { as_of });
    }
    Ok(Standing::Profile { as_of, created_at: owned(item, CREATED_AT)? })
}

/// The profile in an item; `None` for a tombstone, and for an item that no event has written to yet.
pub(crate) fn profile<A: DeserializeOwned>(mut item: Item) -> Result<Option<UserProfile<A>>, Error> {
    if !matches!(standing(Some(&item))?, Standing::Profile { .. }) {
        return Ok(None);
    }
    let identity = Identity {
        user_id: owned(&item, USER_ID)?,
        user_pool_id: owned(&item, USER_POOL_ID)?,
        username: owned(&item, USERNAME)?,
        email: owned(&item, EMAIL)?,
        email_verified: owned::<Option<bool>>(&item, EMAIL_VERIFIED)?.unwrap_or_default(),
        name: owned(&item, NAME)?,
        enabled: owned::<Option<String>>(&item, IDENTITY_STATUS)?.is_none_or(|status| status != DISABLED),
        groups: owned::<Option<_>>(&item, IDENTITY_GROUPS)?.unwrap_or_default(),
        attributes: owned::<Option<_>>(&item, IDENTITY_ATTRIBUTES)?.unwrap_or_default(),
    };
    let as_of = as_of(&item)?;
    let created_at = owned(&item, CREATED_AT)?;
    let updated_at = owned(&item, UPDATED_AT)?;
    let version = version(&item)?;
    let email_conflict = is_in_conflict(&item);
    for name in OWNED_ATTRIBUTES {
        item.remove(*name);
    }
    let application = serde_dynamo::from_item(item)
        .map_err(|source| Error::ApplicationAttributes { user: identity.user_id.clone(), source: Box::new(source) })?;
    Ok(Some(UserProfile { identity, as_of, created_at, updated_at, version, email_conflict, application }))
}

/// The version of the application's attributes; an item that the application has not written to has none.
pub(crate) fn version(item: &Item) -> Result<Version, Error> {
    Ok(owned::<Option<_>>(item, VERSION)?.unwrap_or_default())
}

/// Whether somebody else has the user's address.
pub(crate) fn is_in_conflict(item: &Item) -> bool {
    matches!(item.get(EMAIL_CONFLICT), Some(AttributeValue::Bool(true)))
}

/// The address that the profile says is reserved for it.
pub(crate) fn reserved(item: Option<&Item>) -> Option<String> {
    item?.get(UNIQUE_EMAIL)?.as_s().ok().cloned()
}

fn as_of(item: &Item) -> Result<AsOf, Error> {
    Ok(AsOf { occurred_at: owned(item, IDENTITY_AS_OF)?, event_id: owned(item, IDENTITY_EVENT_ID)? })
}

pub(crate) fn owned<T: DeserializeOwned>(item: &Item, attribute: &'static str) -> Result<T, Error> {
    let value = item.get(attribute).cloned().unwrap_or(AttributeValue::Null(true));
    // Serde's words would quote the value, which may be personal.
    serde_dynamo::from_attribute_value(value).map_err(|_| {
        let key = item.get(PARTITION_KEY).and_then(|value| value.as_s().ok());
        Error::MalformedItem { key: key.cloned().unwrap_or_default(), attribute }
    })
}
