//! A sandbox: one process of a function, from its start to its end.
//!
//! Its phases are one `enum` behind one lock. The Runtime API moves it forward (`runtime_api.rs`), invocations
//! give it work, and the task in `process.rs` owns the process: it alone waits for it and kills it.

use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::HeaderValue;
use tokio::net::TcpListener;
use tokio::sync::{Notify, oneshot};
use tokio::time::Instant;

use crate::logs::{Logs, Report};
use crate::plan::Plan;
use crate::pool::Pool;
use crate::process;

/// How often we ask the system how much memory a process has used: asking costs more than most invocations' share.
const MEMORY_LOOK: Duration = Duration::from_secs(1);

/// One process of a function.
pub(crate) struct Sandbox {
    pub(crate) plan: Arc<Plan>,
    /// It lives as long as its sandboxes do, also when the function has changed or gone.
    pub(crate) pool: Arc<Pool>,
    /// Of the code, as the pool counts them.
    pub(crate) build: u64,
    pub(crate) logs: Logs,
    /// The process, and the group of all its children.
    pub(crate) pid: u32,
    began: Instant,
    /// It is the second attempt to come up, within the time of an invocation.
    rerun: bool,
    state: Mutex<State>,
    /// What was found, and when.
    memory_used: Mutex<Option<(Instant, u64)>>,
    /// There is work for a `next` that waits.
    pub(crate) work: Notify,
    /// It shall end.
    pub(crate) stop: Notify,
}

struct State {
    phase: Phase,
    came_up: bool,
    /// How long that took, and the first invocation, which reports it.
    init: Option<(Duration, Option<String>)>,
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
    /// Whether its caller wants to see the log.
    wants_log: bool,
    reply: oneshot::Sender<Ended>,
}

/// How an invocation ended, with what it printed if that was taken in that moment.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) outcome: Outcome,
    /// Of an invocation whose caller wants it, or that failed. The sandbox may have begun with the next one before
    /// whoever waits for this one wakes up.
    pub(crate) log: Option<String>,
}

/// What the function sees.
pub(crate) struct Event {
    pub(crate) request_id: String,
    /// The function's, with the qualifier that it was invoked with.
    pub(crate) arn: HeaderValue,
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

impl Outcome {
    /// As the REPORT line has it, if it went wrong.
    pub(crate) fn status(&self) -> Option<&'static str> {
        match self {
            Self::Response(_) | Self::Error(_) => None,
            Self::ResponseTooLarge => Some("error\tError Type: Function.ResponseSizeTooLarge"),
            Self::Exited(_) => Some("error\tError Type: Runtime.ExitError"),
            Self::NotTaken => Some("timeout"),
        }
    }
}

impl Work {
    pub(crate) fn new(event: Arc<Event>, wants_log: bool) -> (Self, oneshot::Receiver<Ended>) {
        let (reply, ended) = oneshot::channel();
        (Self { event, wants_log, reply }, ended)
    }
}

impl From<Outcome> for Ended {
    fn from(outcome: Outcome) -> Self {
        Self { outcome, log: None }
    }
}

impl Sandbox {
    /// Starts a process. It has `init_time_max` to ask for work; what becomes of it, `pool` is told.
    pub(crate) async fn start(
        pool: Arc<Pool>,
        build: u64,
        init_time_max: Duration,
        rerun: bool,
    ) -> Result<Arc<Self>, InitFailure> {
        let plan = &Arc::clone(&pool.plan);
        let program = pool.program(build).await.map_err(|error| InitFailure::InvalidEntrypoint(error.0))?;
        let cannot = |error: io::Error| {
            let shown = program.path.display();
            InitFailure::InvalidEntrypoint(format!("fork/exec {shown}: {}", process::lower_case(&error)))
        };
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.map_err(cannot)?;
        let address = listener.local_addr().map_err(cannot)?.to_string();
        let began = Instant::now();
        let stream = plan.log_stream();
        let (child, output) = process::spawn(plan, &program, &address, &stream).await.map_err(cannot)?;
        let sandbox = Arc::new(Self {
            plan: Arc::clone(plan),
            pool,
            build,
            logs: Logs::new(plan.function.clone(), plan.version.clone(), output, plan.printer(stream))
                .map_err(cannot)?,
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
            memory_used: Mutex::default(),
            work: Notify::new(),
            stop: Notify::new(),
        });
        tokio::spawn(process::live(Arc::clone(&sandbox), child, listener, init_time_max));
        Ok(sandbox)
    }

    /// Gives it work. The work comes back if the sandbox has ended in the meantime.
    pub(crate) fn assign(&self, work: Work) -> Result<(), Work> {
        let mut state = self.state.lock().expect("no holder panics");
        if !matches!(state.phase, Phase::Idle) {
            return Err(work);
        }
        self.logs.open(&work.event.request_id); // before the function can print anything about it
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
                    state.init = Some((state.idle_since - self.began, None));
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

    /// The runtime answers `request_id`.
    pub(crate) fn complete(&self, request_id: &str, outcome: Outcome) -> Result<(), Refusal> {
        let mut state = self.state.lock().expect("no holder panics");
        match &state.phase {
            Phase::Running(work) if work.event.request_id == request_id => {}
            Phase::Running(_) => return Err(Refusal::InvalidRequestId),
            phase => return Err(Refusal::InvalidStateTransition(phase.name())),
        }
        if let Phase::Running(work) = std::mem::replace(&mut state.phase, Phase::Answered) {
            drop(state);
            // Here and not by who waits for it: the next invocation may begin before they wake up.
            self.close_log(request_id, None, outcome.status());
            let is_failure = !matches!(outcome, Outcome::Response(_));
            let log = (work.wants_log || is_failure).then(|| {
                self.logs.catch_up();
                self.logs.tail()
            });
            let _ = work.reply.send(Ended { outcome, log }); // its caller gave up in this very moment
        }
        Ok(())
    }

    /// Says in the log that an invocation has ended, unless that was said before.
    pub(crate) fn close_log(&self, request_id: &str, last_words: Option<&str>, status: Option<&str>) {
        self.logs.close(request_id, last_words, |duration| Report {
            request_id,
            duration,
            memory_mb: self.plan.settings.memory_mb,
            memory_used_mb: self.memory_used_mb(),
            init: self.init_of(request_id),
            status,
        });
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

    /// How long it took to come up: for the first invocation that asks, and no other.
    pub(crate) fn init_of(&self, request_id: &str) -> Option<Duration> {
        let mut state = self.state.lock().expect("no holder panics");
        let (init, first) = state.init.as_mut()?;
        (first.get_or_insert_with(|| request_id.to_owned()) == request_id).then_some(*init)
    }

    /// The largest resident size, as it was a moment ago at most; 0 where the system does not tell.
    pub(crate) fn memory_used_mb(&self) -> u64 {
        let mut looked = self.memory_used.lock().expect("no holder panics");
        if let Some((_, memory_mb)) = looked.filter(|(at, _)| at.elapsed() < MEMORY_LOOK) {
            return memory_mb;
        }
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid)).unwrap_or_default();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB"));
        let peak = peak.and_then(|kilobytes| kilobytes.trim().parse::<u64>().ok());
        // A process that has ended tells nothing any more.
        let before = looked.map_or(0, |(_, memory_mb)| memory_mb);
        let memory_mb = peak.map_or(before, |kilobytes| kilobytes.div_ceil(1024));
        *looked = Some((Instant::now(), memory_mb));
        memory_mb
    }

    /// The time to come up is over: true if it was still needed.
    pub(crate) fn init_timed_out(self: &Arc<Self>) -> bool {
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
    pub(crate) fn end_if_idle(&self) {
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

    pub(crate) fn ending(&self) -> (bool, bool) {
        let state = self.state.lock().expect("no holder panics");
        (matches!(state.phase, Phase::Ended(Ending::InitError)), state.has_extension)
    }

    /// The process is no more.
    pub(crate) fn ended(&self, reason: &str) {
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
            Self::Assigned(work) => drop(work.reply.send(Outcome::NotTaken.into())),
            Self::Running(work) => drop(work.reply.send(Outcome::Exited(reason.to_owned()).into())),
            Self::Initialising | Self::Idle | Self::Answered | Self::Ended(_) => {}
        }
    }
}
