//! Signing in: from what somebody proves to tokens, or to the next thing that they must prove.
//!
//! The order of checks is Cognito's: client and flow, secret hash, user (or migration), lock-out, the
//! `PreAuthentication` function, enabled, password, and only with the right password the user's status. Then come the
//! `PostAuthentication` function and the one that changes tokens. Not here: the wire's shapes (`ops/`), the arithmetic
//! (`srp.rs`). MFA, devices and custom challenges are not there yet.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use aws_api::Call;
use serde::{Deserialize, Serialize};
use world::Timestamp;

use crate::access::{is_signed_out, sign_in_id};
use crate::attributes::{AttributeType, Author, Schema};
use crate::client::Client;
use crate::federation::IDENTITIES;
use crate::group::Membership;
use crate::pool::Pool;
use crate::session::{self, Opened, Purpose, SessionError};
use crate::srp::{Challenge, Proof, SrpError, Verifier};
use crate::store::AliasConflict;
use crate::token::{Grant, Tokens, USER_ADMIN_SCOPE, mint};
use crate::trigger::{ClientMetadata, Context, Source};
use crate::user::{Status, Sub, User};
use crate::{Error, UserPools};

/// What a caller sent along: `AuthParameters` or `ChallengeResponses`.
pub type Parameters = HashMap<String, String>;

/// One call that signs somebody in, or goes on with it.
pub struct SignIn<'a> {
    pub room: &'a UserPools,
    pub pool: Arc<Pool>,
    pub client: Arc<Client>,
    pub call: &'a Call,
    /// What was sent along with the answer to a challenge, for the triggers that follow. What is sent along at the
    /// start does not reach those.
    pub metadata: Option<&'a ClientMetadata>,
    /// What was sent along at the start, for the triggers that run then.
    pub validation_data: Option<&'a ClientMetadata>,
}

/// How far it came.
pub enum Progress {
    /// All is proven.
    SignedIn(Granted),
    /// This must be answered first.
    Challenged {
        /// `ChallengeNameType`.
        name: &'static str,
        /// None where the parameters carry it: AWS's `PASSWORD_VERIFIER` works without.
        session: Option<String>,
        parameters: HashMap<&'static str, String>,
    },
}

/// Tokens for somebody.
pub struct Granted {
    pub tokens: Tokens,
    pub access_life: Duration,
    /// None at a refresh: the old one stays good.
    pub refresh_token: Option<String>,
}

/// What `SECRET_BLOCK` carries from `InitiateAuth` to `RespondToAuthChallenge`.
#[derive(Serialize, Deserialize)]
struct SecretBlock {
    client: String,
    /// As `USER_ID_FOR_SRP` named them.
    user_id: String,
    /// None if there is no such user, and nobody must learn that.
    sub: Option<Sub>,
    challenge: Challenge,
}

/// What `Session` carries when a new password is asked for.
#[derive(Serialize, Deserialize)]
struct NewPasswordSession {
    client: String,
    sub: Sub,
}

/// What a refresh token carries.
#[derive(Serialize, Deserialize)]
pub struct RefreshToken {
    pub client: String,
    pub sub: Sub,
    pub origin_jti: String,
    pub event_id: String,
    /// Milliseconds since the epoch.
    pub auth_time: i64,
}

impl SignIn<'_> {
    /// `USER_PASSWORD_AUTH` and `ADMIN_USER_PASSWORD_AUTH`.
    pub async fn by_password(&self, parameters: &Parameters) -> Result<Progress, Error> {
        let (username, password) = (required(parameters, "USERNAME")?, required(parameters, "PASSWORD")?);
        self.check_secret_hash(parameters, username)?;
        let found = match self.find(username).await? {
            Some(user) => Some(user),
            None => self.migrate(username, password).await?,
        };
        self.admit(username, found.as_ref()).await?;
        let Some(user) = found else {
            if self.client.settings.hides_users() {
                self.take_as_long(username, password).await?;
            }
            return Err(self.unknown_user());
        };
        let right = match user.verifier.clone() {
            Some(verifier) => self.is_right(verifier, &user, password).await?,
            None => return Err(self.without_password(&user)),
        };
        self.password_checked(user, right).await
    }

    /// `USER_SRP_AUTH`: the first half.
    pub async fn begin_srp(&self, parameters: &Parameters) -> Result<Progress, Error> {
        let (username, srp_a) = (required(parameters, "USERNAME")?, required(parameters, "SRP_A")?.to_owned());
        self.check_secret_hash(parameters, username)?;
        let user = self.find(username).await?;
        if user.is_none() && !self.client.settings.hides_users() {
            return Err(self.unknown_user());
        }
        self.admit(username, user.as_ref()).await?;
        let nobody = || Verifier::of_nobody(&self.pool.secret, self.pool.id.short_name(), username);
        let verifier = user.as_ref().and_then(|user| user.verifier.clone()).unwrap_or_else(nobody);
        let salt = verifier.salt_hex();
        let random = self.room.world.random.clone();
        let begun = blocking(move || Challenge::begin(&srp_a, &verifier, &random)).await?;
        let (challenge, srp_b) = begun.map_err(|error| Error::InvalidParameter(error.to_string()))?;
        let user_id = user.as_ref().map_or_else(|| self.pool.settings.fold(username), |user| user.username.clone());
        let block = SecretBlock {
            client: self.client.id.0.clone(),
            user_id: user_id.clone(),
            sub: user.map(|user| user.sub),
            challenge,
        };
        let parameters = HashMap::from([
            ("SALT", salt),
            ("SECRET_BLOCK", self.seal(Purpose::SecretBlock, &block)),
            ("SRP_B", srp_b),
            ("USERNAME", user_id.clone()),
            ("USER_ID_FOR_SRP", user_id),
        ]);
        Ok(Progress::Challenged { name: "PASSWORD_VERIFIER", session: None, parameters })
    }

    /// `PASSWORD_VERIFIER`: the second half.
    pub async fn finish_srp(&self, responses: &Parameters) -> Result<Progress, Error> {
        let username = required(responses, "USERNAME")?;
        let block = required(responses, "PASSWORD_CLAIM_SECRET_BLOCK")?;
        let signature = required(responses, "PASSWORD_CLAIM_SIGNATURE")?;
        let timestamp = required(responses, "TIMESTAMP")?;
        self.check_secret_hash(responses, username)?;
        let proof = Proof::read(block, signature, timestamp).map_err(|error| match error {
            SrpError::Timestamp | SrpError::PublicKey => Error::InvalidParameter(error.to_string()),
        })?;
        let opened: SecretBlock = self.open_once(Purpose::SecretBlock, block, |block: &SecretBlock| &block.client)?;
        let user = match &opened.sub {
            Some(sub) => self.room.store.user(&self.pool.id, sub).await?,
            None => None,
        };
        let Some(user) = user else { return Err(Error::wrong_credentials()) };
        self.check_admitted(&user)?;
        let Some(verifier) = user.verifier.clone() else { return Err(self.without_password(&user)) };
        let pool_name = self.pool.id.short_name().to_owned();
        let verify = move || opened.challenge.verify(&verifier, &pool_name, &opened.user_id, &proof);
        let right = blocking(verify).await?;
        self.password_checked(user, right).await
    }

    /// `NEW_PASSWORD_REQUIRED`: somebody whom an administrator made chooses a password. No PostConfirmation here.
    pub async fn new_password(&self, session: Option<&str>, responses: &Parameters) -> Result<Progress, Error> {
        let (username, password) = (required(responses, "USERNAME")?, required(responses, "NEW_PASSWORD")?);
        self.check_secret_hash(responses, username)?;
        let session = session.ok_or_else(|| missing("Session"))?;
        let opened: Opened<NewPasswordSession> = self.open(Purpose::Challenge, session)?;
        if opened.payload.client != self.client.id.0 {
            return Err(invalid_session());
        }
        self.pool.check_password(password)?; // the same session may be used again after this
        let user = self.room.store.user(&self.pool.id, &opened.payload.sub).await?.ok_or_else(invalid_session)?;
        self.check_admitted(&user)?;
        let given = new_attributes(responses);
        let schema = Schema::of(&self.pool.settings);
        schema.check(&given, Author::Newcomer)?;
        if let Some(existing) = given.iter().find(|given| user.attributes.get(&given.name).is_some()) {
            let message = format!("Cannot modify an already provided {}", existing.name);
            return Err(Error::NotAuthorized(message));
        }
        let is_given = |name: &str| given.iter().any(|given| given.name == name && !given.value.is_empty());
        schema.check_required(|name| user.attributes.get(name).is_some() || is_given(name))?;
        if !self.room.spent.spend(opened.stamp, self.now()) {
            return Err(invalid_session());
        }
        let verifier = self.room.verifier(&self.pool, &user.username, password.to_owned()).await?;
        let (settings, now) = (self.pool.settings.clone(), self.now());
        let change = move |user: &mut User| {
            if user.status != Status::ForceChangePassword {
                return Err(invalid_session());
            }
            for attribute in &given {
                user.attributes.set(&attribute.name, settings.folded(attribute));
            }
            user.verifier = Some(verifier);
            user.status = Status::Confirmed;
            user.temporary_password_until = None;
            user.modified = now;
            Ok(())
        };
        let (user, ()) = self.room.store.update_user(&self.pool, &user.sub, AliasConflict::Refuse, change).await?;
        self.call.about(user.known_as());
        self.complete(user, Source::TokenGenerationNewPassword).await
    }

    /// The end of a sign-in at an identity provider.
    pub async fn hosted(&self, user: User) -> Result<Granted, Error> {
        self.grant(user, None, Source::TokenGenerationHosted).await
    }

    /// `REFRESH_TOKEN_AUTH`.
    pub async fn refresh(&self, parameters: &Parameters) -> Result<Progress, Error> {
        let token = required(parameters, "REFRESH_TOKEN")?;
        let (refresh, user) = self.open_refresh_token(token).await?;
        self.check_secret_hash(parameters, &user.username)?;
        self.grant(user, Some(refresh), Source::TokenGenerationRefresh).await.map(Progress::SignedIn)
    }

    /// The same without a secret hash: whoever calls has proven the secret itself.
    pub async fn refresh_by_secret(&self, token: &str) -> Result<Granted, Error> {
        let (refresh, user) = self.open_refresh_token(token).await?;
        self.grant(user, Some(refresh), Source::TokenGenerationRefresh).await
    }

    async fn open_refresh_token(&self, token: &str) -> Result<(RefreshToken, User), Error> {
        let refused = |message: &str| Error::NotAuthorized(message.into());
        let opened = session::open::<RefreshToken>(&self.pool.secret, Purpose::RefreshToken, token, self.now());
        let refresh = match opened {
            Ok(opened) if opened.payload.client == self.client.id.0 => opened.payload,
            Err(SessionError::Expired) => return Err(refused("Refresh Token has expired")),
            Ok(_) | Err(SessionError::Invalid) => return Err(refused("Invalid Refresh Token")),
        };
        let user = self.room.store.user(&self.pool.id, &refresh.sub).await?;
        let user = user.ok_or_else(|| refused("Invalid Refresh Token"))?;
        self.call.about(user.known_as());
        if !user.enabled {
            return Err(Error::user_disabled());
        }
        let revoked = self.room.is_revoked(&self.pool, Some(&refresh.origin_jti)).await?;
        if revoked || is_signed_out(&refresh.event_id, &user) {
            return Err(refused("Refresh Token has been revoked"));
        }
        Ok((refresh, user))
    }

    /// Whether a password belongs to somebody, worked out beside the requests.
    async fn is_right(&self, verifier: Verifier, user: &User, password: &str) -> Result<bool, Error> {
        let (pool_name, user_id) = (self.pool.id.short_name().to_owned(), user.username.clone());
        let password = password.to_owned();
        blocking(move || verifier.matches(&pool_name, &user_id, &password)).await
    }

    /// Checks the password of nobody: an answer that comes at once would tell that there is nobody.
    async fn take_as_long(&self, username: &str, password: &str) -> Result<(), Error> {
        let pool_name = self.pool.id.short_name().to_owned();
        let nobody = Verifier::of_nobody(&self.pool.secret, &pool_name, username);
        let (username, password) = (username.to_owned(), password.to_owned());
        blocking(move || nobody.matches(&pool_name, &username, &password)).await?;
        Ok(())
    }

    /// What follows once a password was checked.
    async fn password_checked(&self, user: User, right: bool) -> Result<Progress, Error> {
        if !right {
            self.room.lockout.failed(user.row, self.now());
            return Err(Error::wrong_credentials());
        }
        self.room.lockout.succeeded(user.row);
        match user.status {
            Status::Unconfirmed => Err(Error::UserNotConfirmed),
            Status::ResetRequired => Err(Error::PasswordResetRequired),
            Status::ForceChangePassword if user.temporary_password_until.is_some_and(|until| self.now() >= until) => {
                let message = "Temporary password has expired and must be reset by an administrator.";
                Err(Error::NotAuthorized(message.into()))
            }
            Status::ForceChangePassword => Ok(self.ask_for_new_password(&user)),
            Status::Confirmed => self.complete(user, Source::TokenGenerationAuthentication).await,
            Status::ExternalProvider => Err(Error::wrong_credentials()), // who has no password here
        }
    }

    /// The end of a sign-in where all is proven.
    async fn complete(&self, user: User, source: Source) -> Result<Progress, Error> {
        self.report_missing_factor(&user);
        self.triggers().post_authentication(&user).await?;
        self.grant(user, None, source).await.map(Progress::SignedIn)
    }

    /// Where a pool demands a second factor, AWS would ask for it now. Nothing here can, and that is said each time:
    /// whoever tests against such a pool must know what was not tested.
    fn report_missing_factor(&self, user: &User) {
        if self.pool.settings.mfa_configuration.as_deref() != Some("ON") {
            return;
        }
        let text =
            format!("MfaConfiguration of {} is ON: AWS would ask for a second factor before the tokens", self.pool.id);
        tracing::warn!(pool = %self.pool.id, sub = %user.sub, "{text}");
        let timeline = &self.room.world.timeline;
        let moment = timeline.moment(world::Kind::Warning, text).trace(Some(self.call.trace.clone()));
        timeline.record(moment.about(user.known_as()));
    }

    fn ask_for_new_password(&self, user: &User) -> Progress {
        let missing: Vec<String> = Schema::of(&self.pool.settings)
            .required()
            .filter(|name| user.attributes.get(name).is_none())
            .map(|name| format!("userAttributes.{name}"))
            .collect();
        let attributes: HashMap<_, _> = user.attributes.iter().collect();
        let json = |value: &dyn Fn() -> serde_json::Result<String>| value().unwrap_or_default(); // texts alone
        let session = NewPasswordSession { client: self.client.id.0.clone(), sub: user.sub.clone() };
        Progress::Challenged {
            name: "NEW_PASSWORD_REQUIRED",
            session: Some(self.seal(Purpose::Challenge, &session)),
            parameters: HashMap::from([
                ("USER_ID_FOR_SRP", user.username.clone()),
                ("requiredAttributes", json(&|| serde_json::to_string(&missing))),
                ("userAttributes", json(&|| serde_json::to_string(&attributes))),
            ]),
        }
    }

    /// Tokens for somebody who has proven who they are; with `refreshed`, in the name of an earlier sign-in.
    async fn grant(&self, user: User, refreshed: Option<RefreshToken>, source: Source) -> Result<Granted, Error> {
        let (room, settings) = (self.room, &self.client.settings);
        let mut membership = Membership::of(&room.store.groups_of(&user).await?);
        let triggers = self.triggers();
        let changes = triggers.pre_token_generation(source, &user, &mut membership, &[USER_ADMIN_SCOPE]).await?;
        let now = self.now();
        let is_refresh = refreshed.is_some();
        let sign_in = refreshed.unwrap_or_else(|| RefreshToken {
            client: self.client.id.0.clone(),
            sub: user.sub.clone(),
            origin_jti: room.world.random.uuid(),
            event_id: sign_in_id(&room.world.random, &user),
            auth_time: now.millis(),
        });
        let refresh_token = (!is_refresh).then(|| {
            let expires = now.plus(settings.refresh_token_life());
            session::seal(&self.pool.secret, Purpose::RefreshToken, expires, &sign_in, &room.world.random)
        });
        let access_life = settings.access_token_life();
        let keys = room.keys(&self.pool.id).await?;
        let (issuer, client, random) = (self.pool.id.issuer(), Arc::clone(&self.client), room.world.random.clone());
        let tokens = blocking(move || {
            let readable =
                user.attributes.iter().filter(|(name, _)| *name == IDENTITIES || client.settings.may_read(name));
            let attributes: Vec<_> = readable.map(|(name, value)| (name.as_str(), value.as_str())).collect();
            let grant = Grant {
                issuer: &issuer,
                client_id: &client.id.0,
                sub: &user.sub.0,
                username: &user.username,
                attributes: &attributes,
                membership: &membership,
                scope: USER_ADMIN_SCOPE,
                origin_jti: client.settings.revokes_tokens().then_some(sign_in.origin_jti.as_str()),
                event_id: &sign_in.event_id,
                auth_time: Timestamp::from_millis(sign_in.auth_time),
                now,
                id_life: client.settings.id_token_life(),
                access_life,
            };
            mint(&keys, &grant, changes.as_ref(), &random)
        });
        Ok(Granted { tokens: tokens.await?, access_life, refresh_token })
    }

    async fn find(&self, username: &str) -> Result<Option<User>, Error> {
        let user = self.room.store.find_user(&self.pool, username).await?;
        if let Some(user) = &user {
            self.call.about(user.known_as());
        }
        Ok(user)
    }

    /// The user whom the pool's function knows, if it has one.
    async fn migrate(&self, username: &str, password: &str) -> Result<Option<User>, Error> {
        let (client, source) = (&self.client, Source::UserMigrationAuthentication);
        let triggers = self.room.trigger_context(&self.pool, Some(&client.id), None, self.call);
        let password = Some(password);
        let migrated = self.room.migrate(&triggers, source, client, username, password, self.validation_data).await?;
        if let Some(user) = &migrated {
            self.call.about(user.known_as());
        }
        Ok(migrated)
    }

    /// Whether somebody may try to sign in: not locked out, not refused by the `PreAuthentication` function, not
    /// disabled. That function is asked about nobody too where the client hides who is there.
    async fn admit(&self, username: &str, user: Option<&User>) -> Result<(), Error> {
        if let Some(user) = user {
            self.check_unlocked(user)?;
        }
        let hides_users = self.client.settings.hides_users();
        if user.is_some() || hides_users {
            let triggers = self.room.trigger_context(&self.pool, Some(&self.client.id), None, self.call);
            triggers.pre_authentication(username, user, hides_users, self.validation_data).await?;
        }
        user.map_or(Ok(()), |user| self.check_admitted(user))
    }

    fn triggers(&self) -> Context<'_> {
        self.room.trigger_context(&self.pool, Some(&self.client.id), self.metadata, self.call)
    }

    fn check_unlocked(&self, user: &User) -> Result<(), Error> {
        if self.room.lockout.is_locked(user.row, self.now()) {
            return Err(Error::NotAuthorized("Password attempts exceeded".into()));
        }
        Ok(())
    }

    fn check_admitted(&self, user: &User) -> Result<(), Error> {
        self.check_unlocked(user)?;
        if user.enabled { Ok(()) } else { Err(Error::user_disabled()) }
    }

    fn check_secret_hash(&self, parameters: &Parameters, username: &str) -> Result<(), Error> {
        self.client.check_secret_hash(username, parameters.get("SECRET_HASH").map(String::as_str))
    }

    /// Nobody knows a password of whoever has none. Of those who were imported, and must set one first, that is told where
    /// the client hides nobody ("Managing user existence error responses").
    fn without_password(&self, user: &User) -> Error {
        if user.status == Status::ResetRequired && !self.client.settings.hides_users() {
            Error::PasswordResetRequired
        } else {
            Error::wrong_credentials()
        }
    }

    fn unknown_user(&self) -> Error {
        if self.client.settings.hides_users() { Error::wrong_credentials() } else { Error::no_such_user() }
    }

    fn seal(&self, purpose: Purpose, payload: &impl Serialize) -> String {
        let expires = self.now().plus(self.client.settings.session_life());
        session::seal(&self.pool.secret, purpose, expires, payload, &self.room.world.random)
    }

    fn open<T: serde::de::DeserializeOwned>(&self, purpose: Purpose, token: &str) -> Result<Opened<T>, Error> {
        session::open(&self.pool.secret, purpose, token, self.now()).map_err(|error| match error {
            SessionError::Expired => Error::NotAuthorized("Invalid session for the user, session is expired.".into()),
            SessionError::Invalid => invalid_session(),
        })
    }

    /// Opens what this client may use once, and uses it up.
    fn open_once<T: serde::de::DeserializeOwned>(
        &self,
        purpose: Purpose,
        token: &str,
        client: impl Fn(&T) -> &String,
    ) -> Result<T, Error> {
        let opened = self.open::<T>(purpose, token)?;
        let ours = *client(&opened.payload) == self.client.id.0;
        if !ours || !self.room.spent.spend(opened.stamp, self.now()) {
            return Err(invalid_session());
        }
        Ok(opened.payload)
    }

    fn now(&self) -> Timestamp {
        self.room.world.clock.now()
    }
}

/// `userAttributes.name` among the responses.
fn new_attributes(responses: &Parameters) -> Vec<AttributeType> {
    let given = responses.iter().filter_map(|(name, value)| Some((name.strip_prefix("userAttributes.")?, value)));
    given.map(|(name, value)| AttributeType { name: name.into(), value: value.clone() }).collect()
}

fn required<'a>(parameters: &'a Parameters, name: &str) -> Result<&'a str, Error> {
    parameters.get(name).map(String::as_str).filter(|value| !value.is_empty()).ok_or_else(|| missing(name))
}

fn missing(name: &str) -> Error {
    Error::InvalidParameter(format!("Missing required parameter {name}"))
}

fn invalid_session() -> Error {
    Error::NotAuthorized("Invalid session for the user.".into())
}

/// Arithmetic beside the requests.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Error> {
    let worked = tokio::task::spawn_blocking(work).await;
    worked.map_err(|_| Error::Internal(storage::StorageError::Closed)) // the process is stopping
}
