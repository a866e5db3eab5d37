//! What event source mappings need: queues and streams, by the operations that clients use, and the bus's patterns.

use std::sync::Arc;

use async_trait::async_trait;
use aws_api::{ApiError, Service};
use event_bus::RecordFilter;
use function_host::{Filter, Filters, Position, QueueMessage, QueueState, SourceError, Sources, StreamRecords};
use serde_json::{Value, json};
use stack::Resources;
use tables::Tables;
use tokio::sync::watch;
use world::World;

/// Entries of one batch operation of SQS.
const BATCH_ENTRIES_MAX: usize = 10;

/// The rooms that mappings read.
pub struct SourcesOutside {
    pub world: World,
    /// Of SQS, DynamoDB and its Streams.
    pub services: Vec<Arc<dyn Service>>,
    pub tables: Arc<Tables>,
}

impl SourcesOutside {
    async fn call(&self, service: &str, operation: &'static str, input: Value) -> Result<Value, SourceError> {
        let answer = Resources::new(&self.world, &self.services).call(service, operation, &input).await;
        answer.map_err(|error: ApiError| match error.short_code() {
            "QueueDoesNotExist" | "ResourceNotFoundException" => SourceError::Gone,
            _ => SourceError::Failed(error.to_string()),
        })
    }

    /// Any host will do: a queue is known by the end of its URL.
    fn queue_url(&self, queue_arn: &str) -> Result<String, SourceError> {
        let ours = self.world.place.arn("sqs", "");
        let name = queue_arn.strip_prefix(&ours).ok_or(SourceError::Gone)?;
        Ok(format!("http://localhost/{}/{name}", self.world.place.account))
    }

    /// A batch operation for any number of receipts.
    async fn for_all(
        &self,
        operation: &'static str,
        queue_arn: &str,
        receipt_handles: &[String],
        more: &Value,
    ) -> Result<(), SourceError> {
        let url = self.queue_url(queue_arn)?;
        for handles in receipt_handles.chunks(BATCH_ENTRIES_MAX) {
            let entry = |(place, handle): (usize, &String)| {
                let mut entry = more.clone();
                entry["Id"] = json!(place.to_string());
                entry["ReceiptHandle"] = json!(handle);
                entry
            };
            let entries: Vec<Value> = handles.iter().enumerate().map(entry).collect();
            let answer = self.call("sqs", operation, json!({"QueueUrl": url, "Entries": entries})).await?;
            if let Some(failed) = answer["Failed"].as_array().and_then(|failed| failed.first()) {
                return Err(SourceError::Failed(format!("{operation}: {failed}")));
            }
        }
        Ok(())
    }
}

#[async_trait]
impl Sources for SourcesOutside {
    async fn queue(&self, queue_arn: &str) -> Result<QueueState, SourceError> {
        let names = [
            "VisibilityTimeout",
            "ApproximateNumberOfMessages",
            "ApproximateNumberOfMessagesNotVisible",
            "ApproximateNumberOfMessagesDelayed",
        ];
        let input = json!({"QueueUrl": self.queue_url(queue_arn)?, "AttributeNames": names});
        let answer = self.call("sqs", "GetQueueAttributes", input).await?;
        let number = |name: &str| answer["Attributes"][name].as_str().and_then(|text| text.parse::<u64>().ok());
        Ok(QueueState {
            visibility_timeout_s: number(names[0]).and_then(|s| u32::try_from(s).ok()).unwrap_or_default(),
            messages: names[1..].iter().filter_map(|name| number(name)).sum(),
        })
    }

    async fn receive(&self, queue_arn: &str, count_max: usize, wait_s: u32) -> Result<Vec<QueueMessage>, SourceError> {
        let input = json!({
            "QueueUrl": self.queue_url(queue_arn)?,
            "MaxNumberOfMessages": count_max,
            "WaitTimeSeconds": wait_s,
            "MessageSystemAttributeNames": ["All"],
            "MessageAttributeNames": ["All"],
        });
        let mut answer = self.call("sqs", "ReceiveMessage", input).await?;
        match answer.get_mut("Messages").map(Value::take) {
            None => Ok(Vec::new()),
            Some(messages) => serde_json::from_value(messages).map_err(|error| SourceError::Failed(error.to_string())),
        }
    }

    async fn delete(&self, queue_arn: &str, receipt_handles: Vec<String>) -> Result<(), SourceError> {
        self.for_all("DeleteMessageBatch", queue_arn, &receipt_handles, &json!({})).await
    }

    async fn give_back(&self, queue_arn: &str, receipt_handles: Vec<String>) -> Result<(), SourceError> {
        let visible = json!({"VisibilityTimeout": 0});
        self.for_all("ChangeMessageVisibilityBatch", queue_arn, &receipt_handles, &visible).await
    }

    async fn shards(&self, stream_arn: &str) -> Result<Vec<String>, SourceError> {
        // A table has one stream at a time; the ARN of an earlier one leads nowhere.
        let listed = self.call("dynamodb", "ListStreams", json!({"TableName": table_in(stream_arn)})).await?;
        let is_listed = |stream: &Value| stream["StreamArn"].as_str() == Some(stream_arn);
        if !listed["Streams"].as_array().is_some_and(|streams| streams.iter().any(is_listed)) {
            return Err(SourceError::Gone);
        }
        let answer = self.call("dynamodb", "DescribeStream", json!({"StreamArn": stream_arn})).await?;
        let shards = answer["StreamDescription"]["Shards"].as_array();
        let ids = shards.into_iter().flatten().filter_map(|shard| Some(shard["ShardId"].as_str()?.to_owned()));
        Ok(ids.collect())
    }

    async fn iterator(&self, stream_arn: &str, shard_id: &str, position: &Position) -> Result<String, SourceError> {
        let (kind, sequence_number) = match position {
            Position::Iterator(iterator) => return Ok(iterator.clone()),
            Position::TrimHorizon => ("TRIM_HORIZON", None),
            Position::Latest => ("LATEST", None),
            Position::After(sequence_number) => ("AFTER_SEQUENCE_NUMBER", Some(sequence_number)),
        };
        let mut input = json!({"StreamArn": stream_arn, "ShardId": shard_id, "ShardIteratorType": kind});
        if let Some(sequence_number) = sequence_number {
            input["SequenceNumber"] = json!(sequence_number);
        }
        let answer = self.call("dynamodb", "GetShardIterator", input).await?;
        let iterator = answer["ShardIterator"].as_str().map(str::to_owned);
        iterator.ok_or_else(|| SourceError::Failed("GetShardIterator gave none".into()))
    }

    async fn records(&self, iterator: &str, count_max: usize) -> Result<StreamRecords, SourceError> {
        let input = json!({"ShardIterator": iterator, "Limit": count_max});
        let mut answer = self.call("dynamodb", "GetRecords", input).await?;
        let records = match answer.get_mut("Records").map(Value::take) {
            Some(Value::Array(records)) => records,
            _ => Vec::new(),
        };
        let records = records.into_iter().filter_map(|record| match record {
            Value::Object(members) => Some(members),
            _ => None,
        });
        let records = records.collect();
        Ok(StreamRecords { records, next: answer["NextShardIterator"].as_str().map(str::to_owned) })
    }

    fn news(&self, stream_arn: &str) -> watch::Receiver<u64> {
        self.tables.news(table_in(stream_arn))
    }
}

/// `arn:aws:dynamodb:…:table/people/stream/…`
fn table_in(stream_arn: &str) -> &str {
    stream_arn.split('/').nth(1).unwrap_or_default()
}

/// The bus's patterns.
pub struct BusPatterns;

impl Filters for BusPatterns {
    fn compile(&self, patterns: &[String]) -> Option<Box<dyn Filter>> {
        Some(Box::new(Compiled(RecordFilter::compile(patterns)?)))
    }
}

struct Compiled(RecordFilter);

impl Filter for Compiled {
    fn passes(&self, record: &str) -> bool {
        self.0.passes(record)
    }
}

#[cfg(test)]
mod tests {
    use storage::{Durability, Location};

    use super::*;

    const QUEUE: &str = "arn:aws:sqs:us-east-1:000000000000:orders";

    fn outside() -> SourcesOutside {
        let world = World::for_tests(1);
        let endpoint = "http://127.0.0.1:4566".to_owned();
        let queues = queues::Queues::open(world.clone(), Location::Memory, Durability::default(), endpoint);
        let tables = Tables::open(world.clone(), Location::Memory, Durability::default()).expect("it opens");
        let services = [queues.expect("it opens").services(), tables.services()].concat();
        SourcesOutside { world, services, tables }
    }

    async fn with_queue() -> SourcesOutside {
        let outside = outside();
        outside.call("sqs", "CreateQueue", json!({"QueueName": "orders"})).await.expect("it is made");
        let url = outside.queue_url(QUEUE).expect("a URL");
        for body in ["a", "b"] {
            outside
                .call("sqs", "SendMessage", json!({"QueueUrl": url, "MessageBody": body}))
                .await
                .expect("it is sent");
        }
        outside
    }

    async fn with_stream() -> (SourcesOutside, String) {
        let outside = outside();
        let table = json!({
            "TableName": "people", "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
            "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
            "BillingMode": "PAY_PER_REQUEST",
            "StreamSpecification": {"StreamEnabled": true, "StreamViewType": "NEW_IMAGE"},
        });
        let made = outside.call("dynamodb", "CreateTable", table).await.expect("it is made");
        let arn = made["TableDescription"]["LatestStreamArn"].as_str().expect("an ARN").to_owned();
        (outside, arn)
    }

    async fn put(outside: &SourcesOutside, pk: &str) {
        let input = json!({"TableName": "people", "Item": {"pk": {"S": pk}}});
        outside.call("dynamodb", "PutItem", input).await.expect("it is written");
    }

    #[tokio::test]
    async fn messages_are_received_given_back_and_deleted() {
        let outside = with_queue().await;
        let received = outside.receive(QUEUE, 10, 0).await.expect("messages");
        assert_eq!(received.iter().map(|message| message.body.as_str()).collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(received[0].attributes["ApproximateReceiveCount"], "1");
        let handles =
            |messages: Vec<QueueMessage>| messages.into_iter().map(|message| message.receipt_handle).collect();
        outside.give_back(QUEUE, handles(received)).await.expect("they are shown");
        let received = outside.receive(QUEUE, 10, 0).await.expect("messages");
        assert_eq!(outside.queue(QUEUE).await, Ok(QueueState { visibility_timeout_s: 30, messages: 2 }));
        outside.delete(QUEUE, handles(received)).await.expect("they are deleted");
        assert_eq!(outside.queue(QUEUE).await.map(|state| state.messages), Ok(0));
    }

    #[tokio::test]
    async fn what_is_not_there_is_gone() {
        let outside = outside();
        assert_eq!(outside.queue(QUEUE).await, Err(SourceError::Gone));
        let stream = "arn:aws:dynamodb:us-east-1:000000000000:table/people/stream/1.2";
        assert_eq!(outside.shards(stream).await, Err(SourceError::Gone));
        assert_eq!(outside.shards(&stream.replace("1.2", "3.4")).await, Err(SourceError::Gone));
    }

    #[tokio::test]
    async fn a_stream_is_read_from_a_position_on() {
        let (outside, arn) = with_stream().await;
        let shard = outside.shards(&arn).await.expect("shards").remove(0);
        let latest = outside.iterator(&arn, &shard, &Position::Latest).await.expect("an iterator");
        let mut news = outside.news(&arn);
        put(&outside, "a").await;
        assert!(news.has_changed().expect("the room is there"));
        news.borrow_and_update();
        put(&outside, "b").await;
        let read = outside.records(&latest, 1).await.expect("records");
        let number = read.records[0]["dynamodb"]["SequenceNumber"].as_str().expect("a number").to_owned();
        let next = outside.records(&read.next.expect("an iterator"), 10).await.expect("records").records;
        let after = outside.iterator(&arn, &shard, &Position::After(number)).await.expect("an iterator");
        let again = outside.records(&after, 10).await.expect("records").records;
        assert_eq!((next.len(), &next), (1, &again));
        assert_eq!(next[0]["dynamodb"]["Keys"], json!({"pk": {"S": "b"}}));
    }
}
