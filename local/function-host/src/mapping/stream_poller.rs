//! Reads a DynamoDB stream: shard by shard, in order, several lanes of items beside each other.
//!
//! All records of an item go to the same lane, and a lane has one batch in work at a time: so the changes of an item
//! reach the function in order, whatever fails. What was read waits here until its lane has room for it, and no more
//! is read than the next batches need.

use std::collections::VecDeque;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinSet;
use world::Timestamp;

use super::ledger::Ledger;
use super::progress::Busy;
use super::record::{self, PAYLOAD_BYTES_MAX, StreamRecord, fitting};
use super::shelf::{End, Poller, Stop, stopped};
use super::sources::{Position, SourceError};
use super::{store, stream_batch};

/// Of one `GetRecords`.
const RECORDS_MAX: usize = 1000;

/// Reads until it is stopped or the stream is gone. Attempts in hand are finished.
pub(crate) async fn run(poller: Arc<Poller>, mut stop: Stop) -> End {
    let mut failures = 0;
    let shards = loop {
        match poller.outside.sources.shards(&poller.mapping.source_arn).await {
            Ok(shards) => break shards,
            Err(SourceError::Gone) => return End::SourceGone,
            Err(error) => {
                poller.warn(&error);
                failures += 1;
                if pause(&poller, failures, &mut stop).await == End::Stopped {
                    return End::Stopped;
                }
            }
        }
    };
    let mut workers = JoinSet::new();
    for shard_id in shards {
        workers.spawn(Shard::new(Arc::clone(&poller), shard_id).run(stop.clone()));
    }
    let mut end = End::Stopped;
    while let Some(ended) = workers.join_next().await {
        if let Ok(End::SourceGone) = ended {
            end = End::SourceGone;
        }
    }
    poller.progress.forget_shards();
    end
}

/// Waits before another try; tells whether the poller was stopped meanwhile.
async fn pause(poller: &Poller, failures: u32, stop: &mut Stop) -> End {
    tokio::select! {
        () = stopped(stop) => End::Stopped,
        () = poller.outside.world.clock.sleep_until(poller.retry_at(failures)) => End::SourceGone,
    }
}

/// One shard's reading.
struct Shard {
    poller: Arc<Poller>,
    /// Its name in the stream.
    id: String,
    ledger: Arc<Ledger>,
    lanes: Vec<Lane>,
    /// Of all lanes.
    waiting: usize,
    waiting_bytes: usize,
}

/// Records of some items, in order.
#[derive(Default)]
struct Lane {
    waiting: VecDeque<StreamRecord>,
    /// A batch of it is in work.
    is_busy: bool,
    /// When the window ends that the first record opened.
    until: Timestamp,
}

impl Shard {
    fn new(poller: Arc<Poller>, id: String) -> Self {
        let lanes = (0..poller.mapping.parallelization.max(1)).map(|_| Lane::default()).collect();
        Self { poller, id, ledger: Arc::default(), lanes, waiting: 0, waiting_bytes: 0 }
    }

    async fn run(mut self, mut stop: Stop) -> End {
        let poller = Arc::clone(&self.poller);
        let mut news = poller.outside.sources.news(&poller.mapping.source_arn);
        let mut iterator = None;
        let mut working: JoinSet<usize> = JoinSet::new();
        let (mut is_at_end, mut failures) = (false, 0);
        let end = loop {
            self.dispatch(&mut working, &stop);
            self.save_checkpoint().await;
            if !is_at_end && self.has_room() {
                news.borrow_and_update(); // what is written from here on is news
                match self.read(&mut iterator).await {
                    Ok(read) => (is_at_end, failures) = (read == 0, 0),
                    Err(SourceError::Gone) => break End::SourceGone,
                    Err(error) => {
                        poller.warn(&error);
                        failures += 1;
                        if pause(&poller, failures, &mut stop).await == End::Stopped {
                            break End::Stopped;
                        }
                    }
                }
                if !*stop.borrow() {
                    continue;
                }
            }
            let next_window = self.next_window();
            tokio::select! {
                () = stopped(&mut stop) => break End::Stopped,
                () = changed(&mut news), if is_at_end => is_at_end = false,
                Some(lane) = working.join_next() => {
                    if let Some(lane) = lane.ok().and_then(|lane| self.lanes.get_mut(lane)) {
                        lane.is_busy = false;
                    }
                }
                () = self.ledger.moved.notified() => {}
                () = poller.outside.world.clock.sleep_until(next_window.unwrap_or_default()), if next_window.is_some() => {}
            }
        };
        while working.join_next().await.is_some() {}
        self.save_checkpoint().await;
        end
    }

    fn has_room(&self) -> bool {
        let (lanes, batch_size) = (self.lanes.len(), self.poller.mapping.batch_size as usize);
        self.waiting < (lanes * batch_size).max(RECORDS_MAX) && self.waiting_bytes < lanes * PAYLOAD_BYTES_MAX
    }

    /// Reads on; tells how many records came.
    async fn read(&mut self, iterator: &mut Option<String>) -> Result<usize, SourceError> {
        let from = match iterator {
            Some(iterator) => iterator.clone(),
            None => self.begin().await?,
        };
        let read = self.poller.outside.sources.records(&from, RECORDS_MAX).await?;
        let count = read.records.len();
        let now = self.poller.now();
        for given in read.records {
            let record = record::of_stream(given, &self.poller.mapping.source_arn);
            self.ledger.read(&record.sequence_number);
            if self.poller.passes(&record.json) {
                self.put(record, now);
            } else {
                self.ledger.done([record.sequence_number.as_str()]);
            }
        }
        // A closed shard has no next iterator: then reading from here on gives nothing more.
        *iterator = Some(read.next.unwrap_or(from));
        self.show(iterator.clone());
        Ok(count)
    }

    /// An iterator where an earlier reading ended, or where the mapping shall begin.
    async fn begin(&self) -> Result<String, SourceError> {
        let Poller { outside, mapping, .. } = &*self.poller;
        let stored = store::position(&outside.database, &mapping.uuid, &self.id).await;
        let stored = stored.map_err(|error| SourceError::Failed(error.to_string()))?;
        let position = stored.unwrap_or(match mapping.starting_position.as_deref() {
            Some("LATEST") => Position::Latest,
            _ => Position::TrimHorizon,
        });
        match position {
            Position::Iterator(iterator) => Ok(iterator),
            position => outside.sources.iterator(&mapping.source_arn, &self.id, &position).await,
        }
    }

    fn put(&mut self, record: StreamRecord, now: Timestamp) {
        let mut hasher = DefaultHasher::new();
        record.key.hash(&mut hasher);
        #[expect(clippy::cast_possible_truncation, reason = "the remainder is smaller than the number of lanes")]
        let lane = (hasher.finish() % self.lanes.len() as u64) as usize;
        let lane = &mut self.lanes[lane];
        if lane.waiting.is_empty() {
            lane.until = now.plus(Duration::from_secs(self.poller.mapping.window_s.into()));
        }
        self.waiting += 1;
        self.waiting_bytes += record.json.len();
        lane.waiting.push_back(record);
    }

    /// Starts a batch in every lane that has one ready and none in work.
    fn dispatch(&mut self, working: &mut JoinSet<usize>, stop: &Stop) {
        let now = self.poller.now();
        let Poller { mapping, progress, .. } = &*self.poller;
        for (number, lane) in self.lanes.iter_mut().enumerate() {
            if lane.is_busy || *stop.borrow() {
                continue;
            }
            let next = lane.waiting.iter().take(mapping.batch_size as usize).map(|record| record.json.as_str());
            let count = fitting(next).min(lane.waiting.len());
            let is_full = count == mapping.batch_size as usize || count < lane.waiting.len();
            if count == 0 || (now < lane.until && !is_full) {
                continue;
            }
            let batch: Vec<StreamRecord> = lane.waiting.drain(..count).collect();
            lane.is_busy = true;
            lane.until = now.plus(Duration::from_secs(mapping.window_s.into())); // for what is left
            self.waiting -= count;
            self.waiting_bytes -= batch.iter().map(|record| record.json.len()).sum::<usize>();
            let what = format!("{count} records");
            let task = progress.begin(Busy { what, due: now, running: true, failed_attempts: 0 });
            let (poller, ledger) = (Arc::clone(&self.poller), Arc::clone(&self.ledger));
            let (shard_id, stop) = (self.id.clone(), stop.clone());
            working.spawn(async move {
                stream_batch::run(&poller, &shard_id, &ledger, batch, task, stop).await;
                number
            });
        }
        let (waiting, due) = (self.waiting, self.next_window().unwrap_or(now));
        progress.change_shard(&self.id, |shard| (shard.waiting, shard.due) = (waiting, due));
    }

    fn show(&self, iterator: Option<String>) {
        let waiting = self.waiting;
        self.poller.progress.change_shard(&self.id, |shard| {
            shard.iterator = iterator;
            shard.waiting = waiting;
        });
    }

    /// When the next lane's window ends that waits for nothing else.
    fn next_window(&self) -> Option<Timestamp> {
        let waits = self.lanes.iter().filter(|lane| !lane.is_busy && !lane.waiting.is_empty());
        waits.map(|lane| lane.until).min()
    }

    async fn save_checkpoint(&self) {
        let Some(done) = self.ledger.take_checkpoint() else { return };
        let Poller { outside, mapping, .. } = &*self.poller;
        let position = Position::After(done);
        if let Err(error) = store::save_position(&outside.database, &mapping.uuid, &self.id, position).await {
            // A later one may get through; if none does, the records come again after a restart.
            tracing::error!(%error, mapping = mapping.label(), "how far a stream was read could not be stored");
        }
    }
}

async fn changed(news: &mut watch::Receiver<u64>) {
    if news.changed().await.is_err() {
        std::future::pending::<()>().await; // nobody is left who could bring news
    }
}
