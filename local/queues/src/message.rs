//! A message: what a sender gives, what SQS refuses of it, and what is stored.

use world::Timestamp;

use crate::error::Error;
use crate::message_attribute::{self, MessageAttribute, MessageAttributes, Value};
use crate::queue::Queue;

const DELAY_S_MAX: i64 = 900;
const GROUP_ID_CHARACTERS_MAX: usize = 128;

/// A message that the local cloud itself sends: a dead letter, or an event for a target.
#[derive(Clone, Debug, Default)]
pub struct OutgoingMessage {
    /// The body.
    pub body: String,
    /// Message attributes of type `String`.
    pub attributes: Vec<(String, String)>,
    /// The message group, where one is given.
    pub group_id: Option<String>,
    /// For FIFO queues only; where there is none, the queue's content-based deduplication has to be on.
    pub deduplication_id: Option<String>,
}

/// A message to be sent.
#[derive(Clone, Debug, Default)]
pub(crate) struct NewMessage {
    pub message_id: String,
    pub body: String,
    pub attributes: MessageAttributes,
    /// The queue's own where there is none.
    pub delay_s: Option<i64>,
    pub group_id: Option<String>,
    pub deduplication_id: Option<String>,
    pub trace_header: Option<String>,
    /// Given by a FIFO queue that took it.
    pub sequence: Option<i64>,
}

/// A message that was received.
#[derive(Clone, Debug)]
#[expect(clippy::struct_field_names, reason = "AWS calls it so: ApproximateFirstReceiveTimestamp")]
pub(crate) struct Received {
    pub message_id: String,
    pub receipt_handle: String,
    pub body: String,
    pub attributes: MessageAttributes,
    pub group_id: Option<String>,
    /// In a FIFO queue.
    pub deduplication_id: Option<String>,
    /// In a FIFO queue.
    pub sequence: Option<i64>,
    pub trace_header: Option<String>,
    /// The queue that it was a dead letter of.
    pub source_arn: Option<String>,
    pub sent: Timestamp,
    pub first_received: Timestamp,
    /// In all queues.
    pub receives: i64,
}

impl NewMessage {
    pub fn from_outgoing(message: OutgoingMessage, message_id: String) -> Self {
        let attribute = |(name, value)| {
            let value = Value::Text(value);
            (name, MessageAttribute { data_type: "String".into(), value })
        };
        Self {
            message_id,
            body: message.body,
            attributes: message.attributes.into_iter().map(attribute).collect(),
            group_id: message.group_id,
            deduplication_id: message.deduplication_id,
            ..Self::default()
        }
    }

    /// Body and attributes, as the limits count them.
    pub fn bytes(&self) -> usize {
        self.body.len() + message_attribute::size(&self.attributes)
    }

    /// Refuses what `queue` refuses.
    pub fn check(&self, queue: &Queue, in_batch: bool) -> Result<(), Error> {
        if self.body.is_empty() {
            return Err(Error::MissingParameter("MessageBody"));
        }
        let bytes_max = queue.attributes.message_bytes_max();
        if self.bytes() > bytes_max {
            return Err(Error::message_too_long(bytes_max, in_batch));
        }
        check_characters(&self.body)?;
        message_attribute::check(&self.attributes)?;
        check_delay(self.delay_s)?;
        if let Some(id) = &self.group_id {
            check_id(id, "MessageGroupId")?;
        }
        if let Some(id) = &self.deduplication_id {
            check_id(id, "MessageDeduplicationId")?;
        }
        match (queue.is_fifo(), &self.deduplication_id, self.delay_s) {
            (true, _, Some(delay_s)) if delay_s > 0 => Err(Error::delay_is_not_of_this_type(delay_s)),
            (true, _, _) if self.group_id.is_none() => Err(Error::MissingParameter("MessageGroupId")),
            (false, Some(id), _) => Err(Error::not_of_this_type(id, "MessageDeduplicationId")),
            _ => Ok(()),
        }
    }
}

/// A sequence number in the form that AWS gives it: twenty digits, growing, not consecutive.
pub(crate) fn sequence_number(sequence: i64) -> String {
    const FIRST: u128 = 18_850_000_000_000_000_000;
    const STEP: u128 = 256;
    (FIRST + u128::from(sequence.unsigned_abs()) * STEP).to_string()
}

/// Refuses characters that XML has no place for, which the older protocol could not carry.
pub(crate) fn check_characters(text: &str) -> Result<(), Error> {
    let valid =
        |c: char| matches!(c, '\t' | '\n' | '\r' | '\u{20}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..);
    if text.chars().all(valid) { Ok(()) } else { Err(Error::InvalidMessageContents) }
}

fn check_delay(delay_s: Option<i64>) -> Result<(), Error> {
    match delay_s {
        Some(delay) if !(0..=DELAY_S_MAX).contains(&delay) => {
            Err(Error::invalid_value(delay, "DelaySeconds", "DelaySeconds must be >= 0 and <= 900."))
        }
        _ => Ok(()),
    }
}

pub(crate) fn check_id(id: &str, parameter: &str) -> Result<(), Error> {
    let ok = !id.is_empty() && id.len() <= GROUP_ID_CHARACTERS_MAX && id.bytes().all(|byte| byte.is_ascii_graphic());
    let reason =
        || format!("{parameter} can only include alphanumeric and punctuation characters. 1 to 128 in length.");
    if ok { Ok(()) } else { Err(Error::invalid_value(id, parameter, &reason())) }
}
