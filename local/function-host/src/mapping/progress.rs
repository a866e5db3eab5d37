//! What a mapping is doing: for its state, and for "has everything settled?".

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use world::Timestamp;

/// A batch, or records that wait to become one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PendingWork {
    /// `queue orders → create-order`
    pub mapping: String,
    /// What is pending.
    pub what: String,
    /// When it goes on.
    pub due: Timestamp,
    /// Whether the function has it now.
    pub running: bool,
    /// Of this batch.
    pub failed_attempts: u32,
}

/// Where a mapping stands between what was asked for and what is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    Creating,
    Enabling,
    Enabled,
    Disabling,
    Disabled,
    Updating,
    Deleting,
}

impl Phase {
    /// As `State` has it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Creating => "Creating",
            Self::Enabling => "Enabling",
            Self::Enabled => "Enabled",
            Self::Disabling => "Disabling",
            Self::Disabled => "Disabled",
            Self::Updating => "Updating",
            Self::Deleting => "Deleting",
        }
    }

    /// Whether it stays so by itself.
    pub(crate) fn is_final(self) -> bool {
        matches!(self, Self::Enabled | Self::Disabled)
    }
}

/// What a mapping is doing. One for all versions of a mapping.
#[derive(Debug)]
pub(crate) struct Progress {
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    phase: Phase,
    last_result: String,
    busy: BTreeMap<u64, Busy>,
    next_busy: u64,
    /// Of a queue: until when messages are hidden that the function failed on, or none are received.
    waits_until: Timestamp,
    /// Of a stream, by shard.
    shards: BTreeMap<String, ShardView>,
}

/// A batch under way.
#[derive(Clone, Debug)]
pub(crate) struct Busy {
    pub(crate) what: String,
    pub(crate) due: Timestamp,
    pub(crate) running: bool,
    pub(crate) failed_attempts: u32,
}

/// How far a shard has been read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ShardView {
    /// Where reading goes on.
    pub(crate) iterator: Option<String>,
    /// Read, and in no batch yet.
    pub(crate) waiting: usize,
    /// When these become a batch.
    pub(crate) due: Timestamp,
}

/// A batch is under way until this is dropped.
#[derive(Debug)]
pub(crate) struct Task {
    progress: Arc<Progress>,
    number: u64,
}

impl Progress {
    pub(crate) fn new(phase: Phase, last_result: String) -> Arc<Self> {
        Arc::new(Self {
            state: Mutex::new(State {
                phase,
                last_result,
                busy: BTreeMap::new(),
                next_busy: 0,
                waits_until: Timestamp::default(),
                shards: BTreeMap::new(),
            }),
        })
    }

    pub(crate) fn phase(&self) -> Phase {
        self.lock().phase
    }

    pub(crate) fn set_phase(&self, phase: Phase) {
        self.lock().phase = phase;
    }

    /// `LastProcessingResult`
    pub(crate) fn last_result(&self) -> String {
        self.lock().last_result.clone()
    }

    /// Notes how the last batch went; tells whether that is news.
    pub(crate) fn set_last_result(&self, result: &str) -> bool {
        let mut state = self.lock();
        let is_news = state.last_result != result;
        if is_news {
            result.clone_into(&mut state.last_result);
        }
        is_news
    }

    pub(crate) fn begin(self: &Arc<Self>, busy: Busy) -> Task {
        let mut state = self.lock();
        let number = state.next_busy;
        state.next_busy += 1;
        state.busy.insert(number, busy);
        Task { progress: Arc::clone(self), number }
    }

    pub(crate) fn busy(&self) -> Vec<Busy> {
        self.lock().busy.values().cloned().collect()
    }

    /// The queue hides messages until then, or nothing is received.
    pub(crate) fn wait_until(&self, until: Timestamp) {
        let mut state = self.lock();
        state.waits_until = state.waits_until.max(until);
    }

    pub(crate) fn waits_until(&self) -> Timestamp {
        self.lock().waits_until
    }

    pub(crate) fn change_shard(&self, shard_id: &str, change: impl FnOnce(&mut ShardView)) {
        change(self.lock().shards.entry(shard_id.to_owned()).or_default());
    }

    pub(crate) fn shards(&self) -> Vec<ShardView> {
        self.lock().shards.values().cloned().collect()
    }

    /// Nobody reads any more.
    pub(crate) fn forget_shards(&self) {
        self.lock().shards.clear();
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().expect("no holder panics")
    }
}

impl Task {
    pub(crate) fn change(&self, change: impl FnOnce(&mut Busy)) {
        if let Some(busy) = self.progress.lock().busy.get_mut(&self.number) {
            change(busy);
        }
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        self.progress.lock().busy.remove(&self.number);
    }
}
