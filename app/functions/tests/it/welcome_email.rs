//! `welcome-email`, the post office and the note between them.

use serde_json::{Value, json};
use tandem_functions::Error;
use tandem_functions::welcome_email::{Settings, WelcomeEmail};

use crate::cloud::{Cloud, TABLE, at, context};
use crate::create_profile::delivery;

const SENDER: &str = "no-reply@tandem.example";

/// An invocation at a time, so many seconds after the start.
async fn run(cloud: &Cloud, request_id: &str, seconds: i64, event: &Value) -> Result<(), Error> {
    let settings = Settings { table: TABLE.into(), sender: SENDER.into() };
    let function = WelcomeEmail::new(&cloud.sdk(), settings);
    function.handle(event, &context(request_id, at(seconds)), at(seconds)).await
}

fn created() -> Value {
    delivery("UserCreated", "ada", 0)
}

#[tokio::test]
async fn a_new_user_is_greeted() {
    let cloud = Cloud::new().await;
    run(&cloud, "first", 1, &created()).await.expect("no failure");
    let received = cloud.received();
    let [mail] = received.as_slice() else { panic!("one mail: {received:?}") };
    assert_eq!(mail["FromEmailAddress"], SENDER);
    assert_eq!(mail["Destination"]["ToAddresses"], json!(["ada@example.com"]));
    assert_eq!(mail["Content"]["Simple"]["Headers"][0]["Value"], created()["detail"]["metadata"]["eventId"]);
}

#[tokio::test]
async fn a_user_is_greeted_once_however_often_the_event_comes() {
    let cloud = Cloud::new().await;
    for (request_id, seconds) in [("first", 1), ("first", 2), ("second", 3), ("third", 86_400)] {
        run(&cloud, request_id, seconds, &created()).await.expect("no failure");
    }
    let another_event_of_the_user = delivery("UserCreated", "ada", 5);
    run(&cloud, "fourth", 86_401, &another_event_of_the_user).await.expect("no failure");
    assert_eq!(cloud.received().len(), 1);
}

#[tokio::test]
async fn the_next_attempt_of_an_invocation_sends_what_the_first_could_not() {
    let cloud = Cloud::new().await;
    cloud.answer(400, json!({"__type": "MessageRejected"}));
    let error = run(&cloud, "first", 1, &created()).await.expect_err("it fails");
    assert_eq!(error.error_type(), "MailRejected");
    run(&cloud, "first", 2, &created()).await.expect("no failure");
    assert_eq!(cloud.received().len(), 2);
}

#[tokio::test]
async fn another_invocation_waits_while_the_first_may_be_sending() {
    let cloud = Cloud::new().await;
    cloud.answer(400, json!({"__type": "MessageRejected"}));
    run(&cloud, "first", 1, &created()).await.expect_err("it fails");
    let error = run(&cloud, "second", 2, &created()).await.expect_err("it waits");
    assert_eq!(error.error_type(), "WelcomeInProgress");
    assert_eq!(cloud.received().len(), 1);
}

/// The first has claimed the mail and died. Had it sent the mail, this would be the second, with the same header.
#[tokio::test]
async fn another_invocation_takes_over_when_the_first_must_have_ended() {
    let cloud = Cloud::new().await;
    cloud.answer(400, json!({"__type": "MessageRejected"}));
    run(&cloud, "first", 1, &created()).await.expect_err("it fails");
    run(&cloud, "second", 12, &created()).await.expect("no failure");
    run(&cloud, "third", 13, &created()).await.expect("no failure");
    assert_eq!(cloud.received().len(), 2);
}

#[tokio::test]
async fn a_deleted_user_is_not_greeted() {
    let cloud = Cloud::new().await;
    let deleted = tandem_profiles::IdentityEvent::parse("UserDeleted", &delivery("UserDeleted", "ada", 1)["detail"]);
    cloud.profiles().apply(&deleted.expect("an event"), at(2)).await.expect("applied");
    run(&cloud, "first", 3, &created()).await.expect("no failure");
    assert_eq!(cloud.received(), Vec::<Value>::new());
}

#[tokio::test]
async fn an_update_greets_nobody() {
    let cloud = Cloud::new().await;
    run(&cloud, "first", 1, &delivery("UserUpdated", "ada", 0)).await.expect("no failure");
    assert_eq!(cloud.received(), Vec::<Value>::new());
}
