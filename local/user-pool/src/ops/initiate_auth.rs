//! `InitiateAuth`.

use aws_api::Call;
use serde::Deserialize;

use super::auth::{self, Caller, Response};
use crate::sign_in::{Parameters, SignIn};
use crate::trigger::ClientMetadata;
use crate::{Error, UserPools};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    client_id: String,
    auth_flow: String,
    #[serde(default)]
    auth_parameters: Parameters,
    client_metadata: Option<ClientMetadata>,
}

pub async fn run(room: &UserPools, request: Request, call: &Call) -> Result<Response, Error> {
    let (client, pool) = room.client_and_pool(&request.client_id)?;
    let sign_in =
        SignIn { room, pool, client, call, metadata: None, validation_data: request.client_metadata.as_ref() };
    auth::begin(&sign_in, &request.auth_flow, &request.auth_parameters, Caller::Public).await
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::{Value, json};

    use crate::testing::{Kit, PASSWORD};
    use crate::trigger::TriggerFailure;

    fn by_password(t: &Kit, username: &str, password: &str) -> Value {
        let parameters = json!({"USERNAME": username, "PASSWORD": password});
        json!({"ClientId": t.client, "AuthFlow": "USER_PASSWORD_AUTH", "AuthParameters": parameters})
    }

    fn by_refresh_token(t: &Kit, token: &Value) -> Value {
        json!({"ClientId": t.client, "AuthFlow": "REFRESH_TOKEN_AUTH", "AuthParameters": {"REFRESH_TOKEN": token}})
    }

    #[tokio::test]
    async fn a_password_signs_in_whatever_the_case_of_the_name() {
        let t = Kit::new().await;
        t.confirmed("ann@example.com").await;
        let answer = t.call("InitiateAuth", by_password(&t, "ANN@Example.com", PASSWORD)).await.ok();
        let result = &answer["AuthenticationResult"];
        assert_eq!((&result["TokenType"], &result["ExpiresIn"]), (&json!("Bearer"), &json!(3600)));
        let user = t.call("GetUser", json!({"AccessToken": result["AccessToken"]})).await.ok();
        assert_eq!(user["UserAttributes"][0]["Name"], "sub");
    }

    #[tokio::test]
    async fn the_status_is_told_to_whoever_knows_the_password() {
        let t = Kit::new().await;
        t.call("SignUp", t.sign_up("ann@example.com")).await.ok();
        t.call("InitiateAuth", by_password(&t, "ann@example.com", PASSWORD)).await.error("UserNotConfirmedException");
        let wrong = t.call("InitiateAuth", by_password(&t, "ann@example.com", "wrong")).await;
        assert_eq!(wrong.error("NotAuthorizedException"), "Incorrect username or password.");
    }

    #[tokio::test]
    async fn five_wrong_passwords_lock() {
        let t = Kit::new().await;
        t.confirmed("ann@example.com").await;
        for _ in 0..5 {
            t.call("InitiateAuth", by_password(&t, "ann@example.com", "wrong")).await.error("NotAuthorizedException");
        }
        let locked = t.call("InitiateAuth", by_password(&t, "ann@example.com", PASSWORD)).await;
        assert_eq!(locked.error("NotAuthorizedException"), "Password attempts exceeded");
        t.clock.advance(Duration::from_secs(1));
        t.call("InitiateAuth", by_password(&t, "ann@example.com", PASSWORD)).await.ok();
    }

    #[tokio::test]
    async fn a_flow_must_be_enabled() {
        let t = Kit::new().await;
        let client = json!({"UserPoolId": t.pool, "ClientName": "srp", "ExplicitAuthFlows": ["ALLOW_USER_SRP_AUTH"]});
        let client = t.call("CreateUserPoolClient", client).await.ok();
        let mut input = by_password(&t, "ann@example.com", PASSWORD);
        input["ClientId"] = client["UserPoolClient"]["ClientId"].clone();
        let message = t.call("InitiateAuth", input).await.error("InvalidParameterException");
        assert_eq!(message, "USER_PASSWORD_AUTH flow not enabled for this client");
    }

    #[tokio::test]
    async fn a_refresh_gives_no_new_refresh_token() {
        let t = Kit::new().await;
        t.confirmed("ann@example.com").await;
        let first = t.call("InitiateAuth", by_password(&t, "ann@example.com", PASSWORD)).await.ok();
        let token = &first["AuthenticationResult"]["RefreshToken"];
        let second = t.call("InitiateAuth", by_refresh_token(&t, token)).await.ok();
        assert!(second["AuthenticationResult"].get("RefreshToken").is_none());
        assert!(second["AuthenticationResult"]["IdToken"].is_string());
    }

    #[tokio::test]
    async fn a_refresh_token_ends_after_thirty_days() {
        let t = Kit::new().await;
        t.confirmed("ann@example.com").await;
        let first = t.call("InitiateAuth", by_password(&t, "ann@example.com", PASSWORD)).await.ok();
        t.clock.advance(Duration::from_hours(720));
        let again = t.call("InitiateAuth", by_refresh_token(&t, &first["AuthenticationResult"]["RefreshToken"])).await;
        assert_eq!(again.error("NotAuthorizedException"), "Refresh Token has expired");
    }

    #[tokio::test]
    async fn an_access_token_ends_after_an_hour() {
        let t = Kit::new().await;
        t.confirmed("ann@example.com").await;
        let answer = t.call("InitiateAuth", by_password(&t, "ann@example.com", PASSWORD)).await.ok();
        let token = json!({"AccessToken": answer["AuthenticationResult"]["AccessToken"]});
        t.call("GetUser", token.clone()).await.ok();
        t.clock.advance(Duration::from_hours(1));
        assert_eq!(t.call("GetUser", token).await.error("NotAuthorizedException"), "Access Token has expired");
    }

    #[tokio::test]
    async fn a_sign_in_runs_its_triggers_in_order() {
        let t = Kit::new().await;
        t.confirmed("ann@example.com").await;
        for trigger in ["PreTokenGeneration", "PostAuthentication", "PreAuthentication"] {
            t.attach(trigger).await;
        }
        let mut input = by_password(&t, "ann@example.com", PASSWORD);
        input["ClientMetadata"] = json!({"from": "app"});
        let tokens = t.call("InitiateAuth", input).await.ok();
        let expected =
            ["PreAuthentication_Authentication", "PostAuthentication_Authentication", "TokenGeneration_Authentication"];
        assert_eq!(t.sources(), expected);
        let mut request = t.events()[0]["request"].clone();
        let attributes = request["userAttributes"].take();
        assert_eq!(request, json!({"userAttributes": null, "validationData": {"from": "app"}}));
        let mut request = t.events()[1]["request"].clone();
        assert_eq!(request["userAttributes"].take(), attributes);
        assert_eq!(request, json!({"userAttributes": null, "newDeviceUsed": false}));
        t.call("InitiateAuth", by_refresh_token(&t, &tokens["AuthenticationResult"]["RefreshToken"])).await.ok();
        assert_eq!(t.sources()[3..], ["TokenGeneration_RefreshTokens"]);
    }

    #[tokio::test]
    async fn pre_authentication_is_asked_before_the_password_and_can_refuse() {
        let t = Kit::new().await;
        t.confirmed("ann@example.com").await;
        t.attach("PreAuthentication").await;
        t.trigger_answers(Err(TriggerFailure::Function("not from here".into())));
        let wrong = t.call("InitiateAuth", by_password(&t, "ann@example.com", "wrong")).await;
        let message = wrong.error("UserLambdaValidationException");
        assert_eq!(message, "PreAuthentication failed with error not from here.");
        t.call("InitiateAuth", by_password(&t, "bob@example.com", PASSWORD)).await.error("UserNotFoundException");
        assert_eq!(t.sources().len(), 1);
    }

    #[tokio::test]
    async fn pre_authentication_is_asked_about_nobody_where_users_are_hidden() {
        let t = Kit::new().await;
        t.confirmed("ann@example.com").await;
        t.attach("PreAuthentication").await;
        t.hide_users().await;
        t.call("InitiateAuth", by_password(&t, "bob@example.com", PASSWORD)).await.error("NotAuthorizedException");
        t.call("InitiateAuth", by_password(&t, "ann@example.com", PASSWORD)).await.ok();
        let told = |at: usize| t.events()[at]["request"].clone();
        assert_eq!(told(0), json!({"userAttributes": {}, "validationData": null, "userNotFound": true}));
        assert_eq!(told(1)["userNotFound"], false);
        assert_eq!(t.events()[0]["userName"], "bob@example.com");
    }

    #[tokio::test]
    async fn pre_authentication_is_asked_when_an_srp_sign_in_begins() {
        let t = Kit::new().await;
        t.confirmed("ann@example.com").await;
        t.attach("PreAuthentication").await;
        t.attach("PostAuthentication").await;
        let parameters = json!({"USERNAME": "ann@example.com", "SRP_A": "abcdef"});
        let input = json!({"ClientId": t.client, "AuthFlow": "USER_SRP_AUTH", "AuthParameters": parameters});
        assert_eq!(t.call("InitiateAuth", input.clone()).await.ok()["ChallengeName"], "PASSWORD_VERIFIER");
        assert_eq!(t.sources(), ["PreAuthentication_Authentication"]);
        t.trigger_answers(Err(TriggerFailure::Function("no".into())));
        t.call("InitiateAuth", input).await.error("UserLambdaValidationException");
    }

    #[tokio::test]
    async fn a_failing_post_authentication_gives_no_tokens() {
        let t = Kit::new().await;
        t.confirmed("ann@example.com").await;
        t.attach("PostAuthentication").await;
        t.trigger_answers(Err(TriggerFailure::TimedOut));
        let refused = t.call("InitiateAuth", by_password(&t, "ann@example.com", PASSWORD)).await;
        let expected =
            "PostAuthentication invocation failed due to error Socket timeout while invoking Lambda function.";
        assert_eq!(refused.error("UnexpectedLambdaException"), expected);
        assert_eq!(t.sources().len(), 3);
        let wrong = t.call("InitiateAuth", by_password(&t, "ann@example.com", "wrong")).await;
        wrong.error("NotAuthorizedException");
        assert_eq!(t.sources().len(), 3);
    }
}
