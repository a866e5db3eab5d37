//! One batch of a lane, until all of its records are done: by the function, or given up to the failure destination.
//!
//! A batch that fails is tried again, in whole, from the first record that the function named, or in halves. While it
//! is, nothing behind it in its lane moves.

use std::collections::VecDeque;
use std::time::Duration;

use serde::Serialize;
use world::{Kind as Told, Moment, Outcome as Went, TraceId};

use super::ledger::Ledger;
use super::outcome::{self, Outcome};
use super::progress::Task;
use super::record::{StreamRecord, payload};
use super::shelf::{Poller, Stop, stopped};
use super::store;
use crate::invocation::Invoked;

/// How long a stream keeps its records.
const RETENTION_S: i64 = 86_400;

/// Records that are handed to the function together.
struct Part {
    records: Vec<StreamRecord>,
    /// Attempts that count.
    retries: u32,
    /// All attempts.
    attempts: u32,
    last: Option<Last>,
}

/// What the last attempt was.
#[derive(Clone)]
struct Last {
    request_id: String,
    executed_version: String,
    function_error: Option<String>,
    why: String,
}

/// What an attempt gave.
enum Attempt {
    Done,
    /// From this record on.
    Failed {
        from: usize,
        last: Last,
    },
    /// It did not run.
    NotLetIn {
        why: String,
    },
}

/// Why records were given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
enum Condition {
    RetryAttemptsExhausted,
    RecordAgeExceeded,
}

/// What the parts of one batch share.
struct Batch<'a> {
    poller: &'a Poller,
    shard_id: &'a str,
    ledger: &'a Ledger,
    task: Task,
    stop: Stop,
}

/// Works a batch off. When it is stopped, records that are not done stay so.
pub(crate) async fn run(
    poller: &Poller,
    shard_id: &str,
    ledger: &Ledger,
    records: Vec<StreamRecord>,
    task: Task,
    stop: Stop,
) {
    let mut batch = Batch { poller, shard_id, ledger, task, stop };
    let mut parts = VecDeque::from([Part { records, retries: 0, attempts: 0, last: None }]);
    while let Some(part) = parts.pop_front() {
        if *batch.stop.borrow() {
            return;
        }
        let Some(part) = batch.without_expired(part).await else { continue };
        for next in batch.step(part).await.into_iter().rev() {
            parts.push_front(next);
        }
    }
}

impl Batch<'_> {
    /// One attempt; gives what is left of the part, in order.
    async fn step(&mut self, mut part: Part) -> Vec<Part> {
        let mapping = &self.poller.mapping;
        part.attempts += 1;
        let (from, last) = match self.attempt(&part).await {
            Attempt::Done => {
                self.done(&part.records);
                return Vec::new();
            }
            Attempt::NotLetIn { why } => {
                self.wait(part.attempts, why).await;
                return vec![part];
            }
            Attempt::Failed { from, last } => (from, last),
        };
        let rest = part.records.split_off(from);
        self.done(&part.records);
        let mut part = Part { records: rest, last: Some(last), ..part };
        if mapping.bisects && from > 0 {
            return vec![part];
        }
        if mapping.bisects && part.records.len() > 1 {
            let second = part.records.split_off(part.records.len() / 2);
            let second =
                Part { records: second, retries: part.retries, attempts: part.attempts, last: part.last.clone() };
            return vec![part, second];
        }
        part.retries += 1;
        if mapping.retries_max >= 0 && i64::from(part.retries) > mapping.retries_max {
            self.give_up(part, Condition::RetryAttemptsExhausted).await;
            return Vec::new();
        }
        let why = part.last.as_ref().map(|last| last.why.clone()).unwrap_or_default();
        self.wait(part.attempts, why).await;
        vec![part]
    }

    async fn attempt(&self, part: &Part) -> Attempt {
        let Poller { outside, mapping, .. } = self.poller;
        let world = &outside.world;
        let trace = TraceId::new(world.clock.now(), &world.random);
        self.task.change(|busy| {
            busy.what = format!("{} records", part.records.len());
            (busy.running, busy.due, busy.failed_attempts) = (true, world.clock.now(), part.attempts - 1);
        });
        let moment = self.moment(Told::Delivery, part).trace(Some(trace.clone()));
        let began = tokio::time::Instant::now();
        let payload = payload(part.records.iter().map(|record| record.json.as_str()));
        let answer = outside.handler.handle(&mapping.function_arn, payload, &trace).await;
        let moment = moment.took(began.elapsed());
        let invoked = match answer {
            Ok(invoked) => invoked,
            Err(error) => {
                let why = error.to_string();
                self.note_result(&format!("PROBLEM: {why}")).await;
                world.timeline.record(moment.outcome(Went::Retrying).detail(why.clone()));
                return Attempt::NotLetIn { why };
            }
        };
        let ids: Vec<&str> = part.records.iter().map(|record| record.sequence_number.as_str()).collect();
        let (from, why) = match outcome::of(&invoked, mapping.reports_failures.then_some(&*ids)) {
            Outcome::Done => {
                self.note_result("OK").await;
                world.timeline.record(moment);
                return Attempt::Done;
            }
            Outcome::Failed { why } => (0, why),
            Outcome::Partly { failed } => {
                let from = failed.first().copied().unwrap_or_default(); // it has one at least
                (from, format!("the function reported failures, the first at {}", ids[from]))
            }
        };
        self.note_result("PROBLEM: Function call failed").await;
        world.timeline.record(moment.outcome(Went::Retrying).detail(why.clone()));
        Attempt::Failed { from, last: Last::of(invoked, why) }
    }

    fn done(&self, records: &[StreamRecord]) {
        self.ledger.done(records.iter().map(|record| record.sequence_number.as_str()));
    }

    async fn wait(&mut self, attempts: u32, why: String) {
        let due = self.poller.retry_at(attempts);
        self.task.change(|busy| {
            busy.what = format!("{} ({why})", busy.what);
            (busy.running, busy.due, busy.failed_attempts) = (false, due, attempts);
        });
        tokio::select! {
            () = self.poller.outside.world.clock.sleep_until(due) => {}
            () = stopped(&mut self.stop) => {}
        }
    }

    /// Gives up the records that have become too old; they are the first ones.
    async fn without_expired(&self, mut part: Part) -> Option<Part> {
        let age_max_s = match self.poller.mapping.record_age_max_s {
            -1 => RETENTION_S,
            seconds => seconds.min(RETENTION_S),
        };
        let age_max = Duration::from_secs(u64::try_from(age_max_s).unwrap_or_default());
        let now = self.poller.now();
        let expired = part.records.partition_point(|record| now.since(record.created) > age_max);
        if expired == 0 {
            return Some(part);
        }
        let rest = part.records.split_off(expired);
        let (retries, attempts, last) = (part.retries, part.attempts, part.last.clone());
        self.give_up(part, Condition::RecordAgeExceeded).await;
        (!rest.is_empty()).then_some(Part { records: rest, retries, attempts, last })
    }

    /// Tells the destination, and goes on behind these records.
    async fn give_up(&self, part: Part, condition: Condition) {
        let Poller { outside, mapping, .. } = self.poller;
        let why = part.last.as_ref().map_or("they were never handed over", |last| &last.why);
        let told = match &mapping.on_failure {
            None => "; nobody is told".to_owned(),
            Some(destination) => match outside.handler.give_up(destination, self.body(&part, condition)).await {
                Ok(()) => String::new(),
                Err(reason) => format!("; the destination {destination} did not take them: {reason}"),
            },
        };
        let detail = format!("{condition:?} after {} attempts: {why}{told}", part.attempts);
        tracing::warn!(mapping = mapping.label(), records = part.records.len(), "records were given up: {detail}");
        let moment = self.moment(Told::Warning, &part).outcome(Went::Failed).detail(detail);
        outside.world.timeline.record(moment);
        self.done(&part.records);
    }

    /// What the destination is told: where the records are, not what they are.
    fn body(&self, part: &Part, condition: Condition) -> String {
        let Poller { outside, mapping, .. } = self.poller;
        let (Some(first), Some(last)) = (part.records.first(), part.records.last()) else { return String::new() };
        let body = Body {
            request_context: RequestContext {
                request_id: match &part.last {
                    Some(last) => last.request_id.clone(),
                    None => outside.world.random.uuid(),
                },
                function_arn: &mapping.function_arn,
                condition,
                approximate_invoke_count: part.attempts,
            },
            response_context: part.last.as_ref().map(|last| ResponseContext {
                status_code: 200,
                executed_version: &last.executed_version,
                function_error: last.function_error.as_deref(),
            }),
            version: "1.0",
            timestamp: outside.world.clock.now().rfc3339_millis(),
            batch: BatchOfStream {
                shard_id: self.shard_id,
                start_sequence_number: &first.sequence_number,
                end_sequence_number: &last.sequence_number,
                approximate_arrival_of_first_record: first.created.rfc3339_seconds(),
                approximate_arrival_of_last_record: last.created.rfc3339_seconds(),
                batch_size: part.records.len(),
                stream_arn: &mapping.source_arn,
            },
        };
        serde_json::to_string(&body).unwrap_or_default() // names and numbers always serialise
    }

    fn moment(&self, kind: Told, part: &Part) -> Moment {
        let Poller { outside, mapping, .. } = self.poller;
        let number =
            |record: Option<&StreamRecord>| record.map_or_else(String::new, |record| record.sequence_number.clone());
        let moment =
            outside.world.timeline.moment(kind, format!("{} ({} records)", mapping.label(), part.records.len()));
        let moment = moment.id("eventSourceMapping", &mapping.uuid);
        moment.id("firstRecord", number(part.records.first())).id("lastRecord", number(part.records.last()))
    }

    async fn note_result(&self, result: &str) {
        let Poller { outside, mapping, progress, .. } = self.poller;
        if !progress.set_last_result(result) {
            return;
        }
        if let Err(error) = store::save_result(&outside.database, &mapping.uuid, result).await {
            tracing::error!(%error, mapping = mapping.label(), "how a batch went could not be stored");
        }
    }
}

impl Last {
    fn of(invoked: Invoked, why: String) -> Self {
        let Invoked { request_id, executed_version, function_error, .. } = invoked;
        Self { request_id, executed_version, function_error, why }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Body<'a> {
    request_context: RequestContext<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    response_context: Option<ResponseContext<'a>>,
    version: &'static str,
    timestamp: String,
    #[serde(rename = "DDBStreamBatchInfo")]
    batch: BatchOfStream<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RequestContext<'a> {
    request_id: String,
    function_arn: &'a str,
    condition: Condition,
    approximate_invoke_count: u32,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ResponseContext<'a> {
    status_code: u16,
    executed_version: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    function_error: Option<&'a str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct BatchOfStream<'a> {
    shard_id: &'a str,
    start_sequence_number: &'a str,
    end_sequence_number: &'a str,
    approximate_arrival_of_first_record: String,
    approximate_arrival_of_last_record: String,
    batch_size: usize,
    stream_arn: &'a str,
}
