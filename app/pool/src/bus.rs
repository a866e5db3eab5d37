//! Publishes identity events on a bus.
//!
//! `PutEvents` answers with success although single entries failed: the SDK repeats requests, and [`Bus`] entries.

use std::time::Duration;

use aws_sdk_eventbridge::Client;
use aws_sdk_eventbridge::types::{PutEventsRequestEntry, PutEventsResultEntry};
use tandem_profiles::{BusEvent, SOURCE};

use crate::error::reason;

/// `PutEvents` takes no more at once.
pub const ENTRIES_MAX: usize = 10;

const ATTEMPTS: u32 = 2;
const RETRY_DELAY: Duration = Duration::from_millis(100);

/// A bus. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Bus {
    client: Client,
    name: String,
}

/// What came of one event: the bus's own id of it, or why it was not taken.
pub type Published = Result<String, TurnedDown>;

/// Why the bus did not take an event, in the service's code or the SDK's words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the bus did not take the event ({reason})")]
pub struct TurnedDown {
    /// Why.
    pub reason: String,
    /// Whether it may take the event later.
    pub later: bool,
}

impl Bus {
    /// The bus of that name or ARN. (A bus that does not exist says that it has taken everything: see to it when it is
    /// deployed.)
    pub fn new(client: Client, name: impl Into<String>) -> Self {
        Self { client, name: name.into() }
    }

    /// The name or ARN.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// One event, with the X-Ray header that its consumers are to see.
    pub async fn publish(&self, event: &(impl BusEvent + Clone), trace: Option<&str>) -> Published {
        let mut outcomes = self.publish_all(std::slice::from_ref(event), trace).await;
        outcomes.pop().expect("one event has one outcome")
    }

    /// Many events; the outcomes are in their order. What was turned down for the moment is put once more.
    pub async fn publish_all(&self, events: &[impl BusEvent + Clone], trace: Option<&str>) -> Vec<Published> {
        let mut outcomes = Vec::with_capacity(events.len());
        for batch in events.chunks(ENTRIES_MAX) {
            outcomes.extend(self.publish_batch(batch, trace).await);
        }
        outcomes
    }

    async fn publish_batch(&self, events: &[impl BusEvent + Clone], trace: Option<&str>) -> Vec<Published> {
        let mut outcomes = self.put(events, trace).await;
        for _ in 1..ATTEMPTS {
            let again: Vec<usize> =
                (0..events.len()).filter(|place| outcomes[*place].as_ref().is_err_and(|turned| turned.later)).collect();
            if again.is_empty() {
                break;
            }
            tokio::time::sleep(RETRY_DELAY).await;
            let events: Vec<_> = again.iter().map(|place| events[*place].clone()).collect();
            for (place, outcome) in again.into_iter().zip(self.put(&events, trace).await) {
                outcomes[place] = outcome;
            }
        }
        outcomes
    }

    async fn put(&self, events: &[impl BusEvent], trace: Option<&str>) -> Vec<Published> {
        let entries = events.iter().map(|event| {
            PutEventsRequestEntry::builder()
                .event_bus_name(&self.name)
                .source(SOURCE)
                .detail_type(event.detail_type())
                .detail(event.detail())
                .set_trace_header(trace.map(ToOwned::to_owned))
                .build()
        });
        match self.client.put_events().set_entries(Some(entries.collect())).send().await {
            Ok(answer) => taken(events.len(), answer.failed_entry_count, answer.entries()),
            // The SDK has tried it again already.
            Err(error) => vec![Err(TurnedDown { reason: reason(&error), later: false }); events.len()],
        }
    }
}

/// What the bus's answer says about each entry.
fn taken(expected: usize, failed_entry_count: i32, entries: &[PutEventsResultEntry]) -> Vec<Published> {
    if entries.len() != expected {
        let reason = "the bus did not answer for every event".to_owned();
        return vec![Err(TurnedDown { reason, later: false }); expected];
    }
    let entry = |entry: &PutEventsResultEntry| match (entry.error_code(), entry.event_id()) {
        (None, Some(id)) if failed_entry_count < i32::try_from(expected).unwrap_or(i32::MAX) => Ok(id.to_owned()),
        (code, _) => {
            let reason = code.unwrap_or("the bus gave no event id").to_owned();
            let later = matches!(code, Some("InternalFailure" | "InternalException" | "ThrottlingException"));
            Err(TurnedDown { reason, later })
        }
    };
    entries.iter().map(entry).collect()
}

#[cfg(test)]
mod tests;
