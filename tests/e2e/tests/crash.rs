//! The server is killed with -9 at the moment that hurts most: right after it has said yes.
//!
//! What could be lost is what it had acknowledged and not yet done: a user who was told to look for a code, an event
//! that was accepted and not yet delivered. It is not, because an answer is sent only after its transaction is
//! committed to the write-ahead log, which the operating system keeps when the process dies, and because a job
//! leaves the queue only in the transaction that records what became of it.

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use aws_sdk_cognitoidentityprovider::Client as Pools;
use aws_sdk_cognitoidentityprovider::types::MessageActionType;
use aws_sdk_eventbridge::Client as Bus;
use aws_sdk_eventbridge::types::{PutEventsRequestEntry, Target};
use aws_sdk_lambda::types::{FunctionCode, InvocationType, Runtime};
use aws_sdk_sqs::Client as Queues;
use e2e::{PASSWORD, Server};

const ROUNDS: usize = 10;
const EVENTS_PER_ROUND: usize = 10;
/// Of a stack that takes a while to make.
const QUEUES: usize = 40;

#[tokio::test]
async fn an_acknowledged_event_is_delivered_after_a_crash() {
    let directory = tempfile::tempdir().expect("a directory");
    let mut server = Server::in_directory(directory.path()).await;
    let url = server.queue_of_events("seen").await;
    let bus = Bus::new(&server.config());
    let rule = bus.put_rule().name("all").event_pattern(r#"{"source":["test"]}"#);
    rule.send().await.expect("PutRule");
    let arn = "arn:aws:sqs:us-east-1:000000000000:seen";
    let target = Target::builder().id("seen").arn(arn).build().expect("a target");
    bus.put_targets().rule("all").targets(target).send().await.expect("PutTargets");

    let mut acknowledged = BTreeSet::new();
    for round in 0..ROUNDS {
        let entry = |n: usize| {
            let detail = format!(r#"{{"n":{}}}"#, round * EVENTS_PER_ROUND + n);
            PutEventsRequestEntry::builder().source("test").detail_type("t").detail(detail).build()
        };
        let put = Bus::new(&server.config()).put_events();
        let put = put.set_entries(Some((0..EVENTS_PER_ROUND).map(entry).collect()));
        let answer = put.send().await.expect("PutEvents");
        server.kill_9().await;
        acknowledged.extend(answer.entries.unwrap_or_default().into_iter().filter_map(|entry| entry.event_id));
        server = Server::in_directory(directory.path()).await;
    }
    server.settle().await;

    let mut seen = BTreeSet::new();
    for event in received(&server, &url).await {
        seen.insert(event["id"].as_str().expect("an id").to_owned());
    }
    assert_eq!(acknowledged.len(), ROUNDS * EVENTS_PER_ROUND);
    assert_eq!(seen, acknowledged);
}

/// The death comes between the answer to a deletion and the delivery of what CloudTrail tells of it. Nobody could hear of
/// that deletion any more; but its record is in the queue of deliveries before the call is answered.
#[tokio::test]
async fn what_cloudtrail_tells_of_an_acknowledged_deletion_is_delivered_after_a_crash() {
    let directory = tempfile::tempdir().expect("a directory");
    let mut server = Server::in_directory(directory.path()).await;
    let url = server.queue_of_events("seen").await;
    let bus = Bus::new(&server.config());
    let pattern = r#"{"source":["aws.cognito-idp"],"detail":{"eventName":["AdminDeleteUser"]}}"#;
    bus.put_rule().name("deleted").event_pattern(pattern).send().await.expect("PutRule");
    let arn = "arn:aws:sqs:us-east-1:000000000000:seen";
    let target = Target::builder().id("seen").arn(arn).build().expect("a target");
    bus.put_targets().rule("deleted").targets(target).send().await.expect("PutTargets");

    let mut deleted = BTreeSet::new();
    for round in 0..ROUNDS {
        let (pools, pool) = (Pools::new(&server.config()), server.of_stack("userPoolId").to_owned());
        let address = format!("user-{round}@example.com");
        let create = pools.admin_create_user().user_pool_id(&pool).username(&address);
        let user = create.message_action(MessageActionType::Suppress).send().await.expect("AdminCreateUser").user;
        let sub = user.and_then(|user| user.username).expect("a name, which is the sub in this pool");
        let delete = pools.admin_delete_user().user_pool_id(&pool).username(&address);
        delete.send().await.expect("AdminDeleteUser");
        server.kill_9().await;
        deleted.insert(sub);
        server = Server::in_directory(directory.path()).await;
    }
    // The stack's own consumer was told of users who were gone when it looked. A minute later it finds their tombstones.
    server.inside("POST", "/_tandem/settle?timeoutMs=20000", "").await;
    server.advance(Duration::from_mins(1)).await;
    server.settle().await;

    let mut told = BTreeSet::new();
    for event in received(&server, &url).await {
        told.insert(event["detail"]["additionalEventData"]["sub"].as_str().expect("a sub").to_owned());
    }
    assert_eq!(told, deleted);
}

/// All events in a queue.
async fn received(server: &Server, url: &str) -> Vec<serde_json::Value> {
    let (queues, url) = (Queues::new(&server.config()), url_at(server, url));
    let mut events = Vec::new();
    loop {
        let messages = queues.receive_message().queue_url(&url).max_number_of_messages(10).send().await;
        let messages = messages.expect("ReceiveMessage").messages.unwrap_or_default();
        if messages.is_empty() {
            return events;
        }
        let event = |body: &str| serde_json::from_str(body).expect("an event");
        events.extend(messages.iter().map(|message| event(message.body().expect("a body"))));
    }
}

/// The port is another after a restart; the queue is the same.
fn url_at(server: &Server, url: &str) -> String {
    let path = url.splitn(4, '/').nth(3).expect("a path");
    format!("{}/{path}", server.endpoint)
}

#[tokio::test]
async fn an_acknowledged_sign_up_is_there_after_a_crash() {
    let directory = tempfile::tempdir().expect("a directory");
    for round in 0..ROUNDS {
        let server = Server::in_directory(directory.path()).await;
        let pools = Pools::new(&server.config());
        let address = format!("user-{round}@example.com");
        let sign_up = pools.sign_up().client_id(server.of_stack("userPoolClientId")).username(&address);
        sign_up.password(PASSWORD).send().await.expect("SignUp");
        server.kill_9().await;
    }
    let server = Server::in_directory(directory.path()).await;
    let pools = Pools::new(&server.config());
    let users = pools.list_users().user_pool_id(server.of_stack("userPoolId")).send().await.expect("ListUsers");
    assert_eq!(users.users.unwrap_or_default().len(), ROUNDS);
}

#[tokio::test]
async fn a_sign_up_confirmed_before_a_crash_has_its_profile_after_it() {
    let directory = tempfile::tempdir().expect("a directory");
    let server = Server::in_directory(directory.path()).await;
    server.confirmed("ann@example.com").await;
    server.kill_9().await;

    let server = Server::in_directory(directory.path()).await;
    server.settle().await;
    let scan = aws_sdk_dynamodb::Client::new(&server.config()).scan().table_name(server.of_stack("tableName"));
    let items = scan.send().await.expect("Scan").items.unwrap_or_default();
    let profiles = items.iter().filter(|item| item["sk"].as_s().is_ok_and(|sk| sk == "PROFILE"));
    assert_eq!(profiles.count(), 1);
}

/// The death strikes while a stack is being made: between a resource and the record of it, or anywhere else.
///
/// What could be lost is the way forward: a pool that nobody knows, in whose place the next start makes a second one, or a
/// name that is taken for good. It is not, because what will be made is recorded before it is made: the next start finishes
/// it. (That this holds behind every single call is tested in `server`, without a process.)
#[tokio::test]
async fn a_stack_that_was_half_made_is_finished() {
    let directory = tempfile::tempdir().expect("a directory");
    let state = directory.path().join("state");
    let file = directory.path().join("template.yaml");
    let queues: Vec<_> = (0..QUEUES).map(|n| format!("  Q{n}: {{Type: AWS::SQS::Queue}}\n")).collect();
    let queues = queues.concat();
    let pool = "  Users: {Type: AWS::Cognito::UserPool}\n  \
                Web: {Type: AWS::Cognito::UserPoolClient, Properties: {UserPoolId: !Ref Users}}\n";
    std::fs::write(&file, format!("Resources:\n{queues}{pool}")).expect("it is written");
    for changes in 1..=ROUNDS {
        let starting = e2e::Starting::of(&file, &state);
        starting.kill_9_after(changes).await;
    }
    let server = Server::serving(&file, &["--state", state.to_str().expect("a path in UTF-8")]).await;
    let listed = Queues::new(&server.config()).list_queues().send().await.expect("ListQueues");
    assert_eq!(listed.queue_urls.unwrap_or_default().len(), QUEUES);
    let pools = Pools::new(&server.config()).list_user_pools().max_results(60).send().await.expect("ListUserPools");
    let pools = pools.user_pools.unwrap_or_default();
    assert_eq!(pools.iter().map(|pool| pool.id.as_deref()).collect::<Vec<_>>(), [Some(server.of_stack("userPoolId"))]);
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn functions_die_with_the_server() {
    let directory = tempfile::tempdir().expect("a directory");
    let server = Server::in_directory(directory.path()).await;
    server.confirmed("ann@example.com").await;
    server.settle().await;
    let children = children_of(server.pid());
    assert!(!children.is_empty(), "functions ran");
    server.kill_9().await;
    for child in children {
        gone(child).await;
    }
}

/// What a function starts is not the server's child, and may even leave the function's process group.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn what_functions_have_started_dies_with_the_server() {
    let directory = tempfile::tempdir().expect("a directory");
    let pids = directory.path().join("pids");
    let code = directory.path().join("code");
    std::fs::create_dir(&code).expect("it is made");
    let script = format!(
        "#!/bin/sh\nsleep 600 &\na=$!\nsetsid sleep 600 &\necho $a $! > {0}.new\nmv {0}.new {0}\nexec sleep 600\n",
        pids.display()
    );
    std::fs::write(code.join("bootstrap"), script).expect("it is written");
    std::fs::set_permissions(code.join("bootstrap"), std::fs::Permissions::from_mode(0o700)).expect("it is executable");
    let server = Server::in_directory(&directory.path().join("state")).await;
    let lambda = aws_sdk_lambda::Client::new(&server.config());
    let place = FunctionCode::builder().s3_bucket("local").s3_key(code.to_str().expect("a path in UTF-8")).build();
    let create = lambda.create_function().function_name("f").runtime(Runtime::Providedal2023).handler("f").code(place);
    create.role("arn:aws:iam::000000000000:role/any").send().await.expect("CreateFunction");
    lambda.invoke().function_name("f").invocation_type(InvocationType::Event).send().await.expect("Invoke");

    let started = async {
        loop {
            match std::fs::read_to_string(&pids) {
                Ok(text) => break text,
                Err(_) => tokio::task::yield_now().await,
            }
        }
    };
    let started = tokio::time::timeout(std::time::Duration::from_secs(10), started).await.expect("it starts");
    server.kill_9().await;
    for pid in started.split_whitespace() {
        gone(pid.parse().expect("a number")).await;
    }
}

/// By `/proc/PID/stat`: the fourth field is the parent.
#[cfg(target_os = "linux")]
fn children_of(parent: u32) -> Vec<u32> {
    let processes =
        std::fs::read_dir("/proc").expect("Linux").filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    let is_child = |pid: &u32| {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        let behind_name = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
        behind_name.split_whitespace().nth(1) == Some(parent.to_string().as_str())
    };
    processes.filter(is_child).collect()
}

/// Returns when a process is no more, or waits to be collected; fails after a while.
#[cfg(target_os = "linux")]
async fn gone(pid: u32) {
    let dead = || {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        stat.rsplit_once(')').is_none_or(|(_, rest)| rest.trim_start().starts_with('Z'))
    };
    let wait = async {
        while !dead() {
            tokio::task::yield_now().await;
        }
    };
    let limit = std::time::Duration::from_secs(10);
    tokio::time::timeout(limit, wait).await.unwrap_or_else(|_| panic!("process {pid} outlived the server"));
}
