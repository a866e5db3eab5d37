//! Reads both sides into the spool, page by page. Every page is recorded before the next is asked for.

use tandem_pool::{Error as PoolError, PoolUser};
use tandem_profiles::{Cursor, Holding, Identity, UserId};
use tokio::sync::Mutex;

use crate::digest::DigestKey;
use crate::error::Error;
use crate::meter::Operation;
use crate::progress::{Journal, Side};
use crate::reconciliation::Reconciliation;
use crate::record::{Digest, HAS_PROFILE, MALFORMED, Record, Sub, TOMBSTONE};
use crate::spool::Log;

impl Reconciliation {
    /// All users, then who is in which group. `false` if it was told to stop.
    pub(crate) async fn read_pool(&self, journal: &Mutex<Journal>, key: &DigestKey) -> Result<bool, Error> {
        Ok(self.read_users(journal, key).await? && (!self.settings.groups || self.read_members(journal, key).await?))
    }

    async fn read_users(&self, journal: &Mutex<Journal>, key: &DigestKey) -> Result<bool, Error> {
        loop {
            let Side { next, is_done } = journal.lock().await.progress.users.clone();
            if is_done {
                return Ok(true);
            }
            if self.is_stopped() {
                return Ok(false);
            }
            let answer = self.calls.pool(Operation::ListUsers, async || self.pool.users(next.as_deref()).await).await;
            let page = match answer {
                Ok(page) => page,
                Err(PoolError::StaleToken) if next.is_some() => {
                    tracing::warn!("Cognito has forgotten where the list of users was: it is begun again");
                    self.forget_users(&mut *journal.lock().await).await?;
                    continue;
                }
                Err(error) => return Err(error.into()),
            };
            let records: Vec<Record> = page.items.iter().map(|user| self.record_of_user(user, key)).collect();
            let mut journal = journal.lock().await;
            journal.append(Log::Users, &records).await?;
            journal.progress.counts.users += records.len() as u64;
            self.calls.meter.set_users(journal.progress.counts.users);
            journal.progress.users = Side { is_done: page.next.is_none(), next: page.next };
            journal.record(self.calls.meter.requests(), false).await?;
        }
    }

    /// Only the pool's side: what was read of the table stays.
    async fn forget_users(&self, journal: &mut Journal) -> Result<(), Error> {
        journal.progress.users = Side::default();
        journal.progress.counts.users = 0;
        self.calls.meter.set_users(0);
        Ok(journal.forget(Log::Users, self.calls.meter.requests()).await?)
    }

    fn record_of_user(&self, user: &PoolUser, key: &DigestKey) -> Record {
        let passed_on = self.settings.attributes.as_deref().unwrap_or_default();
        let identity = user.identity(self.pool.id(), [].into(), passed_on);
        Record {
            sub: Sub::from(&user.id),
            flags: if user.has_profile() { HAS_PROFILE } else { 0 },
            digest: key.identity(&identity),
            groups: Digest::default(),
            at: user.created_at.max(user.modified_at).millis(),
        }
    }

    async fn read_members(&self, journal: &Mutex<Journal>, key: &DigestKey) -> Result<bool, Error> {
        if journal.lock().await.progress.members.side.is_done {
            return Ok(true);
        }
        // A pool has ten thousand groups at most. In order, so that the last one that is done says what is left.
        let mut names = self.names_of_groups().await?;
        names.sort_unstable();
        for name in &names {
            if journal.lock().await.progress.members.after.as_ref().is_some_and(|after| name <= after) {
                continue;
            }
            if !self.read_group(journal, key, name).await? || self.is_stopped() {
                return Ok(false);
            }
        }
        let mut journal = journal.lock().await;
        journal.progress.members.side.is_done = true;
        journal.record(self.calls.meter.requests(), false).await?;
        Ok(true)
    }

    async fn names_of_groups(&self) -> Result<Vec<String>, Error> {
        let (mut names, mut next) = (Vec::new(), None);
        loop {
            let page = async || self.pool.groups(next.as_deref()).await;
            let page = self.calls.pool(Operation::ListGroups, page).await?;
            names.extend(page.items);
            next = page.next;
            if next.is_none() {
                return Ok(names);
            }
        }
    }

    /// `false` if it was told to stop after a page. One is always read, or a run with little time, which lists all groups
    /// first, would never come further.
    async fn read_group(&self, journal: &Mutex<Journal>, key: &DigestKey, name: &str) -> Result<bool, Error> {
        let digest = key.group(name);
        loop {
            let next = journal.lock().await.progress.members.side.next.clone();
            let page = async || self.pool.members(name, next.as_deref()).await;
            let (members, after) = match self.calls.pool(Operation::ListUsersInGroup, page).await {
                Ok(page) => (page.items, page.next),
                // The group is gone since it was listed. (If the pool were, nobody would have been listed.)
                Err(PoolError::NoPool { .. }) => (Vec::new(), None),
                // Its members are read from the beginning; whoever is named twice counts once.
                Err(PoolError::StaleToken) if next.is_some() => {
                    journal.lock().await.progress.members.side.next = None;
                    continue;
                }
                Err(error) => return Err(error.into()),
            };
            let record = |user: &PoolUser| Record {
                sub: Sub::from(&user.id),
                flags: 0,
                digest,
                groups: Digest::default(),
                at: 0,
            };
            let records: Vec<Record> = members.iter().map(record).collect();
            let mut journal = journal.lock().await;
            journal.append(Log::Members, &records).await?;
            let is_done = after.is_none();
            journal.progress.members.side.next = after;
            if is_done {
                journal.progress.members.after = Some(name.to_owned());
            }
            journal.record(self.calls.meter.requests(), false).await?;
            if is_done || self.is_stopped() {
                return Ok(is_done);
            }
        }
    }

    /// All profiles of the pool. `false` if it was told to stop.
    pub(crate) async fn read_table(&self, journal: &Mutex<Journal>, key: &DigestKey) -> Result<bool, Error> {
        loop {
            let Side { next, is_done } = journal.lock().await.progress.profiles.clone();
            if is_done {
                return Ok(true);
            }
            if self.is_stopped() {
                return Ok(false);
            }
            let after = next.as_deref().map(str::parse::<Cursor>).transpose()?;
            let page = async || self.profiles.scan_holdings(after.as_ref(), None).await;
            let page = self.calls.table(Operation::Scan, page).await?;
            self.calls.read(page.capacity);
            let records = page.stored.iter().filter_map(|(user, stored)| self.record_of_holding(user, stored, key));
            let records: Vec<Record> = records.collect();
            let mut journal = journal.lock().await;
            journal.append(Log::Profiles, &records).await?;
            let claims: Vec<Record> = page.claims.iter().map(|claim| self.record_of_claim(claim, key)).collect();
            journal.append(Log::Claims, &claims).await?;
            journal.progress.items += page.items;
            self.calls.meter.set_items(journal.progress.items);
            let profiles = records.iter().filter(|record| record.flags & TOMBSTONE == 0).count();
            journal.progress.counts.profiles += profiles as u64;
            let next = page.next.map(|cursor| cursor.to_string());
            journal.progress.profiles = Side { is_done: next.is_none(), next };
            journal.record(self.calls.meter.requests(), false).await?;
        }
    }

    /// `None` for another pool's.
    fn record_of_holding(&self, user: &UserId, stored: &Holding, key: &DigestKey) -> Option<Record> {
        let sub = Sub::from(user);
        let (digest, groups) = <(Digest, Digest)>::default();
        match stored {
            Holding::Profile { identity, created_at, .. } if identity.user_pool_id == self.pool.id() => {
                let groups = if self.settings.groups { key.groups(&identity.groups) } else { groups };
                let digest = if self.settings.attributes.is_some() || identity.attributes.is_empty() {
                    key.identity(identity)
                } else {
                    key.identity(&Identity { attributes: [].into(), ..Identity::clone(identity) })
                };
                Some(Record { sub, flags: 0, digest, groups, at: created_at.millis() })
            }
            Holding::Tombstone { user_pool_id } if user_pool_id == self.pool.id() => {
                Some(Record { sub, flags: TOMBSTONE, digest, groups, at: 0 })
            }
            Holding::Malformed { .. } => Some(Record { sub, flags: MALFORMED, digest, groups, at: 0 }),
            Holding::Absent | Holding::Profile { .. } | Holding::Tombstone { .. } => None,
        }
    }
}
