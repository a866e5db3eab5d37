//! Amazon EventBridge (Classic): buses, rules, patterns, targets.
//!
//! An event comes in by `PutEvents` ([`ops`](self)), is matched with the rules of its bus by the pattern language
//! (`pattern`), and becomes one delivery for every target of every rule that matched (`routing`). The deliveries
//! are durable before `PutEvents` answers. Each is then attempted, by retry policy, until the target has it or a
//! dead-letter queue has it (`delivery`).
//!
//! What the room does by itself is in `background`: schedules fire (`timer`), replays go through archives (`replay`),
//! connections get their tokens (`oauth`). The server runs [`EventBus::run`].
//!
//! Not here: the queue that deliveries wait in, the functions, queues and log groups that they go to, and an HTTP
//! client. The room declares what it needs of them ([`Deliveries`], [`Targets`], [`HttpClient`]); the server implements
//! it and moves the jobs: [`EventBus::attempt`] decides what is delivered, where, and when again. Nor is there
//! EventBridge's second product of 2026 (`eventbridgev2`), nor partner event sources and global endpoints: their
//! operations answer `UnknownOperationException`. `docs/eventbridge.md` lists all 57.
//!
//! Start at [`EventBus`].

mod api_call;
mod api_destination;
mod archive;
mod background;
mod book;
mod connection;
mod constraint;
mod delivery;
#[cfg(test)]
mod docs;
mod document;
mod envelope;
mod error;
mod json;
mod json_path;
mod oauth;
mod ops;
mod page;
mod pattern;
mod ports;
mod record_filter;
mod replay;
mod room;
mod routing;
mod schedule;
mod service_event;
mod shelf;
mod store;
mod tags;
mod target;
#[cfg(test)]
mod testing;
mod timer;
mod transform;

pub use ports::{
    Deliveries, EnqueueError, HttpClient, HttpError, HttpRequest, HttpResponse, QueuedDelivery, Step, TargetFailure,
    Targets,
};
pub use record_filter::RecordFilter;
pub use room::EventBus;
pub use service_event::{EventError, ServiceEvent};
