//! `notice-sign-in`, the table and the bus.

use proptest::prelude::*;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};
use tandem_functions::Error;
use tandem_functions::announce_user::OnPublishFailure;
use tandem_functions::notice_sign_in::{NoticeSignIn, Settings};
use tandem_profiles::{Change, DeletedUser, Identity, IdentityEvent, Origin, Timestamp, UserId};

use crate::cloud::{Cloud, TABLE, at, context};

pub fn settings(on_publish_failure: OnPublishFailure) -> Settings {
    Settings { bus: "tandem".into(), table: TABLE.into(), on_publish_failure, attributes: vec!["locale".into()] }
}

/// What `PreTokenGeneration` is told in version 2, and changes of it.
pub fn trigger(changes: &[(&str, Value)]) -> Value {
    let mut event = json!({
        "version": "2",
        "triggerSource": "TokenGeneration_Authentication",
        "region": "eu-west-1",
        "userPoolId": "pool",
        "userName": "ada",
        "callerContext": {"awsSdkVersion": "aws-sdk-unknown-unknown", "clientId": "app"},
        "request": {
            "userAttributes": {
                "sub": "ada",
                "cognito:user_status": "CONFIRMED",
                "email_verified": "true",
                "email": "ada@example.com",
                "name": "Ada",
                "locale": "en",
            },
            "groupConfiguration": {"groupsToOverride": ["staff"], "iamRolesToOverride": [], "preferredRole": null},
            "scopes": ["aws.cognito.signin.user.admin"],
        },
        "response": {"claimsAndScopeOverrideDetails": null},
    });
    for (pointer, value) in changes {
        let (parent, field) = pointer.rsplit_once('/').expect("a pointer");
        event.pointer_mut(parent).expect("it is there")[field] = value.clone();
    }
    event
}

/// What a profile says that needs no news.
fn ada() -> Identity {
    Identity {
        user_id: UserId::new("ada").expect("an id"),
        user_pool_id: "pool".into(),
        username: "ada".into(),
        email: Some("ada@example.com".into()),
        email_verified: true,
        name: Some("Ada".into()),
        enabled: true,
        groups: ["staff".to_owned()].into(),
        attributes: [("locale".to_owned(), "en".to_owned())].into(),
    }
}

async fn cloud_with(change: Change) -> Cloud {
    let cloud = Cloud::new().await;
    let event = IdentityEvent::new(change, at(0), Origin::SignUp);
    cloud.profiles().apply(&event, at(0)).await.expect("applied");
    cloud
}

async fn handle(cloud: &Cloud, event: &str, now: Timestamp) -> Result<String, Error> {
    let function = NoticeSignIn::new(&cloud.sdk(), settings(OnPublishFailure::Fail));
    let event: Box<RawValue> = serde_json::from_str(event).expect("JSON");
    function.handle(event, &context("request", now), now).await.map(|answer| answer.get().to_owned())
}

/// What is published for a trigger that is run a minute after the profile was written. The answer is what came.
async fn published(cloud: &Cloud, event: &Value) -> Vec<(String, Value)> {
    let event = event.to_string();
    assert_eq!(handle(cloud, &event, at(60)).await.expect("no failure"), event);
    cloud.published()
}

#[track_caller]
fn only(mut published: Vec<(String, Value)>) -> (String, Value) {
    assert_eq!(published.len(), 1, "{published:?}");
    published.remove(0)
}

#[tokio::test]
async fn a_profile_that_is_right_is_not_told_of() {
    let cloud = cloud_with(Change::Created(ada())).await;
    assert_eq!(published(&cloud, &trigger(&[])).await, []);
    assert_eq!((cloud.calls("GetItem"), cloud.calls("PutEvents")), (1, 0));
}

#[tokio::test]
async fn a_change_is_told_of_with_all_that_is_known() {
    let cloud = cloud_with(Change::Created(ada())).await;
    let event = trigger(&[("/request/userAttributes/email", json!("new@example.com"))]);
    let (detail_type, detail) = only(published(&cloud, &event).await);
    assert_eq!((detail_type.as_str(), &detail["metadata"]["origin"]), ("UserUpdated", &json!("sign-in")));
    assert_eq!(detail["metadata"]["occurredAt"], json!(at(60)));
    let expected = Identity { email: Some("new@example.com".into()), ..ada() };
    assert_eq!(detail["data"], serde_json::to_value(expected).expect("JSON"));
}

#[track_caller]
fn check_groups(detail: &Value, expected: &[&str]) {
    assert_eq!(detail["data"]["groups"], json!(expected));
}

#[tokio::test]
async fn groups_that_changed_are_told_of() {
    let cloud = cloud_with(Change::Created(ada())).await;
    let event = trigger(&[("/request/groupConfiguration/groupsToOverride", json!(["admin", "staff"]))]);
    check_groups(&only(published(&cloud, &event).await).1, &["admin", "staff"]);
}

#[tokio::test]
async fn whoever_is_in_no_group_any_more_is_told_of() {
    let cloud = cloud_with(Change::Created(ada())).await;
    let event = trigger(&[("/request/groupConfiguration/groupsToOverride", json!([]))]);
    check_groups(&only(published(&cloud, &event).await).1, &[]);
}

#[tokio::test]
async fn a_trigger_that_knows_no_groups_leaves_them() {
    let cloud = cloud_with(Change::Created(ada())).await;
    let mut event = trigger(&[("/triggerSource", json!("PostAuthentication_Authentication"))]);
    event["request"].as_object_mut().expect("an object").remove("groupConfiguration");
    assert_eq!(published(&cloud, &event).await, []);
    event["request"]["userAttributes"]["name"] = json!("Ada L.");
    check_groups(&only(published(&cloud, &event).await).1, &["staff"]);
}

#[tokio::test]
async fn whoever_signs_in_is_enabled() {
    let cloud = cloud_with(Change::Created(Identity { enabled: false, ..ada() })).await;
    assert_eq!(only(published(&cloud, &trigger(&[])).await).1["data"]["enabled"], true);
}

async fn check_origin(changes: &[(&str, Value)], expected: &str) {
    let cloud = Cloud::new().await;
    let (detail_type, detail) = only(published(&cloud, &trigger(changes)).await);
    assert_eq!((detail_type.as_str(), &detail["metadata"]["origin"]), ("UserCreated", &json!(expected)));
}

#[tokio::test]
async fn whoever_has_no_profile_is_told_of_as_new() {
    check_origin(&[], "sign-in").await;
    check_origin(&[("/triggerSource", json!("TokenGeneration_RefreshTokens"))], "sign-in").await;
}

#[tokio::test]
async fn the_first_sign_in_of_an_administrators_user_is_told_apart() {
    check_origin(&[("/triggerSource", json!("TokenGeneration_NewPasswordChallenge"))], "admin").await;
}

#[tokio::test]
async fn a_user_of_another_provider_is_told_apart() {
    let status = ("/request/userAttributes/cognito:user_status", json!("EXTERNAL_PROVIDER"));
    check_origin(&[("/triggerSource", json!("TokenGeneration_HostedAuth")), status], "federated").await;
}

#[tokio::test]
async fn versions_one_and_three_are_read_as_well() {
    for version in ["1", "3"] {
        check_origin(&[("/version", json!(version))], "sign-in").await;
    }
}

#[tokio::test]
async fn a_token_that_outlived_its_user_brings_nobody_back() {
    let gone = DeletedUser { user_id: UserId::new("ada").expect("an id"), user_pool_id: "pool".into() };
    let cloud = cloud_with(Change::Deleted(gone)).await;
    assert_eq!(published(&cloud, &trigger(&[])).await, []);
}

#[tokio::test]
async fn what_is_no_sign_in_of_a_user_asks_nobody() {
    let cloud = Cloud::new().await;
    let machine = json!({
        "version": "3",
        "triggerSource": "TokenGeneration_ClientCredentials",
        "userName": "ClientCredentials",
        "userPoolId": "pool",
        "request": {"userAttributes": {}, "groupConfiguration": null, "scopes": ["api/read"]},
    });
    for event in [
        machine,
        trigger(&[("/triggerSource", json!("PostConfirmation_ConfirmSignUp"))]),
        trigger(&[("/triggerSource", Value::Null)]),
        trigger(&[("/request/userAttributes/sub", Value::Null)]),
        json!([1, 2]),
    ] {
        assert_eq!(published(&cloud, &event).await, []);
    }
    assert_eq!((cloud.calls("GetItem"), cloud.calls("PutEvents")), (0, 0));
}

#[tokio::test]
async fn an_entry_turned_down_inside_a_success_is_a_failure() {
    let cloud = Cloud::new().await;
    cloud.answer(200, json!({"FailedEntryCount": 1, "Entries": [{"ErrorCode": "AccessDeniedException"}]}));
    let error = handle(&cloud, &trigger(&[]).to_string(), at(60)).await.expect_err("it fails");
    assert_eq!(error.error_type(), "SignInNotNoticed");
    let words =
        "you could not be signed in, because your profile could not be checked (AccessDeniedException): try again";
    assert_eq!(error.to_string(), words);
}

/// Names that mean something to the function, and some that do not.
const NAMES: [&str; 14] = [
    "triggerSource",
    "userPoolId",
    "userName",
    "request",
    "userAttributes",
    "groupConfiguration",
    "groupsToOverride",
    "sub",
    "email",
    "email_verified",
    "cognito:user_status",
    "locale",
    "response",
    "",
];

fn anything() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
        prop::sample::select(vec![
            "TokenGeneration_Authentication",
            "TokenGeneration_ClientCredentials",
            "PostAuthentication_Authentication",
            "EXTERNAL_PROVIDER",
        ])
        .prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 64, 8, |inner| {
        let name = prop_oneof![prop::sample::select(NAMES.to_vec()).prop_map(ToOwned::to_owned), ".{0,6}"];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::btree_map(name, inner, 0..8)
                .prop_map(|members| Value::Object(members.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

/// Anything at all, or a true event with anything in the place of one of its parts.
fn event() -> impl Strategy<Value = Value> {
    let places = [
        "/version",
        "/triggerSource",
        "/userPoolId",
        "/userName",
        "/request",
        "/request/userAttributes",
        "/request/userAttributes/sub",
        "/request/userAttributes/email",
        "/request/userAttributes/cognito:user_status",
        "/request/groupConfiguration",
        "/request/groupConfiguration/groupsToOverride",
        "/response",
    ];
    let damaged =
        (prop::sample::select(places.to_vec()), anything()).prop_map(|(place, value)| trigger(&[(place, value)]));
    prop_oneof![anything(), damaged]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    /// Whatever comes goes back to the letter, and stops nobody from signing in.
    #[test]
    fn any_text_goes_back_as_it_came(event in event(), is_pretty in any::<bool>()) {
        let text = if is_pretty { serde_json::to_string_pretty(&event) } else { serde_json::to_string(&event) };
        let text = text.expect("JSON");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
        let answer = runtime.expect("a runtime").block_on(async {
            let cloud = Cloud::new().await;
            let function = NoticeSignIn::new(&cloud.sdk(), settings(OnPublishFailure::Continue));
            let event: Box<RawValue> = serde_json::from_str(&text).expect("JSON");
            function.handle(event, &context("request", at(0)), at(0)).await
        });
        let answer = answer.expect("no failure");
        prop_assert_eq!(answer.get(), text);
    }
}
