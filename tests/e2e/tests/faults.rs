//! Faults on demand: what clients and users see of them.

use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_sdk_cognitoidentityprovider::Client as Pools;
use aws_sdk_cognitoidentityprovider::error::ProvideErrorMetadata;
use aws_sdk_dynamodb::Client as Tables;
use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_eventbridge::Client as Bus;
use aws_sdk_eventbridge::types::{PutEventsRequestEntry, Target};
use aws_sdk_lambda::Client as Functions;
use aws_sdk_lambda::types::Environment;
use aws_sdk_sqs::Client as Queues;
use e2e::{PASSWORD, Server};
use serde_json::{Value, json};
use tokio::time::Instant;

/// A server with a plan of one fault.
async fn with(fault: Value) -> Server {
    let server = Server::in_memory().await;
    let (status, answer) = server.inside("PUT", "/_tandem/faults", &json!({"faults": [fault]}).to_string()).await;
    assert_eq!(status, 200, "{answer}");
    server
}

/// How often it could have struck, and how often it did.
async fn counts(server: &Server) -> (u64, u64) {
    let (_, account) = server.inside("GET", "/_tandem/faults", "").await;
    let count = |name: &str| account["faults"][0][name].as_u64().expect("a count");
    (count("asked"), count("struck"))
}

/// Signs somebody up and confirms them; the words in which that failed.
async fn confirm(server: &Server, address: &str) -> Result<(), String> {
    let (pools, client) = (Pools::new(&server.config()), server.of_stack("userPoolClientId"));
    pools.sign_up().client_id(client).username(address).password(PASSWORD).send().await.expect("SignUp");
    let code = server.code(address).await;
    let confirmed = pools.confirm_sign_up().client_id(client).username(address).confirmation_code(code).send().await;
    confirmed.map(drop).map_err(|error| {
        let error = error.into_service_error();
        format!("{}: {}", error.code().unwrap_or_default(), error.message().unwrap_or_default())
    })
}

async fn profiles(server: &Server) -> usize {
    let scan = Tables::new(&server.config()).scan().table_name(server.of_stack("tableName"));
    let items = scan.send().await.expect("Scan").items.unwrap_or_default();
    items.iter().filter(|item| item["sk"].as_s().is_ok_and(|sk| sk == "PROFILE")).count()
}

/// What the timeline tells of faults.
async fn told(server: &Server, user: &str) -> Vec<String> {
    let (_, timeline) = server.inside("GET", &format!("/_tandem/timeline?user={user}"), "").await;
    let moments = timeline["moments"].as_array().expect("moments").iter();
    let faults = moments.filter(|moment| moment["kind"] == "fault");
    faults.map(|moment| moment["what"].as_str().expect("a text").to_owned()).collect()
}

#[tokio::test]
async fn a_plan_that_is_none_says_why_and_changes_nothing() {
    let server = with(json!({"putEvents": {}})).await;
    for (plan, why) in [
        ("{}", "missing field `faults`"),
        (r#"{"faults": [{"api": {"service": "dynamo", "error": "X"}}]}"#, "unknown service `dynamo`"),
        (
            r#"{"faults": [{"api": {"service": "events", "operation": "Put", "error": "X"}}]}"#,
            "unknown operation `Put`",
        ),
        (r#"{"faults": [{"putEvents": {}, "often": 1}]}"#, "unknown field `often`"),
    ] {
        let (status, answer) = server.inside("PUT", "/_tandem/faults", plan).await;
        assert_eq!(status, 400);
        assert!(answer["message"].as_str().is_some_and(|message| message.contains(why)), "{answer}");
    }
    let (_, ended) = server.inside("DELETE", "/_tandem/faults", "").await;
    assert_eq!(ended["faults"][0], json!({"putEvents": {"error": "InternalFailure"}, "asked": 0, "struck": 0}));
    assert_eq!(server.inside("GET", "/_tandem/faults", "").await.1["faults"], json!([]));
}

#[tokio::test]
async fn a_slow_trigger_is_tried_three_times_and_then_refused_in_cognitos_words() {
    let server = with(json!({"trigger": {"name": "PostConfirmation", "timeOut": true}})).await;
    let error = confirm(&server, "ann@example.com").await.expect_err("it times out");
    let words = "PostConfirmation invocation failed due to error Socket timeout while invoking Lambda function.";
    assert_eq!(error, format!("UnexpectedLambdaException: {words}"));
    assert_eq!(counts(&server).await, (3, 3));
    assert_eq!(
        told(&server, "ann@example.com").await,
        ["fault: trigger PostConfirmation: timed out, though it ran"; 3]
    );
}

#[tokio::test]
async fn a_trigger_that_is_slow_twice_succeeds_and_the_profile_is_one() {
    let server = with(json!({"trigger": {"timeOut": true}, "times": 2})).await;
    confirm(&server, "ann@example.com").await.expect("the third attempt succeeds");
    server.settle().await;
    assert_eq!(profiles(&server).await, 1);
}

/// Sets a variable of a function, and leaves the others.
async fn set_variable(server: &Server, function: &str, name: &str, value: &str) {
    let functions = Functions::new(&server.config());
    let known = functions.get_function_configuration().function_name(function).send().await;
    let known = known.expect("GetFunctionConfiguration").environment.and_then(|known| known.variables);
    let variables = Environment::builder().set_variables(known).variables(name, value).build();
    let update = functions.update_function_configuration().function_name(function).environment(variables);
    update.send().await.expect("UpdateFunctionConfiguration");
}

/// In real time, because it is the function's own time-outs that count here, and Cognito's.
#[tokio::test]
async fn a_sign_up_ends_within_cognitos_limit_though_the_bus_hangs() {
    let limit = Duration::from_secs(5);
    let server = with(json!({"api": {"service": "events", "operation": "PutEvents", "delayMs": 20_000}})).await;

    let began = Instant::now();
    let refused = confirm(&server, "ann@example.com").await.expect_err("the policy is to fail");
    assert!(began.elapsed() < limit, "{:?}", began.elapsed());
    let words = "UserLambdaValidationException: PostConfirmation failed with error your account is confirmed, but could \
                 not be announced (";
    assert!(refused.starts_with(words), "{refused}");
    assert_eq!(counts(&server).await, (2, 2), "it is tried twice");

    set_variable(&server, "announce-user", "ON_PUBLISH_FAILURE", "continue").await;
    let began = Instant::now();
    confirm(&server, "ben@example.com").await.expect("the policy is to go on");
    assert!(began.elapsed() < limit, "{:?}", began.elapsed());
    assert_eq!(counts(&server).await, (4, 4));
}

#[tokio::test]
async fn a_throttled_table_is_written_to_by_the_sdks_retry() {
    let throttled = json!({"service": "dynamodb", "error": "ProvisionedThroughputExceededException"});
    let server = with(json!({"api": throttled, "times": 1})).await;
    confirm(&server, "ann@example.com").await.expect("it is confirmed");
    server.settle().await;
    assert_eq!((profiles(&server).await, counts(&server).await.1), (1, 1));
    let what = told(&server, "ann@example.com").await.pop().expect("it is told");
    assert!(what.ends_with("answers ProvisionedThroughputExceededException, was not carried out"), "{what}");
}

#[tokio::test]
async fn a_write_whose_answer_is_lost_is_there() {
    let lost = json!({"service": "dynamodb", "operation": "PutItem", "error": "InternalServerError", "after": true});
    let server = with(json!({"api": lost})).await;
    let config = server.config().to_builder().retry_config(RetryConfig::disabled()).build();
    let (tables, table) = (Tables::new(&config), server.of_stack("tableName"));
    let text = |text: &str| AttributeValue::S(text.to_owned());
    let put = tables.put_item().table_name(table).item("pk", text("a")).item("sk", text("b")).send().await;
    assert!(put.expect_err("it fails").into_service_error().is_internal_server_error());
    let get = tables.get_item().table_name(table).key("pk", text("a")).key("sk", text("b")).send().await;
    assert!(get.expect("GetItem").item.is_some());
}

#[tokio::test]
async fn an_entry_that_the_bus_does_not_take_is_delivered_to_nobody() {
    let server = with(json!({"putEvents": {"detailType": "lost"}})).await;
    let url = seen_by_queue(&server).await;
    let entry = |kind: &str| PutEventsRequestEntry::builder().source("test").detail_type(kind).detail("{}").build();
    let put = Bus::new(&server.config()).put_events().entries(entry("lost")).entries(entry("taken"));
    let answer = put.send().await.expect("PutEvents");
    assert_eq!(answer.failed_entry_count, 1);
    assert_eq!(answer.entries()[0].error_code(), Some("InternalFailure"));
    assert!(answer.entries()[1].event_id().is_some());
    server.settle().await;
    assert_eq!(received(&server, &url).await, ["taken"]);
}

#[tokio::test]
async fn a_delivery_comes_twice() {
    let server = with(json!({"delivery": {"lane": "bus-deliveries", "twice": true}})).await;
    let url = seen_by_queue(&server).await;
    let entry = PutEventsRequestEntry::builder().source("test").detail_type("one").detail("{}").build();
    Bus::new(&server.config()).put_events().entries(entry).send().await.expect("PutEvents");
    server.settle().await;
    assert_eq!(received(&server, &url).await, ["one", "one"]);
}

#[tokio::test]
async fn a_late_delivery_comes_when_the_clock_says_so() {
    let server = with(json!({"delivery": {"to": "create-profile", "lateMs": 60_000}, "times": 1})).await;
    confirm(&server, "ann@example.com").await.expect("it is confirmed");
    assert_eq!(server.inside("POST", "/_tandem/settle?timeoutMs=30000", "").await.0, 504);
    assert_eq!(profiles(&server).await, 0);
    server.advance(std::time::Duration::from_mins(1)).await;
    server.settle().await;
    assert_eq!(profiles(&server).await, 1);
}

#[tokio::test]
async fn a_function_that_fails_is_tried_again() {
    let server = with(json!({"function": {"name": "create-profile", "fail": "before"}, "times": 2})).await;
    confirm(&server, "ann@example.com").await.expect("it is confirmed");
    for minutes in [1, 2] {
        assert_eq!(server.inside("POST", "/_tandem/settle?timeoutMs=30000", "").await.0, 504);
        server.advance(std::time::Duration::from_mins(minutes)).await;
    }
    server.settle().await;
    assert_eq!(profiles(&server).await, 1);
    assert_eq!(told(&server, "ann@example.com").await, ["fault: function create-profile: fails before it runs"; 2]);
}

/// A queue that gets every event of the source `test`.
async fn seen_by_queue(server: &Server) -> String {
    let url = server.queue_of_events("seen").await;
    let bus = Bus::new(&server.config());
    let rule = bus.put_rule().name("all").event_pattern(r#"{"source":["test"]}"#);
    rule.send().await.expect("PutRule");
    let target = Target::builder().id("seen").arn("arn:aws:sqs:us-east-1:000000000000:seen").build();
    bus.put_targets().rule("all").targets(target.expect("a target")).send().await.expect("PutTargets");
    url
}

/// The detail types of what a queue holds.
async fn received(server: &Server, url: &str) -> Vec<String> {
    let receive = Queues::new(&server.config()).receive_message().queue_url(url).max_number_of_messages(10);
    let messages = receive.send().await.expect("ReceiveMessage").messages.unwrap_or_default();
    let detail_type = |body: &str| {
        let event: Value = serde_json::from_str(body).expect("an event");
        event["detail-type"].as_str().expect("a text").to_owned()
    };
    messages.iter().map(|message| detail_type(message.body().expect("a body"))).collect()
}
