//! The functions that a pool runs around sign-up, sign-in, tokens and messages.
//!
//! Synchronous, five seconds an attempt, three attempts when one times out; what the function throws reaches the
//! caller in Cognito's words. The triggers of custom challenges and custom senders are not run yet (setting one is
//! reported).
//!
//! A failing PostConfirmation leaves the user CONFIRMED: it runs after the change of state.
//!
//! Here is what all of them share, and those with little to say; the others have files of their own.

mod custom_message;
mod federation;
mod migration;
mod pre_token;

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use tokio::time::Instant;
use world::{Kind, Outcome, TraceId, World};

use crate::Error;
use crate::attributes::Attributes;
use crate::client::ClientId;
use crate::message::Subject;
use crate::pool::Pool;
use crate::user::User;
pub use migration::Migrant;

/// Fixed by Cognito, whatever the function's own time-out.
const TIME_LIMIT: Duration = Duration::from_secs(5);
/// Attempts in all, when they time out.
const ATTEMPTS_MAX: u32 = 3;
/// What `callerContext.clientId` says where no client is part of the call.
const NO_CLIENT: &str = "CLIENT_ID_NOT_APPLICABLE";

/// Data that the caller of an operation sends along for the function.
pub type ClientMetadata = Map<String, Value>;

/// Who runs functions; `server` hands it in.
#[async_trait]
pub trait Triggers: Send + Sync {
    /// Waits until a function could start at once, which is no part of its five seconds: on AWS it was built before.
    async fn prepare(&self, _function_arn: &str) {}

    /// Runs a function once and waits for what it returns.
    async fn invoke(&self, call: TriggerCall) -> Result<Bytes, TriggerFailure>;
}

/// One attempt to run a trigger.
#[derive(Clone, Debug)]
pub struct TriggerCall {
    /// `PostConfirmation`, `PreSignUp`, …
    pub trigger: &'static str,
    /// The function.
    pub function_arn: String,
    /// Whose invoke permission is checked: the principal is `cognito-idp.amazonaws.com`.
    pub pool_arn: String,
    /// The event, as JSON.
    pub event: Bytes,
    /// The request that it belongs to.
    pub trace: TraceId,
    /// How long the caller waits.
    pub time_limit: Duration,
}

/// Why an attempt brought no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TriggerFailure {
    /// The function threw; its `errorMessage`.
    Function(String),
    /// No answer within the limit.
    TimedOut,
    /// The function could not be run: Lambda's exception (`AccessDeniedException`, `ResourceNotFoundException`, …).
    Refused(String),
}

/// Where in Cognito's flows a trigger runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Source {
    /// `SignUp`.
    PreSignUp,
    /// `AdminCreateUser`.
    PreSignUpAdminCreateUser,
    /// The first federated sign-in.
    PreSignUpExternalProvider,
    /// `ConfirmSignUp`, `AdminConfirmSignUp`, `SignUp` when it was confirmed at once, and the first federated sign-in.
    PostConfirmation,
    /// `ConfirmForgotPassword`.
    PostConfirmationForgotPassword,
    /// The start of a sign-in.
    PreAuthentication,
    /// The end of a sign-in.
    PostAuthentication,
    /// Tokens of a sign-in.
    TokenGenerationAuthentication,
    /// Tokens of somebody who has just replaced a temporary password.
    TokenGenerationNewPassword,
    /// Tokens for a refresh token.
    TokenGenerationRefresh,
    /// Tokens of a federated sign-in, as of managed login.
    TokenGenerationHosted,
    /// Before a message.
    CustomMessage(Subject),
    /// A password sign-in of nobody.
    UserMigrationAuthentication,
    /// `ForgotPassword` of nobody.
    UserMigrationForgotPassword,
    /// A federated sign-in, before anything comes of it.
    InboundFederation,
}

impl Source {
    /// `triggerSource`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::PreSignUp => "PreSignUp_SignUp",
            Self::PreSignUpAdminCreateUser => "PreSignUp_AdminCreateUser",
            Self::PreSignUpExternalProvider => "PreSignUp_ExternalProvider",
            Self::PostConfirmation => "PostConfirmation_ConfirmSignUp",
            Self::PostConfirmationForgotPassword => "PostConfirmation_ConfirmForgotPassword",
            Self::PreAuthentication => "PreAuthentication_Authentication",
            Self::PostAuthentication => "PostAuthentication_Authentication",
            Self::TokenGenerationAuthentication => "TokenGeneration_Authentication",
            Self::TokenGenerationNewPassword => "TokenGeneration_NewPasswordChallenge",
            Self::TokenGenerationRefresh => "TokenGeneration_RefreshTokens",
            Self::TokenGenerationHosted => "TokenGeneration_HostedAuth",
            Self::CustomMessage(subject) => subject.source(),
            Self::UserMigrationAuthentication => "UserMigration_Authentication",
            Self::UserMigrationForgotPassword => "UserMigration_ForgotPassword",
            Self::InboundFederation => "InboundFederation_ExternalProvider",
        }
    }

    /// The trigger's name in `LambdaConfig`, with which its errors begin.
    pub fn trigger(self) -> &'static str {
        match self {
            Self::PreSignUp | Self::PreSignUpAdminCreateUser | Self::PreSignUpExternalProvider => "PreSignUp",
            Self::PostConfirmation | Self::PostConfirmationForgotPassword => "PostConfirmation",
            Self::PreAuthentication => "PreAuthentication",
            Self::PostAuthentication => "PostAuthentication",
            Self::TokenGenerationAuthentication
            | Self::TokenGenerationNewPassword
            | Self::TokenGenerationRefresh
            | Self::TokenGenerationHosted => "PreTokenGeneration",
            Self::CustomMessage(_) => "CustomMessage",
            Self::UserMigrationAuthentication | Self::UserMigrationForgotPassword => "UserMigration",
            Self::InboundFederation => "InboundFederation",
        }
    }

    /// The function that the pool has for it.
    pub fn function(self, pool: &Pool) -> Option<&str> {
        let config = &pool.settings.lambda_config;
        match self {
            Self::PreSignUp | Self::PreSignUpAdminCreateUser | Self::PreSignUpExternalProvider => {
                config.pre_sign_up.as_deref()
            }
            Self::PostConfirmation | Self::PostConfirmationForgotPassword => config.post_confirmation.as_deref(),
            Self::PreAuthentication => config.pre_authentication.as_deref(),
            Self::PostAuthentication => config.post_authentication.as_deref(),
            Self::TokenGenerationAuthentication
            | Self::TokenGenerationNewPassword
            | Self::TokenGenerationRefresh
            | Self::TokenGenerationHosted => config.pre_token_generation().map(|(function, _)| function),
            Self::CustomMessage(_) => config.custom_message.as_deref(),
            Self::UserMigrationAuthentication | Self::UserMigrationForgotPassword => config.user_migration.as_deref(),
            Self::InboundFederation => config.inbound_federation.as_ref().map(|config| config.lambda_arn.as_str()),
        }
    }

    /// The version of the event. Of all triggers, `PreTokenGeneration` alone has more than one.
    fn version(self, pool: &Pool) -> &'static str {
        let config = &pool.settings.lambda_config;
        match self {
            Self::TokenGenerationAuthentication
            | Self::TokenGenerationNewPassword
            | Self::TokenGenerationRefresh
            | Self::TokenGenerationHosted => config.pre_token_generation().map_or("1", |(_, version)| version),
            _ => "1",
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Event<'a> {
    version: &'static str,
    region: &'a str,
    user_pool_id: &'a str,
    user_name: &'a str,
    caller_context: CallerContext<'a>,
    trigger_source: &'static str,
    request: Request<'a>,
    response: Value,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CallerContext<'a> {
    aws_sdk_version: &'static str,
    client_id: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Request<'a> {
    /// What this trigger is told.
    #[serde(flatten)]
    members: Value,
    /// Not there if none was sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    client_metadata: Option<&'a ClientMetadata>,
}

/// What a PreSignUp function decided.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PreSignUpAnswer {
    pub auto_confirm_user: bool,
    pub auto_verify_email: bool,
    pub auto_verify_phone: bool,
}

/// What every trigger of an operation is told.
pub struct Context<'a> {
    pub world: &'a World,
    pub triggers: &'a dyn Triggers,
    pub pool: &'a Pool,
    pub client: Option<&'a ClientId>,
    pub metadata: Option<&'a ClientMetadata>,
    /// The request that it belongs to.
    pub trace: &'a TraceId,
}

impl Context<'_> {
    /// Asks the PreSignUp function whether somebody may sign up. The user does not exist yet: the event has no sub.
    pub async fn pre_sign_up(
        &self,
        source: Source,
        username: &str,
        attributes: &Attributes,
        validation_data: Option<Map<String, Value>>,
    ) -> Result<PreSignUpAnswer, Error> {
        let request = || {
            let attributes = attributes.iter().map(|(name, value)| (name.clone(), Value::from(value.clone())));
            let mut attributes: Map<_, _> = attributes.collect();
            if source == Source::PreSignUpExternalProvider {
                // As recorded; nobody else's event has them any more.
                for alias in ["cognito:email_alias", "cognito:phone_number_alias"] {
                    attributes.insert(alias.into(), "".into());
                }
            }
            json!({"userAttributes": attributes, "validationData": validation_data}) // null if none was sent
        };
        let response = json!({"autoConfirmUser": false, "autoVerifyEmail": false, "autoVerifyPhone": false});
        let Some(response) = self.run(source, username, request, response).await? else {
            return Ok(PreSignUpAnswer::default());
        };
        serde_json::from_value(response).map_err(|_| unrecognizable())
    }

    /// Tells the PostConfirmation function that a user was confirmed, or set a new password.
    pub async fn post_confirmation(&self, source: Source, user: &User) -> Result<(), Error> {
        let request = || json!({"userAttributes": told(user)});
        self.run(source, &user.username, request, json!({})).await.map(drop)
    }

    /// Asks the `PreAuthentication` function whether somebody may try to sign in; of nobody only where the client hides
    /// who is there. What the caller sent along is the validation data here, and nothing else.
    pub async fn pre_authentication(
        &self,
        name: &str,
        user: Option<&User>,
        hides_users: bool,
        validation_data: Option<&ClientMetadata>,
    ) -> Result<(), Error> {
        let request = || {
            let attributes = user.map(told).unwrap_or_default();
            let mut request = json!({"userAttributes": attributes, "validationData": validation_data});
            if hides_users {
                request["userNotFound"] = user.is_none().into();
            }
            request
        };
        let username = user.map_or(name, |user| &user.username);
        self.run(Source::PreAuthentication, username, request, json!({})).await.map(drop)
    }

    /// Tells the `PostAuthentication` function that somebody has signed in. (No device is remembered here.)
    pub async fn post_authentication(&self, user: &User) -> Result<(), Error> {
        let request = || json!({"userAttributes": told(user), "newDeviceUsed": false});
        self.run(Source::PostAuthentication, &user.username, request, json!({})).await.map(drop)
    }

    /// Says by name what a function asked for in vain.
    fn report_ignored(&self, source: Source, username: &str, what: &str) {
        tracing::warn!(pool = %self.pool.id, source = source.as_str(), username, "{what}");
        let text = format!("{}: {what}", source.as_str());
        let moment = self.world.timeline.moment(Kind::Warning, text).trace(Some(self.trace.clone()));
        self.world.timeline.record(moment.about([username]));
    }

    /// The response in what the function returned; nothing if the pool has no such trigger.
    async fn run(
        &self,
        source: Source,
        username: &str,
        request: impl FnOnce() -> Value,
        response: Value,
    ) -> Result<Option<Value>, Error> {
        let Some(function_arn) = source.function(self.pool) else { return Ok(None) };
        let event = Event {
            version: source.version(self.pool),
            region: self.pool.id.region(),
            user_pool_id: &self.pool.id.0,
            user_name: username,
            caller_context: CallerContext {
                aws_sdk_version: "aws-sdk-unknown-unknown",
                client_id: self.client.map_or(NO_CLIENT, |client| &client.0),
            },
            trigger_source: source.as_str(),
            request: Request { members: request(), client_metadata: self.metadata },
            response,
        };
        let event = Bytes::from(serde_json::to_vec(&event).map_err(|_| unrecognizable())?);
        self.triggers.prepare(function_arn).await;
        let mut attempt = 1;
        let answer = loop {
            let trigger_call = TriggerCall {
                function_arn: function_arn.to_owned(),
                pool_arn: self.pool.arn.clone(),
                event: event.clone(),
                trigger: source.trigger(),
                trace: self.trace.clone(),
                time_limit: TIME_LIMIT,
            };
            let last = attempt == ATTEMPTS_MAX;
            match self.attempt(source, username, attempt, trigger_call).await {
                Err(TriggerFailure::TimedOut) if !last => attempt += 1,
                result => break result,
            }
        };
        let answer = answer.map_err(|failure| explain(source, function_arn, failure))?;
        match serde_json::from_slice(&answer) {
            Ok(Value::Object(mut answer)) => Ok(Some(answer.remove("response").unwrap_or_default())),
            _ => Err(unrecognizable()),
        }
    }

    async fn attempt(
        &self,
        source: Source,
        username: &str,
        attempt: u32,
        trigger_call: TriggerCall,
    ) -> Result<Bytes, TriggerFailure> {
        let function_arn = trigger_call.function_arn.clone();
        let function = function_arn.rsplit(':').next().unwrap_or_default();
        let moment = self.world.timeline.moment(Kind::Trigger, format!("{} → {function}", source.as_str()));
        let began = Instant::now();
        let result = match tokio::time::timeout(TIME_LIMIT, self.triggers.invoke(trigger_call)).await {
            Ok(result) => result,
            Err(_) => Err(TriggerFailure::TimedOut),
        };
        let moment = moment.took(began.elapsed()).trace(Some(self.trace.clone())).about([username]);
        let moment = if attempt > 1 { moment.id("attempt", attempt.to_string()) } else { moment };
        self.world.timeline.record(match &result {
            Ok(_) => moment,
            Err(failure) => {
                let retried = *failure == TriggerFailure::TimedOut && attempt < ATTEMPTS_MAX;
                let outcome = if retried { Outcome::Retrying } else { Outcome::Failed };
                moment.outcome(outcome).detail(explain(source, &function_arn, failure.clone()).to_string())
            }
        });
        result
    }
}

fn unrecognizable() -> Error {
    Error::InvalidLambdaResponse("Unrecognizable lambda output".into())
}

/// What a trigger is told of a user.
fn told(user: &User) -> Map<String, Value> {
    let own = [("sub", user.sub.0.as_str()), ("cognito:user_status", user.status.as_str())];
    let own = own.into_iter().map(|(name, value)| (name.to_owned(), Value::from(value)));
    let others = user.attributes.iter().map(|(name, value)| (name.clone(), value.clone().into()));
    own.chain(others).collect()
}

fn explain(source: Source, function_arn: &str, failure: TriggerFailure) -> Error {
    let trigger = source.trigger();
    match (failure, source) {
        (TriggerFailure::Function(message), _) => {
            Error::UserLambdaValidation(format!("{trigger} failed with error {message}."))
        }
        // Named by its ARN, and not by its trigger: keboola/developer-portal#305.
        (TriggerFailure::TimedOut, Source::CustomMessage(_)) => Error::UnexpectedLambda(format!(
            "{function_arn} failed with error Socket timeout while invoking Lambda function."
        )),
        (TriggerFailure::TimedOut, _) => Error::UnexpectedLambda(format!(
            "{trigger} invocation failed due to error Socket timeout while invoking Lambda function."
        )),
        (TriggerFailure::Refused(exception), _) => {
            Error::UnexpectedLambda(format!("{trigger} invocation failed due to error {exception}."))
        }
    }
}
