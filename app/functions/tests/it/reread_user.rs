//! `reread-user`, the user pool, the table and the bus.

use serde_json::{Value, json};
use tandem_functions::Error;
use tandem_functions::reread_user::{RereadUser, Settings};
use tandem_profiles::{Change, DeletedUser, Identity, IdentityEvent, Origin, UserId};

use crate::cloud::{Cloud, Listed, TABLE, at, context};

const POOL: &str = "us-east-1_Pool";

pub fn settings() -> Settings {
    Settings { bus: "tandem".into(), table: TABLE.into(), pool: Some(POOL.into()), attributes: Vec::new() }
}

/// What CloudTrail tells of a call about `ada`.
pub fn call(operation: &str) -> Value {
    json!({
        "version": "0",
        "id": "53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa",
        "detail-type": "AWS API Call via CloudTrail",
        "source": "aws.cognito-idp",
        "account": "000000000000",
        "time": "2026-01-01T00:00:00Z",
        "region": "us-east-1",
        "resources": [],
        "detail": {
            "eventVersion": "1.08",
            "eventTime": "2026-01-01T00:00:00Z",
            "eventSource": "cognito-idp.amazonaws.com",
            "eventName": operation,
            "requestParameters": {"userPoolId": POOL, "username": "HIDDEN_DUE_TO_SECURITY_REASONS"},
            "responseElements": null,
            "additionalEventData": {"sub": "ada"},
            "eventType": "AwsApiCall",
        },
    })
}

pub fn user(status: &str) -> Value {
    json!({
        "Username": "ada",
        "Attributes": [
            {"Name": "sub", "Value": "ada"},
            {"Name": "email", "Value": "ada@example.com"},
            {"Name": "email_verified", "Value": "true"},
        ],
        "UserCreateDate": 1_767_225_600.0,
        "UserLastModifiedDate": 1_767_225_600.0,
        "Enabled": true,
        "UserStatus": status,
    })
}

fn there() -> Listed {
    Listed::User(user("CONFIRMED"), vec!["staff"])
}

fn ada() -> Identity {
    Identity {
        user_id: UserId::new("ada").expect("an id"),
        user_pool_id: POOL.into(),
        username: "ada".into(),
        email: Some("ada@example.com".into()),
        email_verified: true,
        name: None,
        enabled: true,
        groups: ["staff".to_owned()].into(),
        attributes: [].into(),
    }
}

fn gone() -> Change {
    Change::Deleted(DeletedUser { user_id: UserId::new("ada").expect("an id"), user_pool_id: POOL.into() })
}

async fn cloud(stored: Option<Change>, listed: impl IntoIterator<Item = Listed>) -> Cloud {
    let cloud = Cloud::new().await;
    if let Some(change) = stored {
        let event = IdentityEvent::new(change, at(0), Origin::SignUp);
        cloud.profiles().apply(&event, at(0)).await.expect("applied");
    }
    cloud.lists(listed);
    cloud
}

/// A delivery, so many seconds after the profile was written.
async fn handle(cloud: &Cloud, event: &Value, seconds: i64) -> Result<(), Error> {
    let function = RereadUser::new(&cloud.sdk(), settings());
    function.handle(event, &context("request", at(seconds)), at(seconds)).await
}

async fn published(cloud: &Cloud, event: &Value) -> Vec<(String, Value)> {
    handle(cloud, event, 300).await.expect("no failure");
    cloud.published()
}

#[track_caller]
fn only(mut published: Vec<(String, Value)>) -> (String, Value) {
    assert_eq!(published.len(), 1, "{published:?}");
    published.remove(0)
}

#[tokio::test]
async fn a_change_is_told_of_as_the_pool_has_it() {
    let old = Identity { email: Some("old@example.com".into()), groups: [].into(), ..ada() };
    let cloud = cloud(Some(Change::Created(old)), [there()]).await;
    let (detail_type, detail) = only(published(&cloud, &call("AdminUpdateUserAttributes")).await);
    assert_eq!((detail_type.as_str(), &detail["metadata"]["origin"]), ("UserUpdated", &json!("admin")));
    assert_eq!(detail["metadata"]["occurredAt"], json!(at(300)), "just before the pool was asked");
    assert_eq!(detail["data"], serde_json::to_value(ada()).expect("JSON"));
}

#[tokio::test]
async fn a_disabled_user_is_told_of() {
    let mut disabled = user("CONFIRMED");
    disabled["Enabled"] = json!(false);
    let cloud = cloud(Some(Change::Created(ada())), [Listed::User(disabled, vec!["staff"])]).await;
    assert_eq!(only(published(&cloud, &call("AdminDisableUser")).await).1["data"]["enabled"], false);
}

#[tokio::test]
async fn a_profile_that_is_right_is_not_told_of() {
    let cloud = cloud(Some(Change::Created(ada())), [there()]).await;
    assert_eq!(published(&cloud, &call("AdminSetUserPassword")).await, []);
}

#[tokio::test]
async fn an_administrators_user_is_told_of_as_new() {
    let cloud = cloud(None, [Listed::User(user("FORCE_CHANGE_PASSWORD"), vec![])]).await;
    assert_eq!(only(published(&cloud, &call("AdminCreateUser")).await).0, "UserCreated");
}

#[tokio::test]
async fn whoever_has_confirmed_nothing_is_not_told_of() {
    let cloud = cloud(None, [Listed::User(user("UNCONFIRMED"), vec![])]).await;
    assert_eq!(published(&cloud, &call("AdminUpdateUserAttributes")).await, []);
}

#[tokio::test(start_paused = true)]
async fn a_new_user_who_is_not_to_be_seen_yet_is_asked_for_again_later() {
    let cloud = cloud(None, [Listed::Nobody, Listed::Nobody, there()]).await;
    let error = handle(&cloud, &call("AdminCreateUser"), 300).await.expect_err("it fails");
    assert_eq!(error.error_type(), "UserNotVisible");
    assert_eq!(cloud.calls("ListUsers"), 2);
    assert_eq!(only(published(&cloud, &call("AdminCreateUser")).await).0, "UserCreated");
}

#[tokio::test(start_paused = true)]
async fn a_list_that_is_a_moment_behind_is_looked_at_twice() {
    let cloud = cloud(None, [Listed::Nobody, there()]).await;
    assert_eq!(only(published(&cloud, &call("AdminCreateUser")).await).0, "UserCreated");
}

#[tokio::test(start_paused = true)]
async fn a_deletion_is_told_of_once_the_pool_says_so() {
    for operation in ["AdminDeleteUser", "DeleteUser"] {
        let cloud = cloud(Some(Change::Created(ada())), [Listed::Nobody]).await;
        let (detail_type, detail) = only(published(&cloud, &call(operation)).await);
        assert_eq!((detail_type.as_str(), cloud.calls("ListUsers")), ("UserDeleted", 2));
        assert_eq!(detail["data"], json!({"userId": "ada", "userPoolId": POOL}));
    }
}

#[tokio::test(start_paused = true)]
async fn a_deletion_of_somebody_never_heard_of_is_told_of_too() {
    let cloud = cloud(None, [Listed::Nobody]).await;
    assert_eq!(only(published(&cloud, &call("AdminDeleteUser")).await).0, "UserDeleted");
}

#[tokio::test(start_paused = true)]
async fn a_deleted_user_whom_the_list_shows_still_is_asked_for_again_later() {
    let cloud = cloud(Some(Change::Created(ada())), [there()]).await;
    let error = handle(&cloud, &call("AdminDeleteUser"), 300).await.expect_err("it fails");
    assert_eq!(error.error_type(), "UserStillVisible");
    assert_eq!(cloud.published(), []);
}

#[tokio::test(start_paused = true)]
async fn whoever_is_gone_by_the_time_of_another_call_was_deleted() {
    let cloud = cloud(Some(Change::Created(ada())), [Listed::Nobody]).await;
    assert_eq!(only(published(&cloud, &call("AdminUpdateUserAttributes")).await).0, "UserDeleted");
}

#[tokio::test(start_paused = true)]
async fn a_young_profile_is_not_buried_because_the_list_is_behind() {
    let cloud = cloud(Some(Change::Created(ada())), [Listed::Nobody]).await;
    handle(&cloud, &call("AdminUpdateUserAttributes"), 10).await.expect("no failure");
    assert_eq!(cloud.published(), []);
}

#[tokio::test(start_paused = true)]
async fn nobody_ever_heard_of_is_buried_for_a_change() {
    let cloud = cloud(None, [Listed::Nobody]).await;
    assert_eq!(published(&cloud, &call("AdminUpdateUserAttributes")).await, []);
}

#[tokio::test(start_paused = true)]
async fn whoever_was_deleted_stays_so() {
    for listed in [there(), Listed::Nobody] {
        for operation in ["AdminCreateUser", "AdminUpdateUserAttributes", "DeleteUser"] {
            let cloud = cloud(Some(gone()), [listed.clone()]).await;
            assert_eq!(published(&cloud, &call(operation)).await, []);
        }
    }
}

#[tokio::test]
async fn the_users_own_call_is_about_the_pool_that_is_set() {
    let cloud = cloud(Some(Change::Created(Identity { email: None, ..ada() })), [there()]).await;
    let mut own = call("UpdateUserAttributes");
    own["detail"]["requestParameters"] = json!({"accessToken": "HIDDEN_DUE_TO_SECURITY_REASONS"});
    assert_eq!(only(published(&cloud, &own).await).0, "UserUpdated");
}

#[tokio::test(start_paused = true)]
async fn the_own_deletion_of_another_pools_user_buries_nobody() {
    let cloud = cloud(None, [Listed::Nobody]).await;
    let mut own = call("DeleteUser");
    own["detail"]["requestParameters"] = json!({"accessToken": "HIDDEN_DUE_TO_SECURITY_REASONS"});
    assert_eq!(published(&cloud, &own).await, []);
}

#[tokio::test]
async fn calls_that_are_no_business_of_ours_ask_nobody() {
    let cloud = cloud(None, []).await;
    let changed = |pointer: &str, value: Value| {
        let mut event = call("AdminUpdateUserAttributes");
        *event.pointer_mut(pointer).expect("it is there") = value;
        event
    };
    for event in [
        changed("/detail/requestParameters/userPoolId", json!("us-east-1_Other")),
        changed("/detail/additionalEventData", Value::Null),
        changed("/source", json!("aws.s3")),
    ] {
        assert_eq!(published(&cloud, &event).await, []);
    }
    let mut failed = call("AdminDeleteUser");
    failed["detail"]["errorCode"] = json!("UserNotFoundException");
    assert_eq!(published(&cloud, &failed).await, []);
    assert_eq!((cloud.calls("ListUsers"), cloud.calls("GetItem")), (0, 0));
}

#[tokio::test]
async fn an_event_that_the_bus_does_not_take_fails_by_name() {
    let cloud = cloud(None, [there()]).await;
    cloud.answer(200, json!({"FailedEntryCount": 1, "Entries": [{"ErrorCode": "AccessDeniedException"}]}));
    let error = handle(&cloud, &call("AdminCreateUser"), 300).await.expect_err("it fails");
    assert_eq!(error.error_type(), "EventNotPublished");
}
