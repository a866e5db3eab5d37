//! The end of an account, on its owner's word.
//!
//! 1. Cognito deletes the account, by the caller's own access token: no permission of ours is used, and a token that was
//!    revoked or lacks the scope is refused there. If this fails, nothing has happened.
//! 2. `UserDeleted` goes onto the bus, and the profile becomes a tombstone as after every other deletion.
//! 3. If the bus does not take it, the tombstone is written here. Others hear of the deletion when the reconciler or the
//!    trail's hint tells them.
//! 4. If neither works, the caller is told to repeat the request. Cognito does not know the user then any more, and the
//!    rest is done. A caller who does not repeat it leaves a profile without a user: the reconciler finds it.

use std::time::Duration;

use aws_config::SdkConfig;
use aws_sdk_cognitoidentityprovider::Client;
use aws_sdk_cognitoidentityprovider::error::ProvideErrorMetadata as _;
use tandem_pool::{Bus, reason};
use tandem_profiles::{
    Change, DeletedUser, IdentityEvent, Metadata, Origin, ProfileStore, Standing, Timestamp, UserId,
};

use super::problem::{Kind, Problem};
use super::token::Caller;
use crate::trace::traceparent;

/// The bus's share of the time that a caller waits.
const PUBLISH_TIMEOUT: Duration = Duration::from_secs(2);

/// What has become of the profile of a deleted account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Deleted {
    /// It is erased as soon as the event is delivered.
    Announced,
    /// It is erased.
    Erased,
}

/// The pool's accounts, and what hangs on them.
pub(crate) struct Accounts {
    cognito: Client,
    bus: Bus,
    profiles: ProfileStore,
    user_pool: String,
}

/// Whether the pool had the account.
enum Account {
    Deleted,
    NotThere,
}

impl Accounts {
    pub(crate) fn new(sdk: &SdkConfig, bus: Bus, profiles: ProfileStore, user_pool: &str) -> Self {
        Self { cognito: Client::new(sdk), bus, profiles, user_pool: user_pool.to_owned() }
    }

    /// Deletes the caller's account. `clock` is asked when it is gone: the event is from then.
    pub(crate) async fn delete(
        &self,
        caller: &Caller,
        trace: Option<&str>,
        clock: fn() -> Timestamp,
    ) -> Result<Deleted, Problem> {
        let Some(token) = &caller.access_token else {
            return Err(Problem::new(Kind::MissingScope)
                .detail("an account is deleted by its access token, not by an id token"));
        };
        let account = self.delete_account(token).await?;
        if matches!(account, Account::NotThere) && self.is_erased(&caller.user).await? {
            return Ok(Deleted::Erased);
        }
        self.erase(&caller.user, trace, clock()).await
    }

    async fn delete_account(&self, token: &str) -> Result<Account, Problem> {
        let Err(error) = self.cognito.delete_user().access_token(token).send().await else {
            return Ok(Account::Deleted);
        };
        let service = error.as_service_error();
        let message = service.and_then(|error| error.message()).unwrap_or_default();
        let kind = match service.and_then(|error| error.code()) {
            Some("UserNotFoundException") => return Ok(Account::NotThere),
            // Cognito tells these apart by its words alone.
            Some("NotAuthorizedException") if message.contains("scope") => Kind::MissingScope,
            Some("NotAuthorizedException") if message.contains("disabled") => Kind::AccountDisabled,
            Some("NotAuthorizedException" | "UserNotConfirmedException" | "PasswordResetRequiredException") => {
                Kind::InvalidToken
            }
            _ => Kind::Unavailable,
        };
        let reason = reason(&error);
        if kind == Kind::Unavailable {
            tracing::error!(reason, "the user pool did not delete an account");
            return Err(Problem::new(kind).detail("the user pool does not answer: the account is as it was"));
        }
        tracing::warn!(reason, "the user pool refused to delete an account");
        Err(Problem::new(kind).detail("the user pool refuses the token: the account is as it was"))
    }

    async fn is_erased(&self, user: &UserId) -> Result<bool, Problem> {
        Ok(matches!(self.profiles.standing(user).await?, Standing::Tombstone { .. }))
    }

    async fn erase(&self, user: &UserId, trace: Option<&str>, now: Timestamp) -> Result<Deleted, Problem> {
        let deleted = DeletedUser { user_id: user.clone(), user_pool_id: self.user_pool.clone() };
        // Whoever deletes their own account is signed in; a deletion greets nobody, so nothing depends on it.
        let event = IdentityEvent::new(Change::Deleted(deleted), now, Origin::SignIn);
        let metadata = Metadata { traceparent: traceparent(trace), ..event.metadata };
        let event = IdentityEvent { metadata, ..event };
        let event_id = event.metadata.event_id;
        let published = tokio::time::timeout(PUBLISH_TIMEOUT, self.bus.publish(&event, trace)).await;
        let reason = match published {
            Ok(Ok(bus_event_id)) => {
                tracing::info!(%event_id, user_id = %user, bus_event_id, "account deleted and announced");
                return Ok(Deleted::Announced);
            }
            Ok(Err(turned_down)) => turned_down.reason,
            Err(_) => "time ran out".to_owned(),
        };
        tracing::error!(%event_id, user_id = %user, reason, "account deleted, but the bus was not told");
        match self.profiles.apply(&event, now).await {
            Ok(_) => Ok(Deleted::Erased),
            Err(error) => {
                tracing::error!(%event_id, user_id = %user, "account deleted, but its profile was not: {error}");
                Err(Problem::new(Kind::HalfDeleted))
            }
        }
    }
}
