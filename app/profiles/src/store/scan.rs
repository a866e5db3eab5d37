//! Reads what a comparison with the pool needs: profiles without the application's part, tombstones, and what
//! something else has written to.

use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes, ReturnConsumedCapacity};
use serde::Deserialize;

use super::read::{cursor_of, key_of};
use super::unique::{MARKER, MARKER_KEY_PREFIX};
use super::{Cursor, ProfileStore};
use crate::decide::{AsOf, Standing};
use crate::error::Error;
use crate::identity::{Identity, UserId};
use crate::item::{self, Item};
use crate::profile::UserProfile;
use crate::table::{EMAIL_KEY, PARTITION_KEY, SORT_KEY};
use crate::timestamp::Timestamp;

/// `DynamoDB` takes no more keys in one `BatchGetItem`.
pub const BATCH_KEYS_MAX: usize = 100;

/// What is stored of a user, as far as the pool has a say in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Holding {
    /// Nothing that an event wrote.
    Absent,
    /// A profile.
    Profile {
        /// What it says of the user.
        identity: Box<Identity>,
        /// The event that wrote it last.
        as_of: AsOf,
        /// The time of the user's earliest event.
        created_at: Timestamp,
    },
    /// What a deletion leaves.
    Tombstone {
        /// The pool that the user was in.
        user_pool_id: String,
    },
    /// An attribute of ours that nobody of ours wrote so.
    Malformed {
        /// Which.
        attribute: &'static str,
    },
}

/// What says whose an address is, where addresses are unique. The addresses are [normalised](crate::normalised).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Claim {
    /// A marker: the address is reserved for its owner.
    Marker {
        /// For whom.
        owner: UserId,
        /// Which.
        address: String,
    },
    /// What a profile says.
    Profile {
        /// Whose it is.
        user: UserId,
        /// Of which pool.
        user_pool_id: String,
        /// The address that it says is reserved for it.
        reserved: Option<String>,
        /// The address that should be: its own, if it is verified.
        wanted: Option<String>,
        /// Whether it says that the address is another's.
        is_in_conflict: bool,
    },
}

/// One answer of a scan.
#[derive(Clone, Debug)]
pub struct ScanPage {
    /// Everybody of whom something is stored, in no order that means anything.
    pub stored: Vec<(UserId, Holding)>,
    /// Whose addresses are; nothing where they are not unique.
    pub claims: Vec<Claim>,
    /// Where the next page begins; `None` after the last. A page may be empty and not the last.
    pub next: Option<Cursor>,
    /// How many items were looked at.
    pub items: u64,
    /// What it has cost, in read capacity units.
    pub capacity: f64,
}

/// One answer of a reading of several.
#[derive(Clone, Debug)]
pub struct BatchPage {
    /// Whoever was asked for and of whom something is stored.
    pub stored: Vec<(UserId, Holding)>,
    /// Whom `DynamoDB` had no room for in its answer: ask again.
    pub left: Vec<UserId>,
    /// What it has cost, in read capacity units.
    pub capacity: f64,
}

const FILTER: &str = "sk = :profile AND attribute_exists(identityAsOf)";
const FILTER_UNIQUE: &str = "(sk = :profile AND attribute_exists(identityAsOf)) OR sk = :marker";

/// No attribute of the application's: they are nobody's business here, and may have any shape.
#[derive(Deserialize)]
struct Nothing {}

impl ProfileStore {
    /// The table's name.
    pub fn table(&self) -> &str {
        &self.table
    }

    /// What is stored of a user, as the last write has left it.
    pub async fn holding(&self, user: &UserId) -> Result<Holding, Error> {
        Ok(self.read(user).await?.map_or(Holding::Absent, holding))
    }

    /// Whether verified addresses are one profile's alone.
    pub fn has_unique_email(&self) -> bool {
        self.unique_email
    }

    /// What the profile of a user says of its address, as the last write has left it.
    pub async fn claim(&self, user: &UserId) -> Result<Option<Claim>, Error> {
        Ok(self.read(user).await?.as_ref().and_then(claim))
    }

    /// What is stored of everybody, a page of up to a mebibyte of items (or `items_max`) at a time. Half a unit of
    /// capacity for each four kibibytes, because readings may be some moments old.
    pub async fn scan_holdings(&self, after: Option<&Cursor>, items_max: Option<u32>) -> Result<ScanPage, Error> {
        let answer = self
            .client
            .scan()
            .table_name(&self.table)
            .filter_expression(if self.unique_email { FILTER_UNIQUE } else { FILTER })
            .set_expression_attribute_values(Some(self.scan_values()))
            .set_exclusive_start_key(after.map(key_of))
            .set_limit(items_max.map(|items| i32::try_from(items).unwrap_or(i32::MAX)))
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await
            .map_err(|error| Error::from_sdk("Scan", &self.table, &error))?;
        let next = answer.last_evaluated_key.as_ref().map(cursor_of).transpose()?;
        let items = u64::try_from(answer.scanned_count).unwrap_or_default();
        let capacity = answer.consumed_capacity.and_then(|consumed| consumed.capacity_units).unwrap_or_default();
        let found = answer.items.unwrap_or_default();
        let claims = if self.unique_email { found.iter().filter_map(claim).collect() } else { Vec::new() };
        let stored = found.into_iter().filter_map(named).collect();
        Ok(ScanPage { stored, claims, next, items, capacity })
    }

    fn scan_values(&self) -> Item {
        let mut values = Item::from([(":profile".to_owned(), item::text(item::PROFILE))]);
        if self.unique_email {
            values.insert(":marker".to_owned(), item::text(MARKER));
        }
        values
    }

    /// What is stored of up to [`BATCH_KEYS_MAX`] users, as the last writes have left it.
    pub async fn holdings_of(&self, users: &[UserId]) -> Result<BatchPage, Error> {
        let keys = KeysAndAttributes::builder().consistent_read(true);
        let keys = keys.set_keys(Some(users.iter().map(item::key).collect())).build();
        let keys = keys.expect("the keys are set");
        let answer = self
            .client
            .batch_get_item()
            .request_items(&self.table, keys)
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await
            .map_err(|error| Error::from_sdk("BatchGetItem", &self.table, &error))?;
        let capacity = answer.consumed_capacity().iter().filter_map(|table| table.capacity_units).sum();
        let mut answers = answer.responses.unwrap_or_default();
        let stored = answers.remove(&self.table).unwrap_or_default().into_iter().filter_map(named).collect();
        let left = answer.unprocessed_keys.unwrap_or_default().remove(&self.table);
        let left = left.map(|left| left.keys.iter().filter_map(user_of).collect()).unwrap_or_default();
        Ok(BatchPage { stored, left, capacity })
    }
}

/// The user of an item by its key, which is ours whatever else somebody has written into it.
fn user_of(item: &Item) -> Option<UserId> {
    let text = |name: &str| item.get(name).and_then(|value| value.as_s().ok());
    let user = text(PARTITION_KEY)?.strip_prefix("USER#")?;
    (text(SORT_KEY)? == item::PROFILE).then(|| UserId::new(user).ok()).flatten()
}

/// What an item says of an address; `None` if it is neither a marker nor a profile.
fn claim(item: &Item) -> Option<Claim> {
    let text = |name: &str| item.get(name).and_then(|value| value.as_s().ok()).cloned();
    if text(SORT_KEY)? == MARKER {
        let address = text(PARTITION_KEY)?.strip_prefix(MARKER_KEY_PREFIX)?.to_owned();
        return Some(Claim::Marker { owner: UserId::new(text(item::USER_ID)?).ok()?, address });
    }
    let Ok(Standing::Profile { .. }) = item::standing(Some(item)) else { return None };
    let is_verified = matches!(item.get(item::EMAIL_VERIFIED), Some(AttributeValue::Bool(true)));
    Some(Claim::Profile {
        user: user_of(item)?,
        user_pool_id: text(item::USER_POOL_ID)?,
        reserved: item::reserved(Some(item)),
        wanted: text(EMAIL_KEY).filter(|_| is_verified),
        is_in_conflict: item::is_in_conflict(item),
    })
}

fn named(item: Item) -> Option<(UserId, Holding)> {
    let user = user_of(&item)?;
    match holding(item) {
        Holding::Absent => None,
        stored => Some((user, stored)),
    }
}

fn holding(item: Item) -> Holding {
    let user_pool_id = item.get(item::USER_POOL_ID).and_then(|value: &AttributeValue| value.as_s().ok()).cloned();
    match item::standing(Some(&item)) {
        Ok(Standing::Absent) => Holding::Absent,
        Ok(Standing::Tombstone { .. }) => Holding::Tombstone { user_pool_id: user_pool_id.unwrap_or_default() },
        Ok(Standing::Profile { .. }) => match item::profile::<Nothing>(item) {
            Ok(None) => Holding::Absent,
            Ok(Some(UserProfile { identity, as_of, created_at, .. })) => {
                Holding::Profile { identity: Box::new(identity), as_of, created_at }
            }
            Err(error) => malformed(&error),
        },
        Err(error) => malformed(&error),
    }
}

fn malformed(error: &Error) -> Holding {
    match error {
        Error::MalformedItem { attribute, .. } => Holding::Malformed { attribute },
        _ => Holding::Malformed { attribute: item::USER_ID },
    }
}
