//! `RevokeToken`: ends one sign-in. Its refresh token and its access tokens are no use for Cognito's APIs any more.

use aws_api::Call;
use serde::{Deserialize, Serialize};

use crate::session::{self, Purpose};
use crate::sign_in::RefreshToken;
use crate::{Error, UserPools};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    token: String,
    client_id: String,
    client_secret: Option<String>,
}

#[derive(Serialize)]
pub struct Response {}

pub async fn run(room: &UserPools, request: Request, _call: &Call) -> Result<Response, Error> {
    let (client, pool) = room.client_and_pool(&request.client_id)?;
    client.check_secret(request.client_secret.as_deref())?;
    if !client.settings.revokes_tokens() {
        return Err(Error::UnsupportedOperation("Revocation is not enabled for this client".into()));
    }
    if request.token.split('.').count() == 3 {
        return Err(Error::UnsupportedTokenType("Only refresh tokens can be revoked".into()));
    }
    let now = room.world.clock.now();
    let opened = session::open::<RefreshToken>(&pool.secret, Purpose::RefreshToken, &request.token, now);
    let token = match opened {
        Ok(opened) if opened.payload.client == client.id.0 => opened.payload,
        Err(session::SessionError::Expired) => return Ok(Response {}), // there is nothing left to revoke
        Ok(_) | Err(session::SessionError::Invalid) => {
            return Err(Error::NotAuthorized("Invalid Refresh Token".into()));
        }
    };
    let expires = now.plus(client.settings.refresh_token_life());
    room.store.revoke(&pool.id, &token.origin_jti, expires, now).await?;
    Ok(Response {})
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::Kit;

    #[tokio::test]
    async fn ends_one_sign_in_and_no_other() {
        let t = Kit::new().await;
        t.confirmed("ann@example.com").await;
        let revoked = t.tokens("ann@example.com").await;
        let other = t.tokens("ann@example.com").await;
        t.call("RevokeToken", json!({"ClientId": t.client, "Token": revoked["RefreshToken"]})).await.ok();
        let message =
            t.call("GetUser", json!({"AccessToken": revoked["AccessToken"]})).await.error("NotAuthorizedException");
        assert_eq!(message, "Access Token has been revoked");
        t.call("GetUser", json!({"AccessToken": other["AccessToken"]})).await.ok();
    }

    #[tokio::test]
    async fn takes_refresh_tokens_alone() {
        let t = Kit::new().await;
        t.confirmed("ann@example.com").await;
        let tokens = t.tokens("ann@example.com").await;
        let input = json!({"ClientId": t.client, "Token": tokens["AccessToken"]});
        t.call("RevokeToken", input).await.error("UnsupportedTokenTypeException");
    }
}
