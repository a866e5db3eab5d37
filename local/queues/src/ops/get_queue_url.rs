//! `GetQueueUrl`: the URL of a queue, by its name.

use aws_api::Call;
use serde::{Deserialize, Serialize};

use super::wire::required;
use crate::Queues;
use crate::error::Error;
use crate::store::queues;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    queue_name: Option<String>,
    #[serde(rename = "QueueOwnerAWSAccountId")]
    owner: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Response {
    queue_url: String,
}

pub async fn run(room: &Queues, request: Request, _call: &Call) -> Result<Response, Error> {
    let name = required(request.queue_name, "QueueName")?;
    if request.owner.is_some_and(|owner| owner != room.world.place.account) {
        return Err(Error::QueueDoesNotExist);
    }
    let queue = room.database.read(move |connection| queues::of_name(connection, &name)).await?;
    Ok(Response { queue_url: room.url(&queue.name) })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::tests::Room;

    #[tokio::test]
    async fn finds_a_queue_of_this_account() {
        let room = Room::new();
        let url = room.queue("orders", json!({})).await;
        let input = json!({"QueueName": "orders", "QueueOwnerAWSAccountId": "000000000000"});
        assert_eq!(room.call("GetQueueUrl", input).await.ok(), json!({"QueueUrl": url}));
    }

    #[tokio::test]
    async fn a_queue_that_is_not_there_is_an_error_that_older_sdks_know() {
        let room = Room::new();
        let error = room.call("GetQueueUrl", json!({"QueueName": "orders"})).await.api_error();
        assert_eq!(error.code, "com.amazonaws.sqs#QueueDoesNotExist");
        assert_eq!(error.message, "The specified queue does not exist.");
        let header = "AWS.SimpleQueueService.NonExistentQueue;Sender".to_owned();
        assert_eq!(error.headers, [("x-amzn-query-error", header)]);
    }
}
