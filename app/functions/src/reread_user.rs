//! `reread-user`: listens to what CloudTrail tells of calls to Cognito, and reads the user again.
//!
//! Administrators' calls run no trigger, but CloudTrail writes them down and puts them on the default bus, some minutes
//! later on AWS and as well as it can. So they are a hint that something may have changed, and no more: nothing is taken
//! from them but who it was about. The user is read from the pool, compared with the profile, and the bus is told of what
//! differs. What concerns no single user (`DeleteGroup`, imports) is left to the reconciler.
//!
//! `ListUsers` is eventually consistent, and a tombstone is for ever. So a missing user counts as deleted only if the
//! pool says so twice, and a call is behind it that deletes, or a profile that is older than any delay of the list. A user
//! who should be there and is not makes the invocation fail: Lambda tries it again a minute later.

use std::time::Duration;

use aws_config::SdkConfig;
use lambda_runtime::Context;
use serde_json::Value;
use tandem_pool::{Bus, Pool};
use tandem_profiles::{
    Change, DeletedUser, Identity, IdentityEvent, Metadata, Origin, ProfileStore, Stored, Timestamp, UserId,
};

use crate::clock::Running;
use crate::environment::{Invalid, bus_name, event_attributes, optional, table_name};
use crate::error::Error;
use crate::metrics::{Metric, count};
use crate::trace::traceparent;
use crate::trail_event::{Call, Leaves};

/// What `_HANDLER` is for this function.
pub const HANDLER: &str = "reread-user";

/// The calls that change who a user is: what the function's rule should match as `detail.eventName`. Sign-ups are not
/// among them, because they have a trigger; a rule that matches them too does no harm.
pub const OPERATIONS: &[&str] = &[
    "AdminAddUserToGroup",
    "AdminCreateUser",
    "AdminDeleteUser",
    "AdminDeleteUserAttributes",
    "AdminDisableUser",
    "AdminEnableUser",
    "AdminRemoveUserFromGroup",
    "AdminSetUserPassword",
    "AdminUpdateUserAttributes",
    "DeleteUser",
    "DeleteUserAttributes",
    "UpdateUserAttributes",
    "VerifyUserAttribute",
];

/// Between two looks at the pool, where the first one was not what it should have been.
const SECOND_LOOK_DELAY: Duration = Duration::from_millis(500);

/// A user with a profile so young may not be in the pool's list yet.
const YOUNG_MILLIS: i64 = 60_000;

/// What the function is told by its environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Name or ARN of the bus.
    pub bus: String,
    /// The profiles' table.
    pub table: String,
    /// The pool whose users have profiles; every pool unless said.
    pub pool: Option<String>,
    /// Names of the user's attributes that are passed on beside address and name.
    pub attributes: Vec<String>,
}

impl Settings {
    /// From `EVENT_BUS_NAME`, `TABLE_NAME`, `USER_POOL_ID` and `EVENT_ATTRIBUTES`.
    pub fn from_environment() -> Result<Self, Invalid> {
        let (bus, table, pool) = (bus_name()?, table_name()?, optional("USER_POOL_ID"));
        Ok(Self { bus, table, pool, attributes: event_attributes() })
    }
}

/// The function, with its clients made.
pub struct RereadUser {
    bus: Bus,
    pools: aws_sdk_cognitoidentityprovider::Client,
    profiles: ProfileStore,
    settings: Settings,
}

/// What came of a call.
#[derive(Clone, Copy)]
enum Outcome {
    Published,
    Unchanged,
    Tombstoned,
    WithoutUser,
    PassedOver(&'static str),
}

impl Outcome {
    fn words(self) -> &'static str {
        match self {
            Self::Published => "published",
            Self::Unchanged => "unchanged",
            Self::Tombstoned => "the user was deleted",
            Self::WithoutUser => "the call names no user: left to the reconciler",
            Self::PassedOver(why) => why,
        }
    }

    fn metric(self) -> Option<Metric> {
        match self {
            Self::Published => Some(Metric::Published),
            Self::Unchanged => Some(Metric::Unchanged),
            Self::Tombstoned => Some(Metric::Tombstoned),
            Self::WithoutUser => Some(Metric::WithoutUser),
            Self::PassedOver(_) => None,
        }
    }
}

/// What there is to tell.
enum News {
    Change(Change),
    /// Nothing, and why.
    Nothing(Outcome),
}

/// A user of a pool, whom a call was about.
struct Subject<'a> {
    pool: Pool,
    user: &'a UserId,
    leaves: Leaves,
    /// The call said so itself.
    is_pool_named: bool,
}

/// What the pool says, and when it was asked.
struct Look {
    /// Just before: whatever changes while the pool answers must count for newer.
    asked_at: Timestamp,
    /// `None` if there is nobody.
    seen: Option<Seen>,
}

struct Seen {
    identity: Identity,
    has_profile: bool,
}

impl RereadUser {
    /// Over one bus and one table.
    pub fn new(sdk: &SdkConfig, settings: Settings) -> Self {
        Self {
            bus: Bus::new(aws_sdk_eventbridge::Client::new(sdk), &settings.bus),
            pools: aws_sdk_cognitoidentityprovider::Client::new(sdk),
            profiles: ProfileStore::new(aws_sdk_dynamodb::Client::new(sdk), &settings.table),
            settings,
        }
    }

    /// One delivery, which began at the time `now`.
    pub async fn handle(&self, event: &Value, context: &Context, now: Timestamp) -> Result<(), Error> {
        let Some(call) = Call::read(event)? else { return Ok(()) };
        let outcome = self.follow(&call, context.xray_trace_id.as_deref(), Running::since(now)).await?;
        if let Some(metric) = outcome.metric() {
            count(metric);
        }
        let user_id = call.user.as_ref().map(UserId::as_str);
        tracing::info!(outcome = outcome.words(), operation = call.operation, user_id, "call to Cognito");
        Ok(())
    }

    async fn follow(&self, call: &Call, trace: Option<&str>, time: Running) -> Result<Outcome, Error> {
        let ours = self.settings.pool.as_ref();
        if ours.is_some_and(|ours| call.pool.as_ref().is_some_and(|pool| pool != ours)) {
            return Ok(Outcome::PassedOver("another pool"));
        }
        let Some(pool) = call.pool.as_ref().or(ours) else {
            return Ok(Outcome::PassedOver("the call names no pool: set USER_POOL_ID"));
        };
        let Some(user) = &call.user else { return Ok(Outcome::WithoutUser) };
        let pool = Pool::new(self.pools.clone(), pool);
        let subject = Subject { pool, user, leaves: call.leaves(), is_pool_named: call.pool.is_some() };
        let look = self.look_twice(&subject, time).await?;
        let stored = self.profiles.stored(user).await?;
        let asked_at = look.asked_at;
        match subject.news(look, stored)? {
            News::Change(change) => self.publish(change, asked_at, trace).await,
            News::Nothing(outcome) => Ok(outcome),
        }
    }

    /// Looks, and once more if the pool's list seems to be behind, or says that the user is gone.
    async fn look_twice(&self, subject: &Subject<'_>, time: Running) -> Result<Look, Error> {
        let first = self.look(subject, time).await?;
        if first.seen.is_some() && subject.leaves != Leaves::Nobody {
            return Ok(first);
        }
        tokio::time::sleep(SECOND_LOOK_DELAY).await;
        self.look(subject, time).await
    }

    async fn look(&self, subject: &Subject<'_>, time: Running) -> Result<Look, Error> {
        let asked_at = time.now();
        let Some(user) = subject.pool.user(subject.user).await? else { return Ok(Look { asked_at, seen: None }) };
        let groups = subject.pool.groups_of(&user.username).await?;
        let identity = user.identity(subject.pool.id(), groups, &self.settings.attributes);
        Ok(Look { asked_at, seen: Some(Seen { identity, has_profile: user.has_profile() }) })
    }

    async fn publish(&self, change: Change, asked_at: Timestamp, trace: Option<&str>) -> Result<Outcome, Error> {
        let event = IdentityEvent::new(change, asked_at, Origin::Admin);
        let metadata = Metadata { traceparent: traceparent(trace), ..event.metadata };
        let event = IdentityEvent { metadata, ..event };
        let (event_id, user_id, detail_type) = (event.metadata.event_id, event.user_id(), event.detail_type());
        match self.bus.publish(&event, trace).await {
            Ok(bus_event_id) => tracing::info!(detail_type, %event_id, %user_id, bus_event_id, "change published"),
            Err(turned) => {
                count(Metric::NotPublished);
                return Err(Error::ChangeNotPublished(turned.reason));
            }
        }
        Ok(Outcome::Published)
    }
}

impl Subject<'_> {
    /// What nobody has told of yet.
    fn news(&self, look: Look, stored: Stored) -> Result<News, Error> {
        let Look { asked_at, seen } = look;
        let change = match (seen, stored) {
            (_, Stored::Tombstone { .. }) => return Ok(News::Nothing(Outcome::Tombstoned)),
            (Some(_), _) if self.leaves == Leaves::Nobody => return Err(Error::UserStillVisible(self.user.clone())),
            (Some(seen), Stored::Absent) if !seen.has_profile => {
                return Ok(News::Nothing(Outcome::PassedOver("the user has confirmed nothing yet")));
            }
            (Some(seen), Stored::Absent) => Change::Created(seen.identity),
            (Some(seen), Stored::Profile { identity, .. }) if seen.identity == *identity => {
                return Ok(News::Nothing(Outcome::Unchanged));
            }
            (Some(seen), Stored::Profile { .. }) => Change::Updated(seen.identity),
            (None, stored) => return self.absence(asked_at, &stored),
        };
        Ok(News::Change(change))
    }

    /// What it means that the pool shows nobody.
    fn absence(&self, asked_at: Timestamp, stored: &Stored) -> Result<News, Error> {
        let is_old = match stored {
            Stored::Profile { created_at, .. } => asked_at.millis() - created_at.millis() >= YOUNG_MILLIS,
            Stored::Absent | Stored::Tombstone { .. } => false,
        };
        match (self.leaves, stored) {
            // A pool of somebody else's may have deleted somebody of theirs.
            (_, Stored::Absent) if !self.is_pool_named => Ok(News::Nothing(Outcome::PassedOver("no user of the pool"))),
            (Leaves::New, _) => Err(Error::UserNotVisible(self.user.clone())),
            // Either they were deleted, of which another call tells, or they are too new for the list.
            (Leaves::Changed, _) if !is_old => Ok(News::Nothing(Outcome::PassedOver("the pool shows no such user"))),
            // Of whom nothing is known a tombstone is made too: what is still on its way about them must not count.
            (Leaves::Changed | Leaves::Nobody, _) => {
                let gone = DeletedUser { user_id: self.user.clone(), user_pool_id: self.pool.id().to_owned() };
                Ok(News::Change(Change::Deleted(gone)))
            }
        }
    }
}
