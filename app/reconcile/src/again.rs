//! Looks at candidates again, one by one, and repairs what is still so.
//!
//! Between the reading of the pool and that of the table hours may lie: most candidates are changes that were made
//! meanwhile. So both sides are read again, close together, and only what differs then is drift. The time of the event
//! that repairs it is from just before that reading: whatever happens after it wins.

use std::collections::BTreeSet;

use futures_util::StreamExt;
use futures_util::stream;
use tandem_pool::PoolUser;
use tandem_profiles::{Applied, Change, DeletedUser, Holding, Identity, IdentityEvent, Origin, Timestamp};

use crate::error::Error;
use crate::finding::{Counts, Finding, Kind, Outcome};
use crate::meter::Operation;
use crate::reconciliation::{Candidate, Reconciliation, Repair};

/// How many are looked at at a time; the pace is the limiter's.
const AT_A_TIME: usize = 8;

/// What a second look came to.
enum Look {
    /// Both sides are the same, or will be by themselves.
    Fine,
    /// Changed a moment ago.
    Young,
    /// Drift, and the event that repairs it, if there is one.
    Drift { kind: Kind, fields: Vec<String>, event: Option<Box<IdentityEvent>> },
}

impl Reconciliation {
    /// What of the candidates is drift, in their order, and what was done about it.
    pub(crate) async fn look_again(
        &self,
        candidates: &[Candidate],
        counts: &mut Counts,
    ) -> Result<Vec<Finding>, Error> {
        let looks = stream::iter(candidates).map(|candidate| self.look(candidate)).buffered(AT_A_TIME);
        let looks: Vec<Result<Look, Error>> = looks.collect().await;
        let mut findings = Vec::new();
        let mut events = Vec::new();
        for (candidate, look) in candidates.iter().zip(looks) {
            match look? {
                Look::Fine => {}
                Look::Young => counts.young += 1,
                Look::Drift { kind, fields, event } => {
                    let outcome = if event.is_some() { Outcome::Found } else { Outcome::Manual };
                    let user_id = candidate.user_id();
                    findings.push(Finding { kind, user_id, fields, outcome, reason: None });
                    events.push(event);
                }
            }
        }
        self.repair(&mut findings, events).await?;
        Ok(findings)
    }

    async fn look(&self, candidate: &Candidate) -> Result<Look, Error> {
        let id = candidate.user_id();
        let asked_at = self.now();
        let find = async || self.pool.user(&id).await;
        let user = self.calls.pool(Operation::ListUsers, find).await?;
        let stored = self.calls.table(Operation::GetItem, async || self.profiles.holding(&id).await).await?;
        let Some(user) = user else { return self.look_for_orphan(candidate, stored).await };
        if !user.has_profile() {
            return Ok(Look::Fine);
        }
        if self.is_young(asked_at, user.created_at.max(user.modified_at)) {
            return Ok(Look::Young);
        }
        match stored {
            Holding::Absent => {
                let identity = self.identity_of(&user, None).await?;
                Ok(drift(Kind::Missing, Vec::new(), Change::Created(identity), asked_at))
            }
            Holding::Tombstone { .. } => Ok(Look::Drift { kind: Kind::Tombstone, fields: Vec::new(), event: None }),
            Holding::Malformed { attribute } => {
                let identity = self.identity_of(&user, None).await?;
                Ok(drift(Kind::Differs, vec![attribute.to_owned()], Change::Updated(identity), asked_at))
            }
            // Somebody has told of a change since we asked: it is newer than our answer.
            Holding::Profile { as_of, .. } if as_of.occurred_at >= asked_at => Ok(Look::Fine),
            Holding::Profile { identity: stored, .. } => {
                let identity = self.identity_of(&user, Some(&stored)).await?;
                let fields: Vec<String> = stored.differences(&identity).into_iter().map(ToOwned::to_owned).collect();
                if fields.is_empty() {
                    return Ok(Look::Fine);
                }
                Ok(drift(Kind::Differs, fields, Change::Updated(identity), asked_at))
            }
        }
    }

    /// A deletion cannot be taken back, so the pool is asked once more.
    async fn look_for_orphan(&self, candidate: &Candidate, stored: Holding) -> Result<Look, Error> {
        let Holding::Profile { identity, created_at, .. } = stored else { return Ok(Look::Fine) };
        let id = candidate.user_id();
        let asked_at = self.now();
        if identity.user_pool_id != self.pool.id() {
            return Ok(Look::Fine);
        }
        if self.is_young(asked_at, created_at) {
            return Ok(Look::Young);
        }
        if self.calls.pool(Operation::ListUsers, async || self.pool.user(&id).await).await?.is_some() {
            return Ok(Look::Fine);
        }
        let gone = DeletedUser { user_id: id, user_pool_id: self.pool.id().to_owned() };
        Ok(drift(Kind::Orphan, Vec::new(), Change::Deleted(gone), asked_at))
    }

    /// What the profile should say; what is not compared stays as it is.
    pub(crate) async fn identity_of(&self, user: &PoolUser, stored: Option<&Identity>) -> Result<Identity, Error> {
        let groups = match (self.settings.groups, stored) {
            (true, _) => {
                let groups = async || self.pool.groups_of(&user.username).await;
                self.calls.pool(Operation::AdminListGroupsForUser, groups).await?
            }
            (false, Some(stored)) => stored.groups.clone(),
            (false, None) => [].into(),
        };
        Ok(self.identity_with(user, groups, stored))
    }

    /// The same, where the groups are known.
    pub(crate) fn identity_with(
        &self,
        user: &PoolUser,
        groups: BTreeSet<String>,
        stored: Option<&Identity>,
    ) -> Identity {
        let passed_on = self.settings.attributes.as_deref();
        let mut identity = user.identity(self.pool.id(), groups, passed_on.unwrap_or_default());
        if let (None, Some(stored)) = (passed_on, stored) {
            identity.attributes.clone_from(&stored.attributes);
        }
        identity
    }

    fn is_young(&self, now: Timestamp, changed_at: Timestamp) -> bool {
        let min_age_ms = self.min_age_ms();
        min_age_ms > 0 && changed_at.millis() > now.millis() - min_age_ms
    }

    async fn repair(&self, findings: &mut [Finding], events: Vec<Option<Box<IdentityEvent>>>) -> Result<(), Error> {
        let repairable = findings.iter_mut().zip(events).filter_map(|(finding, event)| Some((finding, *event?)));
        let (findings, events): (Vec<&mut Finding>, Vec<IdentityEvent>) = repairable.unzip();
        match &self.settings.repair {
            Repair::No => Ok(()),
            Repair::Bus(bus) => {
                let mut findings = findings.into_iter();
                for batch in events.chunks(tandem_pool::ENTRIES_MAX) {
                    self.calls.meter.asked(Operation::PutEvents);
                    for (published, finding) in bus.publish_all(batch, None).await.into_iter().zip(&mut findings) {
                        finding.outcome = if published.is_ok() { Outcome::Published } else { Outcome::Failed };
                        finding.reason = published.err().map(|turned_down| turned_down.reason);
                    }
                }
                Ok(())
            }
            Repair::Table => {
                for (finding, event) in findings.into_iter().zip(&events) {
                    (finding.outcome, finding.reason) = self.apply(event).await?;
                }
                Ok(())
            }
        }
    }

    pub(crate) async fn apply(&self, event: &IdentityEvent) -> Result<(Outcome, Option<String>), Error> {
        let apply = async || self.profiles.apply(event, self.now()).await;
        match self.calls.table(Operation::Write, apply).await {
            Ok(Applied::Stale | Applied::Tombstoned) => Ok((Outcome::Stale, None)),
            Ok(_) => Ok((Outcome::Applied, None)),
            // One item that somebody has damaged is no reason to leave the others.
            Err(error @ tandem_profiles::Error::MalformedItem { .. }) => Ok((Outcome::Failed, Some(error.to_string()))),
            Err(error) => Err(error.into()),
        }
    }
}

fn drift(kind: Kind, fields: Vec<String>, change: Change, asked_at: Timestamp) -> Look {
    let event = IdentityEvent::new(change, asked_at, Origin::Reconcile);
    Look::Drift { kind, fields, event: Some(Box::new(event)) }
}
