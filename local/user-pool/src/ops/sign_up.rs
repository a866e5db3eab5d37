//! `SignUp`.

use std::sync::Arc;

use aws_api::Call;
use serde::{Deserialize, Serialize};

use super::validation_data;
use crate::attributes::{AttributeType, Attributes, Author, Schema};
use crate::code::{Code, Purpose};
use crate::constraint::Constraints;
use crate::message::{CodeDeliveryDetails, Destination, Subject};
use crate::owed::Owed;
use crate::pool::Pool;
use crate::store::AliasConflict;
use crate::trigger::{ClientMetadata, PreSignUpAnswer, Source};
use crate::user::{Status, Sub, User};
use crate::username::username_for;
use crate::{Error, UserPools};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    client_id: String,
    secret_hash: Option<String>,
    username: String,
    password: String,
    #[serde(default)]
    user_attributes: Vec<AttributeType>,
    validation_data: Option<Vec<AttributeType>>,
    client_metadata: Option<ClientMetadata>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Response {
    user_confirmed: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    code_delivery_details: Option<CodeDeliveryDetails>,
    user_sub: Sub,
}

pub async fn run(room: &UserPools, request: Request, call: &Call) -> Result<Response, Error> {
    let (client, pool) = room.client_and_pool(&request.client_id)?;
    client.check_secret_hash(&request.username, request.secret_hash.as_deref())?;
    if pool.settings.admin_create_user_config.allow_admin_create_user_only {
        return Err(Error::NotAuthorized("SignUp is not permitted for this user pool".into()));
    }
    Constraints::new().username(&request.username).length("password", &request.password, 0..=256).check()?;
    client.settings.check_writes(request.user_attributes.iter().map(|given| given.name.as_str()))?;
    let mut user = newcomer(room, &pool, &request.username, &request.user_attributes)?;
    call.about(user.known_as());
    pool.check_password(&request.password)?;

    let triggers = room.trigger_context(&pool, Some(&client.id), request.client_metadata.as_ref(), call);
    let validation_data = validation_data(request.validation_data);
    let answer = triggers.pre_sign_up(Source::PreSignUp, &user.username, &user.attributes, validation_data).await?;
    let conflict = accept(&mut user, answer)?;

    user.verifier = Some(room.verifier(&pool, &user.username, request.password).await?);
    let destination = match user.status {
        Status::Unconfirmed => Destination::of_sign_up(&pool.settings, &user.attributes),
        _ => None,
    };
    let mut digits = String::new();
    if let Some(destination) = &destination {
        let attribute = destination.attribute;
        let (code, sent) = Code::new(Purpose::SignUp, attribute, &pool.secret, user.created, &room.world.random);
        user.set_code(code);
        digits = sent;
    }
    if user.status == Status::Confirmed {
        let metadata = request.client_metadata.clone();
        user.owed = Owed::of(&pool, Source::PostConfirmation, Some(&client.id), metadata, call);
    }
    let user = room.store.insert_user(&pool, user, conflict).await?;
    if let Some(destination) = &destination {
        room.send(&triggers, Subject::SignUp, &user, destination, &digits).await?;
    }
    let response = Response {
        user_confirmed: user.status == Status::Confirmed,
        code_delivery_details: destination.as_ref().map(Destination::details),
        user_sub: user.sub.clone(),
    };
    room.pay(&pool, user).await?;
    Ok(response)
}

/// The user that a name and attributes make, checked against the pool's rules.
fn newcomer(room: &UserPools, pool: &Arc<Pool>, name: &str, given: &[AttributeType]) -> Result<User, Error> {
    let sub = Sub(room.world.random.uuid());
    let schema = Schema::of(&pool.settings);
    schema.check(given, Author::Newcomer)?;
    let mut attributes = Attributes::default();
    for attribute in given {
        attributes.set(&attribute.name, pool.settings.folded(attribute));
    }
    let username = username_for(&pool.settings, name, &sub, &mut attributes)?;
    schema.check_required(|name| attributes.get(name).is_some())?;
    let mut user = User::new(&pool.id, sub, username, Status::Unconfirmed, room.world.clock.now());
    for attribute in ["email", "phone_number"] {
        if attributes.get(attribute).is_some() {
            attributes.set(&format!("{attribute}_verified"), "false");
        }
    }
    user.attributes = attributes;
    Ok(user)
}

/// Does what the PreSignUp function decided. An address that it verifies takes its alias from whoever has it.
fn accept(user: &mut User, answer: PreSignUpAnswer) -> Result<AliasConflict, Error> {
    if answer.auto_confirm_user {
        user.status = Status::Confirmed;
    }
    let verified = [("email", answer.auto_verify_email), ("phone_number", answer.auto_verify_phone)];
    for (attribute, _) in verified.into_iter().filter(|(_, verified)| *verified) {
        if user.attributes.get(attribute).is_none() {
            let message = format!("PreSignUp verified the attribute {attribute}, which the user does not have");
            return Err(Error::InvalidLambdaResponse(message));
        }
        user.attributes.set(&format!("{attribute}_verified"), "true");
    }
    let any = answer.auto_verify_email || answer.auto_verify_phone;
    Ok(if any { AliasConflict::Move } else { AliasConflict::Refuse })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::Kit;
    use crate::trigger::TriggerFailure;

    #[tokio::test]
    async fn a_code_goes_to_the_address() {
        let t = Kit::new().await;
        let answer = t.call("SignUp", t.sign_up("Ann@Example.com")).await.ok();
        assert_eq!(answer["UserConfirmed"], false);
        let details = json!({"Destination": "a***@e***", "DeliveryMedium": "EMAIL", "AttributeName": "email"});
        assert_eq!(answer["CodeDeliveryDetails"], details);
        assert_eq!(t.messages()[0].to, "ann@example.com");
    }

    #[tokio::test]
    async fn an_address_is_taken_from_the_first_sign_up_on_whatever_its_case() {
        let t = Kit::new().await;
        t.call("SignUp", t.sign_up("ann@example.com")).await.ok();
        let again = t.call("SignUp", t.sign_up("ANN@example.COM")).await;
        assert_eq!(again.error("UsernameExistsException"), "An account with the given email already exists.");
    }

    #[tokio::test]
    async fn a_weak_password_is_refused_in_cognitos_words() {
        let t = Kit::new().await;
        let mut input = t.sign_up("ann@example.com");
        input["Password"] = json!("alllowercase1!");
        let message = t.call("SignUp", input).await.error("InvalidPasswordException");
        assert_eq!(message, "Password did not conform with policy: Password must have uppercase characters");
    }

    #[tokio::test]
    async fn pre_sign_up_can_refuse_and_leaves_nobody() {
        let t = Kit::new().await;
        t.attach("PreSignUp").await;
        t.trigger_answers(Err(TriggerFailure::Function("not from here".into())));
        let message = t.call("SignUp", t.sign_up("ann@example.com")).await.error("UserLambdaValidationException");
        assert_eq!(message, "PreSignUp failed with error not from here.");
        let users = t.call("ListUsers", json!({"UserPoolId": t.pool})).await.ok();
        assert_eq!(users["Users"], json!([]));
    }

    #[tokio::test]
    async fn a_sign_up_that_is_confirmed_at_once_fires_post_confirmation() {
        let t = Kit::new().await;
        t.attach("PreSignUp").await;
        t.attach("PostConfirmation").await;
        t.trigger_changes_response(json!({"autoConfirmUser": true, "autoVerifyEmail": true}));
        let answer = t.call("SignUp", t.sign_up("ann@example.com")).await.ok();
        assert_eq!(answer["UserConfirmed"], true);
        assert!(answer.get("CodeDeliveryDetails").is_none());
        assert_eq!(t.sources(), ["PreSignUp_SignUp", "PostConfirmation_ConfirmSignUp"]);
        assert_eq!(t.events()[1]["request"]["userAttributes"]["email_verified"], "true");
    }

    #[tokio::test]
    async fn a_name_must_be_an_address_where_addresses_are_names() {
        let t = Kit::new().await;
        let message = t.call("SignUp", t.sign_up("ann")).await.error("InvalidParameterException");
        assert_eq!(message, "Username should be an email.");
    }
}
