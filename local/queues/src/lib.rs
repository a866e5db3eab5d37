//! One durable queue engine, with Amazon SQS in front.
//!
//! Two kinds of queue share one file, one writer and one way of waiting (for a time of the world's clock, or
//! for news):
//!
//! - a [`Lane`] hands jobs to workers inside the local cloud: bus deliveries and asynchronous invocations ride
//!   on it. A job is on disk before [`Lane::push`] returns, and stays there until [`Lane::finish`]. Only a
//!   window of the nearest jobs is in memory; a fresh job goes from there straight to a waiting worker.
//! - an SQS queue, standard or FIFO, is read from outside, at a client's pace: any message may be deleted, hidden or shown again
//!   by its receipt handle, so it lives on disk alone and every call is one transaction.
//!
//! Not here: what a job means, when a failed one is tried again, and who is told when it is given up. Those
//! are its room's to say, in [`Then`].
//!
//! Start at [`Queues`]; `lane.rs` and `window.rs` are the engine of lanes, `sending.rs`, `receiving.rs` and
//! `move_task.rs` that of SQS, `ops/` is its operations, `store/` is all the SQL.

mod error;
mod in_flight;
mod lane;
mod message;
mod message_attribute;
mod move_task;
mod ops;
mod pending;
mod policy;
mod query_api;
mod queue;
mod queue_attributes;
mod queues;
mod receipt;
mod receiving;
mod sending;
mod store;
#[cfg(test)]
mod tests;
mod window;

pub use lane::{Job, Lane, NewJob, Then};
pub use message::OutgoingMessage;
pub use pending::Pending;
pub use queues::{Queues, SendError};
