//! The two ways against each other: whatever the library answers, dynoxide's server would have answered.
//!
//! Two databases get the same requests, valid ones and mutilated ones. One is asked as users ask it, the other
//! always by the server. Answers must agree in status and body (but for the order of members, which follows
//! dynoxide's hash maps).

use aws_api::Call;
use proptest::prelude::*;
use serde_json::{Value, json};
use storage::{Durability, Location};
use tokio::runtime::Runtime;
use world::{TraceId, World};

use crate::Tables;
use crate::tests::people;

struct Pair {
    runtime: Runtime,
    ours: std::sync::Arc<Tables>,
    theirs: std::sync::Arc<Tables>,
}

impl Pair {
    fn new() -> Self {
        let open = || Tables::open(World::for_tests(1), Location::Memory, Durability::default()).expect("it opens");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let pair = Self { runtime, ours: open(), theirs: open() };
        let mut table = people();
        table["StreamSpecification"] = Value::Null;
        assert_eq!(pair.theirs("CreateTable", &table).0, 200);
        assert_eq!(pair.ours("CreateTable", &table).0, 200);
        pair
    }

    fn ours(&self, operation: &str, body: &Value) -> (u16, Value) {
        let world = &self.ours.world;
        let trace = TraceId::new(world.clock.now(), &world.random);
        let call = Call::internal(operation, body, trace, "1".into());
        let service = self.ours.services().swap_remove(0);
        let reply = self.runtime.block_on(service.call(&call)).expect("an answer");
        (reply.status.as_u16(), in_order(&reply.body))
    }

    /// The server's answer. Of several mistakes in one request dynoxide names the one that comes first out of a hash map,
    /// another one each time: a refusal is asked for until it is the expected one. A refused request changes nothing.
    fn theirs_like(&self, expected: &(u16, Value), operation: &str, body: &Value) -> (u16, Value) {
        const ASKED_MAX: usize = 64;
        let mut answer = self.theirs(operation, body);
        for _ in 1..ASKED_MAX {
            if answer == *expected || answer.0 != 400 || expected.0 != 400 {
                break;
            }
            answer = self.theirs(operation, body);
        }
        answer
    }

    fn theirs(&self, operation: &str, body: &Value) -> (u16, Value) {
        let target = format!("DynamoDB_20120810.{operation}");
        let answer = self.theirs.forward.ask(target, body.to_string().into());
        let answer = self.runtime.block_on(answer).expect("an answer");
        (answer.status.as_u16(), in_order(&answer.body))
    }
}

fn in_order(body: &[u8]) -> Value {
    serde_json::from_slice(body).expect("JSON")
}

fn key(n: u8) -> Value {
    json!({"pk": {"S": format!("USER#{n}")}, "sk": {"S": "PROFILE"}})
}

/// One request as a client would send it.
fn request() -> impl Strategy<Value = (&'static str, Value)> {
    let n = 0u8..4;
    prop_oneof![
        (n.clone(), any::<i32>()).prop_map(|(n, value)| {
            let mut item = key(n);
            item["n"] = json!({"N": value.to_string()});
            item["tags"] = json!({"SS": ["a", "b"]});
            item["flag"] = json!({"BOOL": true});
            item["deep"] = json!({"M": {"list": {"L": [{"NULL": true}, {"B": "AQI="}]}}});
            ("PutItem", json!({"TableName": "people", "Item": item, "ReturnValues": "ALL_OLD"}))
        }),
        n.clone().prop_map(|n| (
            "PutItem",
            json!({"TableName": "people", "Item": key(n), "ConditionExpression": "attribute_not_exists(#k)",
                "ExpressionAttributeNames": {"#k": "pk"}, "ReturnValuesOnConditionCheckFailure": "ALL_OLD"}),
        )),
        n.clone().prop_map(|n| (
            "GetItem",
            json!({"TableName": "people", "Key": key(n), "ConsistentRead": true, "ReturnConsumedCapacity": "TOTAL"}),
        )),
        n.clone().prop_map(|n| (
            "UpdateItem",
            json!({"TableName": "people", "Key": key(n), "UpdateExpression": "SET #n = if_not_exists(#n, :zero) + :one",
                "ConditionExpression": "attribute_exists(pk) OR attribute_not_exists(pk)", "ReturnValues": "ALL_NEW",
                "ExpressionAttributeNames": {"#n": "n"},
                "ExpressionAttributeValues": {":zero": {"N": "0"}, ":one": {"N": "1"}}}),
        )),
        n.clone().prop_map(|n| (
            "DeleteItem",
            json!({"TableName": "people", "Key": key(n), "ReturnValues": "ALL_OLD", "ConditionExpression": "n > :n",
                "ExpressionAttributeValues": {":n": {"N": "5"}}}),
        )),
        (n.clone(), any::<bool>()).prop_map(|(n, forward)| (
            "Query",
            json!({"TableName": "people", "KeyConditionExpression": "pk = :pk AND begins_with(sk, :sk)",
                "ExpressionAttributeValues": {":pk": {"S": format!("USER#{n}")}, ":sk": {"S": "P"}},
                "ScanIndexForward": forward, "Limit": 1, "ExclusiveStartKey": key(n)}),
        )),
        Just(("Scan", json!({"TableName": "people", "FilterExpression": "attribute_exists(n)", "Limit": 2,
            "Segment": 0, "TotalSegments": 1}))),
        n.clone().prop_map(|n| ("BatchGetItem", json!({"RequestItems": {"people": {"Keys": [key(n)]}}}))),
        n.clone().prop_map(|n| (
            "BatchWriteItem",
            json!({"RequestItems": {"people": [{"PutRequest": {"Item": key(n)}}, {"DeleteRequest": {"Key": key(n + 1)}}]}}),
        )),
        n.clone().prop_map(|n| ("TransactGetItems", json!({"TransactItems": [{"Get": {"TableName": "people", "Key": key(n)}}]}))),
        n.prop_map(|n| (
            "TransactWriteItems",
            json!({"TransactItems": [
                {"Put": {"TableName": "people", "Item": key(n), "ConditionExpression": "attribute_not_exists(pk)"}},
                {"Update": {"TableName": "people", "Key": key(n + 1), "UpdateExpression": "ADD n :n",
                    "ExpressionAttributeValues": {":n": {"N": "1"}}}},
            ]}),
        )),
    ]
}

/// Something to put where it does not belong.
fn oddity() -> impl Strategy<Value = Value> {
    prop::sample::select(vec![
        Value::Null,
        json!(true),
        json!("true"),
        json!(-1),
        json!(1.5),
        json!(""),
        json!([]),
        json!({}),
        json!(["x"]),
        json!({"S": "a"}),
        json!({"S": "a", "N": "1"}),
        json!({"BOOL": "true"}),
        json!({"NULL": false}),
        json!({"N": "1e200"}),
        json!({"NS": ["1", "1.0"]}),
        json!({"SS": []}),
        json!("NONE"),
        json!("size("),
    ])
}

/// Replaces, or adds beside, the `at`th node of a request.
fn mutilate(request: &mut Value, at: usize, name: &str, oddity: Value) {
    let mut nodes = Vec::new();
    collect(request, String::new(), &mut nodes);
    let pointer = &nodes[at % nodes.len()];
    let Some(node) = request.pointer_mut(pointer) else { return };
    match node {
        Value::Object(members) if !name.is_empty() => drop(members.insert(name.to_owned(), oddity)),
        node => *node = oddity,
    }
}

fn collect(node: &Value, pointer: String, nodes: &mut Vec<String>) {
    match node {
        Value::Object(members) => {
            for (name, inner) in members {
                collect(inner, format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1")), nodes);
            }
        }
        Value::Array(items) => {
            for (index, inner) in items.iter().enumerate() {
                collect(inner, format!("{pointer}/{index}"), nodes);
            }
        }
        _ => {}
    }
    nodes.push(pointer);
}

/// Members of other operations, and legacy ones, that the server looks at wherever they stand.
const NAMES: [&str; 12] = [
    "",
    "",
    "",
    "",
    "Limit",
    "Expected",
    "AttributeUpdates",
    "ExclusiveStartKey",
    "Select",
    "AttributesToGet",
    "N",
    "Unheard",
];

fn mutilation() -> impl Strategy<Value = Option<(usize, &'static str, Value)>> {
    prop::option::weighted(0.7, (any::<usize>(), prop::sample::select(NAMES.to_vec()), oddity()))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn both_ways_answer_alike(requests in prop::collection::vec((request(), mutilation()), 1..12)) {
        let pair = Pair::new();
        for ((operation, mut body), mutilation) in requests {
            if let Some((at, name, oddity)) = mutilation {
                mutilate(&mut body, at, name, oddity);
            }
            let ours = pair.ours(operation, &body);
            let theirs = pair.theirs_like(&ours, operation, &body);
            prop_assert_eq!(ours, theirs, "{} {}", operation, body);
        }
    }
}
