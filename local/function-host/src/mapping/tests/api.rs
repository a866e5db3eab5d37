//! The operations, over the wire's shapes.

use std::sync::Arc;

use serde_json::{Value, json};

use super::fakes::{FUNCTION, FakeFilters, Fakes, QUEUE, STREAM};
use crate::testing::Tandem;

const FIFO: &str = super::fakes::FIFO;

async fn tandem() -> (Tandem, Arc<Fakes>) {
    let tandem = Tandem::new();
    tandem.create("f", "h").await;
    let fakes = Fakes::new(&tandem.world);
    tandem.host.connect_sources(fakes.clone(), Arc::new(FakeFilters)).await.expect("they are read");
    (tandem, fakes)
}

fn of(source: &str, more: &Value) -> Value {
    let mut input = json!({"FunctionName": "f", "EventSourceArn": source});
    input.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
    input
}

#[tokio::test]
async fn a_mapping_of_a_queue_is_answered_in_full() {
    let (tandem, _) = tandem().await;
    let mut made = tandem.call("CreateEventSourceMapping", of(QUEUE, &json!({}))).await.expect("it is made");
    let uuid = made["UUID"].as_str().expect("a UUID").to_owned();
    let wanted = json!({
        "UUID": uuid, "BatchSize": 10, "MaximumBatchingWindowInSeconds": 0, "EventSourceArn": QUEUE,
        "EventSourceMappingArn": format!("arn:aws:lambda:us-east-1:000000000000:event-source-mapping:{uuid}"),
        "FunctionArn": FUNCTION, "FunctionResponseTypes": [], "LastModified": 1_767_225_600.0, "State": "Creating",
        "StateTransitionReason": "USER_INITIATED",
    });
    assert_eq!(made, wanted);
    made["State"] = json!("Enabled");
    loop {
        let found = tandem.call("GetEventSourceMapping", json!({"UUID": uuid})).await.expect("it is there");
        if found["State"] != "Creating" {
            assert_eq!(found, made);
            return;
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_mapping_of_a_stream_is_answered_in_full() {
    let (tandem, _) = tandem().await;
    let more = json!({"StartingPosition": "LATEST", "FilterCriteria": {"Filters": [{"Pattern": "{\"has\":\"x\"}"}]}});
    let made = tandem.call("CreateEventSourceMapping", of(STREAM, &more)).await.expect("it is made");
    let uuid = &made["UUID"];
    let wanted = json!({
        "UUID": uuid, "BatchSize": 100, "MaximumBatchingWindowInSeconds": 0, "EventSourceArn": STREAM,
        "EventSourceMappingArn": made["EventSourceMappingArn"], "FunctionArn": FUNCTION, "FunctionResponseTypes": [],
        "LastModified": 1_767_225_600.0, "State": "Creating", "StateTransitionReason": "User action",
        "FilterCriteria": {"Filters": [{"Pattern": "{\"has\":\"x\"}"}]}, "BisectBatchOnFunctionError": false,
        "DestinationConfig": {"OnFailure": {}}, "LastProcessingResult": "No records processed",
        "MaximumRecordAgeInSeconds": -1, "MaximumRetryAttempts": -1, "ParallelizationFactor": 1,
        "StartingPosition": "LATEST", "TumblingWindowInSeconds": 0,
    });
    assert_eq!(made, wanted);
}

#[tokio::test]
async fn what_aws_refuses_is_refused_in_its_words() {
    let (tandem, _) = tandem().await;
    let stream = |more: Value| {
        let mut input = of(STREAM, &json!({"StartingPosition": "LATEST"}));
        input.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        input
    };
    let invalid = "InvalidParameterValueException";
    for (input, code, message) in [
        (json!({"FunctionName": "f"}), invalid, "Unrecognized event source."),
        (of(QUEUE, &json!({"FunctionName": "g"})), invalid, "Function does not exist"),
        (
            of(QUEUE, &json!({"StartingPosition": "LATEST"})),
            invalid,
            "StartingPosition is not valid for SQS event sources.",
        ),
        (
            of(QUEUE, &json!({"StartingPosition": "0"})),
            "ValidationException",
            "1 validation error detected: Value '0' at 'startingPosition' failed to satisfy constraint: Member must \
             satisfy enum value set: [LATEST, AT_TIMESTAMP, TRIM_HORIZON]",
        ),
        (
            of(QUEUE, &json!({"BatchSize": 11})),
            invalid,
            "Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than 10",
        ),
        (
            of(QUEUE, &json!({"BatchSize": 0})),
            "ValidationException",
            "1 validation error detected: Value '0' at 'batchSize' failed to satisfy constraint: Member must have \
             value greater than or equal to 1",
        ),
        (
            of(FIFO, &json!({"MaximumBatchingWindowInSeconds": 1})),
            invalid,
            "Batching window is not supported for FIFO queues",
        ),
        (
            of(QUEUE, &json!({"DestinationConfig": {"OnFailure": {"Destination": QUEUE}}})),
            invalid,
            "Unsupported DestinationConfig parameter for given event source mapping type.",
        ),
        (
            of(QUEUE, &json!({"FilterCriteria": {"Filters": [{"Pattern": "single-string"}]}})),
            invalid,
            "Invalid filter pattern definition.",
        ),
        (
            of(STREAM, &json!({})),
            invalid,
            "1 validation error detected: Value null at 'startingPosition' failed to satisfy constraint: Member must \
             not be null.",
        ),
        (
            stream(json!({"StartingPosition": "AT_TIMESTAMP"})),
            invalid,
            &format!("Unsupported starting position for arn type: {STREAM}"),
        ),
        (
            stream(json!({"StartingPositionTimestamp": 1})),
            invalid,
            "Timestamp only valid with StartingPosition AT_TIMESTAMP",
        ),
        (
            stream(json!({"TumblingWindowInSeconds": 10})),
            invalid,
            "TumblingWindowInSeconds is not implemented by this server",
        ),
        (
            of(QUEUE, &json!({"ScalingConfig": {"MaximumConcurrency": 1}})),
            "ValidationException",
            "1 validation error detected: Value '1' at 'scalingConfig.maximumConcurrency' failed to satisfy \
             constraint: Member must have value greater than or equal to 2",
        ),
    ] {
        let (refused, _, said) = tandem.error("CreateEventSourceMapping", input.clone()).await;
        assert_eq!((refused.as_str(), said.as_str()), (code, message), "{input}");
    }
}

#[tokio::test]
async fn a_function_that_may_run_longer_than_a_message_is_hidden_is_refused() {
    let (tandem, _) = tandem().await;
    tandem.create_with("slow", "h", json!({"Timeout": 60})).await;
    let (_, _, message) = tandem.error("CreateEventSourceMapping", of(QUEUE, &json!({"FunctionName": "slow"}))).await;
    assert_eq!(message, "Queue visibility timeout: 30 seconds is less than Function timeout: 60 seconds");
}

#[tokio::test]
async fn a_second_mapping_of_the_same_two_is_a_conflict() {
    let (tandem, _) = tandem().await;
    let made = tandem.call("CreateEventSourceMapping", of(QUEUE, &json!({}))).await.expect("it is made");
    let refused = tandem.error("CreateEventSourceMapping", of(QUEUE, &json!({}))).await;
    let message = format!(
        "An event source mapping with SQS arn (\" {QUEUE} \") and function (\" f \") already exists. Please update or \
         delete the existing mapping with UUID {}",
        made["UUID"].as_str().expect("a UUID")
    );
    assert_eq!(refused, ("ResourceConflictException".to_owned(), 409, message));
}

#[tokio::test]
async fn mappings_are_listed_by_source_and_function_in_pages() {
    let (tandem, _) = tandem().await;
    tandem.create("g", "h").await;
    for (function, source) in [("f", QUEUE), ("g", QUEUE), ("f", FIFO)] {
        tandem
            .call("CreateEventSourceMapping", of(source, &json!({"FunctionName": function})))
            .await
            .expect("it is made");
    }
    let count = async |input: Value| {
        let listed = tandem.call("ListEventSourceMappings", input).await.expect("they are listed");
        (listed["EventSourceMappings"].as_array().expect("a list").len(), listed["NextMarker"].clone())
    };
    assert_eq!(count(json!({})).await, (3, Value::Null));
    assert_eq!(count(json!({"EventSourceArn": QUEUE})).await.0, 2);
    assert_eq!(count(json!({"FunctionName": "f", "EventSourceArn": FIFO})).await.0, 1);
    let (_, marker) = count(json!({"MaxItems": "2"})).await;
    assert_eq!(count(json!({"Marker": marker})).await, (1, Value::Null));
}

#[tokio::test]
async fn an_update_changes_what_it_names() {
    let (tandem, _) = tandem().await;
    let made = tandem.call("CreateEventSourceMapping", of(QUEUE, &json!({"BatchSize": 5}))).await.expect("it is made");
    let input = json!({"UUID": made["UUID"], "Enabled": false, "FunctionResponseTypes": ["ReportBatchItemFailures"]});
    let changed = tandem.call("UpdateEventSourceMapping", input).await.expect("it is changed");
    assert_eq!((&changed["State"], &changed["BatchSize"]), (&json!("Disabling"), &json!(5)));
    assert_eq!(changed["FunctionResponseTypes"], json!(["ReportBatchItemFailures"]));
    let input = json!({"UUID": made["UUID"], "BatchSize": 100});
    let (_, _, message) = tandem.error("UpdateEventSourceMapping", input).await;
    assert!(message.starts_with("Maximum batch window in seconds"), "{message}");
}

#[tokio::test]
async fn a_mapping_that_is_not_there_is_not_found() {
    let (tandem, _) = tandem().await;
    for operation in ["GetEventSourceMapping", "UpdateEventSourceMapping", "DeleteEventSourceMapping"] {
        let refused = tandem.error(operation, json!({"UUID": "x"})).await;
        let message = "The resource you requested does not exist.".to_owned();
        assert_eq!(refused, ("ResourceNotFoundException".to_owned(), 404, message));
    }
}

#[tokio::test]
async fn a_message_reaches_a_function_that_runs() {
    let (tandem, fakes) = tandem().await;
    tandem.call("CreateEventSourceMapping", of(QUEUE, &json!({}))).await.expect("it is made");
    fakes.send("hello", None);
    while !tandem.host.pending_work().await.is_empty() {
        tokio::task::yield_now().await;
    }
    let told = tandem.world.timeline.all();
    let delivered = told.iter().find(|moment| moment.what == "queue orders → f (1 messages)").expect("it is told");
    assert_eq!(delivered.outcome, world::Outcome::Ok);
}

#[tokio::test]
async fn tags_come_and_go() {
    let (tandem, _) = tandem().await;
    let made = tandem.call("CreateEventSourceMapping", of(QUEUE, &json!({"Tags": {"a": "1"}}))).await;
    let made = made.expect("it is made");
    let arn = &made["EventSourceMappingArn"];
    tandem.call("TagResource", json!({"Resource": arn, "Tags": {"b": "2"}})).await.expect("they are set");
    let listed = async || tandem.call("ListTags", json!({"Resource": arn})).await.expect("tags")["Tags"].clone();
    assert_eq!(listed().await, json!({"a": "1", "b": "2"}));
    tandem.call("UntagResource", json!({"Resource": arn, "tagKeys": "a"})).await.expect("they are removed");
    assert_eq!(listed().await, json!({"b": "2"}));
    let nobody = "arn:aws:lambda:us-east-1:000000000000:event-source-mapping:00000000-0000-0000-0000-000000000000";
    assert_eq!(tandem.error("ListTags", json!({"Resource": nobody})).await.0, "ResourceNotFoundException");
}
