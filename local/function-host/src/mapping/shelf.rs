//! All mappings: made, changed, removed, and their pollers started and ended.
//!
//! A change ends the poller, which finishes the batches that it has, and starts another with the new settings when
//! it is gone: two pollers of one mapping never read side by side.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock, RwLock, Weak};
use std::time::Duration;

use storage::{Database, StorageError};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use world::{Kind as Told, Outcome as Went, Timestamp, World};

use super::handler::Handler;
use super::progress::{Busy, PendingWork, Phase, Progress};
use super::sources::{Filter, Filters, Position, SourceError, Sources};
use super::{Kind, Mapping, queue_poller, store, stream_poller};
use crate::error::Error;

/// Before a source or a function is tried again, at first and at most.
const RETRY_WAIT_MIN: Duration = Duration::from_secs(1);
const RETRY_WAIT_MAX: Duration = Duration::from_mins(1);
/// `LastProcessingResult` of a mapping that has not had any record.
pub(crate) const NO_RECORDS: &str = "No records processed";
const SOURCE_GONE: &str = "The event source does not exist.";

/// The mappings.
pub(crate) struct Mappings {
    outside: OnceLock<Outside>,
    all: RwLock<BTreeMap<String, Arc<Entry>>>,
    /// Held by whoever changes a mapping, over the write to disk.
    changing: tokio::sync::Mutex<()>,
    this: Weak<Mappings>,
}

/// What pollers work with.
#[derive(Clone)]
pub(crate) struct Outside {
    pub(crate) world: World,
    pub(crate) database: Database,
    pub(crate) sources: Arc<dyn Sources>,
    pub(crate) filters: Arc<dyn Filters>,
    pub(crate) handler: Arc<dyn Handler>,
    pub(crate) time_scale: f64,
}

/// A mapping as it is set now.
pub(crate) struct Entry {
    pub(crate) mapping: Mapping,
    pub(crate) progress: Arc<Progress>,
    stop: watch::Sender<bool>,
    /// Taken by who waits for its end.
    task: Mutex<Option<JoinHandle<()>>>,
}

/// Whether a poller shall end.
pub(crate) type Stop = watch::Receiver<bool>;

/// Why a poller ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Stopped,
    SourceGone,
}

/// One mapping's reading: what both kinds of pollers share.
pub(crate) struct Poller {
    pub(crate) outside: Outside,
    pub(crate) mapping: Mapping,
    pub(crate) filter: Option<Box<dyn Filter>>,
    pub(crate) progress: Arc<Progress>,
}

impl Mappings {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new_cyclic(|this| Self {
            outside: OnceLock::new(),
            all: RwLock::default(),
            changing: tokio::sync::Mutex::default(),
            this: this.clone(),
        })
    }

    /// Starts what was stored. Before this there are no mappings.
    pub(crate) async fn connect(&self, outside: Outside) -> Result<(), StorageError> {
        let _changing = self.changing.lock().await;
        let stored = store::all(&outside.database).await?;
        if self.outside.set(outside).is_err() {
            return Ok(()); // it is connected already
        }
        for (mapping, last_result) in stored {
            let phase = if mapping.enabled { Phase::Enabling } else { Phase::Disabled };
            self.start(mapping, Progress::new(phase, last_result), None);
        }
        Ok(())
    }

    pub(crate) fn outside(&self) -> Result<&Outside, Error> {
        let missing = || Error::Service("Event sources are not connected to this function host".into());
        self.outside.get().ok_or_else(missing)
    }

    /// All mappings, by UUID.
    pub(crate) fn all(&self) -> Vec<Arc<Entry>> {
        self.all.read().expect("no holder panics").values().cloned().collect()
    }

    pub(crate) fn get(&self, uuid: &str) -> Result<Arc<Entry>, Error> {
        let found = self.all.read().expect("no holder panics").get(uuid).cloned();
        found.ok_or_else(|| Error::ResourceNotFound("The resource you requested does not exist.".into()))
    }

    /// Adds a mapping that reads from these positions on; `function` is the function's name.
    pub(crate) async fn add(
        &self,
        mapping: Mapping,
        function: &str,
        positions: Vec<(String, Position)>,
    ) -> Result<Arc<Entry>, Error> {
        let outside = self.outside()?;
        let _changing = self.changing.lock().await;
        let is_same = |entry: &&Arc<Entry>| {
            entry.mapping.source_arn == mapping.source_arn && entry.mapping.function_arn == mapping.function_arn
        };
        if let Some(other) = self.all().iter().find(is_same) {
            return Err(already_exists(&other.mapping, function));
        }
        store::save(&outside.database, &mapping, NO_RECORDS.into(), positions).await?;
        Ok(self.start(mapping, Progress::new(Phase::Creating, NO_RECORDS.into()), None))
    }

    /// Changes a mapping; tells the state that it is in on the way.
    pub(crate) async fn change(
        &self,
        uuid: &str,
        change: impl FnOnce(&mut Mapping) -> Result<(), Error>,
    ) -> Result<(Arc<Entry>, Phase), Error> {
        let outside = self.outside()?;
        let _changing = self.changing.lock().await;
        let before = self.get(uuid)?;
        if before.progress.phase() == Phase::Deleting {
            let message = "Cannot update the event source mapping because it is in use.";
            return Err(Error::ResourceInUse(message.into()));
        }
        let mut mapping = before.mapping.clone();
        change(&mut mapping)?;
        mapping.last_modified_ms = outside.world.clock.now().millis();
        store::save(&outside.database, &mapping, before.progress.last_result(), Vec::new()).await?;
        let phase = match (before.mapping.enabled, mapping.enabled) {
            (false, true) => Phase::Enabling,
            (true, false) => Phase::Disabling,
            _ => Phase::Updating,
        };
        before.progress.set_phase(phase);
        let task = before.end();
        Ok((self.start(mapping, Arc::clone(&before.progress), task), phase))
    }

    /// Removes a mapping. What it has in hand is finished.
    pub(crate) async fn remove(&self, uuid: &str) -> Result<Arc<Entry>, Error> {
        let outside = self.outside()?;
        let _changing = self.changing.lock().await;
        let entry = self.get(uuid)?;
        store::delete(&outside.database, uuid).await?;
        entry.progress.set_phase(Phase::Deleting);
        let (task, this, removed) = (entry.end(), self.this.clone(), Arc::clone(&entry));
        tokio::spawn(async move {
            if let Some(task) = task {
                let _ = task.await; // however it ended, it is gone
            }
            if let Some(this) = this.upgrade() {
                this.take_out(&removed);
            }
        });
        Ok(entry)
    }

    /// What is not done yet.
    pub(crate) async fn pending(&self) -> Vec<PendingWork> {
        let Ok(outside) = self.outside() else { return Vec::new() };
        let mut pending = Vec::new();
        for entry in self.all() {
            pending.extend(entry.pending(outside).await);
        }
        pending
    }

    /// Ends all pollers, without waiting for them.
    pub(crate) fn close(&self) {
        for entry in self.all() {
            if let Some(task) = entry.end() {
                task.abort();
            }
        }
    }

    /// Forgets all mappings.
    pub(crate) async fn reset(&self) -> Result<(), StorageError> {
        let Some(outside) = self.outside.get() else { return Ok(()) };
        let _changing = self.changing.lock().await;
        store::clear(&outside.database).await?;
        self.close();
        self.all.write().expect("no holder panics").clear();
        Ok(())
    }

    /// Puts a mapping on the shelf and starts its poller, which waits until the one before it has ended.
    fn start(&self, mapping: Mapping, progress: Arc<Progress>, before: Option<JoinHandle<()>>) -> Arc<Entry> {
        let (stop, stopped) = watch::channel(false);
        let entry = Arc::new(Entry { mapping, progress, stop, task: Mutex::default() });
        self.all.write().expect("no holder panics").insert(entry.mapping.uuid.clone(), Arc::clone(&entry));
        if let Some(outside) = self.outside.get() {
            let poller = Poller::new(outside.clone(), &entry);
            let task = tokio::spawn(live(self.this.clone(), poller, before, stopped));
            *entry.task.lock().expect("no holder panics") = Some(task);
        }
        entry
    }

    fn take_out(&self, entry: &Arc<Entry>) {
        let mut all = self.all.write().expect("no holder panics");
        if all.get(&entry.mapping.uuid).is_some_and(|other| Arc::ptr_eq(other, entry)) {
            all.remove(&entry.mapping.uuid);
        }
    }

    /// Disables a mapping whose source is gone, unless it was changed meanwhile.
    async fn disable(&self, mapping: &Mapping) {
        let _changing = self.changing.lock().await;
        let (Ok(outside), Ok(entry)) = (self.outside(), self.get(&mapping.uuid)) else { return };
        if entry.mapping != *mapping || entry.progress.phase() == Phase::Deleting {
            return;
        }
        let mut disabled = mapping.clone();
        disabled.enabled = false;
        disabled.disabled_because = Some(SOURCE_GONE.into());
        let stored = store::save(&outside.database, &disabled, entry.progress.last_result(), Vec::new()).await;
        if let Err(error) = stored {
            tracing::error!(%error, uuid = mapping.uuid, "that an event source mapping is disabled could not be stored");
        }
        let moment = outside.world.timeline.moment(Told::Warning, mapping.label()).outcome(Went::Failed);
        let moment = moment.detail("the event source does not exist any more: the mapping is disabled");
        outside.world.timeline.record(moment.id("eventSourceMapping", &mapping.uuid));
        tracing::warn!(mapping = mapping.label(), "the event source does not exist any more: the mapping is disabled");
        self.start(disabled, Arc::clone(&entry.progress), None);
    }
}

fn already_exists(mapping: &Mapping, function: &str) -> Error {
    let Mapping { source_arn, uuid, .. } = mapping;
    let which = match mapping.kind() {
        Kind::Queue { .. } => {
            format!("An event source mapping with SQS arn (\" {source_arn} \") and function (\" {function} \") already")
        }
        Kind::Stream => {
            format!(
                "The event source arn (\" {source_arn} \") and function (\" {function} \") provided mapping already"
            )
        }
    };
    Error::ResourceConflict(format!("{which} exists. Please update or delete the existing mapping with UUID {uuid}"))
}

impl Entry {
    /// Tells the poller to end.
    fn end(&self) -> Option<JoinHandle<()>> {
        self.stop.send_replace(true);
        self.task.lock().expect("no holder panics").take()
    }

    async fn pending(&self, outside: &Outside) -> Vec<PendingWork> {
        let (progress, now) = (&self.progress, outside.world.clock.now());
        let work = |busy: Busy| PendingWork {
            mapping: self.mapping.label(),
            what: busy.what,
            due: busy.due,
            running: busy.running,
            failed_attempts: busy.failed_attempts,
        };
        let waits = |what: String, due: Timestamp| work(Busy { what, due, running: false, failed_attempts: 0 });
        let busy: Vec<PendingWork> = progress.busy().into_iter().map(work).collect();
        if !busy.is_empty() || progress.phase() == Phase::Disabled {
            return busy;
        }
        if !progress.phase().is_final() {
            return vec![waits(format!("the mapping is {}", progress.phase().name()), now)];
        }
        if let Kind::Queue { .. } = self.mapping.kind() {
            return match outside.sources.queue(&self.mapping.source_arn).await {
                Ok(state) if state.messages > 0 => {
                    vec![waits(format!("{} messages", state.messages), progress.waits_until().max(now))]
                }
                _ => Vec::new(),
            };
        }
        let shards = progress.shards();
        if shards.is_empty() {
            return vec![waits("reading begins".into(), now)];
        }
        for shard in shards {
            if shard.waiting > 0 {
                return vec![waits(format!("{} records", shard.waiting), shard.due)];
            }
            let Some(iterator) = shard.iterator else { return vec![waits("reading begins".into(), now)] };
            if outside.sources.records(&iterator, 1).await.is_ok_and(|read| !read.records.is_empty()) {
                return vec![waits("records that are not read yet".into(), now)];
            }
        }
        Vec::new()
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.stop.send_replace(true);
    }
}

/// A poller's life.
async fn live(mappings: Weak<Mappings>, poller: Arc<Poller>, before: Option<JoinHandle<()>>, stop: Stop) {
    if let Some(before) = before {
        let _ = before.await; // however it ended, it is gone
    }
    let Poller { mapping, progress, .. } = &*poller;
    let arrive = |phase| {
        if progress.phase() != Phase::Deleting && !*stop.borrow() {
            progress.set_phase(phase);
        }
    };
    if !mapping.enabled {
        return arrive(Phase::Disabled);
    }
    arrive(Phase::Enabled);
    let end = match mapping.kind() {
        Kind::Queue { .. } => queue_poller::run(Arc::clone(&poller), stop).await,
        Kind::Stream => stream_poller::run(Arc::clone(&poller), stop).await,
    };
    if let (End::SourceGone, Some(mappings)) = (end, mappings.upgrade()) {
        mappings.disable(mapping).await;
    }
}

/// Returns when the poller shall end.
pub(crate) async fn stopped(stop: &mut Stop) {
    let _ = stop.wait_for(|stop| *stop).await; // an error means that nobody is left to tell us
}

impl Poller {
    fn new(outside: Outside, entry: &Entry) -> Arc<Self> {
        let mapping = entry.mapping.clone();
        let filter = if mapping.filters.is_empty() { None } else { outside.filters.compile(&mapping.filters) };
        Arc::new(Self { outside, mapping, filter, progress: Arc::clone(&entry.progress) })
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.outside.world.clock.now()
    }

    pub(crate) fn passes(&self, record: &str) -> bool {
        self.filter.as_ref().is_none_or(|filter| filter.passes(record))
    }

    /// When to try again what has failed so often.
    pub(crate) fn retry_at(&self, failures: u32) -> Timestamp {
        let doubled = RETRY_WAIT_MIN.saturating_mul(1 << failures.saturating_sub(1).min(16));
        self.now().plus(doubled.min(RETRY_WAIT_MAX).div_f64(self.outside.time_scale))
    }

    pub(crate) fn warn(&self, error: &SourceError) {
        tracing::warn!(mapping = self.mapping.label(), %error, "an event source could not be read");
    }
}
