//! At-least-once, proven: people sign up while everything fails that can be tried again, and the server is killed with
//! -9 at moments that a seed chooses, and started again on the same state directory. At the end nothing is lost.
//!
//! What could be lost, and why it is not:
//!
//! - *what was acknowledged* (a user, a confirmation, an event): an answer is sent when its transaction is committed;
//! - *the trigger of somebody who is confirmed already*: it is stored with the confirmation, and run at the next start;
//! - *a delivery or an invocation under way*: it leaves its queue in the transaction that says what became of it.
//!
//! What comes twice, and why no more often: a delivery that a kill cut short is made again, and so is whatever the
//! faults double, which may be two runs of one invocation at the same moment. Profiles are written on conditions, so
//! there is one each. Mail knows no condition: a run claims it before it sends it, so that no two runs do; but between
//! a mail's going out and its note in the table a kill is followed by a second mail. So every second mail has a kill between
//! itself and the mail before it, and there are at most as many as mails can be under way in all kills: one in each
//! of the sandboxes that `welcome-email` has at most.
//!
//! Who is told of a failure (an invocation given up and in a dead-letter queue, a trigger whose failure the caller of
//! `ConfirmSignUp` saw) has lost nothing: it is done again here as an operator would, and counted.

mod findings;
mod repair;
mod visitor;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use aws_sdk_cognitoidentityprovider::Client as Pools;
use aws_sdk_eventbridge::Client as Bus;
use aws_sdk_eventbridge::types::Target;
use tokio::sync::watch;
use tokio::task::JoinSet;

pub use findings::Findings;

use crate::Server;
use visitor::{Confirmation, Visitor};

/// People who sign up at the same time.
const VISITORS: usize = 8;
/// Waits between retries are divided by this: a minute becomes a second.
const TIME_SCALE: &str = "60";
/// A kill comes so long after its point of progress, at most.
const KILL_DELAY_MS_MAX: usize = 400;
/// The queue that sees every event.
const SEEN: &str = "soak-seen";
/// The mailbox keeps 10,000 messages, and a visitor gets two or three.
const VISITORS_PER_HARVEST: usize = 2_000;

/// What to do.
#[derive(Clone, Copy, Debug)]
pub struct Soak {
    /// How many people sign up.
    pub sign_ups: usize,
    /// Of the faults and of the moments of the kills.
    pub seed: u64,
    /// How often the server is killed.
    pub kills: usize,
}

/// What visitors speak to, while the server runs.
pub(crate) struct Front {
    pub pools: Pools,
    pub client: String,
    pub endpoint: String,
}

/// A kill: the server's time just before it, and when the next one was there.
#[derive(Clone, Debug)]
pub(crate) struct Kill {
    pub before: String,
    pub after: String,
}

/// The server, whichever process it is at the moment.
struct Stage<'a> {
    soak: &'a Soak,
    directory: &'a Path,
    server: Server,
    front: watch::Sender<Option<Arc<Front>>>,
    kills: Vec<Kill>,
    faults: u64,
    findings: Findings,
}

/// Runs it, prints what was counted, and panics if anything is lost.
pub async fn run(soak: Soak) -> Findings {
    let directory = tempfile::tempdir().expect("a directory");
    let mut stage = Stage::open(&soak, directory.path()).await;
    stage.listen_to_everything().await;
    let (next, done) = (Arc::new(AtomicUsize::new(0)), Arc::new(watch::Sender::new(0)));
    let mut visitors = JoinSet::new();
    for _ in 0..VISITORS {
        let (next, done, front) = (Arc::clone(&next), Arc::clone(&done), stage.front.subscribe());
        visitors.spawn(async move {
            let mut confirmations = Vec::new();
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= soak.sign_ups {
                    return confirmations;
                }
                let mut visitor = Visitor::new(number, front.clone());
                confirmations.push((visitor.address.clone(), visitor.sign_up_and_confirm().await));
                done.send_modify(|done| *done += 1);
            }
        });
    }
    stage.disturb(done.subscribe()).await;
    let mut confirmations: Vec<(String, Confirmation)> = Vec::new();
    while let Some(visited) = visitors.join_next().await {
        confirmations.extend(visited.expect("no visitor panics"));
    }
    stage.close(confirmations).await
}

impl<'a> Stage<'a> {
    async fn open(soak: &'a Soak, directory: &'a Path) -> Self {
        let server = start(soak, directory, 0).await;
        let front = watch::Sender::new(Some(Arc::new(Front::of(&server))));
        Self { soak, directory, server, front, kills: Vec::new(), faults: 0, findings: Findings::default() }
    }

    /// A rule that brings every event to a queue.
    async fn listen_to_everything(&self) {
        let (config, bus) = (self.server.config(), self.server.of_stack("eventBusName"));
        self.server.queue_of_events(SEEN).await;
        let events = Bus::new(&config);
        let rule = events.put_rule().name(SEEN).event_bus_name(bus).event_pattern(r#"{"source":["tandem.identity"]}"#);
        rule.send().await.expect("PutRule");
        let arn = format!("arn:aws:sqs:us-east-1:000000000000:{SEEN}");
        let target = Target::builder().id(SEEN).arn(arn).build().expect("a target");
        events.put_targets().rule(SEEN).event_bus_name(bus).targets(target).send().await.expect("PutTargets");
    }

    /// Kills the server at moments of the seed's choice, the last time when everybody has been served and events are
    /// still under way; reads the mailbox before it overflows.
    async fn disturb(&mut self, mut done: watch::Receiver<usize>) {
        let mut random = Draws(self.soak.seed);
        let mut points: Vec<usize> = (1..self.soak.kills).map(|_| random.below(self.soak.sign_ups)).collect();
        points.extend((self.soak.kills > 0).then_some(self.soak.sign_ups));
        let harvests = (1..).map(|n| n * VISITORS_PER_HARVEST).take_while(|point| *point < self.soak.sign_ups);
        let mut points: Vec<_> =
            points.into_iter().map(|point| (point, true)).chain(harvests.map(|point| (point, false))).collect();
        points.sort_unstable();
        for (point, is_kill) in points {
            done.wait_for(|done| *done >= point).await.expect("visitors count");
            if is_kill {
                // The moment itself is what is tried here, so nothing else can be waited for.
                tokio::time::sleep(Duration::from_millis(random.below(KILL_DELAY_MS_MAX) as u64)).await;
                self.kill().await;
            } else {
                self.findings.read_mailbox(&self.server).await;
            }
        }
        done.wait_for(|done| *done >= self.soak.sign_ups).await.expect("visitors count");
    }

    async fn kill(&mut self) {
        self.faults += struck(&self.server.inside("GET", "/_tandem/faults", "").await.1);
        let before = now(&self.server).await;
        self.front.send_replace(None);
        self.server.kill().await;
        self.server = start(self.soak, self.directory, self.kills.len() + 1).await;
        self.kills.push(Kill { before, after: now(&self.server).await });
        self.front.send_replace(Some(Arc::new(Front::of(&self.server))));
    }

    /// Ends the faults, waits until all is done, repairs what somebody was told of, and counts.
    async fn close(mut self, confirmations: Vec<(String, Confirmation)>) -> Findings {
        self.faults += struck(&self.server.inside("DELETE", "/_tandem/faults", "").await.1);
        let mut findings = std::mem::take(&mut self.findings);
        findings.faults = self.faults;
        repair::settle(&self.server).await;
        findings.dead_letters = repair::redrive(&self.server).await;
        let told = confirmations.iter().filter(|(_, confirmation)| *confirmation == Confirmation::TriggerFailed);
        let told: Vec<&str> = told.map(|(address, _)| address.as_str()).collect();
        repair::announce(&self.server, &told).await;
        findings.triggers_failed = told.len();
        findings.read_mailbox(&self.server).await;
        findings.count(&self.server, SEEN).await;
        println!("{}", findings.told(self.soak, &self.kills));
        findings.check(self.soak, &self.kills, &confirmations);
        findings
    }
}

impl Front {
    fn of(server: &Server) -> Self {
        Self {
            pools: Pools::new(&server.config()),
            client: server.of_stack("userPoolClientId").to_owned(),
            endpoint: server.endpoint.clone(),
        }
    }
}

async fn start(soak: &Soak, directory: &Path, round: usize) -> Server {
    let seed = soak.seed.wrapping_mul(1_000).wrapping_add(round as u64).to_string();
    Server::chaotic(directory, &["--chaos", &seed, "--time-scale", TIME_SCALE]).await
}

async fn now(server: &Server) -> String {
    let (_, health) = server.inside("GET", "/_tandem/health", "").await;
    health["now"].as_str().expect("a time").to_owned()
}

fn struck(account: &serde_json::Value) -> u64 {
    account["faults"].as_array().into_iter().flatten().filter_map(|fault| fault["struck"].as_u64()).sum()
}

/// Numbers that a seed repeats (`SplitMix64`).
struct Draws(u64);

impl Draws {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % bound.max(1) as u64).unwrap_or(0)
    }
}
