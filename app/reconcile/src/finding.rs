//! What a comparison finds, and the report about it. Users are named by their ids alone.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tandem_profiles::{Timestamp, UserId};

use crate::meter::Requests;

/// A kind of drift between pool and table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A user who should have a profile has none.
    Missing,
    /// A profile whose user is gone.
    Orphan,
    /// A profile that says something else than the pool.
    Differs,
    /// A user who is in the pool, and of whom the table says that they were deleted. Deletions are final, so this is
    /// never repaired: somebody has published a deletion that was none.
    Tombstone,
    /// An address is reserved for nobody, for another than says so, or for somebody who is gone. Only where addresses are
    /// unique.
    Marker,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Missing, Self::Orphan, Self::Differs, Self::Tombstone, Self::Marker];

    /// As reports write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Orphan => "orphan",
            Self::Differs => "differs",
            Self::Tombstone => "tombstone",
            Self::Marker => "marker",
        }
    }
}

/// What was done about a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// Nothing: it was to be found and no more.
    Found,
    /// An event is on the bus; the profile follows.
    Published,
    /// The table is as the pool.
    Applied,
    /// Nothing: a newer event was applied meanwhile. The next run looks again.
    Stale,
    /// It could not be repaired.
    Failed,
    /// Nothing: a person has to decide.
    Manual,
}

impl Outcome {
    /// As reports write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Found => "found",
            Self::Published => "published",
            Self::Applied => "applied",
            Self::Stale => "stale",
            Self::Failed => "failed",
            Self::Manual => "manual",
        }
    }

    /// Whether the drift is gone, or will be when the event is delivered.
    pub fn is_repaired(self) -> bool {
        matches!(self, Self::Published | Self::Applied)
    }
}

/// One user whose profile is not as the pool has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// What is wrong.
    pub kind: Kind,
    /// Whose profile.
    pub user_id: UserId,
    /// What differs, by the names that events and items have for it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<String>,
    /// What was done about it.
    pub outcome: Outcome,
    /// Why it could not be repaired.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// How many of what.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Counts {
    /// Users read from the pool.
    pub users: u64,
    /// Profiles read from the table, of this pool.
    pub profiles: u64,
    /// Users left alone because they, or their profiles, changed a moment ago.
    pub young: u64,
    /// Findings by kind.
    pub kinds: BTreeMap<Kind, u64>,
    /// Findings by what was done about them.
    pub outcomes: BTreeMap<Outcome, u64>,
}

impl Counts {
    /// All findings.
    pub fn findings(&self) -> u64 {
        self.kinds.values().sum()
    }

    /// Findings that are still true.
    pub fn left(&self) -> u64 {
        self.outcomes.iter().filter(|(outcome, _)| !outcome.is_repaired()).map(|(_, count)| count).sum()
    }

    pub(crate) fn add(&mut self, finding: &Finding) {
        *self.kinds.entry(finding.kind).or_default() += 1;
        *self.outcomes.entry(finding.outcome).or_default() += 1;
    }
}

/// What came of a whole run. The findings themselves are read with
/// [`Reconciliation::findings`](crate::Reconciliation::findings): there may be as many as users.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// The pool.
    pub user_pool_id: String,
    /// The table.
    pub table: String,
    /// When the first of the runs that this took began.
    pub started_at: Timestamp,
    /// When the last was done.
    pub finished_at: Timestamp,
    /// How many of what.
    pub counts: Counts,
    /// What was asked for.
    pub requests: Requests,
}
