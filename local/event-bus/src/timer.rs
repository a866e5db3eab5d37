//! Rules with a schedule: who waits for their times, and what they send.
//!
//! A scheduled event goes to the targets of its own rule and nowhere else: it is on no bus, so no other rule sees it
//! and no archive keeps it. How far a rule has fired is stored behind the deliveries; what falls in between is fired
//! again, so a firing comes at least once.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use world::{Kind, Moment, Timestamp, TraceId};

use crate::book::{DEFAULT_BUS, Rule};
use crate::envelope::Envelope;
use crate::error::Error;
use crate::room::EventBus;
use crate::routing::{Accepted, Routed};
use crate::schedule::Schedule;
use crate::store;

/// Times of one rule that are made up for when the clock jumps over more.
const MADE_UP_FOR_MAX: usize = 100;
/// The same after a start: what was missed while nothing ran is fired once.
const MADE_UP_FOR_AFTER_START_MAX: usize = 1;
/// Times further back are not even counted.
const LOOKED_BACK_MAX: Duration = Duration::from_hours(24 * 366);
/// The wait after a failure, on the clock that rules go by.
const AFTER_FAILURE: Duration = Duration::from_secs(1);

impl EventBus {
    /// Fires rules by their schedules.
    pub(crate) async fn run_schedules(&self) {
        let mut changes = self.shelf.changes();
        let mut timer = None;
        loop {
            changes.borrow_and_update();
            let next = match self.fire_due(&mut timer).await {
                Ok(next) => next,
                Err(error) => {
                    tracing::error!(%error, "scheduled rules could not be fired");
                    Some(self.world.clock.now().plus(AFTER_FAILURE))
                }
            };
            tokio::select! {
                _ = changes.changed() => {}
                () = self.world.clock.sleep_until(next.unwrap_or_default()), if next.is_some() => {}
            }
        }
    }

    /// Fires what is due and tells when the next rule will be. `timer` is what earlier calls know; nothing at first.
    pub(crate) async fn fire_due(&self, timer: &mut Option<Timer>) -> Result<Option<Timestamp>, Error> {
        // Before the rules are looked at: a target that was put before a time came must not miss it.
        let now = self.world.clock.now();
        let book = self.shelf.book().await?;
        if timer.is_none() {
            let fired = self.shelf.database().read(store::firings).await?;
            *timer = Some(Timer { fired, made_up_for_max: MADE_UP_FOR_AFTER_START_MAX });
        }
        let Some(timer) = timer else { return Ok(None) };
        let rules = book.bus(DEFAULT_BUS)?.rules();
        timer.fired.retain(|arn, _| rules.iter().any(|rule| rule.arn == *arn));
        let mut next: Option<Timestamp> = None;
        for rule in rules.iter().filter(|rule| rule.is_enabled() && rule.schedule.is_some()) {
            for due in timer.due(rule, now) {
                self.fire(rule, due).await?;
                timer.fired.insert(rule.arn.clone(), due);
                let arn = rule.arn.clone();
                self.shelf.database().write(move |connection| store::put_firing(connection, &arn, due)).await?;
            }
            let after = timer.next(rule);
            next = next.into_iter().chain(after).min();
        }
        timer.made_up_for_max = MADE_UP_FOR_MAX;
        Ok(next)
    }

    async fn fire(&self, rule: &Arc<Rule>, due: Timestamp) -> Result<(), Error> {
        let (detail_type, id) = ("Scheduled Event", self.world.random.uuid());
        let resources = [rule.arn.clone()];
        let envelope =
            Envelope { id: &id, detail_type, source: "aws.events", time: due, resources: &resources, detail: "{}" };
        let event = envelope.json(&self.world.place);
        let trace = TraceId::new(due, &self.world.random);
        let accepted = Accepted {
            id,
            event,
            detail_type: detail_type.into(),
            time: due,
            ingested_at: self.world.clock.now(),
            trace,
            about: Vec::new(),
            came_by: Vec::new(),
            is_replay: false,
        };
        let schedule = rule.schedule.as_ref().map_or("", Schedule::text);
        let what = format!("rule {} fired by its schedule", rule.name);
        let moment = Moment::new(self.world.clock.now(), Kind::Event, what).trace(Some(accepted.trace.clone()));
        let mut routed = Routed::default();
        routed
            .moments
            .push(moment.id("eventId", &accepted.id).detail(format!("{schedule}, due {}", due.rfc3339_seconds())));
        routed.deliver(&self.world, rule, &accepted);
        self.commit(routed).await
    }
}

/// What is known between two looks at the schedules.
#[derive(Debug)]
pub struct Timer {
    /// Until when rules have fired, by their ARNs.
    fired: BTreeMap<String, Timestamp>,
    made_up_for_max: usize,
}

impl Timer {
    fn since(&self, rule: &Rule) -> Timestamp {
        self.fired.get(&rule.arn).copied().unwrap_or_default().max(rule.scheduled_at)
    }

    fn next(&self, rule: &Rule) -> Option<Timestamp> {
        rule.schedule.as_ref()?.next_after(rule.scheduled_at, self.since(rule))
    }

    /// The times that have come and were not fired yet; of too many the last.
    fn due(&self, rule: &Rule, now: Timestamp) -> Vec<Timestamp> {
        let Some(schedule) = &rule.schedule else { return Vec::new() };
        let earliest = now.millis().saturating_sub(i64::try_from(LOOKED_BACK_MAX.as_millis()).unwrap_or(i64::MAX));
        let mut at = self.since(rule).max(Timestamp::from_millis(earliest));
        let (mut due, mut passed_over) = (VecDeque::new(), 0_u32);
        while let Some(next) = schedule.next_after(rule.scheduled_at, at).filter(|next| *next <= now) {
            due.push_back(next);
            if due.len() > self.made_up_for_max {
                due.pop_front();
                passed_over += 1;
            }
            at = next;
        }
        if passed_over > 0 {
            tracing::warn!(
                rule = rule.name,
                passed_over,
                "a schedule's earlier times have passed and are not made up for"
            );
        }
        due.into()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use storage::Location;
    use world::World;

    use super::*;
    use crate::testing::Room;

    const QUEUE: &str = "arn:aws:sqs:us-east-1:000000000000:q";

    async fn schedule(t: &Room, name: &str, expression: &str) {
        t.call("PutRule", json!({ "Name": name, "ScheduleExpression": expression })).await.ok();
        t.target("default", name, json!({ "Id": "t", "Arn": QUEUE })).await;
    }

    async fn look(t: &Room, timer: &mut Option<Timer>) -> Option<Timestamp> {
        t.bus.fire_due(timer).await.expect("it looks")
    }

    /// The times in what the queue was sent.
    async fn fired(t: &Room) -> Vec<String> {
        let before = t.sent().len();
        t.attempt_all().await;
        let sent = t.sent().split_off(before);
        let time = |body: &str| serde_json::from_str::<Value>(body).expect("JSON")["time"].as_str().map(str::to_owned);
        sent.iter().map(|sent| time(&sent.body).expect("a time")).collect()
    }

    #[tokio::test]
    async fn sends_the_services_event() {
        let t = Room::new();
        schedule(&t, "r", "rate(5 minutes)").await;
        let mut timer = None;
        let next = look(&t, &mut timer).await.expect("a time");
        assert_eq!((next.rfc3339_seconds().as_str(), t.queued().len()), ("2026-01-01T00:05:00Z", 0));
        t.world.clock.advance(Duration::from_mins(5));
        look(&t, &mut timer).await;
        t.attempt_all().await;
        let body: Value = serde_json::from_str(&t.sent()[0].body).expect("JSON");
        let expected = json!({
            "version": "0", "id": body["id"], "detail-type": "Scheduled Event", "source": "aws.events",
            "account": "000000000000", "time": "2026-01-01T00:05:00Z", "region": "us-east-1",
            "resources": ["arn:aws:events:us-east-1:000000000000:rule/r"], "detail": {},
        });
        assert_eq!(body, expected);
        assert_eq!(t.moments(Kind::Event)[0].what, "rule r fired by its schedule");
    }

    #[tokio::test]
    async fn a_jump_of_the_clock_fires_each_time_that_has_passed() {
        let t = Room::new();
        schedule(&t, "r", "cron(0/20 * * * ? *)").await;
        let mut timer = None;
        look(&t, &mut timer).await;
        t.world.clock.advance(Duration::from_hours(1));
        look(&t, &mut timer).await;
        assert_eq!(fired(&t).await, ["2026-01-01T00:20:00Z", "2026-01-01T00:40:00Z", "2026-01-01T01:00:00Z"]);
        look(&t, &mut timer).await;
        assert_eq!(fired(&t).await.len(), 0);
        t.world.clock.advance(Duration::from_hours(24 * 30));
        look(&t, &mut timer).await;
        assert_eq!(fired(&t).await.len(), MADE_UP_FOR_MAX);
    }

    #[tokio::test]
    async fn what_a_stopped_server_missed_is_fired_once() {
        let dir = tempfile::tempdir().expect("a directory");
        let world = World::for_tests(1);
        let open = || Room::over(world.clone(), Location::File(dir.path().join("bus.db")));
        {
            let t = open();
            schedule(&t, "r", "rate(1 hour)").await;
            let mut timer = None;
            look(&t, &mut timer).await;
            world.clock.advance(Duration::from_hours(1));
            look(&t, &mut timer).await;
            assert_eq!(fired(&t).await, ["2026-01-01T01:00:00Z"]);
        }
        let t = open();
        look(&t, &mut None).await;
        assert_eq!(fired(&t).await.len(), 0, "that time has been fired");
        world.clock.advance(Duration::from_hours(5));
        look(&t, &mut None).await;
        assert_eq!(fired(&t).await, ["2026-01-01T06:00:00Z"]);
    }

    #[tokio::test]
    async fn a_disabled_rule_is_silent_and_begins_anew() {
        let t = Room::new();
        schedule(&t, "r", "rate(1 hour)").await;
        let mut timer = None;
        look(&t, &mut timer).await;
        t.call("DisableRule", json!({ "Name": "r" })).await.ok();
        t.world.clock.advance(Duration::from_mins(90));
        assert_eq!(look(&t, &mut timer).await, None);
        t.call("EnableRule", json!({ "Name": "r" })).await.ok();
        let next = look(&t, &mut timer).await.expect("a time");
        assert_eq!((next.rfc3339_seconds().as_str(), t.queued().len()), ("2026-01-01T02:30:00Z", 0));
    }

    #[tokio::test]
    async fn only_its_own_targets_get_it() {
        let t = Room::new();
        t.rule("default", "others", r#"{"source":["aws.events"]}"#).await;
        t.target("default", "others", json!({ "Id": "t", "Arn": QUEUE })).await;
        schedule(&t, "r", "rate(1 minute)").await;
        t.world.clock.advance(Duration::from_mins(1));
        look(&t, &mut None).await;
        assert_eq!(t.queued().len(), 1);
    }

    /// By the loop itself: nobody calls it but the clock.
    #[tokio::test]
    async fn the_clock_makes_it_fire() {
        let t = Room::new();
        let bus = Arc::clone(&t.bus);
        let running = tokio::spawn(async move { bus.run().await });
        schedule(&t, "r", "rate(1 day)").await;
        for days in 1..=2 {
            t.world.clock.advance(Duration::from_hours(24));
            while t.queued().len() < days {
                tokio::task::yield_now().await;
            }
        }
        running.abort();
    }
}
