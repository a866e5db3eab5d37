//! FIFO queues against a model that cannot be wrong: a list per group, searched from its beginning.
//!
//! What is checked at every receive: no group of which a message is in flight gives any, every group gives its first
//! messages in order, and nothing is kept back that could be given. The process may die at any point.

use std::path::PathBuf;

use proptest::prelude::*;
use serde_json::{Value, json};
use storage::Location;
use tokio::runtime::Runtime;
use world::{Timestamp, World};

use crate::tests::Room;

const GROUPS: [&str; 3] = ["a", "b", "c"];

#[derive(Clone, Debug)]
enum Step {
    Send(usize),
    Receive {
        count: usize,
        timeout_s: i64,
    },
    /// By one of the handles that were ever given.
    Delete(usize),
    Show {
        handle: usize,
        in_s: i64,
    },
    Advance(u64),
    Crash,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (0..GROUPS.len()).prop_map(Step::Send),
        6 => (1..=10_usize, 0..5_i64).prop_map(|(count, timeout_s)| Step::Receive { count, timeout_s }),
        5 => any::<usize>().prop_map(Step::Delete),
        3 => (any::<usize>(), 0..5_i64).prop_map(|(handle, in_s)| Step::Show { handle, in_s }),
        3 => (0..4_u64).prop_map(Step::Advance),
        1 => Just(Step::Crash),
    ]
}

/// A message as the model knows it.
#[derive(Clone, Debug)]
struct Known {
    body: String,
    /// The newest handle, and until when the message is hidden by it.
    received: Option<(String, Timestamp)>,
}

impl Known {
    fn in_flight(&self, now: Timestamp) -> bool {
        self.received.as_ref().is_some_and(|(_, until)| *until > now)
    }
}

struct Run {
    world: World,
    path: PathBuf,
    room: Option<Room>,
    runtime: Runtime,
    url: String,
    groups: [Vec<Known>; GROUPS.len()],
    handles: Vec<String>,
    sent: usize,
}

impl Run {
    fn new(path: PathBuf) -> Self {
        let world = World::for_tests(1);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let room = Room::open(&world, Location::File(path.clone()));
        let url = runtime.block_on(room.fifo("orders.fifo", json!({})));
        let groups = std::array::from_fn(|_| Vec::new());
        Self { world, path, room: Some(room), runtime, url, groups, handles: Vec::new(), sent: 0 }
    }

    fn call(&self, operation: &str, mut input: Value) -> Result<Value, String> {
        input["QueueUrl"] = json!(self.url);
        let room = self.room.as_ref().expect("a process runs");
        self.runtime.block_on(room.call(operation, input)).result()
    }

    fn step(&mut self, step: &Step) {
        let now = self.world.clock.now();
        match *step {
            Step::Send(group) => {
                self.sent += 1;
                let body = self.sent.to_string();
                let input = json!({"MessageBody": body, "MessageGroupId": GROUPS[group]});
                self.call("SendMessage", input).expect("it is sent");
                self.groups[group].push(Known { body, received: None });
            }
            Step::Receive { count, timeout_s } => self.receive(count, timeout_s),
            Step::Delete(handle) => {
                let Some(handle) = self.handle(handle) else { return };
                let result = self.call("DeleteMessage", json!({"ReceiptHandle": handle}));
                let place = self.place(&handle);
                let expired = place.is_some_and(|(group, at)| !self.groups[group][at].in_flight(now));
                assert_eq!(result.is_err(), expired, "{result:?}");
                if let (Some((group, at)), false) = (place, expired) {
                    self.groups[group].remove(at);
                }
            }
            Step::Show { handle, in_s } => {
                let Some(handle) = self.handle(handle) else { return };
                let input = json!({"ReceiptHandle": handle, "VisibilityTimeout": in_s});
                let result = self.call("ChangeMessageVisibility", input);
                let place = self.place(&handle).filter(|(group, at)| self.groups[*group][*at].in_flight(now));
                assert_eq!(result.is_ok(), place.is_some(), "{result:?}");
                if let Some((group, at)) = place {
                    self.groups[group][at].received = Some((handle, crate::queues::later(now, in_s)));
                }
            }
            Step::Advance(seconds) => self.world.clock.advance(std::time::Duration::from_secs(seconds)),
            Step::Crash => {
                self.room = None;
                self.room = Some(Room::open(&self.world, Location::File(self.path.clone())));
            }
        }
    }

    fn receive(&mut self, count: usize, timeout_s: i64) {
        let now = self.world.clock.now();
        let input = json!({"MaxNumberOfMessages": count, "VisibilityTimeout": timeout_s,
            "MessageSystemAttributeNames": ["MessageGroupId", "SequenceNumber"]});
        let answer = self.call("ReceiveMessage", input).expect("it is received");
        let received = answer["Messages"].as_array().cloned().unwrap_or_default();
        assert!(received.len() <= count);
        let mut kept_back = 0;
        for (group, name) in GROUPS.iter().enumerate() {
            let of_group = received.iter().filter(|message| message["Attributes"]["MessageGroupId"] == *name);
            let of_group: Vec<&Value> = of_group.collect();
            if self.groups[group].iter().any(|known| known.in_flight(now)) {
                assert!(of_group.is_empty(), "group {name} is locked, and gave {of_group:?}");
                continue;
            }
            let bodies: Vec<&Value> = of_group.iter().map(|message| &message["Body"]).collect();
            let expected: Vec<&String> =
                self.groups[group].iter().map(|known| &known.body).take(bodies.len()).collect();
            assert_eq!(bodies, expected);
            let numbers: Vec<&str> =
                of_group.iter().filter_map(|message| message["Attributes"]["SequenceNumber"].as_str()).collect();
            assert!(numbers.is_sorted() && numbers.len() == bodies.len());
            kept_back += self.groups[group].len() - bodies.len();
            for (known, message) in self.groups[group].iter_mut().zip(of_group) {
                let handle = message["ReceiptHandle"].as_str().expect("a handle").to_owned();
                self.handles.push(handle.clone());
                known.received = Some((handle, crate::queues::later(now, timeout_s)));
            }
        }
        assert!(received.len() == count || kept_back == 0, "{kept_back} messages were kept back");
    }

    fn handle(&self, number: usize) -> Option<String> {
        (!self.handles.is_empty()).then(|| self.handles[number % self.handles.len()].clone())
    }

    /// Where the message is that the handle is the newest of.
    fn place(&self, handle: &str) -> Option<(usize, usize)> {
        let newest = |known: &Known| known.received.as_ref().is_some_and(|(newest, _)| newest == handle);
        self.groups.iter().enumerate().find_map(|(group, all)| Some((group, all.iter().position(newest)?)))
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

    #[test]
    fn groups_do_as_the_model_does(steps in prop::collection::vec(step(), 1..60)) {
        let dir = tempfile::tempdir().expect("a directory");
        let mut run = Run::new(dir.path().join("queues.db"));
        for step in steps {
            run.step(&step);
        }
    }
}
