//! What callers see of invocations that go well, fail, crash, hang and are refused.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde_json::{Value, json};
use tempfile::TempDir;
use world::{Kind, Outcome, TraceId};

use super::*;
use crate::testing::{Gate, Tandem, header};

#[tokio::test]
async fn the_answer_comes_back() {
    let tandem = Tandem::new();
    tandem.create("f", "h").await;
    let reply = tandem.invoke_with("f", json!({"a": 1}), &[]).await.expect("it is invoked");
    let body: Value = serde_json::from_slice(&reply.body).expect("JSON");
    assert_eq!((reply.status.as_u16(), &body["event"]), (200, &json!({"a": 1})));
    assert_eq!(header(&reply, "x-amz-executed-version"), Some("$LATEST"));
    assert_eq!(header(&reply, "x-amz-function-error"), None);
    assert_eq!(header(&reply, "x-amz-log-result"), None);
}

#[tokio::test]
async fn every_way_to_name_a_function_works() {
    let tandem = Tandem::new();
    tandem.create("f", "h").await;
    let arn = "arn:aws:lambda:us-east-1:000000000000:function:f";
    for name in ["f", "f:$LATEST", "000000000000:function:f", arn, &format!("{arn}:$LATEST")] {
        assert!(!tandem.invoke(name, json!({})).await.1, "{name}");
    }
}

/// The payload of a function that failed.
#[track_caller]
fn check(result: &(Value, bool), kind: &str, message: &str) {
    let (payload, failed) = result;
    assert!(*failed, "{payload}");
    let text = payload["errorMessage"].as_str().expect("a message");
    let text = match text.strip_prefix("RequestId: ") {
        Some(rest) => rest.split_once(' ').map_or(rest, |(_, text)| text),
        None => text,
    };
    assert_eq!((payload["errorType"].as_str(), text), (Some(kind), message));
}

#[tokio::test]
async fn failures_are_told_in_lambdas_words() {
    let tandem = Tandem::new();
    tandem.create("f", "h").await;
    check(&tandem.invoke("f", json!({"do": "fail"})).await, "Test.Error", "it went wrong");
    let exited = "Error: Runtime exited without providing a reason";
    check(&tandem.invoke("f", json!({"do": "exit"})).await, "Runtime.ExitError", exited);
    let exited = "Error: Runtime exited with error: exit status 3";
    check(&tandem.invoke("f", json!({"do": "exit", "code": 3})).await, "Runtime.ExitError", exited);
    let (payload, _) = tandem.invoke("f", json!({"do": "abort"})).await;
    let message = payload["errorMessage"].as_str().expect("a message");
    assert!(message.contains("Runtime exited with error: signal: aborted"), "{message}");
    assert!(!tandem.invoke("f", json!({})).await.1, "it recovers");
}

#[tokio::test]
async fn functions_that_cannot_start_say_why() {
    let tandem = Tandem::new();
    tandem.create("error", "init-error").await;
    tandem.create("exit", "init-exit").await;
    check(&tandem.invoke("error", json!({})).await, "Test.Init", "cannot start");
    let exited = "Error: Runtime exited with error: exit status 7";
    check(&tandem.invoke("exit", json!({})).await, "Runtime.ExitError", exited);
    check(&tandem.invoke("exit", json!({})).await, "Runtime.ExitError", exited);
}

#[tokio::test]
async fn a_missing_bootstrap_is_named() {
    let tandem = Tandem::new();
    let path = tandem.directory.path().join("program");
    std::fs::write(&path, "no program").expect("it is written");
    let code = json!({"Code": {"S3Bucket": "local", "S3Key": path}});
    tandem.create_with("f", "h", code).await;
    let denied = format!("Error: fork/exec {}: permission denied", path.display());
    check(&tandem.invoke("f", json!({})).await, "Runtime.InvalidEntrypoint", &denied);
    std::fs::remove_file(&path).expect("it is removed");
    let missing = format!("Error: Couldn't find valid bootstrap(s): [{} /opt/bootstrap]", path.display());
    check(&tandem.invoke("f", json!({})).await, "Runtime.InvalidEntrypoint", &missing);
}

#[tokio::test]
async fn a_function_that_hangs_is_killed() {
    let tandem = Tandem::new();
    tandem.create_with("f", "h", json!({"Timeout": 1})).await;
    let gate = Gate::open().await;
    let (result, waiting) = tokio::join!(tandem.invoke("f", gate.event()), gate.next());
    check(&result, "Sandbox.Timedout", "Error: Task timed out after 1.00 seconds");
    waiting.gone().await;
    assert!(!tandem.invoke("f", json!({})).await.1, "it recovers");
}

#[tokio::test]
async fn an_answer_after_the_deadline_is_nobodys() {
    let tandem = Tandem::new();
    tandem.create_with("f", "h", json!({"Timeout": 1})).await;
    let late = tandem.invoke("f", json!({"do": "answer-late", "ms": 1_500, "n": 1})).await;
    check(&late, "Sandbox.Timedout", "Error: Task timed out after 1.00 seconds");
    assert_eq!(tandem.invoke("f", json!({"do": "answer-late", "n": 2})).await, (json!(2), false));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_tail_of_a_log_is_that_of_its_own_invocation() {
    let tandem = Tandem::with(|_, limits| limits.sandboxes_max = 1);
    tandem.create_with("f", "h", json!({"Timeout": 60})).await;
    let log = async |lines: usize| {
        let event = json!({"do": "print", "lines": lines});
        let reply = tandem.invoke_with("f", event, &[("x-amz-log-type", "Tail")]).await.expect("it is invoked");
        let log = STANDARD.decode(header(&reply, "x-amz-log-result").expect("a log")).expect("Base64");
        let log = String::from_utf8(log).expect("text");
        let count = |begin: &str| log.lines().filter(|line| line.starts_with(begin)).count();
        assert_eq!((count("START "), count("xxx"), count("END "), count("REPORT ")), (1, lines, 1, 1), "{log}");
    };
    log(0).await; // what is printed while it comes up is at the head of the first
    futures_util::future::join_all((0..20).map(log)).await;
}

#[tokio::test]
async fn a_function_that_does_not_come_up_gets_a_second_chance_and_then_is_out_of_time() {
    let tandem = Tandem::with(|_, limits| limits.init_time = Duration::from_millis(50));
    tandem.create_with("f", "init-hang", json!({"Timeout": 1})).await;
    check(&tandem.invoke("f", json!({})).await, "Sandbox.Timedout", "Error: Task timed out after 1.00 seconds");
}

#[tokio::test]
async fn the_last_answer_of_a_process_counts() {
    let tandem = Tandem::new();
    tandem.create("f", "h").await;
    for _ in 0..5 {
        assert_eq!(tandem.invoke("f", json!({"do": "answer-and-exit"})).await, (json!("the last words"), false));
    }
}

#[tokio::test]
async fn responses_may_be_as_large_as_aws_lets_them() {
    let tandem = Tandem::new();
    tandem.create("f", "h").await;
    let (payload, failed) = tandem.invoke("f", json!({"do": "respond-large-enough"})).await;
    assert_eq!((failed, payload.as_str().map(str::len)), (false, Some(6 * 1024 * 1024 - 2)));
    let message = "Response payload size exceeded maximum allowed payload size (6291556 bytes).";
    check(&tandem.invoke("f", json!({"do": "respond-large"})).await, "Function.ResponseSizeTooLarge", message);
}

#[tokio::test]
async fn the_tail_of_the_log_comes_with_the_answer() {
    let tandem = Tandem::new();
    tandem.create("f", "h").await;
    let event = json!({"do": "print", "lines": 1000});
    for attempt in 0..2 {
        let reply = tandem.invoke_with("f", event.clone(), &[("x-amz-log-type", "Tail")]).await.expect("it is invoked");
        let log = STANDARD.decode(header(&reply, "x-amz-log-result").expect("a log")).expect("Base64");
        let log = String::from_utf8(log).expect("text");
        assert!(log.len() <= 4096 && log.contains("xxx\nand the last line\nEND RequestId: "), "{log}");
        assert!(log.ends_with("\t\n") && log.contains("\tMemory Size: 128 MB\tMax Memory Used: "), "{log}");
        assert_eq!(log.contains("Init Duration: "), attempt == 0, "{log}");
    }
    let short = tandem.invoke_with("f", json!({}), &[("x-amz-log-type", "Tail")]).await.expect("it is invoked");
    let log = STANDARD.decode(header(&short, "x-amz-log-result").expect("a log")).expect("Base64");
    assert!(log.starts_with(b"START RequestId: "), "of this invocation alone");
}

#[tokio::test]
async fn a_function_sees_what_lambda_shows_it_and_nothing_of_ours() {
    let tandem = Tandem::new();
    let variables = json!({"Environment": {"Variables": {"STAGE": "test", "AWS_ENDPOINT_URL_SQS": "http://q"}}});
    tandem.create_with("f", "h", variables).await;
    let context = STANDARD.encode(r#"{"custom": {"k": "ü"}}"#);
    let context = [("x-amz-client-context", context.as_str())];
    let reply = tandem.invoke_with("f", json!({"do": "environment"}), &context).await.expect("it is invoked");
    let seen: Value = serde_json::from_slice(&reply.body).expect("JSON");
    let variable = |name: &str| seen["environment"][name].as_str();
    assert_eq!(variable("STAGE"), Some("test"));
    assert_eq!(variable("AWS_ENDPOINT_URL"), Some("http://127.0.0.1:4566"));
    assert_eq!(variable("AWS_ENDPOINT_URL_SQS"), Some("http://q"));
    assert_eq!(variable("_HANDLER"), Some("h"));
    assert_eq!(variable("AWS_LAMBDA_FUNCTION_NAME"), Some("f"));
    assert_eq!(variable("AWS_LAMBDA_FUNCTION_VERSION"), Some("$LATEST"));
    assert_eq!(variable("AWS_LAMBDA_LOG_GROUP_NAME"), Some("/aws/lambda/f"));
    assert!(variable("AWS_LAMBDA_LOG_STREAM_NAME").is_some_and(|name| name.starts_with("2026/01/01/[$LATEST]")));
    assert_eq!(variable("AWS_ACCESS_KEY_ID"), Some("tandem"));
    for foreign in ["HOME", "CARGO_MANIFEST_DIR", "AWS_PROFILE", "AWS_EXECUTION_ENV"] {
        assert_eq!(variable(foreign), None, "{foreign}");
    }
    let header = |name: &str| seen["headers"][name].as_str().unwrap_or_default();
    assert_eq!(header("lambda-runtime-invoked-function-arn"), "arn:aws:lambda:us-east-1:000000000000:function:f");
    assert!(header("lambda-runtime-trace-id").starts_with("Root=1-"));
    assert!(header("lambda-runtime-client-context").starts_with(r#"{"custom":{"k":""#));
    let deadline: i64 = header("lambda-runtime-deadline-ms").parse().expect("a number");
    let left = deadline - world::Clock::system().now().millis();
    assert!((0..=3000).contains(&left), "{left} ms are left by the system's clock");
}

/// A host with a plan of one fault, and a function of three seconds.
async fn with_fault(fault: Value) -> Tandem {
    let tandem = Tandem::new();
    tandem.create("f", "h").await;
    let plan = json!({"faults": [{"function": fault}]}).to_string();
    tandem.world.faults.replace(serde_json::from_str(&plan).expect("a plan"));
    tandem
}

#[tokio::test]
async fn a_delay_by_a_fault_counts_towards_the_time_out() {
    let tandem = with_fault(json!({"name": "f", "delayMs": 300})).await;
    let began = Instant::now();
    let (seen, failed) = tandem.invoke("f", json!({"do": "environment"})).await;
    assert!(!failed && began.elapsed() >= Duration::from_millis(300), "{seen}");
    let deadline = seen["headers"]["lambda-runtime-deadline-ms"].as_str().and_then(|text| text.parse::<i64>().ok());
    let left = deadline.expect("a number") - world::Clock::system().now().millis();
    assert!((0..=2700).contains(&left), "{left} ms are left");
    let told = tandem.world.timeline.all();
    let fault = told.iter().find(|moment| moment.kind == Kind::Fault).expect("it is told");
    assert_eq!(fault.what, "fault: function f: held up 300 ms");
}

#[tokio::test]
async fn a_delay_by_a_fault_times_out_without_running() {
    let tandem = with_fault(json!({"delayMs": 60_000})).await;
    tokio::time::pause(); // no process takes part
    let began = Instant::now();
    check(&tandem.invoke("f", json!({})).await, "Sandbox.Timedout", "Error: Task timed out after 3.00 seconds");
    assert_eq!(began.elapsed().as_secs(), 3);
}

#[tokio::test]
async fn a_fault_fails_a_run_before_or_after_its_work() {
    let killed = "Error: Runtime exited with error: signal: killed";
    for (fail, has_run) in [("before", false), ("after", true)] {
        let tandem = with_fault(json!({"fail": fail})).await;
        check(&tandem.invoke("f", json!({})).await, "Runtime.ExitError", killed);
        let moment = tandem.world.timeline.all().into_iter().find(|moment| moment.kind == Kind::Invocation);
        let detail = moment.and_then(|moment| moment.detail.clone()).unwrap_or_default();
        assert!(detail.starts_with("fault: "), "{detail}");
        assert_eq!(tandem.host.sandboxes() > 0, has_run);
    }
}

#[tokio::test]
async fn refusals_are_lambdas() {
    let tandem = Tandem::new();
    tandem.create("f", "h").await;
    let refused = async |name: &str, headers: &[(&'static str, &str)]| {
        let error = tandem.invoke_with(name, json!({}), headers).await.expect_err("it is refused");
        assert!(error.code == "ValidationException" || error.members["Type"] == "User");
        (error.short_code().to_owned(), error.status.as_u16(), error.message)
    };
    let not_found = |arn: &str| ("ResourceNotFoundException".to_owned(), 404, format!("Function not found: {arn}"));
    let arn = "arn:aws:lambda:us-east-1:000000000000:function";
    assert_eq!(refused("g", &[]).await, not_found(&format!("{arn}:g")));
    assert_eq!(refused("f:live", &[]).await, not_found(&format!("{arn}:f:live")));
    assert_eq!(refused("a b", &[]).await.0, "ValidationException");
    assert_eq!(refused("f", &[("x-amz-invocation-type", "Later")]).await.0, "ValidationException");
    assert_eq!(refused("f", &[("x-amz-client-context", "no JSON")]).await.0, "InvalidRequestContentException");
}

#[tokio::test]
async fn a_body_must_be_json_and_not_too_large() {
    let tandem = Tandem::new();
    tandem.create("f", "h").await;
    let large = json!("x".repeat(6 * 1024 * 1024));
    let error = tandem.invoke_with("f", large, &[]).await.expect_err("it is refused");
    assert_eq!((error.short_code(), error.status.as_u16()), ("RequestEntityTooLargeException", 413));
    assert_eq!(error.message, "Request must be smaller than 6291456 bytes for the InvokeFunction operation");
    let broken = crate::asynchronous::check_payload(b"{\"a\":").expect_err("it is refused");
    let expected = "Could not parse request body into json: Could not parse payload into json: ";
    assert!(broken.to_string().starts_with(expected), "{broken}");
}

#[tokio::test]
async fn a_dry_run_runs_nothing() {
    let tandem = Tandem::new();
    tandem.create("f", "h").await;
    let dry = [("x-amz-invocation-type", "DryRun")];
    let reply = tandem.invoke_with("f", json!({}), &dry).await.expect("it may be invoked");
    assert_eq!((reply.status.as_u16(), reply.body.len(), tandem.host.sandboxes()), (204, 0, 0));
    assert_eq!(tandem.invoke_with("g", json!({}), &dry).await.expect_err("there is none").status.as_u16(), 404);
}

fn invocation(tandem: &Tandem, caller: Caller) -> Invocation {
    Invocation {
        function: "f".into(),
        payload: Bytes::from_static(b"{\"do\":\"echo\"}"),
        trace: TraceId::from_root("1-00000000-000000000000000000000000"),
        caller,
        client_context: None,
        request_id: Some(tandem.world.random.uuid()),
    }
}

fn pool(id: &str) -> Caller {
    let source_arn = format!("arn:aws:cognito-idp:us-east-1:000000000000:userpool/{id}");
    Caller::Service { principal: "cognito-idp.amazonaws.com".into(), source_arn }
}

#[tokio::test]
async fn a_service_needs_a_permission() {
    let tandem = Tandem::new();
    tandem.create("f", "h").await;
    let denied = tandem.host.invoke(invocation(&tandem, pool("p"))).await.expect_err("no policy");
    assert!(matches!(denied, InvokeError::AccessDenied(_)), "{denied}");
    let permission = json!({
        "FunctionName": "f", "StatementId": "s", "Action": "lambda:InvokeFunction",
        "Principal": "cognito-idp.amazonaws.com",
        "SourceArn": "arn:aws:cognito-idp:us-east-1:000000000000:userpool/p",
    });
    tandem.call("AddPermission", permission).await.expect("it is added");
    let invoked = tandem.host.invoke(invocation(&tandem, pool("p"))).await.expect("it is let in");
    assert_eq!((invoked.function_error, invoked.log_tail), (None, None));
    assert!(matches!(tandem.host.can_invoke("f", &pool("other")), Err(InvokeError::AccessDenied(_))));
    assert!(matches!(tandem.host.can_invoke("g", &pool("p")), Err(InvokeError::NotFound(_))));
    assert_eq!(tandem.host.can_invoke("f", &Caller::Account), Ok(()));
}

#[tokio::test]
async fn the_timeline_tells_how_it_went() {
    let tandem = Tandem::new();
    tandem.create("f", "h").await;
    tandem.invoke("f", json!({})).await;
    tandem.invoke("f", json!({"do": "fail"})).await;
    let moments = tandem.world.timeline.all();
    let told: Vec<_> = moments.iter().filter(|moment| moment.kind == Kind::Invocation).collect();
    assert_eq!((told[0].outcome, told[0].what.as_str(), told[0].detail.as_deref()), (Outcome::Ok, "f", None));
    assert_eq!((told[1].outcome, told[1].detail.as_deref()), (Outcome::Failed, Some("Test.Error: it went wrong")));
    assert!(told[1].duration_us.is_some() && told[1].trace.is_some());
    assert_eq!(told[1].ids[0].0, "requestId");
}

#[tokio::test]
async fn a_caller_who_hangs_up_does_not_stop_the_function() {
    let tandem = Tandem::new();
    tandem.create("f", "h").await;
    let gate = Gate::open().await;
    let waiting = tokio::select! {
        _ = tandem.invoke("f", gate.event()) => panic!("it waits"),
        waiting = gate.next() => waiting,
    };
    let told = |outcome| {
        let moments = tandem.world.timeline.all();
        moments.iter().any(|moment| moment.kind == Kind::Invocation && moment.outcome == outcome)
    };
    assert!(!told(Outcome::Ok));
    waiting.let_go().await;
    // Its sandbox is free again only when it has answered.
    assert_eq!(tandem.invoke("f", json!({})).await.0["invocations"], 2);
    assert!(told(Outcome::Ok));
}

/// A server that is killed outright leaves no functions behind: their parent's death is a signal to them.
/// Without it they would live on, hold their ports and work on events that nobody waits for.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn functions_die_with_the_server() {
    let gate = Gate::open().await;
    let port = gate.event()["port"].to_string();
    let mut server = std::process::Command::new(crate::testing::this_binary());
    server.args(["--exact", "testing::the_server", "--nocapture", "--test-threads=1", "--", &port]);
    let mut server = server.stdout(std::process::Stdio::null()).spawn().expect("it starts");
    let waiting = gate.next().await;
    server.kill().expect("it is killed");
    server.wait().expect("it ends");
    waiting.gone().await;
}

#[tokio::test]
async fn a_launcher_passes_everything_on() {
    let tandem = Tandem::with(|settings, _| settings.launcher = Some(crate::testing::test_launcher()));
    tandem.create("f", "h").await;
    assert_eq!(tandem.invoke("f", json!({"a": 1})).await.0["event"], json!({"a": 1}));
}

#[tokio::test]
async fn functions_outlive_a_restart() {
    let tandem = Tandem::new();
    tandem.create_with("f", "h", json!({"Environment": {"Variables": {"STAGE": "one"}}})).await;
    let Tandem { world, directory, host, .. } = tandem;
    host.shutdown().await;
    drop(host);
    let directory: TempDir = directory;
    let tandem = Tandem::open(world, directory, |_, _| {});
    let seen = tandem.invoke("f", json!({"do": "environment"})).await.0;
    assert_eq!(seen["environment"]["STAGE"], "one");
}
