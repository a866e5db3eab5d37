//! `GetUser`: what the client of the access token may read. No status and no dates, on AWS neither.

use aws_api::Call;
use serde::{Deserialize, Serialize};

use crate::attributes::AttributeType;
use crate::{Error, UserPools};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    access_token: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Response {
    username: String,
    user_attributes: Vec<AttributeType>,
}

pub async fn run(room: &UserPools, request: Request, call: &Call) -> Result<Response, Error> {
    let signed_in = room.signed_in(&request.access_token).await?;
    let (user, client) = (signed_in.user, signed_in.client);
    call.about(user.known_as());
    let mut user_attributes = user.attributes.listed(&user.sub.0);
    user_attributes.retain(|attribute| client.settings.may_read(&attribute.name));
    Ok(Response { username: user.username, user_attributes })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::Kit;

    #[tokio::test]
    async fn shows_what_the_client_may_read() {
        let t = Kit::new().await;
        let token = t.signed_in("ann@example.com").await;
        let user = t.call("GetUser", json!({"AccessToken": token})).await.ok();
        assert_eq!(user["UserAttributes"].as_array().expect("a list").len(), 3);
        let update = json!({"UserPoolId": t.pool, "ClientId": t.client, "ReadAttributes": ["email"]});
        t.call("UpdateUserPoolClient", update).await.ok();
        let user = t.call("GetUser", json!({"AccessToken": token})).await.ok();
        let expected =
            json!([{"Name": "sub", "Value": user["Username"]}, {"Name": "email", "Value": "ann@example.com"}]);
        assert_eq!(user["UserAttributes"], expected);
    }

    #[tokio::test]
    async fn a_token_must_be_one() {
        let t = Kit::new().await;
        let message = t.call("GetUser", json!({"AccessToken": "a.b.c"})).await.error("NotAuthorizedException");
        assert_eq!(message, "Invalid Access Token");
    }
}
