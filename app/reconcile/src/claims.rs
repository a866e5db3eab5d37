//! Reservations of addresses, where they are unique: markers against what profiles say.
//!
//! Both are brought together by the user, as everything else. A marker that no profile knows has its address in its key
//! alone, and no address is kept here: such markers are looked for in the table once more, when all partitions are
//! compared. A run that is killed before that leaves them to the next one.

use std::collections::BTreeSet;

use tandem_profiles::{Claim, Cursor, UserId};

use crate::compare::Suspect;
use crate::digest::DigestKey;
use crate::error::Error;
use crate::finding::{Finding, Kind, Outcome};
use crate::meter::Operation;
use crate::progress::Journal;
use crate::reconciliation::{Reconciliation, Repair};
use crate::record::{CONFLICT, Digest, FOREIGN, MARKER, Record, Sub};

impl Reconciliation {
    pub(crate) fn record_of_claim(&self, claim: &Claim, key: &DigestKey) -> Record {
        match claim {
            Claim::Marker { owner, address } => {
                let (digest, groups) = (key.address(Some(address)), Digest::default());
                Record { sub: Sub::from(owner), flags: MARKER, digest, groups, at: 0 }
            }
            Claim::Profile { user, user_pool_id, reserved, wanted, is_in_conflict } => {
                let foreign = if user_pool_id == self.pool.id() { 0 } else { FOREIGN };
                let conflict = if *is_in_conflict { CONFLICT } else { 0 };
                let digest = key.address(reserved.as_deref());
                let groups = key.address(wanted.as_deref());
                Record { sub: Sub::from(user), flags: foreign | conflict, digest, groups, at: 0 }
            }
        }
    }

    /// Looks at suspects again, and mends what is still so.
    pub(crate) async fn compare_claims(&self, journal: &mut Journal, suspects: Vec<Suspect>) -> Result<(), Error> {
        let mut findings = Vec::new();
        for (sub, strays) in suspects {
            let user = sub.user_id();
            self.strays.lock().expect("no panic").extend(strays.into_iter().map(|stray| (sub.clone(), stray)));
            let Some(what) = self.look_at_claim(&user).await? else { continue };
            let outcome = match self.settings.repair {
                Repair::No => Outcome::Found,
                // No event can mend it, so it is the table that is written to, whether there is a bus or not.
                Repair::Bus(_) | Repair::Table => {
                    let mend = async || self.profiles.mend_reservation(&user, self.now()).await;
                    self.calls.table(Operation::Write, mend).await?;
                    Outcome::Applied
                }
            };
            findings.push(marker(user, what, outcome));
        }
        self.tell(journal, &findings).await
    }

    /// What is wrong with the reservation of a profile, if anything is.
    async fn look_at_claim(&self, user: &UserId) -> Result<Option<&'static str>, Error> {
        let read = async || self.profiles.claim(user).await;
        let before = self.calls.table(Operation::GetItem, read).await?;
        let Some(Claim::Profile { user_pool_id, reserved, wanted, is_in_conflict, .. }) = &before else {
            return Ok(None);
        };
        if user_pool_id != self.pool.id() {
            return Ok(None);
        }
        let what = match (reserved, wanted) {
            (Some(reserved), _) if self.owner_of(reserved).await?.as_ref() != Some(user) => {
                Some("reserved for another")
            }
            (Some(reserved), wanted) if Some(reserved) != wanted.as_ref() => Some("a former address is reserved"),
            (Some(_), _) | (None, None) => is_in_conflict.then_some("conflict is over"),
            (None, Some(wanted)) => match (self.owner_of(wanted).await?, is_in_conflict) {
                (None, _) => Some("not reserved"),
                (Some(_), false) => Some("conflict is not noted"),
                (Some(_), true) => None,
            },
        };
        // Whatever was written in between has brought its own marker along.
        let is_same = what.is_some() && self.calls.table(Operation::GetItem, read).await? == before;
        Ok(what.filter(|_| is_same))
    }

    async fn owner_of(&self, address: &str) -> Result<Option<UserId>, Error> {
        let read = async || self.profiles.owner_of(address).await;
        Ok(self.calls.table(Operation::GetItem, read).await?)
    }

    /// Looks for the markers that no profile knows.
    pub(crate) async fn compare_strays(&self, journal: &mut Journal) -> Result<(), Error> {
        let strays = std::mem::take(&mut *self.strays.lock().expect("no panic"));
        let key = DigestKey::new(&journal.progress.key);
        let mut next: Option<Cursor> = None;
        while !strays.is_empty() {
            let page = async || self.profiles.scan_holdings(next.as_ref(), None).await;
            let page = self.calls.table(Operation::Scan, page).await?;
            self.calls.read(page.capacity);
            let mut findings = Vec::new();
            for claim in page.claims {
                if let Claim::Marker { owner, address } = claim
                    && is_among(&strays, &owner, key.address(Some(&address)))
                    && let Some(outcome) = self.look_at_stray(&owner, &address).await?
                {
                    findings.push(marker(owner, "marker without a profile", outcome));
                }
            }
            self.tell(journal, &findings).await?;
            next = page.next;
            if next.is_none() {
                break;
            }
        }
        Ok(())
    }

    async fn look_at_stray(&self, owner: &UserId, address: &str) -> Result<Option<Outcome>, Error> {
        let read = async || self.profiles.claim(owner).await;
        let claim = self.calls.table(Operation::GetItem, read).await?;
        if let Some(Claim::Profile { reserved: Some(reserved), .. }) = &claim
            && reserved == address
        {
            return Ok(None);
        }
        if matches!(self.settings.repair, Repair::No) {
            return Ok(Some(Outcome::Found));
        }
        let free = async || self.profiles.free_marker(address, owner).await;
        let is_free = self.calls.table(Operation::Write, free).await?;
        Ok(Some(if is_free { Outcome::Applied } else { Outcome::Stale }))
    }

    async fn tell(&self, journal: &mut Journal, findings: &[Finding]) -> Result<(), Error> {
        for finding in findings {
            journal.progress.counts.add(finding);
        }
        self.calls.meter.found(journal.progress.counts.findings());
        Ok(journal.append_findings(findings).await?)
    }
}

fn is_among(strays: &BTreeSet<(Sub, Digest)>, owner: &UserId, address: Digest) -> bool {
    strays.contains(&(Sub::from(owner), address))
}

fn marker(user_id: UserId, what: &str, outcome: Outcome) -> Finding {
    Finding { kind: Kind::Marker, user_id, fields: vec![what.to_owned()], outcome, reason: None }
}
