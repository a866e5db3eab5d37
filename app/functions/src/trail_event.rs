//! What CloudTrail tells of a call to Cognito, by way of the default bus.
//!
//! An event names the user by `additionalEventData.sub`; their name and attributes are hidden. (Cognito's guide, "Amazon
//! Cognito logging in AWS CloudTrail"; the member is reported, and not promised, so everything is read leniently and a
//! call without it is nothing to act on.)

use serde_json::Value;
use tandem_profiles::UserId;

use crate::error::Error;

const SOURCE: &str = "aws.cognito-idp";
const DETAIL_TYPE: &str = "AWS API Call via CloudTrail";
const EVENT_SOURCE: &str = "cognito-idp.amazonaws.com";

/// A call that succeeded.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Call {
    /// Cognito's operation.
    pub operation: String,
    /// The pool, if the call names one: those that come with a user's own token do not.
    pub pool: Option<String>,
    /// Whom it is about.
    pub user: Option<UserId>,
}

/// What must be true of the user after a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Leaves {
    /// There is such a user, though perhaps not to be seen yet.
    New,
    /// There was such a user.
    Changed,
    /// There is no such user any more.
    Nobody,
}

impl Call {
    /// `None` for a call that failed, and (with a warning) for what the function's rule should not have matched.
    pub fn read(event: &Value) -> Result<Option<Self>, Error> {
        let text = |field| event.get(field).and_then(Value::as_str).ok_or(Error::NotABusEvent(field));
        let (source, detail_type) = (text("source")?, text("detail-type")?);
        let detail = event.get("detail").ok_or(Error::NotABusEvent("detail"))?;
        let operation = member(detail, "/eventName");
        let is_of_cognito = member(detail, "/eventSource").is_none_or(|source| source == EVENT_SOURCE);
        let Some(operation) = operation.filter(|_| source == SOURCE && detail_type == DETAIL_TYPE && is_of_cognito)
        else {
            tracing::warn!(source, detail_type, "passed over: no call of Cognito; narrow the rule's pattern");
            return Ok(None);
        };
        // There and empty where nothing went wrong, in AWS's own examples.
        if member(detail, "/errorCode").is_some() {
            return Ok(None);
        }
        let first = |pointers: &[&str]| pointers.iter().find_map(|pointer| member(detail, pointer));
        let pool = first(&["/requestParameters/userPoolId", "/additionalEventData/userPoolId"]);
        let user = first(&["/additionalEventData/sub", "/additionalEventData/userSub", "/responseElements/userSub"]);
        Ok(Some(Self {
            operation: operation.to_owned(),
            pool: pool.map(ToOwned::to_owned),
            user: user.and_then(|sub| UserId::new(sub).ok()),
        }))
    }

    /// What must be true of the user by now.
    pub fn leaves(&self) -> Leaves {
        match self.operation.as_str() {
            "AdminDeleteUser" | "DeleteUser" => Leaves::Nobody,
            "AdminCreateUser" | "SignUp" | "ConfirmSignUp" | "AdminConfirmSignUp" => Leaves::New,
            _ => Leaves::Changed,
        }
    }
}

/// A text that says something. What is hidden says nothing.
fn member<'a>(detail: &'a Value, pointer: &str) -> Option<&'a str> {
    let text = detail.pointer(pointer)?.as_str()?;
    (!text.is_empty() && text != "HIDDEN_DUE_TO_SECURITY_REASONS").then_some(text)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// A call as CloudTrail tells of it, and one change of that.
    fn event(pointer: &str, value: Value) -> Value {
        let mut event = json!({
            "version": "0",
            "id": "53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa",
            "detail-type": "AWS API Call via CloudTrail",
            "source": "aws.cognito-idp",
            "account": "123456789012",
            "time": "2026-01-01T00:00:00Z",
            "region": "eu-west-1",
            "resources": [],
            "detail": {
                "eventVersion": "1.08",
                "userIdentity": {"type": "IAMUser", "accountId": "123456789012", "userName": "admin"},
                "eventTime": "2026-01-01T00:00:00Z",
                "eventSource": "cognito-idp.amazonaws.com",
                "eventName": "AdminUpdateUserAttributes",
                "awsRegion": "eu-west-1",
                "sourceIPAddress": "192.0.2.1",
                "userAgent": "aws-cli/2.0",
                "requestParameters": {
                    "userPoolId": "eu-west-1_Pool",
                    "username": "HIDDEN_DUE_TO_SECURITY_REASONS",
                    "userAttributes": "HIDDEN_DUE_TO_SECURITY_REASONS",
                },
                "responseElements": null,
                "additionalEventData": {"sub": "91192d26-7031-7069-06eb-000000000000"},
                "requestID": "b7a5cd6f-0000-4000-8000-000000000000",
                "eventID": "b7a5cd6f-0000-4000-8000-000000000001",
                "readOnly": false,
                "eventType": "AwsApiCall",
                "managementEvent": true,
                "recipientAccountId": "123456789012",
                "eventCategory": "Management",
            },
        });
        if !pointer.is_empty() {
            let (parent, field) = pointer.rsplit_once('/').expect("a pointer");
            event.pointer_mut(parent).expect("it is there")[field] = value;
        }
        event
    }

    #[track_caller]
    fn read(pointer: &str, value: Value) -> Option<Call> {
        Call::read(&event(pointer, value)).expect("it is an event of a bus")
    }

    #[test]
    fn a_call_tells_of_its_pool_and_its_user() {
        let call = read("", Value::Null).expect("a call");
        assert_eq!(call.operation, "AdminUpdateUserAttributes");
        assert_eq!(call.pool.as_deref(), Some("eu-west-1_Pool"));
        assert_eq!(call.user.expect("a user").as_str(), "91192d26-7031-7069-06eb-000000000000");
    }

    #[test]
    fn a_call_with_a_users_own_token_may_name_no_pool() {
        let call = read("/detail/requestParameters", json!({"accessToken": "HIDDEN_DUE_TO_SECURITY_REASONS"}));
        assert_eq!(call.expect("a call").pool, None);
    }

    #[test]
    fn a_hidden_user_is_none() {
        let hidden = json!({"sub": "HIDDEN_DUE_TO_SECURITY_REASONS"});
        assert_eq!(read("/detail/additionalEventData", hidden).expect("a call").user, None);
        assert_eq!(read("/detail/additionalEventData", Value::Null).expect("a call").user, None);
    }

    #[test]
    fn a_call_that_failed_is_nothing() {
        assert_eq!(read("/detail/errorCode", json!("UserNotFoundException")), None);
    }

    #[test]
    fn an_empty_error_code_is_no_error() {
        assert!(read("/detail/errorCode", json!("")).is_some());
    }

    #[test]
    fn calls_of_others_are_nothing() {
        assert_eq!(read("/source", json!("aws.s3")), None);
        assert_eq!(read("/detail-type", json!("AWS Service Event via CloudTrail")), None);
        assert_eq!(read("/detail/eventSource", json!("cognito-identity.amazonaws.com")), None);
    }

    #[test]
    fn what_is_no_event_of_a_bus_fails_by_name() {
        let error = Call::read(&json!({"source": "aws.cognito-idp"})).expect_err("it fails");
        assert_eq!(error.error_type(), "NotABusEvent");
    }

    #[track_caller]
    fn leaves(operation: &str, expected: Leaves) {
        assert_eq!(read("/detail/eventName", json!(operation)).expect("a call").leaves(), expected);
    }

    #[test]
    fn a_call_leaves_a_user_or_nobody() {
        leaves("AdminCreateUser", Leaves::New);
        leaves("AdminDisableUser", Leaves::Changed);
        leaves("DeleteUser", Leaves::Nobody);
    }
}
