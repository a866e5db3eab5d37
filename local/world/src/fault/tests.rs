use serde_json::json;

use super::*;
use crate::World;

fn plan(plan: &serde_json::Value) -> FaultPlan {
    serde_json::from_str(&plan.to_string()).expect("a plan")
}

/// The plan's error is one line that has these words in it.
#[track_caller]
fn refused(fault: &serde_json::Value, words: &str) {
    let plan = json!({"faults": [fault]}).to_string();
    let error = serde_json::from_str::<FaultPlan>(&plan).expect_err("it is refused").to_string();
    assert!(error.contains(words) && error.lines().count() == 1, "{error}");
}

/// Which of the first calls fail.
fn struck(fault: &serde_json::Value, seed: u64) -> Vec<usize> {
    let world = World::for_tests(1);
    world.faults.replace(plan(&json!({"seed": seed, "faults": [fault]})));
    let trace = TraceId::from_root("1-0-0");
    (1..=20).filter(|_| world.faults.invocation("f", true, &trace).is_some()).collect()
}

#[test]
fn what_is_misspelt_is_refused() {
    refused(&json!({"api": {"service": "dynamodb", "eror": "X"}}), "unknown field `eror`");
    refused(&json!({"apis": {}}), "unknown field `apis`");
    refused(&json!({"api": {"error": "X"}}), "missing field `service`");
    refused(&json!({"putEvents": {"error": "Nope"}}), "unknown variant `Nope`");
    refused(&json!({"delivery": {"lane": "bus", "twice": true}}), "unknown variant `bus`");
}

#[test]
fn what_makes_no_sense_is_refused() {
    refused(&json!({"probability": 0.5}), "exactly one of api");
    refused(&json!({"putEvents": {}, "trigger": {"timeOut": true}}), "exactly one of api");
    refused(&json!({"putEvents": {}, "probability": 2}), "at most 1, not 2");
    refused(&json!({"api": {"service": "dynamodb"}}), "an error, a delayMs, or both");
    refused(&json!({"api": {"service": "dynamodb", "error": "X", "status": 200}}), "400 to 599");
    refused(&json!({"function": {"name": "f"}}), "needs a fail");
    refused(&json!({"function": {"delayMs": 900_001}}), "at most 900000");
    refused(&json!({"trigger": {}}), "a delayMs or");
    refused(&json!({"delivery": {}}), "a lateMs or a shuffleMs");
    refused(&json!({"delivery": {"twice": true}, "timesPerTrace": 1}), "does not go with delivery");
}

#[test]
fn a_plan_is_written_as_it_was_read() {
    let text = json!({"seed": 7, "faults": [
        {"api": {"service": "dynamodb", "operation": "PutItem", "error": "InternalServerError", "after": true}, "times": 3},
        {"putEvents": {"error": "ThrottlingException"}, "probability": 0.25, "timesPerTrace": 1},
        {"function": {"name": "f", "fail": "before", "onlyIfRetried": true}, "skip": 2},
        {"trigger": {"timeOut": true}},
        {"delivery": {"lane": "async-invocations", "shuffleMs": 10}},
        {"delivery": {"lane": "bus-calls", "lateMs": 10}},
    ]});
    assert_eq!(serde_json::to_value(plan(&text)).expect("JSON"), text);
}

#[test]
fn a_seed_repeats_itself() {
    let fault = || json!({"function": {"fail": "before"}, "probability": 0.3});
    assert_eq!(struck(&fault(), 1), struck(&fault(), 1));
    assert_ne!(struck(&fault(), 1), struck(&fault(), 2));
}

#[test]
fn it_strikes_as_often_as_it_should() {
    let fail = json!({"fail": "before"});
    assert_eq!(struck(&json!({"function": fail, "skip": 2, "times": 1}), 1), [3]);
    assert_eq!(struck(&json!({"function": fail, "times": 3}), 1), [1, 2, 3]);
    assert_eq!(struck(&json!({"function": fail, "timesPerTrace": 2}), 1), [1, 2]);
    assert!(struck(&json!({"function": {"name": "g", "fail": "before"}}), 1).is_empty());
}

#[test]
fn what_is_never_tried_again_can_be_spared() {
    let world = World::for_tests(1);
    world.faults.replace(plan(&json!({"faults": [{"function": {"fail": "after", "onlyIfRetried": true}}]})));
    let trace = TraceId::from_root("1-0-0");
    assert_eq!(world.faults.invocation("f", false, &trace), None);
    assert!(world.faults.invocation("f", true, &trace).is_some());
}

#[test]
fn a_delivery_comes_twice_and_late() {
    let world = World::for_tests(1);
    let both = json!({"delivery": {"to": "welcome", "twice": true, "lateMs": 3000}});
    world.faults.replace(plan(&json!({"faults": [both]})));
    let queued = |label| world.faults.delivery("bus-deliveries", label, None);
    assert_eq!(queued("rule welcome"), Queued { copies: 2, wait: Duration::from_secs(3) });
    assert_eq!(queued("rule other"), Queued { copies: 1, wait: Duration::ZERO });
}

#[test]
fn every_strike_is_told_and_counted() {
    let world = World::for_tests(1);
    let throttled = json!({"api": {"service": "dynamodb", "error": "ThrottlingException"}, "times": 1});
    world.faults.replace(plan(&json!({"faults": [throttled]})));
    let trace = TraceId::from_root("1-0-0");
    for _ in 0..3 {
        world.faults.api("dynamodb", "PutItem", &trace);
    }
    let account = world.faults.replace(FaultPlan::default());
    assert_eq!((account.faults[0].asked, account.faults[0].struck), (3, 1));
    assert_eq!(world.faults.api("dynamodb", "PutItem", &trace), None);
    let told = world.timeline.all();
    assert_eq!(told[0].what, "fault: dynamodb PutItem: answers ThrottlingException, was not carried out");
    assert_eq!((told.len(), told[0].trace.clone()), (1, Some(trace)));
}

#[test]
fn deliveries_overtake_each_other() {
    let world = World::for_tests(1);
    world.faults.replace(plan(&json!({"faults": [{"delivery": {"shuffleMs": 1000}}]})));
    let waits: Vec<_> = (0..20).map(|_| world.faults.delivery("bus-deliveries", "label", None).wait).collect();
    assert!(!waits.is_sorted() && waits.iter().all(|wait| *wait <= Duration::from_secs(1)), "{waits:?}");
}

#[test]
fn a_lane_has_faults_of_its_own() {
    let world = World::for_tests(1);
    world.faults.replace(plan(&json!({"faults": [{"delivery": {"lane": "bus-calls", "twice": true}}]})));
    let copies = |lane| world.faults.delivery(lane, "label", None).copies;
    assert_eq!((copies("bus-deliveries"), copies("bus-calls"), copies("async-invocations")), (1, 2, 1));
}
