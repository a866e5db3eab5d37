//! A sandbox: one process of a function, from its start to its end.
//!
//! Its phases are one `enum` behind one lock. The Runtime API moves it forward (`runtime_api.rs`), invocations
//! give it work, and the task in [`live`] owns the process: it alone waits for it and kills it.

use std::io;
use std::process::ExitStatus;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::HeaderValue;
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::net::TcpListener;
use tokio::process::{Child, Command};
use tokio::sync::{Notify, oneshot};
use tokio::task::JoinSet;
use tokio::time::{Instant, interval, sleep, timeout};

use crate::logs::Logs;
use crate::pool::{Plan, Pool};
use crate::runtime::Program;
use crate::runtime_api;

/// How long a process may take to end by itself after it reported that it cannot start.
const LAST_WORDS: Duration = Duration::from_millis(200);
/// How long we go on listening to a process that has ended: its last request may still be in the socket.
const LAST_REQUESTS: Duration = Duration::from_millis(200);
/// Long enough to hear from the kernel of a connection that was made.
const LAST_CONNECTION: Duration = Duration::from_millis(1);
/// A file that was written a moment ago is busy while another child, forked in that moment, has not yet let go
/// of what it inherited.
const BUSY_WAIT: Duration = Duration::from_millis(5);
const BUSY_ATTEMPTS_MAX: u32 = 10;
/// How often a sandbox asks itself whether it is still needed.
const IDLE_CHECK: Duration = Duration::from_mins(1);

/// One process of a function.
pub(crate) struct Sandbox {
    pub(crate) plan: Arc<Plan>,
    /// It lives as long as its sandboxes do, also when the function has changed or gone.
    pub(crate) pool: Arc<Pool>,
    pub(crate) logs: Logs,
    /// The process, and the group of all its children.
    pid: u32,
    began: Instant,
    /// It is the second attempt to come up, within the time of an invocation.
    rerun: bool,
    state: Mutex<State>,
    /// There is work for a `next` that waits.
    pub(crate) work: Notify,
    stop: Notify,
}

struct State {
    phase: Phase,
    came_up: bool,
    /// Until the first invocation has reported it.
    init: Option<Duration>,
    idle_since: Instant,
    has_extension: bool,
}

/// Where it stands.
enum Phase {
    /// It has not asked for work yet.
    Initialising,
    /// It asks for work and there is none.
    Idle,
    /// There is work for it, which it has not fetched.
    Assigned(Work),
    Running(Work),
    /// It has answered and not yet asked for more.
    Answered,
    /// Somebody has told already why it ends or ended.
    Ended(Ending),
}

/// Why a sandbox was ended by us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// It said itself that it cannot start.
    InitError,
    /// It took too long, or nobody needs it any more.
    Stopped,
}

/// One invocation, as a sandbox is given it.
pub(crate) struct Work {
    pub(crate) event: Arc<Event>,
    reply: oneshot::Sender<Outcome>,
}

/// What the function sees.
pub(crate) struct Event {
    pub(crate) request_id: String,
    pub(crate) payload: Bytes,
    pub(crate) deadline_ms: i64,
    pub(crate) trace: String,
    pub(crate) client_context: Option<HeaderValue>,
}

/// How a sandbox dealt with its work.
#[derive(Debug)]
pub(crate) enum Outcome {
    Response(Bytes),
    /// The payload that the runtime posted.
    Error(Bytes),
    ResponseTooLarge,
    /// The process ended; the text is what follows `RequestId: … Error: `.
    Exited(String),
    /// The process ended before it fetched the work.
    NotTaken,
}

/// Why a sandbox did not come up.
#[derive(Clone, Debug)]
pub(crate) enum InitFailure {
    /// There is nothing to run.
    InvalidEntrypoint(String),
    /// It said so itself; the payload is its own.
    Reported(Bytes),
    Exited(String),
    TimedOut,
    /// The host shuts down.
    Closed,
}

/// What the Runtime API answers a call that comes at the wrong time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    InvalidRequestId,
    /// The state in which it came.
    InvalidStateTransition(&'static str),
}

/// What a call of `next` gets for the moment.
pub(crate) enum Next {
    Event(Arc<Event>),
    Wait,
    /// Nothing, ever.
    Ended,
}

impl Work {
    pub(crate) fn new(event: Arc<Event>) -> (Self, oneshot::Receiver<Outcome>) {
        let (reply, outcome) = oneshot::channel();
        (Self { event, reply }, outcome)
    }
}

impl Sandbox {
    /// Starts a process. It has `init_time_max` to ask for work; what becomes of it, `pool` is told.
    pub(crate) async fn start(
        plan: &Arc<Plan>,
        pool: Arc<Pool>,
        init_time_max: Duration,
        rerun: bool,
    ) -> Result<Arc<Self>, InitFailure> {
        let program = plan.program().map_err(|error| InitFailure::InvalidEntrypoint(error.0))?;
        let cannot = |error: io::Error| {
            let shown = program.path.display();
            InitFailure::InvalidEntrypoint(format!("fork/exec {shown}: {}", lower_case(&error)))
        };
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.map_err(cannot)?;
        let address = listener.local_addr().map_err(cannot)?.to_string();
        let began = Instant::now();
        let (child, output) = spawn(plan, &program, &address).await.map_err(cannot)?;
        let sandbox = Arc::new(Self {
            plan: Arc::clone(plan),
            pool,
            logs: Logs::new(plan.function.clone(), output).map_err(cannot)?,
            pid: child.id().unwrap_or_default(),
            began,
            rerun,
            state: Mutex::new(State {
                phase: Phase::Initialising,
                came_up: false,
                init: None,
                idle_since: began,
                has_extension: false,
            }),
            work: Notify::new(),
            stop: Notify::new(),
        });
        tokio::spawn(live(Arc::clone(&sandbox), child, listener, init_time_max));
        Ok(sandbox)
    }

    /// Gives it work. The work comes back if the sandbox has ended in the meantime.
    pub(crate) fn assign(&self, work: Work) -> Result<(), Work> {
        let mut state = self.state.lock().expect("no holder panics");
        if !matches!(state.phase, Phase::Idle) {
            return Err(work);
        }
        state.phase = Phase::Assigned(work);
        drop(state);
        self.work.notify_one();
        Ok(())
    }

    /// The runtime asks for work. Asking again while it has some gives it the same event again, as on AWS.
    pub(crate) fn next(self: &Arc<Self>) -> Next {
        let mut state = self.state.lock().expect("no holder panics");
        let first = !state.came_up;
        match std::mem::replace(&mut state.phase, Phase::Idle) {
            Phase::Initialising | Phase::Answered => {
                state.idle_since = Instant::now();
                if first {
                    state.came_up = true;
                    state.init = Some(state.idle_since - self.began);
                }
                drop(state);
                self.pool.ready(self, first);
                Next::Wait
            }
            Phase::Idle => Next::Wait,
            Phase::Assigned(work) | Phase::Running(work) => {
                let event = Arc::clone(&work.event);
                state.phase = Phase::Running(work);
                Next::Event(event)
            }
            Phase::Ended(ending) => {
                state.phase = Phase::Ended(ending);
                Next::Ended
            }
        }
    }

    /// The runtime answers `request_id`; `to` is the state it would go to.
    pub(crate) fn complete(&self, request_id: &str, outcome: Outcome) -> Result<(), Refusal> {
        let mut state = self.state.lock().expect("no holder panics");
        match &state.phase {
            Phase::Running(work) if work.event.request_id == request_id => {}
            Phase::Running(_) => return Err(Refusal::InvalidRequestId),
            phase => return Err(Refusal::InvalidStateTransition(phase.name())),
        }
        if let Phase::Running(work) = std::mem::replace(&mut state.phase, Phase::Answered) {
            drop(state);
            let _ = work.reply.send(outcome); // its caller gave up in this very moment
        }
        Ok(())
    }

    /// The runtime says that it cannot start.
    pub(crate) fn init_error(self: &Arc<Self>, payload: Bytes) -> Result<(), Refusal> {
        let mut state = self.state.lock().expect("no holder panics");
        if !matches!(state.phase, Phase::Initialising) {
            return Err(Refusal::InvalidStateTransition(state.phase.name()));
        }
        state.phase = Phase::Ended(Ending::InitError);
        drop(state);
        self.stop.notify_one();
        self.tell_failure(InitFailure::Reported(payload));
        Ok(())
    }

    /// Ends it: it has run out of time, or nobody needs it any more. An invocation that runs in it is told that
    /// the process exited, unless whoever waits for it has gone already.
    pub(crate) fn end(&self) {
        let mut state = self.state.lock().expect("no holder panics");
        let before = std::mem::replace(&mut state.phase, Phase::Ended(Ending::Stopped));
        drop(state);
        self.stop.notify_one();
        before.tell("Runtime exited with error: signal: killed");
    }

    /// An extension has registered, so it wants to be told before the end.
    pub(crate) fn extension_registered(&self) {
        self.state.lock().expect("no holder panics").has_extension = true;
    }

    /// How long it took to come up; once.
    pub(crate) fn take_init(&self) -> Option<Duration> {
        self.state.lock().expect("no holder panics").init.take()
    }

    /// The largest resident size so far, where the system tells.
    pub(crate) fn memory_used_mb(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid)).unwrap_or_default();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB"));
        peak.and_then(|kilobytes| kilobytes.trim().parse::<u64>().ok()).map_or(0, |kilobytes| kilobytes.div_ceil(1024))
    }

    /// The time to come up is over: true if it was still needed.
    fn init_timed_out(self: &Arc<Self>) -> bool {
        let mut state = self.state.lock().expect("no holder panics");
        if !matches!(state.phase, Phase::Initialising) {
            return false;
        }
        state.phase = Phase::Ended(Ending::Stopped);
        drop(state);
        if self.rerun {
            self.tell_failure(InitFailure::TimedOut);
        } else {
            // As AWS does: once more, within the time of the invocation that waits for it.
            self.pool.start_again();
        }
        true
    }

    /// Nobody has used it for long: a burst must not leave its sandboxes for ever.
    fn end_if_idle(&self) {
        let state = self.state.lock().expect("no holder panics");
        let idle =
            matches!(state.phase, Phase::Idle) && state.idle_since.elapsed() >= self.plan.surroundings.limits.idle_time;
        drop(state);
        if idle && self.pool.let_go(self) {
            self.end();
        }
    }

    fn tell_failure(&self, failure: InitFailure) {
        self.pool.failed(failure, self.logs.tail());
    }

    fn ending(&self) -> (bool, bool) {
        let state = self.state.lock().expect("no holder panics");
        (matches!(state.phase, Phase::Ended(Ending::InitError)), state.has_extension)
    }

    /// The process is no more.
    fn ended(&self, reason: &str) {
        let mut state = self.state.lock().expect("no holder panics");
        let before = std::mem::replace(&mut state.phase, Phase::Ended(Ending::Stopped));
        drop(state);
        if matches!(before, Phase::Initialising) {
            self.tell_failure(InitFailure::Exited(reason.to_owned()));
        }
        before.tell(reason);
        self.pool.gone(self);
    }
}

impl Phase {
    /// As the Runtime API names it in its errors.
    fn name(&self) -> &'static str {
        match self {
            Self::Initialising => "Started",
            Self::Idle | Self::Assigned(_) => "Ready",
            Self::Running(_) => "Running",
            Self::Answered => "ResponseSent",
            Self::Ended(Ending::InitError) => "InitError",
            Self::Ended(Ending::Stopped) => "Exited",
        }
    }

    /// Tells whoever waits for this phase's work that there will be no answer.
    fn tell(self, reason: &str) {
        match self {
            Self::Assigned(work) => drop(work.reply.send(Outcome::NotTaken)),
            Self::Running(work) => drop(work.reply.send(Outcome::Exited(reason.to_owned()))),
            Self::Initialising | Self::Idle | Self::Answered | Self::Ended(_) => {}
        }
    }
}

/// Starts the process and gives what it prints.
async fn spawn(plan: &Plan, program: &Program, runtime_api: &str) -> io::Result<(Child, io::PipeReader)> {
    let mut attempts = 0;
    loop {
        let (reader, writer) = io::pipe()?;
        let mut command = match &plan.surroundings.launcher {
            None => Command::new(&program.path),
            Some(launcher) => {
                let mut command = Command::new(&launcher.program);
                command.args(&launcher.args).arg(std::process::id().to_string()).arg(&program.path);
                command
            }
        };
        command.args(&program.args).current_dir(&program.task_root).env_clear();
        command.envs(plan.environment(&program.task_root, runtime_api));
        command.stderr(writer.try_clone()?).stdout(writer);
        attempts += 1;
        match plan.surroundings.spawner.spawn(command).await {
            Err(error) if error.kind() == io::ErrorKind::ExecutableFileBusy && attempts < BUSY_ATTEMPTS_MAX => {
                sleep(BUSY_WAIT).await;
            }
            result => return result.map(|child| (child, reader)),
        }
    }
}

/// The sandbox's own task: its port, its output, its process.
async fn live(sandbox: Arc<Sandbox>, mut child: Child, listener: TcpListener, init_time_max: Duration) {
    let _counted = sandbox.plan.surroundings.count_sandbox();
    let mut connections = JoinSet::new();
    let mut printing = true;
    let mut coming_up = true;
    let init_over = sleep(init_time_max);
    tokio::pin!(init_over);
    let mut idle_check = interval(IDLE_CHECK);
    let status = loop {
        tokio::select! {
            accepted = listener.accept() => if let Ok((stream, _)) = accepted {
                connections.spawn(runtime_api::serve(Arc::clone(&sandbox), stream));
            },
            Some(_) = connections.join_next() => {}
            status = child.wait() => break status.ok(),
            () = sandbox.stop.notified() => break None,
            () = sandbox.logs.follow(), if printing => printing = false,
            () = &mut init_over, if coming_up => {
                coming_up = false;
                if sandbox.init_timed_out() {
                    break None;
                }
            }
            _ = idle_check.tick() => sandbox.end_if_idle(),
        }
    };
    let status = match status {
        Some(status) => {
            hear_out(&sandbox, &listener, &mut connections).await;
            Some(status)
        }
        None => stop(&sandbox, &mut child).await,
    };
    // Its children may live on and hold its files and ports. The group's id is taken as long as they do.
    signal_group(sandbox.pid, Signal::KILL);
    sandbox.logs.catch_up();
    sandbox.ended(&exit_reason(status));
}

/// Takes the last requests of a process that has ended: an answer it gave before counts.
async fn hear_out(sandbox: &Arc<Sandbox>, listener: &TcpListener, connections: &mut JoinSet<()>) {
    while let Ok(Ok((stream, _))) = timeout(LAST_CONNECTION, listener.accept()).await {
        connections.spawn(runtime_api::serve(Arc::clone(sandbox), stream));
    }
    let all = async { while connections.join_next().await.is_some() {} };
    let _ = timeout(LAST_REQUESTS, all).await;
}

async fn stop(sandbox: &Sandbox, child: &mut Child) -> Option<ExitStatus> {
    let (ends_itself, has_extension) = sandbox.ending();
    let grace = if ends_itself {
        LAST_WORDS
    } else if has_extension {
        signal_group(sandbox.pid, Signal::TERM);
        sandbox.plan.surroundings.limits.shutdown_time
    } else {
        Duration::ZERO
    };
    if !grace.is_zero()
        && let Ok(status) = timeout(grace, child.wait()).await
    {
        return status.ok();
    }
    signal_group(sandbox.pid, Signal::KILL);
    child.wait().await.ok()
}

fn signal_group(pid: u32, signal: Signal) {
    if let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) {
        let _ = kill_process_group(pid, signal); // there may be nobody left
    }
}

/// As Lambda words it: `Runtime exited with error: exit status 127`.
fn exit_reason(status: Option<ExitStatus>) -> String {
    use std::os::unix::process::ExitStatusExt;
    let Some(status) = status else { return "Runtime exited without providing a reason".into() };
    match (status.code(), status.signal()) {
        (Some(0), _) | (None, None) => "Runtime exited without providing a reason".into(),
        (Some(code), _) => format!("Runtime exited with error: exit status {code}"),
        (None, Some(signal)) => {
            let name = match signal {
                4 => "illegal instruction",
                6 => "aborted",
                8 => "floating point exception",
                9 => "killed",
                11 => "segmentation fault",
                13 => "broken pipe",
                15 => "terminated",
                _ => return format!("Runtime exited with error: signal {signal}"),
            };
            let core = if status.core_dumped() { " (core dumped)" } else { "" };
            format!("Runtime exited with error: signal: {name}{core}")
        }
    }
}

/// `No such file or directory (os error 2)` as Lambda's Go says it: `no such file or directory`.
fn lower_case(error: &io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or(&text).to_lowercase()
}
