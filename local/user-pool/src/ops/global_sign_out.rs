//! `GlobalSignOut`: ends every sign-in of whoever calls.

use aws_api::Call;
use serde::{Deserialize, Serialize};

use crate::store::AliasConflict;
use crate::user::User;
use crate::{Error, UserPools};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    access_token: String,
}

#[derive(Serialize)]
pub struct Response {}

pub async fn run(room: &UserPools, request: Request, call: &Call) -> Result<Response, Error> {
    let signed_in = room.signed_in(&request.access_token).await?;
    call.about(signed_in.user.known_as());
    let change = |user: &mut User| {
        user.sign_out_everywhere();
        Ok(())
    };
    room.store.update_user(&signed_in.pool, &signed_in.user.sub, AliasConflict::Refuse, change).await?;
    Ok(Response {})
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::Kit;

    #[tokio::test]
    async fn ends_every_sign_in_and_allows_a_new_one() {
        let t = Kit::new().await;
        t.confirmed("ann@example.com").await;
        let (one, two) = (t.tokens("ann@example.com").await, t.tokens("ann@example.com").await);
        t.call("GlobalSignOut", json!({"AccessToken": one["AccessToken"]})).await.ok();
        t.call("GetUser", json!({"AccessToken": two["AccessToken"]})).await.error("NotAuthorizedException");
        let parameters = json!({"REFRESH_TOKEN": two["RefreshToken"]});
        let refresh = json!({"ClientId": t.client, "AuthFlow": "REFRESH_TOKEN_AUTH", "AuthParameters": parameters});
        let message = t.call("InitiateAuth", refresh).await.error("NotAuthorizedException");
        assert_eq!(message, "Refresh Token has been revoked");
        let three = t.tokens("ann@example.com").await;
        t.call("GetUser", json!({"AccessToken": three["AccessToken"]})).await.ok();
    }
}
