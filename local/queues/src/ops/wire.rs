//! Wire shapes that several operations share.

use std::collections::{BTreeMap, HashSet};

use aws_api::Call;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rusqlite::Connection;
use serde::{Deserialize, Serialize};

use crate::Queues;
use crate::error::Error;
use crate::message::NewMessage;
use crate::message_attribute::{self, MessageAttribute, MessageAttributes, Value};
use crate::queue::Queue;
use crate::store::queues;

const BATCH_ENTRIES_MAX: usize = 10;
const BATCH_ID_CHARACTERS_MAX: usize = 80;
const TRACE_HEADER: &str = "AWSTraceHeader";

/// An answer without members.
#[derive(Debug, Serialize)]
pub(crate) struct Empty {}

/// A message attribute, either way.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct MessageAttributeValue {
    #[serde(default)]
    pub data_type: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub string_value: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub binary_value: Option<String>,
}

pub(crate) type WireAttributes = BTreeMap<String, MessageAttributeValue>;

/// What `SendMessage` and an entry of its batch have in common.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct WireMessage {
    message_body: Option<String>,
    delay_seconds: Option<i64>,
    message_attributes: Option<WireAttributes>,
    message_system_attributes: Option<WireAttributes>,
    message_deduplication_id: Option<String>,
    message_group_id: Option<String>,
}

/// A batch: entries that are what the single operation takes, each with an id.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct BatchRequest<E> {
    queue_url: Option<String>,
    #[serde(default = "Vec::new")]
    entries: Vec<BatchEntry<E>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct BatchEntry<E> {
    id: Option<String>,
    #[serde(flatten)]
    entry: E,
}

/// A message that was received, by the handle that came with it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ReceivedMessage {
    pub receipt_handle: Option<String>,
    pub visibility_timeout: Option<i64>,
}

/// An entry of a batch that failed.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct BatchResultErrorEntry {
    id: String,
    sender_fault: bool,
    code: &'static str,
    message: String,
}

/// The answer to a batch. AWS leaves empty lists out.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct BatchResult<T> {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub successful: Vec<T>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub failed: Vec<BatchResultErrorEntry>,
}

/// An entry of a batch of which nothing is to be told but that it worked.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct BatchResultEntry {
    pub id: String,
}

impl<T> BatchResult<T> {
    /// From what became of each entry.
    pub fn of(results: impl IntoIterator<Item = (String, Result<T, Error>)>) -> Self {
        let mut batch = Self { successful: Vec::new(), failed: Vec::new() };
        for (id, result) in results {
            match result {
                Ok(entry) => batch.successful.push(entry),
                Err(error) => batch.failed.push(BatchResultErrorEntry {
                    id,
                    sender_fault: error.is_senders(),
                    code: error.names().1,
                    message: error.to_string(),
                }),
            }
        }
        batch
    }
}

impl<E> BatchRequest<E> {
    /// The queue's name, and the entries with their ids. Refuses a batch of a wrong shape; `shape` is what its
    /// entries are called.
    pub fn read(self, room: &Queues, shape: &'static str) -> Result<(String, Vec<(String, E)>), Error> {
        let name = room.name_in_url(self.queue_url.as_deref())?;
        let entries: Result<Vec<_>, Error> =
            self.entries.into_iter().map(|entry| Ok((required(entry.id, "Id")?, entry.entry))).collect();
        let entries = entries?;
        check_batch(entries.iter().map(|(id, _)| id.as_str()), shape)?;
        Ok((name, entries))
    }
}

/// Does the same to each message of a batch, in one transaction; each succeeds or fails by itself.
pub(crate) async fn each_received(
    room: &Queues,
    (name, entries): (String, Vec<(String, ReceivedMessage)>),
    one: impl Fn(&Connection, &Queue, ReceivedMessage) -> Result<(), Error> + Send + 'static,
) -> Result<(Queue, BatchResult<BatchResultEntry>), Error> {
    let change = room.database.write(move |connection| {
        let queue = queues::of_name(connection, &name)?;
        let done = entries.into_iter().map(|(id, entry)| {
            let result = one(connection, &queue, entry);
            (id.clone(), result.map(|()| BatchResultEntry { id }))
        });
        let done = BatchResult::of(done);
        Ok((queue, done))
    });
    change.await
}

fn check_batch<'a>(
    ids: impl IntoIterator<Item = &'a str, IntoIter: ExactSizeIterator>,
    shape: &'static str,
) -> Result<(), Error> {
    let ids = ids.into_iter();
    match ids.len() {
        0 => return Err(Error::EmptyBatchRequest(shape)),
        count if count > BATCH_ENTRIES_MAX => return Err(Error::TooManyEntriesInBatchRequest(count)),
        _ => {}
    }
    let mut seen = HashSet::new();
    for id in ids {
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        if id.is_empty() || id.len() > BATCH_ID_CHARACTERS_MAX || !id.bytes().all(fits) {
            return Err(Error::InvalidBatchEntryId);
        }
        if !seen.insert(id) {
            return Err(Error::BatchEntryIdsNotDistinct(id.to_owned()));
        }
    }
    Ok(())
}

/// A member that has to be there.
pub(crate) fn required<T>(member: Option<T>, name: &'static str) -> Result<T, Error> {
    member.ok_or(Error::MissingParameter(name))
}

impl WireMessage {
    /// The message, and the digest of its system attributes. The trace that the sender is part of goes with
    /// it, unless it gives another one.
    pub fn read(self, message_id: String, call: &Call) -> Result<(NewMessage, Option<String>), Error> {
        let system = read_attributes(self.message_system_attributes)?;
        if let Some(name) = system.keys().find(|name| *name != TRACE_HEADER) {
            let reason = "The only supported message system attribute is AWSTraceHeader.";
            return Err(Error::invalid_value(name, "MessageSystemAttributes", reason));
        }
        let trace_header = match system.get(TRACE_HEADER).map(|attribute| &attribute.value) {
            Some(Value::Text(header)) => Some(header.clone()),
            Some(Value::Binary(_)) | None => call.header("x-amzn-trace-id").map(ToOwned::to_owned),
        };
        let message = NewMessage {
            message_id,
            body: required(self.message_body, "MessageBody")?,
            attributes: read_attributes(self.message_attributes)?,
            delay_s: self.delay_seconds,
            group_id: self.message_group_id,
            deduplication_id: self.message_deduplication_id,
            trace_header,
            sequence: None,
        };
        Ok((message, message_attribute::digest(&system)))
    }
}

fn read_attributes(attributes: Option<WireAttributes>) -> Result<MessageAttributes, Error> {
    let read = |(name, attribute): (String, MessageAttributeValue)| {
        let MessageAttributeValue { data_type, string_value, binary_value } = attribute;
        let value = match (string_value, binary_value) {
            (Some(text), _) => Value::Text(text),
            (None, Some(bytes)) => {
                let bytes = STANDARD.decode(bytes);
                let text = || format!("The value of message (user) attribute '{name}' is not valid base64.");
                Value::Binary(bytes.map_err(|_| Error::invalid(text()))?)
            }
            (None, None) => Value::Text(String::new()), // refused with the other empty ones
        };
        Ok((name, MessageAttribute { data_type, value }))
    };
    attributes.unwrap_or_default().into_iter().map(read).collect()
}

/// For an answer.
pub(crate) fn write_attributes(attributes: &MessageAttributes) -> WireAttributes {
    let write = |(name, attribute): (&String, &MessageAttribute)| {
        let (string_value, binary_value) = match &attribute.value {
            Value::Text(text) => (Some(text.clone()), None),
            Value::Binary(bytes) => (None, Some(STANDARD.encode(bytes))),
        };
        let value = MessageAttributeValue { data_type: attribute.data_type.clone(), string_value, binary_value };
        (name.clone(), value)
    };
    attributes.iter().map(write).collect()
}
