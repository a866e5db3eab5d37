//! Publishing layers, and functions that have them.

use serde_json::{Value, json};

use crate::testing::{Tandem, zipped};

const LAYER: &str = "arn:aws:lambda:us-east-1:000000000000:layer:l";

async fn publish(tandem: &Tandem, content: &str) -> Value {
    let input = json!({"LayerName": "l", "Content": {"ZipFile": zipped(&[("lib/data.txt", content)])}, "CompatibleRuntimes": ["python3.12"]});
    tandem.call("PublishLayerVersion", input).await.expect("it is published")
}

fn directories(tandem: &Tandem) -> usize {
    std::fs::read_dir(tandem.directory.path().join("functions")).map_or(0, Iterator::count)
}

#[track_caller]
fn check(error: &(String, u16, String), code: &str, message: &str) {
    assert_eq!(error.0, code, "{}", error.2);
    assert!(error.2.contains(message), "{}", error.2);
}

#[tokio::test]
async fn versions_are_counted_and_listed_from_the_newest() {
    let tandem = Tandem::new();
    let first = publish(&tandem, "one").await;
    assert_eq!((&first["Version"], &first["LayerVersionArn"]), (&json!(1), &json!(format!("{LAYER}:1"))));
    assert_eq!(publish(&tandem, "two").await["Version"], 2);
    let listed = tandem.call("ListLayerVersions", json!({"LayerName": "l"})).await.expect("a list");
    let numbers: Vec<_> =
        listed["LayerVersions"].as_array().expect("a list").iter().map(|v| v["Version"].clone()).collect();
    assert_eq!(numbers, [2, 1]);
    let layers = tandem.call("ListLayers", json!({"CompatibleRuntime": "python3.12"})).await.expect("a list");
    assert_eq!(layers["Layers"][0]["LatestMatchingVersion"]["Version"], 2);
    let none = tandem.call("ListLayers", json!({"CompatibleRuntime": "python3.13"})).await.expect("a list");
    assert_eq!(none["Layers"], json!([]));
    let input = json!({"LayerName": "l", "VersionNumber": "1"});
    let got = tandem.call("GetLayerVersion", input).await.expect("it is there");
    assert_eq!(got["Content"]["CodeSha256"], first["Content"]["CodeSha256"]);
    let by_arn = tandem.call("GetLayerVersionByArn", json!({"Arn": format!("{LAYER}:1")})).await.expect("it is there");
    assert_eq!(by_arn, got);
}

#[tokio::test]
async fn a_function_keeps_a_layer_that_was_deleted() {
    let tandem = Tandem::new();
    publish(&tandem, "one").await;
    let arn = format!("{LAYER}:1");
    let made = tandem.create_with("f", "h", json!({"Layers": [arn]})).await;
    assert_eq!(made["Layers"][0]["Arn"], arn);
    assert!(made["Layers"][0]["CodeSize"].as_u64().is_some_and(|size| size > 0));
    let delete = json!({"LayerName": "l", "VersionNumber": "1"});
    tandem.call("DeleteLayerVersion", delete.clone()).await.expect("it is deleted");
    tandem.call("DeleteLayerVersion", delete.clone()).await.expect("again");
    check(&tandem.error("GetLayerVersion", delete).await, "ResourceNotFoundException", "The resource you requested");
    let layers = tandem.host.named("f").expect("it is there").pool.plan.layers.clone();
    assert_eq!(std::fs::read(layers[0].join("lib/data.txt")).expect("it is there still"), b"one");
    let update = json!({"FunctionName": "f", "Timeout": 5});
    tandem.call("UpdateFunctionConfiguration", update).await.expect("it may keep what it has");
    let error =
        tandem.error("UpdateFunctionConfiguration", json!({"FunctionName": "f", "Layers": [format!("{LAYER}:2")]}));
    check(&error.await, "InvalidParameterValueException", &format!("Layer version {LAYER}:2 does not exist."));
    assert_eq!(publish(&tandem, "two").await["Version"], 2, "numbers are not used again");
}

#[tokio::test]
async fn a_layer_that_nobody_has_goes_when_it_is_deleted() {
    let tandem = Tandem::new();
    publish(&tandem, "one").await;
    assert_eq!(directories(&tandem), 1);
    tandem.call("DeleteLayerVersion", json!({"LayerName": "l", "VersionNumber": "1"})).await.expect("it is deleted");
    assert_eq!(directories(&tandem), 0);
}

#[tokio::test]
async fn layers_outlive_a_restart() {
    let tandem = Tandem::new();
    publish(&tandem, "one").await;
    let Tandem { world, directory, host, .. } = tandem;
    drop(host);
    let tandem = Tandem::open(world, directory, |_, _| {});
    let input = json!({"LayerName": LAYER, "VersionNumber": "1"});
    tandem.call("GetLayerVersion", input).await.expect("it is there");
    assert_eq!(directories(&tandem), 1);
}

#[tokio::test]
async fn functions_are_given_layers_that_fit() {
    let tandem = Tandem::new();
    for _ in 0..2 {
        publish(&tandem, "x").await;
    }
    tandem.create("f", "h").await;
    let other = |name: &str| format!("arn:aws:lambda:us-east-1:111111111111:layer:{name}:1");
    for (layers, code, message) in [
        (
            json!([format!("{LAYER}:1"), format!("{LAYER}:2")]),
            "InvalidParameterValueException",
            "Two different versions of the same layer",
        ),
        (json!([LAYER]), "ValidationException", "at 'layers' failed to satisfy constraint"),
        (
            json!(["arn:aws:lambda:eu-west-1:000000000000:layer:l:1"]),
            "InvalidParameterValueException",
            "expected to be in region us-east-1.",
        ),
        (
            json!((0..6).map(|n| other(&n.to_string())).collect::<Vec<_>>()),
            "InvalidParameterValueException",
            "Cannot reference more than 5 layers.",
        ),
    ] {
        let error = tandem.error("UpdateFunctionConfiguration", json!({"FunctionName": "f", "Layers": layers})).await;
        check(&error, code, message);
    }
    let update = json!({"FunctionName": "f", "Layers": [other("insights"), format!("{LAYER}:2")]});
    let updated = tandem.call("UpdateFunctionConfiguration", update).await.expect("another account's is let through");
    assert_eq!((&updated["Layers"][0]["CodeSize"], updated["Layers"].as_array().map(Vec::len)), (&json!(0), Some(2)));
}

#[test]
fn the_extension_for_parameters_is_missed_by_name() {
    for name in ["AWS-Parameters-and-Secrets-Lambda-Extension", "AWS-Parameters-and-Secrets-Lambda-Extension-Arm64"] {
        assert!(super::loss(name).contains("localhost:2773"), "{name}");
    }
    assert!(!super::loss("LambdaInsightsExtension").contains("2773"));
}

#[tokio::test]
async fn code_and_layers_together_have_a_limit() {
    let tandem = Tandem::new();
    publish(&tandem, "x").await;
    let layers = [format!("{LAYER}:1")];
    let error = tandem.host.check_layers(&layers, &[], 262_144_000).expect_err("one byte too many");
    let expected = "Function code combined with layers exceeds the maximum allowed size of 262144000 bytes. The actual \
                    size is 262144001 bytes.";
    assert_eq!(error.to_string(), expected);
    tandem.host.check_layers(&layers, &[], 262_143_999).expect("it fits");
}

#[tokio::test]
async fn what_is_no_layer_is_refused() {
    let tandem = Tandem::new();
    let zip = zipped(&[("lib/data.txt", "x")]);
    for (changes, code, message) in [
        (json!({"LayerName": "a b"}), "ValidationException", "at 'layerName'"),
        (json!({"Content": {"S3Bucket": "b", "S3Key": "k"}}), "InvalidParameterValueException", "NoSuchBucket"),
        (
            json!({"Content": {"ZipFile": "UEsDBA=="}}),
            "InvalidParameterValueException",
            "Could not unzip uploaded file",
        ),
        (
            json!({"CompatibleRuntimes": ["cobol"], "CompatibleArchitectures": ["mips"]}),
            "ValidationException",
            "2 validation errors detected: Value '[cobol]' at 'compatibleRuntimes'",
        ),
    ] {
        let mut input = json!({"LayerName": "l", "Content": {"ZipFile": zip}});
        input.as_object_mut().expect("an object").extend(changes.as_object().expect("an object").clone());
        check(&tandem.error("PublishLayerVersion", input).await, code, message);
    }
    let zero = tandem.error("GetLayerVersion", json!({"LayerName": "l", "VersionNumber": "0"})).await;
    check(&zero, "InvalidParameterValueException", "Layer Version Cannot be less than 1");
    let no_version = tandem.error("GetLayerVersionByArn", json!({"Arn": LAYER})).await;
    check(&no_version, "ValidationException", "at 'arn'");
    assert_eq!(directories(&tandem), 0);
}

#[tokio::test]
async fn a_layers_policy_is_kept() {
    let tandem = Tandem::new();
    publish(&tandem, "x").await;
    let version = json!({"LayerName": "l", "VersionNumber": "1"});
    let none = tandem.error("GetLayerVersionPolicy", version.clone()).await;
    check(&none, "ResourceNotFoundException", "No policy is associated with the given resource.");
    let permission = json!({
        "LayerName": "l", "VersionNumber": "1", "StatementId": "s", "Action": "lambda:GetLayerVersion", "Principal": "*",
    });
    let added = tandem.call("AddLayerVersionPermission", permission.clone()).await.expect("it is added");
    let statement: Value = serde_json::from_str(added["Statement"].as_str().expect("text")).expect("JSON");
    assert_eq!((&statement["Resource"], &statement["Principal"]), (&json!(format!("{LAYER}:1")), &json!("*")));
    let again = tandem.error("AddLayerVersionPermission", permission).await;
    check(&again, "ResourceConflictException", "The statement id (s) provided already exists.");
    let policy = tandem.call("GetLayerVersionPolicy", version).await.expect("a policy");
    let policy: Value = serde_json::from_str(policy["Policy"].as_str().expect("text")).expect("JSON");
    assert_eq!(policy["Statement"], json!([statement]));
    let remove = json!({"LayerName": "l", "VersionNumber": "1", "StatementId": "s", "RevisionId": "other"});
    let stale = tandem.error("RemoveLayerVersionPermission", remove).await;
    check(&stale, "PreconditionFailedException", "Call the GetLayerPolicy API");
    let remove = json!({"LayerName": "l", "VersionNumber": "1", "StatementId": "s"});
    tandem.call("RemoveLayerVersionPermission", remove.clone()).await.expect("it is removed");
    let gone = tandem.error("RemoveLayerVersionPermission", remove).await;
    check(&gone, "ResourceNotFoundException", "Statement s is not found in resource policy.");
}

#[tokio::test]
async fn a_layer_on_this_machine_is_copied() {
    let tandem = Tandem::new();
    let layer = tempfile::tempdir().expect("a directory");
    std::fs::create_dir(layer.path().join("python")).expect("a directory in it");
    std::fs::write(layer.path().join("python/words.py"), "hello = 1").expect("a file in that");
    let content = |key: &std::path::Path| json!({"S3Bucket": "local", "S3Key": key});
    let made = tandem.call("PublishLayerVersion", json!({"LayerName": "l", "Content": content(layer.path())})).await;
    assert_eq!(made.expect("it is published")["Content"]["CodeSize"], 9);
    assert_eq!(directories(&tandem), 1);
    let missing = json!({"LayerName": "l", "Content": content(&layer.path().join("none"))});
    check(
        &tandem.error("PublishLayerVersion", missing).await,
        "InvalidParameterValueException",
        "There is no directory at",
    );
    assert_eq!(directories(&tandem), 1);
}
