//! Making, changing, listing and removing functions.

use std::io::{Cursor, Write};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::ops;
use crate::testing::{ROLE, Tandem, bootstrap};

const ARN: &str = "arn:aws:lambda:us-east-1:000000000000:function:f";

fn zipped(files: &[(&str, &str)]) -> String {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in files {
        writer.start_file(*name, SimpleFileOptions::default()).expect("an entry");
        writer.write_all(content.as_bytes()).expect("its content");
    }
    STANDARD.encode(writer.finish().expect("an archive").into_inner())
}

fn unpacked(tandem: &Tandem) -> usize {
    std::fs::read_dir(tandem.directory.path().join("functions")).map_or(0, Iterator::count)
}

/// The members of a request that makes a function, with some replaced.
fn request(changes: &Value) -> Value {
    let mut input = json!({
        "FunctionName": "f", "Runtime": "provided.al2023", "Role": ROLE, "Handler": "h",
        "Code": {"S3Bucket": "built-in", "S3Key": "test"},
    });
    let members = input.as_object_mut().expect("an object");
    for (name, value) in changes.as_object().expect("an object") {
        members.insert(name.clone(), value.clone());
    }
    members.retain(|_, value| !value.is_null());
    input
}

#[test]
fn every_operation_has_a_route() {
    assert!(ops::OPERATIONS.iter().all(|operation| operation.route.is_some()));
}

#[tokio::test]
async fn a_new_function_reads_as_it_was_made() {
    let tandem = Tandem::new();
    let more = json!({"Description": "d", "Environment": {"Variables": {"STAGE": "x"}}, "Tags": {"team": "a"}});
    let made = tandem.create_with("f", "h", more).await;
    assert_eq!(made["FunctionArn"], ARN);
    assert_eq!(made["LastModified"], "2026-01-01T00:00:00.000+0000");
    assert_eq!(made["Environment"]["Variables"]["STAGE"], "x");
    assert_eq!((&made["Timeout"], &made["MemorySize"], &made["Version"]), (&json!(3), &json!(128), &json!("$LATEST")));
    assert_eq!((&made["State"], &made["Architectures"]), (&json!("Active"), &json!(["x86_64"])));
    let got = tandem.call("GetFunction", json!({"FunctionName": "f"})).await.expect("it is there");
    assert_eq!(got["Configuration"], made);
    assert_eq!((&got["Code"]["Location"], &got["Tags"]["team"]), (&json!("built-in:test"), &json!("a")));
    let latest = json!({"FunctionName": ARN, "Qualifier": "$LATEST"});
    let latest = tandem.call("GetFunctionConfiguration", latest).await.expect("it is there");
    assert_eq!(latest["FunctionArn"], format!("{ARN}:$LATEST"));
}

#[tokio::test]
async fn an_archive_is_unpacked_and_runs() {
    let tandem = Tandem::new();
    let zip = zipped(&[("bootstrap", &bootstrap()), ("data.txt", "x")]);
    let made = tandem.create_with("f", "h", json!({"Code": {"ZipFile": zip}})).await;
    assert_eq!(made["CodeSha256"].as_str().map(str::len), Some(44));
    assert_eq!(tandem.invoke("f", json!({"a": 1})).await.0["event"], json!({"a": 1}));
    assert_eq!(unpacked(&tandem), 1);
    let update = json!({"FunctionName": "f", "ZipFile": zipped(&[("bootstrap", &bootstrap())])});
    let updated = tandem.call("UpdateFunctionCode", update).await.expect("it is updated");
    assert_ne!(updated["CodeSha256"], made["CodeSha256"]);
    assert_eq!(tandem.invoke("f", json!({})).await.0["invocations"], 1, "in a new sandbox");
    tandem.call("DeleteFunction", json!({"FunctionName": "f"})).await.expect("it is deleted");
    let mut sandboxes = tandem.host.surroundings.sandboxes();
    sandboxes.wait_for(|count| *count == 0).await.expect("they end");
    while unpacked(&tandem) > 0 {
        tokio::task::yield_now().await; // it is removed on a thread of its own
    }
}

#[tokio::test]
async fn a_directory_on_disk_runs_where_it_lies() {
    use std::os::unix::fs::PermissionsExt;
    let tandem = Tandem::new();
    let code = tandem.directory.path().join("code");
    std::fs::create_dir(&code).expect("it is made");
    std::fs::write(code.join("bootstrap"), bootstrap()).expect("it is written");
    std::fs::set_permissions(code.join("bootstrap"), PermissionsExt::from_mode(0o755)).expect("it may run");
    tandem.create_with("f", "h", json!({"Code": {"S3Bucket": "hot-reload", "S3Key": code}})).await;
    let seen = tandem.invoke("f", json!({"do": "environment"})).await.0;
    assert_eq!(seen["environment"]["LAMBDA_TASK_ROOT"], code.to_str().expect("text"));
}

#[tokio::test]
async fn a_new_build_on_disk_is_used_without_a_word() {
    use std::os::unix::fs::PermissionsExt;
    let tandem = Tandem::new();
    let program = tandem.directory.path().join("program");
    let build = |stage: &str| {
        // As compilers do it: a new file in the place of the old.
        let new = tandem.directory.path().join("new");
        std::fs::write(&new, format!("#!/bin/sh\nexport STAGE={stage}\n{}", bootstrap())).expect("it is written");
        std::fs::set_permissions(&new, PermissionsExt::from_mode(0o755)).expect("it may run");
        std::fs::rename(&new, &program).expect("it is put in its place");
    };
    build("one");
    tandem.create_with("f", "h", json!({"Code": {"S3Bucket": "local", "S3Key": program}})).await;
    let stage = async || tandem.invoke("f", json!({"do": "environment"})).await.0["environment"]["STAGE"].clone();
    assert_eq!(stage().await, "one");
    build("two");
    while stage().await == "one" {} // we look a few times a second
    assert_eq!(stage().await, "two");
}

#[tokio::test]
async fn what_no_function_has_is_swept_away() {
    let tandem = Tandem::new();
    let code = json!({"Code": {"ZipFile": zipped(&[("bootstrap", &bootstrap())])}});
    tandem.create_with("f", "h", code).await;
    std::fs::create_dir(tandem.directory.path().join("functions/left-over")).expect("it is made");
    let Tandem { world, directory, .. } = tandem;
    let tandem = Tandem::open(world, directory, |_, _| {});
    assert_eq!(unpacked(&tandem), 1);
    assert!(!tandem.invoke("f", json!({})).await.1);
}

#[track_caller]
fn check(error: &(String, u16, String), code: &str, status: u16, message: &str) {
    assert_eq!((error.0.as_str(), error.1), (code, status), "{}", error.2);
    assert!(error.2.contains(message), "{}", error.2);
}

#[tokio::test]
async fn what_lambda_refuses_is_refused() {
    let tandem = Tandem::new();
    let invalid = "InvalidParameterValueException";
    let validation = "ValidationException";
    for (changes, code, message) in [
        (json!({"Runtime": "java21"}), invalid, "Runtime java21 is not implemented by this server"),
        (json!({"Runtime": "cobol"}), invalid, "Value cobol at 'runtime' failed to satisfy constraint"),
        (json!({"Runtime": null}), invalid, "Runtime and Handler are mandatory parameters"),
        (json!({"Role": "r"}), validation, "Value 'r' at 'role' failed to satisfy constraint"),
        (json!({"Role": null}), validation, "at 'role'"),
        (json!({"Timeout": 901}), validation, "Member must have value less than or equal to 900"),
        (json!({"Timeout": 0}), validation, "Member must have value greater than or equal to 1"),
        (json!({"MemorySize": 64}), validation, "Member must have value greater than or equal to 128"),
        (json!({"Architectures": ["mips"]}), validation, "enum value set: [x86_64, arm64]"),
        (json!({"FunctionName": "a.b"}), validation, "Member must satisfy regular expression pattern"),
        (json!({"FunctionName": "f:1"}), validation, "Member must satisfy regular expression pattern"),
        (json!({"FunctionName": "x".repeat(65)}), invalid, "Member must have length less than or equal to 64"),
        (json!({"Environment": {"Variables": {"AWS_REGION": "x"}}}), invalid, "in this request: AWS_REGION"),
        (json!({"Environment": {"Variables": {"1": "x"}}}), validation, "Map keys must satisfy constraint"),
        (json!({"Environment": {"Variables": {"BIG": "x".repeat(4096)}}}), invalid, "exceeded the 4KB limit"),
        (json!({"Code": {"S3Bucket": "b", "S3Key": "k"}}), invalid, "S3 Error Code: NoSuchBucket"),
        (json!({"Code": {"S3Bucket": "local", "S3Key": "k"}}), invalid, "absolute path"),
        (json!({"Code": {"S3Bucket": "local", "S3Key": "/nowhere"}}), invalid, "There is no executable at /nowhere"),
        (json!({"Code": {"S3Bucket": "built-in", "S3Key": "k"}}), invalid, "There is no built-in function k"),
        (json!({"Code": {"ZipFile": "UEsDBA=="}}), invalid, "Could not unzip uploaded file"),
        (json!({"Code": {}}), invalid, "Please provide either a ZipFile"),
        (json!({"Code": {"ImageUri": "i"}}), invalid, "Container images"),
        (
            json!({"DeadLetterConfig": {"TargetArn": "arn:aws:sns:us-east-1:000000000000:t"}}),
            invalid,
            "SNS topics are not implemented by this server as dead-letter targets",
        ),
        (
            json!({"DeadLetterConfig": {"TargetArn": "arn:aws:sqs:us-east-1:000000000000:q.fifo"}}),
            invalid,
            "is not a standard SQS queue.",
        ),
    ] {
        check(&tandem.error("CreateFunction", request(&changes)).await, code, 400, message);
    }
    assert_eq!(unpacked(&tandem), 0);
}

#[tokio::test]
async fn a_name_is_taken_once() {
    let tandem = Tandem::new();
    tandem.create("f", "h").await;
    let error = tandem.error("CreateFunction", request(&json!({}))).await;
    check(&error, "ResourceConflictException", 409, "Function already exist: f");
}

#[tokio::test]
async fn an_update_changes_what_it_names() {
    let tandem = Tandem::new();
    let made = tandem.create_with("f", "h", json!({"Description": "d"})).await;
    let update = json!({"FunctionName": "f", "Timeout": 9, "LoggingConfig": {"LogFormat": "JSON"}});
    let updated = tandem.call("UpdateFunctionConfiguration", update).await.expect("it is updated");
    assert_eq!((&updated["Timeout"], &updated["Description"]), (&json!(9), &json!("d")));
    assert_eq!(updated["LoggingConfig"]["ApplicationLogLevel"], "INFO");
    assert_ne!(updated["RevisionId"], made["RevisionId"]);
    let stale = json!({"FunctionName": "f", "Timeout": 5, "RevisionId": made["RevisionId"]});
    let error = tandem.error("UpdateFunctionConfiguration", stale).await;
    check(&error, "PreconditionFailedException", 412, "The Revision Id provided does not match");
}

#[tokio::test]
async fn a_deleted_function_is_gone() {
    let tandem = Tandem::new();
    tandem.create("f", "h").await;
    let latest = json!({"FunctionName": "f", "Qualifier": "$LATEST"});
    let error = tandem.error("DeleteFunction", latest).await;
    check(&error, "InvalidParameterValueException", 400, "$LATEST version cannot be deleted");
    tandem.call("DeleteFunction", json!({"FunctionName": "f"})).await.expect("it is deleted");
    let error = tandem.error("DeleteFunction", json!({"FunctionName": "f"})).await;
    check(&error, "ResourceNotFoundException", 404, &format!("Function not found: {ARN}"));
}

#[tokio::test]
async fn a_list_comes_in_pages() {
    let tandem = Tandem::new();
    for name in ["c", "a", "b"] {
        tandem.create(name, "h").await;
    }
    let names = |page: &Value| {
        let names = page["Functions"].as_array().expect("a list").iter();
        names.map(|function| function["FunctionName"].as_str().expect("a name").to_owned()).collect::<Vec<_>>()
    };
    let first = tandem.call("ListFunctions", json!({"MaxItems": "2"})).await.expect("a page");
    assert_eq!(names(&first), ["a", "b"]);
    assert!(first["Functions"][0].get("State").is_none());
    let next = json!({"MaxItems": "2", "Marker": first["NextMarker"]});
    let second = tandem.call("ListFunctions", next).await.expect("a page");
    assert_eq!((names(&second), second.get("NextMarker")), (vec!["c".to_owned()], None));
}

#[tokio::test]
async fn a_policy_grows_and_shrinks() {
    let tandem = Tandem::new();
    tandem.create("f", "h").await;
    let permission = json!({
        "FunctionName": "f", "StatementId": "s", "Action": "lambda:InvokeFunction", "Principal": "events.amazonaws.com",
    });
    let added = tandem.call("AddPermission", permission.clone()).await.expect("it is added");
    let statement: Value = serde_json::from_str(added["Statement"].as_str().expect("text")).expect("JSON");
    assert_eq!(statement["Resource"], ARN);
    let error = tandem.error("AddPermission", permission).await;
    check(&error, "ResourceConflictException", 409, "The statement id (s) provided already exists.");
    let policy = tandem.call("GetPolicy", json!({"FunctionName": "f"})).await.expect("a policy");
    let policy: Value = serde_json::from_str(policy["Policy"].as_str().expect("text")).expect("JSON");
    assert_eq!((&policy["Id"], &policy["Statement"][0]), (&json!("default"), &statement));
    let remove = json!({"FunctionName": "f", "StatementId": "s"});
    tandem.call("RemovePermission", remove.clone()).await.expect("it is removed");
    let error = tandem.error("GetPolicy", json!({"FunctionName": "f"})).await;
    check(&error, "ResourceNotFoundException", 404, "The resource you requested does not exist.");
    check(&tandem.error("RemovePermission", remove).await, "ResourceNotFoundException", 404, "No policy is associated");
}

#[tokio::test]
async fn a_principal_must_be_one() {
    let tandem = Tandem::new();
    tandem.create("f", "h").await;
    let permission = json!({
        "FunctionName": "f", "StatementId": "s", "Action": "lambda:InvokeFunction", "Principal": "nobody",
    });
    let error = tandem.error("AddPermission", permission).await;
    check(&error, "InvalidParameterValueException", 400, "The provided principal was invalid.");
}

#[tokio::test]
async fn the_asynchronous_configuration_is_put_changed_and_deleted() {
    let tandem = Tandem::new();
    let get = json!({"FunctionName": "f"});
    let missing = format!("The function {ARN}:$LATEST doesn't have an EventInvokeConfig");
    let error = tandem.error("GetFunctionEventInvokeConfig", get.clone()).await;
    check(&error, "ResourceNotFoundException", 404, &missing);
    let put = json!({"FunctionName": "f", "MaximumRetryAttempts": 1, "MaximumEventAgeInSeconds": 60});
    let error = tandem.error("PutFunctionEventInvokeConfig", put.clone()).await;
    check(&error, "ResourceNotFoundException", 404, "The function doesn't exist.");
    tandem.create("f", "h").await;
    let error = tandem.error("UpdateFunctionEventInvokeConfig", put.clone()).await;
    check(&error, "ResourceNotFoundException", 404, &missing);
    let answer = tandem.call("PutFunctionEventInvokeConfig", put).await.expect("it is put");
    assert_eq!(answer["DestinationConfig"], json!({"OnSuccess": {}, "OnFailure": {}}));
    assert_eq!(answer["LastModified"], 1_767_225_600.0);
    let update = json!({"FunctionName": "f", "MaximumRetryAttempts": 2});
    let answer = tandem.call("UpdateFunctionEventInvokeConfig", update).await.expect("it is changed");
    assert_eq!((&answer["MaximumRetryAttempts"], &answer["MaximumEventAgeInSeconds"]), (&json!(2), &json!(60)));
    let list = tandem.call("ListFunctionEventInvokeConfigs", get.clone()).await.expect("a list");
    assert_eq!(list["FunctionEventInvokeConfigs"][0], answer);
    tandem.call("DeleteFunctionEventInvokeConfig", get.clone()).await.expect("it is deleted");
    check(&tandem.error("DeleteFunctionEventInvokeConfig", get).await, "ResourceNotFoundException", 404, &missing);
}

#[tokio::test]
async fn destinations_are_checked() {
    let tandem = Tandem::new();
    tandem.create("f", "h").await;
    for (destination, code, message) in [
        (ARN, "InvalidParameterValueException", "You can't specify the function as a destination for itself."),
        ("arn:aws:lambda:us-east-1:000000000000:function:g", "InvalidParameterValueException", "is invalid."),
        ("arn:aws:s3:::bucket", "InvalidParameterValueException", "S3 buckets are not implemented by this server"),
        ("arn:aws:sns:us-east-1:000000000000:t", "InvalidParameterValueException", "SNS topics are not implemented"),
        ("arn:aws:iam:::x", "InvalidParameterValueException", "The provided destination config DestinationConfig("),
        ("queue", "ValidationException", "at 'destinationConfig.onFailure.destination'"),
    ] {
        let config = json!({"OnFailure": {"Destination": destination}});
        let input = json!({"FunctionName": "f", "DestinationConfig": config});
        check(&tandem.error("PutFunctionEventInvokeConfig", input).await, code, 400, message);
    }
    let nothing = json!({"FunctionName": "f"});
    let error = tandem.error("PutFunctionEventInvokeConfig", nothing).await;
    check(&error, "InvalidParameterValueException", 400, "You must specify at least one of error handling");
}

#[tokio::test]
async fn tags_come_and_go() {
    let tandem = Tandem::new();
    tandem.create("f", "h").await;
    let tag = json!({"Resource": ARN, "Tags": {"a": "1", "b": "2", "c": "3"}});
    tandem.call("TagResource", tag).await.expect("they are set");
    tandem.call("UntagResource", json!({"Resource": ARN, "tagKeys": "a,c"})).await.expect("they are removed");
    let tags = tandem.call("ListTags", json!({"Resource": ARN})).await.expect("tags");
    assert_eq!(tags["Tags"], json!({"b": "2"}));
    check(&tandem.error("ListTags", json!({"Resource": "f"})).await, "ValidationException", 400, "at 'resource'");
}

#[tokio::test]
async fn reservations_leave_a_hundred_for_the_rest() {
    let tandem = Tandem::new();
    tandem.create("f", "h").await;
    let reserve = |count: i64| json!({"FunctionName": "f", "ReservedConcurrentExecutions": count});
    let error = tandem.error("PutFunctionConcurrency", reserve(901)).await;
    check(&error, "InvalidParameterValueException", 400, "below its minimum value of [100].");
    tandem.call("PutFunctionConcurrency", reserve(900)).await.expect("it is reserved");
    let settings = tandem.call("GetAccountSettings", json!({})).await.expect("settings");
    assert_eq!(settings["AccountLimit"]["UnreservedConcurrentExecutions"], 100);
    assert_eq!(settings["AccountUsage"]["FunctionCount"], 1);
    tandem.call("PutFunctionConcurrency", reserve(900)).await.expect("its own reservation does not count");
}
