//! Many jobs and many messages: what is in memory stays small, and nothing that is asked often looks at all of it.

use std::time::Duration;

use serde_json::json;
use storage::{Durability, Location};
use world::World;

use crate::window::Size;
use crate::{NewJob, Queues, Then};

const JOBS: usize = 100_000;

#[tokio::test]
async fn a_lane_that_nobody_works_off_stays_on_disk() {
    let world = World::for_tests(1);
    let open = |location| Queues::open(world.clone(), location, Durability::default(), String::new());
    let lane = open(Location::Memory).expect("it opens").lane("work");
    let due = world.clock.now();
    for _ in 0..JOBS / 1_000 {
        let jobs = (0..1_000).map(|_| NewJob { body: vec![b'x'; 200], due, label: "a job".into() });
        lane.push(jobs.collect()).await.expect("it is stored");
        assert!(lane.in_memory() <= Size::DEFAULT.jobs_max);
    }
    assert_eq!(lane.pending_count(), JOBS);
    // A target that is dead: every job is tried, fails, and is to be tried again in an hour.
    for _ in 0..2_500 {
        let job = lane.next().await;
        assert!(lane.in_memory() <= Size::DEFAULT.jobs_max + 1);
        let due = world.clock.now().plus(Duration::from_hours(1));
        lane.finish(&job, Then::Retry { due }).await.expect("it is stored");
    }
    assert_eq!(lane.pending_count(), JOBS);
}

#[tokio::test]
async fn what_is_asked_often_goes_by_an_index() {
    let room = crate::tests::Room::new();
    room.queue("orders", json!({})).await;
    for sql in crate::store::hot_statements() {
        let explain = format!("EXPLAIN QUERY PLAN {sql}");
        let plan = room.queues.database.read(move |connection| {
            let mut plan = connection.prepare(&explain)?;
            // What a parameter holds changes no plan here.
            let nulls = vec![rusqlite::types::Null; plan.parameter_count()];
            let rows = plan.query_map(rusqlite::params_from_iter(nulls), |row| row.get::<_, String>(3))?;
            Ok::<_, crate::error::Error>(rows.collect::<rusqlite::Result<Vec<_>>>()?)
        });
        let plan = plan.await.expect("a plan").join("; ");
        assert!(!plan.contains("SCAN") && !plan.contains("TEMP B-TREE"), "{sql}: {plan}");
    }
}
