//! The room through its public face: both services behind a router, asked by HTTP.

use std::sync::Arc;
use std::time::Duration;

use aws_api::{Router, Signatures};
use axum::body::{Body, to_bytes};
use http::{HeaderMap, Request};
use serde_json::{Value, json};
use storage::{Durability, Location};
use world::{Kind, Outcome, Place, World};

use crate::Tables;

pub struct Harness {
    pub world: World,
    pub tables: Arc<Tables>,
    router: Router,
}

/// An answer: status, headers and body.
pub struct Answer {
    status: u16,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("JSON")
    }

    #[track_caller]
    fn ok(self) -> Value {
        assert_eq!(self.status, 200, "{}", self.json());
        self.json()
    }

    #[track_caller]
    fn error(self, code: &str) -> Value {
        let body = self.json();
        assert_eq!(self.status, 400, "{body}");
        assert_eq!(body["__type"].as_str().unwrap_or_default().rsplit('#').next(), Some(code), "{body}");
        body
    }
}

impl Harness {
    pub fn new() -> Self {
        Self::at(&Location::Memory)
    }

    fn at(location: &Location) -> Self {
        let mut world = World::for_tests(1);
        world.place = Place { region: "eu-west-1".into(), account: "123456789012".into() };
        let tables = Tables::open(world.clone(), location.clone(), Durability::default()).expect("it opens");
        let router = Router::new(world.clone(), Signatures::default(), &tables.services());
        Self { world, tables, router }
    }

    async fn raw(&self, target: &str, body: &str) -> Answer {
        let request = Request::post("/").header("content-type", "application/x-amz-json-1.0");
        let request = request.header("x-amz-target", target).body(Body::from(body.to_owned()));
        let response = self.router.answer(request.expect("a request")).await;
        let (parts, body) = response.into_parts();
        let body = to_bytes(body, usize::MAX).await.expect("a body").to_vec();
        Answer { status: parts.status.as_u16(), headers: parts.headers, body }
    }

    async fn call(&self, operation: &str, body: Value) -> Answer {
        self.raw(&format!("DynamoDB_20120810.{operation}"), &body.to_string()).await
    }

    async fn streams(&self, operation: &str, body: Value) -> Answer {
        self.raw(&format!("DynamoDBStreams_20120810.{operation}"), &body.to_string()).await
    }

    async fn with_people() -> Self {
        let t = Self::new();
        t.call("CreateTable", people()).await.ok();
        t
    }
}

pub fn people() -> Value {
    json!({
        "TableName": "people",
        "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        "AttributeDefinitions": [
            {"AttributeName": "pk", "AttributeType": "S"}, {"AttributeName": "sk", "AttributeType": "S"},
        ],
        "BillingMode": "PAY_PER_REQUEST",
        "StreamSpecification": {"StreamEnabled": true, "StreamViewType": "NEW_AND_OLD_IMAGES"},
    })
}

fn ann() -> Value {
    json!({"pk": {"S": "USER#ann"}, "sk": {"S": "PROFILE"}, "email": {"S": "ann@example.com"}, "n": {"N": "1"}})
}

fn put_once() -> Value {
    json!({"TableName": "people", "Item": ann(), "ConditionExpression": "attribute_not_exists(pk)"})
}

#[tokio::test]
async fn an_item_is_written_and_read() {
    let t = Harness::with_people().await;
    assert_eq!(t.call("PutItem", put_once()).await.ok(), json!({}));
    let key = json!({"pk": {"S": "USER#ann"}, "sk": {"S": "PROFILE"}});
    let read = t.call("GetItem", json!({"TableName": "people", "Key": key})).await.ok();
    assert_eq!(read, json!({"Item": ann()}));
}

#[tokio::test]
async fn every_answer_has_its_checksum() {
    let t = Harness::with_people().await;
    for operation in ["PutItem", "PutItem", "ListTables", "DescribeTable"] {
        let answer = t.call(operation, put_once()).await;
        let checksum = answer.headers["x-amz-crc32"].to_str().expect("text");
        assert_eq!(checksum, crc32fast::hash(&answer.body).to_string(), "{operation}");
    }
}

#[tokio::test]
async fn a_failed_condition_gives_the_item_if_asked() {
    let t = Harness::with_people().await;
    t.call("PutItem", put_once()).await.ok();
    let mut again = put_once();
    again["ReturnValuesOnConditionCheckFailure"] = "ALL_OLD".into();
    let error = t.call("PutItem", again).await.error("ConditionalCheckFailedException");
    assert_eq!(error["message"], "The conditional request failed");
    assert_eq!(error["Item"], ann());
}

#[tokio::test]
async fn a_broken_request_gets_the_servers_words() {
    let t = Harness::with_people().await;
    let mut request = put_once();
    request["ConditionExpression"] = "size(".into();
    let error = t.call("PutItem", request).await.error("ValidationException");
    let message = error["message"].as_str().expect("a message");
    assert!(
        message.starts_with("1 validation error detected: Invalid ConditionExpression: Syntax error;"),
        "{message}"
    );
    let error = t.call("PutItem", json!({"TableName": 1})).await.error("SerializationException");
    assert_eq!(error["Message"], "NUMBER_VALUE cannot be converted to String");
    let error = t.raw("DynamoDB_20120810.PutItem", "{").await.error("SerializationException");
    assert_eq!(error, json!({"__type": "com.amazon.coral.service#SerializationException"}));
    t.call("GetItem", json!({"TableName": "nobody", "Key": {"pk": {"S": "a"}}}))
        .await
        .error("ResourceNotFoundException");
}

#[tokio::test]
async fn what_dynoxide_has_not_is_named() {
    let t = Harness::new();
    let error = t.call("CreateBackup", json!({})).await.error("UnknownOperationException");
    assert!(error["message"].as_str().is_some_and(|message| message.contains("CreateBackup")), "{error}");
}

#[tokio::test]
async fn a_write_is_told_once_about_its_user() {
    let t = Harness::with_people().await;
    t.call("PutItem", put_once()).await.ok();
    t.call("PutItem", put_once()).await.error("ConditionalCheckFailedException");
    for name in ["ann", "ann@example.com"] {
        let story = t.world.timeline.of(name);
        let told: Vec<_> = story.iter().map(|m| (m.kind, m.outcome, m.what.as_str())).collect();
        let wanted = [(Kind::Item, Outcome::Ok, "PutItem people"), (Kind::Item, Outcome::Skipped, "PutItem people")];
        assert_eq!(told, wanted);
        assert!(story[0].ids.contains(&("key", "USER#ann, PROFILE".into())), "{:?}", story[0].ids);
    }
    assert_eq!(t.world.timeline.all().iter().filter(|m| m.what.contains("PutItem")).count(), 2);
}

#[tokio::test]
async fn a_transaction_is_told_item_by_item() {
    let t = Harness::with_people().await;
    let put = |user: &str| {
        let item = json!({"pk": {"S": format!("USER#{user}")}, "sk": {"S": "PROFILE"}});
        json!({"Put": {"TableName": "people", "Item": item, "ConditionExpression": "attribute_not_exists(pk)"}})
    };
    t.call("TransactWriteItems", json!({"TransactItems": [put("ann"), put("bob")]})).await.ok();
    let error = t.call("TransactWriteItems", json!({"TransactItems": [put("cid"), put("bob")]})).await;
    let error = error.error("TransactionCanceledException");
    assert_eq!(error["CancellationReasons"][0]["Code"], "None");
    let outcomes = |name: &str| t.world.timeline.of(name).iter().map(|m| m.outcome).collect::<Vec<_>>();
    assert_eq!(outcomes("cid").first(), Some(&Outcome::Skipped));
    assert_eq!(outcomes("ann").first(), Some(&Outcome::Ok));
}

#[tokio::test]
async fn a_refusal_is_told_as_a_failed_call() {
    let t = Harness::new();
    t.call("DescribeTable", json!({"TableName": "nobody"})).await.error("ResourceNotFoundException");
    let all = t.world.timeline.all();
    assert_eq!(all.len(), 1);
    assert_eq!((all[0].kind, all[0].outcome), (Kind::ApiCall, Outcome::Failed));
    assert!(all[0].detail.as_deref().is_some_and(|detail| detail.starts_with("ResourceNotFoundException: ")));
}

#[tokio::test]
async fn arns_are_of_our_place() {
    let t = Harness::with_people().await;
    let table = t.call("DescribeTable", json!({"TableName": "people"})).await.ok();
    let arn = table["Table"]["TableArn"].as_str().expect("an ARN");
    assert_eq!(arn, "arn:aws:dynamodb:eu-west-1:123456789012:table/people");
    let put = json!({"TableName": arn, "Item": ann()});
    t.call("PutItem", put).await.ok();
    let tags = json!({"ResourceArn": arn, "Tags": [{"Key": "team", "Value": "a"}]});
    assert_eq!(t.call("TagResource", tags).await.status, 200);
    let tags = t.call("ListTagsOfResource", json!({"ResourceArn": arn})).await.ok();
    assert_eq!(tags["Tags"][0]["Key"], "team");
}

#[tokio::test]
async fn a_stream_tells_what_was_written() {
    let t = Harness::with_people().await;
    t.call("PutItem", put_once()).await.ok();
    let streams = t.streams("ListStreams", json!({"TableName": "people"})).await.ok();
    let arn = streams["Streams"][0]["StreamArn"].clone();
    assert!(arn.as_str().is_some_and(|arn| arn.starts_with("arn:aws:dynamodb:eu-west-1:123456789012:")), "{arn}");
    let stream = t.streams("DescribeStream", json!({"StreamArn": arn})).await.ok();
    let shard = &stream["StreamDescription"]["Shards"][0];
    let range = shard["SequenceNumberRange"].as_object().expect("a range");
    assert_eq!(range.keys().collect::<Vec<_>>(), ["StartingSequenceNumber"], "the shard is open");
    let shard = &shard["ShardId"];
    let iterator = json!({"StreamArn": arn, "ShardId": shard, "ShardIteratorType": "TRIM_HORIZON"});
    let iterator = t.streams("GetShardIterator", iterator).await.ok();
    let records = json!({"ShardIterator": iterator["ShardIterator"]});
    let records = t.streams("GetRecords", records).await.ok();
    assert_eq!(records["Records"][0]["awsRegion"], "eu-west-1");
    assert_eq!(records["Records"][0]["dynamodb"]["NewImage"], ann());
}

#[tokio::test]
async fn a_reset_leaves_no_table() {
    let t = Harness::with_people().await;
    let protect = json!({"TableName": "people", "DeletionProtectionEnabled": true});
    t.call("UpdateTable", protect).await.ok();
    t.tables.reset().await.expect("it goes through");
    assert_eq!(t.call("ListTables", json!({})).await.ok(), json!({"TableNames": []}));
    t.call("CreateTable", people()).await.ok();
    let scan = t.call("Scan", json!({"TableName": "people"})).await.ok();
    assert_eq!(scan["Count"], 0);
}

#[tokio::test]
async fn an_item_past_its_time_goes() {
    let t = Harness::with_people().await;
    let ttl = json!({"TableName": "people", "TimeToLiveSpecification": {"Enabled": true, "AttributeName": "ttl"}});
    t.call("UpdateTimeToLive", ttl).await.ok();
    let mut item = ann();
    item["ttl"] = json!({"N": (t.world.clock.now().seconds() + 3600).to_string()});
    t.call("PutItem", json!({"TableName": "people", "Item": item})).await.ok();
    t.world.clock.advance(Duration::from_hours(2));
    let swept = tokio::time::timeout(Duration::from_secs(10), async {
        while t.call("Scan", json!({"TableName": "people"})).await.ok()["Count"] != 0 {
            tokio::task::yield_now().await;
        }
    });
    swept.await.expect("the sweep comes by");
}

#[tokio::test]
async fn what_was_written_is_there_after_reopening() {
    let dir = tempfile::tempdir().expect("a directory");
    let location = Location::File(dir.path().join("tables.db"));
    let t = Harness::at(&location);
    t.call("CreateTable", people()).await.ok();
    t.call("PutItem", put_once()).await.ok();
    drop(t);
    let t = Harness::at(&location);
    assert_eq!(t.call("Scan", json!({"TableName": "people"})).await.ok()["Count"], 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn long_and_short_operations_mix() {
    let t = Arc::new(Harness::with_people().await);
    let ask = |n: usize| {
        let t = Arc::clone(&t);
        tokio::spawn(async move {
            match n % 3 {
                0 => t.call("Scan", json!({"TableName": "people"})).await.ok(),
                1 => t.call("PutItem", json!({"TableName": "people", "Item": ann()})).await.ok(),
                _ => t.call("DescribeTable", json!({"TableName": "people"})).await.ok(),
            }
        })
    };
    for asked in (0..60).map(ask).collect::<Vec<_>>() {
        asked.await.expect("it is answered");
    }
}
