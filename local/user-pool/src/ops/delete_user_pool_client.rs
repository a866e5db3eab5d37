//! `DeleteUserPoolClient`.

use aws_api::Call;
use serde::{Deserialize, Serialize};

use crate::{Error, UserPools};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    user_pool_id: String,
    client_id: String,
}

#[derive(Serialize)]
pub struct Response {}

pub async fn run(room: &UserPools, request: Request, _call: &Call) -> Result<Response, Error> {
    let pool = room.pool(&request.user_pool_id)?;
    let client = room.client_of(&pool, &request.client_id)?;
    room.delete_client(&client.id).await?;
    Ok(Response {})
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::Kit;

    #[tokio::test]
    async fn nobody_signs_up_through_a_deleted_client() {
        let t = Kit::new().await;
        t.call("DeleteUserPoolClient", json!({"UserPoolId": t.pool, "ClientId": t.client})).await.ok();
        t.call("SignUp", t.sign_up("ann@example.com")).await.error("ResourceNotFoundException");
    }
}
