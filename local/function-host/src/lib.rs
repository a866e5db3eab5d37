//! AWS Lambda: functions, their invocation, the Runtime API, sandboxes.
//!
//! A sandbox is a child process that asks for work at the real Lambda Runtime API, on a loopback port of its
//! own. So the executable that runs here is the executable that runs on AWS, and no Docker is needed.
//!
//! Not here: published versions, aliases, layers, function URLs and event source mappings; the durable queue
//! under asynchronous invocations (the server's, through [`AsyncQueue`]) and what lies behind a destination
//! (through [`Destinations`]). A sandbox is no jail: a function may do whatever the user who started us may.
//!
//! Where to start: [`FunctionHost`]. An invocation goes through `invocation.rs` (may it run?), `pool.rs`
//! (which sandbox?), `sandbox.rs` (its life), `process.rs` and `runtime_api.rs` (what the function sees).
//!
//! # Where a function's code comes from
//!
//! | `Code` of `CreateFunction` | what runs |
//! |---|---|
//! | `ZipFile` | `bootstrap` in the archive, unpacked into the state directory |
//! | `S3Bucket: "local"` or `"hot-reload"`, `S3Key: "/absolute/path"` | that executable, or `bootstrap` in that directory, where it lies; a new build is noticed |
//! | `S3Bucket: "built-in"`, `S3Key: "id"` | a command line that the server gave in [`Settings::built_in`] |

mod asynchronous;
mod code;
mod concurrency;
mod configuration;
mod error;
mod event_invoke;
mod function;
mod host;
mod invocation;
mod launcher;
mod logs;
mod name;
mod ops;
mod patient;
mod plan;
mod policy;
mod pool;
mod process;
mod runtime;
mod runtime_api;
mod sandbox;
mod spawner;
mod store;
mod surroundings;
#[cfg(test)]
mod testing;
mod unstoppable;

pub use asynchronous::{AsyncQueue, Destinations, QueueError, Step};
pub use error::InvokeError;
pub use host::FunctionHost;
pub use invocation::{Caller, Invocation, Invoked};
pub use launcher::launcher_main;
pub use surroundings::{BuiltIn, Launcher, Settings};
