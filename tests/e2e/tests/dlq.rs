//! `tandem dlq`: both kinds of dead letters are listed with their reasons, and redriven to the one target.

use std::time::Duration;

use aws_sdk_dynamodb::Client as Tables;
use aws_sdk_eventbridge::Client as Bus;
use aws_sdk_eventbridge::types::PutEventsRequestEntry;
use aws_sdk_lambda::Client as Functions;
use e2e::{Server, binary};
use serde_json::{Value, json};
use tokio::process::Command;

const USER: &str = "91192d26-7031-7069-06eb-000000000000";

/// The command over a server: its exit code and what it said, as JSON.
async fn dlq(server: &Server, arguments: &[&str]) -> (i32, Value) {
    let mut command = Command::new(binary());
    command.arg("dlq").args(arguments).args(["--json", "--endpoint-url", &server.endpoint]);
    let output = command.env_remove("AWS_PROFILE").kill_on_drop(true).output().await.expect("it runs");
    let said = serde_json::from_slice(&output.stdout);
    let said = said.unwrap_or_else(|_| panic!("no JSON: {}", String::from_utf8_lossy(&output.stderr)));
    (output.status.code().expect("it ends by itself"), said)
}

async fn publish(server: &Server) {
    let detail = json!({
        "metadata": {
            "schemaVersion": 1,
            "eventId": "019b76da-a800-7101-8101-010101010101",
            "occurredAt": "2026-01-01T00:00:00.000Z",
            "origin": "sign-up",
        },
        "data": {"userId": USER, "userPoolId": "pool", "username": "ada", "name": "Ada"},
    });
    let entry = PutEventsRequestEntry::builder()
        .event_bus_name(server.of_stack("eventBusName"))
        .source("tandem.identity")
        .detail_type("UserCreated")
        .detail(detail.to_string());
    Bus::new(&server.config()).put_events().entries(entry.build()).send().await.expect("PutEvents");
}

/// Points a function at a table that is not there, or back.
async fn point_at(server: &Server, function: &str, table: &str) {
    use aws_sdk_lambda::types::Environment;
    let functions = Functions::new(&server.config());
    let current = functions.get_function_configuration().function_name(function).send().await.expect("its settings");
    let variables = current.environment.and_then(|environment| environment.variables).unwrap_or_default();
    let environment = Environment::builder().set_variables(Some(variables)).variables("TABLE_NAME", table).build();
    let update = functions.update_function_configuration().function_name(function).environment(environment);
    update.send().await.expect("UpdateFunctionConfiguration");
}

/// A profile event that create-profile fails on until Lambda gives up.
async fn failed_three_times(server: &Server) {
    point_at(server, "create-profile", "nowhere").await;
    publish(server).await;
    for wait in [1, 2] {
        server.inside("POST", "/_tandem/settle?timeoutMs=20000", "").await;
        server.advance(Duration::from_secs(60 * wait)).await;
    }
    server.settle().await;
}

async fn has_profile(server: &Server) -> bool {
    let key = |value: &str| aws_sdk_dynamodb::types::AttributeValue::S(value.to_owned());
    let get = Tables::new(&server.config()).get_item().table_name(server.of_stack("tableName"));
    let get = get.key("pk", key(&format!("USER#{USER}"))).key("sk", key("PROFILE"));
    get.send().await.expect("GetItem").item.is_some()
}

#[tokio::test]
async fn a_functions_letter_says_why_and_is_redriven_when_that_is_mended() {
    let server = Server::in_memory().await;
    failed_three_times(&server).await;
    let (code, said) = dlq(&server, &["list"]).await;
    assert_eq!(code, 1, "there is a letter");
    let letter = &said["letters"][0];
    assert_eq!((&letter["kind"], &letter["event"]["userId"]), (&json!("function"), &json!(USER)));
    assert_eq!((&letter["why"]["attempts"], &letter["why"]["code"]), (&json!(3), &json!("ProfileNotWritten")));

    let (code, said) = dlq(&server, &["redrive"]).await;
    assert_eq!((code, &said["stay"]), (1, &json!(1)), "the table is still nowhere: {said}");
    point_at(&server, "create-profile", server.of_stack("tableName")).await;
    let (code, said) = dlq(&server, &["redrive"]).await;
    assert_eq!((code, &said["delivered"]), (0, &json!(1)), "{said}");
    assert!(has_profile(&server).await);
    assert_eq!(dlq(&server, &["list"]).await, (0, json!({"letters": []})));
}

#[tokio::test]
async fn a_rules_letter_goes_to_its_target_and_nobody_else() {
    let server = Server::in_memory().await;
    let functions = Functions::new(&server.config());
    let permission = functions.get_policy().function_name("create-profile").send().await.expect("GetPolicy");
    let policy: Value = serde_json::from_str(&permission.policy.expect("a policy")).expect("JSON");
    for statement in policy["Statement"].as_array().expect("statements") {
        let id = statement["Sid"].as_str().expect("an id");
        let remove = functions.remove_permission().function_name("create-profile").statement_id(id);
        remove.send().await.expect("RemovePermission");
    }
    publish(&server).await;
    server.settle().await;
    let (_, said) = dlq(&server, &["list"]).await;
    let letter = &said["letters"][0];
    assert_eq!((&letter["kind"], &letter["why"]["code"]), (&json!("rule"), &json!("NO_PERMISSIONS")));
    assert!(letter["rule"].as_str().is_some_and(|rule| rule.ends_with("tandem/keep-profile")), "{letter}");

    let (code, said) = dlq(&server, &["redrive", "--target", "create-profile"]).await;
    assert_eq!((code, &said["delivered"]), (0, &json!(1)), "{said}");
    assert!(has_profile(&server).await);
}

#[tokio::test]
async fn letters_that_were_not_asked_for_stay() {
    let server = Server::in_memory().await;
    failed_three_times(&server).await;
    point_at(&server, "create-profile", server.of_stack("tableName")).await;
    let (code, said) = dlq(&server, &["redrive", "--user", "somebody-else"]).await;
    assert_eq!((code, &said["delivered"]), (0, &json!(0)));
    assert!(!has_profile(&server).await);
    assert_eq!(dlq(&server, &["list"]).await.1["letters"].as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn a_list_names_nobody_unless_asked() {
    let server = Server::in_memory().await;
    failed_three_times(&server).await;
    assert!(!dlq(&server, &["list"]).await.1.to_string().contains("Ada"));
    assert!(dlq(&server, &["list", "--payload"]).await.1.to_string().contains("Ada"));
}
