//! The end of a federated sign-in: what managed login does once an identity provider has said who somebody is.
//!
//! There are no login pages here, and no provider is asked: whoever drives a sign-in says what the provider would have
//! said (`/_tandem/federated-sign-in`). From there on all is as on AWS: the first time a user is made, in the state
//! `EXTERNAL_PROVIDER` and with a name of provider and id, and the functions of a sign-up run; later mapped attributes are
//! written anew, and the functions of a sign-in run. Tokens come from it every time.
//!
//! Sources: "Customizing user pool workflows with Lambda triggers" (the table of federated users), "Specifying identity
//! provider attribute mappings", and recorded events.

use std::collections::BTreeMap;
use std::sync::Arc;

use aws_api::Call;
use serde::{Deserialize, Serialize};
use serde_json::Map;

use crate::attributes::{AttributeType, Author, Schema};
use crate::client::Client;
use crate::declared::IdentityProvider;
use crate::group::{Group, GroupSettings};
use crate::owed::Owed;
use crate::pool::Pool;
use crate::sign_in::{Granted, SignIn};
use crate::store::AliasConflict;
use crate::trigger::Source;
use crate::user::{Status, Sub, User};
use crate::{Error, UserPools};

/// The attribute that says where a user comes from: a list as one text.
pub const IDENTITIES: &str = "identities";
/// In a mapping, what makes the user's name; it is made of the id here as on AWS.
const USERNAME: &str = "username";

/// What an identity provider said, and to whom.
#[derive(Clone, Debug)]
pub struct FederatedSignIn {
    /// The pool.
    pub user_pool_id: String,
    /// The client that somebody signs in to; one that has the provider, or else the first, if none is said.
    pub client_id: Option<String>,
    /// The provider's name.
    pub provider: String,
    /// The user's id with the provider.
    pub user_id: String,
    /// What the provider says of the user, by its own names.
    pub attributes: BTreeMap<String, String>,
}

/// Who signed in, with tokens.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the names say it")]
pub struct FederatedUser {
    pub sub: Sub,
    pub username: String,
    /// Whether this was the first time.
    pub is_new: bool,
    pub client_id: String,
    pub id_token: String,
    pub access_token: String,
    pub refresh_token: Option<String>,
    pub expires_in_seconds: u64,
}

/// One entry of [`IDENTITIES`], as events and lists show it.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Identity {
    user_id: String,
    provider_name: String,
    provider_type: String,
    issuer: Option<String>,
    primary: bool,
    date_created: i64,
}

/// The same in an id token, where nothing but text is.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct IdentityClaim {
    user_id: String,
    provider_name: String,
    provider_type: String,
    issuer: Option<String>,
    primary: String,
    date_created: String,
}

/// What an id token says of [`IDENTITIES`].
pub fn identity_claims(value: &str) -> Vec<IdentityClaim> {
    let identities: Vec<Identity> = serde_json::from_str(value).unwrap_or_default();
    let claim = |identity: Identity| IdentityClaim {
        user_id: identity.user_id,
        provider_name: identity.provider_name,
        provider_type: identity.provider_type,
        issuer: identity.issuer,
        primary: identity.primary.to_string(),
        date_created: identity.date_created.to_string(),
    };
    identities.into_iter().map(claim).collect()
}

impl UserPools {
    /// Signs somebody in whom an identity provider vouches for.
    pub async fn federated_sign_in(&self, asked: FederatedSignIn, call: &Call) -> Result<FederatedUser, Error> {
        let pool = self.pool(&asked.user_pool_id)?;
        let client = self.client_for(&pool, &asked)?;
        let declared = self.store.find_declared::<IdentityProvider>(&pool.id, &asked.provider).await?;
        let provider = declared.map(|declared| declared.document);
        let provider_type =
            provider.as_ref().map_or_else(|| type_of(&asked.provider), |it| &it.provider_type).to_owned();
        let username = pool.settings.fold(&format!("{}_{}", asked.provider, asked.user_id));

        let triggers = self.trigger_context(&pool, Some(&client.id), None, call);
        let said = (asked.provider.as_str(), provider_type.as_str(), asked.attributes);
        let said = triggers.inbound_federation(&username, said).await?;
        let given = mapped(&pool, provider.as_ref(), said);

        let sign_in = SignIn {
            room: self,
            pool: Arc::clone(&pool),
            client: Arc::clone(&client),
            call,
            metadata: None,
            validation_data: None,
        };
        let found = self.store.find_user(&pool, &username).await?;
        let is_new = found.is_none();
        let user = match found {
            Some(user) => self.returns(&sign_in, user, given).await?,
            None => self.comes(&sign_in, username, (asked.provider, provider_type, asked.user_id), given).await?,
        };
        let (sub, username) = (user.sub.clone(), user.username.clone());
        let Granted { tokens, access_life, refresh_token } = sign_in.hosted(user).await?;
        Ok(FederatedUser {
            sub,
            username,
            is_new,
            client_id: client.id.0.clone(),
            id_token: tokens.id,
            access_token: tokens.access,
            refresh_token,
            expires_in_seconds: access_life.as_secs(),
        })
    }

    /// The first time: a user is made.
    async fn comes(
        &self,
        sign_in: &SignIn<'_>,
        username: String,
        (provider, provider_type, user_id): (String, String, String),
        given: Vec<AttributeType>,
    ) -> Result<User, Error> {
        let (pool, client, call) = (&sign_in.pool, &sign_in.client, sign_in.call);
        let schema = Schema::of(&pool.settings);
        let is_given = |name: &str| given.iter().any(|given| given.name == name && !given.value.is_empty());
        let missing: Vec<_> = schema.required().filter(|name| !is_given(name)).collect();
        if !missing.is_empty() {
            // Before any function runs, in these words: aws-amplify/amplify-js#6513.
            return Err(Error::InvalidParameter(format!("attributes required: [{}]", missing.join(", "))));
        }
        schema.check(&given, Author::Host)?;
        let now = self.world.clock.now();
        let sub = Sub(self.world.random.uuid());
        let mut user = User::new(&pool.id, sub, username, Status::ExternalProvider, now);
        for attribute in &given {
            user.attributes.set(&attribute.name, pool.settings.folded(attribute));
        }
        if user.attributes.get("email").is_some() && user.attributes.get("email_verified").is_none() {
            user.attributes.set("email_verified", "false"); // unless the provider's word for it is mapped
        }
        call.about(user.known_as());
        let triggers = self.trigger_context(pool, Some(&client.id), None, call);
        let source = Source::PreSignUpExternalProvider;
        let answer = triggers.pre_sign_up(source, &user.username, &user.attributes, Some(Map::new())).await?;
        let verified = [("email", answer.auto_verify_email), ("phone_number", answer.auto_verify_phone)];
        for (attribute, _) in verified.into_iter().filter(|(_, verified)| *verified) {
            if user.attributes.get(attribute).is_none() {
                let message = format!("PreSignUp verified the attribute {attribute}, which the user does not have");
                return Err(Error::InvalidLambdaResponse(message));
            }
            user.attributes.set(&format!("{attribute}_verified"), "true");
        }
        let identity = Identity {
            user_id,
            provider_name: provider.clone(),
            provider_type,
            issuer: None,
            primary: true,
            date_created: now.millis(),
        };
        user.attributes.set(IDENTITIES, serde_json::to_string(&[identity]).unwrap_or_default()); // text and numbers
        user.owed = Owed::of(pool, Source::PostConfirmation, Some(&client.id), None, call);
        let username = user.username.clone();
        let user = self.store.insert_user(pool, user, AliasConflict::Refuse).await.map_err(|error| match error {
            // A function linked or made them meanwhile: the sign-in fails, and the next one works.
            Error::UsernameExists(_) => {
                Error::InvalidParameter(format!("Already found an entry for username {username}"))
            }
            other => other,
        })?;
        self.join_group_of(&provider, pool, &user).await?;
        self.pay(pool, user.clone()).await?;
        Ok(user)
    }

    /// Later: mapped attributes are written anew.
    async fn returns(&self, sign_in: &SignIn<'_>, user: User, given: Vec<AttributeType>) -> Result<User, Error> {
        let (pool, client, call) = (&sign_in.pool, &sign_in.client, sign_in.call);
        call.about(user.known_as());
        let triggers = self.trigger_context(pool, Some(&client.id), None, call);
        triggers.pre_authentication(&user.username, Some(&user), client.settings.hides_users(), None).await?;
        if !user.enabled {
            return Err(Error::NotAuthorized("User is not enabled".into()));
        }
        Schema::of(&pool.settings).check(&given, Author::Admin)?;
        let (settings, now) = (pool.settings.clone(), self.world.clock.now());
        let is_mapped = |name: &str| given.iter().any(|given| given.name == name);
        let email_is_vouched_for = is_mapped("email_verified");
        let change = move |user: &mut User| {
            let before = user.attributes.clone();
            for attribute in &given {
                user.attributes.set(&attribute.name, settings.folded(attribute));
            }
            if user.attributes.get("email") != before.get("email") && !email_is_vouched_for {
                user.attributes.set("email_verified", "false");
            }
            if user.attributes != before {
                user.modified = now;
            }
            Ok(())
        };
        let (user, ()) = self.store.update_user(pool, &user.sub, AliasConflict::Refuse, change).await?;
        triggers.post_authentication(&user).await?;
        Ok(user)
    }

    /// Everybody from one provider is in one group, which is made for the first of them.
    async fn join_group_of(&self, provider: &str, pool: &Pool, user: &User) -> Result<(), Error> {
        let (name, now) = (format!("{}_{provider}", pool.id), self.world.clock.now());
        let description = Some(format!("Autogenerated group for users who sign in using {provider}"));
        let settings = GroupSettings { description, ..GroupSettings::default() };
        let group = Group { pool: pool.id.clone(), name: name.clone(), settings, created: now, modified: now };
        match self.store.insert_group(group).await {
            Ok(()) | Err(Error::GroupExists) => self.store.add_member(&pool.id, &name, &user.sub).await,
            Err(error) => Err(error),
        }
    }

    fn client_for(&self, pool: &Pool, asked: &FederatedSignIn) -> Result<Arc<Client>, Error> {
        let provider = &asked.provider;
        let has_it = |client: &Client| {
            let listed = client.settings.supported_identity_providers.as_ref();
            listed.is_some_and(|listed| listed.contains(provider))
        };
        if let Some(id) = &asked.client_id {
            let client = self.client_of(pool, id)?;
            if client.settings.supported_identity_providers.is_some() && !has_it(&client) {
                let message = format!("{provider} is not among the SupportedIdentityProviders of client {id}");
                return Err(Error::InvalidParameter(message));
            }
            return Ok(client);
        }
        let clients = self.clients_of(&pool.id);
        clients.iter().find(|client| has_it(client)).or(clients.first()).cloned().ok_or_else(|| {
            Error::ResourceNotFound(format!("User pool {} has no client to sign in to: create one", pool.id))
        })
    }
}

/// What a provider that was not declared is, by its name.
fn type_of(provider: &str) -> &'static str {
    const SOCIAL: &[&str] = &["Facebook", "Google", "LoginWithAmazon", "SignInWithApple"];
    SOCIAL.iter().find(|name| **name == provider).unwrap_or(&"OIDC")
}

/// A provider's attributes as the pool's: by the mapping that was declared, and nothing else of them. Of a provider that was
/// not declared, or declared without a mapping, by the names that both have.
fn mapped(pool: &Pool, provider: Option<&IdentityProvider>, mut said: BTreeMap<String, String>) -> Vec<AttributeType> {
    let mapping = provider.map(|provider| &provider.attribute_mapping).filter(|mapping| !mapping.is_empty());
    if let Some(mapping) = mapping {
        let mapping = mapping.iter().filter(|(name, _)| *name != USERNAME);
        let value = |(name, theirs): (&String, &String)| {
            Some(AttributeType { name: name.clone(), value: said.get(theirs)?.clone() })
        };
        return mapping.filter_map(value).collect();
    }
    said.remove("sub");
    let schema = Schema::of(&pool.settings).listed();
    let is_known = |name: &String| schema.iter().any(|entry| entry.name == *name);
    said.into_iter().filter(|(name, _)| is_known(name)).map(|(name, value)| AttributeType { name, value }).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::testing::{Kit, claims};
    use crate::trigger::TriggerFailure;

    const TRIGGERS: [&str; 5] =
        ["PreSignUp", "PostConfirmation", "PreAuthentication", "PostAuthentication", "PreTokenGeneration"];

    async fn kit() -> Kit {
        let t = Kit::new().await;
        t.call("CreateIdentityProvider", t.provider("Google")).await.ok();
        for trigger in TRIGGERS {
            t.attach(trigger).await;
        }
        t
    }

    fn ann() -> Value {
        json!({"email": "Ann@example.com", "name": "Ann"})
    }

    #[tokio::test]
    async fn the_first_sign_in_is_a_sign_up() {
        let t = kit().await;
        let first = t.federated("Google", "1035", ann()).await.expect("they sign in");
        let expected = ["PreSignUp_ExternalProvider", "PostConfirmation_ConfirmSignUp", "TokenGeneration_HostedAuth"];
        assert_eq!(t.sources(), expected);
        assert!(first.is_new);
        let events = t.events();
        assert_eq!(events[0]["userName"], "google_1035");
        let asked = json!({
            "userAttributes": {
                "cognito:email_alias": "", "cognito:phone_number_alias": "", "email": "ann@example.com",
                "email_verified": "false",
            },
            "validationData": {},
        });
        assert_eq!(events[0]["request"], asked);
        let told = &events[1]["request"]["userAttributes"];
        assert_eq!(
            (&told["cognito:user_status"], &told["email_verified"]),
            (&json!("EXTERNAL_PROVIDER"), &json!("false"))
        );
        let identities = r#"[{"userId":"1035","providerName":"Google","providerType":"Google","issuer":null,"primary":true,"dateCreated":1767225600000}]"#;
        assert_eq!(told["identities"], identities);
        assert!(told.get("name").is_none(), "nothing but what is mapped");

        let id = claims(&json!(first.id_token));
        let identity = json!([{
            "userId": "1035", "providerName": "Google", "providerType": "Google", "issuer": null, "primary": "true",
            "dateCreated": "1767225600000",
        }]);
        assert_eq!((&id["identities"], &id["sub"]), (&identity, &json!(first.sub.0)));
        assert_eq!(id["cognito:groups"], json!([format!("{}_Google", t.pool)]));
        let users = t.call("ListUsers", json!({"UserPoolId": t.pool})).await.ok();
        assert_eq!(users["Users"][0]["UserStatus"], "EXTERNAL_PROVIDER");
        assert_eq!(users["Users"][0]["Username"], "google_1035");
    }

    #[tokio::test]
    async fn later_ones_are_sign_ins_and_write_mapped_attributes_anew() {
        let t = kit().await;
        let first = t.federated("Google", "1035", ann()).await.expect("they sign in");
        let again = t.federated("Google", "1035", json!({"email": "ann@other.org"})).await.expect("they sign in");
        assert_eq!((again.is_new, &again.sub), (false, &first.sub));
        let expected =
            ["PreAuthentication_Authentication", "PostAuthentication_Authentication", "TokenGeneration_HostedAuth"];
        assert_eq!(t.sources()[3..], expected);
        assert_eq!(t.events()[4]["request"]["userAttributes"]["email"], "ann@other.org");
        let disable = json!({"UserPoolId": t.pool, "Username": again.username});
        t.call("AdminDisableUser", disable).await.ok();
        let refused = t.federated("Google", "1035", ann()).await.expect_err("they are disabled");
        assert_eq!(refused.to_string(), "User is not enabled");
    }

    #[tokio::test]
    async fn one_address_may_be_that_of_a_federated_and_of_a_native_user() {
        let t = kit().await;
        t.confirmed("ann@example.com").await;
        t.federated("Google", "1035", ann()).await.expect("they sign in");
        let found = t.call("ListUsers", json!({"UserPoolId": t.pool, "Filter": "email = \"ann@example.com\""})).await;
        assert_eq!(found.ok()["Users"].as_array().map(Vec::len), Some(2));
        t.sign_in("ann@example.com").await;
    }

    #[tokio::test]
    async fn who_is_refused_is_nobody() {
        let t = kit().await;
        t.trigger_answers(Err(TriggerFailure::Function("not from there".into())));
        let refused = t.federated("Google", "1035", ann()).await.expect_err("the function refuses");
        assert_eq!(refused.to_string(), "PreSignUp failed with error not from there.");
        let users = t.call("ListUsers", json!({"UserPoolId": t.pool})).await.ok();
        assert_eq!(users["Users"], json!([]));
    }

    #[tokio::test]
    async fn what_is_required_and_not_given_is_named_before_any_function_runs() {
        let schema = json!([{"Name": "birthdate", "Required": true}, {"Name": "name", "Required": true}]);
        let t = Kit::with_pool(json!({"PoolName": "p", "Schema": schema})).await;
        t.attach("PreSignUp").await;
        let refused = t.federated("Google", "1035", ann()).await.expect_err("no birthdate");
        assert_eq!(refused.to_string(), "attributes required: [birthdate]");
        assert!(t.sources().is_empty());
    }

    #[tokio::test]
    async fn the_function_of_inbound_federation_has_the_say_about_attributes() {
        let t = Kit::new().await;
        let function = "arn:aws:lambda:us-east-1:000000000000:function:hook";
        let config = json!({"InboundFederation": {"LambdaVersion": "V1_0", "LambdaArn": function}});
        t.call("UpdateUserPool", json!({"UserPoolId": t.pool, "LambdaConfig": config})).await.ok();
        t.trigger_changes_response(json!({"userAttributesToMap": {"email": "other@example.com"}}));
        t.federated("Acme", "7", ann()).await.expect("they sign in");
        let event = t.events().remove(0);
        assert_eq!(event["triggerSource"], "InboundFederation_ExternalProvider");
        let request = json!({
            "providerName": "Acme", "providerType": "OIDC",
            "attributes": {"tokenResponse": {}, "idToken": {}, "userInfo": ann()},
        });
        assert_eq!(event["request"], request);
        let user = t.call("AdminGetUser", json!({"UserPoolId": t.pool, "Username": "acme_7"})).await.ok();
        let attributes = user["UserAttributes"].to_string();
        assert!(attributes.contains("other@example.com") && !attributes.contains(r#""name""#), "{attributes}");
    }

    #[tokio::test]
    async fn a_client_that_lists_providers_takes_no_other() {
        let t = kit().await;
        t.call("CreateIdentityProvider", t.provider("Other")).await.ok();
        let client = json!({
            "UserPoolId": t.pool, "ClientId": t.client, "SupportedIdentityProviders": ["COGNITO", "Other"],
        });
        t.call("UpdateUserPoolClient", client).await.ok();
        let refused = t.federated("Google", "1035", ann()).await.expect_err("not this one");
        assert!(refused.to_string().contains("SupportedIdentityProviders"), "{refused}");
    }
}
