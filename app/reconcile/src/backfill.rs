//! The first day: a profile for every user who has none. One pass over the pool, without a spool of users: each page's
//! profiles are read in one call, and only what is missing or differs is written or published.
//!
//! What it does not do: find profiles without users, and groups that have changed; that is reconciliation. A user of
//! whom there is a tombstone is left alone.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use futures_util::StreamExt;
use futures_util::stream;
use serde::{Deserialize, Serialize};
use tandem_pool::{Error as PoolError, Pool, PoolUser};
use tandem_profiles::{Change, Holding, Identity, IdentityEvent, Origin, ProfileStore, Timestamp, UserId};

use crate::error::Error;
use crate::finding::Outcome;
use crate::meter::{Meter, Operation, Requests};
use crate::progress::{Progress, Scope, Side, refuse_other, usable};
use crate::reconciliation::{Reconciliation, Repair, Settings, Surroundings};
use crate::spool::Spool;

/// How many profiles are written at a time.
const AT_A_TIME: usize = 8;

/// Profiles for users who were there before.
pub struct Backfill {
    run: Reconciliation,
    spool: Arc<dyn Spool>,
}

/// What came of it, or has come so far.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Backfilled {
    /// Users read.
    pub users: u64,
    /// Users who have confirmed nothing yet and get no profile.
    pub unconfirmed: u64,
    /// Users whose profiles say what the pool says.
    pub unchanged: u64,
    /// Users without a profile.
    pub missing: u64,
    /// Users whose profiles say something else.
    pub differing: u64,
    /// Users of whom the table says that they were deleted.
    pub tombstones: u64,
    /// Profiles written, or events published.
    pub written: u64,
    /// Profiles that a newer event had written meanwhile.
    pub stale: u64,
    /// Profiles that could not be written, or events that the bus did not take.
    pub failed: u64,
    /// What was asked for.
    pub requests: Requests,
    /// Whether it is done; the same run goes on otherwise.
    pub is_done: bool,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct BackfillProgress {
    format: u32,
    scope: Scope,
    /// Tells it from a reconciliation's.
    backfilled: Backfilled,
    users: Side,
}

/// What is known of groups without asking for each user.
#[derive(Clone, Copy)]
enum Groups {
    /// The pool has none.
    None,
    /// Nobody wants to know: profiles keep those that they have.
    Kept,
    /// They are asked for whenever a profile is written.
    Asked,
}

impl Backfill {
    /// Of this pool and this table; with [`Repair::No`] it counts and writes nothing. Nobody is too young.
    pub fn new(
        pool: Pool,
        profiles: ProfileStore,
        settings: Settings,
        spool: Arc<dyn Spool>,
        surroundings: Surroundings,
    ) -> Self {
        Self { run: Reconciliation::new(pool, profiles, settings, Arc::clone(&spool), surroundings), spool }
    }

    /// What it has done so far, to be watched while it goes on.
    pub fn meter(&self) -> Arc<Meter> {
        self.run.meter()
    }

    /// Goes on from where the spool's last run has ended, or begins.
    pub async fn run(&self) -> Result<Backfilled, Error> {
        let mut progress = self.open().await?;
        let meter = &self.run.calls.meter;
        meter.resume(&progress.backfilled.requests, progress.backfilled.users, 0);
        let mut groups = None;
        while !progress.users.is_done && !self.run.is_stopped() {
            let groups = match groups {
                Some(groups) => groups,
                None => *groups.insert(self.groups().await?),
            };
            let asked_at = self.run.now();
            let next = progress.users.next.clone();
            let page = async || self.run.pool.users(next.as_deref()).await;
            let page = match self.run.calls.pool(Operation::ListUsers, page).await {
                Ok(page) => page,
                // Whoever has been seen has a profile by now, and is passed over.
                Err(PoolError::StaleToken) if next.is_some() => {
                    tracing::warn!("Cognito has forgotten where the list of users was: it is begun again");
                    progress.users = Side::default();
                    progress.backfilled = Backfilled { requests: meter.requests(), ..Backfilled::default() };
                    continue;
                }
                Err(error) => return Err(error.into()),
            };
            self.fill(&page.items, groups, asked_at, &mut progress.backfilled).await?;
            meter.set_users(progress.backfilled.users);
            progress.users = Side { is_done: page.next.is_none(), next: page.next };
            progress.backfilled.requests = meter.requests();
            progress.backfilled.is_done = progress.users.is_done;
            self.record(&progress).await?;
        }
        self.record(&progress).await?;
        Ok(progress.backfilled)
    }

    /// Takes away what was kept, once it is done.
    pub async fn clear(&self) -> Result<(), Error> {
        self.run.clear().await
    }

    async fn open(&self) -> Result<BackfillProgress, Error> {
        let run = &self.run;
        let Progress { format, scope, users, .. } = Progress::new(run.scope(), &[], run.now());
        let kept = self.spool.progress().await?;
        let Some(progress) = usable::<BackfillProgress>(kept.as_deref()) else {
            return Ok(BackfillProgress { format, scope, backfilled: Backfilled::default(), users });
        };
        refuse_other(&scope, &progress.scope)?;
        Ok(progress)
    }

    async fn record(&self, progress: &BackfillProgress) -> Result<(), Error> {
        let text = serde_json::to_string(progress).expect("progress is made of texts and numbers");
        Ok(self.spool.record(&text, true).await?)
    }

    async fn groups(&self) -> Result<Groups, Error> {
        if !self.run.settings.groups {
            return Ok(Groups::Kept);
        }
        let page = self.run.calls.pool(Operation::ListGroups, async || self.run.pool.groups(None).await).await?;
        Ok(if page.items.is_empty() && page.next.is_none() { Groups::None } else { Groups::Asked })
    }

    /// One page of users.
    async fn fill(
        &self,
        users: &[PoolUser],
        groups: Groups,
        asked_at: Timestamp,
        done: &mut Backfilled,
    ) -> Result<(), Error> {
        done.users += users.len() as u64;
        let confirmed: Vec<&PoolUser> = users.iter().filter(|user| user.has_profile()).collect();
        done.unconfirmed += (users.len() - confirmed.len()) as u64;
        let mut stored = self.stored_of(&confirmed).await?;
        let mut events = Vec::new();
        for user in confirmed {
            let change = match stored.remove(&user.id).unwrap_or(Holding::Absent) {
                Holding::Tombstone { .. } => {
                    done.tombstones += 1;
                    continue;
                }
                Holding::Absent => {
                    done.missing += 1;
                    Change::Created(self.identity(user, groups, None).await?)
                }
                Holding::Malformed { .. } => {
                    done.differing += 1;
                    Change::Updated(self.identity(user, groups, None).await?)
                }
                Holding::Profile { identity, as_of, .. } => {
                    let same = self.run.identity_with(user, same_groups(groups, &identity), Some(&identity));
                    if as_of.occurred_at >= asked_at || same.differences(&identity).is_empty() {
                        done.unchanged += 1;
                        continue;
                    }
                    done.differing += 1;
                    Change::Updated(self.identity(user, groups, Some(&identity)).await?)
                }
            };
            events.push(IdentityEvent::new(change, asked_at, Origin::Import));
        }
        self.write(&events, done).await
    }

    async fn identity(&self, user: &PoolUser, groups: Groups, stored: Option<&Identity>) -> Result<Identity, Error> {
        match groups {
            Groups::None => Ok(self.run.identity_with(user, BTreeSet::new(), stored)),
            Groups::Kept | Groups::Asked => self.run.identity_of(user, stored).await,
        }
    }

    async fn stored_of(&self, users: &[&PoolUser]) -> Result<HashMap<UserId, Holding>, Error> {
        let mut wanted: Vec<UserId> = users.iter().map(|user| user.id.clone()).collect();
        // The same key twice is refused.
        wanted.sort_unstable();
        wanted.dedup();
        let mut stored = HashMap::new();
        while !wanted.is_empty() {
            let page = async || self.run.profiles.holdings_of(&wanted).await;
            let page = self.run.calls.table(Operation::BatchGetItem, page).await?;
            self.run.calls.read(page.capacity);
            stored.extend(page.stored);
            wanted = page.left;
        }
        Ok(stored)
    }

    async fn write(&self, events: &[IdentityEvent], done: &mut Backfilled) -> Result<(), Error> {
        match &self.run.settings.repair {
            Repair::No => {}
            Repair::Bus(bus) => {
                for batch in events.chunks(tandem_pool::ENTRIES_MAX) {
                    self.run.calls.meter.asked(Operation::PutEvents);
                    let taken = bus.publish_all(batch, None).await.iter().filter(|published| published.is_ok()).count();
                    done.written += taken as u64;
                    done.failed += (batch.len() - taken) as u64;
                }
            }
            Repair::Table => {
                let writes = stream::iter(events).map(|event| self.run.apply(event)).buffer_unordered(AT_A_TIME);
                for written in writes.collect::<Vec<_>>().await {
                    match written?.0 {
                        Outcome::Applied => done.written += 1,
                        Outcome::Stale => done.stale += 1,
                        _ => done.failed += 1,
                    }
                }
            }
        }
        Ok(())
    }
}

/// The groups by which a profile is compared: where they are not known, its own.
fn same_groups(groups: Groups, stored: &Identity) -> BTreeSet<String> {
    match groups {
        Groups::None => BTreeSet::new(),
        Groups::Kept | Groups::Asked => stored.groups.clone(),
    }
}
