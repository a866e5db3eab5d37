//! The loop behind everything asynchronous: takes a job from a lane, lets its room make an attempt, and does with
//! the job what the room says. Reading [`step`] tells the whole story.

use std::sync::Arc;

use event_bus::EventBus;
use function_host::FunctionHost;
use queues::{Job, Lane, NewJob, Then};
use storage::StorageError;
use tokio::task::JoinSet;
use world::World;

use crate::faults;

/// Deliveries of the bus in work at once: each is a quick decision.
const DELIVERIES_AT_ONCE: usize = 4;
/// Calls of API destinations in work at once: each may wait five seconds for an answer.
const CALLS_AT_ONCE: usize = 32;
/// Asynchronous invocations in work at once: more than a function has sandboxes, so that one slow function does
/// not hold up the others.
const INVOCATIONS_AT_ONCE: usize = 32;

/// The lane of the bus's deliveries.
pub const DELIVERIES: &str = "bus-deliveries";
/// The lane of calls of API destinations: a slow server must not hold up other deliveries.
pub const CALLS: &str = "bus-calls";
/// The lane of asynchronous invocations.
pub const INVOCATIONS: &str = "async-invocations";

/// The rooms whose jobs are run.
#[derive(Clone)]
pub struct Worker {
    pub world: World,
    pub bus: Arc<EventBus>,
    pub functions: Arc<FunctionHost>,
    pub deliveries: Lane,
    pub calls: Lane,
    pub invocations: Lane,
}

/// Which room a job belongs to.
#[derive(Clone, Copy)]
enum Room {
    Bus,
    Calls,
    Functions,
}

impl Worker {
    /// Starts the loops; they end when the set is dropped.
    pub fn start(&self) -> JoinSet<()> {
        let mut loops = JoinSet::new();
        for (room, lane, at_once) in [
            (Room::Bus, &self.deliveries, DELIVERIES_AT_ONCE),
            (Room::Calls, &self.calls, CALLS_AT_ONCE),
            (Room::Functions, &self.invocations, INVOCATIONS_AT_ONCE),
        ] {
            for _ in 0..at_once {
                let (worker, lane) = (self.clone(), lane.clone());
                loops.spawn(async move {
                    loop {
                        let job = lane.next().await;
                        if let Err(error) = worker.step(room, &lane, &job).await {
                            // The job stays as it was; it is handed out again at the next start.
                            tracing::error!(%error, job = job.label, "what became of a job could not be stored");
                        }
                    }
                });
            }
        }
        loops
    }

    async fn step(&self, room: Room, lane: &Lane, job: &Job) -> Result<(), StorageError> {
        let then = match room {
            Room::Bus => self.after(self.bus.attempt(&job.body, job.attempt, job.first_queued).await, job),
            Room::Calls => self.after(self.bus.attempt_call(&job.body, job.attempt, job.first_queued).await, job),
            Room::Functions => match self.functions.attempt(&job.body, job.attempt, job.first_queued).await {
                function_host::Step::Done | function_host::Step::GaveUp => Then::Done,
                function_host::Step::Retry { due } => Then::Retry { due },
                function_host::Step::Postponed { due } => Then::Postpone { due },
            },
        };
        lane.finish(job, then).await
    }

    /// What becomes of a delivery of the bus.
    fn after(&self, step: event_bus::Step, job: &Job) -> Then {
        let now = self.world.clock.now();
        match step {
            event_bus::Step::Done | event_bus::Step::DeadLettered | event_bus::Step::Dropped { .. } => Then::Done,
            event_bus::Step::Retry { due } => Then::Retry { due },
            event_bus::Step::Postpone { due } => Then::Postpone { due },
            event_bus::Step::Call { trace } => {
                let call = NewJob { body: job.body.clone(), due: now, label: job.label.clone() };
                let jobs = faults::queued(&self.world, CALLS, call, Some(&trace));
                Then::MoveTo(jobs.into_iter().map(|job| (self.calls.clone(), job)).collect())
            }
            event_bus::Step::Invoke { function_arn, payload, trace, .. } => {
                match self.functions.async_job(&function_arn, payload.as_bytes(), &trace) {
                    Ok(body) => {
                        let invocation = NewJob { body, due: now, label: job.label.clone() };
                        let jobs = faults::queued(&self.world, INVOCATIONS, invocation, Some(&trace));
                        Then::MoveTo(jobs.into_iter().map(|job| (self.invocations.clone(), job)).collect())
                    }
                    // Deleted since the bus looked: the next attempt finds that and gives up in AWS's way.
                    Err(_) => Then::Retry { due: now },
                }
            }
        }
    }
}
