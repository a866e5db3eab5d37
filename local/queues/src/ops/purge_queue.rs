//! `PurgeQueue`: deletes the messages of a queue, once a minute at most.

use std::time::Duration;

use aws_api::Call;
use serde::Deserialize;

use super::wire::Empty;
use crate::Queues;
use crate::error::Error;
use crate::store::{messages, queues};

const BETWEEN_PURGES_S: u64 = 60;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    queue_url: Option<String>,
}

pub async fn run(room: &Queues, request: Request, _call: &Call) -> Result<Empty, Error> {
    let name = room.name_in_url(request.queue_url.as_deref())?;
    let now = room.world.clock.now();
    let purge = room.database.write(move |connection| {
        let queue = queues::of_name(connection, &name)?;
        if queue.purged.is_some_and(|purged| now < purged.plus(Duration::from_secs(BETWEEN_PURGES_S))) {
            return Err(Error::PurgeQueueInProgress(name));
        }
        messages::delete_all(connection, queue.id)?;
        queues::set_purged(connection, queue.id, now)
    });
    purge.await?;
    Ok(Empty {})
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::tests::Room;

    #[tokio::test]
    async fn deletes_the_messages_and_not_twice_in_a_minute() {
        let room = Room::new();
        let url = room.queue("orders", json!({})).await;
        room.send(&url, "x").await;
        room.call("PurgeQueue", json!({"QueueUrl": url})).await.ok();
        assert!(room.receive(&url).await.is_empty());
        let error = room.call("PurgeQueue", json!({"QueueUrl": url})).await.api_error();
        assert_eq!(error.status, 403);
        assert_eq!(error.message, "Only one PurgeQueue operation on orders is allowed every 60 seconds.");
        room.advance_s(60);
        room.call("PurgeQueue", json!({"QueueUrl": url})).await.ok();
    }
}
