//! `UntagQueue`: takes tags off a queue; those that it has not are passed over.

use aws_api::Call;
use serde::Deserialize;

use super::wire::{Empty, required};
use crate::Queues;
use crate::error::Error;
use crate::store::queues;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    queue_url: Option<String>,
    tag_keys: Option<Vec<String>>,
}

pub async fn run(room: &Queues, request: Request, _call: &Call) -> Result<Empty, Error> {
    let name = room.name_in_url(request.queue_url.as_deref())?;
    let keys = required(request.tag_keys, "TagKeys")?;
    let change = room.database.write(move |connection| {
        let mut queue = queues::of_name(connection, &name)?;
        queue.tags.retain(|key, _| !keys.contains(key));
        queues::set_tags(connection, queue.id, &queue.tags)
    });
    change.await?;
    Ok(Empty {})
}
