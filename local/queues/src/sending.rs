//! Sending: what becomes of a message that a queue takes, and which messages FIFO queues have had already.

use aws_lc_rs::digest::{SHA256, digest};
use rusqlite::Connection;
use world::Timestamp;

use crate::Queues;
use crate::error::Error;
use crate::message::{NewMessage, OutgoingMessage};
use crate::queue::Queue;
use crate::queues::{SendError, later};
use crate::store::{deduplications, groups, messages, queues};

/// For so long a FIFO queue takes no second message of a deduplication id.
pub(crate) const DEDUPLICATION_S: i64 = 300;

impl Queues {
    /// Sends a message to an SQS queue; gives its id. A FIFO queue that has had a message of the deduplication id
    /// within five minutes takes no second one, and gives the id of the first.
    pub async fn send(&self, queue_arn: &str, message: OutgoingMessage) -> Result<String, SendError> {
        let name = self.name_in_arn(queue_arn).ok_or(SendError::NoSuchQueue)?;
        let message = NewMessage::from_outgoing(message, self.world.random.uuid());
        let sent = self.put(name, vec![message], false).await.map(|mut sent| sent.pop());
        match sent {
            Ok(Some(Ok(message))) => Ok(message.message_id),
            Ok(None) | Err(Error::QueueDoesNotExist) => Err(SendError::NoSuchQueue),
            Ok(Some(Err(Error::Storage(error)))) | Err(Error::Storage(error)) => Err(SendError::Storage(error)),
            Ok(Some(Err(refused))) | Err(refused) => Err(SendError::Refused(refused.to_string())),
        }
    }

    /// Stores messages in one transaction; each is taken or refused by itself. One that a FIFO queue has had
    /// already comes back with the id and sequence number of the first.
    pub(crate) async fn put(
        &self,
        name: String,
        new: Vec<NewMessage>,
        in_batch: bool,
    ) -> Result<Vec<Result<NewMessage, Error>>, Error> {
        let now = self.world.clock.now();
        let (queue, results) = self
            .database
            .write(move |connection| {
                let queue = queues::of_name(connection, &name)?;
                let put = |message: NewMessage| {
                    message.check(&queue, in_batch)?;
                    if queue.is_fifo() {
                        append(connection, &queue, message, now)
                    } else {
                        add(connection, &queue, message, now)
                    }
                };
                let results: Vec<Result<NewMessage, Error>> = new.into_iter().map(put).collect();
                Ok::<_, Error>((queue.id, results))
            })
            .await?;
        self.tell_pollers(queue);
        Ok(results)
    }
}

/// To a standard queue.
fn add(connection: &Connection, queue: &Queue, message: NewMessage, now: Timestamp) -> Result<NewMessage, Error> {
    let delay_s = message.delay_s.unwrap_or(queue.attributes.delay_s());
    messages::insert(connection, queue.id, &message, now, later(now, delay_s))?;
    Ok(message)
}

/// To the end of its group in a FIFO queue.
fn append(
    connection: &Connection,
    queue: &Queue,
    mut message: NewMessage,
    now: Timestamp,
) -> Result<NewMessage, Error> {
    let group_id = message.group_id.clone().ok_or(Error::MissingParameter("MessageGroupId"))?;
    let deduplication_id = match message.deduplication_id.take() {
        Some(id) => id,
        None if queue.attributes.deduplicates_by_content() => sha256_hex(message.body.as_bytes()),
        None => return Err(Error::no_deduplication_id()),
    };
    let scope = if queue.attributes.deduplicates_by_group() { group_id.as_str() } else { "" };
    let first = deduplications::find(connection, queue.id, scope, &deduplication_id, now)?;
    if let Some((message_id, sequence)) = first {
        return Ok(NewMessage { message_id, sequence: Some(sequence), ..message });
    }
    let sequence = queues::next_sequence(connection, queue.id)?;
    let key = (queue.id, scope, deduplication_id.as_str());
    deduplications::insert(connection, key, (&message.message_id, sequence), (now, later(now, DEDUPLICATION_S)))?;
    message.sequence = Some(sequence);
    message.deduplication_id = Some(deduplication_id);
    let visible = later(now, queue.attributes.delay_s());
    messages::insert(connection, queue.id, &message, now, visible)?;
    groups::append(connection, queue.id, &group_id, sequence, visible)?;
    Ok(message)
}

fn sha256_hex(bytes: &[u8]) -> String {
    digest(&SHA256, bytes).as_ref().iter().fold(String::with_capacity(64), |mut hex, byte| {
        for nibble in [byte >> 4, byte & 15] {
            hex.extend(char::from_digit(nibble.into(), 16));
        }
        hex
    })
}
