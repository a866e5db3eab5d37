//! `welcome-email`, the post office and the note between them.

use std::time::Duration;

use serde_json::{Value, json};
use tandem_functions::Error;
use tandem_functions::welcome_email::{Settings, WelcomeEmail};

use crate::cloud::{Cloud, TABLE, at, context_in};
use crate::create_profile::delivery;

const SENDER: &str = "no-reply@tandem.example";

/// An invocation at a time, so many seconds after the start.
async fn run(cloud: &Cloud, request_id: &str, seconds: i64, event: &Value) -> Result<(), Error> {
    run_in(cloud, "one sandbox", request_id, seconds, event).await
}

async fn run_in(cloud: &Cloud, sandbox: &str, request_id: &str, seconds: i64, event: &Value) -> Result<(), Error> {
    let settings = Settings { table: TABLE.into(), sender: SENDER.into() };
    let function = WelcomeEmail::new(&cloud.sdk(), settings);
    function.handle(event, &context_in(sandbox, request_id, at(seconds)), at(seconds)).await
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

/// Whatever sandbox the next attempt comes to.
#[tokio::test]
async fn a_run_that_could_not_send_leaves_nothing_in_the_way() {
    let cloud = Cloud::new().await;
    cloud.answer(400, json!({"__type": "MessageRejected"}));
    run_in(&cloud, "a", "first", 1, &created()).await.expect_err("it fails");
    run_in(&cloud, "b", "first", 2, &created()).await.expect("no failure");
    run_in(&cloud, "c", "second", 3, &created()).await.expect("no failure");
    assert_eq!(cloud.received().len(), 2);
}

/// Lambda may run one invocation twice at the same moment.
#[tokio::test(start_paused = true)]
async fn two_runs_of_one_invocation_send_one_mail() {
    let cloud = Cloud::new().await;
    cloud.take(Duration::from_millis(300));
    let event = created();
    let (a, b) = tokio::join!(run_in(&cloud, "a", "first", 1, &event), run_in(&cloud, "b", "first", 1, &event));
    assert_eq!((a.is_ok(), b.is_ok(), cloud.received().len()), (true, true, 1));
}

/// A run that claims the mail, hands it over, and is killed before it hears of that.
async fn be_killed_sending(cloud: &Cloud) {
    cloud.take(Duration::from_hours(1));
    let event = created();
    let killed = run_in(cloud, "a", "first", 1, &event);
    tokio::time::timeout(Duration::from_secs(1), killed).await.expect_err("it is sending");
    assert_eq!(cloud.received().len(), 1);
    cloud.take(Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_run_waits_for_the_claim_of_one_that_died() {
    let cloud = Cloud::new().await;
    be_killed_sending(&cloud).await;
    let began = tokio::time::Instant::now();
    run_in(&cloud, "b", "first", 2, &created()).await.expect("no failure");
    assert_eq!((cloud.received().len(), began.elapsed().as_millis()), (2, 4_001));
}

#[tokio::test(start_paused = true)]
async fn a_run_without_the_time_to_wait_fails_and_is_tried_again() {
    let cloud = Cloud::new().await;
    be_killed_sending(&cloud).await;
    let settings = Settings { table: TABLE.into(), sender: SENDER.into() };
    let mut context = context_in("b", "first", at(2));
    context.deadline -= 7_000;
    let function = WelcomeEmail::new(&cloud.sdk(), settings);
    let error = function.handle(&created(), &context, at(2)).await.expect_err("it has three seconds");
    assert_eq!((error.error_type(), cloud.received().len()), ("WelcomeInProgress", 1));
    run_in(&cloud, "c", "first", 62, &created()).await.expect("no failure");
    assert_eq!(cloud.received().len(), 2);
}

/// SES did not answer while the claim held: what came of the mail nobody knows, so it is sent again.
#[tokio::test(start_paused = true)]
async fn a_run_stops_sending_when_its_claim_ends() {
    let cloud = Cloud::new().await;
    cloud.take(Duration::from_hours(1));
    let began = tokio::time::Instant::now();
    let error = run(&cloud, "first", 1, &created()).await.expect_err("no answer");
    assert_eq!((error.error_type(), began.elapsed().as_millis()), ("MailNotSent", 5_000));
    cloud.take(Duration::ZERO);
    run_in(&cloud, "b", "first", 62, &created()).await.expect("no failure");
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
