//! What CloudTrail tells of administrators' calls, by way of `reread-user`: it is invoked as the default bus would do it,
//! with the shape of the events that AWS records.

use std::collections::HashMap;

use aws_sdk_cognitoidentityprovider::Client as Pools;
use aws_sdk_dynamodb::Client as Tables;
use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_lambda::Client as Functions;
use aws_sdk_lambda::primitives::Blob;
use e2e::Server;
use serde_json::json;

const ADDRESS: &str = "ann@example.com";

/// What is stored of a user, as soon as nothing is on its way.
async fn stored(server: &Server, sub: &str) -> HashMap<String, AttributeValue> {
    server.settle().await;
    let get = Tables::new(&server.config()).get_item().table_name(server.of_stack("tableName"));
    let get = get.key("pk", AttributeValue::S(format!("USER#{sub}"))).key("sk", AttributeValue::S("PROFILE".into()));
    get.send().await.expect("GetItem").item.expect("there is an item")
}

/// Tells the function of a call, and waits for what it does.
async fn tell(server: &Server, operation: &str, sub: &str) {
    let event = json!({
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
            "awsRegion": "us-east-1",
            "requestParameters": {
                "userPoolId": server.of_stack("userPoolId"),
                "username": "HIDDEN_DUE_TO_SECURITY_REASONS",
            },
            "responseElements": null,
            "additionalEventData": {"sub": sub},
            "readOnly": false,
            "eventType": "AwsApiCall",
            "managementEvent": true,
            "recipientAccountId": "000000000000",
        },
    });
    let invoke = Functions::new(&server.config()).invoke().function_name("reread-user");
    let answer = invoke.payload(Blob::new(event.to_string())).send().await.expect("Invoke");
    assert_eq!(answer.function_error, None, "{:?}", answer.payload);
}

#[tokio::test]
async fn administrators_calls_reach_the_profile_without_a_sign_in() {
    let server = Server::in_memory().await;
    server.confirmed(ADDRESS).await;
    let (pools, pool) = (Pools::new(&server.config()), server.of_stack("userPoolId"));
    let user = pools.admin_get_user().user_pool_id(pool).username(ADDRESS).send().await.expect("AdminGetUser");
    let sub = user.user_attributes().iter().find(|attribute| attribute.name == "sub").expect("a sub");
    let sub = sub.value().expect("a sub").to_owned();
    assert_eq!(stored(&server, &sub).await["identityStatus"].as_s().expect("a text"), "ACTIVE");

    pools.create_group().user_pool_id(pool).group_name("staff").send().await.expect("CreateGroup");
    let add = pools.admin_add_user_to_group().user_pool_id(pool).username(ADDRESS).group_name("staff");
    add.send().await.expect("AdminAddUserToGroup");
    pools.admin_disable_user().user_pool_id(pool).username(ADDRESS).send().await.expect("AdminDisableUser");
    tell(&server, "AdminDisableUser", &sub).await;
    let profile = stored(&server, &sub).await;
    assert_eq!(profile["identityStatus"].as_s().expect("a text"), "DISABLED");
    assert_eq!(profile["identityGroups"].as_ss().expect("a set"), &["staff".to_owned()]);

    pools.admin_delete_user().user_pool_id(pool).username(ADDRESS).send().await.expect("AdminDeleteUser");
    tell(&server, "AdminDeleteUser", &sub).await;
    let tombstone = stored(&server, &sub).await;
    assert_eq!(tombstone["identityStatus"].as_s().expect("a text"), "DELETED");
    assert!(!tombstone.contains_key("email"), "{tombstone:?}");
}
