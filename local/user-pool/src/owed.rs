//! A trigger that must run on account of a change.
//!
//! `ConfirmSignUp` stores that somebody is confirmed, and then tells the PostConfirmation function, in which an
//! application does what must not be missed. If the process died between the two, nobody would ever be told: the user
//! is confirmed, and no further call would be. (What Cognito does when one of its own machines dies there, AWS does not
//! say; nobody who waits on it ever sees it.) So what is owed is stored with the change, in one transaction, and
//! forgotten when the function has had its turn, whatever came of it: a function that fails is the caller's affair and
//! is not run again, as on AWS. What is still owed at a start is run then ([`UserPools::resume`]).
//!
//! A caller who hangs up ends nothing: the trigger runs to its end in a task of its own.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use aws_api::Call;
use serde::{Deserialize, Serialize};
use storage::StorageError;
use world::TraceId;

use crate::client::ClientId;
use crate::pool::Pool;
use crate::trigger::{ClientMetadata, Context, Source};
use crate::user::User;
use crate::{Error, UserPools};

/// What a trigger must be told of a user.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Owed {
    /// In the store; 0 before it is there.
    #[serde(skip)]
    pub id: i64,
    source: Source,
    client: Option<ClientId>,
    metadata: Option<ClientMetadata>,
    trace: String,
}

impl Owed {
    /// What the change of a user owes; nothing if the pool has no such trigger. It belongs into [`User::owed`], and
    /// after the change into [`UserPools::pay`].
    pub fn of(
        pool: &Pool,
        source: Source,
        client: Option<&ClientId>,
        metadata: Option<ClientMetadata>,
        call: &Call,
    ) -> Option<Self> {
        source.function(pool)?;
        Some(Self { id: 0, source, client: client.cloned(), metadata, trace: call.trace.as_str().to_owned() })
    }
}

/// Counts a trigger that is owed and has not had its turn, or an import that has not ended.
pub(crate) struct Unfinished(Arc<AtomicUsize>);

impl Unfinished {
    pub(crate) fn new(count: &Arc<AtomicUsize>) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(count))
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl UserPools {
    /// Runs the trigger that a stored change owes, if it owes one.
    pub(crate) async fn pay(&self, pool: &Arc<Pool>, mut user: User) -> Result<(), Error> {
        let (Some(owed), Some(room)) = (user.owed.take(), self.this.upgrade()) else { return Ok(()) };
        let (pool, unfinished) = (Arc::clone(pool), Unfinished::new(&self.unfinished));
        let paid = tokio::spawn(async move {
            let result = room.run_owed(&pool, &user, &owed).await;
            drop(unfinished);
            result
        });
        paid.await.unwrap_or_else(|_| Err(Error::Internal(StorageError::Closed))) // the process is stopping
    }

    /// Runs what is still owed from before this start, one after the other, in the background. Functions must be
    /// able to run, and to reach us.
    pub async fn resume(self: &Arc<Self>) -> Result<(), Error> {
        self.resume_imports().await?;
        let owed = self.store.owed().await?;
        let owed: Vec<_> = owed.into_iter().map(|owed| (owed, Unfinished::new(&self.unfinished))).collect();
        if owed.is_empty() {
            return Ok(());
        }
        tracing::info!(count = owed.len(), "triggers are run that the end of the process before cut short");
        let room = Arc::downgrade(self);
        tokio::spawn(async move {
            for ((user, owed), unfinished) in owed {
                let Some(room) = room.upgrade() else { return };
                let Ok(pool) = room.pool(&user.pool.0) else { continue }; // deleted, and what it owed with it
                if let Err(error) = room.run_owed(&pool, &user, &owed).await {
                    let source = owed.source.as_str();
                    tracing::warn!(source, sub = %user.sub, %error, "a trigger failed and nobody waits for it any more");
                }
                drop(unfinished);
            }
        });
        Ok(())
    }

    /// Triggers that are owed and have not had their turn, and imports that have not ended.
    pub fn unfinished(&self) -> usize {
        self.unfinished.load(Ordering::Relaxed)
    }

    async fn run_owed(&self, pool: &Pool, user: &User, owed: &Owed) -> Result<(), Error> {
        let context = Context {
            world: &self.world,
            triggers: &*self.triggers,
            pool,
            client: owed.client.as_ref(),
            metadata: owed.metadata.as_ref(),
            trace: &TraceId::from_root(&owed.trace),
        };
        let result = context.post_confirmation(owed.source, user).await;
        if let Err(error) = self.store.forget_owed(owed.id).await {
            tracing::error!(%error, "a trigger that has run could not be forgotten; it runs again at the next start");
        }
        result
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use storage::Location;

    use crate::testing::Kit;
    use crate::trigger::TriggerFailure;

    /// A process that dies while the function runs, as its successor sees it: the file, and no answer.
    async fn died_while_confirming(file: &Location) -> Kit {
        let t = Kit::at(file.clone()).await;
        t.attach("PostConfirmation").await;
        t.call("SignUp", t.sign_up("ann@example.com")).await.ok();
        t.trigger_never_answers();
        let confirm = t.confirm("ann@example.com", &t.last_code());
        tokio::select! {
            _ = t.call("ConfirmSignUp", confirm) => panic!("the function never answers"),
            () = t.trigger_runs() => {}
        }
        t
    }

    #[tokio::test]
    async fn what_a_dead_process_owed_is_paid_at_the_next_start() {
        let directory = tempfile::tempdir().expect("a directory");
        let file = Location::File(directory.path().join("pools.db"));
        let dead = died_while_confirming(&file).await;
        let next = Kit::again(file.clone(), &dead).await;
        next.resume().await;
        assert_eq!(next.sources(), ["PostConfirmation_ConfirmSignUp"]);
        let event = &next.events()[0];
        assert_eq!(event["request"]["userAttributes"]["cognito:user_status"], "CONFIRMED");
        assert_eq!(event["callerContext"]["clientId"], dead.client.as_str());

        let third = Kit::again(file, &dead).await;
        third.resume().await;
        assert!(third.sources().is_empty());
    }

    #[tokio::test]
    async fn a_function_that_fails_has_had_its_turn() {
        let directory = tempfile::tempdir().expect("a directory");
        let file = Location::File(directory.path().join("pools.db"));
        let t = Kit::at(file.clone()).await;
        t.attach("PostConfirmation").await;
        t.trigger_answers(Err(TriggerFailure::Function("no".into())));
        t.call("SignUp", t.sign_up("ann@example.com")).await.ok();
        let confirm = json!({"UserPoolId": t.pool, "Username": "ann@example.com"});
        t.call("AdminConfirmSignUp", confirm).await.error("UserLambdaValidationException");
        let next = Kit::again(file, &t).await;
        next.resume().await;
        assert!(next.sources().is_empty());
    }

    #[tokio::test]
    async fn a_caller_who_hangs_up_ends_nothing() {
        let directory = tempfile::tempdir().expect("a directory");
        let t = died_while_confirming(&Location::File(directory.path().join("pools.db"))).await;
        assert_eq!(t.unfinished(), 1);
    }
}
