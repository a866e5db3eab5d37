//! Versions and aliases: publishing, naming, invoking, deleting.

use std::collections::HashMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use world::TraceId;

use crate::asynchronous::Step;
use crate::error::InvokeError;
use crate::invocation::Caller;
use crate::testing::{ROLE, Tandem, bootstrap, header, zipped};

const ARN: &str = "arn:aws:lambda:us-east-1:000000000000:function:f";

#[track_caller]
fn check(error: &(String, u16, String), code: &str, message: &str) {
    assert_eq!(error.0, code, "{}", error.2);
    assert!(error.2.contains(message), "{}", error.2);
}

/// A function whose versions 1 and 2 have their number as `STAGE`, and `$LATEST` has `latest`.
async fn tandem() -> Tandem {
    let tandem = Tandem::new();
    tandem.create_with("f", "h", stage("1")).await;
    publish(&tandem).await;
    for name in ["2", "latest"] {
        let mut update = stage(name);
        update["FunctionName"] = json!("f");
        tandem.call("UpdateFunctionConfiguration", update).await.expect("it is changed");
        if name == "2" {
            publish(&tandem).await;
        }
    }
    tandem
}

fn stage(name: &str) -> Value {
    json!({"Environment": {"Variables": {"STAGE": name}}})
}

async fn publish(tandem: &Tandem) -> Value {
    tandem.call("PublishVersion", json!({"FunctionName": "f"})).await.expect("it is published")
}

async fn alias(tandem: &Tandem, name: &str, version: &str, weights: Value) -> Value {
    let config = json!({"AdditionalVersionWeights": weights});
    let input = json!({"FunctionName": "f", "Name": name, "FunctionVersion": version, "RoutingConfig": config});
    tandem.call("CreateAlias", input).await.expect("it is made")
}

/// What the function sees when it is invoked as `name`, and the version that the answer names.
async fn seen(tandem: &Tandem, name: &str) -> (HashMap<String, String>, String) {
    let reply = tandem.invoke_with(name, json!({"do": "environment"}), &[]).await.expect("it is invoked");
    let seen: Value = serde_json::from_slice(&reply.body).expect("JSON");
    let mut all: HashMap<String, String> = serde_json::from_value(seen["environment"].clone()).expect("texts");
    let arn = seen["headers"]["lambda-runtime-invoked-function-arn"].as_str().expect("text");
    all.insert("arn".into(), arn.to_owned());
    (all, header(&reply, "x-amz-executed-version").expect("a version").to_owned())
}

#[tokio::test]
async fn publishing_counts_only_what_changed() {
    let tandem = Tandem::new();
    tandem.create("f", "h").await;
    let input = json!({"FunctionName": "f", "Description": "first"});
    let first = tandem.call("PublishVersion", input).await.expect("it is published");
    assert_eq!((&first["Version"], &first["FunctionArn"]), (&json!("1"), &json!(format!("{ARN}:1"))));
    assert_eq!((&first["Description"], &first["State"]), (&json!("first"), &json!("Active")));
    let again = json!({"FunctionName": "f", "Description": "second"});
    assert_eq!(tandem.call("PublishVersion", again).await.expect("it is the same"), first);
    let update = json!({"FunctionName": "f", "Timeout": 9});
    tandem.call("UpdateFunctionConfiguration", update).await.expect("it is changed");
    assert_eq!(publish(&tandem).await["Version"], "2");
    let delete = json!({"FunctionName": "f", "Qualifier": "2"});
    tandem.call("DeleteFunction", delete).await.expect("it is deleted");
    assert_eq!(publish(&tandem).await["Version"], "3", "a number is not used again");
    let list = tandem.call("ListVersionsByFunction", json!({"FunctionName": "f"})).await.expect("a list");
    let arns: Vec<_> = list["Versions"].as_array().expect("a list").iter().map(|v| v["FunctionArn"].clone()).collect();
    assert_eq!(arns, [format!("{ARN}:$LATEST"), format!("{ARN}:1"), format!("{ARN}:3")]);
}

#[tokio::test]
async fn publishing_can_be_made_to_depend() {
    let tandem = Tandem::new();
    tandem.create("f", "h").await;
    let error = tandem.error("PublishVersion", json!({"FunctionName": "f", "CodeSha256": "x"})).await;
    check(&error, "InvalidParameterValueException", "CodeSHA256 (x) is different from current CodeSHA256 in $LATEST (");
    let error = tandem.error("PublishVersion", json!({"FunctionName": "f", "RevisionId": "x"})).await;
    check(&error, "PreconditionFailedException", "The Revision Id provided does not match");
}

#[tokio::test]
async fn a_function_can_be_published_as_it_is_made_and_changed() {
    let tandem = Tandem::new();
    let made = tandem.create_with("f", "h", json!({"Publish": true})).await;
    assert_eq!((&made["Version"], &made["FunctionArn"]), (&json!("1"), &json!(ARN)));
    let code = STANDARD.encode("no zip");
    let refused =
        tandem.error("UpdateFunctionCode", json!({"FunctionName": "f", "ZipFile": code, "Publish": true})).await;
    check(&refused, "InvalidParameterValueException", "Could not unzip");
    let path = tandem.directory.path().join("bootstrap");
    std::fs::write(&path, bootstrap()).expect("it is written");
    let update = json!({"FunctionName": "f", "S3Bucket": "local", "S3Key": path, "Publish": true});
    let updated = tandem.call("UpdateFunctionCode", update).await.expect("it is changed");
    assert_eq!((&updated["Version"], &updated["FunctionArn"]), (&json!("2"), &json!(format!("{ARN}:2"))));
}

#[tokio::test]
async fn versions_run_as_they_were_published() {
    let tandem = tandem().await;
    for (name, stage, version, arn) in [
        ("f:1", "1", "1", format!("{ARN}:1")),
        ("f:2", "2", "2", format!("{ARN}:2")),
        ("f", "latest", "$LATEST", ARN.to_owned()),
        ("f:$LATEST", "latest", "$LATEST", format!("{ARN}:$LATEST")),
    ] {
        let (environment, executed) = seen(&tandem, name).await;
        assert_eq!((environment["STAGE"].as_str(), executed.as_str()), (stage, version), "{name}");
        assert_eq!(environment["AWS_LAMBDA_FUNCTION_VERSION"], version);
        assert!(environment["AWS_LAMBDA_LOG_STREAM_NAME"].contains(&format!("/[{version}]")));
        assert_eq!(environment["arn"], arn);
    }
    let reply = tandem.invoke_with("f:1", json!({}), &[("x-amz-log-type", "Tail")]).await.expect("it is invoked");
    let log = STANDARD.decode(header(&reply, "x-amz-log-result").expect("a log")).expect("Base64");
    assert!(String::from_utf8_lossy(&log).contains("Version: 1\n"));
}

#[tokio::test]
async fn versions_outlive_a_restart_and_the_code_of_latest() {
    let tandem = Tandem::new();
    let code = |stage: &str| zipped(&[("bootstrap", &format!("#!/bin/sh\nexport STAGE={stage}\n{}", bootstrap()))]);
    tandem.create_with("f", "h", json!({"Code": {"ZipFile": code("one")}, "Publish": true})).await;
    let update = json!({"FunctionName": "f", "ZipFile": code("two")});
    tandem.call("UpdateFunctionCode", update).await.expect("it is changed");
    let Tandem { world, directory, host, .. } = tandem;
    drop(host);
    let tandem = Tandem::open(world, directory, |_, _| {});
    assert_eq!(seen(&tandem, "f:1").await.0["STAGE"], "one");
    assert_eq!(seen(&tandem, "f").await.0["STAGE"], "two");
    let directories = || std::fs::read_dir(tandem.directory.path().join("functions")).map_or(0, Iterator::count);
    assert_eq!(directories(), 2);
    let delete = json!({"FunctionName": "f", "Qualifier": "1"});
    tandem.call("DeleteFunction", delete).await.expect("it is deleted");
    while directories() > 1 {
        tokio::task::yield_now().await; // it is removed on a thread of its own
    }
    check(
        &tandem.error("GetFunction", json!({"FunctionName": "f:1"})).await,
        "ResourceNotFoundException",
        &format!("Function not found: {ARN}:1"),
    );
}

#[tokio::test]
async fn an_alias_is_made_read_changed_listed_and_deleted() {
    let tandem = tandem().await;
    let made = alias(&tandem, "live", "1", json!({})).await;
    assert_eq!((&made["AliasArn"], &made["FunctionVersion"]), (&json!(format!("{ARN}:live")), &json!("1")));
    assert!(made.get("RoutingConfig").is_none());
    let named = json!({"FunctionName": "f", "Name": "live"});
    assert_eq!(tandem.call("GetAlias", named.clone()).await.expect("it is there"), made);
    let twice = json!({"FunctionName": "f", "Name": "live", "FunctionVersion": "1"});
    let exists = format!("Alias already exists: {ARN}:live");
    check(&tandem.error("CreateAlias", twice).await, "ResourceConflictException", &exists);
    let update = json!({"FunctionName": "f", "Name": "live", "FunctionVersion": "2", "Description": "d", "RoutingConfig": {"AdditionalVersionWeights": {"1": 0.25}}});
    let updated = tandem.call("UpdateAlias", update).await.expect("it is changed");
    assert_eq!(updated["RoutingConfig"]["AdditionalVersionWeights"], json!({"1": 0.25}));
    assert_ne!(updated["RevisionId"], made["RevisionId"]);
    alias(&tandem, "test", "1", json!({})).await;
    let list = tandem.call("ListAliases", json!({"FunctionName": "f", "FunctionVersion": "2"})).await.expect("a list");
    assert_eq!(list["Aliases"], json!([updated]));
    let in_use = tandem.error("DeleteFunction", json!({"FunctionName": "f", "Qualifier": "2"})).await;
    check(&in_use, "ResourceConflictException", "because the following aliases reference it: [live]");
    let not_so = tandem.error("DeleteFunction", json!({"FunctionName": "f", "Qualifier": "live"})).await;
    check(&not_so, "InvalidParameterValueException", "Deletion of aliases is not currently supported.");
    for _ in 0..2 {
        tandem.call("DeleteAlias", named.clone()).await.expect("it is deleted");
    }
    check(
        &tandem.error("GetAlias", named).await,
        "ResourceNotFoundException",
        &format!("Cannot find alias arn: {ARN}:live"),
    );
}

#[tokio::test]
async fn aliases_that_make_no_sense_are_refused() {
    let tandem = tandem().await;
    let missing = "ResourceNotFoundException";
    for (changes, code, message) in [
        (json!({"Name": "12"}), "ValidationException", "at 'name'"),
        (json!({"FunctionVersion": "live"}), "ValidationException", "at 'functionVersion'"),
        (
            json!({"FunctionVersion": "10"}),
            missing,
            "Function not found: arn:aws:lambda:us-east-1:000000000000:function:f:10",
        ),
        (json!({"FunctionName": "g"}), missing, "function:g:1"),
        (json!({"RoutingConfig": {"AdditionalVersionWeights": {"10": 0.5}}}), missing, "function:f:10"),
    ] {
        let mut input = json!({"FunctionName": "f", "Name": "a", "FunctionVersion": "1"});
        input.as_object_mut().expect("an object").extend(changes.as_object().expect("an object").clone());
        check(&tandem.error("CreateAlias", input).await, code, message);
    }
    let update = json!({"FunctionName": "f", "Name": "gone", "Description": "d"});
    check(&tandem.error("UpdateAlias", update).await, missing, &format!("Alias not found: {ARN}:gone"));
}

#[tokio::test]
async fn an_alias_runs_its_versions_by_weight() {
    let tandem = tandem().await;
    alias(&tandem, "all", "1", json!({"2": 1.0})).await;
    alias(&tandem, "none", "1", json!({"2": 0.0})).await;
    alias(&tandem, "half", "1", json!({"2": 0.5})).await;
    let (environment, executed) = seen(&tandem, "f:all").await;
    assert_eq!((environment["STAGE"].as_str(), executed.as_str()), ("2", "2"));
    assert_eq!(environment["arn"], format!("{ARN}:all"));
    assert_eq!(seen(&tandem, "f:none").await.1, "1");
    let mut executed = Vec::new();
    for _ in 0..20 {
        executed.push(seen(&tandem, "f:half").await.1);
    }
    assert!(executed.contains(&"1".into()) && executed.contains(&"2".into()), "{executed:?}");
}

#[tokio::test]
async fn functions_are_shown_by_qualifier() {
    let tandem = tandem().await;
    alias(&tandem, "live", "2", json!({})).await;
    for (qualifier, version) in [("1", "1"), ("live", "2"), ("$LATEST", "$LATEST")] {
        let input = json!({"FunctionName": "f", "Qualifier": qualifier});
        let got = tandem.call("GetFunctionConfiguration", input.clone()).await.expect("it is there");
        assert_eq!((&got["Version"], &got["FunctionArn"]), (&json!(version), &json!(format!("{ARN}:{qualifier}"))));
        let whole = tandem.call("GetFunction", input).await.expect("it is there");
        assert_eq!(whole["Configuration"], got);
    }
    let listed = tandem.call("ListFunctions", json!({"FunctionVersion": "ALL"})).await.expect("a list");
    let versions: Vec<_> =
        listed["Functions"].as_array().expect("a list").iter().map(|f| f["Version"].clone()).collect();
    assert_eq!(versions, ["$LATEST", "1", "2"]);
    for operation in ["UpdateFunctionConfiguration", "PutFunctionConcurrency", "PublishVersion"] {
        let input = json!({"FunctionName": "f:1", "ReservedConcurrentExecutions": 1});
        check(
            &tandem.error(operation, input).await,
            "InvalidParameterValueException",
            "This operation is permitted on Lambda functions only.",
        );
    }
}

#[tokio::test]
async fn each_qualifier_has_a_policy_of_its_own() {
    let tandem = tandem().await;
    alias(&tandem, "live", "1", json!({})).await;
    let permission = json!({
        "FunctionName": "f", "Qualifier": "live", "StatementId": "s", "Action": "lambda:InvokeFunction",
        "Principal": "events.amazonaws.com",
    });
    let added = tandem.call("AddPermission", permission).await.expect("it is added");
    assert!(added["Statement"].as_str().is_some_and(|text| text.contains(&format!("\"Resource\":\"{ARN}:live\""))));
    let caller = Caller::Service {
        principal: "events.amazonaws.com".into(),
        source_arn: "arn:aws:events:us-east-1:000000000000:rule/r".into(),
    };
    assert_eq!(tandem.host.can_invoke(&format!("{ARN}:live"), &caller), Ok(()));
    assert!(matches!(tandem.host.can_invoke(ARN, &caller), Err(InvokeError::AccessDenied(_))));
    check(
        &tandem.error("GetPolicy", json!({"FunctionName": "f"})).await,
        "ResourceNotFoundException",
        "The resource you requested",
    );
    tandem.call("GetPolicy", json!({"FunctionName": "f:live"})).await.expect("a policy");
    let remove = json!({"FunctionName": "f", "StatementId": "s", "Qualifier": "live"});
    tandem.call("RemovePermission", remove).await.expect("it is removed");
    for (input, message) in [
        (json!({"Qualifier": "gone"}), "Cannot find alias arn: "),
        (json!({"Qualifier": "42"}), "Function not found: "),
        (json!({"Qualifier": "$a"}), "Function not found: "),
    ] {
        let mut permission = json!({
            "FunctionName": "f", "StatementId": "s", "Action": "lambda:InvokeFunction", "Principal": "events.amazonaws.com",
        });
        permission.as_object_mut().expect("an object").extend(input.as_object().expect("an object").clone());
        check(&tandem.error("AddPermission", permission).await, "ResourceNotFoundException", message);
    }
    let nobody = tandem.error("RemovePermission", json!({"FunctionName": "g", "StatementId": "s"})).await;
    check(&nobody, "ResourceNotFoundException", "No policy found for: ");
}

#[tokio::test]
async fn queued_events_remember_the_qualifier() {
    let tandem = tandem().await;
    alias(&tandem, "live", "1", json!({})).await;
    let config = json!({
        "FunctionName": "f", "Qualifier": "live",
        "DestinationConfig": {"OnSuccess": {"Destination": "arn:aws:sqs:us-east-1:000000000000:q"}},
    });
    let put = tandem.call("PutFunctionEventInvokeConfig", config).await.expect("it is configured");
    assert_eq!(put["FunctionArn"], format!("{ARN}:live"));
    let trace = TraceId::from_root("1-00000000-000000000000000000000000");
    let job = tandem.host.async_job(&format!("{ARN}:live"), b"{}", &trace).expect("a job");
    assert_eq!(tandem.host.attempt(&job, 0, tandem.world.clock.now()).await, Step::Done);
    let (_, record, _) = tandem.sent.0.lock().expect("no holder panics").remove(0);
    assert_eq!(record["requestContext"]["functionArn"], format!("{ARN}:live"));
    assert_eq!(record["responseContext"]["executedVersion"], "1");
    let job = tandem.host.async_job(ARN, b"{}", &trace).expect("a job");
    assert_eq!(tandem.host.attempt(&job, 0, tandem.world.clock.now()).await, Step::Done);
    assert!(tandem.sent.0.lock().expect("no holder panics").is_empty(), "the configuration is the alias's alone");
    tandem.call("DeleteAlias", json!({"FunctionName": "f", "Name": "live"})).await.expect("it is deleted");
    assert!(matches!(tandem.host.async_job(&format!("{ARN}:live"), b"{}", &trace), Err(InvokeError::NotFound(_))));
}

#[tokio::test]
async fn provisioned_sandboxes_are_there_before_anybody_asks() {
    let tandem = tandem().await;
    let put = json!({"FunctionName": "f", "Qualifier": "1", "ProvisionedConcurrentExecutions": 2});
    let answer = tandem.call("PutProvisionedConcurrencyConfig", put).await.expect("they are started");
    assert_eq!((&answer["AllocatedProvisionedConcurrentExecutions"], &answer["Status"]), (&json!(2), &json!("READY")));
    let pool = tandem.host.named("f").expect("it is there").versions[&1].clone();
    while pool.idle_count() < 2 {
        tokio::task::yield_now().await;
    }
    assert_eq!(tandem.invoke("f:1", json!({})).await.0["invocations"], 1);
    assert_eq!(tandem.host.sandboxes(), 2);
    let named = json!({"FunctionName": "f", "Qualifier": "1"});
    let got = tandem.call("GetProvisionedConcurrencyConfig", named.clone()).await.expect("it is there");
    assert_eq!(got, answer);
    alias(&tandem, "live", "1", json!({})).await;
    let both = json!({"FunctionName": "f", "Qualifier": "live", "ProvisionedConcurrentExecutions": 1});
    let both = tandem.error("PutProvisionedConcurrencyConfig", both).await;
    check(&both, "ResourceConflictException", "on an already Provisioned version");
    let list = tandem.call("ListProvisionedConcurrencyConfigs", json!({"FunctionName": "f"})).await.expect("a list");
    assert_eq!(list["ProvisionedConcurrencyConfigs"][0]["FunctionArn"], format!("{ARN}:1"));
    tandem.call("DeleteProvisionedConcurrencyConfig", named.clone()).await.expect("it is deleted");
    let gone = tandem.error("GetProvisionedConcurrencyConfig", named).await;
    assert_eq!((gone.0.as_str(), gone.1), ("ProvisionedConcurrencyConfigNotFoundException", 404));
}

#[tokio::test]
async fn what_cannot_be_provisioned_is_refused() {
    let tandem = tandem().await;
    for (qualifier, count, code, message) in [
        ("1", 0, "ValidationException", "Value '0' at 'provisionedConcurrentExecutions'"),
        ("$LATEST", 1, "InvalidParameterValueException", "cannot be applied to unpublished function versions."),
        ("gone", 1, "ResourceNotFoundException", "Cannot find alias arn: "),
        ("10", 1, "ResourceNotFoundException", "Function not found: "),
    ] {
        let put = json!({"FunctionName": "f", "Qualifier": qualifier, "ProvisionedConcurrentExecutions": count});
        check(&tandem.error("PutProvisionedConcurrencyConfig", put).await, code, message);
    }
    let get =
        tandem.error("GetProvisionedConcurrencyConfig", json!({"FunctionName": "f", "Qualifier": "$LATEST"})).await;
    check(&get, "InvalidParameterValueException", "must be an alias or a published version.");
}

#[tokio::test]
async fn settings_without_effect_are_given_back() {
    let tandem = Tandem::new();
    let more = json!({
        "VpcConfig": {"SubnetIds": ["subnet-1"], "SecurityGroupIds": ["sg-1"]},
        "KMSKeyArn": "arn:aws:kms:us-east-1:000000000000:key/k",
        "SnapStart": {"ApplyOn": "PublishedVersions"},
        "FileSystemConfigs": [{"Arn": "arn:aws:elasticfilesystem:us-east-1:000000000000:access-point/a", "LocalMountPath": "/mnt/a"}],
    });
    let made = tandem.create_with("f", "h", more.clone()).await;
    assert_eq!(made["VpcConfig"]["SubnetIds"], json!(["subnet-1"]));
    assert_eq!((&made["KMSKeyArn"], &made["FileSystemConfigs"]), (&more["KMSKeyArn"], &more["FileSystemConfigs"]));
    assert_eq!(made["SnapStart"], json!({"ApplyOn": "PublishedVersions", "OptimizationStatus": "Off"}));
    let update = json!({"FunctionName": "f", "VpcConfig": {"SubnetIds": [], "SecurityGroupIds": []}, "KMSKeyArn": ""});
    let updated = tandem.call("UpdateFunctionConfiguration", update).await.expect("it is changed");
    assert_eq!((updated.get("VpcConfig"), updated.get("KMSKeyArn")), (None, None));
}

#[tokio::test]
async fn small_configurations_are_kept() {
    let tandem = tandem().await;
    let f = json!({"FunctionName": "f"});
    let got = async |operation| tandem.call(operation, f.clone()).await.expect("an answer");
    assert_eq!(got("GetFunctionCodeSigningConfig").await, json!({}));
    assert_eq!(got("GetFunctionRecursionConfig").await["RecursiveLoop"], "Terminate");
    let allow = json!({"FunctionName": "f", "RecursiveLoop": "Allow"});
    tandem.call("PutFunctionRecursionConfig", allow).await.expect("it is kept");
    assert_eq!(got("GetFunctionRecursionConfig").await["RecursiveLoop"], "Allow");
    assert_eq!(got("GetRuntimeManagementConfig").await["UpdateRuntimeOn"], "Auto");
    let put = json!({"FunctionName": "f", "Qualifier": "1", "UpdateRuntimeOn": "FunctionUpdate"});
    tandem.call("PutRuntimeManagementConfig", put).await.expect("it is kept");
    assert_eq!(got("GetRuntimeManagementConfig").await["UpdateRuntimeOn"], "Auto", "of another qualifier");
    let manual = json!({"FunctionName": "f", "UpdateRuntimeOn": "Manual"});
    check(
        &tandem.error("PutRuntimeManagementConfig", manual).await,
        "InvalidParameterValueException",
        "runtime version ARN",
    );
}

#[tokio::test]
async fn what_an_older_server_stored_is_read() {
    let stored = json!({
        "name": "f",
        "settings": {
            "runtime": "provided.al2023", "role": ROLE, "handler": "h", "description": "", "timeout_s": 3, "memory_mb": 128,
            "ephemeral_storage_mb": 512, "environment": null, "architecture": "x86_64", "tracing_mode": "PassThrough",
            "dead_letter_arn": null,
            "logging": {"format": "Text", "application_level": null, "system_level": null, "group": "/aws/lambda/f"},
        },
        "code": {"source": {"BuiltIn": "test"}, "size_bytes": 0, "sha256": "x"},
        "last_modified_ms": 1, "revision_id": "r",
        "policy": [{
            "sid": "s", "action": "lambda:InvokeFunction", "principal": "Any", "source_arn": null, "source_account": null,
            "principal_org_id": null, "event_source_token": null, "function_url_auth_type": null,
        }],
        "event_invoke": null, "reserved_concurrency": null, "tags": {},
    });
    let function: crate::function::Function = serde_json::from_value(stored).expect("it is read");
    assert_eq!((function.unqualified.policy.len(), function.version_last), (1, 0));
    let mut function = function;
    function.publish(None, &world::World::for_tests(1));
    let text = serde_json::to_string(&function).expect("JSON");
    assert_eq!(serde_json::from_str::<crate::function::Function>(&text).expect("it is read"), function);
}
