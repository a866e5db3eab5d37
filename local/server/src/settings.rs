//! What a local cloud is started with.

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use function_host::{BuiltIn, Launcher};
use mail::Smtp;
use stack::StackSource;
use storage::Durability;
use world::{FaultPlan, Place};

/// What a local cloud is started with; `cli` makes it of arguments.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where to listen; port 0 picks one.
    pub address: SocketAddr,
    /// Whether an address beyond loopback is meant: signatures are checked then.
    pub allow_remote: bool,
    /// Where data lives.
    pub state: State,
    /// What a stored change survives.
    pub durability: Durability,
    /// The account and region that we pretend to be.
    pub place: Place,
    /// Waits between retries are divided by this.
    pub time_scale: f64,
    /// What shall go wrong from the start.
    pub faults: FaultPlan,
    /// Values of Parameter Store that are there before the stack is made, by name.
    pub parameters: BTreeMap<String, String>,
    /// The stack that is served; without one, the built-in one.
    pub stack: Option<Arc<dyn StackSource>>,
    /// What a stack imports that no stack here exports, by name.
    pub imports: BTreeMap<String, String>,
    /// Where mail goes beside the mailbox.
    pub smtp: Option<Smtp>,
    /// The functions that the binary itself contains, by code id.
    pub built_in: HashMap<String, BuiltIn>,
    /// Where packages go that Lambda's own runtimes bring along; without it, into the state.
    pub packages_dir: Option<PathBuf>,
    /// What starts a function's process so that it dies with this one.
    pub launcher: Option<Launcher>,
}

/// Where data lives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// In this directory.
    Directory(PathBuf),
    /// In memory, gone with the process.
    Memory,
}
