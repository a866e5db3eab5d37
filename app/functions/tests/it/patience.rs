//! What the user pool's triggers do while the bus, or the table, does not answer. Cognito waits for 5 seconds and shows
//! the user an error then, whatever the function would have said: so it has to say something before.
//!
//! The network is the SDK's transport, in this process, and the clock is paused: nothing here takes the time it tells of.

use std::time::Duration;

use serde_json::value::RawValue;
use tandem_functions::Error;
use tandem_functions::announce_user::{self, AnnounceUser, OnPublishFailure};
use tandem_functions::notice_sign_in::NoticeSignIn;
use tokio::time::Instant;

use crate::cloud::{Cloud, Network, at, context};
use crate::notice_sign_in::{settings, trigger};

/// What a cold start may take of Cognito's 5 seconds comes on top, and the spans' 300 ms.
const ANNOUNCE_LIMIT: Duration = Duration::from_millis(3_600);
const NOTICE_LIMIT: Duration = Duration::from_millis(2_600);

const SIGN_UP: &str = r#"{"triggerSource": "PostConfirmation_ConfirmSignUp", "userPoolId": "p", "userName": "ada",
    "request": {"userAttributes": {"sub": "ada", "email": "a@b.c"}}}"#;

/// A result, and how long it took.
struct Run {
    result: Result<String, Error>,
    took: Duration,
}

impl Run {
    #[track_caller]
    fn failed(self, within: Duration, error_type: &str) {
        assert!(self.took <= within, "{:?}", self.took);
        assert_eq!(self.result.expect_err("it fails").error_type(), error_type);
    }

    #[track_caller]
    fn went_on(self, within: Duration, event: &str) {
        assert!(self.took <= within, "{:?}", self.took);
        assert_eq!(self.result.expect("no failure"), event);
    }
}

async fn announce(cloud: &Cloud, on_publish_failure: OnPublishFailure) -> Run {
    let settings = announce_user::Settings { bus: "tandem".into(), on_publish_failure, attributes: Vec::new() };
    let function = AnnounceUser::new(&cloud.sdk(), settings);
    let event: Box<RawValue> = serde_json::from_str(SIGN_UP).expect("JSON");
    let began = Instant::now();
    let result = function.handle(event, &context("request", at(0)), at(0)).await;
    Run { result: result.map(|answer| answer.get().to_owned()), took: began.elapsed() }
}

async fn sign_in(cloud: &Cloud, on_publish_failure: OnPublishFailure) -> Run {
    let function = NoticeSignIn::new(&cloud.sdk(), settings(on_publish_failure));
    let event: Box<RawValue> = serde_json::from_str(&trigger(&[]).to_string()).expect("JSON");
    let began = Instant::now();
    let result = function.handle(event, &context("request", at(0)), at(0)).await;
    Run { result: result.map(|answer| answer.get().to_owned()), took: began.elapsed() }
}

async fn cloud(operation: &'static str, times: usize, network: Network) -> Cloud {
    let cloud = Cloud::new().await;
    cloud.network(operation, times, network);
    cloud
}

#[tokio::test(start_paused = true)]
async fn a_bus_that_hangs_fails_a_sign_up_in_time() {
    let cloud = cloud("PutEvents", usize::MAX, Network::Hangs).await;
    announce(&cloud, OnPublishFailure::Fail).await.failed(ANNOUNCE_LIMIT, "EventNotPublished");
    assert_eq!(cloud.calls("PutEvents"), 2);
}

#[tokio::test(start_paused = true)]
async fn a_bus_that_hangs_lets_a_sign_up_go_on_in_time() {
    let cloud = cloud("PutEvents", usize::MAX, Network::Hangs).await;
    announce(&cloud, OnPublishFailure::Continue).await.went_on(ANNOUNCE_LIMIT, SIGN_UP);
    assert_eq!(cloud.calls("PutEvents"), 2);
}

#[tokio::test(start_paused = true)]
async fn a_bus_that_resets_fails_a_sign_up_at_once() {
    let cloud = cloud("PutEvents", usize::MAX, Network::Resets).await;
    announce(&cloud, OnPublishFailure::Fail).await.failed(Duration::from_secs(1), "EventNotPublished");
    assert_eq!(cloud.calls("PutEvents"), 2);
}

#[tokio::test(start_paused = true)]
async fn a_bus_that_resets_lets_a_sign_up_go_on_at_once() {
    let cloud = cloud("PutEvents", usize::MAX, Network::Resets).await;
    announce(&cloud, OnPublishFailure::Continue).await.went_on(Duration::from_secs(1), SIGN_UP);
}

#[tokio::test(start_paused = true)]
async fn a_bus_that_is_slow_is_waited_for() {
    let cloud = cloud("PutEvents", usize::MAX, Network::IsSlow(Duration::from_millis(900))).await;
    for policy in [OnPublishFailure::Fail, OnPublishFailure::Continue] {
        announce(&cloud, policy).await.went_on(Duration::from_secs(1), SIGN_UP);
    }
    assert_eq!(cloud.published().len(), 2);
    assert_eq!(cloud.calls("PutEvents"), 2);
}

#[tokio::test(start_paused = true)]
async fn a_second_try_announces_what_the_first_could_not() {
    for network in [Network::Hangs, Network::Resets] {
        for policy in [OnPublishFailure::Fail, OnPublishFailure::Continue] {
            let cloud = cloud("PutEvents", 1, network).await;
            announce(&cloud, policy).await.went_on(ANNOUNCE_LIMIT, SIGN_UP);
            assert_eq!((cloud.calls("PutEvents"), cloud.published().len()), (2, 1));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn whatever_hangs_fails_a_sign_in_in_time() {
    for operation in ["GetItem", "PutEvents"] {
        let cloud = cloud(operation, usize::MAX, Network::Hangs).await;
        sign_in(&cloud, OnPublishFailure::Fail).await.failed(NOTICE_LIMIT, "SignInNotNoticed");
        assert_eq!(cloud.calls(operation), 2);
    }
}

#[tokio::test(start_paused = true)]
async fn whatever_hangs_lets_a_sign_in_go_on_in_time() {
    for operation in ["GetItem", "PutEvents"] {
        let cloud = cloud(operation, usize::MAX, Network::Hangs).await;
        sign_in(&cloud, OnPublishFailure::Continue).await.went_on(NOTICE_LIMIT, &trigger(&[]).to_string());
        assert_eq!(cloud.published(), []);
    }
}

#[tokio::test(start_paused = true)]
async fn what_hangs_at_the_table_and_then_at_the_bus_has_one_deadline() {
    let cloud = cloud("GetItem", 1, Network::Hangs).await;
    cloud.network("PutEvents", usize::MAX, Network::Hangs);
    sign_in(&cloud, OnPublishFailure::Fail).await.failed(NOTICE_LIMIT, "SignInNotNoticed");
    assert_eq!((cloud.calls("GetItem"), cloud.calls("PutEvents")), (2, 2));
}

#[tokio::test(start_paused = true)]
async fn whatever_resets_fails_a_sign_in_at_once_or_lets_it_go_on() {
    for operation in ["GetItem", "PutEvents"] {
        let cloud = cloud(operation, usize::MAX, Network::Resets).await;
        sign_in(&cloud, OnPublishFailure::Fail).await.failed(Duration::from_secs(1), "SignInNotNoticed");
        let event = trigger(&[]).to_string();
        sign_in(&cloud, OnPublishFailure::Continue).await.went_on(Duration::from_secs(1), &event);
    }
}

#[tokio::test(start_paused = true)]
async fn whatever_is_slow_is_waited_for_at_a_sign_in() {
    let cloud = cloud("GetItem", usize::MAX, Network::IsSlow(Duration::from_millis(900))).await;
    cloud.network("PutEvents", usize::MAX, Network::IsSlow(Duration::from_millis(900)));
    sign_in(&cloud, OnPublishFailure::Fail).await.went_on(NOTICE_LIMIT, &trigger(&[]).to_string());
    assert_eq!(cloud.published().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_second_try_notices_what_the_first_could_not() {
    for operation in ["GetItem", "PutEvents"] {
        for network in [Network::Hangs, Network::Resets] {
            let cloud = cloud(operation, 1, network).await;
            sign_in(&cloud, OnPublishFailure::Fail).await.went_on(NOTICE_LIMIT, &trigger(&[]).to_string());
            assert_eq!((cloud.calls(operation), cloud.published().len()), (2, 1));
        }
    }
}
