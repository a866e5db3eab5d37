//! From an accepted event to the deliveries that its bus's rules make of it, and to the account of why.

use std::sync::{Arc, Mutex};

use world::{Kind, Moment, Outcome, Timestamp, TraceId, World};

use crate::archive::Kept;
use crate::book::{Book, Bus, Rule, RuleIndex};
use crate::delivery::{encode, label};
use crate::error::Error;
use crate::pattern::{Event, Mismatch};
use crate::ports::QueuedDelivery;
use crate::replay::Replay;
use crate::room::EventBus;

/// Rules that did not match and are told of, per event: a bus of ten thousand must not flood the timeline.
const MISMATCHES_TOLD_MAX: usize = 20;
/// Of these, rules that have nothing in common with the event.
const STRANGERS_TOLD_MAX: usize = 10;
/// Events whose mismatches are told in one second. Nobody reads more, and the timeline could not hold them; those
/// that come after say so themselves.
const EVENTS_EXPLAINED_PER_SECOND_MAX: u32 = 200;

/// An event on a bus.
#[derive(Clone, Debug)]
pub struct Accepted {
    /// Its id.
    pub id: String,
    /// The whole event, as JSON.
    pub event: String,
    /// For people.
    pub detail_type: String,
    /// When it happened, by its own account.
    pub time: Timestamp,
    /// When it was accepted.
    pub ingested_at: Timestamp,
    /// What it belongs to.
    pub trace: TraceId,
    /// Whom it is about.
    pub about: Vec<String>,
    /// The buses that it was on before this one.
    pub came_by: Vec<String>,
    /// It comes out of an archive, and goes into none.
    pub is_replay: bool,
}

/// What became of an event.
#[derive(Debug, Default)]
pub struct Routed {
    /// To be queued.
    pub deliveries: Vec<QueuedDelivery>,
    /// To be archived.
    pub kept: Vec<Kept>,
    /// To be told when they are.
    pub moments: Vec<Moment>,
}

/// Counts the events whose mismatches were told, so that a flood of events is not one of moments too.
#[derive(Debug, Default)]
pub struct Explanations(Mutex<(i64, u32)>);

impl Explanations {
    fn take(&self, now: Timestamp) -> bool {
        let mut taken = self.0.lock().expect("no holder panics");
        if taken.0 != now.seconds() {
            *taken = (now.seconds(), 0);
        }
        taken.1 += 1;
        taken.1 <= EVENTS_EXPLAINED_PER_SECOND_MAX
    }
}

impl Routed {
    /// Adds what another event became.
    pub fn extend(&mut self, more: Self) {
        self.deliveries.extend(more.deliveries);
        self.kept.extend(more.kept);
        self.moments.extend(more.moments);
    }

    /// Tells it: warnings go to the log as well.
    fn tell(self, world: &World) {
        for moment in self.moments {
            if moment.kind == Kind::Warning {
                tracing::warn!(detail = moment.detail, "{}", moment.what);
            }
            world.timeline.record(moment);
        }
    }

    /// One delivery for every target of a rule.
    pub fn deliver(&mut self, world: &World, rule: &Rule, accepted: &Accepted) {
        if rule.targets.is_empty() {
            let what = format!("rule {} matched {} but has no targets", rule.name, accepted.detail_type);
            self.moments.push(accepted.moment(world, Kind::Warning, what));
        }
        for target in &rule.targets {
            let label = label(&accepted.detail_type, &rule.name, target);
            self.deliveries.push(QueuedDelivery {
                body: encode(accepted, rule, target),
                label,
                trace: accepted.trace.clone(),
            });
        }
    }
}

impl EventBus {
    /// Makes what events became durable, all of it, and then tells it.
    pub(crate) async fn commit(&self, mut routed: Routed) -> Result<(), Error> {
        let (deliveries, kept) = (std::mem::take(&mut routed.deliveries), std::mem::take(&mut routed.kept));
        let queue = async { if deliveries.is_empty() { Ok(()) } else { self.deliveries.enqueue(deliveries).await } };
        let (queued, kept) = tokio::join!(queue, self.keep(kept));
        kept?;
        queued?;
        routed.tell(&self.world);
        Ok(())
    }

    /// Matches an event with the rules of the bus `name`.
    pub(crate) async fn route(&self, book: &Book, name: &str, accepted: &Accepted) -> Routed {
        let Some(bus) = book.find(name) else {
            let what = format!("{} went to the bus {name}, which does not exist", accepted.detail_type);
            let detail = "EventBridge takes such an event and drops it without a word";
            let moment = accepted.moment(&self.world, Kind::Warning, what).outcome(Outcome::Failed);
            return Routed { moments: vec![moment.detail(detail)], ..Routed::default() };
        };
        let mut routed = self.route_on(bus, accepted, |_| true).await;
        if !accepted.is_replay {
            let archives = book.archives.values().filter(|archive| archive.bus == name);
            routed.kept.extend(archives.filter(|archive| archive.takes(&accepted.event)).map(|archive| Kept {
                archive: archive.name.clone(),
                event_id: accepted.id.clone(),
                time: accepted.time,
                ingested_at: accepted.ingested_at,
                event: accepted.event.clone(),
            }));
        }
        routed
    }

    /// Matches an event out of an archive with the rules that its replay names.
    pub(crate) async fn route_replayed(&self, book: &Book, replay: &Replay, accepted: &Accepted) -> Routed {
        let Some(bus) = book.find(&replay.bus) else { return Routed::default() };
        let is_asked_for = |rule: &Rule| replay.rule_arns.is_empty() || replay.rule_arns.contains(&rule.arn);
        self.route_on(bus, accepted, is_asked_for).await
    }

    async fn route_on(&self, bus: &Arc<Bus>, accepted: &Accepted, is_asked_for: impl Fn(&Rule) -> bool) -> Routed {
        let mut routed = Routed::default();
        let what = format!("{} on bus {}", accepted.detail_type, bus.name);
        routed.moments.push(accepted.moment(&self.world, Kind::Event, what).id("bus", &bus.name));
        let index = bus.index().await;
        self.match_rules(bus, index, accepted, &mut routed, is_asked_for);
        routed
    }

    fn match_rules(
        &self,
        bus: &Bus,
        index: &RuleIndex,
        accepted: &Accepted,
        routed: &mut Routed,
        is_asked_for: impl Fn(&Rule) -> bool,
    ) {
        let world = &self.world;
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
        for rule in matching.iter().map(|place| &index.rules[*place]).filter(|rule| is_asked_for(rule)) {
            let what = format!("rule {} matched", rule.name);
            let targets = rule.targets.len();
            routed.moments.push(accepted.moment(world, Kind::Rule, what).detail(counted(targets, "target")));
            routed.deliver(world, rule, accepted);
        }
        let has_mismatches = index.rules.len() > matching.len() || !index.disabled.is_empty();
        let is_explained = has_mismatches && self.explanations.take(accepted.ingested_at);
        if is_explained {
            tell_mismatches(world, index, (accepted, &event), &matching, routed);
        } else if has_mismatches {
            let rules = index.rules.len() - matching.len() + index.disabled.len();
            say_what_is_left_out(
                routed,
                format!(
                    "{rules} rules did not match; why is told of the first {EVENTS_EXPLAINED_PER_SECOND_MAX} events of a second"
                ),
            );
        }
        if matching.is_empty() {
            let what = format!("no rule on bus {} matched {}", bus.name, accepted.detail_type);
            let rules = format!("{}, {} of them enabled", counted(bus.rules().len(), "rule"), index.rules.len());
            let mut disabled = index.disabled.iter().take(if is_explained { MISMATCHES_TOLD_MAX } else { 0 });
            if let Some(rule) = disabled.find(|rule| rule.would_match(&accepted.event)) {
                let detail = format!("{rules}; rule {} would have matched, and is disabled", rule.name);
                routed.moments.push(accepted.moment(world, Kind::Warning, what).detail(detail));
                return;
            }
            let nearest = index.patterns.nearest(&event).map(|(place, Mismatch { field, reason })| {
                format!("; rule {} did not match: {field} {reason}", index.rules[place].name)
            });
            let detail = rules + nearest.as_deref().unwrap_or_default();
            routed.moments.push(accepted.moment(world, Kind::Warning, what).detail(detail));
        }
    }
}

/// `1 rule`, `2 rules`
fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
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
    let disabled = index.disabled.len().min(MISMATCHES_TOLD_MAX - told.len());
    for rule in &index.disabled[..disabled] {
        tell(rule, "the rule is disabled".into());
    }
    let told = told.len() + disabled;
    let left_out = index.rules.len() - matching.len() + index.disabled.len() - told;
    if left_out > 0 {
        say_what_is_left_out(routed, format!("{left_out} more rules did not match; {told} are told one by one"));
    }
}

/// Says it where everybody who looks for the event sees it: at the event's own moment, which is the first.
fn say_what_is_left_out(routed: &mut Routed, what: String) {
    if let Some(event) = routed.moments.first_mut().filter(|moment| moment.kind == Kind::Event) {
        event.detail = Some(what);
    }
}

impl Accepted {
    fn moment(&self, world: &World, kind: Kind, what: String) -> Moment {
        let moment = Moment::new(world.clock.now(), kind, what).trace(Some(self.trace.clone()));
        moment.about(self.about.iter().cloned()).id("eventId", &self.id)
    }
}
