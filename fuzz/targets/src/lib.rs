//! Everything that reads bytes from outside, each as a function from bytes.
//!
//! The fuzzers in `fuzz/fuzz_targets` call these with what they make up; the test `tests/seeds.rs` calls them at every
//! everyday run with the checked-in seeds and some hundred changes of each. All go through the operations that
//! everybody calls, over the real rooms in memory: there is no second way in that could differ.
//!
//! A target panics where something is wrong: a panic inside, an answer of 500 or none within
//! [`house::ANSWER_LIMIT`], a token that opens although it was changed, a file outside of its directory.
//! Start at [`TARGETS`].

mod bus;
mod files;
mod house;
mod pool;
mod service_file;
mod stack_file;
mod wire;

pub use bus::{event_pattern, input_transformer};
pub use files::{function_code, raw_mail};
pub use pool::{access_token, list_users_filter, srp};
pub use service_file::serverless;
pub use stack_file::template;
pub use wire::{arn, operation, query, request, signature};

/// A target: its name, which is also that of its seeds' folder, and what it does with bytes.
pub type Target = (&'static str, fn(&[u8]));

/// All of them.
pub const TARGETS: &[Target] = &[
    ("access_token", access_token),
    ("arn", arn),
    ("event_pattern", event_pattern),
    ("function_code", function_code),
    ("input_transformer", input_transformer),
    ("list_users_filter", list_users_filter),
    ("operation", operation),
    ("query", query),
    ("raw_mail", raw_mail),
    ("request", request),
    ("serverless", serverless),
    ("signature", signature),
    ("srp", srp),
    ("template", template),
];

/// The parts of an input that has several: they stand between lines of three hyphens.
fn parts<const N: usize>(bytes: &[u8]) -> [String; N] {
    let text = String::from_utf8_lossy(bytes);
    let mut parts = text.splitn(N, "\n---\n");
    std::array::from_fn(|_| parts.next().unwrap_or_default().to_owned())
}
