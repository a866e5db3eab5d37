//! What a lane keeps in memory: the jobs that are due next, who has been handed out, and how many more are on
//! disk. No input or output, no clock: [`crate::Lane`] brings both.
//!
//! One rule carries everything. Every job of the lane on disk is in exactly one of these places:
//!
//! - `ready`, if its key is below the horizon;
//! - `beyond`, counted but not held, if its key is at the horizon or above it;
//! - `running`, handed out, or `arriving`, being written: whatever its key.
//!
//! Without a horizon nothing is beyond.

use std::collections::{BTreeMap, HashMap, HashSet};

use world::Timestamp;

/// The order of a lane: by the time a job is due, then by insertion.
pub(crate) type Key = (Timestamp, i64);

const FIRST_KEY: Key = (Timestamp::from_millis(i64::MIN), i64::MIN);

/// A job as it is on disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stored {
    pub id: i64,
    pub due: Timestamp,
    pub attempt: u32,
    pub first_queued: Timestamp,
    pub label: String,
    pub body: Vec<u8>,
}

impl Stored {
    pub fn key(&self) -> Key {
        (self.due, self.id)
    }

    fn bytes(&self) -> usize {
        self.body.len() + self.label.len()
    }
}

/// How much of a lane is in memory.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Size {
    pub jobs_max: usize,
    pub bytes_max: usize,
}

impl Size {
    /// A lane of any length takes no more memory than this.
    pub const DEFAULT: Self = Self { jobs_max: 1_000, bytes_max: 16 * 1024 * 1024 };
}

/// What a worker that asks for a job is told.
#[derive(Debug)]
pub(crate) enum Next {
    Job(Stored),
    /// None yet: the first is due then.
    At(Timestamp),
    /// None in memory.
    Nothing,
}

/// What is left in memory of a job that was handed out.
#[derive(Debug)]
pub(crate) struct Running {
    pub due: Timestamp,
    pub attempt: u32,
    pub label: String,
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Window {
    size: Size,
    ready: BTreeMap<Key, Stored>,
    ready_bytes: usize,
    horizon: Option<Key>,
    beyond: usize,
    running: HashMap<i64, Running>,
    arriving: HashSet<i64>,
    reading_ahead: bool,
    /// Counts resets: what was written before the last one is gone.
    epoch: u64,
}

impl Window {
    /// For a lane that has `stored` jobs on disk.
    pub fn new(size: Size, stored: usize) -> Self {
        Self {
            size,
            ready: BTreeMap::new(),
            ready_bytes: 0,
            horizon: (stored > 0).then_some(FIRST_KEY),
            beyond: stored,
            running: HashMap::new(),
            arriving: HashSet::new(),
            reading_ahead: false,
            epoch: 0,
        }
    }

    /// Jobs that are not finished, wherever they are.
    pub fn count(&self) -> usize {
        self.ready.len() + self.beyond + self.running.len() + self.arriving.len()
    }

    pub fn epoch(&self) -> u64 {
        self.epoch
    }

    /// When the first job in memory is due.
    pub fn first_due(&self) -> Option<Timestamp> {
        self.ready.first_key_value().map(|(key, _)| key.0)
    }

    pub fn running(&self) -> impl Iterator<Item = &Running> {
        self.running.values()
    }

    pub fn ready(&self) -> impl Iterator<Item = &Stored> {
        self.ready.values()
    }

    /// A job of this id is about to be written: reading ahead must leave it to its writer.
    pub fn expect(&mut self, id: i64) {
        self.arriving.insert(id);
    }

    /// The job is no more, or was never written.
    pub fn forget(&mut self, id: i64) {
        if !self.arriving.remove(&id) {
            self.running.remove(&id);
        }
    }

    /// Takes in a job that is on disk and that nobody works on.
    pub fn admit(&mut self, job: Stored) {
        self.forget(job.id);
        if self.horizon.is_some_and(|horizon| job.key() >= horizon) {
            self.beyond += 1;
            return;
        }
        self.ready_bytes += job.bytes();
        self.ready.insert(job.key(), job);
        while self.ready.len() > self.size.jobs_max || (self.ready_bytes > self.size.bytes_max && self.ready.len() > 1)
        {
            let Some((key, job)) = self.ready.pop_last() else { break };
            self.ready_bytes -= job.bytes();
            self.beyond += 1;
            self.horizon = Some(key);
        }
    }

    /// Hands out the first job, if it is due.
    pub fn take(&mut self, now: Timestamp) -> Next {
        match self.ready.first_entry() {
            None => Next::Nothing,
            Some(entry) if entry.key().0 > now => Next::At(entry.key().0),
            Some(entry) => {
                let job = entry.remove();
                self.ready_bytes -= job.bytes();
                let running = Running { due: job.due, attempt: job.attempt, label: job.label.clone() };
                self.running.insert(job.id, running);
                Next::Job(job)
            }
        }
    }

    /// Whether the caller should read ahead now; nobody else is told so until it has.
    pub fn start_reading_ahead(&mut self) -> bool {
        let low = self.ready.len() <= self.size.jobs_max / 2 && self.ready_bytes <= self.size.bytes_max / 2;
        let start = low && self.beyond > 0 && !self.reading_ahead;
        self.reading_ahead |= start;
        start
    }

    pub fn stop_reading_ahead(&mut self) {
        self.reading_ahead = false;
    }

    /// Where to read from, how many jobs and how many bytes at most; nothing if there is no room any more.
    /// Jobs in other hands are read in vain, so there is room for them.
    pub fn range_ahead(&self) -> Option<(Key, Size)> {
        let jobs_room = self.size.jobs_max.saturating_sub(self.ready.len());
        let bytes_max = self.size.bytes_max.saturating_sub(self.ready_bytes);
        if jobs_room == 0 || bytes_max == 0 {
            return None;
        }
        let jobs_max = jobs_room + self.running.len() + self.arriving.len();
        self.horizon.map(|horizon| (horizon, Size { jobs_max, bytes_max }))
    }

    /// Takes in what was read from `from` on. False if the horizon has moved since: read again.
    ///
    /// The caller is inside the writer's transaction, so nothing was written since it began to read: a job
    /// whose writer has not admitted it yet is still in `running` or `arriving`.
    pub fn read_ahead(&mut self, from: Key, jobs: Vec<Stored>, all: bool) -> bool {
        if self.horizon != Some(from) {
            return false;
        }
        if all {
            self.horizon = None;
        } else if let Some(last) = jobs.last() {
            self.horizon = Some((last.due, last.id + 1));
        }
        for job in jobs {
            if !self.running.contains_key(&job.id) && !self.arriving.contains(&job.id) {
                self.beyond = self.beyond.saturating_sub(1);
                self.ready_bytes += job.bytes();
                self.ready.insert(job.key(), job);
            }
        }
        debug_assert!(!all || self.beyond == 0, "{} jobs are lost beyond the end", self.beyond);
        if all {
            self.beyond = 0;
        }
        true
    }

    /// Everything on disk is gone. What is arriving finds out by the epoch.
    pub fn reset(&mut self) {
        self.ready.clear();
        self.ready_bytes = 0;
        self.horizon = None;
        self.beyond = 0;
        self.running.clear();
        self.epoch += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(0);

    fn job(id: i64) -> Stored {
        Stored { id, due: NOW, attempt: 0, first_queued: NOW, label: String::new(), body: b"work".to_vec() }
    }

    fn take(window: &mut Window) -> Option<i64> {
        match window.take(NOW) {
            Next::Job(job) => Some(job.id),
            Next::At(_) | Next::Nothing => None,
        }
    }

    /// A window of `jobs_max` after 1, 2 and 3 were pushed.
    fn window(jobs_max: usize) -> Window {
        let mut window = Window::new(Size { jobs_max, ..Size::DEFAULT }, 0);
        (1..=3).for_each(|id| window.admit(job(id)));
        window
    }

    #[test]
    fn what_does_not_fit_is_beyond_the_horizon() {
        let window = window(1);
        assert_eq!((window.ready.len(), window.beyond, window.horizon), (1, 2, Some((NOW, 2))));
    }

    #[test]
    fn reading_ahead_passes_over_what_is_in_other_hands() {
        let mut window = window(2);
        assert_eq!((take(&mut window), take(&mut window)), (Some(1), Some(2)));
        window.admit(job(2)); // retried at once
        window.expect(4);
        assert!(window.start_reading_ahead());
        let (from, size) = window.range_ahead().expect("there is more");
        assert_eq!((from, size.jobs_max), ((NOW, 3), 3));
        assert!(window.read_ahead(from, vec![job(3), job(4)], true));
        assert_eq!((window.count(), window.beyond, window.horizon), (4, 0, None));
        assert_eq!((take(&mut window), take(&mut window), take(&mut window)), (Some(2), Some(3), None));
    }

    /// Jobs may fill the window between the decision to read ahead and the reading.
    #[test]
    fn a_window_that_filled_up_meanwhile_reads_nothing_and_forgets_nothing() {
        let mut window = window(1);
        take(&mut window);
        assert!(window.start_reading_ahead());
        window.admit(job(1));
        assert_eq!(window.range_ahead().map(|(from, _)| from), None);
        window.stop_reading_ahead();
        assert_eq!(take(&mut window), Some(1));
        assert!(window.start_reading_ahead());
        let (from, _) = window.range_ahead().expect("there is more");
        assert!(window.read_ahead(from, vec![job(2)], false));
        assert_eq!(take(&mut window), Some(2));
    }

    #[test]
    fn a_horizon_that_moved_is_read_from_again() {
        let mut window = window(2);
        take(&mut window);
        let (from, _) = window.range_ahead().expect("there is more");
        window.admit(job(0));
        window.admit(job(1)); // pushes 2 out
        assert!(!window.read_ahead(from, vec![job(3)], true));
        assert_eq!(window.beyond, 2);
    }
}
