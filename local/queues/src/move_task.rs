//! Message move tasks: dead letters that go back where they came from, or to another queue.
//!
//! A task is on disk with how far it is, and each step of it is one transaction, so a task survives the process
//! and a message is never in two queues, nor in none. One mover takes the steps of all tasks; it is there while
//! a task runs.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use rusqlite::Connection;
use storage::StorageError;
use tokio::runtime::Handle;
use world::{Timestamp, World};

use crate::Queues;
use crate::error::Error;
use crate::queue::Queue;
use crate::queues::{later, name_in_arn};
use crate::receiving::{append_to_group, receivable};
use crate::store::messages::{self, Move, Visible};
use crate::store::{groups, move_tasks, queues};

/// Of a task without a velocity of its own, at once.
const STEP_MESSAGES: usize = 500;
/// Until the next try when the disk fails.
const RETRY_MS: u64 = 1_000;
/// In AWS's words: a message that nobody buried here, so that it has no way back.
const NO_SOURCE: &str = "CouldNotDetermineMessageSource";
/// In AWS's words: the queue that messages go to is gone.
const NO_QUEUE: &str = "AWS.SimpleQueueService.NonExistentQueue";

/// A task as it is stored.
#[derive(Clone, Debug)]
pub(crate) struct MoveTask {
    pub id: i64,
    pub task_id: String,
    /// The name of the dead-letter queue.
    pub source: String,
    /// The queue of each message's own where there is none.
    pub destination_arn: Option<String>,
    /// As fast as can be where there is none.
    pub per_second: Option<i64>,
    pub status: Status,
    pub moved: i64,
    pub to_move: i64,
    pub failure: Option<String>,
    pub started: Timestamp,
    /// When the next step is due.
    pub due: Timestamp,
}

/// A step is one transaction, so nothing is ever seen to be `CANCELLING`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    Running,
    Completed,
    Cancelled,
    Failed,
}

impl Status {
    pub fn name(self) -> &'static str {
        match self {
            Self::Running => "RUNNING",
            Self::Completed => "COMPLETED",
            Self::Cancelled => "CANCELLED",
            Self::Failed => "FAILED",
        }
    }

    pub fn of_name(name: &str) -> Self {
        match name {
            "RUNNING" => Self::Running,
            "COMPLETED" => Self::Completed,
            "CANCELLED" => Self::Cancelled,
            _ => Self::Failed,
        }
    }
}

/// What the mover does next.
enum Next {
    /// Tell those who poll these queues, and go on at once.
    Now(BTreeSet<i64>),
    At(Timestamp),
    /// No task runs.
    Rest,
}

impl Queues {
    /// Sees to it that somebody takes the steps of tasks. Outside of a runtime nobody does, until a next call.
    pub(crate) fn start_mover(&self) {
        let Ok(runtime) = Handle::try_current() else { return };
        self.move_news.notify_one();
        if self.mover_runs.swap(true, Ordering::SeqCst) {
            return;
        }
        let (room, news) = (self.this.clone(), Arc::clone(&self.move_news));
        runtime.spawn(async move {
            loop {
                // Nothing is held while it waits, so that it does not keep the room alive.
                let Some(room) = room.upgrade() else { return };
                let world = room.world.clone();
                let next = room.database.write(move |connection| step(connection, &world)).await;
                let clock = room.world.clock.clone();
                match next {
                    Ok(Next::Now(queues)) => queues.into_iter().for_each(|queue| room.tell_pollers(queue)),
                    Ok(Next::At(due)) => {
                        drop(room);
                        tokio::select! {
                            () = clock.sleep_until(due) => {}
                            () = news.notified() => {}
                        }
                    }
                    Ok(Next::Rest) => {
                        room.mover_runs.store(false, Ordering::SeqCst);
                        // A task may have come between the look and this.
                        let any = room.database.read(move_tasks::any_runs).await;
                        if !any.unwrap_or(true) || room.mover_runs.swap(true, Ordering::SeqCst) {
                            return;
                        }
                    }
                    Err(Error::Storage(StorageError::Closed)) => return,
                    Err(error) => {
                        tracing::error!(%error, "messages cannot be moved; trying again");
                        drop(room);
                        tokio::time::sleep(Duration::from_millis(RETRY_MS)).await;
                    }
                }
            }
        });
    }
}

/// The next step of the task that is due first.
fn step(connection: &Connection, world: &World) -> Result<Next, Error> {
    let Some(mut task) = move_tasks::first_running(connection)? else { return Ok(Next::Rest) };
    let now = world.clock.now();
    if task.due > now {
        return Ok(Next::At(task.due));
    }
    let count = task.per_second.and_then(|count| usize::try_from(count).ok()).unwrap_or(STEP_MESSAGES);
    let mut told = BTreeSet::new();
    match queues::find(connection, &task.source)? {
        None => task.fail(NO_QUEUE),
        Some(source) => {
            let batch = receivable(connection, &source, now, count)?;
            if batch.len() < count {
                task.status = Status::Completed; // unless one of these cannot be moved
            }
            let mut mover = Mover { connection, world, source: &source, now, targets: HashMap::new() };
            for message in batch {
                match mover.carry(&message, task.destination_arn.as_deref())? {
                    Ok(target) => told.insert(target),
                    Err(failure) => {
                        task.fail(failure);
                        break;
                    }
                };
                task.moved += 1;
            }
        }
    }
    // Counted from when it was due, so that a clock that leaps ahead moves no less.
    task.due = task.per_second.map_or(now, |_| later(task.due, 1));
    move_tasks::update(connection, &task)?;
    Ok(Next::Now(told))
}

impl MoveTask {
    fn fail(&mut self, failure: &str) {
        tracing::warn!(task = self.task_id, source = self.source, failure, "a message move task failed");
        self.status = Status::Failed;
        self.failure = Some(failure.to_owned());
    }
}

struct Mover<'a> {
    connection: &'a Connection,
    world: &'a World,
    source: &'a Queue,
    now: Timestamp,
    /// By ARN.
    targets: HashMap<String, Option<Queue>>,
}

impl Mover<'_> {
    /// Moves one message, as a new one; gives the queue that it went to, or why it could not.
    fn carry(&mut self, message: &Visible, destination: Option<&str>) -> Result<Result<i64, &'static str>, Error> {
        let Some(arn) = destination.or(message.source_arn.as_deref()) else { return Ok(Err(NO_SOURCE)) };
        if !self.targets.contains_key(arn) {
            let found = name_in_arn(self.world, arn).map(|name| queues::find(self.connection, &name)).transpose()?;
            let found = found.flatten().filter(|target| target.is_fifo() == self.source.is_fifo());
            self.targets.insert(arn.to_owned(), found);
        }
        let Some(Some(target)) = self.targets.get(arn) else { return Ok(Err(NO_QUEUE)) };
        let connection = self.connection;
        let sequence = if target.is_fifo() { Some(queues::next_sequence(connection, target.id)?) } else { None };
        let visible = later(self.now, target.attributes.delay_s());
        let to = Move {
            queue: target.id,
            message_id: &self.world.random.uuid(),
            sent: self.now,
            visible,
            sequence,
            deduplication_id: message.deduplication_id.as_deref().filter(|_| target.is_fifo()),
            source_arn: None,
        };
        messages::change_queue(connection, message.id, &to)?;
        append_to_group(connection, target, message, sequence, visible)?;
        if let (Some(group_id), true) = (&message.group_id, self.source.is_fifo()) {
            groups::refresh(connection, self.source.id, group_id)?;
        }
        Ok(Ok(target.id))
    }
}
