//! Lanes, one behaviour at a time. `lane_model.rs` looks for what nobody thought of.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use storage::{Durability, Location};
use world::World;

use crate::window::Size;
use crate::{Job, Lane, NewJob, Queues, Then};

fn open(world: &World, path: &Path, jobs_max: usize) -> Arc<Queues> {
    let size = Size { jobs_max, ..Size::DEFAULT };
    let location = Location::File(path.to_owned());
    Queues::open_with_window(world.clone(), location, Durability::default(), String::new(), size).expect("it opens")
}

fn in_memory(world: &World) -> Arc<Queues> {
    Queues::open(world.clone(), Location::Memory, Durability::default(), String::new()).expect("it opens")
}

fn job(world: &World, name: &str, in_s: u64) -> NewJob {
    let due = world.clock.now().plus(Duration::from_secs(in_s));
    NewJob { body: name.as_bytes().to_vec(), due, label: name.to_owned() }
}

fn name(job: &Job) -> &str {
    std::str::from_utf8(&job.body).expect("text")
}

/// The next job, if there is one now.
async fn now(lane: &Lane) -> Option<Job> {
    tokio::time::timeout(Duration::ZERO, lane.next()).await.ok()
}

#[tokio::test]
async fn jobs_come_by_due_and_then_by_insertion() {
    let world = World::for_tests(1);
    let lane = in_memory(&world).lane("work");
    lane.push(vec![job(&world, "c", 2), job(&world, "a", 1), job(&world, "b", 1)]).await.expect("it is stored");
    world.clock.advance(Duration::from_secs(2));
    let taken = [lane.next().await, lane.next().await, lane.next().await];
    assert_eq!(taken.each_ref().map(name), ["a", "b", "c"]);
}

#[tokio::test]
async fn a_job_is_not_handed_out_before_it_is_due() {
    let world = World::for_tests(1);
    let lane = in_memory(&world).lane("work");
    lane.push(vec![job(&world, "later", 60)]).await.expect("it is stored");
    assert!(now(&lane).await.is_none());
    let waiting = tokio::spawn({
        let lane = lane.clone();
        async move { name(&lane.next().await).to_owned() }
    });
    tokio::task::yield_now().await;
    world.clock.advance(Duration::from_mins(1));
    assert_eq!(waiting.await.expect("it is handed out"), "later");
}

#[tokio::test]
async fn a_sleeper_learns_of_a_job_that_is_due_earlier() {
    let world = World::for_tests(1);
    let lane = in_memory(&world).lane("work");
    lane.push(vec![job(&world, "later", 60)]).await.expect("it is stored");
    let waiting = tokio::spawn({
        let lane = lane.clone();
        async move { name(&lane.next().await).to_owned() }
    });
    tokio::task::yield_now().await;
    lane.push(vec![job(&world, "sooner", 30)]).await.expect("it is stored");
    tokio::task::yield_now().await;
    world.clock.advance(Duration::from_secs(30));
    assert_eq!(waiting.await.expect("it is handed out"), "sooner");
}

#[tokio::test]
async fn a_retried_job_waits_and_counts() {
    let world = World::for_tests(1);
    let lane = in_memory(&world).lane("work");
    lane.push(vec![job(&world, "work", 0)]).await.expect("it is stored");
    let pushed = world.clock.now();
    let first = lane.next().await;
    let due = pushed.plus(Duration::from_mins(1));
    lane.finish(&first, Then::Retry { due }).await.expect("it is stored");
    assert!(now(&lane).await.is_none());
    world.clock.advance(Duration::from_mins(1));
    let second = lane.next().await;
    assert_eq!((second.id, second.attempt, second.first_queued, name(&second)), (first.id, 1, pushed, "work"));
}

#[tokio::test]
async fn a_job_moves_to_another_lane() {
    let world = World::for_tests(1);
    let queues = in_memory(&world);
    let (from, to) = (queues.lane("from"), queues.lane("to"));
    from.push(vec![job(&world, "work", 0)]).await.expect("it is stored");
    let taken = from.next().await;
    let then = Then::MoveTo(vec![(to.clone(), job(&world, "follow-up", 0))]);
    from.finish(&taken, then).await.expect("it is stored");
    assert_eq!((from.pending_count(), name(&to.next().await)), (0, "follow-up"));
}

#[tokio::test]
async fn the_total_never_shows_nothing_while_a_job_moves() {
    let world = World::for_tests(1);
    let queues = in_memory(&world);
    let (from, to) = (queues.lane("from"), queues.lane("to"));
    from.push(vec![job(&world, "work", 0)]).await.expect("it is stored");
    let idle = tokio::spawn({
        let queues = Arc::clone(&queues);
        async move { queues.idle().await }
    });
    for _ in 0..50 {
        let taken = from.next().await;
        let back = Then::MoveTo(vec![(from.clone(), job(&world, "work", 0)), (to.clone(), job(&world, "more", 0))]);
        from.finish(&taken, back).await.expect("it is stored");
        assert!(!idle.is_finished());
        let more = to.next().await;
        to.finish(&more, Then::Done).await.expect("it is stored");
    }
    let last = from.next().await;
    from.finish(&last, Then::Done).await.expect("it is stored");
    idle.await.expect("it is idle");
}

#[tokio::test]
async fn a_job_dropped_unfinished_is_handed_out_again() {
    let world = World::for_tests(1);
    let lane = in_memory(&world).lane("work");
    lane.push(vec![job(&world, "work", 0)]).await.expect("it is stored");
    drop(lane.next().await);
    let again = lane.next().await;
    assert_eq!((name(&again), again.attempt), ("work", 0));
}

/// Only the window is in memory: everything else must come back from the disk, in order, and nothing twice.
#[tokio::test]
async fn a_long_lane_passes_through_a_small_window() {
    let world = World::for_tests(1);
    let dir = tempfile::tempdir().expect("a directory");
    let lane = open(&world, &dir.path().join("queues.db"), 16).lane("work");
    let jobs = (0..500).map(|n: u64| job(&world, &format!("{n}"), n / 7));
    lane.push(jobs.collect()).await.expect("it is stored");
    world.clock.advance(Duration::from_secs(500));
    for n in 0..500 {
        let taken = lane.next().await;
        assert_eq!(name(&taken), n.to_string());
        lane.finish(&taken, Then::Done).await.expect("it is stored");
    }
    assert_eq!(lane.pending_count(), 0);
}

/// A crash between `push` and `finish`: jobs that wait, that are handed out and that were retried must all be
/// handed out by the next process, and the finished one must not. Nothing is lost because a job's row goes only
/// in the transaction that ends it.
#[test]
fn a_crash_loses_no_job_and_forgets_no_end() {
    let world = World::for_tests(1);
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("queues.db");
    let crash = |life: &mut dyn FnMut(&tokio::runtime::Runtime, &Lane)| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let queues = open(&world, &path, 1_000);
        life(&runtime, &queues.lane("work"));
        drop(runtime);
    };
    let mut held = Vec::new();
    crash(&mut |runtime, lane| {
        runtime.block_on(async {
            let jobs = ["done", "held", "retried", "waiting"].map(|name| job(&world, name, 0));
            lane.push(jobs.into()).await.expect("it is stored");
            let (done, taken, retried) = (lane.next().await, lane.next().await, lane.next().await);
            lane.finish(&done, Then::Done).await.expect("it is stored");
            let due = world.clock.now();
            lane.finish(&retried, Then::Retry { due }).await.expect("it is stored");
            held.push(taken);
        });
    });
    drop(held);
    crash(&mut |runtime, lane| {
        assert_eq!(lane.pending_count(), 3);
        let taken: Vec<_> = (0..3).map(|_| runtime.block_on(lane.next())).collect();
        let told: Vec<_> = taken.iter().map(|job| (name(job), job.attempt)).collect();
        assert_eq!(told, [("held", 0), ("retried", 1), ("waiting", 0)]);
    });
}

#[tokio::test]
async fn what_a_reset_drops_stays_dropped() {
    let world = World::for_tests(1);
    let queues = in_memory(&world);
    let lane = queues.lane("work");
    lane.push(vec![job(&world, "held", 0), job(&world, "waiting", 0)]).await.expect("it is stored");
    let held = lane.next().await;
    queues.reset().await.expect("it is stored");
    lane.finish(&held, Then::Retry { due: world.clock.now() }).await.expect("it comes to nothing");
    assert_eq!(*queues.watch_pending().borrow(), 0);
    assert!(now(&lane).await.is_none());
}

#[tokio::test]
async fn people_are_told_what_is_pending() {
    let world = World::for_tests(1);
    let lane = in_memory(&world).lane("work");
    lane.push((0..60).map(|n| job(&world, &format!("job {n}"), n)).collect()).await.expect("it is stored");
    let _held = lane.next().await;
    let pending = lane.pending();
    assert_eq!((pending.len(), lane.pending_count()), (50, 60));
    let told = [&pending[0], &pending[1]].map(|pending| (pending.label.as_str(), pending.running));
    assert_eq!(told, [("job 0", true), ("job 1", false)]);
}

#[tokio::test]
async fn a_job_goes_to_one_taker() {
    let world = World::for_tests(1);
    let queues = in_memory(&world);
    let lane = queues.lane("work");
    let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
    for _ in 0..8 {
        let (lane, tell) = (lane.clone(), tell.clone());
        tokio::spawn(async move {
            loop {
                let job = lane.next().await;
                let _ = tell.send(name(&job).parse::<u32>().expect("a number"));
                lane.finish(&job, Then::Done).await.expect("it is stored");
            }
        });
    }
    for n in 0..200 {
        lane.push(vec![job(&world, &n.to_string(), 0)]).await.expect("it is stored");
    }
    queues.idle().await;
    let mut taken: Vec<u32> = std::iter::from_fn(|| told.try_recv().ok()).collect();
    taken.sort_unstable();
    assert_eq!(taken, (0..200).collect::<Vec<_>>());
}

/// Threads push, take, retry and move while the window is refilled under them: every job must end once.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_hands_end_every_job_once() {
    const JOBS: u64 = 400;
    let world = World::for_tests(1);
    let dir = tempfile::tempdir().expect("a directory");
    let queues = open(&world, &dir.path().join("queues.db"), 8);
    let (first, last) = (queues.lane("first"), queues.lane("last"));
    let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
    for _ in 0..4 {
        let (first, last, world) = (first.clone(), last.clone(), world.clone());
        tokio::spawn(async move {
            loop {
                let taken = first.next().await;
                let then = match taken.attempt {
                    0 if taken.id % 3 == 0 => Then::Retry { due: world.clock.now() },
                    _ => Then::MoveTo(vec![(last.clone(), job(&world, name(&taken), 0))]),
                };
                first.finish(&taken, then).await.expect("it is stored");
            }
        });
        let (last, tell) = (queues.lane("last"), tell.clone());
        tokio::spawn(async move {
            loop {
                let taken = last.next().await;
                last.finish(&taken, Then::Done).await.expect("it is stored");
                let _ = tell.send(name(&taken).parse::<u64>().expect("a number"));
            }
        });
    }
    let pushers = (0..4).map(|pusher| {
        let (first, world) = (first.clone(), world.clone());
        tokio::spawn(async move {
            for n in (pusher..JOBS).step_by(4) {
                // Some are due in the future, so later ones overtake them and push them out of the window.
                first.push(vec![job(&world, &n.to_string(), n * 7 % 5)]).await.expect("it is stored");
                world.clock.advance(Duration::from_millis(20));
            }
        })
    });
    for pusher in pushers.collect::<Vec<_>>() {
        pusher.await.expect("it pushes");
    }
    world.clock.advance(Duration::from_secs(5));
    queues.idle().await;
    let mut ended = Vec::new();
    while ended.len() < 400 {
        ended.extend(told.recv().await);
    }
    ended.sort_unstable();
    assert_eq!(ended, (0..JOBS).collect::<Vec<_>>());
    assert!(told.try_recv().is_err());
}
