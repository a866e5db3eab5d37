//! Reads profiles: one, those with an address, all.

use aws_sdk_dynamodb::types::AttributeValue;
use serde::de::DeserializeOwned;

use super::{Cursor, ProfileStore};
use crate::address::normalised;
use crate::decide::Standing;
use crate::error::Error;
use crate::identity::UserId;
use crate::item::{self, Item};
use crate::profile::{Attributes, UserProfile};
use crate::table::{EMAIL_INDEX, PARTITION_KEY, SORT_KEY};

/// The longest page.
pub const PAGE_LIMIT_MAX: u16 = 1000;

/// How many items at least one reading of the table looks at: not every item is a profile.
const SCAN_ITEMS_MIN: usize = 25;

/// How often the table is read for one page, so that a page comes soon even where profiles are rare.
const SCANS_PER_PAGE_MAX: usize = 10;

/// Some of the profiles.
#[derive(Clone, Debug)]
pub struct Page<A = Attributes> {
    /// In no order that means anything.
    pub profiles: Vec<UserProfile<A>>,
    /// Where the next page begins; `None` after the last. A page may be short, or even empty, and not be the last.
    pub next: Option<Cursor>,
}

impl ProfileStore {
    /// The profile of a user, as the last write has left it. `None` before the first event, and after a deletion.
    pub async fn get<A: DeserializeOwned>(&self, user: &UserId) -> Result<Option<UserProfile<A>>, Error> {
        match self.read(user).await? {
            Some(item) => item::profile(item),
            None => Ok(None),
        }
    }

    /// What is stored of a user, as far as events are concerned: tells a deleted user from one never heard of.
    pub async fn standing(&self, user: &UserId) -> Result<Standing, Error> {
        item::standing(self.read(user).await?.as_ref())
    }

    /// Every profile with this address, whatever its case. There may be several: a pool can have one person as a
    /// native and as a federated user, and pools may share a table. An index is read, so a write of the last moment
    /// may be missing.
    pub async fn get_by_email<A: DeserializeOwned>(&self, address: &str) -> Result<Vec<UserProfile<A>>, Error> {
        let Some(email_key) = normalised(address) else { return Ok(Vec::new()) };
        let mut profiles = Vec::new();
        let mut start: Option<Item> = None;
        loop {
            let answer = self
                .client
                .query()
                .table_name(&self.table)
                .index_name(EMAIL_INDEX)
                .key_condition_expression("emailKey = :address")
                .filter_expression("sk = :profile")
                .expression_attribute_values(":address", item::text(email_key.as_str()))
                .expression_attribute_values(":profile", item::text(item::PROFILE))
                .set_exclusive_start_key(start)
                .send()
                .await
                .map_err(|error| Error::from_sdk("Query", &self.table, &error))?;
            for item in answer.items.unwrap_or_default() {
                profiles.extend(item::profile(item)?);
            }
            start = answer.last_evaluated_key;
            if start.is_none() {
                return Ok(profiles);
            }
        }
    }

    /// Up to `limit` profiles (1 to [`PAGE_LIMIT_MAX`]), from the beginning or from where a page has ended.
    pub async fn list<A: DeserializeOwned>(&self, limit: u16, after: Option<&Cursor>) -> Result<Page<A>, Error> {
        let limit = usize::from(limit.clamp(1, PAGE_LIMIT_MAX));
        let mut profiles = Vec::new();
        let mut start = after.map(key_of);
        for _ in 0..SCANS_PER_PAGE_MAX {
            let (items, end) = self.scan((limit - profiles.len()).max(SCAN_ITEMS_MIN), start).await?;
            let mut items = items.into_iter();
            while let Some(item) = items.next() {
                let cursor = cursor_of(&item)?;
                profiles.extend(item::profile(item)?);
                let more = items.len() > 0 || end.is_some();
                if profiles.len() == limit {
                    return Ok(Page { profiles, next: more.then_some(cursor) });
                }
            }
            start = end;
            if start.is_none() {
                break;
            }
        }
        let next = start.as_ref().map(cursor_of).transpose()?;
        Ok(Page { profiles, next })
    }

    async fn scan(&self, items_max: usize, start: Option<Item>) -> Result<(Vec<Item>, Option<Item>), Error> {
        let answer = self
            .client
            .scan()
            .table_name(&self.table)
            .limit(i32::try_from(items_max).unwrap_or(i32::MAX))
            .filter_expression("sk = :profile AND attribute_exists(identityAsOf) AND attribute_not_exists(deletedAt)")
            .expression_attribute_values(":profile", item::text(item::PROFILE))
            .set_exclusive_start_key(start)
            .send()
            .await
            .map_err(|error| Error::from_sdk("Scan", &self.table, &error))?;
        Ok((answer.items.unwrap_or_default(), answer.last_evaluated_key))
    }

    pub(super) async fn read(&self, user: &UserId) -> Result<Option<Item>, Error> {
        let answer = self
            .client
            .get_item()
            .table_name(&self.table)
            .set_key(Some(item::key(user)))
            .consistent_read(true)
            .send()
            .await
            .map_err(|error| Error::from_sdk("GetItem", &self.table, &error))?;
        Ok(answer.item)
    }
}

fn key_of(cursor: &Cursor) -> Item {
    Item::from([
        (PARTITION_KEY.to_owned(), item::text(&cursor.partition_key)),
        (SORT_KEY.to_owned(), item::text(&cursor.sort_key)),
    ])
}

fn cursor_of(item: &Item) -> Result<Cursor, Error> {
    let part = |attribute: &'static str| match item.get(attribute) {
        Some(AttributeValue::S(text)) => Ok(text.clone()),
        _ => Err(Error::MalformedItem { key: String::new(), attribute }),
    };
    Ok(Cursor { partition_key: part(PARTITION_KEY)?, sort_key: part(SORT_KEY)? })
}
