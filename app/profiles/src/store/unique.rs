//! Writes what events say where addresses are unique: the profile and its reservation in one transaction.
//!
//! A reservation is an item of its own, the marker, whose key is the address: `DynamoDB` keeps no attribute unique but
//! a key. The profile says in `uniqueEmail` which marker is its own, so that both can be checked against each other,
//! and a change of address frees the old one. A marker is taken if it is free and given up by its owner alone; never is
//! one looked for first and written afterwards.
//!
//! The item is read before it is written, since the old address is in it. Whatever was different by the time of the
//! write makes its condition fail, and the event is looked at again.

use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{
    AttributeValue, CancellationReason, ConditionCheck, Delete, Put, ReturnValuesOnConditionCheckFailure,
    TransactWriteItem, Update,
};

use super::ProfileStore;
use super::apply::{Applied, ItemChange, Written, identity_change, undeleted_or_newer};
use crate::address::normalised;
use crate::decide::{Decision, Ignored, Standing, decide};
use crate::error::Error;
use crate::event::{Change, DeletedUser, IdentityEvent};
use crate::identity::{Identity, UserId};
use crate::item::{self, EMAIL_CONFLICT, IDENTITY_AS_OF, IDENTITY_EVENT_ID, Item, UNIQUE_EMAIL, UPDATED_AT, USER_ID};
use crate::store::apply::TOMBSTONE_DAYS;
use crate::table::{EMAIL_KEY, PARTITION_KEY, SORT_KEY};
use crate::timestamp::Timestamp;

/// What the partition key of a marker begins with; the [normalised] address follows.
pub const MARKER_KEY_PREFIX: &str = "EMAIL#";

/// The sort key of a marker.
pub(crate) const MARKER: &str = "EMAIL";

/// How often an event is looked at while somebody else writes to the same items.
const ATTEMPTS: u32 = 8;

/// Whether a profile has its address for itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reservation {
    /// There is nothing to reserve: no profile, no address, or one that nobody has verified.
    None,
    /// The address is the profile's.
    Held,
    /// The address is another profile's.
    Conflict {
        /// Whose.
        owner: UserId,
    },
}

/// What a profile has and what it is to have.
struct Addresses {
    held: Option<String>,
    wanted: Option<String>,
}

/// How a transaction ended.
enum Transaction {
    Done,
    /// Somebody else has written to the profile meanwhile.
    Outrun,
    /// The address is reserved for another user.
    Owned(UserId),
    /// The marker that the profile has for its own is another's: somebody wrote to it who should not.
    NotHeld,
}

impl ProfileStore {
    pub(super) async fn apply_unique(&self, event: &IdentityEvent, now: Timestamp) -> Result<Applied, Error> {
        let user = event.user_id();
        let mut trust_held = true;
        for _ in 0..ATTEMPTS {
            let item = self.read(user).await?;
            let standing = item::standing(item.as_ref())?;
            let held = item::reserved(item.as_ref()).filter(|_| trust_held);
            let done = if standing == Standing::Absent { Applied::Created } else { Applied::Updated };
            let ended = match (decide(&standing, event), &event.change) {
                (Decision::Ignore(ignored), _) => return self.ignored(ignored, item).await,
                (Decision::Backdate, _) => {
                    self.backdate(user, event.as_of(), now).await?;
                    return Ok(Applied::Stale);
                }
                (_, Change::Created(identity) | Change::Updated(identity)) => {
                    let change = identity_change(identity, event.as_of(), now);
                    let addresses = Addresses { held, wanted: wanted(identity) };
                    self.write_reserving(user, change, item.as_ref(), addresses, done).await?
                }
                (_, Change::Deleted(gone)) => self.erase_freeing(gone, event, item.as_ref(), held, now).await?,
            };
            match ended {
                Ok(applied) => return Ok(applied),
                Err(Transaction::NotHeld) => trust_held = false,
                Err(_) => {}
            }
        }
        Err(self.outrun())
    }

    /// Who has reserved an address, by its [normalised] form.
    pub async fn owner_of(&self, address: &str) -> Result<Option<UserId>, Error> {
        let answer = self
            .client
            .get_item()
            .table_name(&self.table)
            .set_key(Some(marker_key(address)))
            .consistent_read(true)
            .send()
            .await
            .map_err(|error| Error::from_sdk("GetItem", &self.table, &error))?;
        Ok(answer.item.as_ref().and_then(owner))
    }

    /// Brings a profile and the markers in step, whatever has come between them: reserves the address if it is free,
    /// notes a conflict if it is not, and forgets a conflict that is over.
    pub async fn mend_reservation(&self, user: &UserId, now: Timestamp) -> Result<Reservation, Error> {
        let mut trust_held = true;
        for _ in 0..ATTEMPTS {
            let Some(item) = self.read(user).await? else { return Ok(Reservation::None) };
            let Standing::Profile { as_of, .. } = item::standing(Some(&item))? else { return Ok(Reservation::None) };
            let email: Option<String> = item::owned(&item, EMAIL_KEY)?;
            let verified = item::owned::<Option<bool>>(&item, item::EMAIL_VERIFIED)?.unwrap_or_default();
            let wanted = email.filter(|_| verified);
            // Written even where it says what it said: the marker may be gone.
            let held = item::reserved(Some(&item)).filter(|held| trust_held && Some(held) != wanted.as_ref());
            let mut change = ItemChange::new(format!("{IDENTITY_AS_OF} = :{IDENTITY_AS_OF}"));
            change.values.insert(format!(":{IDENTITY_AS_OF}"), item::text(as_of.occurred_at));
            change.put(UPDATED_AT, Some(item::text(now)));
            let reserved = wanted.is_some();
            let addresses = Addresses { held, wanted };
            match self.write_reserving(user, change, Some(&item), addresses, Applied::Updated).await? {
                Ok(Applied::Conflict { owner }) => return Ok(Reservation::Conflict { owner }),
                Ok(_) => return Ok(if reserved { Reservation::Held } else { Reservation::None }),
                Err(Transaction::NotHeld) => trust_held = false,
                Err(_) => {}
            }
        }
        Err(self.outrun())
    }

    /// Takes away a marker whose owner does not say that it is theirs. `false` if they do by now, or if it is gone.
    pub async fn free_marker(&self, address: &str, owner: &UserId) -> Result<bool, Error> {
        let disowned = ConditionCheck::builder()
            .table_name(&self.table)
            .set_key(Some(item::key(owner)))
            .condition_expression(format!("attribute_not_exists({UNIQUE_EMAIL}) OR {UNIQUE_EMAIL} <> :address"))
            .expression_attribute_values(":address", item::text(address))
            .build();
        let disowned = TransactWriteItem::builder().condition_check(built(disowned)).build();
        let delete = self.delete_marker(address, owner, "userId = :user");
        let ended = self.transact(vec![disowned, delete]).await?;
        Ok(ended.is_none())
    }

    /// The profile with its address, or else with the conflict; `Err` if it has to be looked at again.
    async fn write_reserving(
        &self,
        user: &UserId,
        mut change: ItemChange,
        item: Option<&Item>,
        addresses: Addresses,
        done: Applied,
    ) -> Result<Result<Applied, Transaction>, Error> {
        // What the item says now must be what the markers are chosen by.
        match item::reserved(item) {
            Some(reserved) => {
                change.condition = format!("{} AND {UNIQUE_EMAIL} = :reserved", change.condition);
                change.values.insert(":reserved".into(), item::text(reserved));
            }
            None => change.condition = format!("{} AND attribute_not_exists({UNIQUE_EMAIL})", change.condition),
        }
        let Addresses { held, wanted } = addresses;
        let reserving = change.clone().with(UNIQUE_EMAIL, wanted.as_ref().map(item::text)).with(EMAIL_CONFLICT, None);
        if held == wanted {
            return Ok(match self.update_item(reserving, user).await? {
                Written::Done(_) => Ok(done),
                Written::Refused(_) => Err(Transaction::Outrun),
            });
        }
        match self.exchange(user, reserving, held.as_deref(), wanted.as_deref(), None).await? {
            Transaction::Done => Ok(Ok(done)),
            Transaction::Owned(owner) => {
                let conflict = change.with(UNIQUE_EMAIL, None).with(EMAIL_CONFLICT, Some(AttributeValue::Bool(true)));
                match self.exchange(user, conflict, held.as_deref(), wanted.as_deref(), Some(&owner)).await? {
                    Transaction::Done => Ok(Ok(Applied::Conflict { owner })),
                    ended => Ok(Err(ended)),
                }
            }
            ended => Ok(Err(ended)),
        }
    }

    /// The profile, the old marker away, and the new one in its place; or, where the new one is `theirs`, a look
    /// whether it still is.
    async fn exchange(
        &self,
        user: &UserId,
        change: ItemChange,
        held: Option<&str>,
        wanted: Option<&str>,
        theirs: Option<&UserId>,
    ) -> Result<Transaction, Error> {
        let mut writes = vec![self.update_profile(user, change)];
        if let Some(wanted) = wanted {
            writes.push(match theirs {
                None => self.put_marker(wanted, user),
                Some(owner) => self.check_marker(wanted, owner),
            });
        }
        if let Some(held) = held {
            writes.push(self.delete_marker(held, user, "attribute_not_exists(userId) OR userId = :user"));
        }
        let Some(reasons) = self.transact(writes).await? else { return Ok(Transaction::Done) };
        let failed = |place: usize| reasons.get(place).filter(|reason| reason.code() == Some("ConditionalCheckFailed"));
        if failed(0).is_some() {
            return Ok(Transaction::Outrun);
        }
        if wanted.is_some()
            && let Some(reason) = failed(1)
        {
            let owner = reason.item().and_then(owner).filter(|_| theirs.is_none());
            return Ok(owner.map_or(Transaction::Outrun, Transaction::Owned));
        }
        let last = if wanted.is_some() { 2 } else { 1 };
        Ok(if failed(last).is_some() { Transaction::NotHeld } else { Transaction::Outrun })
    }

    /// The tombstone, and the marker away; `Err` if it has to be looked at again.
    async fn erase_freeing(
        &self,
        gone: &DeletedUser,
        event: &IdentityEvent,
        item: Option<&Item>,
        held: Option<String>,
        now: Timestamp,
    ) -> Result<Result<Applied, Transaction>, Error> {
        let as_of = event.as_of();
        let expires_at = as_of.occurred_at.max(now).plus_days(TOMBSTONE_DAYS);
        let mut put = Put::builder()
            .table_name(&self.table)
            .set_item(Some(item::tombstone(&gone.user_id, &gone.user_pool_id, as_of, expires_at)))
            .expression_attribute_values(format!(":{IDENTITY_AS_OF}"), item::text(as_of.occurred_at))
            .expression_attribute_values(format!(":{IDENTITY_EVENT_ID}"), item::text(as_of.event_id));
        put = match item::reserved(item) {
            Some(reserved) => put
                .condition_expression(format!("{} AND {UNIQUE_EMAIL} = :reserved", undeleted_or_newer()))
                .expression_attribute_values(":reserved", item::text(reserved)),
            None => {
                put.condition_expression(format!("{} AND attribute_not_exists({UNIQUE_EMAIL})", undeleted_or_newer()))
            }
        };
        let mut writes = vec![TransactWriteItem::builder().put(built(put.build())).build()];
        if let Some(held) = &held {
            writes.push(self.delete_marker(held, &gone.user_id, "attribute_not_exists(userId) OR userId = :user"));
        }
        let Some(reasons) = self.transact(writes).await? else { return Ok(Ok(Applied::Erased)) };
        let not_held = reasons.get(1).is_some_and(|reason| reason.code() == Some("ConditionalCheckFailed"));
        Ok(Err(if not_held { Transaction::NotHeld } else { Transaction::Outrun }))
    }

    /// An event that changes nothing. If it is the one that the profile is from, its conflict is told again: whoever
    /// was told the first time may have died of it.
    async fn ignored(&self, ignored: Ignored, item: Option<Item>) -> Result<Applied, Error> {
        let in_conflict = item.filter(|item| ignored == Ignored::Duplicate && item::is_in_conflict(item));
        let Some(item) = in_conflict else { return Ok(ignored.into()) };
        let address: Option<String> = item::owned(&item, EMAIL_KEY)?;
        let user: UserId = item::owned(&item, USER_ID)?;
        let owner = match address {
            Some(address) => self.owner_of(&address).await?.filter(|owner| *owner != user),
            None => None,
        };
        Ok(owner.map_or(Applied::Duplicate, |owner| Applied::Conflict { owner }))
    }

    /// Why nothing was written, write by write; `None` if everything was.
    async fn transact(&self, writes: Vec<TransactWriteItem>) -> Result<Option<Vec<CancellationReason>>, Error> {
        let answer = self.client.transact_write_items().set_transact_items(Some(writes)).send().await;
        let Err(error) = answer else { return Ok(None) };
        match &error {
            SdkError::ServiceError(answer) => match answer.err() {
                TransactWriteItemsError::TransactionCanceledException(canceled) if is_a_race(canceled) => {
                    Ok(Some(canceled.cancellation_reasons().to_vec()))
                }
                TransactWriteItemsError::TransactionInProgressException(_) => Ok(Some(Vec::new())),
                _ => Err(Error::from_sdk("TransactWriteItems", &self.table, &error)),
            },
            _ => Err(Error::from_sdk("TransactWriteItems", &self.table, &error)),
        }
    }

    fn update_profile(&self, user: &UserId, change: ItemChange) -> TransactWriteItem {
        let update = Update::builder()
            .table_name(&self.table)
            .set_key(Some(item::key(user)))
            .update_expression(change.expression())
            .set_expression_attribute_names(Some(change.names))
            .set_expression_attribute_values(Some(change.values))
            .condition_expression(change.condition);
        TransactWriteItem::builder().update(built(update.build())).build()
    }

    fn put_marker(&self, address: &str, user: &UserId) -> TransactWriteItem {
        let put = Put::builder()
            .table_name(&self.table)
            .set_item(Some(marker_key(address)))
            .item(USER_ID, item::text(user.as_str()))
            .condition_expression("attribute_not_exists(userId) OR userId = :user")
            .expression_attribute_values(":user", item::text(user.as_str()))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        TransactWriteItem::builder().put(built(put.build())).build()
    }

    fn check_marker(&self, address: &str, owner: &UserId) -> TransactWriteItem {
        let check = ConditionCheck::builder()
            .table_name(&self.table)
            .set_key(Some(marker_key(address)))
            .condition_expression("userId = :owner")
            .expression_attribute_values(":owner", item::text(owner.as_str()));
        TransactWriteItem::builder().condition_check(built(check.build())).build()
    }

    fn delete_marker(&self, address: &str, user: &UserId, condition: &str) -> TransactWriteItem {
        let delete = Delete::builder()
            .table_name(&self.table)
            .set_key(Some(marker_key(address)))
            .condition_expression(condition)
            .expression_attribute_values(":user", item::text(user.as_str()));
        TransactWriteItem::builder().delete(built(delete.build())).build()
    }

    fn outrun(&self) -> Error {
        let reason = "others wrote to the same items at every attempt".to_owned();
        Error::Unavailable { operation: "TransactWriteItems", table: self.table.clone(), reason }
    }
}

fn wanted(identity: &Identity) -> Option<String> {
    identity.email.as_deref().filter(|_| identity.email_verified).and_then(normalised)
}

fn marker_key(address: &str) -> Item {
    Item::from([
        (PARTITION_KEY.to_owned(), item::text(format!("{MARKER_KEY_PREFIX}{address}"))),
        (SORT_KEY.to_owned(), item::text(MARKER)),
    ])
}

fn owner(marker: &Item) -> Option<UserId> {
    UserId::new(marker.get(USER_ID)?.as_s().ok()?).ok()
}

/// Whether another attempt may end otherwise. Other reasons (a wrong request, throttling) are the caller's.
fn is_a_race(canceled: &aws_sdk_dynamodb::types::error::TransactionCanceledException) -> bool {
    let harmless = ["None", "ConditionalCheckFailed", "TransactionConflict"];
    canceled.cancellation_reasons().iter().all(|reason| reason.code().is_none_or(|code| harmless.contains(&code)))
}

fn built<T>(built: Result<T, aws_sdk_dynamodb::error::BuildError>) -> T {
    built.expect("every field that it needs is given")
}
