//! What the server decides, and what all sandboxes share.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, RwLock};
use std::time::Duration;

use tokio::sync::watch;
use world::{Clock, World};

use crate::guard::Guard;
use crate::log_sink::Sink;
use crate::runtimes::Runtimes;
use crate::spawner::Spawner;

/// What the server decides.
#[derive(Clone, Debug)]
pub struct Settings {
    /// `AWS_ENDPOINT_URL` for functions; see [`crate::FunctionHost::set_endpoint`] if the port is chosen late.
    pub endpoint: String,
    /// The access key and secret that functions sign with.
    pub credentials: (String, String),
    /// Where uploaded code is unpacked; without it, a directory that goes with the host.
    pub state_dir: Option<PathBuf>,
    /// Where the packages go that Lambda's own runtimes bring along and functions do not; without it, beside the
    /// code. They are the same for everybody, so one directory may serve many servers.
    pub packages_dir: Option<PathBuf>,
    /// Processes of one function; further invocations wait.
    pub sandboxes_per_function_max: usize,
    /// The waits between attempts of an asynchronous invocation are divided by it.
    pub time_scale: f64,
    /// Functions that are part of the server, by the id that `S3Key` names.
    pub built_in: HashMap<String, BuiltIn>,
    /// What starts a sandbox's program so that it dies with us; without it, the program is started directly.
    pub launcher: Option<Launcher>,
}

/// A command line of the server's that speaks the Runtime API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BuiltIn {
    /// The executable.
    pub program: PathBuf,
    /// Its arguments.
    pub args: Vec<String>,
}

/// A command line that ends in [`crate::launcher_main`]. Run as `program args… PARENT_PID PROGRAM ARGS…`; and
/// as `program args… guard`, which is to call [`crate::guard_main`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Launcher {
    /// The executable: the server's own.
    pub program: PathBuf,
    /// What makes it a launcher: `["sandbox"]`.
    pub args: Vec<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            endpoint: String::new(),
            credentials: ("tandem".into(), "tandem".into()), // any will do where nobody checks
            state_dir: None,
            packages_dir: None,
            sandboxes_per_function_max: 10,
            time_scale: 1.0,
            built_in: HashMap::new(),
            launcher: None,
        }
    }
}

/// Times and numbers of sandboxes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) sandboxes_max: usize,
    /// To come up.
    pub(crate) init_time: Duration,
    /// That an invocation waits for a warm sandbox before another is started. More than most invocations take,
    /// less than most processes take to come up.
    pub(crate) warm_wait: Duration,
    /// Between SIGTERM and SIGKILL, with an extension.
    pub(crate) shutdown_time: Duration,
    /// After which an idle sandbox is ended.
    pub(crate) idle_time: Duration,
}

impl Limits {
    pub(crate) fn aws(sandboxes_max: usize) -> Self {
        Self {
            sandboxes_max: sandboxes_max.max(1),
            init_time: Duration::from_secs(10),
            warm_wait: Duration::from_millis(10),
            shutdown_time: Duration::from_millis(500),
            idle_time: Duration::from_mins(10),
        }
    }
}

/// What all sandboxes share.
pub(crate) struct Surroundings {
    pub(crate) world: World,
    /// Deadlines of processes: a function compares them with the system's clock, which nobody advances.
    pub(crate) system_clock: Clock,
    pub(crate) spawner: Spawner,
    pub(crate) runtimes: Runtimes,
    pub(crate) launcher: Option<Launcher>,
    pub(crate) guard: Guard,
    pub(crate) limits: Limits,
    pub(crate) credentials: (String, String),
    /// Set once it is there: the room that keeps logs may be opened later than this one.
    pub(crate) log_sink: Sink,
    endpoint: RwLock<String>,
    sandboxes: watch::Sender<usize>,
}

/// A running sandbox is counted until this is dropped.
pub(crate) struct Counted(Arc<Surroundings>);

impl Surroundings {
    pub(crate) fn new(
        world: World,
        spawner: Spawner,
        runtimes: Runtimes,
        limits: Limits,
        launcher: Option<Launcher>,
        credentials: (String, String),
        endpoint: String,
    ) -> Arc<Self> {
        let (system_clock, sandboxes) = (Clock::system(), watch::Sender::new(0));
        Arc::new(Self {
            world,
            system_clock,
            spawner,
            runtimes,
            launcher,
            guard: Guard::default(),
            limits,
            credentials,
            log_sink: Sink::default(),
            endpoint: RwLock::new(endpoint),
            sandboxes,
        })
    }

    pub(crate) fn endpoint(&self) -> String {
        self.endpoint.read().expect("no holder panics").clone()
    }

    pub(crate) fn set_endpoint(&self, endpoint: String) {
        *self.endpoint.write().expect("no holder panics") = endpoint;
    }

    /// How many there are, and will be.
    pub(crate) fn sandboxes(&self) -> watch::Receiver<usize> {
        self.sandboxes.subscribe()
    }

    pub(crate) fn count_sandbox(self: &Arc<Self>) -> Counted {
        self.sandboxes.send_modify(|count| *count += 1);
        Counted(Arc::clone(self))
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.sandboxes.send_modify(|count| *count -= 1);
    }
}
