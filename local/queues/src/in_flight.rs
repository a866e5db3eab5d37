//! How many messages of a queue may be received and not deleted at the same time.
//!
//! Counting them takes as long as they are many, so each queue has an upper bound in memory: the last count and
//! what was handed out since. Only when the bound reaches the limit are they counted again.

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use rusqlite::Connection;
use world::Timestamp;

use crate::error::Error;
use crate::store::messages;

/// Of standard queues, and of FIFO queues since November 2024
/// (`docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-fifo.html`).
const MESSAGES_MAX: usize = 120_000;

/// See the module. An entry goes with its queue.
#[derive(Debug)]
pub(crate) struct InFlight {
    messages_max: AtomicUsize,
    bounds: Mutex<HashMap<i64, usize>>,
}

impl InFlight {
    pub fn new() -> Self {
        Self { messages_max: AtomicUsize::new(MESSAGES_MAX), bounds: Mutex::default() }
    }

    /// How many of `wanted` messages may be handed out.
    pub fn room(&self, connection: &Connection, queue: i64, wanted: usize, now: Timestamp) -> Result<usize, Error> {
        let max = self.messages_max.load(Ordering::Relaxed);
        let bound = self.bounds.lock().expect("no holder panics").get(&queue).copied();
        let bound = match bound {
            Some(bound) if bound + wanted <= max => bound,
            _ => {
                let count = messages::in_flight(connection, queue, now)?;
                self.bounds.lock().expect("no holder panics").insert(queue, count);
                count
            }
        };
        Ok(wanted.min(max.saturating_sub(bound)))
    }

    /// So many were handed out.
    pub fn add(&self, queue: i64, count: usize) {
        if let Some(bound) = self.bounds.lock().expect("no holder panics").get_mut(&queue) {
            *bound += count;
        }
    }

    pub fn forget(&self, queue: i64) {
        self.bounds.lock().expect("no holder panics").remove(&queue);
    }

    pub fn reset(&self) {
        self.bounds.lock().expect("no holder panics").clear();
    }

    #[cfg(test)]
    pub fn set_max(&self, messages_max: usize) {
        self.messages_max.store(messages_max, Ordering::Relaxed);
    }
}
