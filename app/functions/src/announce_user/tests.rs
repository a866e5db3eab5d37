use serde_json::{Value, json};
use tandem_profiles::Identity;

use super::*;

const NOW_MILLIS: i64 = 1_767_225_600_123;

fn now() -> Timestamp {
    Timestamp::from_millis(NOW_MILLIS)
}

/// What Cognito sends, and one change of it.
fn trigger(pointer: &str, value: Value) -> String {
    let mut event = json!({
        "version": "1",
        "triggerSource": "PostConfirmation_ConfirmSignUp",
        "region": "eu-west-1",
        "userPoolId": "eu-west-1_Pool",
        "userName": "ada",
        "callerContext": {"awsSdkVersion": "aws-sdk-unknown-unknown", "clientId": "app"},
        "request": {
            "userAttributes": {
                "sub": "91192d26-7031-7069-06eb-000000000000",
                "cognito:user_status": "CONFIRMED",
                "email_verified": "true",
                "email": "ada@example.com",
                "name": "Ada Lovelace",
                "locale": "en",
            },
        },
        "response": {},
    });
    if !pointer.is_empty() {
        let (parent, field) = pointer.rsplit_once('/').expect("a pointer");
        event.pointer_mut(parent).expect("it is there")[field] = value;
    }
    event.to_string()
}

#[track_caller]
fn announced(trigger: &str) -> (Metadata, Identity) {
    match announcement(trigger, &[], None, now()).expect("it is announced").expect("it is a sign-up") {
        IdentityEvent { metadata, change: Change::Created(identity) } => (metadata, identity),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_sign_up_is_announced_with_what_the_pool_says() {
    let (metadata, identity) = announced(&trigger("", Value::Null));
    assert_eq!((metadata.occurred_at, metadata.origin), (now(), Origin::SignUp));
    let expected = Identity {
        user_id: UserId::new("91192d26-7031-7069-06eb-000000000000").expect("an id"),
        user_pool_id: "eu-west-1_Pool".into(),
        username: "ada".into(),
        email: Some("ada@example.com".into()),
        email_verified: true,
        name: Some("Ada Lovelace".into()),
        enabled: true,
        groups: [].into(),
        attributes: [].into(),
    };
    assert_eq!(identity, expected);
}

#[test]
fn what_is_published_follows_its_schema() {
    let schema: Value =
        serde_json::from_str(include_str!("../../../../docs/schemas/UserCreated.json")).expect("a schema is JSON");
    let validator = jsonschema::draft202012::new(&schema).expect("a schema is a schema");
    let trace = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1";
    for trigger in [
        trigger("", Value::Null),
        trigger("/request/userAttributes/email", Value::Null),
        trigger("/request/userAttributes/email", json!("")),
        trigger("/request/userAttributes/email_verified", json!(true)),
        trigger("/userName", Value::Null),
    ] {
        let names = ["locale".to_owned()];
        let event = announcement(&trigger, &names, Some(trace), now()).expect("announced").expect("a sign-up");
        let detail: Value = serde_json::from_str(&event.detail()).expect("JSON");
        assert!(validator.is_valid(&detail), "{detail}");
        assert_eq!(IdentityEvent::parse(event.detail_type(), &detail), Ok(event));
    }
}

#[track_caller]
fn not_announced(source: Value) {
    let trigger = trigger("/triggerSource", source);
    assert!(announcement(&trigger, &[], None, now()).expect("no failure").is_none());
}

#[test]
fn a_reset_password_is_not_announced() {
    not_announced(json!("PostConfirmation_ConfirmForgotPassword"));
}

#[test]
fn a_source_that_nobody_knows_yet_is_not_announced() {
    not_announced(json!("PostConfirmation_Whatever"));
}

#[test]
fn an_event_without_a_source_is_not_announced() {
    not_announced(Value::Null);
}

#[test]
fn an_event_that_is_no_object_is_not_announced() {
    assert!(announcement("[1, 2]", &[], None, now()).expect("no failure").is_none());
}

#[test]
fn only_allowed_attributes_are_passed_on() {
    let names = ["locale".to_owned(), "phone_number".to_owned()];
    let event = announcement(&trigger("", Value::Null), &names, None, now()).expect("announced").expect("a sign-up");
    let Change::Created(identity) = event.change else { panic!("{event:?}") };
    assert_eq!(identity.attributes, [("locale".to_owned(), "en".to_owned())].into());
}

#[test]
fn a_user_of_another_provider_is_federated() {
    let (metadata, _) = announced(&trigger("/request/userAttributes/cognito:user_status", json!("EXTERNAL_PROVIDER")));
    assert_eq!(metadata.origin, Origin::Federated);
}

#[test]
fn a_flag_that_is_no_string_is_read_all_the_same() {
    assert!(announced(&trigger("/request/userAttributes/email_verified", json!(true))).1.email_verified);
}

#[test]
fn an_unverified_address_is_not_verified() {
    assert!(!announced(&trigger("/request/userAttributes/email_verified", json!("false"))).1.email_verified);
}

#[test]
fn a_user_without_a_sub_cannot_be_announced() {
    let error = announcement(&trigger("/request/userAttributes/sub", Value::Null), &[], None, now());
    assert_eq!(error.expect_err("it fails").to_string(), "the trigger event has no user's sub");
}

#[test]
fn the_ids_of_one_sign_up_differ_in_their_time_alone() {
    let user = UserId::new("ada").expect("an id");
    let first = event_id("pool", &user, now()).to_string();
    let again = event_id("pool", &user, Timestamp::from_millis(NOW_MILLIS + 5000)).to_string();
    let time_digits = "019b76da-a87b".len();
    assert_ne!(first[..time_digits], again[..time_digits]);
    assert_eq!(first[time_digits..], again[time_digits..]);
}

#[test]
fn the_ids_of_two_users_of_one_moment_differ() {
    let id = |sub: &str| event_id("pool", &UserId::new(sub).expect("an id"), now());
    assert_ne!(id("ada"), id("eve"));
}
