//! AWS Lambda: functions, their invocation, the Runtime API, sandboxes.
//!
//! A sandbox is a child process that asks for work at the real Lambda Runtime API, on a loopback port of its
//! own. So the executable that runs here is the executable that runs on AWS, and no Docker is needed.
//!
//! Not here: the durable queue under asynchronous invocations (the server's, through [`AsyncQueue`]), what lies
//! behind a destination (through [`Destinations`]) and the HTTP of function URLs (the server's, which calls
//! [`FunctionHost::call_url`]). A sandbox is no jail: a function may do whatever the user who started us may.
//!
//! Where to start: [`FunctionHost`]. A caller's words are looked up in `named.rs` (which version?). An invocation goes
//! through `invocation.rs` (may it run?), `pool.rs` (which sandbox?), `sandbox.rs` (its life), `process.rs` and
//! `runtime_api.rs` (what the function sees).
//!
//! # Where a function's code comes from
//!
//! | `Code` of `CreateFunction` | what runs |
//! |---|---|
//! | `ZipFile` | the archive, unpacked into the state directory |
//! | `S3Bucket: "local"` or `"hot-reload"`, `S3Key: "/absolute/path"` | the executable, the archive (`.zip`) or the directory of that path; what is no archive runs where it lies, and changes are noticed |
//! | `S3Bucket: "inline"`, `S3Key: "source text"` | that text as `index.js` or `index.py`: what `CloudFormation` calls `ZipFile` |
//! | `S3Bucket: "built-in"`, `S3Key: "id"` | a command line that the server gave in [`Settings::built_in`] |
//!
//! A directory has `bootstrap` in it, or a `Cargo.toml` that is built, or the source of Node.js and Python functions:
//! see `runtimes/`.

mod alias;
mod asynchronous;
mod code;
mod concurrency;
mod configuration;
mod cors;
mod error;
mod event_invoke;
mod function;
mod function_url;
mod guard;
mod host;
mod http_event;
mod invocation;
mod launcher;
mod layer;
mod log_sink;
mod logs;
mod mapping;
mod name;
mod named;
mod ops;
mod page;
mod patient;
mod plan;
mod policy;
mod pool;
mod process;
mod runtime;
mod runtime_api;
mod runtimes;
mod sandbox;
mod spawner;
mod store;
mod surroundings;
#[cfg(test)]
mod testing;
mod unstoppable;
mod watch;

pub use asynchronous::{AsyncQueue, Destinations, QueueError, Step};
pub use error::InvokeError;
pub use function_url::{URL_BODY_BYTES_MAX, UrlTarget, url_id};
pub use guard::{GUARD_WORD, guard_main};
pub use host::FunctionHost;
pub use http_event::{HttpAnswer, HttpRequest, answer_of, event_of};
pub use invocation::{Caller, Invocation, Invoked};
pub use launcher::launcher_main;
pub use log_sink::{LogSink, LogStream};
pub use mapping::{
    Filter, Filters, MessageAttribute, PendingWork, Position, QueueMessage, QueueState, SourceError, Sources,
    StreamRecords,
};
pub use surroundings::{BuiltIn, Launcher, Settings};
