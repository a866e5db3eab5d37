//! `AdminInitiateAuth`.

use aws_api::Call;
use serde::Deserialize;

use super::auth::{self, Caller, Response};
use crate::sign_in::{Parameters, SignIn};
use crate::trigger::ClientMetadata;
use crate::{Error, UserPools};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    user_pool_id: String,
    client_id: String,
    auth_flow: String,
    #[serde(default)]
    auth_parameters: Parameters,
    client_metadata: Option<ClientMetadata>,
}

pub async fn run(room: &UserPools, request: Request, call: &Call) -> Result<Response, Error> {
    let (client, pool) = room.client_of_pool(&request.client_id, &request.user_pool_id)?;
    let sign_in =
        SignIn { room, pool, client, call, metadata: None, validation_data: request.client_metadata.as_ref() };
    auth::begin(&sign_in, &request.auth_flow, &request.auth_parameters, Caller::Admin).await
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::{Kit, PASSWORD};

    #[tokio::test]
    async fn an_administrator_signs_in_with_the_users_password() {
        let t = Kit::new().await;
        t.confirmed("ann@example.com").await;
        let parameters = json!({"USERNAME": "ann@example.com", "PASSWORD": PASSWORD});
        let flow = "ADMIN_USER_PASSWORD_AUTH";
        let input = json!({"UserPoolId": t.pool, "ClientId": t.client, "AuthFlow": flow, "AuthParameters": parameters});
        let answer = t.call("AdminInitiateAuth", input.clone()).await.ok();
        assert!(answer["AuthenticationResult"]["IdToken"].is_string());
        let message = t.call("InitiateAuth", input).await.error("InvalidParameterException");
        assert_eq!(message, "Initiate Auth method not supported.");
    }
}
