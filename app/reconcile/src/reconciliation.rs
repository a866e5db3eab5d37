//! A whole run: reads both sides, compares them partition by partition, and looks at whatever differs again.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use tandem_pool::{Bus, Pool};
use tandem_profiles::{ProfileStore, Timestamp};
use tokio::sync::Mutex;

use crate::calls::{Calls, Pace};
use crate::compare::Partition;
use crate::digest::DigestKey;
use crate::error::Error;
use crate::finding::{Finding, Report};
use crate::meter::Meter;
use crate::progress::{Comparison, FINDINGS, Journal, Progress, Scope, partition_of};
use crate::record::{Digest, Record, Sub};
use crate::spool::{Log, Spool, Stream};

/// How many bytes of users and profiles are compared at a time: about a hundred thousand records, which take some
/// twenty mebibytes of memory.
const PARTITION_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// How many candidates are looked at between two recordings.
const CANDIDATES_PER_ROUND: usize = 50;

/// What a run works on and how.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Names of the attributes that publishers pass on beside address and name; without a list they are not compared.
    pub attributes: Option<Vec<String>>,
    /// Whether groups are compared.
    pub groups: bool,
    /// Who was changed less than this ago is left alone.
    pub min_age: Duration,
    /// What is done about what is found.
    pub repair: Repair,
    /// How fast the services are asked.
    pub pace: Pace,
}

/// What is done about what is found.
#[derive(Clone, Debug)]
pub enum Repair {
    /// Nothing.
    No,
    /// An event is published, and whoever listens brings the profile in step.
    Bus(Bus),
    /// The event is applied to the table.
    Table,
}

impl Repair {
    /// A name to recognise it by.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::No => "no".to_owned(),
            Self::Bus(bus) => format!("bus {}", bus.name()),
            Self::Table => "table".to_owned(),
        }
    }
}

/// What comes in from outside.
pub struct Surroundings {
    /// The time.
    pub clock: Box<dyn Fn() -> Timestamp + Send + Sync>,
    /// Whether to stop as soon as what has been read is recorded.
    pub is_stopped: Box<dyn Fn() -> bool + Send + Sync>,
    /// Thirty-two random bytes: a new run's digests are keyed with them.
    pub key: [u8; 32],
}

/// How a run has ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Ended {
    /// With everything compared.
    Done(Box<Report>),
    /// Because it was told to stop. The same run goes on from there.
    Stopped,
}

/// Pool against table.
pub struct Reconciliation {
    pub(crate) pool: Pool,
    pub(crate) profiles: ProfileStore,
    pub(crate) settings: Settings,
    pub(crate) surroundings: Surroundings,
    pub(crate) calls: Calls,
    /// Markers that belong to nobody, by owner and address; looked for when all partitions are compared.
    pub(crate) strays: std::sync::Mutex<BTreeSet<(Sub, Digest)>>,
    spool: Arc<dyn Spool>,
}

impl Reconciliation {
    /// Of this pool and this table. The clients behind them must not retry by themselves, or throttles would be
    /// hidden behind that.
    pub fn new(
        pool: Pool,
        profiles: ProfileStore,
        settings: Settings,
        spool: Arc<dyn Spool>,
        surroundings: Surroundings,
    ) -> Self {
        let calls = Calls::new(settings.pace, Arc::new(Meter::new()));
        Self { pool, profiles, settings, surroundings, calls, strays: std::sync::Mutex::default(), spool }
    }

    /// What the run has done so far, to be watched while it goes on.
    pub fn meter(&self) -> Arc<Meter> {
        Arc::clone(&self.calls.meter)
    }

    /// Goes on from where the spool's last run has ended, or begins. What was found stays in the spool until
    /// [`Self::clear`].
    pub async fn run(&self) -> Result<Ended, Error> {
        let new = Progress::new(self.scope(), &self.surroundings.key, self.now());
        let mut journal = Journal::open(Arc::clone(&self.spool), new).await?;
        let progress = &journal.progress;
        self.calls.meter.resume(&progress.requests, progress.counts.users, progress.items);
        if let Some(finished_at) = progress.finished_at {
            if progress.comparison.as_ref().is_some_and(|comparison| comparison.repair == self.settings.repair.name()) {
                return Ok(Ended::Done(Box::new(self.report(progress, finished_at))));
            }
            journal.progress.finished_at = None;
        }
        let key = DigestKey::new(&journal.progress.key);
        let journal = Mutex::new(journal);
        let both = tokio::try_join!(self.read_pool(&journal, &key), self.read_table(&journal, &key));
        let mut journal = journal.into_inner();
        // Whatever happened, what has been read so far is worth keeping.
        journal.record(self.calls.meter.requests(), true).await?;
        let (is_pool_read, is_table_read) = both?;
        if !(is_pool_read && is_table_read && self.compare(&mut journal).await?) {
            journal.record(self.calls.meter.requests(), true).await?;
            return Ok(Ended::Stopped);
        }
        let finished_at = self.now();
        journal.progress.finished_at = Some(finished_at);
        journal.record(self.calls.meter.requests(), true).await?;
        Ok(Ended::Done(Box::new(self.report(&journal.progress, finished_at))))
    }

    /// What a run that is done has found, one after the other.
    pub async fn findings(&self, mut each: impl FnMut(Finding)) -> Result<(), Error> {
        let mut lines: Vec<u8> = Vec::new();
        let mut from = 0;
        loop {
            let block = self.spool.read(FINDINGS, from).await?;
            if block.is_empty() {
                return Ok(());
            }
            from += block.len() as u64;
            lines.extend(block);
            let whole = lines.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
            lines[..whole]
                .split(|byte| *byte == b'\n')
                .filter_map(|line| serde_json::from_slice(line).ok())
                .for_each(&mut each);
            lines.drain(..whole);
        }
    }

    /// Takes away what was kept, once nobody needs it.
    pub async fn clear(&self) -> Result<(), Error> {
        Ok(self.spool.clear().await?)
    }

    pub(crate) fn now(&self) -> Timestamp {
        (self.surroundings.clock)()
    }

    pub(crate) fn is_stopped(&self) -> bool {
        (self.surroundings.is_stopped)()
    }

    pub(crate) fn min_age_ms(&self) -> i64 {
        i64::try_from(self.settings.min_age.as_millis()).unwrap_or(i64::MAX)
    }

    pub(crate) fn scope(&self) -> Scope {
        Scope {
            user_pool_id: self.pool.id().to_owned(),
            table: self.profiles.table().to_owned(),
            attributes: self.settings.attributes.clone(),
            groups: self.settings.groups,
            unique_email: self.profiles.has_unique_email(),
        }
    }

    fn report(&self, progress: &Progress, finished_at: Timestamp) -> Report {
        Report {
            user_pool_id: self.pool.id().to_owned(),
            table: self.profiles.table().to_owned(),
            started_at: progress.started_at,
            finished_at,
            counts: progress.counts.clone(),
            requests: progress.requests.clone(),
        }
    }

    /// `false` if it was told to stop.
    async fn compare(&self, journal: &mut Journal) -> Result<bool, Error> {
        let partitions: Vec<u32> = (0..journal.shards()).map(|shard| partitions_of(journal, shard)).collect();
        let all = partitions.iter().map(|count| u64::from(*count)).sum();
        let mut compared = 0;
        let (shard, partition) = self.begin_comparison(journal).await?;
        // Something is done in every run, or one with little time would never come to an end.
        let mut has_begun = false;
        for (at_shard, count) in (0..).zip(partitions) {
            for at_partition in 0..count {
                self.calls.meter.compared(compared, all);
                compared += 1;
                if (at_shard, at_partition) < (shard, partition) {
                    continue;
                }
                if has_begun && self.is_stopped() {
                    return Ok(false);
                }
                has_begun = true;
                if !self.compare_partition(journal, at_shard, at_partition, count).await? {
                    return Ok(false);
                }
            }
        }
        self.calls.meter.compared(all, all);
        self.compare_strays(journal).await?;
        Ok(true)
    }

    /// Where to go on. From the beginning if something else is to be done about findings than before.
    async fn begin_comparison(&self, journal: &mut Journal) -> Result<(u16, u32), Error> {
        let (min_age_ms, repair) = (self.min_age_ms(), self.settings.repair.name());
        match &journal.progress.comparison {
            Some(begun) if begun.repair == repair && begun.min_age_ms == min_age_ms => {
                Ok((begun.shard, begun.partition))
            }
            _ => {
                let at = self.now();
                let comparison = Comparison { at, min_age_ms, repair, shard: 0, partition: 0, looked_at: 0 };
                journal.progress.comparison = Some(comparison);
                let counts = &mut journal.progress.counts;
                (counts.young, counts.kinds, counts.outcomes) = <_>::default();
                journal.forget(Log::Findings, self.calls.meter.requests()).await?;
                Ok((0, 0))
            }
        }
    }

    async fn compare_partition(
        &self,
        journal: &mut Journal,
        shard: u16,
        partition: u32,
        of: u32,
    ) -> Result<bool, Error> {
        let comparison = journal.progress.comparison.clone().expect("it has begun");
        let mut both = self.read_partition(journal, shard, partition, of).await?;
        let suspects = both.suspects();
        let (candidates, young) = both.candidates(comparison.at, comparison.min_age_ms);
        let is_begun = (comparison.shard, comparison.partition) == (shard, partition);
        let looked_at = if is_begun { comparison.looked_at } else { 0 };
        let mut place = looked_at;
        for round in candidates.get(looked_at..).unwrap_or_default().chunks(CANDIDATES_PER_ROUND) {
            if place > looked_at && self.is_stopped() {
                return Ok(false);
            }
            let findings = self.look_again(round, &mut journal.progress.counts).await?;
            for finding in &findings {
                journal.progress.counts.add(finding);
            }
            self.calls.meter.found(journal.progress.counts.findings());
            journal.append_findings(&findings).await?;
            place += round.len();
            journal.progress.comparison = Some(Comparison { shard, partition, looked_at: place, ..comparison.clone() });
            journal.record(self.calls.meter.requests(), false).await?;
        }
        self.compare_claims(journal, suspects).await?;
        journal.progress.counts.young += young;
        let (shard, partition) = if partition + 1 < of { (shard, partition + 1) } else { (shard + 1, 0) };
        journal.progress.comparison = Some(Comparison { shard, partition, looked_at: 0, ..comparison });
        Ok(journal.record(self.calls.meter.requests(), false).await.map(|()| true)?)
    }

    async fn read_partition(&self, journal: &Journal, shard: u16, partition: u32, of: u32) -> Result<Partition, Error> {
        let mut both = Partition::new(self.settings.groups);
        for log in [Log::Users, Log::Members, Log::Profiles, Log::Claims] {
            let stream = Stream { log, shard };
            let (mut from, mut bytes) = (0, Vec::new());
            while from < journal.progress.length(stream) {
                let block = journal.read(stream, from).await?;
                if block.is_empty() {
                    break;
                }
                from += block.len() as u64;
                bytes.extend(block);
                let mut rest = bytes.as_slice();
                while let Some((record, after)) = Record::read(rest) {
                    rest = after;
                    if partition_of(record.sub.spread(), of) == partition {
                        put(&mut both, log, record);
                    }
                }
                bytes = rest.to_vec();
            }
        }
        Ok(both)
    }
}

fn put(both: &mut Partition, log: Log, record: Record) {
    match log {
        Log::Users => both.user(record),
        Log::Members => both.member(record),
        Log::Claims => both.claim(record),
        Log::Profiles | Log::Findings => both.profile(record),
    }
}

/// How many partitions a shard has, by what was read.
fn partitions_of(journal: &Journal, shard: u16) -> u32 {
    let length = |log| journal.progress.length(Stream { log, shard });
    let bytes = length(Log::Users) + length(Log::Profiles) + length(Log::Members) + length(Log::Claims);
    u32::try_from(bytes.div_ceil(PARTITION_BYTES_MAX).max(1)).unwrap_or(u32::MAX)
}

/// Candidates are ids: what is known of them is asked again.
pub(crate) type Candidate = Sub;
