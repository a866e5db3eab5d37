//! `AdminCreateUser`: invites somebody with a temporary password, or sends the invitation once more.
//!
//! PreSignUp runs (as `PreSignUp_AdminCreateUser`) and may refuse; what else it decides is ignored. PostConfirmation
//! never runs for whom an administrator created, also not when they set a password of their own. For an invitation that
//! is repeated PreSignUp does not run: what AWS does there is not documented.

use std::sync::Arc;

use aws_api::Call;
use serde::{Deserialize, Serialize};

use super::list_users::UserType;
use super::validation_data;
use crate::attributes::{AttributeType, Attributes, Author, Schema};
use crate::constraint::Constraints;
use crate::message::{Destination, Subject};
use crate::password;
use crate::pool::Pool;
use crate::store::AliasConflict;
use crate::trigger::{ClientMetadata, Source};
use crate::user::{Status, Sub, User};
use crate::username::username_for;
use crate::{Error, UserPools};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    user_pool_id: String,
    username: String,
    #[serde(default)]
    user_attributes: Vec<AttributeType>,
    validation_data: Option<Vec<AttributeType>>,
    temporary_password: Option<String>,
    #[serde(default)]
    force_alias_creation: bool,
    message_action: Option<String>,
    desired_delivery_mediums: Option<Vec<String>>,
    client_metadata: Option<ClientMetadata>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Response {
    user: UserType,
}

pub async fn run(room: &UserPools, request: Request, call: &Call) -> Result<Response, Error> {
    check(&request)?;
    let pool = room.pool(&request.user_pool_id)?;
    let password = temporary_password(room, &pool, request.temporary_password.clone())?;
    let user = if request.message_action.as_deref() == Some("RESEND") {
        renew(room, &pool, &request, password.clone(), call).await?
    } else {
        create(room, &pool, &request, password.clone(), call).await?
    };
    if request.message_action.as_deref() != Some("SUPPRESS") {
        let mediums = request.desired_delivery_mediums.as_deref();
        let destinations = Destination::of_invitation(mediums, &user.attributes);
        if destinations.is_empty() {
            tracing::warn!(pool = %pool.id, sub = %user.sub, "an invitation has no address or number to go to");
        }
        let triggers = room.trigger_context(&pool, None, request.client_metadata.as_ref(), call);
        for destination in destinations {
            room.send(&triggers, Subject::AdminCreateUser, &user, &destination, &password).await?;
        }
    }
    Ok(Response { user: UserType::of(user.into()) })
}

fn check(request: &Request) -> Result<(), Error> {
    let password = request.temporary_password.as_deref().unwrap_or_default();
    let mut constraints = Constraints::new().username(&request.username).length("temporaryPassword", password, 0..=256);
    if let Some(action) = &request.message_action {
        constraints = constraints.one_of("messageAction", action, &["RESEND", "SUPPRESS"]);
    }
    for medium in request.desired_delivery_mediums.iter().flatten() {
        constraints = constraints.one_of("desiredDeliveryMediums", medium, &["SMS", "EMAIL"]);
    }
    constraints.check()
}

/// The given one, if the pool's policy allows it, or one made up.
fn temporary_password(room: &UserPools, pool: &Pool, given: Option<String>) -> Result<String, Error> {
    let policy = &pool.settings.policies.password_policy;
    let Some(given) = given.filter(|given| !given.is_empty()) else {
        return Ok(password::temporary(policy, &room.world.random));
    };
    match password::violation(policy, &given) {
        None => Ok(given),
        Some(violation) => {
            Err(Error::InvalidPassword(format!("Password did not conform with password policy: {violation}")))
        }
    }
}

async fn create(
    room: &UserPools,
    pool: &Arc<Pool>,
    request: &Request,
    password: String,
    call: &Call,
) -> Result<User, Error> {
    let now = room.world.clock.now();
    let sub = Sub(room.world.random.uuid());
    let mut attributes = Attributes::default();
    Schema::of(&pool.settings).check(&request.user_attributes, Author::Host)?;
    for given in &request.user_attributes {
        attributes.set(&given.name, pool.settings.folded(given));
    }
    let username = username_for(&pool.settings, &request.username, &sub, &mut attributes)?;
    check_verified(&attributes)?;
    let mut user = User::new(&pool.id, sub, username, Status::ForceChangePassword, now);
    user.attributes = attributes;
    user.temporary_password_until = Some(now.plus(pool.settings.temporary_password_life()));
    call.about(user.known_as());

    let triggers = room.trigger_context(pool, None, request.client_metadata.as_ref(), call);
    let validation_data = validation_data(request.validation_data.clone());
    let source = Source::PreSignUpAdminCreateUser;
    triggers.pre_sign_up(source, &user.username, &user.attributes, validation_data).await?;
    user.verifier = Some(room.verifier(pool, &user.username, password).await?);
    let conflict = if request.force_alias_creation { AliasConflict::Move } else { AliasConflict::Refuse };
    room.store.insert_user(pool, user, conflict).await
}

/// Nobody's address can be verified, or not, if they have none.
pub fn check_verified(attributes: &Attributes) -> Result<(), Error> {
    let pairs = [("email", "Email", "an email"), ("phone_number", "Phone Number", "a phone number")];
    for (name, shown, one) in pairs {
        if attributes.get(&format!("{name}_verified")).is_some() && attributes.get(name).is_none() {
            return Err(Error::InvalidParameter(format!("{shown} is required to verify/un-verify {one}")));
        }
    }
    Ok(())
}

/// Gives somebody who was invited a new temporary password and new time to use it.
async fn renew(
    room: &UserPools,
    pool: &Arc<Pool>,
    request: &Request,
    password: String,
    call: &Call,
) -> Result<User, Error> {
    let user = room.find_user(pool, &request.username).await?;
    call.about(user.known_as());
    let verifier = room.verifier(pool, &user.username, password).await?;
    let (now, life) = (room.world.clock.now(), pool.settings.temporary_password_life());
    let change = move |user: &mut User| {
        if user.status != Status::ForceChangePassword {
            let message = format!("Resend not possible. {} status is not FORCE_CHANGE_PASSWORD.", user.username);
            return Err(Error::UnsupportedUserState(message));
        }
        user.verifier = Some(verifier);
        user.temporary_password_until = Some(now.plus(life));
        user.modified = now;
        Ok(())
    };
    let (user, ()) = room.store.update_user(pool, &user.sub, AliasConflict::Refuse, change).await?;
    Ok(user)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::message::Channel;
    use crate::testing::Kit;
    use crate::trigger::TriggerFailure;

    fn input(t: &Kit, username: &str) -> Value {
        json!({"UserPoolId": t.pool, "Username": username})
    }

    #[tokio::test]
    async fn an_invitation_carries_the_password() {
        let t = Kit::new().await;
        let user = t.call("AdminCreateUser", input(&t, "Ann@Example.com")).await.ok()["User"].take();
        assert_eq!(user["UserStatus"], "FORCE_CHANGE_PASSWORD");
        assert_eq!(user["Attributes"][1], json!({"Name": "email", "Value": "ann@example.com"}));
        let message = t.messages().remove(0);
        assert_eq!(message.to, "ann@example.com");
        assert_eq!(message.source, "CustomMessage_AdminCreateUser");
        assert!(message.body.contains(&message.code), "{}", message.body);
    }

    #[tokio::test]
    async fn a_password_that_is_made_up_keeps_to_the_policy() {
        let policy = json!({"MinimumLength": 30});
        let t = Kit::with_pool(json!({"PoolName": "p", "Policies": {"PasswordPolicy": policy}})).await;
        let mut user = input(&t, "ann");
        user["UserAttributes"] = json!([{"Name": "email", "Value": "ann@example.com"}]);
        t.call("AdminCreateUser", user).await.ok();
        let set = json!({"UserPoolId": t.pool, "Username": "ann", "Password": t.last_code()});
        t.call("AdminSetUserPassword", set).await.ok();
    }

    #[tokio::test]
    async fn a_given_password_must_keep_to_the_policy() {
        let t = Kit::new().await;
        let mut user = input(&t, "ann@example.com");
        user["TemporaryPassword"] = json!("short");
        let message = t.call("AdminCreateUser", user).await.error("InvalidPasswordException");
        assert_eq!(message, "Password did not conform with password policy: Password not long enough");
    }

    #[tokio::test]
    async fn pre_sign_up_is_told_and_only_its_refusal_counts() {
        let t = Kit::new().await;
        t.attach("PreSignUp").await;
        t.attach("PostConfirmation").await;
        t.trigger_changes_response(json!({"autoConfirmUser": true, "autoVerifyEmail": true}));
        let user = t.call("AdminCreateUser", input(&t, "ann@example.com")).await.ok();
        assert_eq!(user["User"]["UserStatus"], "FORCE_CHANGE_PASSWORD");
        assert_eq!(t.sources(), ["PreSignUp_AdminCreateUser"]);
        assert_eq!(t.events()[0]["callerContext"]["clientId"], "CLIENT_ID_NOT_APPLICABLE");
    }

    #[tokio::test]
    async fn pre_sign_up_can_refuse() {
        let t = Kit::new().await;
        t.attach("PreSignUp").await;
        t.trigger_answers(Err(TriggerFailure::Function("no".into())));
        t.call("AdminCreateUser", input(&t, "ann@example.com")).await.error("UserLambdaValidationException");
        t.call("AdminGetUser", input(&t, "ann@example.com")).await.error("UserNotFoundException");
    }

    #[tokio::test]
    async fn an_invitation_can_be_suppressed_and_repeated() {
        let t = Kit::new().await;
        let mut user = input(&t, "ann@example.com");
        user["MessageAction"] = json!("SUPPRESS");
        t.call("AdminCreateUser", user.clone()).await.ok();
        assert!(t.messages().is_empty());
        user["MessageAction"] = json!("RESEND");
        user["Username"] = json!("ANN@example.com");
        t.call("AdminCreateUser", user.clone()).await.ok();
        t.call("AdminCreateUser", user).await.ok();
        let messages = t.messages();
        assert_eq!(messages.len(), 2);
        assert_ne!(messages[0].code, messages[1].code);
    }

    #[tokio::test]
    async fn only_who_waits_can_be_invited_again() {
        let t = Kit::new().await;
        let mut user = input(&t, "ann@example.com");
        user["MessageAction"] = json!("RESEND");
        t.call("AdminCreateUser", user.clone()).await.error("UserNotFoundException");
        t.confirmed("ann@example.com").await;
        t.call("AdminCreateUser", user).await.error("UnsupportedUserStateException");
    }

    #[tokio::test]
    async fn a_name_is_taken_once_whatever_its_case() {
        let t = Kit::new().await;
        t.call("AdminCreateUser", input(&t, "ann@example.com")).await.ok();
        t.call("AdminCreateUser", input(&t, "Ann@Example.com")).await.error("UsernameExistsException");
        t.call("SignUp", t.sign_up("ANN@EXAMPLE.COM")).await.error("UsernameExistsException");
    }

    #[tokio::test]
    async fn mediums() {
        let t = Kit::with_pool(json!({"PoolName": "p"})).await;
        let attributes = json!([{"Name": "email", "Value": "a@b.c"}, {"Name": "phone_number", "Value": "+491234567"}]);
        let cases: &[(Value, &[Channel])] = &[
            (Value::Null, &[Channel::Sms]),
            (json!(["EMAIL"]), &[Channel::Email]),
            (json!(["EMAIL", "SMS"]), &[Channel::Sms, Channel::Email]),
        ];
        for (at, (mediums, expected)) in cases.iter().enumerate() {
            let before = t.messages().len();
            let mut user = input(&t, &format!("user{at}"));
            user["UserAttributes"] = attributes.clone();
            user["DesiredDeliveryMediums"] = mediums.clone();
            t.call("AdminCreateUser", user).await.ok();
            let channels: Vec<_> = t.messages()[before..].iter().map(|message| message.channel).collect();
            assert_eq!(channels, *expected);
        }
    }

    #[tokio::test]
    async fn an_alias_is_moved_only_by_force() {
        let t = Kit::with_pool(json!({"PoolName": "p", "AliasAttributes": ["email"]})).await;
        let user = |name: &str, force: bool| {
            let attributes = [("email", "ann@example.com"), ("email_verified", "true")];
            let attributes = attributes.map(|(name, value)| json!({"Name": name, "Value": value}));
            let (pool, force) = (&t.pool, force);
            json!({"UserPoolId": pool, "Username": name, "UserAttributes": attributes, "ForceAliasCreation": force})
        };
        t.call("AdminCreateUser", user("one", false)).await.ok();
        t.call("AdminCreateUser", user("two", false)).await.error("AliasExistsException");
        t.call("AdminCreateUser", user("two", true)).await.ok();
        let found = t.call("AdminGetUser", input(&t, "ann@example.com")).await.ok();
        assert_eq!(found["Username"], "two");
        let first = t.call("AdminGetUser", input(&t, "one")).await.ok();
        let verified = json!({"Name": "email_verified", "Value": "false"});
        assert!(first["UserAttributes"].as_array().expect("a list").contains(&verified));
    }

    #[tokio::test]
    async fn an_address_must_be_there_to_be_verified() {
        let t = Kit::with_pool(json!({"PoolName": "p"})).await;
        let mut user = input(&t, "ann");
        user["UserAttributes"] = json!([{"Name": "email_verified", "Value": "true"}]);
        let message = t.call("AdminCreateUser", user).await.error("InvalidParameterException");
        assert_eq!(message, "Email is required to verify/un-verify an email");
    }
}
