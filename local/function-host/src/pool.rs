//! The sandboxes of one function as it is deployed: who works, who is idle, who waits.
//!
//! The sandbox used last is used first, so few stay warm. An invocation that finds none idle waits a moment for
//! a warm one (starting a process costs more than most invocations), then another is started, up to a limit;
//! beyond it invocations wait in the order in which they came.

#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::{OnceCell, oneshot};
use tokio::time::{Instant, timeout};

use crate::code;
use crate::plan::Plan;
use crate::runtime::{InvalidEntrypoint, Program};
use crate::sandbox::{InitFailure, Sandbox};
use crate::watch::{Identity, Looked, Watched};

/// The sandboxes.
pub(crate) struct Pool {
    pub(crate) plan: Arc<Plan>,
    watched: Watched,
    /// The command line of a build, made by whoever is the first to need it.
    prepared: Mutex<(u64, Arc<OnceCell<Program>>)>,
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
    build: Build,
    /// So many stay, also when they are idle for long.
    kept_warm: usize,
}

/// Which build of code on disk the sandboxes run.
#[derive(Default)]
struct Build {
    /// Sandboxes of another number are not used again.
    number: u64,
    identity: Option<Identity>,
    looked: Looked,
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
        let watched = plan.watched();
        let pool = Arc::new_cyclic(|this| Self {
            plan: Arc::new(plan),
            watched,
            prepared: Mutex::default(),
            state: Mutex::default(),
            this: Weak::clone(this),
        });
        pool.prepare_ahead();
        pool
    }

    /// An idle sandbox, now or when there is one.
    pub(crate) async fn acquire(&self) -> Result<Lease, NotStarted> {
        self.look_for_new_build().await;
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
        if sandbox.build != state.build.number {
            drop(state);
            return sandbox.end(); // `gone` starts another for whoever waits
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

    /// Keeps so many sandboxes (but no more than there may be) and starts those that are not there. One that ends
    /// is started again when it is needed.
    pub(crate) fn keep_warm(&self, count: usize) {
        let count = count.min(self.plan.surroundings.limits.sandboxes_max);
        let mut state = self.state.lock().expect("no holder panics");
        let before = std::mem::replace(&mut state.kept_warm, count);
        if count <= before || state.retirement.is_some() {
            return; // they have been started already
        }
        let missing = count.saturating_sub(state.live);
        state.live += missing;
        state.starting += missing;
        drop(state);
        for _ in 0..missing {
            self.start(self.plan.surroundings.limits.init_time, false);
        }
    }

    /// Takes an idle sandbox out, so that nobody is given it any more; false if somebody has been, or if it is kept.
    pub(crate) fn let_go(&self, sandbox: &Sandbox) -> bool {
        let mut state = self.state.lock().expect("no holder panics");
        if state.live <= state.kept_warm && state.retirement.is_none() {
            return false;
        }
        let before = state.idle.len();
        state.idle.retain(|other| !std::ptr::eq(&raw const **other, sandbox));
        state.idle.len() < before
    }

    /// The function has changed or gone. Who waits is still served; then `remove` is removed.
    pub(crate) fn retire(&self, remove: Option<PathBuf>) {
        let mut state = self.state.lock().expect("no holder panics");
        state.retirement.get_or_insert_default().remove = remove;
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

    /// The command line of a build. What cannot be prepared is tried again the next time.
    pub(crate) async fn program(&self, build: u64) -> Result<Program, InvalidEntrypoint> {
        let cell = {
            let mut prepared = self.prepared.lock().expect("no holder panics");
            if prepared.0 != build {
                *prepared = (build, Arc::default());
            }
            Arc::clone(&prepared.1)
        };
        cell.get_or_try_init(|| self.plan.prepare()).await.cloned()
    }

    /// Compilers and installers start when a function is made, and not when somebody waits for its answer.
    fn prepare_ahead(&self) {
        let (true, Ok(runtime)) = (self.plan.takes_preparation(), Handle::try_current()) else { return };
        let this = Weak::clone(&self.this);
        runtime.spawn(async move {
            let Some(pool) = this.upgrade() else { return };
            let _ = pool.prepare().await; // who invokes is told why it cannot be
        });
    }

    /// Waits until the code as it is now is compiled and its packages are installed; at once where there is nothing
    /// of the kind to do.
    pub(crate) async fn prepare(&self) -> Result<(), InvalidEntrypoint> {
        if !self.plan.takes_preparation() {
            return Ok(());
        }
        self.look_for_new_build().await;
        let build = self.state.lock().expect("no holder panics").build.number;
        self.program(build).await.map(drop)
    }

    /// Code that lies on disk may have been changed; then no sandbox of the old build is used again.
    async fn look_for_new_build(&self) {
        if self.watched == Watched::Nothing || !self.state.lock().expect("no holder panics").build.looked.is_due() {
            return;
        }
        let (watched, began) = (self.watched.clone(), Instant::now());
        let look = move || watched.identity();
        let identity = match &self.watched {
            Watched::Tree(_) => tokio::task::spawn_blocking(look).await.unwrap_or_default(),
            _ => look(),
        };
        let mut state = self.state.lock().expect("no holder panics");
        state.build.looked.took(began.elapsed());
        if identity.is_none() || identity == state.build.identity {
            return; // in the middle of a build there may be no file at all
        }
        if state.build.identity.is_some() {
            state.build.number += 1;
            for sandbox in state.idle.drain(..) {
                sandbox.end();
            }
        }
        state.build.identity = identity;
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

    /// The host shuts down: what still runs is ended by us.
    pub(crate) fn is_closed(&self) -> bool {
        self.state.lock().expect("no holder panics").is_closed()
    }

    fn start(&self, init_time_max: Duration, rerun: bool) {
        let Some(pool) = self.this.upgrade() else { return };
        let build = self.state.lock().expect("no holder panics").build.number;
        tokio::spawn(async move {
            match Sandbox::start(Arc::clone(&pool), build, init_time_max, rerun).await {
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
