//! Lanes against a model that cannot be wrong: a list that is searched.
//!
//! The window is tiny, so nearly every step moves its horizon, and the process dies at any point.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;
use storage::{Durability, Location};
use tokio::runtime::Runtime;
use world::{Timestamp, World};

use crate::window::Size;
use crate::{Job, Lane, NewJob, Queues, Then};

const LANES: [&str; 2] = ["first", "second"];

#[derive(Clone, Debug)]
enum Step {
    /// Into a lane: when each is due, in seconds from now.
    Push(usize, Vec<u64>),
    Take(usize),
    /// One of those handed out, by its place.
    Done(usize),
    Retry(usize, u64),
    Move(usize, Vec<(usize, u64)>),
    /// Its worker gave up without a word.
    Drop(usize),
    Advance(u64),
    Reset,
    Crash,
}

fn step() -> impl Strategy<Value = Step> {
    let lane = 0..LANES.len();
    let later = 0_u64..6;
    prop_oneof![
        4 => (lane.clone(), prop::collection::vec(later.clone(), 1..8)).prop_map(|(lane, due)| Step::Push(lane, due)),
        8 => lane.clone().prop_map(Step::Take),
        3 => any::<usize>().prop_map(Step::Done),
        2 => (any::<usize>(), later.clone()).prop_map(|(job, due)| Step::Retry(job, due)),
        2 => (any::<usize>(), prop::collection::vec((lane, later.clone()), 0..3))
            .prop_map(|(job, to)| Step::Move(job, to)),
        1 => any::<usize>().prop_map(Step::Drop),
        3 => later.prop_map(Step::Advance),
        1 => Just(Step::Crash),
        1 => Just(Step::Reset),
    ]
}

/// A job as the model knows it.
#[derive(Clone, Debug)]
struct Known {
    lane: usize,
    /// The order of insertion.
    number: u64,
    body: Vec<u8>,
    due: Timestamp,
    attempt: u32,
    running: bool,
}

struct Run {
    world: World,
    path: PathBuf,
    size: Size,
    /// What dies in a crash.
    life: Option<Life>,
    known: Vec<Known>,
    numbers: u64,
}

struct Life {
    queues: Arc<Queues>,
    lanes: [Lane; LANES.len()],
    held: Vec<(u64, Job)>,
    runtime: Runtime,
}

impl Run {
    fn new(path: PathBuf, size: Size) -> Self {
        let world = World::for_tests(1);
        let mut run = Self { world, path, size, life: None, known: Vec::new(), numbers: 0 };
        run.begin();
        run
    }

    fn begin(&mut self) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let location = Location::File(self.path.clone());
        let inside = runtime.enter();
        let queues =
            Queues::open_with_window(self.world.clone(), location, Durability::default(), String::new(), self.size);
        let queues = queues.expect("it opens");
        let lanes = LANES.map(|name| queues.lane(name));
        drop(inside);
        self.life = Some(Life { queues, lanes, held: Vec::new(), runtime });
    }

    fn life(&mut self) -> &mut Life {
        self.life.as_mut().expect("a process runs")
    }

    fn due(&self, in_s: u64) -> Timestamp {
        self.world.clock.now().plus(Duration::from_secs(in_s))
    }

    fn new_job(&mut self, lane: usize, in_s: u64) -> (Known, NewJob) {
        self.numbers += 1;
        let (number, due) = (self.numbers, self.due(in_s));
        let body = format!("job {number}").into_bytes();
        let known = Known { lane, number, body: body.clone(), due, attempt: 0, running: false };
        (known, NewJob { body, due, label: String::new() })
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::Push(lane, due) => {
                let (known, new): (Vec<_>, Vec<_>) = due.into_iter().map(|due| self.new_job(lane, due)).unzip();
                self.known.extend(known);
                let life = self.life();
                life.runtime.block_on(life.lanes[lane].push(new)).expect("it is stored");
            }
            Step::Take(lane) => self.take(lane),
            Step::Done(place) => self.finish(place, |_, _| (Then::Done, Vec::new())),
            Step::Retry(place, in_s) => self.finish(place, |run, mut known| {
                known.due = run.due(in_s);
                known.attempt += 1;
                (Then::Retry { due: known.due }, vec![known])
            }),
            Step::Move(place, to) => self.finish(place, |run, _| {
                let moved = to.into_iter().map(|(lane, in_s)| {
                    let (known, new) = run.new_job(lane, in_s);
                    (known, (run.life().lanes[lane].clone(), new))
                });
                let (known, new): (Vec<_>, Vec<_>) = moved.unzip();
                (Then::MoveTo(new), known)
            }),
            Step::Drop(place) => {
                let Some((number, job)) = self.pick(place) else { return };
                let life = self.life();
                life.runtime.block_on(async {
                    drop(job);
                    // Its look behind the changes under way is in front of this push.
                    tokio::task::yield_now().await;
                    life.lanes[0].push(Vec::new()).await.expect("it is stored");
                    tokio::task::yield_now().await;
                });
                self.known.iter_mut().filter(|known| known.number == number).for_each(|known| known.running = false);
            }
            Step::Advance(seconds) => self.world.clock.advance(Duration::from_secs(seconds)),
            Step::Reset => {
                let life = self.life();
                life.runtime.block_on(life.queues.reset()).expect("it is stored");
                life.held.clear();
                self.known.clear();
            }
            Step::Crash => {
                let Life { queues, lanes, held, runtime } = self.life.take().expect("a process runs");
                drop(runtime); // first of all, so that nobody tidies up
                drop((queues, lanes, held));
                self.known.iter_mut().for_each(|known| known.running = false);
                self.begin();
            }
        }
    }

    fn take(&mut self, lane: usize) {
        let now = self.world.clock.now();
        let waiting = self.known.iter_mut().filter(|known| known.lane == lane && !known.running && known.due <= now);
        let expected = waiting.min_by_key(|known| (known.due, known.number));
        let life = self.life.as_mut().expect("a process runs");
        let patience = Duration::from_secs(if expected.is_some() { 10 } else { 0 });
        let taken = life.runtime.block_on(async { tokio::time::timeout(patience, life.lanes[lane].next()).await.ok() });
        let as_told = |job: &Job| (String::from_utf8_lossy(&job.body).into_owned(), job.attempt);
        let as_known = |known: &&mut Known| (String::from_utf8_lossy(&known.body).into_owned(), known.attempt);
        assert_eq!(taken.as_ref().map(as_told), expected.as_ref().map(as_known));
        if let (Some(job), Some(known)) = (taken, expected) {
            known.running = true;
            life.held.push((known.number, job));
        }
    }

    fn pick(&mut self, place: usize) -> Option<(u64, Job)> {
        let held = &mut self.life().held;
        (!held.is_empty()).then(|| held.swap_remove(place % held.len()))
    }

    fn finish(&mut self, place: usize, then: impl FnOnce(&mut Self, Known) -> (Then, Vec<Known>)) {
        let Some((number, job)) = self.pick(place) else { return };
        let at = self.known.iter().position(|known| known.number == number).expect("it is known");
        let mut known = self.known.remove(at);
        known.running = false;
        let lane = known.lane;
        let (then, left) = then(self, known);
        self.known.extend(left);
        let life = self.life();
        life.runtime.block_on(life.lanes[lane].finish(&job, then)).expect("it is stored");
    }

    fn check_counts(&mut self) {
        let counts = [0, 1].map(|lane| self.known.iter().filter(|known| known.lane == lane).count());
        let total = self.known.len();
        let life = self.life();
        assert_eq!(life.lanes.each_ref().map(Lane::pending_count), counts);
        assert_eq!(*life.queues.watch_pending().borrow(), total);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn lanes_do_as_the_model_does(
        steps in prop::collection::vec(step(), 1..60),
        jobs_max in 1_usize..6,
        bytes_max in prop_oneof![Just(10_usize), Just(1_000_000)],
    ) {
        let dir = tempfile::tempdir().expect("a directory");
        let mut run = Run::new(dir.path().join("queues.db"), Size { jobs_max, bytes_max });
        for step in steps {
            run.step(step);
            run.check_counts();
        }
    }
}
