//! `DeleteUser`, for who is signed in. No trigger runs, on AWS neither.

use aws_api::Call;
use serde::{Deserialize, Serialize};

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
    room.store.delete_user(&signed_in.pool.id, &signed_in.user.sub).await?;
    Ok(Response {})
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::Kit;

    #[tokio::test]
    async fn who_is_deleted_is_nobody_to_anybody() {
        let t = Kit::new().await;
        let token = t.signed_in("ann@example.com").await;
        t.call("DeleteUser", json!({"AccessToken": token})).await.ok();
        assert!(t.call("GetUser", json!({"AccessToken": token})).await.0.is_err());
        let user = json!({"UserPoolId": t.pool, "Username": "ann@example.com"});
        t.call("AdminGetUser", user).await.error("UserNotFoundException");
        t.call("SignUp", t.sign_up("ann@example.com")).await.ok();
    }
}
