//! How far a run has come, and the journal that keeps it together with what was read.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tandem_profiles::Timestamp;

use crate::error::Error;
use crate::finding::{Counts, Finding};
use crate::meter::Requests;
use crate::record::Record;
use crate::spool::{Log, Spool, SpoolError, Stream};

/// Of progress and records; another one's spool is begun anew.
const FORMAT: u32 = 1;

/// What is compared. Two runs with different scopes cannot go on from each other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Scope {
    /// The pool.
    pub user_pool_id: String,
    /// The table.
    pub table: String,
    /// Names of the attributes that publishers pass on beside address and name; without a list they are not compared,
    /// and a repair leaves them as they are.
    pub attributes: Option<Vec<String>>,
    /// Whether groups are compared; a repair leaves them as they are otherwise.
    pub groups: bool,
    /// Whether reservations of addresses are compared.
    pub unique_email: bool,
}

impl Scope {
    /// What another scope has that this one has not, in words.
    fn difference(&self, other: &Self) -> Option<String> {
        let attributes = |scope: &Self| match &scope.attributes {
            None => "not compared".to_owned(),
            Some(names) => format!("\"{}\"", names.join(",")),
        };
        let groups = |scope: &Self| if scope.groups { "compared" } else { "not compared" };
        if self.user_pool_id != other.user_pool_id {
            Some(format!("of the pool {}", other.user_pool_id))
        } else if self.table != other.table {
            Some(format!("of the table {}", other.table))
        } else if self.attributes != other.attributes {
            Some(format!("its attributes are {}, not {}", attributes(other), attributes(self)))
        } else if self.groups != other.groups {
            Some(format!("its groups are {}", groups(other)))
        } else if self.unique_email != other.unique_email {
            Some(format!("its addresses are {}unique", if other.unique_email { "" } else { "not " }))
        } else {
            None
        }
    }
}

/// One of the two sides.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Side {
    /// Where its next page begins; at first nowhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// Whether all pages have been read.
    pub is_done: bool,
}

/// The members of groups: group by group, in the order of their names.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Members {
    /// The last group that is done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    pub side: Side,
}

/// Where the comparison stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Comparison {
    /// Who counts as young is decided by the time at which it began, or partitions would come out differently.
    pub at: Timestamp,
    pub min_age_ms: i64,
    /// Whether what is found is repaired, and how.
    pub repair: String,
    pub shard: u16,
    pub partition: u32,
    /// Candidates of the partition that have been looked at.
    pub looked_at: usize,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Progress {
    pub format: u32,
    pub scope: Scope,
    /// Of the digests.
    pub key: Vec<u8>,
    pub started_at: Timestamp,
    pub users: Side,
    pub members: Members,
    pub profiles: Side,
    /// Bytes in each shard of each log.
    pub lengths: BTreeMap<Log, Vec<u64>>,
    pub items: u64,
    pub counts: Counts,
    pub requests: Requests,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comparison: Option<Comparison>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finished_at: Option<Timestamp>,
}

impl Progress {
    pub fn new(scope: Scope, key: &[u8], started_at: Timestamp) -> Self {
        Self {
            format: FORMAT,
            scope,
            key: key.to_vec(),
            started_at,
            users: Side::default(),
            members: Members::default(),
            profiles: Side::default(),
            lengths: BTreeMap::new(),
            items: 0,
            counts: Counts::default(),
            requests: Requests::default(),
            comparison: None,
            finished_at: None,
        }
    }

    pub fn length(&self, stream: Stream) -> u64 {
        self.lengths.get(&stream.log).and_then(|shards| shards.get(usize::from(stream.shard))).copied().unwrap_or(0)
    }
}

/// Only this is looked at before it is known whether the rest can be read.
#[derive(Deserialize)]
struct Head {
    format: u32,
}

/// What a spool has to go on from, if anything. Of another format, or damaged: begun anew.
pub(crate) fn usable<P: serde::de::DeserializeOwned>(text: Option<&str>) -> Option<P> {
    let head: Head = serde_json::from_str(text?).ok()?;
    if head.format != FORMAT {
        tracing::warn!(format = head.format, "what is kept is of another version: begun anew");
        return None;
    }
    serde_json::from_str(text?).ok()
}

/// Says what of another run does not fit.
pub(crate) fn refuse_other(wanted: &Scope, found: &Scope) -> Result<(), Error> {
    wanted.difference(found).map_or(Ok(()), |what| Err(Error::OtherRun { what }))
}

/// The progress and the spool, in step with each other.
pub(crate) struct Journal {
    pub progress: Progress,
    spool: Arc<dyn Spool>,
}

impl Journal {
    /// Goes on from what is kept, or begins with `new`.
    pub async fn open(spool: Arc<dyn Spool>, new: Progress) -> Result<Self, Error> {
        let kept = spool.progress().await?;
        let Some(progress) = usable::<Progress>(kept.as_deref()) else {
            spool.clear().await?;
            return Ok(Self { progress: new, spool });
        };
        refuse_other(&new.scope, &progress.scope)?;
        let journal = Self { progress, spool };
        for log in [Log::Users, Log::Members, Log::Profiles, Log::Claims, Log::Findings] {
            journal.cut(log).await?;
        }
        Ok(journal)
    }

    /// Adds records to a log; [`Self::record`] makes them count.
    pub async fn append(&mut self, log: Log, records: &[Record]) -> Result<(), SpoolError> {
        let shards = self.spool.shards();
        let mut written: BTreeMap<u16, Vec<u8>> = BTreeMap::new();
        for record in records {
            record.write(written.entry(shard_of(record.sub.spread(), shards)).or_default());
        }
        for (shard, bytes) in written {
            self.append_bytes(Stream { log, shard }, &bytes).await?;
        }
        Ok(())
    }

    pub async fn append_findings(&mut self, findings: &[Finding]) -> Result<(), SpoolError> {
        let mut lines = Vec::new();
        for finding in findings {
            lines.extend(serde_json::to_vec(finding).expect("a finding is made of texts"));
            lines.push(b'\n');
        }
        if lines.is_empty() { Ok(()) } else { self.append_bytes(FINDINGS, &lines).await }
    }

    async fn append_bytes(&mut self, stream: Stream, bytes: &[u8]) -> Result<(), SpoolError> {
        self.spool.append(stream, bytes).await?;
        let lengths = self.progress.lengths.entry(stream.log).or_default();
        let place = usize::from(stream.shard);
        if lengths.len() <= place {
            lengths.resize(place + 1, 0);
        }
        lengths[place] += bytes.len() as u64;
        Ok(())
    }

    /// Makes everything so far count.
    pub async fn record(&mut self, requests: Requests, now: bool) -> Result<(), SpoolError> {
        self.progress.requests = requests;
        let text = serde_json::to_string(&self.progress).expect("progress is made of texts and numbers");
        self.spool.record(&text, now).await
    }

    /// Forgets a log. First it is recorded that it is empty: a death in between leaves bytes that nobody counts.
    pub async fn forget(&mut self, log: Log, requests: Requests) -> Result<(), SpoolError> {
        self.progress.lengths.remove(&log);
        self.record(requests, true).await?;
        self.cut(log).await
    }

    /// A block of a log.
    pub async fn read(&self, stream: Stream, from: u64) -> Result<Vec<u8>, SpoolError> {
        self.spool.read(stream, from).await
    }

    pub fn shards(&self) -> u16 {
        self.spool.shards()
    }

    async fn cut(&self, log: Log) -> Result<(), SpoolError> {
        let shards = if log == Log::Findings { 1 } else { self.spool.shards() };
        for shard in 0..shards {
            let stream = Stream { log, shard };
            self.spool.truncate(stream, self.progress.length(stream)).await?;
        }
        Ok(())
    }
}

pub(crate) const FINDINGS: Stream = Stream { log: Log::Findings, shard: 0 };

/// Which shard a user falls into, by the high part of their number.
fn shard_of(spread: u64, shards: u16) -> u16 {
    let shard = (u128::from(spread) * u128::from(shards)) >> 64;
    u16::try_from(shard).expect("less than there are shards")
}

/// Which partition of a shard, by the low part.
pub(crate) fn partition_of(spread: u64, partitions: u32) -> u32 {
    u32::try_from((spread & 0xffff_ffff) % u64::from(partitions)).expect("less than there are partitions")
}
