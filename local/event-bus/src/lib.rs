//! Amazon EventBridge (Classic): buses, rules, patterns, targets.
//!
//! An event comes in by `PutEvents` ([`ops`](self)), is matched with the rules of its bus by the pattern language
//! (`pattern`), and becomes one delivery for every target of every rule that matched (`routing`). The deliveries
//! are durable before `PutEvents` answers. Each is then attempted, by retry policy, until the target has it or a
//! dead-letter queue has it (`delivery`).
//!
//! Not here: the queue that deliveries wait in, and the functions and queues that they go to. The room declares
//! what it needs of them ([`Deliveries`], [`Targets`]); the server implements it and moves the jobs:
//! [`EventBus::attempt`] decides what is delivered, where, and when again. Nor is there EventBridge's second
//! product of 2026 (`eventbridgev2`), nor archives, replays, connections, API destinations, partner sources and
//! schedules yet: their operations answer `UnknownOperationException`, and a rule with a schedule is refused.
//!
//! Start at [`EventBus`].

mod book;
mod constraint;
mod delivery;
mod envelope;
mod error;
mod json;
mod json_path;
mod ops;
mod page;
mod pattern;
mod ports;
mod room;
mod routing;
mod schedule;
mod shelf;
mod store;
mod tags;
mod target;
#[cfg(test)]
mod testing;
mod transform;

pub use ports::{Deliveries, EnqueueError, QueuedDelivery, Step, TargetFailure, Targets};
pub use room::EventBus;
