//! Waiting until nothing is queued or running.

use std::sync::Arc;
use std::time::Duration;

use queues::{Lane, Queues};
use serde::Serialize;
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
pub async fn settle(world: &World, queues: &Arc<Queues>, lanes: &[Lane], limit: Duration) -> Result<(), Vec<Pending>> {
    let mut pending = queues.watch_pending();
    let deadline = tokio::time::Instant::now() + limit;
    loop {
        if *pending.borrow_and_update() == 0 {
            return Ok(());
        }
        let beyond = world.clock.now().plus(limit);
        let waits = |lane: &Lane| lane.pending().iter().all(|job| !job.running && job.due > beyond);
        if lanes.iter().all(waits) && *pending.borrow() != 0 {
            return Err(named(lanes));
        }
        if tokio::time::Instant::now() >= deadline {
            return Err(named(lanes));
        }
        // An error means that the queues are gone; then the next look finds nothing pending, or the deadline.
        let _ = tokio::time::timeout(LOOK_EVERY, pending.changed()).await;
    }
}

fn named(lanes: &[Lane]) -> Vec<Pending> {
    let jobs = lanes.iter().flat_map(Lane::pending).take(NAMED_MAX);
    jobs.map(|job| Pending {
        lane: job.lane.to_string(),
        what: job.label,
        due_at: job.due.rfc3339_millis(),
        running: job.running,
        failed_attempts: job.attempt,
    })
    .collect()
}
