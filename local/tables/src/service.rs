//! The table of operations, and a call's way through it.

use std::sync::Arc;

use aws_api::{ApiError, Call, Reply, Route, Service, ServiceName};
use bytes::Bytes;
use dynoxide::Database;
use futures_util::future::BoxFuture;
use http::StatusCode;
use serde_json::Value;
use world::{Kind, Moment, Outcome};

use crate::library::{Attempt, ByLibrary, Refusal, Weight, by_library, get_records};
use crate::told::Written;
use crate::{Tables, arns, blocking, shape};

/// The words for what is no JSON object at all: the type, and no message.
const UNREADABLE: &[u8] = br#"{"__type":"com.amazon.coral.service#SerializationException"}"#;

/// One operation that works.
pub struct Operation {
    name: &'static str,
    way: Way,
}

enum Way {
    Library(ByLibrary),
    /// Always to dynoxide's server. Where its text is names, its ARNs are translated.
    Server(Text),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Text {
    /// Of tables, streams, tags.
    Names,
    /// Of items: nothing in it may be touched.
    Items,
}

const fn library(name: &'static str, operation: ByLibrary) -> Operation {
    Operation { name, way: Way::Library(operation) }
}

const fn server(name: &'static str, text: Text) -> Operation {
    Operation { name, way: Way::Server(text) }
}

#[rustfmt::skip] // one paragraph an operation
pub static DYNAMODB_OPERATIONS: &[Operation] = &[
    library("GetItem", by_library!(Point, Database::get_item, [
        "TableName", "Key", "ConsistentRead", "ProjectionExpression", "ExpressionAttributeNames",
        "ReturnConsumedCapacity",
    ])),
    library("PutItem", by_library!(Point, Database::put_item, [
        "TableName", "Item", "ConditionExpression", "ExpressionAttributeNames", "ExpressionAttributeValues",
        "ReturnValues", "ReturnValuesOnConditionCheckFailure", "ReturnConsumedCapacity",
        "ReturnItemCollectionMetrics",
    ])),
    library("UpdateItem", by_library!(Point, Database::update_item, [
        "TableName", "Key", "UpdateExpression", "ConditionExpression", "ExpressionAttributeNames",
        "ExpressionAttributeValues", "ReturnValues", "ReturnValuesOnConditionCheckFailure",
        "ReturnConsumedCapacity", "ReturnItemCollectionMetrics",
    ])),
    library("DeleteItem", by_library!(Point, Database::delete_item, [
        "TableName", "Key", "ConditionExpression", "ExpressionAttributeNames", "ExpressionAttributeValues",
        "ReturnValues", "ReturnValuesOnConditionCheckFailure", "ReturnConsumedCapacity",
        "ReturnItemCollectionMetrics",
    ])),
    library("Query", by_library!(Point, crate::library::query, [
        "TableName", "IndexName", "KeyConditionExpression", "FilterExpression", "ProjectionExpression",
        "ExpressionAttributeNames", "ExpressionAttributeValues", "ScanIndexForward", "Limit",
        "ExclusiveStartKey", "Select", "ConsistentRead", "ReturnConsumedCapacity",
    ])),
    library("Scan", by_library!(Long, crate::library::scan, [
        "TableName", "IndexName", "FilterExpression", "ProjectionExpression", "ExpressionAttributeNames",
        "ExpressionAttributeValues", "Limit", "ExclusiveStartKey", "Select", "ConsistentRead", "Segment",
        "TotalSegments", "ReturnConsumedCapacity",
    ])),
    library("BatchGetItem", by_library!(Long, Database::batch_get_item, [
        "RequestItems", "ReturnConsumedCapacity",
    ])),
    library("BatchWriteItem", by_library!(Long, Database::batch_write_item, [
        "RequestItems", "ReturnConsumedCapacity", "ReturnItemCollectionMetrics",
    ])),
    library("TransactGetItems", by_library!(Long, Database::transact_get_items, [
        "TransactItems", "ReturnConsumedCapacity",
    ])),
    library("TransactWriteItems", by_library!(Long, Database::transact_write_items, [
        "TransactItems", "ClientRequestToken", "ReturnConsumedCapacity", "ReturnItemCollectionMetrics",
    ])),
    server("ExecuteStatement", Text::Items),
    server("BatchExecuteStatement", Text::Items),
    server("ExecuteTransaction", Text::Items),
    server("SearchVectors", Text::Items),
    server("CreateTable", Text::Names),
    server("DescribeTable", Text::Names),
    server("ListTables", Text::Names),
    server("UpdateTable", Text::Names),
    server("DeleteTable", Text::Names),
    server("DescribeTimeToLive", Text::Names),
    server("UpdateTimeToLive", Text::Names),
    server("TagResource", Text::Names),
    server("UntagResource", Text::Names),
    server("ListTagsOfResource", Text::Names),
];

pub static STREAMS_OPERATIONS: &[Operation] = &[
    server("ListStreams", Text::Names),
    server("DescribeStream", Text::Names),
    server("GetShardIterator", Text::Names),
    library("GetRecords", ByLibrary { weight: Weight::Long, members: &["ShardIterator", "Limit"], run: get_records }),
];

/// One of the two APIs.
pub struct Face {
    tables: Arc<Tables>,
    name: ServiceName,
    operations: &'static [Operation],
}

impl Face {
    pub fn new(tables: Arc<Tables>, name: ServiceName, operations: &'static [Operation]) -> Self {
        Self { tables, name, operations }
    }
}

impl Service for Face {
    fn name(&self) -> ServiceName {
        self.name
    }

    fn operations(&self) -> Vec<(&'static str, Option<Route>)> {
        self.operations.iter().map(|operation| (operation.name, None)).collect()
    }

    fn call<'a>(&'a self, call: &'a Call) -> BoxFuture<'a, Result<Reply, ApiError>> {
        Box::pin(async move {
            let operation = self.operations.iter().find(|operation| operation.name == call.operation);
            let operation = operation.ok_or_else(|| ApiError::unknown_operation(&call.operation))?;
            self.tables.answer(self.name.target, operation, call).await
        })
    }
}

impl Tables {
    async fn answer(&self, target: &str, operation: &Operation, call: &Call) -> Result<Reply, ApiError> {
        let begun = self.begin(call);
        let Ok(body) = std::str::from_utf8(&call.body) else {
            return Ok(self.refuse(call, begun, StatusCode::BAD_REQUEST, UNREADABLE.to_vec()));
        };
        let plain = arns::with_plain_names(body);
        let body = plain.as_deref().unwrap_or(body);
        let text = match &operation.way {
            Way::Server(text) => *text,
            Way::Library(operation) => match self.by_library(operation, body).await {
                Attempt::Done { body: answer, written } => {
                    if is_write(&call.operation) {
                        self.news.written(body);
                    }
                    self.tell_written(call, &begun, written);
                    return Ok(reply(StatusCode::OK, answer));
                }
                Attempt::Refused(refusal) => return Ok(self.refuse_by_data(call, begun, refusal)),
                Attempt::Unsure => Text::Items,
            },
        };
        let request = body;
        let (status, body) = self.by_server(target, operation.name, text, body).await?;
        if status.is_success() && is_write(operation.name) {
            self.news.written(request);
        }
        if status.is_success() { Ok(reply(status, body)) } else { Ok(self.refuse(call, begun, status, body)) }
    }

    async fn by_library(&self, operation: &ByLibrary, body: &str) -> Attempt {
        if !shape::has_only(body, operation.members) {
            return Attempt::Unsure;
        }
        self.follow_clock().await;
        match operation.weight {
            Weight::Point => {
                let _turn = self.turn.read().await;
                (operation.run)(self, body)
            }
            Weight::Long => {
                let _turn = self.turn.write().await;
                blocking(|| (operation.run)(self, body))
            }
        }
    }

    async fn by_server(
        &self,
        target: &str,
        operation: &str,
        text: Text,
        body: &str,
    ) -> Result<(StatusCode, Vec<u8>), ApiError> {
        let place = &self.world.place;
        let body = match text {
            Text::Names => Bytes::from(arns::to_dynoxide(place, body)),
            Text::Items => Bytes::copy_from_slice(body.as_bytes()),
        };
        self.follow_clock().await;
        let answer = {
            let _turn = self.turn.write().await;
            self.forward.ask(format!("{target}.{operation}"), body).await
        };
        let mut answer = answer.map_err(|error| {
            tracing::error!(operation, %error, "dynoxide's server could not be asked");
            ApiError::internal("InternalServerError", "The request processing has failed.")
        })?;
        if matches!(operation, "CreateTable" | "UpdateTable" | "DeleteTable") {
            self.forget_key_names();
        }
        if operation == "DescribeStream" && answer.status.is_success() {
            answer.body = with_open_shards(&answer.body).unwrap_or(answer.body);
        }
        let body = match (text, String::from_utf8(answer.body)) {
            (Text::Names, Ok(body)) => arns::from_dynoxide(place, &body).into_bytes(),
            (Text::Items, Ok(body)) => body.into_bytes(),
            (_, Err(error)) => error.into_bytes(),
        };
        Ok((answer.status, body))
    }

    /// Stream records of a file tell the world's time.
    async fn follow_clock(&self) {
        let Some(upkeep) = self.upkeep.as_ref().filter(|upkeep| upkeep.is_behind(&self.world.clock)) else { return };
        let _turn = self.turn.write().await;
        if let Err(error) = blocking(|| upkeep.follow(&self.world.clock)) {
            tracing::error!(%error, "the times of stream records do not follow the clock");
        }
    }

    fn begin(&self, call: &Call) -> Moment {
        let moment = self.world.timeline.moment(Kind::Item, "");
        moment.trace(Some(call.trace.clone())).id("requestId", &call.request_id)
    }

    fn tell_written(&self, call: &Call, begun: &Moment, written: Vec<Written>) {
        for item in written {
            call.told();
            self.world.timeline.record(item.moment(&call.operation, begun));
        }
    }

    /// A condition that was not met: the usual end of a duplicate, so no failure.
    fn refuse_by_data(&self, call: &Call, begun: Moment, refusal: Refusal) -> Reply {
        let Refusal { status, body, written, is_condition } = refusal;
        if !is_condition || written.is_empty() {
            return self.refuse(call, begun, status, body);
        }
        tracing::debug!(operation = call.operation, "a condition was not met");
        let begun = begun.outcome(Outcome::Skipped).detail("The conditional request failed");
        self.tell_written(call, &begun, written);
        reply(status, body)
    }

    fn refuse(&self, call: &Call, begun: Moment, status: StatusCode, body: Vec<u8>) -> Reply {
        let error = shown(&body);
        if status.is_server_error() {
            tracing::error!(request_id = call.request_id, "{} failed: {error}", call.operation);
        } else {
            tracing::warn!(request_id = call.request_id, "{} was refused: {error}", call.operation);
        }
        let mut moment = begun.outcome(Outcome::Failed).detail(error).id("service", "dynamodb");
        moment.kind = Kind::ApiCall;
        moment.what.clone_from(&call.operation);
        self.world.timeline.record(moment);
        call.told();
        reply(status, body)
    }
}

/// Whether an operation may write items, or take away a table that somebody reads.
fn is_write(operation: &str) -> bool {
    matches!(
        operation,
        "PutItem"
            | "UpdateItem"
            | "DeleteItem"
            | "BatchWriteItem"
            | "TransactWriteItems"
            | "ExecuteStatement"
            | "BatchExecuteStatement"
            | "ExecuteTransaction"
            | "UpdateTable"
            | "DeleteTable"
    )
}

/// A description of a stream whose shards do not end: the one shard of a table never closes, and a reader that sees an
/// `EndingSequenceNumber` takes it for closed.
fn with_open_shards(body: &[u8]) -> Option<Vec<u8>> {
    let mut stream: Value = serde_json::from_slice(body).ok()?;
    for shard in stream["StreamDescription"]["Shards"].as_array_mut()? {
        shard["SequenceNumberRange"].as_object_mut()?.remove("EndingSequenceNumber");
    }
    serde_json::to_vec(&stream).ok()
}

/// `ValidationException: …`, out of an error's body.
fn shown(body: &[u8]) -> String {
    let error: Value = serde_json::from_slice(body).unwrap_or_default();
    let text = |member: &str| error.get(member).and_then(Value::as_str);
    let code = text("__type").map_or("an error", |code| code.rsplit('#').next().unwrap_or(code));
    match text("message").or_else(|| text("Message")) {
        Some(message) => format!("{code}: {message}"),
        None => code.to_owned(),
    }
}

/// With the checksum that several SDKs compare.
fn reply(status: StatusCode, body: Vec<u8>) -> Reply {
    let checksum = crc32fast::hash(&body).to_string();
    Reply::bytes(status, body).header("x-amz-crc32", &checksum)
}
