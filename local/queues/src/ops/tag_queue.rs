//! `TagQueue`: adds tags to a queue, or gives them other values.

use std::collections::BTreeMap;

use aws_api::Call;
use serde::Deserialize;

use super::wire::{Empty, required};
use crate::Queues;
use crate::error::Error;
use crate::store::queues;

const TAGS_MAX: usize = 50;
const KEY_CHARACTERS_MAX: usize = 128;
const VALUE_CHARACTERS_MAX: usize = 256;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    queue_url: Option<String>,
    tags: Option<BTreeMap<String, String>>,
}

pub async fn run(room: &Queues, request: Request, _call: &Call) -> Result<Empty, Error> {
    let name = room.name_in_url(request.queue_url.as_deref())?;
    let tags = required(request.tags, "Tags")?;
    let change = room.database.write(move |connection| {
        let mut queue = queues::of_name(connection, &name)?;
        queue.tags.extend(tags);
        check(&name, &queue.tags)?;
        queues::set_tags(connection, queue.id, &queue.tags)
    });
    change.await?;
    Ok(Empty {})
}

/// Refuses more or longer tags than SQS takes.
pub(super) fn check(queue: &str, tags: &BTreeMap<String, String>) -> Result<(), Error> {
    if tags.len() > TAGS_MAX {
        return Err(Error::invalid(format!("Too many tags added for queue {queue}.")));
    }
    let too_long = |(key, value): (&String, &String)| {
        let key_fits = (1..=KEY_CHARACTERS_MAX).contains(&key.chars().count());
        !key_fits || value.chars().count() > VALUE_CHARACTERS_MAX
    };
    if tags.iter().any(too_long) {
        return Err(Error::invalid("Tag keys must be between 1 and 128 characters in length, and values at most 256."));
    }
    Ok(())
}
