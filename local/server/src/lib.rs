//! Opens the port and wires the rooms together.
//!
//! Not here: what any service does (its room), arguments and terminals (`cli`). This is the only crate that knows
//! every room; what one room needs of another it implements here (`wiring/`). Start at [`LocalCloud::start`].

mod apis;
mod cloud;
mod connections;
mod deliveries;
mod deployment;
mod faults;
mod http;
mod in_process;
mod introspection;
mod settings;
mod settle;
#[cfg(test)]
mod testing;
mod uploads;
mod urls;
mod wiring;

pub use cloud::{LocalCloud, StartError};
pub use faults::{CHAOS_IN_WORDS, chaos};
pub use function_host::{BuiltIn, GUARD_WORD, Launcher, guard_main, launcher_main};
#[doc(hidden)]
pub use in_process::InProcess;
pub use mail::Smtp;
pub use settings::{Settings, State};
pub use stack::{BUILT_IN_FUNCTIONS, Change, Elsewhere, LoadError, Loaded, Reading, Stack, StackSource, What};
pub use storage::Durability;
pub use template;
pub use world::{FaultPlan, Place};

/// A service with the operations that work, for `docs/operations.md` and `tandem operations`.
#[derive(Clone, Debug, serde::Serialize)]
pub struct ServiceOperations {
    /// The service's title.
    pub service: &'static str,
    /// Its name in signatures.
    pub signing: &'static str,
    /// By name.
    pub operations: Vec<&'static str>,
}
