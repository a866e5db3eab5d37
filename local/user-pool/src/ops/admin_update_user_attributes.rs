//! `AdminUpdateUserAttributes`: as [`super::update_user_attributes`], but an administrator may say that an address is
//! verified, and then no code is sent.

use aws_api::Call;
use serde::{Deserialize, Serialize};

use super::update_user_attributes::update;
use crate::attributes::{AttributeType, Author};
use crate::trigger::ClientMetadata;
use crate::{Error, UserPools};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    user_pool_id: String,
    username: String,
    user_attributes: Vec<AttributeType>,
    client_metadata: Option<ClientMetadata>,
}

#[derive(Serialize)]
pub struct Response {}

pub async fn run(room: &UserPools, request: Request, call: &Call) -> Result<Response, Error> {
    let pool = room.pool(&request.user_pool_id)?;
    let user = room.find_user(&pool, &request.username).await?;
    call.about(user.known_as());
    let triggers = room.trigger_context(&pool, None, request.client_metadata.as_ref(), call);
    update(room, &triggers, &pool, &user, request.user_attributes, Author::Admin).await?;
    Ok(Response {})
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::{Value, json};

    use crate::testing::Kit;

    async fn set(t: &Kit, attributes: &[(&str, &str)]) -> crate::testing::Answer {
        let attributes: Vec<_> = attributes.iter().map(|(name, value)| json!({"Name": name, "Value": value})).collect();
        let input = json!({"UserPoolId": t.pool, "Username": "ANN@example.com", "UserAttributes": attributes});
        t.call("AdminUpdateUserAttributes", input).await
    }

    async fn attributes(t: &Kit, username: &str) -> BTreeMap<String, String> {
        let user = t.call("AdminGetUser", json!({"UserPoolId": t.pool, "Username": username})).await.ok();
        let text = |value: &Value| value.as_str().expect("a text").to_owned();
        let attributes = user["UserAttributes"].as_array().expect("a list").iter();
        attributes.map(|attribute| (text(&attribute["Name"]), text(&attribute["Value"]))).collect()
    }

    #[tokio::test]
    async fn a_verified_address_needs_no_code() {
        let t = Kit::new().await;
        t.confirmed("ann@example.com").await;
        let before = t.messages().len();
        set(&t, &[("email", "Anna@example.com"), ("email_verified", "true")]).await.ok();
        assert_eq!(t.messages().len(), before);
        let attributes = attributes(&t, "anna@example.com").await;
        assert_eq!(attributes["email"], "anna@example.com");
        assert_eq!(attributes["email_verified"], "true");
    }

    #[tokio::test]
    async fn an_address_alone_is_unverified() {
        let t = Kit::new().await;
        t.confirmed("ann@example.com").await;
        set(&t, &[("email", "anna@example.com")]).await.ok();
        assert_eq!(attributes(&t, "anna@example.com").await["email_verified"], "false");
    }

    #[tokio::test]
    async fn a_blank_value_takes_an_attribute_away() {
        let t = Kit::new().await;
        t.confirmed("ann@example.com").await;
        set(&t, &[("name", "Ann")]).await.ok();
        assert_eq!(attributes(&t, "ann@example.com").await["name"], "Ann");
        set(&t, &[("name", "")]).await.ok();
        assert!(!attributes(&t, "ann@example.com").await.contains_key("name"));
    }

    #[tokio::test]
    async fn refusals() {
        let t = Kit::new().await;
        t.confirmed("ann@example.com").await;
        let cases = [
            ("email", "nobody", "Invalid email address format."),
            ("sub", "1", "Invalid user attributes: user.sub: Attribute cannot be updated.\n"),
            (
                "custom:plan",
                "free",
                "Invalid user attributes: user.custom:plan: Attribute does not exist in the schema.\n",
            ),
            ("phone_number_verified", "true", "Phone Number is required to verify/un-verify a phone number"),
        ];
        for (name, value, expected) in cases {
            assert_eq!(set(&t, &[(name, value)]).await.error("InvalidParameterException"), expected);
        }
    }

    #[tokio::test]
    async fn what_can_be_set_once_stays() {
        let schema = json!([{"Name": "plan", "AttributeDataType": "String", "Mutable": false}]);
        let t = Kit::with_pool(json!({"PoolName": "p", "UsernameAttributes": ["email"], "Schema": schema})).await;
        let plan = json!([{"Name": "custom:plan", "Value": "free"}]);
        let create = json!({"UserPoolId": t.pool, "Username": "ANN@example.com", "UserAttributes": plan});
        t.call("AdminCreateUser", create).await.ok();
        set(&t, &[("custom:plan", "paid")]).await.error("InvalidParameterException");
    }
}
