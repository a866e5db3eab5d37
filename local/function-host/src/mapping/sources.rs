//! What mappings need from outside: queues, streams, and the pattern language of filters.

use std::collections::BTreeMap;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tokio::sync::watch;

/// Queues and streams, as far as mappings read them.
#[async_trait]
pub trait Sources: Send + Sync {
    /// What is known of a queue.
    async fn queue(&self, queue_arn: &str) -> Result<QueueState, SourceError>;

    /// Receives up to `count_max` messages (ten at most), waiting for the first for so long. Dropping the future
    /// while it waits takes nothing from the queue.
    async fn receive(&self, queue_arn: &str, count_max: usize, wait_s: u32) -> Result<Vec<QueueMessage>, SourceError>;

    /// Deletes messages that were received.
    async fn delete(&self, queue_arn: &str, receipt_handles: Vec<String>) -> Result<(), SourceError>;

    /// Lets others receive messages at once that were received.
    async fn give_back(&self, queue_arn: &str, receipt_handles: Vec<String>) -> Result<(), SourceError>;

    /// The shards of a stream.
    async fn shards(&self, stream_arn: &str) -> Result<Vec<String>, SourceError>;

    /// An iterator at a position of a shard. It may be used for as long as the stream is there.
    async fn iterator(&self, stream_arn: &str, shard_id: &str, position: &Position) -> Result<String, SourceError>;

    /// Up to `count_max` records (a thousand at most) from an iterator on.
    async fn records(&self, iterator: &str, count_max: usize) -> Result<StreamRecords, SourceError>;

    /// Changes whenever there may be new records in a stream.
    fn news(&self, stream_arn: &str) -> watch::Receiver<u64>;
}

/// What is known of a queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QueueState {
    /// How long a message stays hidden that was received.
    pub visibility_timeout_s: u32,
    /// Messages that are there: visible, hidden and delayed.
    pub messages: u64,
}

/// A message, as `ReceiveMessage` gives it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct QueueMessage {
    /// The message's.
    pub message_id: String,
    /// Of this receipt.
    pub receipt_handle: String,
    /// The body.
    pub body: String,
    /// Of the body.
    #[serde(rename = "MD5OfBody")]
    pub md5_of_body: String,
    /// Of the message attributes, if there are any.
    #[serde(rename = "MD5OfMessageAttributes")]
    pub md5_of_message_attributes: Option<String>,
    /// System attributes: `SentTimestamp`, `MessageGroupId`, …
    pub attributes: BTreeMap<String, String>,
    /// What the sender added.
    pub message_attributes: BTreeMap<String, MessageAttribute>,
}

/// A message attribute.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct MessageAttribute {
    /// `String`, `Number`, `Binary`, or one of these with a label.
    pub data_type: String,
    /// Of a string or number.
    pub string_value: Option<String>,
    /// Base64.
    pub binary_value: Option<String>,
}

/// A place in a shard.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Position {
    /// The oldest record that is there.
    TrimHorizon,
    /// Behind the newest record.
    Latest,
    /// Behind the record of this sequence number.
    After(String),
    /// Where an iterator was.
    Iterator(String),
}

/// What an iterator gave.
#[derive(Clone, Debug, Default)]
pub struct StreamRecords {
    /// In order, as `GetRecords` gives them.
    pub records: Vec<Map<String, Value>>,
    /// Where the next ones are; none at the end of a closed shard.
    pub next: Option<String>,
}

/// Why a source could not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SourceError {
    /// There is no such queue or stream (any more).
    #[error("the event source does not exist")]
    Gone,
    /// Worth another try.
    #[error("{0}")]
    Failed(String),
}

/// The pattern language of filters.
pub trait Filters: Send + Sync {
    /// A filter that lets pass what one of these patterns matches; none if one of them is no pattern.
    fn compile(&self, patterns: &[String]) -> Option<Box<dyn Filter>>;
}

/// Patterns, ready to be tested.
pub trait Filter: Send + Sync {
    /// Whether a record (JSON) passes.
    fn passes(&self, record: &str) -> bool;
}
