//! Reads an SQS queue: receives, gathers batches, hands them to the function, deletes what it has done.
//!
//! What the function failed on is left alone: the queue shows it again when its visibility timeout ends, and moves it
//! to its dead-letter queue in the end. A FIFO queue gives nothing of a group while a message of it is in hand, so
//! batches beside each other never mix up a group.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::task::JoinSet;
use world::{Kind as Told, Outcome as Went, Timestamp, TraceId};

use super::Kind;
use super::outcome::{self, Outcome};
use super::progress::{Busy, Task};
use super::record::{self, fitting, payload};
use super::shelf::{End, Poller, Stop, stopped};
use super::sources::{QueueMessage, SourceError};
use crate::error::InvokeError;

/// Messages of one `ReceiveMessage`.
const RECEIVED_MAX: usize = 10;
const LONG_POLL_S: u32 = 20;
/// Batches beside each other, unless configured: what AWS begins with.
const BATCHES_AT_ONCE: usize = 5;
/// Of a queue whose settings cannot be read: SQS's own default.
const VISIBILITY_TIMEOUT_S: u32 = 30;

type Poll = BoxFuture<'static, Result<Vec<QueueMessage>, SourceError>>;

/// A message that was received, and as the function will get it.
struct Held {
    message: QueueMessage,
    record: String,
    received: Timestamp,
}

/// What will be the next batch.
#[derive(Default)]
struct Gathering {
    held: Vec<Held>,
    /// When the window ends that the first message opened.
    until: Timestamp,
    /// While there is something to wait for.
    task: Option<Task>,
}

/// What a batch says about the next one.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Pace {
    Steady,
    /// The function was not let in.
    Throttled,
}

/// Polls until it is stopped or the queue is gone. Batches in hand are finished.
pub(crate) async fn run(poller: Arc<Poller>, mut stop: Stop) -> End {
    let clock = poller.outside.world.clock.clone();
    let batches_max = poller.mapping.concurrency_max.map_or(BATCHES_AT_ONCE, |max| max as usize);
    let mut work: JoinSet<Pace> = JoinSet::new();
    let mut poll: Option<Poll> = None;
    let mut gathering = Gathering::default();
    let mut throttled = (0, Timestamp::default()); // how often in a row, and until when nothing is begun
    let end = loop {
        let has_room = work.len() < batches_max && poller.now() >= throttled.1;
        if has_room && gathering.is_ready(&poller) {
            work.spawn(process(Arc::clone(&poller), gathering.take(&poller)));
            continue;
        }
        if poll.is_none() && has_room {
            poll = Some(receive(&poller, gathering.held.len()));
        }
        tokio::select! {
            () = stopped(&mut stop) => break End::Stopped,
            received = received(&mut poll), if has_room => {
                poll = None;
                match received {
                    Ok(messages) => gathering.add(&poller, messages).await,
                    Err(SourceError::Gone) => break End::SourceGone,
                    Err(error) => {
                        poller.warn(&error);
                        poll = Some(pause(&poller));
                    }
                }
            }
            Some(pace) = work.join_next() => {
                let times = if pace.ok() == Some(Pace::Throttled) { throttled.0 + 1 } else { 0 };
                throttled = (times, if times > 0 { poller.retry_at(times) } else { Timestamp::default() });
                // The wait may be longer than messages are hidden.
                poller.progress.wait_until(throttled.1);
            }
            () = clock.sleep_until(gathering.until), if has_room && !gathering.held.is_empty() => {}
            () = clock.sleep_until(throttled.1), if poller.now() < throttled.1 => {}
        }
    };
    drop(poll);
    gathering.give_back(&poller).await;
    while work.join_next().await.is_some() {}
    end
}

fn receive(poller: &Poller, held: usize) -> Poll {
    let (sources, arn) = (Arc::clone(&poller.outside.sources), poller.mapping.source_arn.clone());
    let count = (poller.mapping.batch_size as usize).saturating_sub(held).clamp(1, RECEIVED_MAX);
    Box::pin(async move { sources.receive(&arn, count, LONG_POLL_S).await })
}

fn pause(poller: &Poller) -> Poll {
    let (clock, due) = (poller.outside.world.clock.clone(), poller.retry_at(1));
    Box::pin(async move {
        clock.sleep_until(due).await;
        Ok(Vec::new())
    })
}

async fn received(poll: &mut Option<Poll>) -> Result<Vec<QueueMessage>, SourceError> {
    match poll {
        Some(poll) => poll.await,
        None => std::future::pending().await,
    }
}

impl Gathering {
    /// Takes messages that pass the filters; the others are deleted, as nobody wants them.
    async fn add(&mut self, poller: &Poller, messages: Vec<QueueMessage>) {
        let (arn, region) = (&poller.mapping.source_arn, &poller.outside.world.place.region);
        let now = poller.now();
        let mut unwanted = Vec::new();
        for message in messages {
            if poller.filter.is_some() && !poller.passes(&record::for_filters(&message, arn, region)) {
                unwanted.push(message.receipt_handle);
                continue;
            }
            if self.held.is_empty() {
                self.until = now.plus(Duration::from_secs(poller.mapping.window_s.into()));
            }
            let record = record::of_message(&message, arn, region);
            self.held.push(Held { message, record, received: now });
        }
        self.show(poller);
        if !unwanted.is_empty() {
            let moment = poller.outside.world.timeline.moment(Told::Delivery, poller.mapping.label());
            let detail = format!("{} messages match no filter: deleted", unwanted.len());
            poller.outside.world.timeline.record(moment.outcome(Went::Skipped).detail(detail));
            delete(poller, unwanted).await;
        }
    }

    fn show(&mut self, poller: &Poller) {
        let (what, due) = (format!("{} messages", self.held.len()), self.until);
        let waits = !self.held.is_empty() && poller.mapping.window_s > 0;
        self.task = waits.then(|| poller.progress.begin(Busy { what, due, running: false, failed_attempts: 0 }));
    }

    fn is_ready(&self, poller: &Poller) -> bool {
        let is_full = || {
            self.held.len() >= poller.mapping.batch_size as usize
                || fitting(self.held.iter().map(|held| held.record.as_str())) < self.held.len()
        };
        !self.held.is_empty() && (poller.now() >= self.until || is_full())
    }

    /// As many as fit into one invocation.
    fn take(&mut self, poller: &Poller) -> Vec<Held> {
        let count = fitting(self.held.iter().map(|held| held.record.as_str()));
        let rest = self.held.split_off(count);
        let batch = std::mem::replace(&mut self.held, rest);
        self.show(poller);
        batch
    }

    /// Shows others what was received for nothing.
    async fn give_back(self, poller: &Poller) {
        if self.held.is_empty() {
            return;
        }
        let handles = self.held.into_iter().map(|held| held.message.receipt_handle).collect();
        if let Err(error) = poller.outside.sources.give_back(&poller.mapping.source_arn, handles).await {
            poller.warn(&error);
        }
    }
}

async fn delete(poller: &Poller, handles: Vec<String>) {
    if let Err(error) = poller.outside.sources.delete(&poller.mapping.source_arn, handles).await {
        poller.warn(&error); // the messages come again
    }
}

/// Hands a batch to the function, and deletes what it has done.
async fn process(poller: Arc<Poller>, batch: Vec<Held>) -> Pace {
    let (mapping, timeline) = (&poller.mapping, &poller.outside.world.timeline);
    let receives = batch.iter().filter_map(|held| held.message.attributes.get("ApproximateReceiveCount")?.parse().ok());
    let receives: u32 = receives.max().unwrap_or(1);
    let what = format!("{} messages", batch.len());
    let busy = Busy { what, due: poller.now(), running: true, failed_attempts: receives.saturating_sub(1) };
    let _task = poller.progress.begin(busy);
    let trace = trace(&poller, &batch);
    let moment = timeline.moment(Told::Delivery, format!("{} ({} messages)", mapping.label(), batch.len()));
    let moment = moment.trace(Some(trace.clone())).id("eventSourceMapping", &mapping.uuid);
    let began = tokio::time::Instant::now();

    let payload = payload(batch.iter().map(|held| held.record.as_str()));
    let answer = poller.outside.handler.handle(&mapping.function_arn, payload, &trace).await;
    let pace = if matches!(answer, Err(InvokeError::Throttled { .. })) { Pace::Throttled } else { Pace::Steady };
    let (failed, why) = failures(mapping.kind(), mapping.reports_failures, &batch, answer);

    let is_done = |place: &usize| !failed.contains(place);
    let done = (0..batch.len()).filter(is_done).map(|place| batch[place].message.receipt_handle.clone());
    let done: Vec<String> = done.collect();
    if !done.is_empty() {
        delete(&poller, done).await;
    }
    let mut moment = moment.took(began.elapsed());
    if let Some(why) = why {
        let state = poller.outside.sources.queue(&mapping.source_arn).await;
        let timeout_s = state.map_or(VISIBILITY_TIMEOUT_S, |state| state.visibility_timeout_s);
        let newest = batch.iter().map(|held| held.received).max().unwrap_or_default();
        poller.progress.wait_until(newest.plus(Duration::from_secs(timeout_s.into())));
        let count =
            format!("{} of {} messages come again, received {receives} times so far", failed.len(), batch.len());
        tracing::warn!(mapping = mapping.label(), "{why}; {count}");
        moment = moment.outcome(Went::Retrying).detail(format!("{why}; {count}"));
    }
    timeline.record(moment);
    pace
}

/// The messages that failed, by their places, and why.
fn failures(
    kind: Kind,
    reports_failures: bool,
    batch: &[Held],
    answer: Result<crate::invocation::Invoked, InvokeError>,
) -> (Vec<usize>, Option<String>) {
    let all = || (0..batch.len()).collect();
    let invoked = match answer {
        Ok(invoked) => invoked,
        Err(error) => return (all(), Some(error.to_string())),
    };
    let ids: Vec<&str> = batch.iter().map(|held| held.message.message_id.as_str()).collect();
    match outcome::of(&invoked, reports_failures.then_some(&*ids)) {
        Outcome::Done => (Vec::new(), None),
        Outcome::Failed { why } => (all(), Some(why)),
        Outcome::Partly { failed } => {
            let why = Some("the function reported failures".to_owned());
            if kind != (Kind::Queue { fifo: true }) {
                return (failed, why);
            }
            let group = |held: &'_ Held| held.message.attributes.get("MessageGroupId").cloned();
            let groups: Vec<Option<String>> = batch.iter().map(group).collect();
            let groups: Vec<Option<&str>> = groups.iter().map(Option::as_deref).collect();
            (outcome::with_followers(&failed, &groups), why)
        }
    }
}

/// The trace of the first message that has one, so that the story goes on.
fn trace(poller: &Poller, batch: &[Held]) -> TraceId {
    let of = |held: &Held| TraceId::from_header(held.message.attributes.get("AWSTraceHeader")?);
    let world = &poller.outside.world;
    batch.iter().find_map(of).unwrap_or_else(|| TraceId::new(world.clock.now(), &world.random))
}
