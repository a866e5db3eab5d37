//! Waiting until nothing is queued or running.

use std::sync::Arc;
use std::time::Duration;

use event_bus::EventBus;
use function_host::{FunctionHost, PendingWork};
use queues::{Lane, Queues};
use serde::Serialize;
use user_pool::UserPools;
use world::World;

/// Pending jobs named in an answer.
const NAMED_MAX: usize = 50;
/// How often the jobs are looked at while their number stays the same: one that failed waits for its next attempt.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// What is not done yet.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Pending {
    lane: String,
    what: String,
    due_at: String,
    running: bool,
    failed_attempts: u32,
}

/// Waits until nothing is queued or running, at most so long. An `Err` names what still is; it comes at once when
/// all of that waits for a time that lies beyond the limit.
pub async fn settle(
    world: &World,
    queues: &Arc<Queues>,
    lanes: &[Lane],
    pools: &UserPools,
    functions: &FunctionHost,
    bus: &EventBus,
    limit: Duration,
) -> Result<(), Vec<Pending>> {
    let mut pending = queues.watch_pending();
    let deadline = tokio::time::Instant::now() + limit;
    loop {
        // Looked at first: what a trigger queues it queues before it ends.
        let no_trigger = pools.unfinished() == 0;
        // A replay queues deliveries until it ends; a rule that fires by itself later is nothing to wait for.
        let no_replay = !bus.is_replaying().await;
        let is_idle = *pending.borrow_and_update() == 0 && no_trigger && no_replay;
        let sources = functions.pending_work().await;
        // A batch of one mapping may have filled the queue of another that was looked at before it.
        if is_idle && sources.is_empty() && functions.pending_work().await.is_empty() && *pending.borrow() == 0 {
            return Ok(());
        }
        let beyond = world.clock.now().plus(limit);
        // Listed anew: between the count and the list the last job may have ended, and then nothing waits.
        let jobs: Vec<_> = lanes.iter().flat_map(Lane::pending).collect();
        let all_wait = jobs.iter().all(|job| !job.running && job.due > beyond)
            && sources.iter().all(|work| !work.running && work.due > beyond);
        if all_wait && !(jobs.is_empty() && sources.is_empty()) && no_trigger && no_replay {
            return Err(named(lanes, sources));
        }
        if tokio::time::Instant::now() >= deadline {
            return Err(named(lanes, sources));
        }
        // An error means that the queues are gone; then the next look finds nothing pending, or the deadline.
        let _ = tokio::time::timeout(LOOK_EVERY, pending.changed()).await;
    }
}

fn named(lanes: &[Lane], sources: Vec<PendingWork>) -> Vec<Pending> {
    let sources = sources.into_iter().map(|work| Pending {
        lane: work.mapping,
        what: work.what,
        due_at: work.due.rfc3339_millis(),
        running: work.running,
        failed_attempts: work.failed_attempts,
    });
    let jobs = lanes.iter().flat_map(Lane::pending);
    let jobs = jobs.map(|job| Pending {
        lane: job.lane.to_string(),
        what: job.label,
        due_at: job.due.rfc3339_millis(),
        running: job.running,
        failed_attempts: job.attempt,
    });
    jobs.chain(sources).take(NAMED_MAX).collect()
}
