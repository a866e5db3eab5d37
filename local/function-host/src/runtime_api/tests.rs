//! What the Runtime API answers a runtime that does what it should not.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::testing::{Tandem, header};

fn answer_to<'a>(told: &'a Value, call: &str) -> &'a Value {
    let found = told.as_array().expect("a list").iter().find(|answer| answer["call"] == call);
    found.expect("it was called")
}

#[tokio::test]
async fn wrong_calls_are_refused_and_the_invocation_goes_on() {
    let tandem = Tandem::new();
    tandem.create("f", "h").await;
    let (told, failed) = tandem.invoke("f", json!({"do": "misbehave"})).await;
    assert!(!failed, "{told}");
    let wrong_id = answer_to(&told, "wrong id");
    assert_eq!(wrong_id["status"], 400);
    let body = r#"{"errorMessage":"Invalid request ID","errorType":"InvalidRequestID"}"#;
    assert_eq!(wrong_id["body"], body);
    let init_error = answer_to(&told, "init error");
    assert_eq!(init_error["status"], 403);
    let text = "State transition from Running to InitError failed for runtime. Error: State transition is not allowed";
    assert!(init_error["body"].as_str().is_some_and(|body| body.contains(text)), "{init_error}");
    assert_eq!(answer_to(&told, "restore")["status"], 404);
    assert_eq!(answer_to(&told, "again")["body"], json!({"do": "misbehave"}).to_string());
    assert_eq!(answer_to(&told, "page")["status"], 403);
    let extension = answer_to(&told, "extension");
    assert_eq!(extension["status"], 200);
    assert_eq!(extension["body"], r#"{"functionName":"f","functionVersion":"$LATEST","handler":"h"}"#);
}

#[tokio::test]
async fn a_second_response_is_out_of_order() {
    let tandem = Tandem::new();
    tandem.create("f", "h").await;
    tandem.invoke("f", json!({"do": "misbehave"})).await;
    // What the function printed then is at the head of nobody's log, so it prints in an invocation that is told.
    let (_, failed) = tandem.invoke("f", json!({"do": "respond-large"})).await;
    assert!(failed);
    let tail = [("x-amz-log-type", "Tail")];
    let reply = tandem.invoke_with("f", json!({"do": "exit"}), &tail).await.expect("it is invoked");
    let log = STANDARD.decode(header(&reply, "x-amz-log-result").expect("a log")).expect("Base64");
    let log = String::from_utf8(log).expect("text");
    assert!(log.contains("Status: error\tError Type: Runtime.ExitError\t"), "{log}");
}
