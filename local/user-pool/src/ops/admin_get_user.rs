//! `AdminGetUser`.

use aws_api::Call;
use serde::Serialize;

pub use super::one_user::Request;
use crate::attributes::AttributeType;
use crate::{Error, UserPools};

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Response {
    username: String,
    user_attributes: Vec<AttributeType>,
    user_create_date: f64,
    user_last_modified_date: f64,
    enabled: bool,
    user_status: &'static str,
}

pub async fn run(room: &UserPools, request: Request, call: &Call) -> Result<Response, Error> {
    let (_, user) = request.find(room, call).await?;
    Ok(Response {
        user_attributes: user.attributes.listed(&user.sub.0),
        user_create_date: user.created.epoch_seconds(),
        user_last_modified_date: user.modified.epoch_seconds(),
        enabled: user.enabled,
        user_status: user.status.as_str(),
        username: user.username,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::Kit;

    #[tokio::test]
    async fn the_name_of_who_signs_in_by_address_is_their_sub() {
        let t = Kit::new().await;
        let sub = t.call("SignUp", t.sign_up("Ann@Example.com")).await.ok()["UserSub"].take();
        let user = t.call("AdminGetUser", json!({"UserPoolId": t.pool, "Username": "ANN@example.com"})).await.ok();
        assert_eq!(user["Username"], sub);
        assert_eq!(user["UserStatus"], "UNCONFIRMED");
        assert_eq!(user["Enabled"], true);
        let expected = json!([
            {"Name": "sub", "Value": sub},
            {"Name": "email", "Value": "ann@example.com"},
            {"Name": "email_verified", "Value": "false"},
        ]);
        assert_eq!(user["UserAttributes"], expected);
    }

    #[tokio::test]
    async fn there_may_be_nobody() {
        let t = Kit::new().await;
        let user = t.call("AdminGetUser", json!({"UserPoolId": t.pool, "Username": "ann@example.com"})).await;
        assert_eq!(user.error("UserNotFoundException"), "User does not exist.");
    }
}
