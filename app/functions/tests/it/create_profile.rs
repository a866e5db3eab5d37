//! `create-profile` and the table.

use serde_json::{Value, json};
use tandem_functions::Error;
use tandem_functions::create_profile::{CreateProfile, Settings};
use tandem_profiles::{Attributes, Standing, UserId, UserProfile};

use crate::cloud::{Cloud, TABLE, at};

/// What a rule delivers.
pub fn delivery(detail_type: &str, sub: &str, seconds: i64) -> Value {
    let occurred_at = at(seconds);
    let id = tandem_profiles::EventId::new(occurred_at, [3; 10]);
    json!({
        "version": "0",
        "id": "53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa",
        "detail-type": detail_type,
        "source": "tandem.identity",
        "account": "000000000000",
        "time": "2026-01-01T00:00:00Z",
        "region": "us-east-1",
        "resources": [],
        "detail": {
            "metadata": {"schemaVersion": 1, "eventId": id, "occurredAt": occurred_at, "origin": "sign-up"},
            "data": {
                "userId": sub, "userPoolId": "pool", "username": sub, "email": "ada@example.com",
                "emailVerified": true, "name": "Ada", "attributes": {},
            },
        },
    })
}

async fn run(cloud: &Cloud, event: &Value) -> Result<(), Error> {
    run_with(cloud, false, event).await
}

async fn run_with(cloud: &Cloud, unique_email: bool, event: &Value) -> Result<(), Error> {
    let settings = Settings { table: TABLE.into(), unique_email, bus: Some("tandem".into()) };
    CreateProfile::new(&cloud.sdk(), settings).handle(event, at(60)).await
}

async fn profile(cloud: &Cloud) -> Option<UserProfile<Attributes>> {
    cloud.profiles().get(&UserId::new("ada").expect("an id")).await.expect("it is read")
}

#[tokio::test]
async fn a_creation_makes_a_profile() {
    let cloud = Cloud::new().await;
    run(&cloud, &delivery("UserCreated", "ada", 0)).await.expect("no failure");
    assert_eq!(profile(&cloud).await.expect("there").identity.email.as_deref(), Some("ada@example.com"));
}

#[tokio::test]
async fn repeated_and_late_deliveries_change_nothing_and_succeed() {
    let cloud = Cloud::new().await;
    run(&cloud, &delivery("UserUpdated", "ada", 1)).await.expect("no failure");
    run(&cloud, &delivery("UserCreated", "ada", 0)).await.expect("no failure");
    let before = profile(&cloud).await;
    for _ in 0..2 {
        run(&cloud, &delivery("UserUpdated", "ada", 1)).await.expect("no failure");
        run(&cloud, &delivery("UserCreated", "ada", 0)).await.expect("no failure");
    }
    assert_eq!(profile(&cloud).await, before);
}

#[tokio::test]
async fn a_deletion_erases() {
    let cloud = Cloud::new().await;
    run(&cloud, &delivery("UserCreated", "ada", 0)).await.expect("no failure");
    run(&cloud, &delivery("UserDeleted", "ada", 1)).await.expect("no failure");
    let standing = cloud.profiles().standing(&UserId::new("ada").expect("an id")).await.expect("it is read");
    assert!(matches!(standing, Standing::Tombstone { .. }), "{standing:?}");
}

#[track_caller]
fn failed(result: Result<(), Error>, error_type: &str) {
    assert_eq!(result.expect_err("it fails").error_type(), error_type);
}

#[tokio::test]
async fn an_event_that_does_not_follow_its_schema_fails_by_name() {
    let mut event = delivery("UserCreated", "ada", 0);
    event["detail"]["data"]["emailVerified"] = json!("perhaps");
    failed(run(&Cloud::new().await, &event).await, "InvalidIdentityEvent");
}

#[tokio::test]
async fn an_event_of_another_schema_version_fails_by_name() {
    let mut event = delivery("UserCreated", "ada", 0);
    event["detail"]["metadata"]["schemaVersion"] = json!(2);
    failed(run(&Cloud::new().await, &event).await, "UnsupportedSchemaVersion");
}

#[tokio::test]
async fn what_is_no_event_fails_by_name() {
    failed(run(&Cloud::new().await, &json!({"not": "an event"})).await, "NotABusEvent");
}

#[tokio::test]
async fn a_table_that_is_not_there_fails_by_name() {
    let cloud = Cloud::new().await;
    let settings = Settings { table: "nowhere".into(), unique_email: false, bus: None };
    let function = CreateProfile::new(&cloud.sdk(), settings);
    failed(function.handle(&delivery("UserCreated", "ada", 0), at(60)).await, "ProfileNotWritten");
}

#[tokio::test]
async fn events_of_others_are_passed_over() {
    let cloud = Cloud::new().await;
    let mut foreign = delivery("UserCreated", "ada", 0);
    foreign["source"] = json!("somebody.else");
    run(&cloud, &foreign).await.expect("no failure");
    run(&cloud, &delivery("UserWavedHello", "ada", 0)).await.expect("no failure");
    assert_eq!(profile(&cloud).await, None);
}

#[tokio::test]
async fn two_users_of_one_address_are_nobodys_business_unless_it_is_to_be_unique() {
    let cloud = Cloud::new().await;
    for sub in ["ada", "eve"] {
        run(&cloud, &delivery("UserCreated", sub, 0)).await.expect("no failure");
    }
    assert_eq!(cloud.received(), Vec::<Value>::new());
}

#[tokio::test]
async fn a_conflict_is_told_to_the_bus() {
    let cloud = Cloud::new().await;
    for sub in ["eve", "ada"] {
        run_with(&cloud, true, &delivery("UserCreated", sub, 0)).await.expect("no failure");
    }
    let received = cloud.received();
    let [request] = received.as_slice() else { panic!("one request: {received:?}") };
    let entry = &request["Entries"][0];
    assert_eq!((&entry["Source"], &entry["DetailType"]), (&json!("tandem.identity"), &json!("EmailConflict")));
    let detail: Value = serde_json::from_str(entry["Detail"].as_str().expect("text")).expect("JSON");
    assert_eq!(detail["data"], json!({"userId": "ada", "userPoolId": "pool", "ownerId": "eve"}));
    assert!(profile(&cloud).await.expect("there").email_conflict);
}

#[tokio::test]
async fn a_conflict_that_could_not_be_told_is_told_at_the_next_attempt() {
    let cloud = Cloud::new().await;
    run_with(&cloud, true, &delivery("UserCreated", "eve", 0)).await.expect("no failure");
    cloud.answer(400, json!({"__type": "AccessDeniedException"}));
    let second = delivery("UserCreated", "ada", 0);
    let error = run_with(&cloud, true, &second).await.expect_err("it fails");
    assert_eq!(error.error_type(), "ConflictNotPublished");
    run_with(&cloud, true, &second).await.expect("no failure");
    assert_eq!(cloud.received().len(), 2);
}
