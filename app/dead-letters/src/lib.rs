//! Dead letters: events that reached nobody.
//!
//! There are two kinds, and they end up in two queues. A *rule's* letter is one that `EventBridge` could not hand to
//! the target: permission, throttling, a function that is gone. A *function's* letter is one that was handed over and
//! failed in the handler until Lambda gave up. Their envelopes differ; [`Letter::read`] understands both, and the
//! function's two dialects (a destination's record and the older dead-letter queue's bare event).
//!
//! [`Queue`] lists letters without taking them away. [`redrive`] gives each to the one target that it was meant for:
//! published on the bus again, it would reach everybody else a second time. SQS's own redrive does not do: it takes
//! queues alone for sources.

mod error;
mod letter;
mod queue;
mod redrive;

pub use error::Error;
pub use letter::{Kind, Letter, Summary, Why};
pub use queue::{Queue, Received};
pub use redrive::{Redriven, Target, redrive};
