//! The states of users under random sequences of calls, against a model of Cognito's table of transitions; and names
//! in every spelling.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use serde_json::{Value, json};

use super::Status;
use crate::testing::{Kit, PASSWORD};

const NAMES: [&str; 3] = ["ann@example.com", "bob@example.com", "eve@example.com"];
const NEW_PASSWORD: &str = "N3w-password";

#[derive(Clone, Copy, Debug)]
enum Step {
    SignUp,
    ConfirmSignUp { right: bool },
    ResendConfirmationCode,
    AdminConfirmSignUp,
    AdminCreateUser,
    InviteAgain,
    AdminSetUserPassword { permanent: bool },
    ForgotPassword,
    ConfirmForgotPassword,
    AdminResetUserPassword,
    AdminDisableUser,
    AdminEnableUser,
    AdminDeleteUser,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => Just(Step::SignUp),
        3 => any::<bool>().prop_map(|right| Step::ConfirmSignUp { right }),
        1 => Just(Step::ResendConfirmationCode),
        1 => Just(Step::AdminConfirmSignUp),
        2 => Just(Step::AdminCreateUser),
        1 => Just(Step::InviteAgain),
        2 => any::<bool>().prop_map(|permanent| Step::AdminSetUserPassword { permanent }),
        2 => Just(Step::ForgotPassword),
        2 => Just(Step::ConfirmForgotPassword),
        2 => Just(Step::AdminResetUserPassword),
        1 => Just(Step::AdminDisableUser),
        1 => Just(Step::AdminEnableUser),
        1 => Just(Step::AdminDeleteUser),
    ]
}

/// What the model knows of one user.
#[derive(Clone, Debug)]
struct Person {
    status: Status,
    enabled: bool,
    verified: bool,
    sign_up_code: String,
    password_code: Option<String>,
    resends: u32,
}

impl Person {
    fn new(status: Status, verified: bool) -> Self {
        Self { status, enabled: true, verified, sign_up_code: String::new(), password_code: None, resends: 0 }
    }
}

/// What the model expects of one call.
#[derive(Debug, Default)]
struct Expected {
    error: Option<&'static str>,
    sources: Vec<&'static str>,
}

fn refused(error: &'static str) -> Expected {
    Expected { error: Some(error), ..Expected::default() }
}

fn fires(source: &'static str) -> Expected {
    Expected { sources: vec![source], ..Expected::default() }
}

/// Changes the model as the call should change the user. Facts: the table of transitions and the errors at wrong
/// states in Cognito's documentation.
fn expect(step: Step, person: &mut Option<Person>) -> Expected {
    let Some(known) = person else {
        let mut fired = Expected::default();
        match step {
            Step::SignUp => {
                *person = Some(Person::new(Status::Unconfirmed, false));
                fired.sources.push("PreSignUp_SignUp");
            }
            Step::AdminCreateUser => {
                *person = Some(Person::new(Status::ForceChangePassword, true));
                fired.sources.push("PreSignUp_AdminCreateUser");
            }
            _ => fired.error = Some("UserNotFoundException"),
        }
        return fired;
    };
    match step {
        Step::SignUp => Expected { error: Some("UsernameExistsException"), ..fires("PreSignUp_SignUp") },
        Step::AdminCreateUser => {
            Expected { error: Some("UsernameExistsException"), ..fires("PreSignUp_AdminCreateUser") }
        }
        Step::ConfirmSignUp { .. } if !known.enabled || known.status != Status::Unconfirmed => {
            refused("NotAuthorizedException")
        }
        Step::AdminConfirmSignUp if known.status != Status::Unconfirmed => refused("NotAuthorizedException"),
        Step::ConfirmSignUp { right: false } => refused("CodeMismatchException"),
        Step::ConfirmSignUp { right: true } => {
            known.status = Status::Confirmed;
            known.verified = true;
            fires("PostConfirmation_ConfirmSignUp")
        }
        Step::AdminConfirmSignUp => {
            known.status = Status::Confirmed;
            fires("PostConfirmation_ConfirmSignUp")
        }
        Step::ResendConfirmationCode if !known.enabled => refused("NotAuthorizedException"),
        Step::ResendConfirmationCode if known.status != Status::Unconfirmed => refused("InvalidParameterException"),
        Step::ResendConfirmationCode if known.resends == 5 => refused("LimitExceededException"),
        Step::ResendConfirmationCode => {
            known.resends += 1;
            Expected::default()
        }
        Step::InviteAgain if known.status != Status::ForceChangePassword => refused("UnsupportedUserStateException"),
        Step::AdminSetUserPassword { permanent } => {
            known.status = if permanent { Status::Confirmed } else { Status::ForceChangePassword };
            Expected::default()
        }
        Step::ForgotPassword | Step::ConfirmForgotPassword | Step::AdminResetUserPassword if !known.enabled => {
            refused("NotAuthorizedException")
        }
        Step::ForgotPassword | Step::ConfirmForgotPassword | Step::AdminResetUserPassword
            if known.status == Status::ForceChangePassword =>
        {
            refused("NotAuthorizedException")
        }
        Step::AdminResetUserPassword if known.status == Status::Unconfirmed => refused("NotAuthorizedException"),
        Step::ConfirmForgotPassword if known.status == Status::Unconfirmed => refused("UserNotConfirmedException"),
        Step::ForgotPassword | Step::AdminResetUserPassword if !known.verified => refused("InvalidParameterException"),
        Step::InviteAgain | Step::ForgotPassword => Expected::default(),
        Step::AdminResetUserPassword => {
            known.status = Status::ResetRequired;
            Expected::default()
        }
        Step::ConfirmForgotPassword if known.password_code.take().is_none() => refused("ExpiredCodeException"),
        Step::ConfirmForgotPassword => {
            known.status = Status::Confirmed;
            fires("PostConfirmation_ConfirmForgotPassword")
        }
        Step::AdminDisableUser | Step::AdminEnableUser => {
            known.enabled = matches!(step, Step::AdminEnableUser);
            Expected::default()
        }
        Step::AdminDeleteUser => {
            *person = None;
            Expected::default()
        }
    }
}

/// The call that a step is.
fn call(t: &Kit, step: Step, name: &str, person: Option<&Person>) -> (&'static str, Value) {
    let admin = json!({"UserPoolId": t.pool, "Username": name});
    let client = json!({"ClientId": t.client, "Username": name});
    match step {
        Step::SignUp => ("SignUp", t.sign_up(name)),
        Step::ConfirmSignUp { right } => {
            let code = person.filter(|_| right).map_or("x", |person| person.sign_up_code.as_str());
            ("ConfirmSignUp", t.confirm(name, if code.is_empty() { "1" } else { code }))
        }
        Step::ResendConfirmationCode => ("ResendConfirmationCode", client),
        Step::AdminConfirmSignUp => ("AdminConfirmSignUp", admin),
        Step::AdminCreateUser => {
            let verified = json!([{"Name": "email_verified", "Value": "true"}]);
            ("AdminCreateUser", with(admin, "UserAttributes", verified))
        }
        Step::InviteAgain => ("AdminCreateUser", with(admin, "MessageAction", json!("RESEND"))),
        Step::AdminSetUserPassword { permanent } => {
            let password = with(admin, "Password", json!(NEW_PASSWORD));
            ("AdminSetUserPassword", with(password, "Permanent", json!(permanent)))
        }
        Step::ForgotPassword => ("ForgotPassword", client),
        Step::ConfirmForgotPassword => {
            let code = person.and_then(|person| person.password_code.as_deref()).unwrap_or("1");
            let password = with(client, "Password", json!(NEW_PASSWORD));
            ("ConfirmForgotPassword", with(password, "ConfirmationCode", json!(code)))
        }
        Step::AdminResetUserPassword => ("AdminResetUserPassword", admin),
        Step::AdminDisableUser => ("AdminDisableUser", admin),
        Step::AdminEnableUser => ("AdminEnableUser", admin),
        Step::AdminDeleteUser => ("AdminDeleteUser", admin),
    }
}

fn with(mut input: Value, member: &str, value: Value) -> Value {
    input[member] = value;
    input
}

fn spelled(name: &str, shouting: bool) -> String {
    if shouting { name.to_uppercase() } else { name.to_owned() }
}

async fn play(steps: &[(Step, usize, bool)]) {
    let t = Kit::new().await;
    t.attach("PreSignUp").await;
    t.attach("PostConfirmation").await;
    let mut people: BTreeMap<&str, Option<Person>> = BTreeMap::new();
    let mut signed_up = BTreeSet::new();
    for (step, name, shouting) in steps {
        let name = NAMES[*name];
        let person = people.entry(name).or_default();
        let (operation, input) = call(&t, *step, &spelled(name, *shouting), person.as_ref());
        let expected = expect(*step, person);
        let (events, messages) = (t.events().len(), t.messages().len());
        let answer = t.call(operation, input).await.0;

        let error = answer.as_ref().err().map(|error| error.code.to_string());
        assert_eq!(error.as_deref(), expected.error, "{step:?} {answer:?}");
        assert_eq!(t.sources()[events..], expected.sources, "{step:?}");
        if let (Step::SignUp, Ok(answer)) = (step, &answer) {
            signed_up.insert(answer["UserSub"].to_string());
        }
        if let (Some(person), Some(message)) = (person.as_mut(), t.messages().get(messages)) {
            match step {
                Step::SignUp | Step::ResendConfirmationCode => person.sign_up_code.clone_from(&message.code),
                Step::ForgotPassword | Step::AdminResetUserPassword => {
                    person.password_code = Some(message.code.clone());
                }
                _ => {}
            }
        }
        let user = json!({"UserPoolId": t.pool, "Username": spelled(name, !shouting)});
        let found = t.call("AdminGetUser", user).await.0.ok();
        let found = found.map(|user| (user["UserStatus"].clone(), user["Enabled"].clone()));
        let known = person.as_ref().map(|person| (json!(person.status.as_str()), json!(person.enabled)));
        assert_eq!(found, known, "{step:?}");
    }
    check_events(&t, &signed_up);
    check_names(&t, &people).await;
}

/// PostConfirmation tells of every sign-up once at most, and never of somebody whom an administrator created.
fn check_events(t: &Kit, signed_up: &BTreeSet<String>) {
    let mut confirmed = BTreeSet::new();
    for event in t.events().iter().filter(|event| event["triggerSource"] == "PostConfirmation_ConfirmSignUp") {
        let sub = event["request"]["userAttributes"]["sub"].to_string();
        assert!(signed_up.contains(&sub), "{event}");
        assert!(confirmed.insert(sub), "{event}");
        assert_eq!(event["request"]["userAttributes"]["cognito:user_status"], "CONFIRMED");
    }
}

/// Names are unique whatever their spelling.
async fn check_names(t: &Kit, people: &BTreeMap<&str, Option<Person>>) {
    let users = t.call("ListUsers", json!({"UserPoolId": t.pool, "AttributesToGet": ["email"]})).await.ok();
    let users = users["Users"].as_array().expect("a list").iter();
    let mut names: Vec<_> = users.map(|user| user["Attributes"][0]["Value"].clone()).collect();
    names.sort_by_key(ToString::to_string);
    let known = people.iter().filter(|(_, person)| person.is_some());
    assert_eq!(names, known.map(|(name, _)| json!(name)).collect::<Vec<_>>());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn users_go_through_cognitos_states(steps in prop::collection::vec((step(), 0..NAMES.len(), any::<bool>()), 1..40)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(play(&steps));
    }
}

/// Every call that names a user, in an order in which each finds the state it needs; and what it fails with.
fn calls(t: &Kit, name: &str) -> Vec<(&'static str, Value, Option<&'static str>)> {
    let admin = |more: Value| merged(json!({"UserPoolId": t.pool, "Username": name}), more);
    let client = |more: Value| merged(json!({"ClientId": t.client, "Username": name}), more);
    let attribute = json!([{"Name": "locale", "Value": "de"}]);
    let verified = json!([{"Name": "email_verified", "Value": "true"}]);
    let wrong = json!({"ConfirmationCode": "x", "Password": PASSWORD});
    vec![
        ("ResendConfirmationCode", client(json!({})), None),
        ("AdminGetUser", admin(json!({})), None),
        ("AdminUpdateUserAttributes", admin(json!({"UserAttributes": attribute})), None),
        ("AdminDeleteUserAttributes", admin(json!({"UserAttributeNames": ["locale"]})), None),
        ("ConfirmSignUp", t.confirm(name, "x"), Some("CodeMismatchException")),
        ("AdminConfirmSignUp", admin(json!({})), None),
        ("AdminUpdateUserAttributes", admin(json!({"UserAttributes": verified})), None),
        ("ForgotPassword", client(json!({})), None),
        ("ConfirmForgotPassword", client(wrong), Some("CodeMismatchException")),
        ("AdminResetUserPassword", admin(json!({})), None),
        ("AdminDisableUser", admin(json!({})), None),
        ("AdminEnableUser", admin(json!({})), None),
        ("AdminSetUserPassword", admin(json!({"Password": PASSWORD})), None),
        ("AdminCreateUser", admin(json!({"MessageAction": "RESEND"})), None),
        ("AdminCreateUser", admin(json!({})), Some("UsernameExistsException")),
        ("SignUp", t.sign_up(name), Some("UsernameExistsException")),
        ("AdminDeleteUser", admin(json!({})), None),
    ]
}

fn merged(mut input: Value, more: Value) -> Value {
    let (Some(members), Value::Object(more)) = (input.as_object_mut(), more) else { return input };
    members.extend(more);
    input
}

async fn case_kit(case_sensitive: bool, more: Value) -> Kit {
    let pool = json!({
        "PoolName": "case",
        "AutoVerifiedAttributes": ["email"],
        "UsernameConfiguration": {"CaseSensitive": case_sensitive},
    });
    Kit::with_pool(merged(pool, more)).await
}

async fn sign_up(t: &Kit, name: &str) {
    let email = json!([{"Name": "email", "Value": "Ann@Example.com"}]);
    t.call("SignUp", with(t.sign_up(name), "UserAttributes", email)).await.ok();
}

#[tokio::test]
async fn no_call_minds_how_a_name_is_spelled() {
    for (name, more) in [("Ann", json!({})), ("Ann@Example.com", json!({"UsernameAttributes": ["email"]}))] {
        let t = case_kit(false, more).await;
        sign_up(&t, name).await;
        for (operation, input, expected) in calls(&t, &name.to_uppercase()) {
            let error = t.call(operation, input).await.0.err().map(|error| error.code);
            assert_eq!(error.as_deref(), expected, "{operation}");
        }
    }
}

#[tokio::test]
async fn names_are_given_back_in_lower_case_where_case_does_not_count() {
    let t = case_kit(false, json!({})).await;
    t.attach("PreSignUp").await;
    sign_up(&t, "Ann").await;
    assert_eq!(t.events()[0]["userName"], "ann");
    assert_eq!(t.events()[0]["request"]["userAttributes"]["email"], "ann@example.com");
    let user = t.call("AdminGetUser", json!({"UserPoolId": t.pool, "Username": "ANN"})).await.ok();
    assert_eq!(user["Username"], "ann");
    let filter = json!({"UserPoolId": t.pool, "Filter": "username = \"aNN\""});
    assert_eq!(t.call("ListUsers", filter).await.ok()["Users"][0]["Username"], "ann");
}

#[tokio::test]
async fn an_alias_is_found_in_every_spelling() {
    let t = case_kit(false, json!({"AliasAttributes": ["email"]})).await;
    sign_up(&t, "ann").await;
    t.call("ConfirmSignUp", t.confirm("ANN", &t.last_code())).await.ok();
    let user = t.call("AdminGetUser", json!({"UserPoolId": t.pool, "Username": "aNN@eXAMPLE.cOM"})).await.ok();
    assert_eq!(user["Username"], "ann");
}

#[tokio::test]
async fn where_case_counts_another_spelling_is_another_user() {
    let t = case_kit(true, json!({})).await;
    sign_up(&t, "Ann").await;
    for (operation, input, taken) in calls(&t, "ANN") {
        if taken != Some("UsernameExistsException") {
            t.call(operation, input).await.error("UserNotFoundException");
        }
    }
    sign_up(&t, "ANN").await;
    let users = t.call("ListUsers", json!({"UserPoolId": t.pool})).await.ok();
    assert_eq!(users["Users"].as_array().expect("a list").len(), 2);
}
