//! `GetTokensFromRefreshToken`: a refresh where the client proves its secret itself. Tokens are not rotated.

use aws_api::Call;
use serde::{Deserialize, Serialize};

use super::auth::AuthenticationResult;
use crate::sign_in::SignIn;
use crate::trigger::ClientMetadata;
use crate::{Error, UserPools};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    refresh_token: String,
    client_id: String,
    client_secret: Option<String>,
    client_metadata: Option<ClientMetadata>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Response {
    authentication_result: AuthenticationResult,
}

pub async fn run(room: &UserPools, request: Request, call: &Call) -> Result<Response, Error> {
    let (client, pool) = room.client_and_pool(&request.client_id)?;
    client.check_secret(request.client_secret.as_deref())?;
    let sign_in =
        SignIn { room, pool, client, call, metadata: request.client_metadata.as_ref(), validation_data: None };
    let granted = sign_in.refresh_by_secret(&request.refresh_token).await?;
    Ok(Response { authentication_result: granted.into() })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::Kit;

    #[tokio::test]
    async fn refreshes() {
        let t = Kit::new().await;
        t.confirmed("ann@example.com").await;
        let tokens = t.tokens("ann@example.com").await;
        let input = json!({"ClientId": t.client, "RefreshToken": tokens["RefreshToken"]});
        let answer = t.call("GetTokensFromRefreshToken", input).await.ok();
        assert!(answer["AuthenticationResult"]["AccessToken"].is_string());
    }
}
