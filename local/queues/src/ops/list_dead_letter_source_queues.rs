//! `ListDeadLetterSourceQueues`: the queues whose dead letters come here.

use aws_api::Call;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use super::list_queues::{page_size, read_token};
use crate::Queues;
use crate::error::Error;
use crate::store::queues;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    queue_url: Option<String>,
    next_token: Option<String>,
    max_results: Option<i64>,
}

#[derive(Debug, Serialize)]
pub struct Response {
    /// The one member of SQS's answers that begins in lower case.
    #[serde(rename = "queueUrls")]
    queue_urls: Vec<String>,
    #[serde(rename = "NextToken", skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

pub async fn run(room: &Queues, request: Request, _call: &Call) -> Result<Response, Error> {
    let name = room.name_in_url(request.queue_url.as_deref())?;
    let count = page_size(request.max_results)?;
    let after = read_token(request.next_token.as_deref())?;
    let place = room.world.place.clone();
    let read = room.database.read(move |connection| {
        let target_arn = queues::of_name(connection, &name)?.arn(&place);
        let mut all = queues::all(connection)?;
        all.retain(|queue| {
            let policy = queue.attributes.redrive_policy();
            queue.name > after && policy.is_some_and(|policy| policy.dead_letter_target_arn == target_arn)
        });
        Ok::<_, Error>(all)
    });
    let sources = read.await?;
    let more = sources.len() > count && request.max_results.is_some();
    let page: Vec<String> = sources.into_iter().take(count).map(|queue| queue.name).collect();
    let next_token = page.last().filter(|_| more).map(|name| STANDARD.encode(name));
    Ok(Response { queue_urls: page.iter().map(|name| room.url(name)).collect(), next_token })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::tests::Room;

    #[tokio::test]
    async fn names_the_queues_that_bury_here() {
        let room = Room::new();
        let dead = room.queue("dead", json!({})).await;
        let policy = r#"{"deadLetterTargetArn":"arn:aws:sqs:us-east-1:000000000000:dead","maxReceiveCount":"3"}"#;
        let source = room.queue("orders", json!({"RedrivePolicy": policy})).await;
        let answer = room.call("ListDeadLetterSourceQueues", json!({"QueueUrl": dead})).await.ok();
        assert_eq!(answer, json!({"queueUrls": [source]}));
    }
}
