//! `GetUserAttributeVerificationCode`: a code for an address that is there, or that waits to take its place.

use aws_api::Call;
use serde::{Deserialize, Serialize};

use crate::code::{Code, Purpose};
use crate::limit::Action;
use crate::message::{CodeDeliveryDetails, Destination, Subject};
use crate::store::AliasConflict;
use crate::trigger::ClientMetadata;
use crate::user::User;
use crate::{Error, UserPools};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    access_token: String,
    attribute_name: String,
    client_metadata: Option<ClientMetadata>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Response {
    code_delivery_details: CodeDeliveryDetails,
}

pub async fn run(room: &UserPools, request: Request, call: &Call) -> Result<Response, Error> {
    let signed_in = room.signed_in(&request.access_token).await?;
    let (user, pool, client) = (signed_in.user, signed_in.pool, signed_in.client);
    call.about(user.known_as());
    let name = request.attribute_name;
    let purpose = Purpose::verifying(&name).ok_or_else(|| not_verifiable(&name))?;
    let waiting = user.code(purpose).and_then(|code| code.new_value.clone());
    let destination = Destination::of(&name, &user.attributes);
    let destination = match (&waiting, destination) {
        (Some(waiting), _) => {
            let attribute = if purpose == Purpose::Email { "email" } else { "phone_number" };
            Destination { attribute, to: waiting.clone() }
        }
        (None, Some(destination)) => destination,
        (None, None) => {
            let message = format!("Unable to verify attribute: {name} no value set to verify");
            return Err(Error::InvalidParameter(message));
        }
    };
    let now = room.world.clock.now();
    let (mut code, digits) = Code::new(purpose, &name, &pool.secret, now, &room.world.random);
    code.new_value = waiting;
    let change = move |user: &mut User| {
        user.attempts.count(Action::GetUserAttributeVerificationCode, now)?;
        user.set_code(code);
        Ok(())
    };
    let (user, ()) = room.store.update_user(&pool, &user.sub, AliasConflict::Refuse, change).await?;
    let triggers = room.trigger_context(&pool, Some(&client.id), request.client_metadata.as_ref(), call);
    room.send(&triggers, Subject::VerifyUserAttribute, &user, &destination, &digits).await?;
    Ok(Response { code_delivery_details: destination.details() })
}

/// Only addresses and numbers can be proved by a code.
pub fn not_verifiable(name: &str) -> Error {
    Error::InvalidParameter(format!("Invalid attribute name provided: {name}"))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::testing::Kit;

    fn input(token: &str, name: &str) -> Value {
        json!({"AccessToken": token, "AttributeName": name})
    }

    #[tokio::test]
    async fn the_code_verifies_what_an_administrator_confirmed_without() {
        let t = Kit::new().await;
        t.call("SignUp", t.sign_up("ann@example.com")).await.ok();
        t.call("AdminConfirmSignUp", json!({"UserPoolId": t.pool, "Username": "ann@example.com"})).await.ok();
        let token = t.sign_in("ann@example.com").await;
        let answer = t.call("GetUserAttributeVerificationCode", input(&token, "email")).await.ok();
        assert_eq!(answer["CodeDeliveryDetails"]["Destination"], "a***@e***");
        assert_eq!(t.messages().last().expect("a message").source, "CustomMessage_VerifyUserAttribute");
        let verify = json!({"AccessToken": token, "AttributeName": "email", "Code": t.last_code()});
        t.call("VerifyUserAttribute", verify).await.ok();
        let user = t.call("GetUser", json!({"AccessToken": token})).await.ok();
        let verified = json!({"Name": "email_verified", "Value": "true"});
        assert!(user["UserAttributes"].as_array().expect("a list").contains(&verified));
    }

    #[tokio::test]
    async fn there_must_be_something_to_verify() {
        let t = Kit::new().await;
        let token = t.signed_in("ann@example.com").await;
        let call = async |name| {
            let answer = t.call("GetUserAttributeVerificationCode", input(&token, name)).await;
            answer.error("InvalidParameterException")
        };
        assert_eq!(call("phone_number").await, "Unable to verify attribute: phone_number no value set to verify");
        call("locale").await;
    }

    #[tokio::test]
    async fn five_an_hour() {
        let t = Kit::new().await;
        let token = t.signed_in("ann@example.com").await;
        for _ in 0..5 {
            t.call("GetUserAttributeVerificationCode", input(&token, "email")).await.ok();
        }
        let sixth = t.call("GetUserAttributeVerificationCode", input(&token, "email")).await;
        sixth.error("LimitExceededException");
    }
}
