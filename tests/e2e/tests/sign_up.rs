//! The article's path: from a sign-up to a profile, by the AWS SDK for Rust.

use aws_sdk_cognitoidentityprovider::Client as Pools;
use aws_sdk_cognitoidentityprovider::types::AuthFlowType;
use aws_sdk_dynamodb::Client as Tables;
use aws_sdk_dynamodb::types::AttributeValue;
use e2e::{PASSWORD, Server};

async fn profiles(server: &Server) -> Vec<std::collections::HashMap<String, AttributeValue>> {
    let scan = Tables::new(&server.config()).scan().table_name(server.of_stack("tableName"));
    let items = scan.send().await.expect("Scan").items.unwrap_or_default();
    items
        .into_iter()
        .filter(|item| item.get("sk").and_then(|sk| sk.as_s().ok()).is_some_and(|sk| sk == "PROFILE"))
        .collect()
}

async fn welcome_mails(server: &Server, to: &str) -> usize {
    let (_, mailbox) = server.inside("GET", &format!("/_tandem/mailbox?to={to}"), "").await;
    mailbox["messages"].as_array().expect("a mailbox").iter().filter(|message| message["source"] == "ses").count()
}

#[tokio::test]
async fn a_confirmed_sign_up_has_a_profile_and_one_welcome_mail() {
    let server = Server::in_memory().await;
    server.confirmed("ann@example.com").await;
    server.settle().await;
    let profiles = profiles(&server).await;
    assert_eq!(profiles.len(), 1);
    assert_eq!(profiles[0]["email"].as_s().expect("a text"), "ann@example.com");
    assert_eq!(welcome_mails(&server, "ann@example.com").await, 1);
}

#[tokio::test]
async fn a_password_reset_changes_no_profile() {
    let server = Server::in_memory().await;
    server.confirmed("ann@example.com").await;
    server.settle().await;
    let before = profiles(&server).await;

    let pools = Pools::new(&server.config());
    let client = server.of_stack("userPoolClientId");
    pools.forgot_password().client_id(client).username("ann@example.com").send().await.expect("ForgotPassword");
    let code = server.code("ann@example.com").await;
    let confirm = pools.confirm_forgot_password().client_id(client).username("ann@example.com");
    confirm.confirmation_code(code).password("N3w-Passw0rd!").send().await.expect("ConfirmForgotPassword");
    server.settle().await;

    assert_eq!(profiles(&server).await, before);
    assert_eq!(welcome_mails(&server, "ann@example.com").await, 1);
}

#[tokio::test]
async fn an_administrators_user_fires_no_post_confirmation() {
    let server = Server::in_memory().await;
    let pools = Pools::new(&server.config());
    let (pool, address) = (server.of_stack("userPoolId"), "cleo@example.com");
    pools.admin_create_user().user_pool_id(pool).username(address).send().await.expect("AdminCreateUser");
    let set = pools.admin_set_user_password().user_pool_id(pool).username(address).password(PASSWORD);
    set.permanent(true).send().await.expect("AdminSetUserPassword");
    server.settle().await;
    let (_, timeline) = server.inside("GET", "/_tandem/timeline", "").await;
    let moments = timeline["moments"].as_array().expect("moments").iter();
    let triggers: Vec<_> = moments.filter(|moment| moment["kind"] == "trigger").collect();
    assert!(triggers.is_empty(), "{triggers:?}");
}

#[tokio::test]
async fn whoever_is_confirmed_signs_in_whatever_the_case() {
    let server = Server::in_memory().await;
    server.confirmed("ann@example.com").await;
    let pools = Pools::new(&server.config());
    let sign_in = pools
        .initiate_auth()
        .client_id(server.of_stack("userPoolClientId"))
        .auth_flow(AuthFlowType::UserPasswordAuth)
        .auth_parameters("USERNAME", "ANN@Example.com")
        .auth_parameters("PASSWORD", PASSWORD);
    let answer = sign_in.send().await.expect("InitiateAuth");
    let token = answer.authentication_result.and_then(|result| result.access_token).expect("an access token");
    let user = pools.get_user().access_token(token).send().await.expect("GetUser");
    let email = user.user_attributes.iter().find(|attribute| attribute.name == "email").expect("an address");
    assert_eq!(email.value.as_deref(), Some("ann@example.com"));
}
