//! `UpdateUserAttributes`.
//!
//! What becomes of a new address depends on the pool: where it is verified before the update, the old one stays until
//! its code is back; where it is verified at all, it is stored unverified and gets a code; else it is just stored.

use std::sync::Arc;

use aws_api::Call;
use serde::{Deserialize, Serialize};
use world::{Random, Timestamp};

use super::admin_create_user::check_verified;
use crate::attributes::{AttributeType, Author, Schema};
use crate::code::{Code, Purpose};
use crate::message::{CodeDeliveryDetails, Destination, Subject};
use crate::pool::Pool;
use crate::store::AliasConflict;
use crate::trigger::{ClientMetadata, Context};
use crate::user::User;
use crate::{Error, UserPools};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    access_token: String,
    user_attributes: Vec<AttributeType>,
    client_metadata: Option<ClientMetadata>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Response {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    code_delivery_details_list: Vec<CodeDeliveryDetails>,
}

pub async fn run(room: &UserPools, request: Request, call: &Call) -> Result<Response, Error> {
    let signed_in = room.signed_in(&request.access_token).await?;
    call.about(signed_in.user.known_as());
    let names = request.user_attributes.iter().map(|given| given.name.as_str());
    signed_in.client.settings.check_writes(names)?;
    let (pool, user) = (&signed_in.pool, &signed_in.user);
    let client = Some(&signed_in.client.id);
    let triggers = room.trigger_context(pool, client, request.client_metadata.as_ref(), call);
    let given = request.user_attributes;
    let code_delivery_details_list = update(room, &triggers, pool, user, given, Author::User).await?;
    Ok(Response { code_delivery_details_list })
}

/// Sets attributes of a user and sends the codes that this calls for.
pub async fn update(
    room: &UserPools,
    triggers: &Context<'_>,
    pool: &Arc<Pool>,
    user: &User,
    given: Vec<AttributeType>,
    author: Author,
) -> Result<Vec<CodeDeliveryDetails>, Error> {
    Schema::of(&pool.settings).check(&given, author)?;
    let update = Update {
        vouched: given.iter().filter(|given| given.value == "true").map(|given| given.name.clone()).collect(),
        pool: Arc::clone(pool),
        now: room.world.clock.now(),
        random: room.world.random.clone(),
    };
    let change = move |user: &mut User| {
        let sent = given.iter().filter_map(|given| update.set(user, given)).collect::<Vec<_>>();
        check_verified(&user.attributes)?;
        user.modified = update.now;
        Ok(sent)
    };
    let (user, sent) = room.store.update_user(pool, &user.sub, AliasConflict::Refuse, change).await?;
    for (destination, digits) in &sent {
        room.send(triggers, Subject::UpdateUserAttribute, &user, destination, digits).await?;
    }
    Ok(sent.iter().map(|(destination, _)| destination.details()).collect())
}

/// What setting attributes needs to know, inside the store's transaction.
struct Update {
    /// What the same call says is true: an administrator who sets `email_verified` spares the user the code.
    vouched: Vec<String>,
    pool: Arc<Pool>,
    now: Timestamp,
    random: Random,
}

impl Update {
    /// Sets one attribute; where a code must go and its digits.
    fn set(&self, user: &mut User, given: &AttributeType) -> Option<(Destination, String)> {
        let value = self.pool.settings.folded(given);
        let Some(purpose) = Purpose::verifying(&given.name) else {
            user.attributes.set(&given.name, value);
            return None;
        };
        // The same again changes nothing and sends nothing: GH:aws-amplify/amplify-cli#13833.
        if user.attributes.get(&given.name) == Some(&value) {
            return None;
        }
        let verified = format!("{}_verified", given.name);
        let vouched = self.vouched.contains(&verified);
        let settings = &self.pool.settings;
        let waits = settings.verifies_before_update(&given.name) && !vouched && !value.is_empty();
        if !waits {
            user.codes.retain(|code| code.attribute != given.name); // they prove the old address
            user.attributes.set(&given.name, value.clone());
            user.attributes.set(&verified, if value.is_empty() { "" } else { "false" });
        }
        if value.is_empty() || vouched || !(waits || settings.auto_verifies(&given.name)) {
            return None;
        }
        let (mut code, digits) = Code::new(purpose, &given.name, &self.pool.secret, self.now, &self.random);
        let attribute = if purpose == Purpose::Email { "email" } else { "phone_number" };
        let destination = Destination { attribute, to: value.clone() };
        code.new_value = waits.then_some(value);
        user.set_code(code);
        Some((destination, digits))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::testing::Kit;

    pub(super) async fn attribute(t: &Kit, token: &str, name: &str) -> Value {
        let user = t.call("GetUser", json!({"AccessToken": token})).await.ok();
        let attributes = user["UserAttributes"].as_array().expect("a list");
        attributes
            .iter()
            .find(|attribute| attribute["Name"] == name)
            .map_or(Value::Null, |found| found["Value"].clone())
    }

    fn set(token: &str, name: &str, value: &str) -> Value {
        json!({"AccessToken": token, "UserAttributes": [{"Name": name, "Value": value}]})
    }

    #[tokio::test]
    async fn a_new_address_is_unverified_until_its_code_is_back() {
        let t = Kit::new().await;
        let token = t.signed_in("ann@example.com").await;
        let answer = t.call("UpdateUserAttributes", set(&token, "email", "Anna@Example.com")).await.ok();
        let details = json!({"Destination": "a***@e***", "DeliveryMedium": "EMAIL", "AttributeName": "email"});
        assert_eq!(answer["CodeDeliveryDetailsList"], json!([details]));
        assert_eq!(t.messages().last().expect("a message").source, "CustomMessage_UpdateUserAttribute");
        assert_eq!(attribute(&t, &token, "email").await, "anna@example.com");
        assert_eq!(attribute(&t, &token, "email_verified").await, "false");
        let verify = json!({"AccessToken": token, "AttributeName": "email", "Code": t.last_code()});
        t.call("VerifyUserAttribute", verify).await.ok();
        assert_eq!(attribute(&t, &token, "email_verified").await, "true");
    }

    #[tokio::test]
    async fn where_verification_comes_first_the_old_address_stays() {
        let t = Kit::new().await;
        let settings = json!({"AttributesRequireVerificationBeforeUpdate": ["email"]});
        let update = json!({
            "UserPoolId": t.pool,
            "AutoVerifiedAttributes": ["email"],
            "UserAttributeUpdateSettings": settings,
        });
        t.call("UpdateUserPool", update).await.ok();
        let token = t.signed_in("ann@example.com").await;
        t.call("UpdateUserAttributes", set(&token, "email", "anna@example.com")).await.ok();
        assert_eq!(t.messages().last().expect("a message").to, "anna@example.com");
        assert_eq!(attribute(&t, &token, "email").await, "ann@example.com");
        assert_eq!(attribute(&t, &token, "email_verified").await, "true");
        let verify = json!({"AccessToken": token, "AttributeName": "email", "Code": t.last_code()});
        t.call("VerifyUserAttribute", verify).await.ok();
        assert_eq!(attribute(&t, &token, "email").await, "anna@example.com");
    }

    #[tokio::test]
    async fn the_same_address_again_changes_nothing() {
        let t = Kit::new().await;
        let token = t.signed_in("ann@example.com").await;
        let before = t.messages().len();
        let answer = t.call("UpdateUserAttributes", set(&token, "email", "ANN@example.com")).await.ok();
        assert_eq!(answer, json!({}));
        assert_eq!(t.messages().len(), before);
        assert_eq!(attribute(&t, &token, "email_verified").await, "true");
    }

    #[tokio::test]
    async fn an_address_that_somebody_has_is_refused() {
        let t = Kit::new().await;
        t.confirmed("bob@example.com").await;
        let token = t.signed_in("ann@example.com").await;
        t.call("UpdateUserAttributes", set(&token, "email", "BOB@example.com")).await.error("AliasExistsException");
        assert_eq!(attribute(&t, &token, "email").await, "ann@example.com");
    }

    #[tokio::test]
    async fn nobody_verifies_themselves() {
        let t = Kit::new().await;
        let token = t.signed_in("ann@example.com").await;
        let answer = t.call("UpdateUserAttributes", set(&token, "email_verified", "true")).await;
        assert_eq!(answer.error("NotAuthorizedException"), "A client attempted to write unauthorized attribute");
    }

    #[tokio::test]
    async fn a_client_writes_what_it_may() {
        let t = Kit::new().await;
        let token = t.signed_in("ann@example.com").await;
        let update = json!({"UserPoolId": t.pool, "ClientId": t.client, "WriteAttributes": ["email", "name"]});
        t.call("UpdateUserPoolClient", update).await.ok();
        t.call("UpdateUserAttributes", set(&token, "name", "Ann")).await.ok();
        t.call("UpdateUserAttributes", set(&token, "locale", "de")).await.error("NotAuthorizedException");
    }

    #[tokio::test]
    async fn a_code_for_the_old_address_is_worth_nothing() {
        let t = Kit::new().await;
        let token = t.signed_in("ann@example.com").await;
        t.call("ForgotPassword", json!({"ClientId": t.client, "Username": "ann@example.com"})).await.ok();
        let code = t.last_code();
        t.call("UpdateUserAttributes", set(&token, "email", "anna@example.com")).await.ok();
        let confirm = json!({
            "ClientId": t.client,
            "Username": "anna@example.com",
            "ConfirmationCode": code,
            "Password": "N3w-password",
        });
        t.call("ConfirmForgotPassword", confirm).await.error("ExpiredCodeException");
    }
}
