//! What cannot be run says so in one line, exits with 2 and changes nothing.

use std::path::Path;
use std::process::{Output, Stdio};

use e2e::{Server, binary};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;

async fn dev(arguments: &[&str]) -> Output {
    let mut command = Command::new(binary());
    command.arg("dev").args(arguments).kill_on_drop(true).output().await.expect("it runs")
}

#[track_caller]
fn check(output: &Output, expected: &str) {
    let error = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{error}");
    assert_eq!(error.trim_end().lines().count(), 1, "{error}");
    assert!(error.contains(expected), "{error}");
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a path in UTF-8")
}

#[tokio::test]
async fn a_port_in_use() {
    let server = Server::in_memory().await;
    let port = server.endpoint.rsplit(':').next().expect("a port");
    check(&dev(&["--in-memory", "--port", port]).await, "--port");
}

#[tokio::test]
async fn a_state_directory_that_another_process_holds() {
    let directory = tempfile::tempdir().expect("a directory");
    let _server = Server::in_directory(directory.path()).await;
    check(&dev(&["--port", "0", "--state", text(directory.path())]).await, "in use by another process");
}

#[tokio::test]
async fn a_corrupt_file_is_left_as_it_is() {
    for file in
        ["pools.db", "queues.db", "tables.db", "bus.db", "mail.db", "functions.db", "parameters.db", "stacks.db"]
    {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join(file);
        let content = "this is somebody's diary, and no database at all\n".repeat(100);
        std::fs::write(&path, &content).expect("it is written");
        check(&dev(&["--port", "0", "--state", text(directory.path())]).await, file);
        assert_eq!(std::fs::read_to_string(&path).expect("it is there"), content);
    }
}

#[tokio::test]
async fn an_address_that_others_reach() {
    check(&dev(&["--in-memory", "--port", "0", "--bind", "0.0.0.0"]).await, "--allow-remote");
}

#[tokio::test]
async fn a_parameter_that_is_none_is_told_without_its_value() {
    for (typed, expected) in [
        ("/app/key", "--ssm takes /name=value"),
        ("/app/key=", "/app/key has no value"),
        ("/app key=hunter2", "the parameter /app key could not be set"),
    ] {
        let output = dev(&["--in-memory", "--port", "0", "--ssm", typed]).await;
        check(&output, expected);
        assert!(!String::from_utf8_lossy(&output.stderr).contains("hunter2"));
    }
}

#[tokio::test]
async fn an_account_that_is_none() {
    check(&dev(&["--in-memory", "--port", "0", "--account", "me"]).await, "--account");
}

#[tokio::test]
async fn a_template_with_a_mistake_is_told_with_its_place() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("template.yaml");
    let state = directory.path().join("state");
    for (written, expected) in [
        ("Resources:\n  P: {Type: AWS::Cognito::UserPool, Properties: {Policies: !Nope x}}\n", "template.yaml:2:"),
        ("Resources:\n  C: {Type: AWS::Cognito::UserPoolClient}\n", "needs the property UserPoolId"),
        (
            "Resources:\n  Q: {Type: AWS::SQS::Queue, Properties: {DelaySeconds: soon}}\n",
            ":2:57: DelaySeconds must be a number",
        ),
    ] {
        std::fs::write(&file, written).expect("it is written");
        check(&dev(&["--port", "0", "--state", text(&state), text(&file)]).await, expected);
    }
    check(&dev(&["--in-memory", "--port", "0", text(&directory.path().join("none.yaml"))]).await, "there is no file");
}

#[tokio::test]
async fn the_demonstration_comes_to_its_end() {
    let mut command = Command::new(binary());
    command.args(["dev", "--demo", "--in-memory", "--port", "0"]).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.kill_on_drop(true).spawn().expect("it starts");
    let mut lines = BufReader::new(child.stdout.take().expect("it is piped")).lines();
    let mut profiles = 0;
    while let Some(line) = lines.next_line().await.expect("it is text") {
        profiles += usize::from(line.starts_with("  profile: tandem-profiles USER#"));
        if line.starts_with("Still serving at") {
            assert_eq!(profiles, 3);
            return;
        }
    }
    panic!("it ended before its end, after {profiles} profiles");
}

#[tokio::test]
async fn a_tool_whose_server_is_not_there() {
    for arguments in [&["dlq", "list"][..], &["erase", "ann@example.com"], &["reconcile"]] {
        let mut command = Command::new(binary());
        let output = command.args(arguments).args(["--endpoint-url", "http://127.0.0.1:9"]).output().await;
        check(&output.expect("it runs"), "nothing answers at 127.0.0.1:9");
    }
}
