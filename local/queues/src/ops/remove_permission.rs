//! `RemovePermission`: takes the statement of a label out of a queue's policy.

use aws_api::Call;
use serde::Deserialize;

use super::add_permission::{policy, statements};
use super::wire::{Empty, required};
use crate::Queues;
use crate::error::Error;
use crate::store::queues;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    queue_url: Option<String>,
    label: Option<String>,
}

pub async fn run(room: &Queues, request: Request, _call: &Call) -> Result<Empty, Error> {
    let name = room.name_in_url(request.queue_url.as_deref())?;
    let label = required(request.label, "Label")?;
    let now = room.world.clock.now();
    let change = room.database.write(move |connection| {
        let mut queue = queues::of_name(connection, &name)?;
        let not_there = || Error::invalid_value(&label, "Label", "can't find label on existing policy.");
        let mut policy = policy(&queue).ok_or_else(not_there)?;
        let statements = statements(&mut policy);
        let before = statements.len();
        statements.retain(|statement| statement["Sid"] != label.as_str());
        if statements.len() == before {
            return Err(not_there());
        }
        queue.attributes.set_policy(&policy);
        queues::set_attributes(connection, queue.id, &queue.attributes, now)
    });
    change.await?;
    Ok(Empty {})
}
