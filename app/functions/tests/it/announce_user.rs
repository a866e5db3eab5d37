//! `announce-user` and the bus.

use serde_json::value::RawValue;
use serde_json::{Value, json};
use tandem_functions::Error;
use tandem_functions::announce_user::{AnnounceUser, OnPublishFailure, Settings};

use crate::cloud::{Cloud, at, context};

/// As Cognito might write it, with what no program of ours would: an order, spaces, a number beyond every type.
const SIGN_UP: &str = r#"{"zebra": 123456789012345678901234567890, "triggerSource": "PostConfirmation_ConfirmSignUp",
    "userPoolId": "p", "userName": "ada", "a": 1.50, "request": {"userAttributes": {"sub": "ada", "email": "a@b.c"}}}"#;
const RESET: &str = r#"{"triggerSource": "PostConfirmation_ConfirmForgotPassword", "a": 1.50}"#;

fn settings(on_publish_failure: OnPublishFailure) -> Settings {
    Settings { bus: "tandem".into(), on_publish_failure, attributes: Vec::new() }
}

async fn run(cloud: &Cloud, on_publish_failure: OnPublishFailure, event: &str) -> Result<String, Error> {
    let function = AnnounceUser::new(&cloud.sdk(), settings(on_publish_failure));
    let event: Box<RawValue> = serde_json::from_str(event).expect("JSON");
    let mut context = context("request", at(0));
    context.xray_trace_id = Some("Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1".into());
    function.handle(event, &context, at(0)).await.map(|answer| answer.get().to_owned())
}

fn turned_down(code: &str) -> Value {
    json!({"FailedEntryCount": 1, "Entries": [{"ErrorCode": code, "ErrorMessage": "no"}]})
}

#[tokio::test]
async fn the_answer_is_the_very_text_that_came() {
    let cloud = Cloud::new().await;
    for event in [SIGN_UP, RESET] {
        assert_eq!(run(&cloud, OnPublishFailure::Fail, event).await.expect("no failure"), event);
    }
}

#[tokio::test]
async fn a_sign_up_is_put_on_the_bus() {
    let cloud = Cloud::new().await;
    run(&cloud, OnPublishFailure::Fail, SIGN_UP).await.expect("no failure");
    let received = cloud.received();
    let [request] = received.as_slice() else { panic!("one request: {received:?}") };
    let entry = &request["Entries"][0];
    assert_eq!(entry["EventBusName"], "tandem");
    assert_eq!((&entry["Source"], &entry["DetailType"]), (&json!("tandem.identity"), &json!("UserCreated")));
    assert!(entry["TraceHeader"].as_str().is_some_and(|trace| trace.starts_with("Root=1-5759e988")));
    let detail: Value = serde_json::from_str(entry["Detail"].as_str().expect("text")).expect("JSON");
    assert_eq!(detail["data"]["userId"], "ada");
    assert_eq!(detail["metadata"]["traceparent"], "00-5759e988bd862e3fe1be46a994272793-53995c3f42cd8ad8-01");
}

#[tokio::test]
async fn a_reset_password_is_not_put_on_the_bus() {
    let cloud = Cloud::new().await;
    run(&cloud, OnPublishFailure::Fail, RESET).await.expect("no failure");
    assert_eq!(cloud.received(), Vec::<Value>::new());
}

#[tokio::test]
async fn an_entry_turned_down_inside_a_success_fails_the_trigger() {
    let cloud = Cloud::new().await;
    cloud.answer(200, turned_down("AccessDeniedException"));
    let error = run(&cloud, OnPublishFailure::Fail, SIGN_UP).await.expect_err("it fails");
    assert_eq!(error.error_type(), "EventNotPublished");
    assert_eq!(error.to_string(), "your account is confirmed, but could not be announced (AccessDeniedException)");
    assert_eq!(cloud.received().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_throttled_entry_is_put_again() {
    let cloud = Cloud::new().await;
    cloud.answer(200, turned_down("ThrottlingException"));
    run(&cloud, OnPublishFailure::Fail, SIGN_UP).await.expect("no failure");
    assert_eq!(cloud.received().len(), 2);
}

#[tokio::test]
async fn a_request_refused_fails_the_trigger() {
    let cloud = Cloud::new().await;
    cloud.answer(400, json!({"__type": "AccessDeniedException"}));
    let error = run(&cloud, OnPublishFailure::Fail, SIGN_UP).await.expect_err("it fails");
    assert_eq!(error.error_type(), "EventNotPublished");
}

#[tokio::test]
async fn the_sign_up_goes_on_where_it_is_told_to() {
    let cloud = Cloud::new().await;
    cloud.answer(200, turned_down("AccessDeniedException"));
    assert_eq!(run(&cloud, OnPublishFailure::Continue, SIGN_UP).await.expect("no failure"), SIGN_UP);
}
