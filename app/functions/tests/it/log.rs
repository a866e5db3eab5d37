//! The log: structured, and without anything personal. Every function is run over people who are easy to recognise, in
//! good days and in bad ones, at the most talkative level there is; none of what makes them recognisable may be in it.

use std::io;
use std::sync::{Arc, Mutex};

use serde_json::value::RawValue;
use serde_json::{Value, json};
use tandem_functions::announce_user::{self, AnnounceUser, OnPublishFailure};
use tandem_functions::create_profile::{self, CreateProfile};
use tandem_functions::notice_sign_in::NoticeSignIn;
use tandem_functions::reread_user::RereadUser;
use tandem_functions::welcome_email::{self, WelcomeEmail};
use tandem_functions::{Error, invocation};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt as _;

use crate::cloud::{Cloud, Listed, TABLE, at, context};
use crate::create_profile::delivery;
use crate::{notice_sign_in, reread_user};

const SUB: &str = "91192d26-7031-7069-06eb-000000000000";

/// What makes somebody recognisable.
const PERSONAL: [&str; 8] = [
    "grace.hopper@navy.example",
    "GRACE.HOPPER",
    "Grace Brewster Hopper",
    "amazing-grace",
    "+441632960001",
    "12 Compiler Street",
    "custom-secret",
    "from-the-client",
];

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("no panic").write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

impl Log {
    /// The log of what `work` does, with the error that it ends with as `lambda_runtime` logs it.
    async fn of<R>(level: &str, work: impl Future<Output = Result<R, Error>>) -> (Vec<Value>, bool) {
        let log = Self::default();
        let layer = invocation::log(log.clone(), true, invocation::filter(Some(level), None));
        let guard = tracing::subscriber::set_default(tracing_subscriber::registry().with(layer));
        let result = work.await;
        let failed = result.is_err();
        if let Err(error) = result {
            tracing::error!("{error:?}");
        }
        drop(guard);
        let text = String::from_utf8(log.0.lock().expect("no panic").clone()).expect("UTF-8");
        for personal in PERSONAL {
            assert!(!text.to_lowercase().contains(&personal.to_lowercase()), "{personal} is in {text}");
        }
        (text.lines().map(|line| serde_json::from_str(line).expect("a line is JSON")).collect(), failed)
    }
}

fn attributes() -> Value {
    json!({
        "sub": SUB,
        "cognito:user_status": "CONFIRMED",
        "email": "grace.hopper@navy.example",
        "email_verified": "true",
        "name": "Grace Brewster Hopper",
        "phone_number": "+441632960001",
        "address": "12 Compiler Street",
        "custom:secret": "custom-secret",
    })
}

fn trigger(source: &str) -> Box<RawValue> {
    let event = json!({
        "version": "2",
        "triggerSource": source,
        "userPoolId": "pool",
        "userName": "amazing-grace",
        "request": {"userAttributes": attributes(), "clientMetadata": {"note": "from-the-client"}},
        "response": {},
    });
    serde_json::from_str(&event.to_string()).expect("JSON")
}

fn news(detail_type: &str) -> Value {
    let mut event = delivery(detail_type, SUB, 0);
    event["detail"]["data"] = json!({
        "userId": SUB,
        "userPoolId": "pool",
        "username": "amazing-grace",
        "email": "grace.hopper@navy.example",
        "emailVerified": true,
        "name": "Grace Brewster Hopper",
        "attributes": {"custom:secret": "custom-secret", "phone_number": "+441632960001"},
    });
    event
}

fn passed_on() -> Vec<String> {
    ["phone_number", "address", "custom:secret"].map(ToOwned::to_owned).into()
}

/// A service that says no, and quotes what it was sent.
fn refusal() -> Value {
    json!({"__type": "ValidationException", "message": "Grace Brewster Hopper <grace.hopper@navy.example> is no value"})
}

/// That a line says of whom, what and how it went; the numbers that make it one of an invocation are the runtime's.
#[track_caller]
fn tells(lines: &[Value], message: &str, fields: &[&str]) {
    let line = lines.iter().find(|line| line["fields"]["message"] == message);
    let line = line.unwrap_or_else(|| panic!("{message} is not in {lines:?}"));
    assert_eq!(line["fields"]["user_id"], SUB, "{line}");
    for field in fields {
        assert!(!line["fields"][*field].is_null(), "{field} is not in {line}");
    }
}

#[track_caller]
fn ends_with(lines: &[Value], error_type: &str) {
    let last = lines.last().expect("a line");
    assert_eq!(last["level"], "ERROR");
    assert!(last["fields"]["message"].as_str().is_some_and(|words| words.starts_with(error_type)), "{last}");
}

#[tokio::test]
async fn announce_user_names_nobody() {
    for level in ["info", "trace"] {
        for is_refused in [false, true] {
            let cloud = Cloud::new().await;
            if is_refused {
                cloud.answer(400, refusal());
            }
            let (bus, on_publish_failure) = ("tandem".into(), OnPublishFailure::Fail);
            let settings = announce_user::Settings { bus, on_publish_failure, attributes: passed_on() };
            let function = AnnounceUser::new(&cloud.sdk(), settings);
            let context = context("request", at(0));
            let run = function.handle(trigger("PostConfirmation_ConfirmSignUp"), &context, at(0));
            let (lines, failed) = Log::of(level, run).await;
            assert_eq!(failed, is_refused);
            if is_refused {
                tells(&lines, "user not announced", &["event_id", "reason"]);
                ends_with(&lines, "EventNotPublished");
            } else {
                tells(&lines, "user announced", &["event_id", "bus_event_id"]);
            }
        }
    }
}

#[tokio::test]
async fn notice_sign_in_names_nobody() {
    for level in ["info", "trace"] {
        for is_refused in [false, true] {
            let cloud = Cloud::new().await;
            if is_refused {
                cloud.answer(400, refusal());
            }
            let mut settings = notice_sign_in::settings(OnPublishFailure::Fail);
            settings.attributes = passed_on();
            let function = NoticeSignIn::new(&cloud.sdk(), settings);
            let context = context("request", at(0));
            let run = function.handle(trigger("TokenGeneration_Authentication"), &context, at(0));
            let (lines, failed) = Log::of(level, run).await;
            assert_eq!(failed, is_refused);
            if is_refused {
                tells(&lines, "sign-in not noticed", &["reason"]);
                ends_with(&lines, "SignInNotNoticed");
            } else {
                tells(&lines, "sign-in", &["outcome", "event_id", "detail_type"]);
            }
        }
    }
}

#[tokio::test]
async fn reread_user_names_nobody() {
    for level in ["info", "trace"] {
        for is_refused in [false, true] {
            let cloud = Cloud::new().await;
            let listed: Vec<_> = attributes()
                .as_object()
                .expect("an object")
                .iter()
                .collect::<Vec<_>>()
                .into_iter()
                .map(|(name, value)| json!({"Name": name, "Value": value}))
                .collect();
            let mut user = reread_user::user("CONFIRMED");
            user["Username"] = json!("amazing-grace");
            user["Attributes"] = json!(listed);
            cloud.lists([Listed::User(user, vec![])]);
            if is_refused {
                cloud.answer(400, refusal());
            }
            let mut call = reread_user::call("AdminCreateUser");
            call["detail"]["additionalEventData"]["sub"] = json!(SUB);
            call["detail"]["requestParameters"]["username"] = json!("amazing-grace");
            call["detail"]["userIdentity"] = json!({"userName": "amazing-grace"});
            let function = RereadUser::new(&cloud.sdk(), reread_user::settings());
            let (lines, failed) = Log::of(level, function.handle(&call, &context("request", at(0)), at(0))).await;
            assert_eq!(failed, is_refused);
            if is_refused {
                ends_with(&lines, "EventNotPublished");
            } else {
                tells(&lines, "call to Cognito", &["outcome", "operation"]);
            }
        }
    }
}

fn create_profile(cloud: &Cloud, table: &str) -> CreateProfile {
    let settings = create_profile::Settings { table: table.into(), unique_email: false, bus: None };
    CreateProfile::new(&cloud.sdk(), settings)
}

#[tokio::test]
async fn create_profile_names_nobody() {
    for level in ["info", "trace"] {
        let cloud = Cloud::new().await;
        for detail_type in ["UserCreated", "UserUpdated", "UserCreated"] {
            let function = create_profile(&cloud, TABLE);
            let (lines, failed) = Log::of(level, function.handle(&news(detail_type), at(60))).await;
            assert!(!failed);
            tells(&lines, "identity event applied", &["outcome", "event_id"]);
        }
        let nowhere = create_profile(&cloud, "nowhere");
        let (lines, _) = Log::of(level, nowhere.handle(&news("UserCreated"), at(60))).await;
        ends_with(&lines, "ProfileNotWritten");
        let mut malformed = news("UserCreated");
        malformed["detail"]["data"]["emailVerified"] = json!("grace.hopper@navy.example");
        let function = create_profile(&cloud, TABLE);
        let (lines, _) = Log::of(level, function.handle(&malformed, at(60))).await;
        ends_with(&lines, "InvalidIdentityEvent");
    }
}

#[tokio::test]
async fn welcome_email_names_nobody() {
    for level in ["info", "trace"] {
        for is_refused in [false, true] {
            let cloud = Cloud::new().await;
            if is_refused {
                let quoted = "Email address is not verified: grace.hopper@navy.example";
                cloud.answer(400, json!({"__type": "MessageRejected", "message": quoted}));
            }
            let settings = welcome_email::Settings { table: TABLE.into(), sender: "no-reply@tandem.example".into() };
            let function = WelcomeEmail::new(&cloud.sdk(), settings);
            let (event, context) = (news("UserCreated"), context("request", at(0)));
            let (lines, failed) = Log::of(level, Box::pin(function.handle(&event, &context, at(0)))).await;
            assert_eq!(failed, is_refused);
            if is_refused {
                ends_with(&lines, "MailRejected");
            } else {
                tells(&lines, "welcome mail", &["outcome", "event_id"]);
            }
        }
    }
}
