//! Bad input gets AWS's answer or a clear one, and the server stays up.

use aws_sdk_eventbridge::Client as Bus;
use aws_sdk_eventbridge::error::ProvideErrorMetadata;
use aws_sdk_eventbridge::types::{PutEventsRequestEntry, Target};
use aws_sdk_lambda::Client as Functions;
use aws_sdk_lambda::types::{FunctionCode, Runtime};
use aws_sdk_sqs::Client as Queues;
use e2e::Server;
use serde_json::{Value, json};

const MEBIBYTE: usize = 1024 * 1024;

/// Code and message of a refusal.
fn refusal<T: std::fmt::Debug>(
    answer: Result<T, aws_sdk_eventbridge::error::SdkError<impl ProvideErrorMetadata + std::fmt::Debug>>,
) -> (String, String) {
    let error = answer.expect_err("it is refused");
    let error = error.as_service_error().unwrap_or_else(|| panic!("no answer of the service: {error:?}"));
    (error.code().unwrap_or_default().to_owned(), error.message().unwrap_or_default().to_owned())
}

async fn is_up(server: &Server) {
    let (status, health) = server.inside("GET", "/_tandem/health", "").await;
    assert_eq!((status, &health["status"]), (200, &json!("ok")));
}

fn entry(detail: String) -> PutEventsRequestEntry {
    PutEventsRequestEntry::builder().source("test").detail_type("d").detail(detail).build()
}

#[tokio::test]
async fn patterns_of_any_depth() {
    let server = Server::in_memory().await;
    let bus = Bus::new(&server.config());
    for depth in [1_000, 100_000] {
        let pattern = format!("{}[\"x\"]{}", "{\"a\":".repeat(depth), "}".repeat(depth));
        let (code, message) = refusal(bus.put_rule().name("r").event_pattern(&pattern).send().await);
        assert_eq!(code, "ValidationException");
        assert!(message.ends_with("Member must have length less than or equal to 4096"), "{depth}");
    }
    // What fits into a pattern's length can still be deep.
    let deep = format!("{}[1]{}", "{\"\":".repeat(800), "}".repeat(800));
    bus.put_rule().name("deep").event_pattern(deep).send().await.expect("PutRule");
    bus.put_events().entries(entry("{}".into())).send().await.expect("PutEvents");
    is_up(&server).await;
}

#[tokio::test]
async fn entries_too_large_too_deep_and_too_many() {
    let server = Server::in_memory().await;
    let bus = Bus::new(&server.config());
    let of_length = |length: usize| entry(format!("{{\"a\":\"{}\"}}", "x".repeat(length)));
    let (code, message) = refusal(bus.put_events().entries(of_length(MEBIBYTE)).send().await);
    assert_eq!(code, "ValidationException");
    assert_eq!(message, "Total size of the entries in the request is over the limit.");
    let taken = bus.put_events().entries(of_length(MEBIBYTE - 100)).send().await.expect("PutEvents");
    assert_eq!(taken.failed_entry_count, 0);
    let deep = entry(format!("{}1{}", "{\"a\":".repeat(100_000), "}".repeat(100_000)));
    let refused = bus.put_events().entries(deep).send().await.expect("PutEvents");
    assert_eq!(refused.entries()[0].error_code(), Some("MalformedDetail"));
    let eleven = vec![entry("{}".into()); 11];
    let (code, message) = refusal(bus.put_events().set_entries(Some(eleven)).send().await);
    assert_eq!(code, "ValidationException");
    let ending = "at 'entries' failed to satisfy constraint: Member must have length less than or equal to 10";
    assert!(message.starts_with("1 validation error detected: ") && message.ends_with(ending), "{message}");
    is_up(&server).await;
}

#[tokio::test]
async fn buses_in_a_circle() {
    let server = Server::in_memory().await;
    let bus = Bus::new(&server.config());
    let arn = |name: &str| format!("arn:aws:events:us-east-1:000000000000:event-bus/{name}");
    for name in ["a", "b"] {
        bus.create_event_bus().name(name).send().await.expect("CreateEventBus");
    }
    let url = server.queue_of_events("seen").await;
    for (name, to) in [("a", arn("b")), ("b", arn("a")), ("b", "arn:aws:sqs:us-east-1:000000000000:seen".into())] {
        let rule = to.rsplit([':', '/']).next().expect("a name").to_owned();
        let put = bus.put_rule().name(&rule).event_bus_name(name).event_pattern(r#"{"source":["test"]}"#);
        put.send().await.expect("PutRule");
        let target = Target::builder().id("t").arn(&to).build().expect("a target");
        bus.put_targets().rule(&rule).event_bus_name(name).targets(target).send().await.expect("PutTargets");
    }
    let event = PutEventsRequestEntry::builder().event_bus_name("a").source("test").detail_type("d").detail("{}");
    bus.put_events().entries(event.build()).send().await.expect("PutEvents");
    server.settle().await;
    let receive = Queues::new(&server.config()).receive_message().queue_url(url).max_number_of_messages(10);
    assert_eq!(receive.send().await.expect("ReceiveMessage").messages().len(), 1);
    let (_, timeline) = server.inside("GET", "/_tandem/timeline", "").await;
    assert!(timeline.to_string().contains("LOOP_DETECTED"), "{timeline}");
}

#[tokio::test]
async fn bodies_that_are_no_input() {
    let server = Server::in_memory().await;
    let (json_0, json_1) = ("application/x-amz-json-1.0", "application/x-amz-json-1.1");
    for (target, content_type) in [
        ("AWSCognitoIdentityProviderService.SignUp", json_1),
        ("AWSEvents.PutEvents", json_1),
        ("Logs_20140328.PutLogEvents", json_1),
        ("AmazonSQS.SendMessage", json_0),
        ("DynamoDB_20120810.PutItem", json_0),
    ] {
        let headers = [("x-amz-target", target), ("content-type", content_type)];
        let (deep, large) = ("{\"a\":".repeat(100_000), vec![b' '; 17 * MEBIBYTE]);
        for body in [&b"{\"a\":"[..], b"[1]", b"\xff\xfe", b"7", b"\"text\"", deep.as_bytes()] {
            let (status, answer) = server.post(&headers, body).await;
            let kind = answer["__type"].as_str().unwrap_or_default();
            assert!(status == 400 && kind.ends_with("SerializationException"), "{target}: {status} {answer}");
        }
        let (status, answer) = server.post(&headers, &large).await;
        assert_eq!((status, &answer["__type"]), (413, &json!("RequestEntityTooLargeException")), "{target}");
        let (status, answer) = server.post(&[headers[0], ("content-type", "image/png")], b"{}").await;
        assert!(status == 415 && answer["message"].as_str().is_some_and(|text| text.contains("image/png")), "{answer}");
    }
    is_up(&server).await;
}

#[tokio::test]
async fn targets_that_are_none() {
    let server = Server::in_memory().await;
    for (target, status, named) in [
        ("AWSEvents.Nope", 400, "Nope"),
        ("Nobody.PutEvents", 400, "Nobody.PutEvents"),
        ("AWSEvents", 400, "AWSEvents"),
        ("AWSEvents.", 400, "AWSEvents."),
        ("", 400, "An empty X-Amz-Target"),
    ] {
        let headers = [("x-amz-target", target), ("content-type", "application/x-amz-json-1.1")];
        let (answered, answer) = server.post(&headers, b"{}").await;
        assert_eq!((answered, &answer["__type"]), (status, &json!("UnknownOperationException")), "{target}: {answer}");
        assert!(answer["message"].as_str().is_some_and(|text| text.contains(named)), "{answer}");
    }
    is_up(&server).await;
}

/// Whether there is a Python; CI must have one.
fn have_python() -> bool {
    let found = std::process::Command::new("python3").arg("--version").output();
    let found = found.is_ok_and(|output| output.status.success());
    #[expect(clippy::disallowed_methods, reason = "a test takes no arguments")]
    let is_ci = std::env::var("CI").is_ok_and(|value| !value.is_empty());
    assert!(found || !is_ci, "python3 must be installed where CI runs");
    if !found {
        println!("skipped: there is no python3 here");
    }
    found
}

const ILL_BEHAVED: &str = r#"
import os, sys, time
def exits(event, context): os._exit(3)
def prints(event, context):
    line = "x" * 65535 + "\n"
    for _ in range(1600): sys.stdout.write(line)
    return "printed"
def forks(event, context):
    os.fork()
    return "forked"
def is_late(event, context):
    time.sleep(100)
    return "late"
"#;

/// A function of [`ILL_BEHAVED`] with two seconds; its payload, and whether that is an error.
async fn invoke(server: &Server, handler: &str) -> (Value, bool) {
    let functions = Functions::new(&server.config());
    let code = FunctionCode::builder().s3_bucket("inline").s3_key(ILL_BEHAVED).build();
    let create = functions.create_function().function_name(handler).runtime(Runtime::Python312).code(code);
    let create = create.role("arn:aws:iam::000000000000:role/any").handler(format!("index.{handler}")).timeout(20);
    create.send().await.expect("CreateFunction");
    let update = functions.update_function_configuration().function_name(handler);
    if handler == "is_late" {
        update.timeout(1).send().await.expect("UpdateFunctionConfiguration");
    }
    let answer = functions.invoke().function_name(handler).send().await.expect("Invoke");
    let payload = answer.payload().map(|blob| blob.as_ref().to_vec()).unwrap_or_default();
    (serde_json::from_slice(&payload).expect("JSON"), answer.function_error().is_some())
}

#[tokio::test]
async fn functions_that_misbehave() {
    if !have_python() {
        return;
    }
    let server = Server::in_memory().await;
    assert_eq!(invoke(&server, "prints").await, (json!("printed"), false));
    let (error, failed) = invoke(&server, "exits").await;
    assert!(failed && error["errorType"] == "Runtime.ExitError", "{error}");
    let (error, failed) = invoke(&server, "is_late").await;
    assert!(failed && error["errorType"] == "Sandbox.Timedout", "{error}");
    let text = error["errorMessage"].as_str().expect("a message");
    assert!(text.ends_with("Task timed out after 1.00 seconds"), "{text}");
    // Both processes answer and ask for more work. What the second one says is nobody's.
    assert_eq!(invoke(&server, "forks").await, (json!("forked"), false));
    let functions = Functions::new(&server.config());
    for _ in 0..3 {
        functions.invoke().function_name("forks").send().await.expect("Invoke");
    }
    is_up(&server).await;
    server.confirmed("ann@example.com").await;
    server.settle().await;
}
