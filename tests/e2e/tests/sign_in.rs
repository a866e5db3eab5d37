//! What a sign-in brings into the profile: the changes of which no trigger tells.

use std::collections::HashMap;

use aws_sdk_cognitoidentityprovider::Client as Pools;
use aws_sdk_cognitoidentityprovider::types::{
    AttributeType, AuthFlowType, AuthenticationResultType, ChallengeNameType,
};
use aws_sdk_dynamodb::Client as Tables;
use aws_sdk_dynamodb::types::AttributeValue;
use e2e::{PASSWORD, Server};
use serde_json::Value;

type Profile = HashMap<String, AttributeValue>;

/// The one profile that there is, as soon as nothing is on its way.
async fn profile(server: &Server) -> Profile {
    server.settle().await;
    let scan = Tables::new(&server.config()).scan().table_name(server.of_stack("tableName"));
    let items = scan.send().await.expect("Scan").items.unwrap_or_default();
    let mut profiles: Vec<_> = items.into_iter().filter(|item| text(item, "sk") == "PROFILE").collect();
    assert_eq!(profiles.len(), 1, "{profiles:?}");
    profiles.remove(0)
}

fn text<'a>(profile: &'a Profile, name: &str) -> &'a str {
    profile.get(name).and_then(|value| value.as_s().ok()).map_or("", String::as_str)
}

async fn sign_in(server: &Server, address: &str) -> AuthenticationResultType {
    let sign_in = Pools::new(&server.config())
        .initiate_auth()
        .client_id(server.of_stack("userPoolClientId"))
        .auth_flow(AuthFlowType::UserPasswordAuth)
        .auth_parameters("USERNAME", address)
        .auth_parameters("PASSWORD", PASSWORD);
    sign_in.send().await.expect("InitiateAuth").authentication_result.expect("tokens")
}

fn attribute(name: &str, value: &str) -> AttributeType {
    AttributeType::builder().name(name).value(value).build().expect("an attribute")
}

/// How many events of a user the bus has taken.
async fn events(server: &Server) -> usize {
    server.settle().await;
    let (_, timeline) = server.inside("GET", "/_tandem/timeline", "").await;
    let moments = timeline["moments"].as_array().expect("moments").iter();
    moments.filter(|moment| moment["kind"] == "event" && is_ours(moment)).count()
}

fn is_ours(moment: &Value) -> bool {
    moment["what"].as_str().is_some_and(|what| what.contains("User"))
}

#[tokio::test]
async fn an_address_that_an_administrator_changed_is_in_the_profile_after_the_next_sign_in() {
    let server = Server::in_memory().await;
    server.confirmed("ann@example.com").await;
    assert_eq!(text(&profile(&server).await, "email"), "ann@example.com");

    let update = Pools::new(&server.config())
        .admin_update_user_attributes()
        .user_pool_id(server.of_stack("userPoolId"))
        .username("ann@example.com")
        .user_attributes(attribute("email", "ann.new@example.com"))
        .user_attributes(attribute("email_verified", "true"))
        .user_attributes(attribute("name", "Ann New"));
    update.send().await.expect("AdminUpdateUserAttributes");
    sign_in(&server, "ann.new@example.com").await;

    let profile = profile(&server).await;
    assert_eq!((text(&profile, "email"), text(&profile, "name")), ("ann.new@example.com", "Ann New"));
}

#[tokio::test]
async fn an_administrators_user_has_a_profile_after_the_first_sign_in() {
    let server = Server::in_memory().await;
    let (pools, pool) = (Pools::new(&server.config()), server.of_stack("userPoolId"));
    let client = server.of_stack("userPoolClientId");
    let create = pools.admin_create_user().user_pool_id(pool).username("cleo@example.com");
    create.temporary_password("Temp0rary!").send().await.expect("AdminCreateUser");
    let begin = pools.initiate_auth().client_id(client).auth_flow(AuthFlowType::UserPasswordAuth);
    let begin = begin.auth_parameters("USERNAME", "cleo@example.com").auth_parameters("PASSWORD", "Temp0rary!");
    let challenge = begin.send().await.expect("InitiateAuth");
    assert_eq!(challenge.challenge_name, Some(ChallengeNameType::NewPasswordRequired));
    let respond = pools
        .respond_to_auth_challenge()
        .client_id(client)
        .challenge_name(ChallengeNameType::NewPasswordRequired)
        .set_session(challenge.session)
        .challenge_responses("USERNAME", "cleo@example.com")
        .challenge_responses("NEW_PASSWORD", PASSWORD);
    let answer = respond.send().await.expect("RespondToAuthChallenge");
    assert!(answer.authentication_result.is_some(), "{answer:?}");

    let profile = profile(&server).await;
    assert_eq!((text(&profile, "email"), text(&profile, "identityStatus")), ("cleo@example.com", "ACTIVE"));
}

#[tokio::test]
async fn a_group_is_in_the_profile_after_a_refresh() {
    let server = Server::in_memory().await;
    server.confirmed("ann@example.com").await;
    let tokens = sign_in(&server, "ann@example.com").await;
    let (pools, pool) = (Pools::new(&server.config()), server.of_stack("userPoolId"));
    pools.create_group().user_pool_id(pool).group_name("staff").send().await.expect("CreateGroup");
    let add = pools.admin_add_user_to_group().user_pool_id(pool).username("ann@example.com").group_name("staff");
    add.send().await.expect("AdminAddUserToGroup");
    let refresh = pools
        .initiate_auth()
        .client_id(server.of_stack("userPoolClientId"))
        .auth_flow(AuthFlowType::RefreshTokenAuth)
        .auth_parameters("REFRESH_TOKEN", tokens.refresh_token.expect("a refresh token"));
    refresh.send().await.expect("InitiateAuth");
    let profile = profile(&server).await;
    assert_eq!(profile["identityGroups"].as_ss().expect("a set"), &["staff".to_owned()]);
}

#[tokio::test]
async fn a_sign_in_that_brings_nothing_new_tells_nobody() {
    let server = Server::in_memory().await;
    server.confirmed("ann@example.com").await;
    let (before, told) = (profile(&server).await, events(&server).await);
    for _ in 0..2 {
        sign_in(&server, "ann@example.com").await;
    }
    assert_eq!(profile(&server).await, before);
    assert_eq!((told, events(&server).await), (1, 1));
}
