//! A lane: jobs that wait for their time, handed out one by one, at least once.
//!
//! A job is on disk from before [`Lane::push`] returns until [`Lane::finish`] has ended it. Whoever takes it
//! holds a [`Job`]; if that is dropped unfinished (a worker that panicked or was stopped), or the process dies,
//! the job is handed out again, as the same attempt.

use std::fmt;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use rusqlite::Connection;
use storage::{Database, StorageError};
use tokio::runtime::Handle;
use tokio::sync::Notify;
use world::{Clock, Timestamp};

use crate::Pending;
use crate::pending::Total;
use crate::store::jobs;
use crate::window::{Next, Size, Stored, Window};

/// Pending jobs that are told one by one.
const PENDING_TOLD_MAX: usize = 50;
/// Until the next try when the disk cannot be read.
const READ_RETRY_MS: u64 = 1_000;

/// A job to push.
#[derive(Clone, Debug)]
pub struct NewJob {
    /// What to do, in the words of the room that does it.
    pub body: Vec<u8>,
    /// Not to be handed out before.
    pub due: Timestamp,
    /// For people who ask what is pending.
    pub label: String,
}

/// A job that was handed out. Dropped without [`Lane::finish`], it goes back to its lane.
#[derive(Debug)]
pub struct Job {
    /// Its number in the file.
    pub id: i64,
    /// What to do.
    pub body: Vec<u8>,
    /// Failed attempts so far: those that ended in [`Then::Retry`].
    pub attempt: u32,
    /// When it was pushed.
    pub first_queued: Timestamp,
    /// For people.
    pub label: String,
    lease: Lease,
}

/// What becomes of a job that was worked on.
#[derive(Debug)]
pub enum Then {
    /// It is done, or given up.
    Done,
    /// It failed; hand it out again when it is due.
    Retry {
        /// Not before.
        due: Timestamp,
    },
    /// It was not its turn; hand it out again when it is due. This is no failed attempt.
    Postpone {
        /// Not before.
        due: Timestamp,
    },
    /// It is done, and these jobs follow from it: in one transaction, so nothing is lost between.
    MoveTo(Vec<(Lane, NewJob)>),
}

/// The right to finish a job.
struct Lease {
    lane: Lane,
    id: i64,
    due: Timestamp,
    finished: AtomicBool,
}

/// A queue of jobs inside the local cloud. Cheap to clone: all clones are the same lane.
#[derive(Clone)]
pub struct Lane(Arc<Inner>);

struct Inner {
    name: &'static str,
    clock: Clock,
    database: Database,
    ids: Arc<AtomicI64>,
    total: Arc<Total>,
    window: Mutex<Window>,
    /// News for those in [`Lane::next`].
    news: Notify,
}

impl Lane {
    /// A lane that has `stored` jobs in the file.
    pub(crate) fn new(
        name: &'static str,
        (clock, database): (Clock, Database),
        (ids, total): (Arc<AtomicI64>, Arc<Total>),
        (size, stored): (Size, usize),
    ) -> Self {
        total.shift(0, stored);
        total.publish();
        let window = Mutex::new(Window::new(size, stored));
        let lane = Self(Arc::new(Inner { name, clock, database, ids, total, window, news: Notify::new() }));
        lane.change(|_| ());
        lane
    }

    /// Adds jobs. They survive the process when this returns.
    pub async fn push(&self, jobs: Vec<NewJob>) -> Result<(), StorageError> {
        let (arrival, jobs) = self.number(jobs);
        let (name, lane) = (self.0.name, self.clone());
        let (jobs, epoch) = self
            .0
            .database
            .write(move |connection| {
                for job in &jobs {
                    jobs::insert(connection, name, job)?;
                }
                Ok::<_, StorageError>((jobs, lane.window().epoch()))
            })
            .await?; // on an error the arrival looks what there is
        arrival.has_come(jobs, epoch);
        Ok(())
    }

    /// The next job: waits until there is one and it is due by the world's clock.
    pub async fn next(&self) -> Job {
        loop {
            if let Ok(job) = self.take() {
                return job;
            }
            let mut news = pin!(self.0.news.notified());
            news.as_mut().enable(); // from here on no news is missed, so look once more
            let due = match self.take() {
                Ok(job) => return job,
                Err(due) => due,
            };
            tokio::select! {
                () = news => {}
                () = self.0.clock.sleep_until(due.unwrap_or_default()), if due.is_some() => {}
            }
        }
    }

    /// Ends the work on a job. A job that was ended before, or that a reset dropped, stays ended.
    pub async fn finish(&self, job: &Job, then: Then) -> Result<(), StorageError> {
        let lease = &job.lease;
        if lease.finished.load(Ordering::Acquire) {
            return Ok(());
        }
        match then {
            Then::Done => lease.lane.remove(lease.id).await?,
            Then::Retry { due } => lease.lane.again(job, job.attempt + 1, due).await?,
            Then::Postpone { due } => lease.lane.again(job, job.attempt, due).await?,
            Then::MoveTo(jobs) => lease.lane.move_on(lease.id, jobs).await?,
        }
        lease.finished.store(true, Ordering::Release);
        Ok(())
    }

    /// Some of the jobs that are not finished: those handed out, then those due next.
    pub fn pending(&self) -> Vec<Pending> {
        let window = self.window();
        let lane = self.0.name;
        let running = window.running().map(|job| Pending {
            lane,
            label: job.label.clone(),
            due: job.due,
            running: true,
            attempt: job.attempt,
        });
        let ready = window.ready().map(|job| Pending {
            lane,
            label: job.label.clone(),
            due: job.due,
            running: false,
            attempt: job.attempt,
        });
        running.chain(ready).take(PENDING_TOLD_MAX).collect()
    }

    /// How many jobs are not finished: waiting, being written, or handed out.
    pub fn pending_count(&self) -> usize {
        self.window().count()
    }

    /// The lane's name.
    pub fn name(&self) -> &'static str {
        self.0.name
    }

    /// Jobs whose bodies are in memory.
    #[cfg(test)]
    pub(crate) fn in_memory(&self) -> usize {
        self.window().ready().count()
    }

    /// Forgets what is in memory: the caller is inside the transaction that deletes it.
    pub(crate) fn reset(&self) {
        self.change(Window::reset);
    }

    /// The first job if it is due, or when it will be.
    pub(crate) fn take(&self) -> Result<Job, Option<Timestamp>> {
        let now = self.0.clock.now();
        let (next, more) = self.change(|window| {
            let next = window.take(now);
            (next, window.first_due().is_some_and(|due| due <= now))
        });
        if more {
            self.0.news.notify_one(); // one piece of news may stand for many jobs
        }
        match next {
            Next::Nothing => Err(None),
            Next::At(due) => Err(Some(due)),
            Next::Job(job) => {
                let Stored { id, due, attempt, first_queued, label, body } = job;
                let lease = Lease { lane: self.clone(), id, due, finished: AtomicBool::new(false) };
                Ok(Job { id, body, attempt, first_queued, label, lease })
            }
        }
    }

    async fn remove(&self, id: i64) -> Result<(), StorageError> {
        self.0.database.write(move |connection| jobs::delete(connection, id)).await?;
        self.change(|window| window.forget(id));
        Ok(())
    }

    async fn again(&self, job: &Job, attempt: u32, due: Timestamp) -> Result<(), StorageError> {
        let stored = Stored {
            id: job.id,
            due,
            attempt,
            first_queued: job.first_queued,
            label: job.label.clone(),
            body: Vec::new(),
        };
        let lane = self.clone();
        let (stored, epoch) = self
            .0
            .database
            .write(move |connection| {
                // Read back, since the caller may have taken the body out of its job.
                let stored = jobs::retry(connection, &stored)?;
                Ok::<_, StorageError>((stored, lane.window().epoch()))
            })
            .await?;
        self.admit(&[job.id], stored, epoch);
        Ok(())
    }

    async fn move_on(&self, id: i64, jobs: Vec<(Lane, NewJob)>) -> Result<(), StorageError> {
        let mut arrivals = Vec::with_capacity(jobs.len());
        let mut numbered = Vec::with_capacity(jobs.len());
        for (lane, job) in jobs {
            let (arrival, jobs) = lane.number(vec![job]);
            arrivals.push(arrival);
            numbered.push((lane, jobs));
        }
        let written = self
            .0
            .database
            .write(move |connection| {
                if !jobs::delete(connection, id)? {
                    return Ok::<_, StorageError>(None);
                }
                for (lane, jobs) in &numbered {
                    for job in jobs {
                        jobs::insert(connection, lane.name(), job)?;
                    }
                }
                let with_epoch = |(lane, jobs): (Lane, Vec<Stored>)| {
                    let epoch = lane.window().epoch();
                    (jobs, epoch)
                };
                Ok(Some(numbered.into_iter().map(with_epoch).collect::<Vec<_>>()))
            })
            .await?;
        match written {
            Some(written) => {
                for (arrival, (jobs, epoch)) in arrivals.into_iter().zip(written) {
                    arrival.has_come(jobs, epoch);
                }
            }
            None => arrivals.into_iter().for_each(Arrival::never_comes),
        }
        self.change(|window| window.forget(id));
        Ok(())
    }

    /// Gives jobs their numbers, and lets the window expect them.
    fn number(&self, jobs: Vec<NewJob>) -> (Arrival, Vec<Stored>) {
        let first_queued = self.0.clock.now();
        let count = i64::try_from(jobs.len()).unwrap_or(i64::MAX);
        let ids = self.0.ids.fetch_add(count, Ordering::Relaxed)..;
        let number = |(id, job): (i64, NewJob)| {
            let NewJob { body, due, label } = job;
            Stored { id, due, attempt: 0, first_queued, label, body }
        };
        let jobs: Vec<Stored> = ids.zip(jobs).map(number).collect();
        let ids: Vec<i64> = jobs.iter().map(|job| job.id).collect();
        self.change(|window| ids.iter().for_each(|id| window.expect(*id)));
        (Arrival { lane: self.clone(), ids }, jobs)
    }

    /// The jobs of these ids are in nobody's hands any more; `jobs` of them are on disk, as of `epoch`.
    fn admit(&self, ids: &[i64], jobs: impl IntoIterator<Item = Stored>, epoch: u64) {
        let now = self.0.clock.now();
        let (mut due_now, mut earlier) = (0, false);
        self.change(|window| {
            for id in ids {
                window.forget(*id);
            }
            if window.epoch() != epoch {
                return;
            }
            let first_due = window.first_due();
            for job in jobs {
                due_now += usize::from(job.due <= now);
                window.admit(job);
            }
            earlier = window.first_due().is_some_and(|due| due > now && first_due.is_none_or(|first| due < first));
        });
        for _ in 0..due_now {
            self.0.news.notify_one();
        }
        if earlier {
            self.0.news.notify_waiters(); // who sleeps must sleep less
        }
    }

    /// Nobody knows what became of these jobs: looks, behind every change that is under way, and admits those
    /// that are there. At the end of the process nobody looks; the next one finds them.
    fn look_after(&self, ids: Vec<i64>) {
        let Ok(runtime) = Handle::try_current() else { return };
        let lane = self.clone();
        runtime.spawn(async move {
            loop {
                let (reader, wanted) = (lane.clone(), ids.clone());
                let found = lane.0.database.write(move |connection| {
                    let jobs = jobs::of_ids(connection, &wanted)?;
                    Ok::<_, StorageError>((jobs, reader.window().epoch()))
                });
                match found.await {
                    Ok((jobs, epoch)) => return lane.admit(&ids, jobs, epoch),
                    Err(StorageError::Closed) => return,
                    Err(error) => lane.wait_for_the_disk(&error).await,
                }
            }
        });
    }

    /// Reads the jobs behind the window. Inside the writer's transaction, see [`Window::read_ahead`].
    fn read_ahead(&self, connection: &Connection) -> Result<(), StorageError> {
        loop {
            let Some((from, size)) = self.window().range_ahead() else { break };
            let (jobs, all) = jobs::ahead(connection, self.0.name, from, size)?;
            if self.window().read_ahead(from, jobs, all) {
                break;
            }
        }
        self.window().stop_reading_ahead();
        Ok(())
    }

    fn start_reading_ahead(&self) {
        let Ok(runtime) = Handle::try_current() else {
            return self.window().stop_reading_ahead();
        };
        let lane = self.clone();
        runtime.spawn(async move {
            loop {
                let reader = lane.clone();
                match lane.0.database.write(move |connection| reader.read_ahead(connection)).await {
                    Ok(()) => break,
                    Err(StorageError::Closed) => return,
                    Err(error) => lane.wait_for_the_disk(&error).await,
                }
            }
            lane.change(|_| ());
            lane.0.news.notify_waiters();
            lane.0.news.notify_one(); // for one that was just about to wait
        });
    }

    async fn wait_for_the_disk(&self, error: &StorageError) {
        tracing::error!(lane = self.0.name, %error, "jobs cannot be read; trying again");
        tokio::time::sleep(Duration::from_millis(READ_RETRY_MS)).await;
    }

    /// Changes the window, keeps the total right, and sees to it that the window does not run dry.
    fn change<T>(&self, change: impl FnOnce(&mut Window) -> T) -> T {
        let mut window = self.window();
        let before = window.count();
        let result = change(&mut window);
        let after = window.count();
        self.0.total.shift(before, after);
        let read_ahead = window.start_reading_ahead();
        drop(window);
        if before != after {
            self.0.total.publish();
        }
        if read_ahead {
            self.start_reading_ahead();
        }
        result
    }

    fn window(&self) -> MutexGuard<'_, Window> {
        self.0.window.lock().expect("no holder panics")
    }
}

impl fmt::Debug for Lane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Lane").field(&self.0.name).finish()
    }
}

impl fmt::Debug for Lease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lease").field("lane", &self.lane).field("due", &self.due).finish_non_exhaustive()
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if !*self.finished.get_mut() {
            self.lane.look_after(vec![self.id]);
        }
    }
}

/// Jobs on their way to the disk. If their writer is dropped while it waits, nobody would ever admit them.
struct Arrival {
    lane: Lane,
    ids: Vec<i64>,
}

impl Arrival {
    fn has_come(mut self, jobs: Vec<Stored>, epoch: u64) {
        let ids = std::mem::take(&mut self.ids);
        self.lane.admit(&ids, jobs, epoch);
    }

    fn never_comes(self) {
        self.has_come(Vec::new(), 0);
    }
}

impl Drop for Arrival {
    fn drop(&mut self) {
        if !self.ids.is_empty() {
            self.lane.look_after(std::mem::take(&mut self.ids));
        }
    }
}
