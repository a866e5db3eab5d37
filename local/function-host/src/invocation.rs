//! One invocation: may it run, where does it run, what came of it.

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use http::HeaderValue;
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, timeout};
use world::{Fail, FunctionFault, Kind, Outcome as Went, TraceId};

use crate::concurrency::Permit;
use crate::error::{Error, InvokeError};
use crate::host::{Deployment, FunctionHost};
use crate::logs::Report;
use crate::named::Named;
use crate::pool::{NotStarted, Pool};
use crate::runtime_api::RESPONSE_BYTES_MAX;
use crate::sandbox::{Ended, Event, InitFailure, Outcome, Sandbox, Work};
use crate::unstoppable::Unstoppable;

/// How often an event may meet a sandbox that ends before it has fetched it. An idle process that is killed
/// does it once; more means that something kills them all.
const ASSIGNMENTS_MAX: usize = 5;
/// Of an error's message, as the timeline keeps it.
const DETAIL_CHARS_MAX: usize = 300;

/// What to run, and for whom.
#[derive(Clone, Debug)]
pub struct Invocation {
    /// A name, a partial ARN or an ARN, with or without a qualifier.
    pub function: String,
    /// JSON.
    pub payload: Bytes,
    /// The trace it belongs to.
    pub trace: TraceId,
    /// Whose permission is checked.
    pub caller: Caller,
    /// JSON, decoded.
    pub client_context: Option<String>,
    /// A new one unless given.
    pub request_id: Option<String>,
}

/// Who invokes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Caller {
    /// Somebody of this account: may do all.
    Account,
    /// A service: may do what the function's policy says.
    Service {
        /// `cognito-idp.amazonaws.com`
        principal: String,
        /// The ARN of what it acts for: a user pool, a rule.
        source_arn: String,
    },
}

/// What came of an invocation that ran.
#[derive(Clone, Debug)]
pub struct Invoked {
    /// What the function returned, or its error as JSON.
    pub payload: Bytes,
    /// `Unhandled` if it failed.
    pub function_error: Option<String>,
    /// The last 4 KB of its output, if it was asked for or the function failed.
    pub log_tail: Option<String>,
    /// The version that ran.
    pub executed_version: String,
    /// How long the function took, without waiting for a sandbox and without its coming up.
    pub duration: Duration,
    /// The invocation's.
    pub request_id: String,
}

/// What a failed function's payload says, if it is in the usual form.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct FunctionError {
    #[serde(rename = "errorType", default)]
    pub(crate) kind: String,
    #[serde(rename = "errorMessage", default)]
    pub(crate) message: String,
}

/// An invocation that may run.
pub(crate) struct Order {
    pub(crate) payload: Bytes,
    pub(crate) trace: TraceId,
    pub(crate) client_context: Option<HeaderValue>,
    pub(crate) request_id: String,
    /// Whether the caller wants the tail of the log.
    pub(crate) tail: bool,
    /// What a failure means: another attempt, or the end.
    pub(crate) if_failed: Went,
}

impl FunctionHost {
    /// Runs a function and waits for what comes of it. A caller who stops waiting does not stop the function.
    pub async fn invoke(&self, invocation: Invocation) -> Result<Invoked, InvokeError> {
        let named = self.find("InvokeFunction", &invocation.function, None)?;
        check_caller(&named, &invocation.caller)?;
        let client_context = invocation.client_context.as_deref().map(client_context).transpose()?;
        let order = Order {
            payload: invocation.payload,
            trace: invocation.trace,
            client_context,
            request_id: invocation.request_id.unwrap_or_else(|| self.world().random.uuid()),
            tail: false,
            if_failed: Went::Failed,
        };
        Ok(self.run(named, order).await?)
    }

    /// Whether `caller` may invoke `function`.
    pub fn can_invoke(&self, function: &str, caller: &Caller) -> Result<(), InvokeError> {
        let named = self.find("InvokeFunction", function, None)?;
        Ok(check_caller(&named, caller)?)
    }

    /// Waits until a function could start at once: what compilers build and installers fetch is no part of anybody's
    /// time limit, as on AWS, where it happens before a function is deployed. Its invocation tells what failed.
    pub async fn prepare(&self, function: &str) {
        let Ok(named) = self.find("InvokeFunction", function, None) else { return };
        let Ok(pool) = named.choose(&self.world().random) else { return };
        let _ = pool.prepare().await;
    }

    /// Waits likewise for all functions; those that cannot be started, by name, and why.
    pub async fn prepare_all(&self) -> Vec<(String, String)> {
        let mut failed = Vec::new();
        for deployment in self.all() {
            for (_, pool) in deployment.pools() {
                if let Err(error) = pool.prepare().await {
                    failed.push((deployment.function.name.clone(), error.0));
                }
            }
        }
        failed
    }

    /// Runs an order if there is room for it.
    pub(crate) async fn run(&self, named: Named, order: Order) -> Result<Invoked, Error> {
        let permit = self.enter(&named)?;
        let pool = named.choose(&self.world().random)?;
        let arn = HeaderValue::from_str(&named.qualified_arn()).unwrap_or(HeaderValue::from_static(""));
        Unstoppable::new(carry_out(pool, arn, order, permit)).await
    }

    fn enter(&self, deployment: &Deployment) -> Result<Permit, Error> {
        if let Some(reserved) = deployment.function.reserved_concurrency {
            return deployment.running.enter(reserved, "ReservedFunctionConcurrentInvocationLimitExceeded");
        }
        let max = self.unreserved_max.load(Ordering::Relaxed);
        self.unreserved_running.enter(max, "ConcurrentInvocationLimitExceeded")
    }
}

fn check_caller(named: &Named, caller: &Caller) -> Result<(), Error> {
    let Caller::Service { principal, source_arn } = caller else { return Ok(()) };
    if named.policy().iter().any(|statement| statement.allows(principal, source_arn)) {
        return Ok(());
    }
    Err(Error::AccessDenied(format!(
        "User: {principal} is not authorized to perform: lambda:InvokeFunction on resource: {} because no \
         resource-based policy allows the lambda:InvokeFunction action",
        named.qualified_arn()
    )))
}

/// As a header carries it: one line.
pub(crate) fn client_context(json: &str) -> Result<HeaderValue, Error> {
    let refused = || Error::InvalidRequestContent("Client context must be a valid Base64-encoded JSON object.".into());
    let parsed: serde_json::Map<String, serde_json::Value> = serde_json::from_str(json).map_err(|_| refused())?;
    let text = serde_json::to_string(&parsed).map_err(|_| refused())?;
    HeaderValue::from_bytes(text.as_bytes()).map_err(|_| refused())
}

/// What a sandbox made of the order.
struct Ran {
    payload: Bytes,
    failed: bool,
    /// Nobody else has said how it failed.
    by_platform: bool,
    /// For the report.
    status: Option<String>,
    /// What the platform says in the log of how it ended.
    last_words: Option<String>,
    duration: Duration,
    /// None if no sandbox came up.
    sandbox: Option<Arc<Sandbox>>,
    /// What one printed that did not come up, or what was printed until it was answered.
    log: Option<String>,
}

async fn carry_out(pool: Arc<Pool>, arn: HeaderValue, order: Order, permit: Permit) -> Result<Invoked, Error> {
    let surroundings = Arc::clone(&pool.plan.surroundings);
    let (timeline, faults) = (&surroundings.world.timeline, &surroundings.world.faults);
    let is_retried = order.if_failed == Went::Retrying;
    let moment = timeline.moment(Kind::Invocation, &pool.plan.function).trace(Some(order.trace.clone()));
    let moment = moment.id("requestId", &order.request_id);
    let began = Instant::now();
    let (ran, by_fault) = match faults.invocation(&pool.plan.function, is_retried, &order.trace) {
        None => (work_off(&pool, &arn, &order, Duration::ZERO).await, false),
        Some(fault) => (work_off_badly(&pool, &arn, &order, &fault).await, true),
    };
    drop(permit);
    let ran = match ran {
        Ok(ran) => ran,
        Err(error) => {
            timeline.record(moment.took(began.elapsed()).outcome(order.if_failed).detail(error.to_string()));
            return Err(error);
        }
    };
    if let Some(sandbox) = &ran.sandbox {
        sandbox.close_log(&order.request_id, ran.last_words.as_deref(), ran.status.as_deref());
    }
    let log_tail = (order.tail || ran.failed).then(|| log_tail(&pool, &order, &ran));
    let mut moment = moment.took(began.elapsed());
    if ran.failed {
        let detail = detail(&ran.payload);
        if ran.by_platform && !by_fault && !pool.is_closed() {
            tracing::warn!(function = pool.plan.function, "{detail}");
        }
        let detail = if by_fault { format!("fault: {detail}") } else { detail };
        moment = moment.outcome(order.if_failed).detail(detail);
    }
    timeline.record(moment);
    Ok(Invoked {
        payload: ran.payload,
        function_error: ran.failed.then(|| "Unhandled".to_owned()),
        log_tail,
        executed_version: pool.plan.version.clone(),
        duration: ran.duration,
        request_id: order.request_id,
    })
}

/// Has a sandbox work; `late` is what its time has lost already.
async fn work_off(pool: &Pool, arn: &HeaderValue, order: &Order, late: Duration) -> Result<Ran, Error> {
    for _ in 0..ASSIGNMENTS_MAX {
        let sandbox = match pool.acquire().await {
            Ok(lease) => lease.take(),
            Err(NotStarted { failure: InitFailure::Closed, .. }) => break,
            Err(not_started) => return Ok(Ran::not_started(pool, order, not_started)),
        };
        let Some(sandbox) = sandbox else { continue };
        let settings = &pool.plan.settings;
        let time_max = Duration::from_secs(settings.timeout_s.into());
        let time_left = time_max.saturating_sub(late);
        let deadline = pool.plan.surroundings.system_clock.now().plus(time_left);
        let event = Arc::new(Event {
            request_id: order.request_id.clone(),
            arn: arn.clone(),
            payload: order.payload.clone(),
            deadline_ms: deadline.millis(),
            trace: order.trace.header(),
            client_context: order.client_context.clone(),
        });
        let (work, ended) = Work::new(event, order.tail);
        sandbox.logs.begin(&order.request_id, order.tail);
        let began = Instant::now();
        if sandbox.assign(work).is_err() {
            continue; // it ended while it was idle
        }
        let ended = match timeout(time_left, ended).await {
            Ok(Ok(Ended { outcome: Outcome::NotTaken, .. }) | Err(_)) => continue,
            Ok(Ok(ended)) => Some(ended),
            Err(_) => {
                sandbox.end();
                None
            }
        };
        let (outcome, log) = ended.map_or((None, None), |ended| (Some(ended.outcome), ended.log));
        let ran = Ran::of(outcome, time_max, began.elapsed(), sandbox, &order.request_id);
        return Ok(Ran { log, ..ran });
    }
    Err(Error::Service("The function host is shutting down, or its processes are being killed".into()))
}

/// As the fault plan has it: late, or failing, whether it runs or not.
async fn work_off_badly(pool: &Pool, arn: &HeaderValue, order: &Order, fault: &FunctionFault) -> Result<Ran, Error> {
    let time_max = Duration::from_secs(pool.plan.settings.timeout_s.into());
    let delay = fault.delay_ms.map_or(Duration::ZERO, Duration::from_millis).min(time_max);
    tokio::time::sleep(delay).await;
    let failed = |kind: &str, text: &str, status: &str| Ran {
        payload: error_payload(kind, &order.request_id, text),
        failed: true,
        by_platform: true,
        status: Some(status.to_owned()),
        last_words: None,
        duration: delay,
        sandbox: None,
        log: None,
    };
    if delay == time_max {
        let text = format!("Task timed out after {:.2} seconds", time_max.as_secs_f64());
        return Ok(failed("Sandbox.Timedout", &text, "timeout"));
    }
    let killed = || {
        let kind = "Runtime.ExitError";
        failed(kind, "Runtime exited with error: signal: killed", "error\tError Type: Runtime.ExitError")
    };
    match fault.fail {
        None => work_off(pool, arn, order, delay).await,
        Some(Fail::Before) => Ok(killed()),
        Some(Fail::After) => {
            work_off(pool, arn, order, delay).await.map(|ran| Ran { sandbox: ran.sandbox, log: ran.log, ..killed() })
        }
    }
}

impl Ran {
    fn of(
        outcome: Option<Outcome>,
        time_max: Duration,
        duration: Duration,
        sandbox: Arc<Sandbox>,
        request_id: &str,
    ) -> Self {
        let failed = |kind: &str, text: String, status: &str| {
            (error_payload(kind, request_id, &text), true, Some(status.to_owned()))
        };
        let last_words = match &outcome {
            Some(Outcome::Exited(reason)) => {
                Some(format!("RequestId: {request_id} Error: {reason}\nRuntime.ExitError\n"))
            }
            Some(Outcome::NotTaken) | None => {
                let now = sandbox.plan.surroundings.world.clock.now().rfc3339_millis();
                let limit = time_max.as_secs_f64();
                Some(format!("{now} {request_id} Task timed out after {limit:.2} seconds\n\n"))
            }
            Some(Outcome::Response(_) | Outcome::Error(_) | Outcome::ResponseTooLarge) => None,
        };
        let by_platform = !matches!(outcome, Some(Outcome::Response(_) | Outcome::Error(_)));
        let (payload, failed, status) = match outcome {
            Some(Outcome::Response(payload)) => (payload, false, None),
            Some(Outcome::Error(payload)) => (payload, true, None),
            Some(Outcome::ResponseTooLarge) => {
                let kind = "Function.ResponseSizeTooLarge";
                let message = format!(
                    "Response payload size exceeded maximum allowed payload size ({RESPONSE_BYTES_MAX} bytes)."
                );
                (payload(kind, &message), true, Some(format!("error\tError Type: {kind}")))
            }
            Some(Outcome::Exited(reason)) => {
                failed("Runtime.ExitError", reason, "error\tError Type: Runtime.ExitError")
            }
            Some(Outcome::NotTaken) | None => {
                let text = format!("Task timed out after {:.2} seconds", time_max.as_secs_f64());
                failed("Sandbox.Timedout", text, "timeout")
            }
        };
        Self { payload, failed, by_platform, status, last_words, duration, sandbox: Some(sandbox), log: None }
    }

    fn not_started(pool: &Pool, order: &Order, not_started: NotStarted) -> Self {
        let failed = |kind: &str, text: &str| error_payload(kind, &order.request_id, text);
        let time_max = pool.plan.settings.timeout_s;
        let by_platform = match &not_started.failure {
            InitFailure::Reported(_) => false,
            InitFailure::InvalidEntrypoint(text) => !text.contains('\n'), // what compilers say was told already
            InitFailure::Exited(_) | InitFailure::TimedOut | InitFailure::Closed => true,
        };
        let payload = match not_started.failure {
            InitFailure::Reported(payload) => payload,
            InitFailure::InvalidEntrypoint(text) => failed("Runtime.InvalidEntrypoint", &text),
            InitFailure::Exited(reason) => failed("Runtime.ExitError", &reason),
            InitFailure::TimedOut | InitFailure::Closed => {
                failed("Sandbox.Timedout", &format!("Task timed out after {time_max}.00 seconds"))
            }
        };
        let log = Some(not_started.log_tail);
        Self {
            payload,
            failed: true,
            by_platform,
            status: None,
            last_words: None,
            duration: Duration::ZERO,
            sandbox: None,
            log,
        }
    }
}

fn log_tail(pool: &Pool, order: &Order, ran: &Ran) -> String {
    let Some(sandbox) = &ran.sandbox else { return ran.log.clone().unwrap_or_default() };
    // A process that has not answered has ended, and so has not begun with anything else.
    let printed = ran.log.clone().unwrap_or_else(|| {
        sandbox.logs.catch_up();
        sandbox.logs.tail()
    });
    if !order.tail {
        return printed;
    }
    let report = Report {
        request_id: &order.request_id,
        duration: ran.duration,
        memory_mb: pool.plan.settings.memory_mb,
        memory_used_mb: sandbox.memory_used_mb(),
        init: sandbox.init_of(&order.request_id),
        status: ran.status.as_deref(),
    };
    report.behind(printed)
}

/// An error of the platform's: its message begins with the request's id.
fn error_payload(kind: &str, request_id: &str, text: &str) -> Bytes {
    payload(kind, &format!("RequestId: {request_id} Error: {text}"))
}

fn payload(error_type: &str, error_message: &str) -> Bytes {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Payload<'a> {
        error_type: &'a str,
        error_message: &'a str,
    }
    serde_json::to_vec(&Payload { error_type, error_message }).unwrap_or_default().into() // strings always serialise
}

/// What people want to see of an error.
fn detail(payload: &[u8]) -> String {
    let error: FunctionError = serde_json::from_slice(payload).unwrap_or_default();
    let message: String = error.message.chars().take(DETAIL_CHARS_MAX).collect();
    if error.kind.is_empty() { message } else { format!("{}: {message}", error.kind) }
}
