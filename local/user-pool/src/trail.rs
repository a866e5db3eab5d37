//! What CloudTrail tells of calls: one record for every call that may have changed something, in the shape in which
//! EventBridge passes it on (`AWS API Call via CloudTrail` from `aws.cognito-idp`).
//!
//! The shape is that of published records: callers of public operations are `Unknown` and `Anonymous`; what is personal
//! or secret is `HIDDEN_DUE_TO_SECURITY_REASONS`, user names included; who it was about stands in
//! `additionalEventData.sub` alone (aws-amplify/amplify-js#10374, and the guide's "Example Amazon Cognito events").
//! Calls that failed have a record too, with `errorCode`: a function that failed may have done so after the change, as
//! `PostConfirmation` does.
//!
//! A record is with whoever listens before the call is answered, so that no process dies between the two; where nobody
//! does, none is written. A record that cannot be handed over is logged, and the call is answered as if it had been.
//! A caller who hangs up while an operation runs does not end what it has begun: the record is made all the same, without
//! an answer in it.

use std::sync::Arc;

use async_trait::async_trait;
use aws_api::{ApiError, Call, Operation, Reply, Route, Service, ServiceName};
use futures_util::future::BoxFuture;
use serde_json::{Map, Value, json};
use world::{Timestamp, TraceId};

use crate::UserPools;
use crate::ops::{OPERATIONS, UNSIGNED};
use crate::pool::PoolId;
use crate::user::Sub;

const HIDDEN: &str = "HIDDEN_DUE_TO_SECURITY_REASONS";
/// CloudTrail's, of 2025.
const EVENT_VERSION: &str = "1.11";
/// Everybody calls from this machine.
const ADDRESS: &str = "127.0.0.1";
/// Who makes the resources of a stack, by name and as an address.
const CLOUDFORMATION: &str = "cloudformation.amazonaws.com";

/// Calls that EventBridge does not pass on: "API actions that start with the keywords List, Get, or Describe", and
/// what only reads beside them.
const READS: &[&str] = &["AdminGet", "AdminList", "Describe", "Get", "List"];
/// Calls of a sign-in: the most frequent ones, of whose records nobody wants to read why no rule took them.
const SIGN_INS: &[&str] =
    &["InitiateAuth", "RespondToAuthChallenge", "AdminInitiateAuth", "AdminRespondToAuthChallenge"];

/// Members of requests and answers that are personal or secret, at any depth.
const HIDDEN_MEMBERS: &[&str] = &[
    "accessToken",
    "analyticsMetadata",
    "attributes",
    "authParameters",
    "authenticationResult",
    "challengeParameters",
    "challengeResponses",
    "clientMetadata",
    "clientSecret",
    "confirmationCode",
    "contextData",
    "code",
    "destination",
    "idToken",
    "password",
    "preSignedUrl",
    "previousPassword",
    "proposedPassword",
    "providerDetails",
    "refreshToken",
    "secretHash",
    "session",
    "temporaryPassword",
    "token",
    "userAttributes",
    "userContextData",
    "username",
    "validationData",
];

/// Who hears of calls; `server` hands it in.
#[async_trait]
pub trait Trail: Send + Sync {
    /// Whether anybody listens.
    async fn is_heard(&self) -> bool;

    /// Takes a record; what it returns is durable. Why not, otherwise, in words for the log.
    async fn record(&self, record: Record) -> Result<(), String>;
}

/// One call.
#[derive(Clone, Debug)]
pub struct Record {
    /// The operation.
    pub name: String,
    /// CloudTrail's record, as JSON.
    pub detail: String,
    /// When it was answered.
    pub time: Timestamp,
    /// The request that it belongs to.
    pub trace: TraceId,
    /// Whom it is about.
    pub about: Vec<String>,
    /// Whether it is one of a sign-in, of which there are many.
    pub is_sign_in: bool,
}

/// The room's service, with a record of its calls.
pub struct Recorded {
    service: Arc<dyn Service>,
    room: Arc<UserPools>,
}

impl Recorded {
    /// Around a room's table of operations.
    pub fn of(
        name: ServiceName,
        room: &Arc<UserPools>,
        operations: &'static [Operation<UserPools>],
    ) -> Arc<dyn Service> {
        Arc::new(Self { service: <dyn Service>::of(name, Arc::clone(room), operations), room: Arc::clone(room) })
    }
}

impl Service for Recorded {
    fn name(&self) -> ServiceName {
        self.service.name()
    }

    fn operations(&self) -> Vec<(&'static str, Option<Route>)> {
        self.service.operations()
    }

    fn call<'a>(&'a self, call: &'a Call) -> BoxFuture<'a, Result<Reply, ApiError>> {
        let is_known = OPERATIONS.iter().any(|operation| operation.name == call.operation);
        if !is_known || READS.iter().any(|read| call.operation.starts_with(read)) {
            return self.service.call(call);
        }
        Box::pin(async move {
            let mut running = Running { room: &self.room, call: Some(call) };
            let answer = self.service.call(call).await;
            running.call = None;
            if self.room.trail.is_heard().await {
                let sub = self.room.subject(call, answer.is_err()).await;
                let record = self.room.record_of(call, sub, Some(&answer));
                hand_over(&self.room, record).await;
            }
            answer
        })
    }
}

/// A call that has no answer yet.
struct Running<'a> {
    room: &'a Arc<UserPools>,
    call: Option<&'a Call>,
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        let Some(call) = self.call else { return };
        let Some(sub) = call.whom().into_iter().next() else { return }; // it had not come so far
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        let (room, record) = (Arc::clone(self.room), self.room.record_of(call, Some(sub), None));
        runtime.spawn(async move {
            if room.trail.is_heard().await {
                hand_over(&room, record).await;
            }
        });
    }
}

async fn hand_over(room: &UserPools, record: Record) {
    let name = record.name.clone();
    if let Err(error) = room.trail.record(record).await {
        tracing::error!(operation = name, error, "a call went unrecorded; what listens for it does not hear of it");
    }
}

impl UserPools {
    /// The sub that a call turned out to be about. One that failed may have made up a sub for nobody.
    async fn subject(&self, call: &Call, has_failed: bool) -> Option<String> {
        let sub = call.whom().into_iter().next()?;
        if !has_failed {
            return Some(sub);
        }
        let input: Value = serde_json::from_slice(&call.body).unwrap_or_default();
        let named = |member: &str| input.get(member).and_then(Value::as_str);
        let of_client = || self.client(named("ClientId")?).ok().map(|client| client.pool.clone());
        let pool = named("UserPoolId").map(|id| PoolId(id.to_owned())).or_else(of_client);
        let Some(pool) = pool else { return Some(sub) }; // by an access token: they are there, or were
        let found = self.store.user(&pool, &Sub(sub.clone())).await;
        found.ok().flatten().map(|_| sub)
    }

    fn record_of(&self, call: &Call, sub: Option<String>, answer: Option<&Result<Reply, ApiError>>) -> Record {
        let (place, time) = (&self.world.place, self.world.clock.now());
        let of_stack = call.headers.is_empty(); // see `Call::internal`
        let mut detail = json!({
            "eventVersion": EVENT_VERSION,
            "userIdentity": user_identity(call, &place.account, of_stack),
            "eventTime": time.rfc3339_seconds(),
            "eventSource": "cognito-idp.amazonaws.com",
            "eventName": call.operation,
            "awsRegion": place.region,
            "sourceIPAddress": if of_stack { CLOUDFORMATION } else { ADDRESS },
            "userAgent": if of_stack { CLOUDFORMATION } else { call.header("user-agent").unwrap_or("-") },
            "requestParameters": shown(&call.body),
            "responseElements": null,
            "requestID": call.request_id,
            "eventID": self.world.random.uuid(),
            "readOnly": false,
            "eventType": "AwsApiCall",
            "managementEvent": true,
            "recipientAccountId": place.account,
            "eventCategory": "Management",
        });
        match answer {
            Some(Ok(reply)) => detail["responseElements"] = shown(&reply.body),
            Some(Err(error)) => {
                detail["errorCode"] = error.short_code().into();
                detail["errorMessage"] = error.message.clone().into();
            }
            None => {}
        }
        if let Some(sub) = sub {
            detail["additionalEventData"] = json!({"sub": sub});
        }
        Record {
            name: call.operation.clone(),
            detail: detail.to_string(),
            time,
            trace: call.trace.clone(),
            about: call.whom(),
            is_sign_in: SIGN_INS.contains(&call.operation.as_str()),
        }
    }
}

/// Who called. Nobody is told apart here but by access key: there are no users of the account.
fn user_identity(call: &Call, account: &str, of_stack: bool) -> Value {
    if UNSIGNED.contains(&call.operation.as_str()) {
        return json!({"type": "Unknown", "principalId": "Anonymous"});
    }
    let arn = format!("arn:aws:iam::{account}:root");
    let mut identity = json!({"type": "Root", "principalId": account, "arn": arn, "accountId": account});
    if of_stack {
        identity["invokedBy"] = CLOUDFORMATION.into();
    }
    let claimed = call.header("authorization").and_then(|value| value.split_once("Credential="));
    if let Some((key, _)) = claimed.and_then(|(_, scope)| scope.split_once('/')) {
        identity["accessKeyId"] = key.into();
    }
    identity
}

/// A request or an answer as CloudTrail shows it: names begin with a small letter, secrets are hidden, and an empty one
/// is none.
fn shown(body: &[u8]) -> Value {
    match serde_json::from_slice(body) {
        Ok(Value::Object(members)) if !members.is_empty() => shown_members(members),
        _ => Value::Null,
    }
}

fn shown_members(members: Map<String, Value>) -> Value {
    let shown = members.into_iter().map(|(name, value)| {
        let name = beginning_small(&name);
        let value = if HIDDEN_MEMBERS.contains(&name.as_str()) { HIDDEN.into() } else { shown_value(value) };
        (name, value)
    });
    Value::Object(shown.collect())
}

fn shown_value(value: Value) -> Value {
    match value {
        Value::Object(members) => shown_members(members),
        Value::Array(values) => values.into_iter().map(shown_value).collect(),
        other => other,
    }
}

fn beginning_small(name: &str) -> String {
    let mut chars = name.chars();
    chars.next().map_or_else(String::new, |first| first.to_lowercase().chain(chars).collect())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::shown;
    use crate::testing::{Kit, PASSWORD};
    use crate::trigger::TriggerFailure;

    async fn listening() -> Kit {
        let t = Kit::new().await;
        t.listen();
        t
    }

    fn names(records: &[Value]) -> Vec<&str> {
        records.iter().filter_map(|record| record["eventName"].as_str()).collect()
    }

    #[tokio::test]
    async fn a_sign_up_is_told_of_without_a_word_about_the_person() {
        let t = listening().await;
        let mut input = t.sign_up("ann@example.com");
        input["UserAttributes"] = json!([{"Name": "name", "Value": "Ann"}]);
        let answer = t.call("SignUp", input).await.ok();
        let mut record = t.records().remove(0);
        assert!(record["eventID"].take().is_string());
        let hidden = "HIDDEN_DUE_TO_SECURITY_REASONS";
        let expected = json!({
            "eventVersion": "1.11",
            "userIdentity": {"type": "Unknown", "principalId": "Anonymous"},
            "eventTime": "2026-01-01T00:00:00Z",
            "eventSource": "cognito-idp.amazonaws.com",
            "eventName": "SignUp",
            "awsRegion": "us-east-1",
            "sourceIPAddress": "cloudformation.amazonaws.com",
            "userAgent": "cloudformation.amazonaws.com",
            "requestParameters": {
                "clientId": t.client, "username": hidden, "password": hidden, "userAttributes": hidden,
            },
            "responseElements": {
                "userConfirmed": false, "userSub": answer["UserSub"],
                "codeDeliveryDetails": {"destination": hidden, "deliveryMedium": "EMAIL", "attributeName": "email"},
            },
            "additionalEventData": {"sub": answer["UserSub"]},
            "requestID": "request",
            "eventID": null,
            "readOnly": false,
            "eventType": "AwsApiCall",
            "managementEvent": true,
            "recipientAccountId": "000000000000",
            "eventCategory": "Management",
        });
        assert_eq!(record, expected);
        assert!(!record.to_string().contains("ann"), "{record}");
    }

    #[tokio::test]
    async fn every_change_of_a_user_is_told_of_and_no_reading() {
        let t = listening().await;
        t.confirmed("ann@example.com").await;
        let token = t.sign_in("ann@example.com").await;
        let admin = json!({"UserPoolId": t.pool, "Username": "ann@example.com"});
        let attributes = json!([{"Name": "name", "Value": "Ann"}]);
        let with = |name: &str, value: Value| {
            let mut input = admin.clone();
            input[name] = value;
            input
        };
        t.call("AdminGetUser", admin.clone()).await.ok();
        t.call("ListUsers", json!({"UserPoolId": t.pool})).await.ok();
        t.call("AdminUpdateUserAttributes", with("UserAttributes", attributes.clone())).await.ok();
        t.call("UpdateUserAttributes", json!({"AccessToken": token, "UserAttributes": attributes})).await.ok();
        t.call("DeleteUserAttributes", json!({"AccessToken": token, "UserAttributeNames": ["name"]})).await.ok();
        t.call("AdminDeleteUserAttributes", with("UserAttributeNames", json!(["nickname"]))).await.ok();
        t.join("ann@example.com", "g").await;
        t.call("AdminRemoveUserFromGroup", with("GroupName", json!("g"))).await.ok();
        t.call("AdminDisableUser", admin.clone()).await.ok();
        t.call("AdminEnableUser", admin.clone()).await.ok();
        let mut password = with("Password", json!(PASSWORD));
        password["Permanent"] = json!(true);
        t.call("AdminSetUserPassword", password).await.ok();
        t.call("AdminResetUserPassword", admin.clone()).await.ok();
        t.call("AdminDeleteUser", admin).await.ok();
        let records = t.records();
        let expected = [
            "SignUp",
            "ConfirmSignUp",
            "InitiateAuth",
            "AdminUpdateUserAttributes",
            "UpdateUserAttributes",
            "DeleteUserAttributes",
            "AdminDeleteUserAttributes",
            "CreateGroup",
            "AdminAddUserToGroup",
            "AdminRemoveUserFromGroup",
            "AdminDisableUser",
            "AdminEnableUser",
            "AdminSetUserPassword",
            "AdminResetUserPassword",
            "AdminDeleteUser",
        ];
        assert_eq!(names(&records), expected);
        let sub = &records[0]["additionalEventData"]["sub"];
        for record in records.iter().filter(|record| record["eventName"] != "CreateGroup") {
            assert_eq!(&record["additionalEventData"]["sub"], sub, "{record}");
        }
        assert_eq!(records[3]["requestParameters"]["userPoolId"], t.pool.as_str());
        assert_eq!(records[3]["responseElements"], Value::Null);
        assert_eq!(records[2]["responseElements"]["authenticationResult"], "HIDDEN_DUE_TO_SECURITY_REASONS");
        assert_eq!(records[8]["requestParameters"]["groupName"], "g");
    }

    #[tokio::test]
    async fn a_change_whose_trigger_failed_is_told_of_with_its_error() {
        let t = listening().await;
        t.attach("PostConfirmation").await;
        t.trigger_answers(Err(TriggerFailure::Function("no bus".into())));
        let sub = t.call("SignUp", t.sign_up("ann@example.com")).await.ok()["UserSub"].take();
        let confirm = t.call("ConfirmSignUp", t.confirm("ann@example.com", &t.last_code())).await;
        let message = confirm.error("UserLambdaValidationException");
        let record = t.records().pop().expect("a record");
        assert_eq!((&record["eventName"], &record["additionalEventData"]["sub"]), (&json!("ConfirmSignUp"), &sub));
        assert_eq!(record["errorCode"], "UserLambdaValidationException");
        assert_eq!((&record["errorMessage"], &record["responseElements"]), (&json!(message), &Value::Null));
    }

    #[tokio::test]
    async fn who_was_refused_has_no_sub() {
        let t = listening().await;
        let mut input = t.sign_up("ann@example.com");
        input["Password"] = json!("weak");
        t.call("SignUp", input).await.error("InvalidPasswordException");
        let record = t.records().remove(0);
        assert_eq!(
            (&record["errorCode"], record.get("additionalEventData")),
            (&json!("InvalidPasswordException"), None)
        );
    }

    #[tokio::test]
    async fn a_caller_who_hangs_up_ends_no_record() {
        let t = listening().await;
        t.attach("PostConfirmation").await;
        let sub = t.call("SignUp", t.sign_up("ann@example.com")).await.ok()["UserSub"].take();
        t.trigger_never_answers();
        let confirm = t.confirm("ann@example.com", &t.last_code());
        tokio::select! {
            _ = t.call("ConfirmSignUp", confirm) => panic!("the function never answers"),
            () = t.trigger_runs() => {}
        }
        while t.records().len() < 3 {
            tokio::task::yield_now().await;
        }
        let record = t.records().pop().expect("a record");
        assert_eq!((&record["eventName"], &record["additionalEventData"]["sub"]), (&json!("ConfirmSignUp"), &sub));
    }

    #[tokio::test]
    async fn where_nobody_listens_nothing_is_written() {
        let t = Kit::new().await;
        t.confirmed("ann@example.com").await;
        assert!(t.records().is_empty());
    }

    #[test]
    fn secrets_are_hidden_at_any_depth() {
        let body = json!({"UserPoolClient": {"ClientId": "c", "ClientSecret": "s", "CallbackURLs": ["u"]}});
        let expected = json!({"userPoolClient": {
            "clientId": "c", "clientSecret": "HIDDEN_DUE_TO_SECURITY_REASONS", "callbackURLs": ["u"],
        }});
        assert_eq!(shown(body.to_string().as_bytes()), expected);
        assert_eq!(shown(b"{}"), Value::Null);
        assert_eq!(shown(b""), Value::Null);
    }
}
