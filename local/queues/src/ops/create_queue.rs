//! `CreateQueue`: makes a queue, or finds the one that is already as asked for.

use std::collections::BTreeMap;

use aws_api::Call;
use rusqlite::Connection;
use serde::{Deserialize, Serialize};
use world::World;

use super::set_queue_attributes::{check_redrive, report};
use super::wire::required;
use crate::Queues;
use crate::error::Error;
use crate::queue::check_name;
use crate::queue_attributes::QueueAttributes;
use crate::store::queues;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    queue_name: Option<String>,
    #[serde(default)]
    attributes: BTreeMap<String, String>,
    #[serde(default, rename = "tags", alias = "Tags")]
    tags: BTreeMap<String, String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Response {
    queue_url: String,
}

pub async fn run(room: &Queues, request: Request, _call: &Call) -> Result<Response, Error> {
    let name = required(request.queue_name, "QueueName")?;
    let fifo = request.attributes.get("FifoQueue").is_some_and(|fifo| fifo == "true");
    check_name(&name, fifo)?;
    super::tag_queue::check(&name, &request.tags)?;
    let queue_url = room.url(&name);
    let world = room.world.clone();
    report(&name, &request.attributes);
    room.database
        .write(move |connection| create(connection, &world, &name, &request.attributes, &request.tags))
        .await?;
    Ok(Response { queue_url })
}

fn create(
    connection: &Connection,
    world: &World,
    name: &str,
    given: &BTreeMap<String, String>,
    tags: &BTreeMap<String, String>,
) -> Result<(), Error> {
    if let Some(queue) = queues::find(connection, name)? {
        let difference = queue.attributes.first_difference(given)?;
        return difference.map_or(Ok(()), |attribute| Err(Error::QueueNameExists(attribute)));
    }
    let fifo = given.get("FifoQueue").is_some_and(|fifo| fifo == "true");
    let mut attributes = if fifo { QueueAttributes::of_fifo() } else { QueueAttributes::default() };
    attributes.set(given)?;
    check_redrive(connection, world, name, &attributes, given)?;
    queues::insert(connection, name, &attributes, tags, world.clock.now())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::tests::{Room, refused};

    #[tokio::test]
    async fn the_same_queue_twice_is_one() {
        let room = Room::new();
        let first = room.queue("orders", json!({"DelaySeconds": "5"})).await;
        assert_eq!(first, "http://127.0.0.1:4566/000000000000/orders");
        assert_eq!(room.queue("orders", json!({"DelaySeconds": "5"})).await, first);
        assert_eq!(room.queue("orders", json!({})).await, first);
    }

    #[tokio::test]
    async fn another_queue_of_the_name_is_refused() {
        let room = Room::new();
        room.queue("orders", json!({"DelaySeconds": "5"})).await;
        let input = json!({"QueueName": "orders", "Attributes": {"DelaySeconds": "6"}});
        let error = room.call("CreateQueue", input).await.api_error();
        assert_eq!(error.code, "com.amazonaws.sqs#QueueNameExists");
        assert_eq!(
            error.message,
            "A queue already exists with the same name and a different value for attribute DelaySeconds"
        );
        assert_eq!(error.headers, [("x-amzn-query-error", "QueueAlreadyExists;Sender".to_owned())]);
    }

    #[tokio::test]
    async fn wrong_input_is_refused() {
        let room = Room::new();
        let name_text = "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length";
        for (input, expected) in [
            (
                json!({}),
                refused("MissingRequiredParameterException", "The request must contain the parameter QueueName."),
            ),
            (json!({"QueueName": "a b"}), refused("InvalidParameterValueException", name_text)),
            (
                json!({"QueueName": "a", "Attributes": {"FifoQueue": "true"}}),
                refused(
                    "InvalidParameterValueException",
                    "The name of a FIFO queue can only include alphanumeric characters, hyphens, or underscores, must \
                     end with .fifo suffix and be 1 to 80 in length.",
                ),
            ),
            (json!({"QueueName": "a.fifo"}), refused("InvalidParameterValueException", name_text)),
            (
                json!({"QueueName": "a", "Attributes": {"Colour": "red"}}),
                refused("InvalidAttributeName", "Unknown Attribute Colour."),
            ),
            (
                json!({"QueueName": "a", "Attributes": {"DelaySeconds": "901"}}),
                refused("InvalidAttributeValue", "Invalid value for the parameter DelaySeconds."),
            ),
        ] {
            assert_eq!(room.call("CreateQueue", input).await.error(), expected);
        }
    }
}
