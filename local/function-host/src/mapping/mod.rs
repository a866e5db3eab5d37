//! Event source mappings: what reads queues and streams and hands their records to functions.
//!
//! A mapping is a row of `functions.db` and, while it is enabled, a task that polls: [`queue_poller`] for SQS,
//! [`stream_poller`] for DynamoDB Streams. What was read of a stream is remembered on disk ([`ledger`]), so nothing
//! is passed over by a restart; what was read of a queue stays in the queue until the function has had it.
//!
//! Not here: queues and streams themselves, and the pattern language of filters. The room declares what it needs
//! of them ([`Sources`], [`Filters`]); the server implements it. Sources other than these two (Kinesis, Kafka, MQ,
//! `DocumentDB`) and tumbling windows are refused by name.
//!
//! Start at [`shelf::Mappings`].

pub(crate) mod answer;
mod handler;
mod ledger;
mod outcome;
mod progress;
mod queue_poller;
mod record;
pub(crate) mod request;
mod shelf;
mod sources;
mod store;
mod stream_batch;
mod stream_poller;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use aws_api::Arn;
use serde::{Deserialize, Serialize};

pub use progress::PendingWork;
pub(crate) use progress::Phase;
pub(crate) use shelf::{Entry, Mappings, Outside};
pub use sources::{
    Filter, Filters, MessageAttribute, Position, QueueMessage, QueueState, SourceError, Sources, StreamRecords,
};
pub(crate) use store::TABLES;

/// Everything that is stored of a mapping.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Mapping {
    pub(crate) uuid: String,
    pub(crate) source_arn: String,
    /// With the qualifier that was asked for.
    pub(crate) function_arn: String,
    pub(crate) enabled: bool,
    pub(crate) batch_size: u32,
    pub(crate) window_s: u32,
    /// A record passes if one of these patterns matches, or if there is none.
    pub(crate) filters: Vec<String>,
    /// `ReportBatchItemFailures`
    pub(crate) reports_failures: bool,
    pub(crate) concurrency_max: Option<u32>,
    /// Of a stream: `TRIM_HORIZON` or `LATEST`.
    pub(crate) starting_position: Option<String>,
    pub(crate) parallelization: u32,
    /// -1: for as long as the record is there.
    pub(crate) retries_max: i64,
    /// -1: for as long as the record is there.
    pub(crate) record_age_max_s: i64,
    pub(crate) bisects: bool,
    pub(crate) on_failure: Option<String>,
    pub(crate) tags: BTreeMap<String, String>,
    pub(crate) last_modified_ms: i64,
    /// Why it was disabled, if nobody asked for it.
    #[serde(default)]
    pub(crate) disabled_because: Option<String>,
}

/// What a mapping reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// An SQS queue.
    Queue {
        /// Whether it keeps the order of its groups.
        fifo: bool,
    },
    /// A DynamoDB stream.
    Stream,
}

impl Kind {
    /// Of the source behind an ARN; none if it is of a kind that we do not read.
    pub(crate) fn of(source_arn: &str) -> Option<Self> {
        let arn: Arn = source_arn.parse().ok()?;
        match arn.service.as_str() {
            "sqs" => Some(Self::Queue { fifo: arn.resource.strip_suffix(".fifo").is_some() }),
            "dynamodb" if arn.resource.contains("/stream/") => Some(Self::Stream),
            _ => None,
        }
    }
}

impl Mapping {
    pub(crate) fn kind(&self) -> Kind {
        Kind::of(&self.source_arn).unwrap_or(Kind::Stream) // the ARN was checked when the mapping was made
    }

    /// For people: `queue orders → create-order`.
    pub(crate) fn label(&self) -> String {
        let resource = |arn: &str| arn.splitn(6, ':').nth(5).unwrap_or(arn).to_owned();
        let function = resource(&self.function_arn);
        let function = function.strip_prefix("function:").unwrap_or(&function);
        let source = resource(&self.source_arn);
        match self.kind() {
            Kind::Queue { .. } => format!("queue {source} → {function}"),
            Kind::Stream => {
                let table = source.trim_start_matches("table/").split('/').next().unwrap_or_default();
                format!("stream of {table} → {function}")
            }
        }
    }
}
