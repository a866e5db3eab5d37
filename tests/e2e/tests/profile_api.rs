//! The Profile API in the local cloud: the functions and the API are the product's own, over its function URL.

use aws_sdk_cognitoidentityprovider::Client as Pools;
use aws_sdk_cognitoidentityprovider::types::AuthFlowType;
use e2e::{PASSWORD, Server};
use serde_json::{Value, json};

const API: &str = "profile-api";
const ANN: &str = "ann@example.com";

/// The access token of somebody who is confirmed.
async fn token(server: &Server, address: &str) -> String {
    let sign_in = Pools::new(&server.config())
        .initiate_auth()
        .client_id(server.of_stack("userPoolClientId"))
        .auth_flow(AuthFlowType::UserPasswordAuth)
        .auth_parameters("USERNAME", address)
        .auth_parameters("PASSWORD", PASSWORD);
    let answer = sign_in.send().await.expect("InitiateAuth");
    answer.authentication_result.and_then(|result| result.access_token).expect("an access token")
}

async fn me(server: &Server, method: &str, token: &str, patch: &Value) -> (u16, Value) {
    let authorization = format!("Bearer {token}");
    let headers = [("authorization", authorization.as_str()), ("content-type", "application/merge-patch+json")];
    let body = if patch.is_null() { String::new() } else { patch.to_string() };
    server.call_url(API, method, "/me", &headers, &body).await
}

#[tokio::test]
async fn from_a_sign_up_to_ones_own_profile() {
    let server = Server::in_memory().await;
    server.confirmed(ANN).await;
    server.settle().await;
    let token = token(&server, ANN).await;

    let (status, profile) = me(&server, "GET", &token, &Value::Null).await;
    assert_eq!((status, &profile["email"], &profile["version"]), (200, &json!(ANN), &json!(0)), "{profile}");

    let (status, profile) = me(&server, "PATCH", &token, &json!({"plan": "pro", "tags": ["a"]})).await;
    assert_eq!((status, &profile["plan"], &profile["version"]), (200, &json!("pro"), &json!(1)), "{profile}");
    let (status, problem) = me(&server, "PATCH", &token, &json!({"email": "eve@example.com"})).await;
    assert_eq!((status, &problem["errors"][0]["pointer"]), (422, &json!("#/email")), "{problem}");

    let (status, read) = me(&server, "GET", &token, &Value::Null).await;
    assert_eq!((status, read), (200, profile));
}

#[tokio::test]
async fn an_account_that_its_owner_deletes_leaves_nothing() {
    let server = Server::in_memory().await;
    server.confirmed(ANN).await;
    server.settle().await;
    let token = token(&server, ANN).await;
    assert_eq!(me(&server, "DELETE", &token, &Value::Null).await.0, 202);
    server.settle().await;
    assert_eq!(me(&server, "GET", &token, &Value::Null).await.0, 410);
    assert_eq!(me(&server, "DELETE", &token, &Value::Null).await.0, 204);
}

#[tokio::test]
async fn nobody_comes_in_without_a_token_of_the_pool() {
    let server = Server::in_memory().await;
    assert_eq!(server.call_url(API, "GET", "/me", &[], "").await.0, 401);
    let forged = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhbm4ifQ.";
    assert_eq!(me(&server, "GET", forged, &Value::Null).await.0, 401);
}
