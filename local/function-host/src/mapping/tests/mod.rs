//! Mappings over a queue, a stream and a function of the tests' own.

mod api;
pub(crate) mod fakes;
mod never_lost;
mod queues;
mod streams;
