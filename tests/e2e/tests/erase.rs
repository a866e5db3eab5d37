//! `tandem erase USER`: everything that is held of a person is shown and removed, and stays away.

use aws_sdk_cognitoidentityprovider::Client as Pools;
use aws_sdk_dynamodb::Client as Tables;
use aws_sdk_dynamodb::types::AttributeValue;
use e2e::{PASSWORD, Server, binary};
use serde_json::{Value, json};
use tokio::process::Command;

const ADDRESS: &str = "ada@example.com";

/// The command over a server: its exit code and what it said, as JSON.
async fn erase(server: &Server, arguments: &[&str]) -> (i32, Value) {
    let mut command = Command::new(binary());
    command.arg("erase").args(arguments).args(["--json", "--endpoint-url", &server.endpoint]);
    let output = command.env_remove("AWS_PROFILE").kill_on_drop(true).output().await.expect("it runs");
    let said = serde_json::from_slice(&output.stdout);
    let said = said.unwrap_or_else(|_| panic!("no JSON: {}", String::from_utf8_lossy(&output.stderr)));
    (output.status.code().expect("it ends by itself"), said)
}

async fn sub(server: &Server) -> String {
    let get = Pools::new(&server.config()).admin_get_user().user_pool_id(server.of_stack("userPoolId"));
    let user = get.username(ADDRESS).send().await.expect("AdminGetUser");
    let sub = user.user_attributes().iter().find(|attribute| attribute.name() == "sub");
    sub.and_then(|sub| sub.value()).expect("a sub").to_owned()
}

/// The sort keys under a user, and everything in the table that has the address in it.
async fn table(server: &Server, sub: &str) -> (Vec<String>, usize) {
    let scan = Tables::new(&server.config()).scan().table_name(server.of_stack("tableName"));
    let items = scan.send().await.expect("Scan").items.unwrap_or_default();
    let of_user = |item: &&std::collections::HashMap<String, AttributeValue>| {
        item["pk"] == AttributeValue::S(format!("USER#{sub}"))
    };
    let keys = items.iter().filter(of_user).map(|item| item["sk"].as_s().expect("text").clone()).collect();
    (keys, items.iter().filter(|item| format!("{item:?}").contains(ADDRESS)).count())
}

#[tokio::test]
async fn what_is_held_is_shown_and_nothing_is_changed_without_a_yes() {
    let server = Server::in_memory().await;
    server.confirmed(ADDRESS).await;
    server.settle().await;
    let sub = sub(&server).await;
    let (code, said) = erase(&server, &[ADDRESS]).await;
    assert_eq!((code, &said["userId"], &said["clear"]), (1, &json!(sub), &json!(false)));
    assert_eq!(said["account"]["status"], "CONFIRMED");
    let keys: Vec<_> = said["items"].as_array().expect("items").iter().map(|item| &item["sortKey"]).collect();
    assert_eq!(keys, ["PROFILE", "WELCOME"]);
    assert!(!said.to_string().contains(ADDRESS), "names of attributes and no values: {said}");
    assert_eq!(table(&server, &sub).await.0, ["PROFILE", "WELCOME"]);
}

#[tokio::test]
async fn an_erased_person_leaves_a_tombstone_and_no_address() {
    let server = Server::in_memory().await;
    server.confirmed(ADDRESS).await;
    server.settle().await;
    let sub = sub(&server).await;
    let (_, said) = erase(&server, &[ADDRESS, "--yes", "--delete-log-streams"]).await;
    assert_eq!((&said["erased"]["account"], &said["erased"]["items"]), (&json!(true), &json!(1)), "{said}");
    server.settle().await;
    assert_eq!(table(&server, &sub).await, (vec!["PROFILE".to_owned()], 0));
    // Once more, by the id that is left: the consumers' own logs of the deletion are all there may be.
    let (code, said) = erase(&server, &[&sub, "--yes", "--delete-log-streams"]).await;
    assert_eq!((code, &said["clear"]), (0, &json!(true)), "{said}");
}

#[tokio::test]
async fn who_signs_up_again_is_a_new_person() {
    let server = Server::in_memory().await;
    server.confirmed(ADDRESS).await;
    server.settle().await;
    let before = sub(&server).await;
    erase(&server, &[ADDRESS, "--yes"]).await;
    server.confirmed(ADDRESS).await;
    server.settle().await;
    let after = sub(&server).await;
    assert_ne!(before, after);
    assert_eq!(table(&server, &before).await.0, ["PROFILE"], "the tombstone");
    assert_eq!(table(&server, &after).await.0, ["PROFILE", "WELCOME"]);
}

#[tokio::test]
async fn a_late_event_brings_nobody_back() {
    let server = Server::in_memory().await;
    let pools = Pools::new(&server.config());
    server.confirmed(ADDRESS).await;
    server.settle().await;
    let sub = sub(&server).await;
    erase(&server, &[&sub, "--yes"]).await;
    let detail = json!({
        "metadata": {"schemaVersion": 1, "eventId": "0fffffff-a800-7101-8101-010101010101",
            "occurredAt": "2036-01-01T00:00:00.000Z", "origin": "sign-in"},
        "data": {"userId": sub, "userPoolId": server.of_stack("userPoolId"), "username": sub, "email": ADDRESS},
    });
    let entry = aws_sdk_eventbridge::types::PutEventsRequestEntry::builder()
        .event_bus_name(server.of_stack("eventBusName"))
        .source("tandem.identity")
        .detail_type("UserUpdated")
        .detail(detail.to_string());
    let bus = aws_sdk_eventbridge::Client::new(&server.config());
    bus.put_events().entries(entry.build()).send().await.expect("PutEvents");
    server.settle().await;
    assert_eq!(table(&server, &sub).await, (vec!["PROFILE".to_owned()], 0));
    let sign_in = pools.initiate_auth().auth_flow("USER_PASSWORD_AUTH".into());
    let sign_in = sign_in.client_id(server.of_stack("userPoolClientId")).auth_parameters("USERNAME", ADDRESS);
    assert!(sign_in.auth_parameters("PASSWORD", PASSWORD).send().await.is_err());
}

#[tokio::test]
async fn nobody_is_held() {
    let server = Server::in_memory().await;
    let mut command = Command::new(binary());
    command.args(["erase", "nobody@example.com", "--endpoint-url", &server.endpoint]);
    let output = command.env_remove("AWS_PROFILE").output().await.expect("it runs");
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("nobody is known as nobody@example.com"));
}
