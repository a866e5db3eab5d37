//! Writes what events say: one conditional write each, which is the event's record of idempotency too.
//!
//! The conditions say in `DynamoDB`'s language what [`decide`] says in ours (the tests hold one against the other).
//! A condition that fails returns the item that it failed on, so no event costs a reading before or after.

use std::collections::HashMap;

use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue, ReturnValuesOnConditionCheckFailure};

use super::ProfileStore;
use crate::decide::{AsOf, Decision, Ignored, Standing, decide};
use crate::error::Error;
use crate::event::{Change, DeletedUser, IdentityEvent};
use crate::identity::{Identity, UserId};
use crate::item::{self, CREATED_AT, DELETED_AT, IDENTITY_AS_OF, IDENTITY_EVENT_ID, Item, UPDATED_AT};
use crate::timestamp::Timestamp;

/// How long a tombstone stays, from the deletion or from its writing, whichever is later. An event that comes later
/// than this (a bus archive replayed after months) could bring a deleted user back, so keep no archive for longer.
pub const TOMBSTONE_DAYS: u16 = 90;

/// The event comes after the one that the item is from.
const NEWER: &str = "(identityAsOf < :identityAsOf OR \
     (identityAsOf = :identityAsOf AND identityEventId < :identityEventId))";

/// What an event has done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Applied {
    /// The profile was made.
    Created,
    /// The identity's part of the profile was written.
    Updated,
    /// The identity's part of the profile was written, or had been by this very event; its address is another
    /// profile's. Only where addresses are unique.
    Conflict {
        /// Whose the address is.
        owner: UserId,
    },
    /// A tombstone stands in the place of everything.
    Erased,
    /// Nothing: this very event had been applied.
    Duplicate,
    /// Nothing: a newer one had been applied. (If it is the earliest of all, `createdAt` follows it.)
    Stale,
    /// Nothing: the user was deleted.
    Tombstoned,
}

impl From<Ignored> for Applied {
    fn from(ignored: Ignored) -> Self {
        match ignored {
            Ignored::Duplicate => Self::Duplicate,
            Ignored::Stale => Self::Stale,
            Ignored::Tombstoned => Self::Tombstoned,
        }
    }
}

/// A change of a profile's item, and the condition under which it is made.
#[derive(Clone)]
pub(super) struct ItemChange {
    set: Vec<String>,
    remove: Vec<String>,
    pub names: HashMap<String, String>,
    pub values: Item,
    pub condition: String,
}

impl ItemChange {
    /// No change yet.
    pub fn new(condition: String) -> Self {
        let (names, values) = (HashMap::new(), Item::new());
        Self { set: Vec::new(), remove: Vec::new(), names, values, condition }
    }

    /// The same with an attribute set, or taken away.
    pub fn with(mut self, name: &str, value: Option<AttributeValue>) -> Self {
        self.put(name, value);
        self
    }

    /// Sets an attribute, or takes it away.
    pub fn put(&mut self, name: &str, value: Option<AttributeValue>) {
        self.names.insert(format!("#{name}"), name.to_owned());
        match value {
            Some(value) => {
                self.set.push(format!("#{name} = :{name}"));
                self.values.insert(format!(":{name}"), value);
            }
            None => self.remove.push(format!("#{name}")),
        }
    }

    /// The update expression.
    pub fn expression(&self) -> String {
        let mut expression = format!("SET {}", self.set.join(", "));
        if !self.remove.is_empty() {
            expression = format!("{expression} REMOVE {}", self.remove.join(", "));
        }
        expression
    }
}

/// The identity's part of the item, if the event is the newest of its user.
pub(super) fn identity_change(identity: &Identity, as_of: AsOf, now: Timestamp) -> ItemChange {
    let newest =
        format!("(attribute_not_exists({IDENTITY_AS_OF}) OR (attribute_not_exists({DELETED_AT}) AND {NEWER}))");
    let mut change = ItemChange::new(newest);
    change.set.push(format!("#{CREATED_AT} = if_not_exists(#{CREATED_AT}, :{IDENTITY_AS_OF})"));
    change.names.insert(format!("#{CREATED_AT}"), CREATED_AT.to_owned());
    for (name, value) in item::identity_attributes(identity, as_of) {
        change.put(name, value);
    }
    change.put(UPDATED_AT, Some(item::text(now)));
    change
}

/// The condition for a tombstone; needs the values of [`IDENTITY_AS_OF`] and [`IDENTITY_EVENT_ID`].
pub(super) fn undeleted_or_newer() -> String {
    format!("(attribute_not_exists({DELETED_AT}) OR {NEWER})")
}

/// How a conditional write ended.
pub(super) enum Written {
    /// With the item that was there before, if any.
    Done(Option<Item>),
    /// With the item that the condition failed on.
    Refused(Option<Item>),
}

impl ProfileStore {
    /// Brings the user's profile in step with an event. Repeating it, and any order, end in the same item.
    pub async fn apply(&self, event: &IdentityEvent, now: Timestamp) -> Result<Applied, Error> {
        if self.unique_email {
            return self.apply_unique(event, now).await;
        }
        let as_of = event.as_of();
        let written = match &event.change {
            Change::Created(identity) | Change::Updated(identity) => self.write_identity(identity, as_of, now).await?,
            Change::Deleted(user) => self.write_tombstone(user, as_of, now).await?,
        };
        match written {
            Written::Done(_) if matches!(event.change, Change::Deleted(_)) => Ok(Applied::Erased),
            Written::Done(before) if item::standing(before.as_ref())? == Standing::Absent => Ok(Applied::Created),
            Written::Done(_) => Ok(Applied::Updated),
            Written::Refused(item) => self.explain(event, item.as_ref(), now).await,
        }
    }

    /// What a refused write means, by the item that it was refused for.
    async fn explain(&self, event: &IdentityEvent, item: Option<&Item>, now: Timestamp) -> Result<Applied, Error> {
        match decide(&item::standing(item)?, event) {
            Decision::Ignore(ignored) => Ok(ignored.into()),
            Decision::Backdate => {
                self.backdate(event.user_id(), event.as_of(), now).await?;
                Ok(Applied::Stale)
            }
            // The condition and `decide` see the same item, so only one that nobody of ours wrote gets here.
            Decision::Create | Decision::Update | Decision::Erase => {
                Err(Error::MalformedItem { key: item::partition_key(event.user_id()), attribute: IDENTITY_AS_OF })
            }
        }
    }

    async fn write_identity(&self, identity: &Identity, as_of: AsOf, now: Timestamp) -> Result<Written, Error> {
        self.update_item(identity_change(identity, as_of, now), &identity.user_id).await
    }

    /// One conditional write to a profile.
    pub(super) async fn update_item(&self, change: ItemChange, user: &UserId) -> Result<Written, Error> {
        let answer = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(item::key(user)))
            .update_expression(change.expression())
            .set_expression_attribute_names(Some(change.names))
            .set_expression_attribute_values(Some(change.values))
            .condition_expression(change.condition)
            .return_values(ReturnValue::AllOld)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        match answer {
            Ok(answer) => Ok(Written::Done(answer.attributes)),
            Err(error) => match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(failure)) => {
                    Ok(Written::Refused(failure.item.clone()))
                }
                _ => Err(Error::from_sdk("UpdateItem", &self.table, &error)),
            },
        }
    }

    async fn write_tombstone(&self, user: &DeletedUser, as_of: AsOf, now: Timestamp) -> Result<Written, Error> {
        let expires_at = as_of.occurred_at.max(now).plus_days(TOMBSTONE_DAYS);
        let answer = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(item::tombstone(&user.user_id, &user.user_pool_id, as_of, expires_at)))
            .condition_expression(undeleted_or_newer())
            .expression_attribute_values(format!(":{IDENTITY_AS_OF}"), item::text(as_of.occurred_at))
            .expression_attribute_values(format!(":{IDENTITY_EVENT_ID}"), item::text(as_of.event_id))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        match answer {
            Ok(answer) => Ok(Written::Done(answer.attributes)),
            Err(error) => match error.as_service_error() {
                Some(PutItemError::ConditionalCheckFailedException(failure)) => {
                    Ok(Written::Refused(failure.item.clone()))
                }
                _ => Err(Error::from_sdk("PutItem", &self.table, &error)),
            },
        }
    }

    /// The one second write that there is: for an event that is both late and the earliest of its user.
    pub(super) async fn backdate(&self, user: &UserId, as_of: AsOf, now: Timestamp) -> Result<(), Error> {
        let answer = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(item::key(user)))
            .update_expression(format!("SET {CREATED_AT} = :earlier, {UPDATED_AT} = :now"))
            .condition_expression(format!("attribute_not_exists({DELETED_AT}) AND {CREATED_AT} > :earlier"))
            .expression_attribute_values(":earlier", item::text(as_of.occurred_at))
            .expression_attribute_values(":now", item::text(now))
            .send()
            .await;
        match answer {
            Ok(_) => Ok(()),
            // Somebody has moved it further, or erased the user: either way there is nothing left to do.
            Err(error)
                if error.as_service_error().is_some_and(UpdateItemError::is_conditional_check_failed_exception) =>
            {
                Ok(())
            }
            Err(error) => Err(Error::from_sdk("UpdateItem", &self.table, &error)),
        }
    }
}
