//! Tokens that are let in, and those that are not.

use std::time::Duration;

use serde_json::{Value, json};

use super::*;
use crate::testing::{CLIENT, ISSUER, POOL, Room, signed, token, with};

const UNAUTHORIZED: &str = r#"{"message":"Unauthorized"}"#;

#[test]
fn a_token_comes_with_or_without_its_kind() {
    for text in ["Bearer abc", "bearer abc", "abc", " abc ", "BEARER  abc"] {
        assert_eq!(without_bearer(text), "abc", "{text}");
    }
}

#[test]
fn sources_are_read_in_both_forms() {
    for text in
        ["$request.header.Authorization", "method.request.querystring.t", "$stageVariables.x", "stageVariables.x"]
    {
        assert!(is_identity_source(text), "{text}");
    }
    assert!(is_identity_source("$context.identity.sourceIp") && is_identity_source("context.httpMethod"));
    for text in ["", "Authorization", "$request.header.", "$request.body.x", "$context.identity.caller"] {
        assert!(!is_identity_source(text), "{text}");
    }
}

/// An API whose route `GET /a` is guarded; `scopes` are the route's.
async fn guarded(issuer: &str, source: &str, scopes: &[&str]) -> Room {
    let t = Room::new();
    t.http_api(&[]).await;
    let authorizer = json!({
        "apiId": "api", "name": "jwt", "authorizerType": "JWT", "identitySource": [source],
        "jwtConfiguration": {"issuer": issuer, "audience": [CLIENT]},
    });
    let made = t.http("CreateAuthorizer", authorizer).await.ok();
    let guard =
        json!({"authorizationType": "JWT", "authorizerId": made["authorizerId"], "authorizationScopes": scopes});
    t.route("GET /a", guard).await;
    t
}

async fn guarded_by_header() -> Room {
    guarded(ISSUER, "$request.header.Authorization", &[]).await
}

async fn ask_with(t: &Room, token: &str) -> crate::HttpAnswer {
    t.ask("api", "GET /a", &[("authorization", token)]).await
}

#[tokio::test]
async fn access_and_id_tokens_are_let_in() {
    let t = guarded_by_header().await;
    let access = token(&t.access_claims());
    for text in [access.clone(), format!("Bearer {access}")] {
        assert_eq!(ask_with(&t, &text).await.status.as_u16(), 200);
    }
    let event: Value = serde_json::from_slice(&t.functions.calls()[0].event).expect("JSON");
    let expected = json!({"jwt": {
        "claims": {
            "iss": ISSUER, "client_id": CLIENT, "token_use": "access", "scope": "aws.cognito.signin.user.admin",
            "sub": "sub-1", "username": "ann", "iat": "1767225600", "exp": "1767229200", "cognito:groups": "[a b]",
        },
        "scopes": null,
    }});
    assert_eq!(event["requestContext"]["authorizer"], expected);
    assert_eq!(ask_with(&t, &token(&t.id_claims())).await.status.as_u16(), 200);
    let claims = &t.functions.event()["requestContext"]["authorizer"]["jwt"]["claims"];
    assert_eq!((&claims["email_verified"], &claims["aud"]), (&json!("true"), &json!(CLIENT)));
    assert!(!t.world.timeline.of("ann@example.com").is_empty(), "the caller's story has the request");
}

/// Refused with this word in the challenge, and no token on the console.
async fn check_refused(t: &Room, text: &str, word: &str) {
    let answer = ask_with(t, text).await;
    assert_eq!((answer.status.as_u16(), answer.body.as_ref()), (401, UNAUTHORIZED.as_bytes()), "{word}");
    let challenge = answer.headers["www-authenticate"].to_str().expect("text").to_owned();
    assert!(challenge.starts_with("Bearer") && challenge.contains(word), "{challenge}");
    let detail = t.last_detail();
    assert!(detail.contains("JWT authorizer jwt: ") && detail.contains(word), "{detail}");
    assert!(text.len() < 10 || !detail.contains(text), "{detail}");
    assert!(t.functions.calls().is_empty());
}

#[tokio::test]
async fn other_tokens_are_not() {
    let t = guarded_by_header().await;
    let answer = t.ask("api", "GET /a", &[]).await;
    assert_eq!((answer.status.as_u16(), answer.headers["www-authenticate"].as_bytes()), (401, b"Bearer".as_slice()));
    assert!(t.last_detail().contains("there is no token in $request.header.Authorization"), "{}", t.last_detail());
    let access = t.access_claims();
    check_refused(&t, "Bearer x", "the token is no JSON Web Token").await;
    check_refused(&t, &token(&with(access.clone(), json!({"client_id": "other"}))), "valid audience").await;
    let foreign = json!({"iss": "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_other"});
    check_refused(&t, &token(&with(access.clone(), foreign)), "valid issuer").await;
    check_refused(&t, &signed(&json!({"alg": "RS256", "kid": "other"}), &access), "key").await;
    check_refused(&t, &signed(&json!({"alg": "none", "kid": "kid"}), &access), "signature method is invalid").await;
    check_refused(&t, &signed(&json!({"alg": "HS256", "kid": "kid"}), &access), "signature method is invalid").await;
    let forged = token(&access).replacen(".eyJ", ".eyK", 1);
    assert_eq!(ask_with(&t, &forged).await.status.as_u16(), 401);
    let (message, _) = token(&access).rsplit_once('.').map(|(a, b)| (a.to_owned(), b.to_owned())).expect("a token");
    let (_, of_another) =
        token(&t.id_claims()).rsplit_once('.').map(|(a, b)| (a.to_owned(), b.to_owned())).expect("one");
    check_refused(&t, &format!("{message}.{of_another}"), "signature is wrong").await;
    t.world.clock.advance(Duration::from_hours(1));
    check_refused(&t, &token(&access), "expired").await;
}

#[tokio::test]
async fn a_route_can_ask_for_scopes() {
    let t = guarded(ISSUER, "$request.header.Authorization", &["read", "write"]).await;
    let answer = ask_with(&t, &token(&t.access_claims())).await;
    assert_eq!((answer.status.as_u16(), answer.body.as_ref()), (403, br#"{"message":"Forbidden"}"#.as_slice()));
    assert!(answer.headers["www-authenticate"].to_str().expect("text").contains("insufficient_scope"));
    assert_eq!(ask_with(&t, &token(&t.id_claims())).await.status.as_u16(), 403);
    let scoped = token(&with(t.access_claims(), json!({"scope": "write other"})));
    assert_eq!(ask_with(&t, &scoped).await.status.as_u16(), 200);
    assert_eq!(t.functions.event()["requestContext"]["authorizer"]["jwt"]["scopes"], json!(["write", "other"]));
}

#[tokio::test]
async fn a_token_can_be_in_the_query() {
    let t = guarded(ISSUER, "$request.querystring.token", &[]).await;
    let access = token(&t.access_claims());
    assert_eq!(t.said("api", &format!("GET /a?token={access}"), &[]).await.0, 200);
    assert_eq!(ask_with(&t, &access).await.status.as_u16(), 401);
}

#[tokio::test]
async fn whom_we_cannot_ask_lets_nobody_in() {
    let t = guarded("https://example.auth0.com/", "$request.header.Authorization", &[]).await;
    let warned = t.world.timeline.all().iter().any(|moment| moment.what.contains("every token is refused"));
    assert!(warned);
    assert_eq!(ask_with(&t, &token(&t.access_claims())).await.status.as_u16(), 401);
    assert!(t.last_detail().contains("https://example.auth0.com/ is no user pool"), "{}", t.last_detail());
    let gone = "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_gone";
    let t = guarded(gone, "$request.header.Authorization", &[]).await;
    let claims = with(t.access_claims(), json!({"iss": gone}));
    assert_eq!(ask_with(&t, &token(&claims)).await.status.as_u16(), 401);
    assert!(t.last_detail().contains("there is no user pool us-east-1_gone"), "{}", t.last_detail());
}

/// A REST API whose method `GET /` is guarded by a user pool.
async fn guarded_rest(scopes: &[&str]) -> Room {
    let t = Room::new();
    let root = t.rest_api().await;
    let arn = format!("arn:aws:cognito-idp:us-east-1:000000000000:userpool/{POOL}");
    let authorizer = json!({
        "restapi_id": "rest", "name": "pool", "type": "COGNITO_USER_POOLS", "providerARNs": [arn],
        "identitySource": "method.request.header.Authorization",
    });
    let made = t.rest("CreateAuthorizer", authorizer).await.ok();
    let guard = json!({
        "authorizationType": "COGNITO_USER_POOLS", "authorizerId": made["id"], "authorizationScopes": scopes,
    });
    t.method(&root, "GET", guard).await;
    t.deploy().await;
    t
}

async fn said_by_rest(t: &Room, token: &str) -> (u16, String) {
    t.said("rest", "GET /dev", &[("authorization", token)]).await
}

#[tokio::test]
async fn a_rest_api_takes_id_tokens() {
    let t = guarded_rest(&[]).await;
    let id = token(&t.id_claims());
    assert_eq!(said_by_rest(&t, &id).await.0, 200);
    let claims = &t.functions.event()["requestContext"]["authorizer"]["claims"];
    assert_eq!((&claims["email"], &claims["email_verified"]), (&json!("ann@example.com"), &json!("true")));
    assert_eq!(claims["exp"], "Thu Jan 01 01:00:00 UTC 2026");
    assert_eq!(said_by_rest(&t, &format!("Bearer {id}")).await.0, 200);
    for text in [token(&t.access_claims()), "x".to_owned(), token(&with(t.id_claims(), json!({"iss": "https://x"})))] {
        assert_eq!(said_by_rest(&t, &text).await, (401, UNAUTHORIZED.to_owned()));
    }
    assert_eq!(t.said("rest", "GET /dev", &[]).await, (401, UNAUTHORIZED.to_owned()));
    t.world.clock.advance(Duration::from_hours(1));
    assert_eq!(said_by_rest(&t, &id).await, (401, r#"{"message":"The incoming token has expired"}"#.to_owned()));
}

#[tokio::test]
async fn a_method_with_scopes_takes_access_tokens() {
    let t = guarded_rest(&["aws.cognito.signin.user.admin"]).await;
    assert_eq!(said_by_rest(&t, &token(&t.access_claims())).await.0, 200);
    assert_eq!(said_by_rest(&t, &token(&t.id_claims())).await.0, 401);
    let unscoped = token(&with(t.access_claims(), json!({"scope": "other"})));
    assert_eq!(said_by_rest(&t, &unscoped).await.0, 401);
}
