//! `DeleteQueue`: deletes a queue with its messages.

use aws_api::Call;
use serde::Deserialize;

use super::wire::Empty;
use crate::Queues;
use crate::error::Error;
use crate::store::queues;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    queue_url: Option<String>,
}

pub async fn run(room: &Queues, request: Request, _call: &Call) -> Result<Empty, Error> {
    let name = room.name_in_url(request.queue_url.as_deref())?;
    let delete = room.database.write(move |connection| {
        let queue = queues::of_name(connection, &name)?;
        queues::delete(connection, &queue)?;
        Ok::<_, Error>(queue.id)
    });
    room.forget_pollers(delete.await?);
    Ok(Empty {})
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::tests::Room;

    #[tokio::test]
    async fn its_messages_go_with_it() {
        let room = Room::new();
        let url = room.queue("orders", json!({})).await;
        room.send(&url, "x").await;
        room.call("DeleteQueue", json!({"QueueUrl": url})).await.ok();
        assert_eq!(room.call("ReceiveMessage", json!({"QueueUrl": url})).await.error().0, "QueueDoesNotExist");
        assert_eq!(room.call("DeleteQueue", json!({"QueueUrl": url})).await.error().0, "QueueDoesNotExist");
        room.queue("orders", json!({})).await;
        assert!(room.receive(&url).await.is_empty());
    }
}
