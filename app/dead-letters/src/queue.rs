//! A queue of dead letters.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::{ChangeMessageVisibilityBatchRequestEntry, Message, MessageSystemAttributeName};
use tandem_profiles::Timestamp;

use crate::error::Error;
use crate::letter::Letter;

/// SQS hands out no more at once.
const RECEIVED_MAX: i32 = 10;

/// So long nobody else sees a message that is being listed. It is given back at the end of the list.
const LISTING_SECONDS: i32 = 60;

/// How often in a row the queue must say that it is empty: it asks some of its servers each time.
const EMPTY_ANSWERS: u32 = 2;

/// A queue that dead letters go to. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Queue {
    client: Client,
    url: String,
}

/// A message, and what it says.
#[derive(Clone, Debug)]
pub struct Received {
    /// SQS's id of the message.
    pub message_id: String,
    /// When it came into the queue.
    pub sent_at: Option<Timestamp>,
    /// The letter; `None` for a message in no envelope that we know.
    pub letter: Option<Letter>,
    receipt: String,
}

impl Queue {
    /// By name or by URL.
    pub async fn find(client: Client, name_or_url: &str) -> Result<Self, Error> {
        if name_or_url.contains("://") {
            return Ok(Self { client, url: name_or_url.to_owned() });
        }
        let name = name_or_url.rsplit(':').next().unwrap_or(name_or_url);
        let answer = client.get_queue_url().queue_name(name).send().await;
        let answer = answer.map_err(|error| Error::from_sdk("GetQueueUrl", name_or_url, &error))?;
        Ok(Self { client, url: answer.queue_url.unwrap_or_default() })
    }

    /// The queue's name: the end of its URL.
    pub fn name(&self) -> &str {
        self.url.rsplit('/').next().unwrap_or(&self.url)
    }

    /// How many messages are in it, by its own estimate.
    pub async fn length(&self) -> Result<u64, Error> {
        use aws_sdk_sqs::types::QueueAttributeName::{
            ApproximateNumberOfMessages, ApproximateNumberOfMessagesNotVisible,
        };
        let request = self.client.get_queue_attributes().queue_url(&self.url);
        let request =
            request.attribute_names(ApproximateNumberOfMessages).attribute_names(ApproximateNumberOfMessagesNotVisible);
        let answer = request.send().await.map_err(|error| Error::from_sdk("GetQueueAttributes", &self.url, &error))?;
        Ok(answer.attributes.unwrap_or_default().values().filter_map(|number| number.parse::<u64>().ok()).sum())
    }

    /// Up to `limit` letters that `wanted` says yes to. All stay in the queue: for a moment nobody else sees them,
    /// then they are given back. (SQS counts it as a receipt, which matters to queues that move messages on after some.)
    pub async fn list(&self, limit: usize, wanted: impl Fn(&Received) -> bool) -> Result<Vec<Received>, Error> {
        let mut seen = BTreeSet::new();
        let (mut found, mut passed_over) = (Vec::new(), Vec::new());
        let mut empty_answers = 0;
        let outcome = loop {
            if found.len() >= limit || empty_answers == EMPTY_ANSWERS {
                break Ok(());
            }
            let batch = match self.receive(LISTING_SECONDS).await {
                Ok(batch) => batch,
                Err(error) => break Err(error),
            };
            empty_answers = if batch.is_empty() { empty_answers + 1 } else { 0 };
            for received in batch {
                // Some come twice where there are very many, or where this takes very long.
                if !seen.insert(received.message_id.clone()) {
                    passed_over.push(received);
                    empty_answers += 1;
                } else if found.len() < limit && wanted(&received) {
                    found.push(received);
                } else {
                    passed_over.push(received);
                }
            }
        };
        self.give_back(found.iter().chain(&passed_over)).await?;
        outcome.map(|()| found)
    }

    /// Some messages, which nobody else sees for so long.
    pub(crate) async fn receive(&self, seconds: i32) -> Result<Vec<Received>, Error> {
        let answer = self
            .client
            .receive_message()
            .queue_url(&self.url)
            .max_number_of_messages(RECEIVED_MAX)
            .visibility_timeout(seconds)
            .wait_time_seconds(0)
            .message_attribute_names("All")
            .message_system_attribute_names(MessageSystemAttributeName::SentTimestamp)
            .send()
            .await
            .map_err(|error| Error::from_sdk("ReceiveMessage", &self.url, &error))?;
        Ok(answer.messages.unwrap_or_default().into_iter().map(received).collect())
    }

    /// Lets everybody see the messages again.
    pub(crate) async fn give_back(&self, messages: impl Iterator<Item = &Received>) -> Result<(), Error> {
        let messages: Vec<_> = messages.collect();
        for batch in messages.chunks(10) {
            let entries = batch.iter().enumerate().map(|(place, message)| {
                ChangeMessageVisibilityBatchRequestEntry::builder()
                    .id(place.to_string())
                    .receipt_handle(&message.receipt)
                    .visibility_timeout(0)
                    .build()
                    .expect("an entry has an id and a receipt")
            });
            let request = self.client.change_message_visibility_batch().queue_url(&self.url);
            let answer = request.set_entries(Some(entries.collect())).send().await;
            answer.map_err(|error| Error::from_sdk("ChangeMessageVisibilityBatch", &self.url, &error))?;
        }
        Ok(())
    }

    /// Takes a message away for good.
    pub async fn delete(&self, message: &Received) -> Result<(), Error> {
        let request = self.client.delete_message().queue_url(&self.url).receipt_handle(&message.receipt);
        let answer = request.send().await;
        answer.map(drop).map_err(|error| Error::from_sdk("DeleteMessage", &self.url, &error))
    }
}

fn received(message: Message) -> Received {
    let attributes: BTreeMap<String, String> = message
        .message_attributes
        .unwrap_or_default()
        .into_iter()
        .filter_map(|(name, value)| Some((name, value.string_value?)))
        .collect();
    let sent_at = message.attributes.as_ref().and_then(|attributes| {
        attributes.get(&MessageSystemAttributeName::SentTimestamp)?.parse().ok().map(Timestamp::from_millis)
    });
    Received {
        letter: Letter::read(message.body.as_deref().unwrap_or_default(), &attributes),
        message_id: message.message_id.unwrap_or_default(),
        receipt: message.receipt_handle.unwrap_or_default(),
        sent_at,
    }
}
