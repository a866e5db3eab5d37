//! The sandboxes of one function as it is deployed: who works, who is idle, who waits.
//!
//! The sandbox used last is used first, so few stay warm. An invocation that finds none idle waits a moment for
//! a warm one (starting a process costs more than most invocations), then another is started, up to a limit;
//! beyond it invocations wait in the order in which they came.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

use http::HeaderValue;
use tokio::sync::oneshot;
use tokio::time::timeout;

use crate::code;
use crate::function::Configuration;
use crate::name::LATEST;
use crate::runtime::{InvalidEntrypoint, Program};
use crate::sandbox::{InitFailure, Sandbox};
use crate::surroundings::{BuiltIn, Surroundings};

/// What the sandboxes of a pool run.
pub(crate) struct Plan {
    pub(crate) function: String,
    pub(crate) arn: HeaderValue,
    pub(crate) settings: Configuration,
    pub(crate) code: Runnable,
    pub(crate) surroundings: Arc<Surroundings>,
}

/// Where the code lies.
pub(crate) enum Runnable {
    /// An executable or a directory.
    Path(PathBuf),
    /// A command line of the server's.
    BuiltIn(BuiltIn),
    /// It was built in when the function was made and no longer is.
    Missing(String),
}

/// The sandboxes.
pub(crate) struct Pool {
    pub(crate) plan: Arc<Plan>,
    state: Mutex<State>,
    this: Weak<Pool>,
}

#[derive(Default)]
struct State {
    /// The one used last is the last.
    idle: Vec<Arc<Sandbox>>,
    /// All processes, also those that are coming up.
    all: Vec<Weak<Sandbox>>,
    /// Processes that are there or about to be, and those of them that have not asked for work yet.
    live: usize,
    starting: usize,
    waiting: VecDeque<oneshot::Sender<Result<Lease, NotStarted>>>,
    retirement: Option<Retirement>,
}

/// The function has changed or gone: no sandbox is kept any longer than it is needed.
#[derive(Default)]
struct Retirement {
    /// Unpacked code to remove at the end.
    remove: Option<PathBuf>,
    /// Nobody gets a sandbox any more.
    closed: bool,
}

/// No sandbox came up.
#[derive(Debug)]
pub(crate) struct NotStarted {
    pub(crate) failure: InitFailure,
    /// What it printed.
    pub(crate) log_tail: String,
}

/// An idle sandbox that somebody may use; it goes back if they do not.
pub(crate) struct Lease(Option<Arc<Sandbox>>);

impl Lease {
    /// The sandbox, for good: it comes back by asking for work.
    pub(crate) fn take(mut self) -> Option<Arc<Sandbox>> {
        self.0.take()
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let Some(sandbox) = self.0.take() {
            sandbox.pool.ready(&sandbox, false);
        }
    }
}

impl Pool {
    pub(crate) fn new(plan: Plan) -> Arc<Self> {
        Arc::new_cyclic(|this| Self { plan: Arc::new(plan), state: Mutex::default(), this: Weak::clone(this) })
    }

    /// An idle sandbox, now or when there is one.
    pub(crate) async fn acquire(&self) -> Result<Lease, NotStarted> {
        let (mut granted, warm) = {
            let mut state = self.state.lock().expect("no holder panics");
            if state.is_closed() {
                return Err(NotStarted::closed());
            }
            if state.waiting.is_empty()
                && let Some(sandbox) = state.idle.pop()
            {
                return Ok(Lease(Some(sandbox)));
            }
            let (sender, granted) = oneshot::channel();
            state.waiting.push_back(sender);
            (granted, state.live > 0)
        };
        if warm && let Ok(granted) = timeout(self.plan.surroundings.limits.warm_wait, &mut granted).await {
            return granted.unwrap_or_else(|_| Err(NotStarted::closed()));
        }
        self.start_if_short();
        granted.await.unwrap_or_else(|_| Err(NotStarted::closed()))
    }

    /// A sandbox asks for work (`first`: it has just come up), or nobody used it after all.
    pub(crate) fn ready(&self, sandbox: &Arc<Sandbox>, first: bool) {
        let mut state = self.state.lock().expect("no holder panics");
        if first {
            state.starting = state.starting.saturating_sub(1);
        }
        let mut lease = Lease(Some(Arc::clone(sandbox)));
        while let Some(waiting) = state.waiting.pop_front() {
            // Those who went away meanwhile do not count.
            let Err(Ok(returned)) = waiting.send(Ok(lease)) else { return };
            lease = returned;
        }
        let Some(sandbox) = lease.take() else { return };
        if state.retirement.is_some() {
            drop(state);
            sandbox.end();
        } else {
            state.idle.push(sandbox);
        }
    }

    /// A sandbox did not come up: the one who has waited longest is told.
    pub(crate) fn failed(&self, failure: InitFailure, log_tail: String) {
        let mut state = self.state.lock().expect("no holder panics");
        state.starting = state.starting.saturating_sub(1);
        let mut result = Err(NotStarted { failure, log_tail });
        while let Some(waiting) = state.waiting.pop_front() {
            let Err(returned) = waiting.send(result) else { return };
            result = returned;
        }
    }

    /// A sandbox took too long to come up: another, with all the time that an invocation has. The first one
    /// still counts until it is gone.
    pub(crate) fn start_again(&self) {
        self.state.lock().expect("no holder panics").live += 1;
        self.start(Duration::from_secs(self.plan.settings.timeout_s.into()), true);
    }

    /// A sandbox's process is no more.
    pub(crate) fn gone(&self, sandbox: &Sandbox) {
        let is_it = |other: &Sandbox| std::ptr::eq(other, sandbox);
        let mut state = self.state.lock().expect("no holder panics");
        state.live = state.live.saturating_sub(1);
        state.idle.retain(|other| !is_it(other));
        state.all.retain(|other| other.upgrade().is_some_and(|other| !is_it(&other)));
        drop(state);
        self.start_if_short();
        self.clean_up();
    }

    /// Takes an idle sandbox out, so that nobody is given it any more; false if somebody has been.
    pub(crate) fn let_go(&self, sandbox: &Sandbox) -> bool {
        let mut state = self.state.lock().expect("no holder panics");
        let before = state.idle.len();
        state.idle.retain(|other| !std::ptr::eq(&raw const **other, sandbox));
        state.idle.len() < before
    }

    /// The function has changed or gone. Who waits is still served; then `remove` is removed.
    pub(crate) fn retire(&self, remove: Option<PathBuf>) {
        let mut state = self.state.lock().expect("no holder panics");
        state.retirement = Some(Retirement { remove, closed: false });
        let idle = std::mem::take(&mut state.idle);
        drop(state);
        for sandbox in idle {
            sandbox.end();
        }
        self.clean_up();
    }

    /// Ends every sandbox, also those that work.
    pub(crate) fn close(&self) {
        let mut state = self.state.lock().expect("no holder panics");
        state.retirement.get_or_insert_default().closed = true;
        let all = std::mem::take(&mut state.all);
        let waiting = std::mem::take(&mut state.waiting);
        state.idle.clear();
        drop(state);
        drop(waiting); // whoever waits learns it from this
        for sandbox in all.iter().filter_map(Weak::upgrade) {
            sandbox.end();
        }
    }

    #[cfg(test)]
    pub(crate) fn idle_count(&self) -> usize {
        self.state.lock().expect("no holder panics").idle.len()
    }

    /// Starts a sandbox if more wait than are coming up.
    fn start_if_short(&self) {
        let max = self.plan.surroundings.limits.sandboxes_max;
        let mut state = self.state.lock().expect("no holder panics");
        if state.is_closed() || state.waiting.len() <= state.starting || state.live >= max {
            return;
        }
        state.live += 1;
        state.starting += 1;
        drop(state);
        self.start(self.plan.surroundings.limits.init_time, false);
    }

    fn start(&self, init_time_max: Duration, rerun: bool) {
        let Some(pool) = self.this.upgrade() else { return };
        tokio::spawn(async move {
            match Sandbox::start(&pool.plan, Arc::clone(&pool), init_time_max, rerun).await {
                Ok(sandbox) => pool.started(&sandbox),
                Err(failure) => {
                    pool.state.lock().expect("no holder panics").live -= 1;
                    pool.failed(failure, String::new());
                    pool.start_if_short();
                    pool.clean_up();
                }
            }
        });
    }

    fn started(&self, sandbox: &Arc<Sandbox>) {
        let mut state = self.state.lock().expect("no holder panics");
        if state.is_closed() {
            drop(state);
            return sandbox.end();
        }
        state.all.push(Arc::downgrade(sandbox));
    }

    /// Removes the code of a retired pool when its last process has ended.
    fn clean_up(&self) {
        let mut state = self.state.lock().expect("no holder panics");
        if state.live > 0 || !state.waiting.is_empty() {
            return;
        }
        let remove = state.retirement.as_mut().and_then(|retirement| retirement.remove.take());
        drop(state);
        if let Some(directory) = remove {
            tokio::task::spawn_blocking(move || code::remove(&directory));
        }
    }
}

impl State {
    fn is_closed(&self) -> bool {
        self.retirement.as_ref().is_some_and(|retirement| retirement.closed)
    }
}

impl NotStarted {
    fn closed() -> Self {
        Self { failure: InitFailure::Closed, log_tail: String::new() }
    }
}

impl Plan {
    /// The command line, if what it names is there.
    pub(crate) fn program(&self) -> Result<Program, InvalidEntrypoint> {
        match &self.code {
            Runnable::Path(path) => self.settings.runtime.program(path),
            Runnable::BuiltIn(BuiltIn { program, args }) => {
                let task_root = program.parent().unwrap_or(Path::new("/")).to_owned();
                Ok(Program { path: program.clone(), args: args.clone(), task_root })
            }
            Runnable::Missing(id) => {
                Err(InvalidEntrypoint(format!("this version of the server has no built-in function {id}")))
            }
        }
    }

    /// A sandbox's whole environment: what AWS sets by default, over it what the user set, over it what is
    /// reserved. Nothing of our own environment goes in: no profile, no real credentials.
    pub(crate) fn environment(&self, task_root: &Path, runtime_api: &str) -> BTreeMap<String, String> {
        let Surroundings { world, .. } = &*self.surroundings;
        let root = task_root.display().to_string();
        let mut all = BTreeMap::from(
            [
                ("PATH", "/usr/local/bin:/usr/bin:/bin:/opt/bin".to_owned()),
                ("LD_LIBRARY_PATH", format!("{root}:{root}/lib:/opt/lib")),
                ("LANG", "en_US.UTF-8".into()),
                ("TZ", ":UTC".into()),
                ("AWS_XRAY_CONTEXT_MISSING", "LOG_ERROR".into()),
                ("AWS_ENDPOINT_URL", self.surroundings.endpoint()),
            ]
            .map(|(name, value)| (name.to_owned(), value)),
        );
        all.retain(|_, value| !value.is_empty());
        all.extend(self.settings.environment.iter().flatten().map(|(name, value)| (name.clone(), value.clone())));
        let stream = format!("{}/[{LATEST}]{}", world.clock.now().format("%Y/%m/%d"), hex_32(world));
        let reserved = [
            ("_HANDLER", self.settings.handler.as_str()),
            ("_AWS_XRAY_DAEMON_ADDRESS", "127.0.0.1"),
            ("_AWS_XRAY_DAEMON_PORT", "2000"),
            ("AWS_XRAY_DAEMON_ADDRESS", "127.0.0.1:2000"),
            ("AWS_ACCESS_KEY_ID", "tandem"),
            ("AWS_SECRET_ACCESS_KEY", "tandem"),
            ("AWS_SESSION_TOKEN", "tandem"),
            ("AWS_REGION", &world.place.region),
            ("AWS_DEFAULT_REGION", &world.place.region),
            ("AWS_LAMBDA_FUNCTION_NAME", &self.function),
            ("AWS_LAMBDA_FUNCTION_VERSION", LATEST),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", &self.settings.memory_mb.to_string()),
            ("AWS_LAMBDA_LOG_GROUP_NAME", &self.settings.logging.group),
            ("AWS_LAMBDA_LOG_STREAM_NAME", &stream),
            ("AWS_LAMBDA_LOG_FORMAT", &self.settings.logging.format),
            ("AWS_LAMBDA_RUNTIME_API", runtime_api),
            ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand"),
            ("LAMBDA_TASK_ROOT", &root),
            ("LAMBDA_RUNTIME_DIR", "/var/runtime"),
        ];
        let of_runtime = self.settings.runtime.environment().iter().copied();
        let level = self.settings.logging.application_level.as_deref();
        let level = level.map(|level| ("AWS_LAMBDA_LOG_LEVEL", level));
        for (name, value) in reserved.into_iter().chain(of_runtime).chain(level) {
            all.insert(name.into(), value.into());
        }
        all
    }
}

fn hex_32(world: &world::World) -> String {
    world.random.letters(32, b"0123456789abcdef")
}
