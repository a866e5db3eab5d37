//! Users who move in when they first show up: the pool does not know them, and its `UserMigration` function does.

use std::sync::Arc;

use crate::attributes::{Attributes, Author, Schema};
use crate::client::Client;
use crate::pool::Pool;
use crate::store::AliasConflict;
use crate::trigger::{ClientMetadata, Context, Migrant, Source};
use crate::user::{Status, Sub, User};
use crate::username::username_for;
use crate::{Error, UserPools};

impl UserPools {
    /// The user of a name that nobody has, if the pool's function knows them: from now on the pool does too. Nothing
    /// if the pool has no such function. Whoever is not migrated, for whatever reason, is an error, and not a user.
    pub(crate) async fn migrate(
        &self,
        triggers: &Context<'_>,
        source: Source,
        client: &Client,
        name: &str,
        password: Option<&str>,
        validation_data: Option<&ClientMetadata>,
    ) -> Result<Option<User>, Error> {
        if source.function(triggers.pool).is_none() {
            return Ok(None);
        }
        let pool = self.pool(&client.pool.0)?;
        let migrated = async {
            let asked = triggers.user_migration(source, name, password, validation_data).await?;
            let migrant = asked.ok_or_else(Error::no_such_user)?;
            if migrant.is_welcomed {
                triggers.report_unwelcomed(source, name);
            }
            self.move_in(&pool, name, password, migrant).await
        };
        match migrated.await {
            Ok(user) => Ok(Some(user)),
            Err(Error::Internal(error)) => Err(error.into()),
            Err(error) => {
                tracing::warn!(pool = %pool.id, name, %error, "nobody is migrated");
                Err(not_migrated(client))
            }
        }
    }

    async fn move_in(
        &self,
        pool: &Arc<Pool>,
        name: &str,
        password: Option<&str>,
        migrant: Migrant,
    ) -> Result<User, Error> {
        let sub = Sub(self.world.random.uuid());
        Schema::of(&pool.settings).check(&migrant.attributes, Author::Host)?;
        let mut attributes = Attributes::default();
        for given in &migrant.attributes {
            attributes.set(&given.name, pool.settings.folded(given));
        }
        let username = username_for(&pool.settings, name, &sub, &mut attributes)?;
        let status = if migrant.is_confirmed { Status::Confirmed } else { Status::ResetRequired };
        let mut user = User::new(&pool.id, sub, username, status, self.world.clock.now());
        user.attributes = attributes;
        if let Some(password) = password {
            user.verifier = Some(self.verifier(pool, &user.username, password.to_owned()).await?);
        }
        let conflict = if migrant.takes_aliases { AliasConflict::Move } else { AliasConflict::Refuse };
        match self.store.insert_user(pool, user, conflict).await {
            // Somebody else was faster with the same name.
            Err(Error::UsernameExists(_)) => self.store.find_user(pool, name).await?.ok_or_else(Error::no_such_user),
            result => result,
        }
    }
}

/// In the words that users report.
fn not_migrated(client: &Client) -> Error {
    let message = format!("Exception migrating user in app client {}", client.id);
    if client.settings.hides_users() { Error::NotAuthorized(message) } else { Error::UserNotFound(message) }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::testing::{Kit, PASSWORD, claims};
    use crate::trigger::TriggerFailure;

    const NAME: &str = "Ann@example.com";

    async fn kit(answer: Result<Value, TriggerFailure>) -> Kit {
        let t = Kit::new().await;
        t.attach("UserMigration").await;
        t.trigger_answers(answer);
        t
    }

    fn known(status: Option<&str>) -> Value {
        let attributes =
            json!({"email": NAME, "email_verified": "true", "name": "Ann", "sub": "theirs", "username": "a"});
        json!({"userAttributes": attributes, "finalUserStatus": status, "messageAction": "SUPPRESS"})
    }

    fn forgot(t: &Kit) -> Value {
        json!({"ClientId": t.client, "Username": NAME, "ClientMetadata": {"from": "app"}})
    }

    #[tokio::test]
    async fn who_is_known_elsewhere_is_a_user_after_the_first_sign_in() {
        let t = kit(Ok(known(Some("CONFIRMED")))).await;
        let parameters = json!({"USERNAME": NAME, "PASSWORD": PASSWORD});
        let input = json!({
            "ClientId": t.client, "AuthFlow": "USER_PASSWORD_AUTH", "AuthParameters": parameters,
            "ClientMetadata": {"from": "app"},
        });
        let tokens = t.call("InitiateAuth", input).await.ok()["AuthenticationResult"].take();
        let id = claims(&tokens["IdToken"]);
        assert_eq!(
            (&id["email"], &id["email_verified"], &id["name"]),
            (&json!("ann@example.com"), &json!(true), &json!("Ann"))
        );
        assert_ne!(id["sub"], "theirs");
        let event = t.events().remove(0);
        assert_eq!(
            (&event["triggerSource"], &event["userName"]),
            (&json!("UserMigration_Authentication"), &json!(NAME))
        );
        let expected = json!({"userAttributes": null, "validationData": {"from": "app"}, "password": PASSWORD});
        assert_eq!(event["request"], expected);
        let nothing = json!({
            "userAttributes": null, "forceAliasCreation": null, "enableSMSMFA": null, "finalUserStatus": null,
            "messageAction": null, "desiredDeliveryMediums": null,
        });
        assert_eq!(event["response"], nothing);

        t.tokens("ann@example.com").await;
        assert_eq!(t.events().len(), 1);
        let wrong = t.sign_in_with(NAME, "wrong").await;
        assert_eq!(wrong.error("NotAuthorizedException"), "Incorrect username or password.");
    }

    #[tokio::test]
    async fn without_a_final_status_a_new_password_is_due() {
        let t = kit(Ok(known(None))).await;
        t.sign_in_with(NAME, PASSWORD).await.error("PasswordResetRequiredException");
        let user = t.call("AdminGetUser", json!({"UserPoolId": t.pool, "Username": NAME})).await.ok();
        assert_eq!(user["UserStatus"], "RESET_REQUIRED");
    }

    #[tokio::test]
    async fn a_forgotten_password_migrates_too() {
        let t = kit(Ok(known(None))).await;
        t.call("ForgotPassword", forgot(&t)).await.ok();
        let event = t.events().remove(0);
        assert_eq!(event["triggerSource"], "UserMigration_ForgotPassword");
        let expected = json!({"userAttributes": null, "validationData": null, "clientMetadata": {"from": "app"}});
        assert_eq!(event["request"], expected);
        let confirm = json!({
            "ClientId": t.client, "Username": NAME, "ConfirmationCode": t.last_code(), "Password": PASSWORD,
        });
        t.call("ConfirmForgotPassword", confirm).await.ok();
        t.tokens(NAME).await;
    }

    #[tokio::test]
    async fn whoever_is_not_migrated_is_nobody() {
        let unknown = json!({"userAttributes": null});
        let wrong = json!({"userAttributes": {"custom:none": "x"}});
        for answer in [Ok(unknown), Ok(wrong), Err(TriggerFailure::Function("wrong password".into()))] {
            let t = kit(answer).await;
            let message = t.sign_in_with(NAME, PASSWORD).await.error("UserNotFoundException");
            assert_eq!(message, format!("Exception migrating user in app client {}", t.client));
            t.call("ForgotPassword", forgot(&t)).await.error("UserNotFoundException");
            t.call("AdminGetUser", json!({"UserPoolId": t.pool, "Username": NAME}))
                .await
                .error("UserNotFoundException");
            t.hide_users().await;
            t.sign_in_with(NAME, PASSWORD).await.error("NotAuthorizedException");
            t.call("ForgotPassword", forgot(&t)).await.ok();
            assert!(t.messages().is_empty());
        }
    }

    #[tokio::test]
    async fn that_nobody_is_welcomed_is_named() {
        let mut answer = known(Some("CONFIRMED"));
        answer["messageAction"] = Value::Null;
        let t = kit(Ok(answer)).await;
        t.tokens(NAME).await;
        assert!(t.warnings().iter().any(|warning| warning.contains("no welcome message")));
        assert!(t.messages().is_empty());
    }
}
