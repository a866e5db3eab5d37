//! Writes what events say: one conditional write each, which is the event's record of idempotency too.
//!
//! The conditions say in `DynamoDB`'s language what [`decide`] says in ours (the tests hold one against the other).
//! A condition that fails returns the item that it failed on, so no event costs a reading before or after.

use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{ReturnValue, ReturnValuesOnConditionCheckFailure};

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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Applied {
    /// The profile was made.
    Created,
    /// The identity's part of the profile was written.
    Updated,
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

/// How a conditional write ended.
enum Written {
    /// With the item that was there before, if any.
    Done(Option<Item>),
    /// With the item that the condition failed on.
    Refused(Option<Item>),
}

impl ProfileStore {
    /// Brings the user's profile in step with an event. Repeating it, and any order, end in the same item.
    pub async fn apply(&self, event: &IdentityEvent, now: Timestamp) -> Result<Applied, Error> {
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
        let mut set = vec![format!("#{CREATED_AT} = if_not_exists(#{CREATED_AT}, :{IDENTITY_AS_OF})")];
        let mut remove = Vec::new();
        let mut request = self.client.update_item().expression_attribute_names(format!("#{CREATED_AT}"), CREATED_AT);
        let mut attributes = item::identity_attributes(identity, as_of);
        attributes.push((UPDATED_AT, Some(item::text(now))));
        for (name, value) in attributes {
            request = request.expression_attribute_names(format!("#{name}"), name);
            match value {
                Some(value) => {
                    set.push(format!("#{name} = :{name}"));
                    request = request.expression_attribute_values(format!(":{name}"), value);
                }
                None => remove.push(format!("#{name}")),
            }
        }
        let mut expression = format!("SET {}", set.join(", "));
        if !remove.is_empty() {
            expression = format!("{expression} REMOVE {}", remove.join(", "));
        }
        let condition =
            format!("attribute_not_exists({IDENTITY_AS_OF}) OR (attribute_not_exists({DELETED_AT}) AND {NEWER})");
        let answer = request
            .table_name(&self.table)
            .set_key(Some(item::key(&identity.user_id)))
            .update_expression(expression)
            .condition_expression(condition)
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
            .condition_expression(format!("attribute_not_exists({DELETED_AT}) OR {NEWER}"))
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
    async fn backdate(&self, user: &UserId, as_of: AsOf, now: Timestamp) -> Result<(), Error> {
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
