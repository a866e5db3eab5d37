//! Amazon CloudWatch Logs: groups, streams, events, and searching them with filter patterns.
//!
//! Events come in three ways: by `PutLogEvents`, from services that have whole events ([`Logs::put`]), and line by
//! line from what functions print ([`Logs::print`]). Printing costs its caller a push into a bounded buffer and
//! nothing more; one task ([`Logs::run`]) stores what is there. What does not fit is counted and said in the stream.
//!
//! A group holds so much and no more ([`GROUP_BYTES_MAX`], [`GROUP_EVENTS_MAX`]): then the oldest events go. So does
//! what is older than a group's retention, on the injected clock.
//!
//! Not here: metric filters, subscription filters, Insights queries, exports, deliveries. Their operations answer
//! `UnknownOperationException`. Start at [`Logs`].

mod arn;
mod constraint;
mod error;
mod inlet;
mod ops;
mod page;
mod pattern;
mod position;
mod room;
mod store;
mod tags;
#[cfg(test)]
mod testing;

pub use room::{Logs, PutError};
pub use store::{GROUP_BYTES_MAX, GROUP_EVENTS_MAX, STREAMS_PER_GROUP_MAX};
