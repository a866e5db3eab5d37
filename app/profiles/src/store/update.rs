//! Writes what the application says, if nobody else was faster.

use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{ReturnValue, ReturnValuesOnConditionCheckFailure};
use serde::de::DeserializeOwned;

use super::ProfileStore;
use crate::changes::Changes;
use crate::decide::Standing;
use crate::error::Error;
use crate::identity::UserId;
use crate::item::{self, DELETED_AT, IDENTITY_AS_OF, Item, UPDATED_AT, VERSION};
use crate::profile::{UserProfile, Version};
use crate::timestamp::Timestamp;

impl ProfileStore {
    /// Changes attributes of the application's, if the profile is still at the version that the changes were made
    /// from; answers with the profile as it is then.
    pub async fn update<A: DeserializeOwned>(
        &self,
        user: &UserId,
        expected: Version,
        changes: &Changes,
        now: Timestamp,
    ) -> Result<UserProfile<A>, Error> {
        let mut set = vec![format!("#{VERSION} = :next"), format!("#{UPDATED_AT} = :now")];
        let mut remove = Vec::new();
        let mut request = self
            .client
            .update_item()
            .expression_attribute_names(format!("#{VERSION}"), VERSION)
            .expression_attribute_names(format!("#{UPDATED_AT}"), UPDATED_AT)
            .expression_attribute_values(":next", item::number(expected.number().saturating_add(1)))
            .expression_attribute_values(":now", item::text(now));
        for (place, (name, value)) in changes.iter().enumerate() {
            // The names are the application's: any characters may be in them.
            request = request.expression_attribute_names(format!("#a{place}"), name);
            match value {
                Some(value) => {
                    set.push(format!("#a{place} = :a{place}"));
                    request = request.expression_attribute_values(format!(":a{place}"), value.clone());
                }
                None => remove.push(format!("#a{place}")),
            }
        }
        let mut expression = format!("SET {}", set.join(", "));
        if !remove.is_empty() {
            expression = format!("{expression} REMOVE {}", remove.join(", "));
        }
        // No event writes the version, so a profile that the application has not written to has none.
        let unchanged = if expected == Version::default() {
            format!("attribute_not_exists(#{VERSION})")
        } else {
            request = request.expression_attribute_values(":expected", item::number(expected.number()));
            format!("#{VERSION} = :expected")
        };
        let there = format!("attribute_exists({IDENTITY_AS_OF}) AND attribute_not_exists({DELETED_AT})");
        let answer = request
            .table_name(&self.table)
            .set_key(Some(item::key(user)))
            .update_expression(expression)
            .condition_expression(format!("{there} AND {unchanged}"))
            .return_values(ReturnValue::AllNew)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        let item = match answer {
            Ok(answer) => answer.attributes.unwrap_or_default(),
            Err(error) => match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(failure)) => {
                    repeated(user, expected, changes, failure.item.clone().unwrap_or_default())?
                }
                _ => return Err(Error::from_sdk("UpdateItem", &self.table, &error)),
            },
        };
        item::profile(item)?.ok_or_else(|| Error::NoProfile(user.clone()))
    }
}

/// The item that a condition failed on, if it is what these very changes leave: then the SDK has sent them twice,
/// because the first answer was lost, and met its own work.
fn repeated(user: &UserId, expected: Version, changes: &Changes, item: Item) -> Result<Item, Error> {
    if !matches!(item::standing(Some(&item))?, Standing::Profile { .. }) {
        return Err(Error::NoProfile(user.clone()));
    }
    let found = item::version(&item)?;
    let ours = found.number() == expected.number().saturating_add(1) && changes.are_in(&item);
    if ours { Ok(item) } else { Err(Error::Conflict { user: user.clone(), expected, found }) }
}
