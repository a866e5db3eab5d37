//! From an accepted event to the deliveries that its bus's rules make of it, and to the account of why.

use std::sync::Arc;

use world::{Kind, Moment, Outcome, Timestamp, TraceId, World};

use crate::book::{Book, Bus, Rule, RuleIndex};
use crate::delivery::{Delivery, label};
use crate::pattern::{Event, Mismatch};
use crate::ports::QueuedDelivery;

/// Rules that did not match and are told of, per event: a bus of ten thousand must not flood the timeline.
const MISMATCHES_TOLD_MAX: usize = 20;
/// Of these, rules that have nothing in common with the event.
const STRANGERS_TOLD_MAX: usize = 10;

/// An event on a bus.
#[derive(Clone, Debug)]
pub struct Accepted {
    /// Its id.
    pub id: String,
    /// The whole event, as JSON.
    pub event: String,
    /// For people.
    pub detail_type: String,
    /// When it was accepted.
    pub ingested_at: Timestamp,
    /// What it belongs to.
    pub trace: TraceId,
    /// Whom it is about.
    pub about: Vec<String>,
    /// The buses that it was on before this one.
    pub came_by: Vec<String>,
}

/// What became of an event.
#[derive(Debug, Default)]
pub struct Routed {
    /// To be queued.
    pub deliveries: Vec<QueuedDelivery>,
    /// To be told when they are.
    pub moments: Vec<Moment>,
}

impl Routed {
    /// Tells it: warnings go to the log as well.
    pub fn tell(self, world: &World) {
        for moment in self.moments {
            if moment.kind == Kind::Warning {
                tracing::warn!(detail = moment.detail, "{}", moment.what);
            }
            world.timeline.record(moment);
        }
    }
}

/// Matches an event with the rules of the bus `name`.
pub async fn route(world: &World, book: &Book, name: &str, accepted: &Accepted) -> Routed {
    let mut routed = Routed::default();
    let Some(bus) = book.find(name) else {
        let what = format!("{} went to the bus {name}, which does not exist", accepted.detail_type);
        let detail = "EventBridge takes such an event and drops it without a word";
        routed.moments.push(accepted.moment(world, Kind::Warning, what).outcome(Outcome::Failed).detail(detail));
        return routed;
    };
    let what = format!("{} on bus {name}", accepted.detail_type);
    routed.moments.push(accepted.moment(world, Kind::Event, what).id("bus", name));
    let index = bus.index().await;
    match_rules(world, bus, index, accepted, &mut routed);
    routed
}

fn match_rules(world: &World, bus: &Arc<Bus>, index: &RuleIndex, accepted: &Accepted, routed: &mut Routed) {
    let event = match Event::read(&accepted.event, &index.patterns) {
        Ok(event) => event,
        Err(error) => {
            // Only nesting deeper than the pattern language's limit gets here: the envelope is ours.
            let what = format!("{} could not be matched with any rule", accepted.detail_type);
            let moment = accepted.moment(world, Kind::Warning, what).outcome(Outcome::Failed);
            routed.moments.push(moment.detail(error.to_string()));
            return;
        }
    };
    let matching = index.patterns.matching(&event);
    for rule in matching.iter().map(|place| &index.rules[*place]) {
        let targets = rule.targets.len();
        let what = format!("rule {} matched", rule.name);
        routed.moments.push(accepted.moment(world, Kind::Rule, what).detail(format!("{targets} targets")));
        if targets == 0 {
            let what = format!("rule {} matched {} but has no targets", rule.name, accepted.detail_type);
            routed.moments.push(accepted.moment(world, Kind::Warning, what));
        }
        for target in &rule.targets {
            let delivery = Delivery::new(accepted, rule, target);
            let label = label(&accepted.detail_type, &rule.name, target);
            routed.deliveries.push(QueuedDelivery { body: delivery.encode(), label });
        }
    }
    tell_mismatches(world, index, (accepted, &event), &matching, routed);
    if matching.is_empty() {
        let what = format!("no rule on bus {} matched {}", bus.name, accepted.detail_type);
        let detail = format!("{} rules, {} of them enabled", bus.rules().len(), index.rules.len());
        routed.moments.push(accepted.moment(world, Kind::Warning, what).detail(detail));
    }
}

/// Tells of the rules that did not match, those first that share a required value with the event.
fn tell_mismatches(
    world: &World,
    index: &RuleIndex,
    (accepted, event): (&Accepted, &Event<'_>),
    matching: &[usize],
    routed: &mut Routed,
) {
    let is_other = |place: &usize| matching.binary_search(place).is_err();
    let mut told: Vec<usize> = index.patterns.considered(event).into_iter().filter(is_other).collect();
    told.truncate(MISMATCHES_TOLD_MAX);
    let room = STRANGERS_TOLD_MAX.min(MISMATCHES_TOLD_MAX - told.len());
    let is_stranger = |place: &usize| is_other(place) && !told.contains(place);
    let strangers: Vec<usize> = (0..index.rules.len()).filter(is_stranger).take(room).collect();
    told.extend(strangers);
    told.sort_unstable();
    let mut tell = |rule: &Rule, detail: String| {
        let moment = accepted.moment(world, Kind::Rule, format!("rule {} did not match", rule.name));
        routed.moments.push(moment.outcome(Outcome::Skipped).detail(detail));
    };
    for place in &told {
        if let Some(Mismatch { field, reason }) = index.patterns.mismatch(*place, event) {
            tell(&index.rules[*place], format!("{field} {reason}"));
        }
    }
    for rule in index.disabled.iter().take(MISMATCHES_TOLD_MAX - told.len()) {
        tell(rule, "the rule is disabled".into());
    }
}

impl Accepted {
    fn moment(&self, world: &World, kind: Kind, what: String) -> Moment {
        let moment = Moment::new(world.clock.now(), kind, what).trace(Some(self.trace.clone()));
        moment.about(self.about.iter().cloned()).id("eventId", &self.id)
    }
}
