//! Faults on demand: what shall go wrong, when, and how often it has.
//!
//! A plan comes in from outside like time and randomness do. Whoever stands at an edge (the router, the wiring, the
//! queue of deliveries, the start of a function) asks [`Faults`] whether something shall go wrong now, and does it.
//! Every fault that strikes is told in the timeline, so that nobody is fooled. Without a plan, asking costs one look
//! at a flag.

mod plan;

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, RwLock};
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{Rng, RngExt, SeedableRng};
use serde::Serialize;

pub use plan::{
    ApiFault, DeliveryFault, EntryError, EntryFault, Fail, Fault, FaultPlan, FunctionFault, LaneName, TriggerFault,
    What, When,
};

use crate::{Kind, Outcome, Timeline, TraceId};

/// Traces that a fault with `timesPerTrace` remembers; the oldest is forgotten first, and may be struck again.
const TRACES_MAX: usize = 10_000;

/// The plan at work. Cheap to clone: all clones are the same.
#[derive(Clone)]
pub struct Faults(Arc<Inner>);

struct Inner {
    timeline: Timeline,
    /// Whether there is any fault: looked at before anything else.
    any: AtomicBool,
    running: RwLock<Arc<Running>>,
}

/// A plan and what became of it.
#[derive(Default)]
struct Running {
    seed: u64,
    faults: Vec<Armed>,
}

struct Armed {
    fault: Fault,
    state: Mutex<State>,
}

struct State {
    random: StdRng,
    asked: u64,
    struck: u64,
    /// How often it struck in each trace, and the traces by age.
    traces: (HashMap<TraceId, u32>, VecDeque<TraceId>),
}

/// A fault of the plan, and how often it struck.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Counted {
    /// As it was written.
    #[serde(flatten)]
    pub fault: Fault,
    /// How often it could have struck.
    pub asked: u64,
    /// How often it did.
    pub struck: u64,
}

/// A plan, and how often each of its faults struck.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Account {
    /// The plan's.
    pub seed: u64,
    /// In the plan's order.
    pub faults: Vec<Counted>,
}

/// What becomes of a delivery that is queued.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Queued {
    /// How often it is queued.
    pub copies: usize,
    /// Until it is due.
    pub wait: Duration,
}

impl Faults {
    /// No plan.
    pub fn new(timeline: Timeline) -> Self {
        Self(Arc::new(Inner { timeline, any: AtomicBool::new(false), running: RwLock::default() }))
    }

    /// Begins a plan, from its first draw. Returns what became of the one before.
    pub fn replace(&self, plan: FaultPlan) -> Account {
        let any = !plan.faults.is_empty();
        let mut running = self.0.running.write().expect("no holder panics");
        let before = std::mem::replace(&mut *running, Arc::new(Running::new(plan)));
        self.0.any.store(any, Ordering::Relaxed);
        drop(running);
        before.account()
    }

    /// The plan, and what has become of it so far.
    pub fn account(&self) -> Account {
        self.0.running.read().expect("no holder panics").account()
    }

    /// Whether a call shall go wrong.
    pub fn api(&self, service: &str, operation: &str, trace: &TraceId) -> Option<ApiFault> {
        let fits = |what: &What| match what {
            What::Api(fault) if fault.service == service && is(fault.operation.as_ref(), operation) => {
                Some(fault.clone())
            }
            _ => None,
        };
        self.strike(Some(trace), fits, || format!("{service} {operation}")).map(|(fault, _)| fault)
    }

    /// Whether a bus shall not take an entry.
    pub fn entry(&self, detail_type: &str, trace: &TraceId) -> Option<EntryFault> {
        let fits = |what: &What| match what {
            What::PutEvents(fault) if is(fault.detail_type.as_ref(), detail_type) => Some(fault.clone()),
            _ => None,
        };
        self.strike(Some(trace), fits, || format!("PutEvents {detail_type}")).map(|(fault, _)| fault)
    }

    /// Whether a run of a function shall go wrong; `is_retried` if it is tried again when it fails.
    pub fn invocation(&self, function: &str, is_retried: bool, trace: &TraceId) -> Option<FunctionFault> {
        let fits = |what: &What| match what {
            What::Function(fault) if is(fault.name.as_ref(), function) && (is_retried || !fault.only_if_retried) => {
                Some(fault.clone())
            }
            _ => None,
        };
        self.strike(Some(trace), fits, || format!("function {function}")).map(|(fault, _)| fault)
    }

    /// Whether a trigger shall keep its user pool waiting.
    pub fn trigger(&self, name: &str, trace: &TraceId) -> Option<TriggerFault> {
        let fits = |what: &What| match what {
            What::Trigger(fault) if is(fault.name.as_ref(), name) => Some(fault.clone()),
            _ => None,
        };
        self.strike(Some(trace), fits, || format!("trigger {name}")).map(|(fault, _)| fault)
    }

    /// How often a delivery is queued, and when it is due.
    pub fn delivery(&self, lane: &str, label: &str, trace: Option<&TraceId>) -> Queued {
        let fits = |what: &What| match what {
            What::Delivery(fault)
                if fault.lane.is_none_or(|name| name.as_str() == lane)
                    && fault.to.as_ref().is_none_or(|part| label.contains(part.as_str())) =>
            {
                Some(fault.clone())
            }
            _ => None,
        };
        let Some((fault, draw)) = self.strike(trace, fits, || format!("{lane} {label}")) else {
            return Queued { copies: 1, wait: Duration::ZERO };
        };
        let shuffled = fault.shuffle_ms.map_or(0, |ms| draw % (ms + 1));
        let wait = Duration::from_millis(fault.late_ms.unwrap_or(0) + shuffled);
        Queued { copies: if fault.twice { 2 } else { 1 }, wait }
    }

    /// The first fault that fits and strikes, with a number drawn for it.
    fn strike<T>(
        &self,
        trace: Option<&TraceId>,
        fits: impl Fn(&What) -> Option<T>,
        whom: impl FnOnce() -> String,
    ) -> Option<(T, u64)> {
        if !self.0.any.load(Ordering::Relaxed) {
            return None;
        }
        let running = Arc::clone(&self.0.running.read().expect("no holder panics"));
        let fitting = running.faults.iter().filter_map(|armed| Some((armed, fits(&armed.fault.what)?)));
        for (armed, fault) in fitting {
            let Some(draw) = armed.strikes(trace) else { continue };
            let what = &armed.fault.what;
            let is_failure = !matches!(what, What::Delivery(_));
            let moment = self.0.timeline.moment(Kind::Fault, format!("fault: {}: {what}", whom()));
            let moment = moment.outcome(if is_failure { Outcome::Failed } else { Outcome::Ok });
            self.0.timeline.record(moment.trace(trace.cloned()));
            return Some((fault, draw));
        }
        None
    }
}

/// Whether a filter that may not be there lets `name` through.
fn is(filter: Option<&String>, name: &str) -> bool {
    filter.is_none_or(|wanted| wanted == name)
}

impl Running {
    fn new(plan: FaultPlan) -> Self {
        let arm = |(index, fault): (u64, Fault)| {
            // A draw of its own, so that a fault more in the plan leaves the others as they were.
            let random = StdRng::seed_from_u64(plan.seed.wrapping_add(index.wrapping_mul(0x9e37_79b9_7f4a_7c15)));
            let state = State { random, asked: 0, struck: 0, traces: <_>::default() };
            Armed { fault, state: Mutex::new(state) }
        };
        Self { seed: plan.seed, faults: (0..).zip(plan.faults).map(arm).collect() }
    }

    fn account(&self) -> Account {
        let counted = |armed: &Armed| {
            let state = armed.state.lock().expect("no holder panics");
            Counted { fault: armed.fault.clone(), asked: state.asked, struck: state.struck }
        };
        Account { seed: self.seed, faults: self.faults.iter().map(counted).collect() }
    }
}

impl Armed {
    fn strikes(&self, trace: Option<&TraceId>) -> Option<u64> {
        let When { probability, skip, times, times_per_trace } = self.fault.when;
        let mut state = self.state.lock().expect("no holder panics");
        state.asked += 1;
        // Drawn whatever follows, so that the tenth call has the tenth draw.
        let (luck, draw): (f64, u64) = (state.random.random(), state.random.next_u64());
        let strikes = luck < probability
            && state.asked > skip
            && times.is_none_or(|times| state.struck < times)
            && state.may_strike_in(trace, times_per_trace);
        state.struck += u64::from(strikes);
        strikes.then_some(draw)
    }
}

impl State {
    fn may_strike_in(&mut self, trace: Option<&TraceId>, max: Option<u32>) -> bool {
        let (Some(trace), Some(max)) = (trace, max) else { return true };
        let (counts, by_age) = &mut self.traces;
        if !counts.contains_key(trace) {
            if counts.len() == TRACES_MAX
                && let Some(oldest) = by_age.pop_front()
            {
                counts.remove(&oldest);
            }
            by_age.push_back(trace.clone());
        }
        let count = counts.entry(trace.clone()).or_default();
        *count += 1;
        *count <= max
    }
}

impl fmt::Debug for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Faults").field(&self.account()).finish()
    }
}

#[cfg(test)]
mod tests;
