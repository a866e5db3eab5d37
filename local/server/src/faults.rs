//! Faults on demand, as far as they are the server's: which names a plan may use, what becomes of a delivery, and the
//! plan of `--chaos`. What a plan is and when it strikes is `world`'s; each edge does its own part of it.

use std::sync::Arc;

use aws_api::Service;
use queues::NewJob;
use world::{
    ApiFault, DeliveryFault, EntryFault, Fail, Fault, FaultPlan, FunctionFault, TraceId, TriggerFault, What, When,
    World,
};

/// What the plan of [`chaos`] does, in one line.
pub const CHAOS_IN_WORDS: &str = "deliveries twice, late and out of order; functions that fail or are slow; PutEvents \
    cut short; DynamoDB throttled or failing; triggers that time out";

/// Whether everything that a plan names is there. Functions may be made later, and so may have any name.
pub fn check(plan: &FaultPlan, services: &[Arc<dyn Service>]) -> Result<(), String> {
    for fault in &plan.faults {
        let What::Api(ApiFault { service: name, operation, .. }) = &fault.what else { continue };
        let mut of_name = services.iter().filter(|service| service.name().signing == name).peekable();
        if of_name.peek().is_none() {
            let mut known: Vec<_> = services.iter().map(|service| service.name().signing).collect();
            known.sort_unstable();
            known.dedup();
            return Err(format!("unknown service `{name}`, expected one of {}", known.join(", ")));
        }
        let Some(operation) = operation else { continue };
        let is_there = |service: &Arc<dyn Service>| service.operations().iter().any(|(known, _)| known == operation);
        if !of_name.any(is_there) {
            return Err(format!("unknown operation `{operation}` of {name}"));
        }
    }
    Ok(())
}

/// What a job becomes as it is queued: itself, unless the plan has it come twice or late.
pub fn queued(world: &World, lane: &str, job: NewJob, trace: Option<&TraceId>) -> Vec<NewJob> {
    let fate = world.faults.delivery(lane, &job.label, trace);
    vec![NewJob { due: job.due.plus(fate.wait), ..job }; fate.copies]
}

/// A bit of everything that an application on AWS must be able to bear without losing anything: what fails is tried
/// again, and works then.
pub fn chaos(seed: u64) -> FaultPlan {
    let often = |probability: f64, what: What| Fault { what, when: When { probability, ..When::default() } };
    let once = |probability: f64, what: What| {
        let when = When { probability, times_per_trace: Some(1), ..When::default() };
        Fault { what, when }
    };
    let function = |fault: FunctionFault| What::Function(FunctionFault { only_if_retried: true, ..fault });
    let dynamodb = |error: &str, after: bool| {
        What::Api(ApiFault { service: "dynamodb".into(), error: Some(error.into()), after, ..ApiFault::default() })
    };
    let delivery = |fault: DeliveryFault| What::Delivery(fault);
    FaultPlan {
        seed,
        faults: vec![
            often(0.05, delivery(DeliveryFault { twice: true, ..DeliveryFault::default() })),
            often(0.02, delivery(DeliveryFault { late_ms: Some(3_000), ..DeliveryFault::default() })),
            often(0.20, delivery(DeliveryFault { shuffle_ms: Some(500), ..DeliveryFault::default() })),
            often(0.03, function(FunctionFault { fail: Some(Fail::Before), ..FunctionFault::default() })),
            often(0.03, function(FunctionFault { fail: Some(Fail::After), ..FunctionFault::default() })),
            often(0.02, function(FunctionFault { delay_ms: Some(500), ..FunctionFault::default() })),
            once(0.05, What::PutEvents(EntryFault::default())),
            once(0.03, dynamodb("ProvisionedThroughputExceededException", false)),
            once(0.02, dynamodb("InternalServerError", false)),
            once(0.03, dynamodb("InternalServerError", true)),
            once(0.02, What::Trigger(TriggerFault { time_out: true, ..TriggerFault::default() })),
        ],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One invocation may run twice at the same moment, as on AWS.
    #[test]
    fn chaos_doubles_what_is_in_any_lane() {
        let world = World::for_tests(1);
        world.faults.replace(chaos(7));
        let label = "UserCreated → rule welcome → welcome-email";
        for lane in [crate::deliveries::DELIVERIES, crate::deliveries::CALLS, crate::deliveries::INVOCATIONS] {
            let copies: Vec<_> = (0..200).map(|_| world.faults.delivery(lane, label, None).copies).collect();
            assert!(copies.contains(&2) && copies.contains(&1), "{lane}: {copies:?}");
        }
    }

    #[test]
    fn the_plan_of_chaos_can_be_written_and_read() {
        let text = serde_json::to_string(&chaos(7)).expect("JSON");
        assert_eq!(serde_json::from_str::<FaultPlan>(&text).expect("a plan"), chaos(7));
    }

    #[test]
    fn the_examples_in_the_documentation_are_faults() {
        let page = include_str!("../../../docs/introspection.md");
        let spans = page.split('`').filter(|span| span.starts_with("{\"") && span.ends_with('}'));
        let kinds = ["{\"api", "{\"putEvents", "{\"function\"", "{\"trigger", "{\"delivery"];
        let examples: Vec<_> = spans.filter(|span| kinds.iter().any(|kind| span.starts_with(kind))).collect();
        assert!(examples.len() >= kinds.len(), "{examples:?}");
        for example in examples {
            serde_json::from_str::<Fault>(example).unwrap_or_else(|error| panic!("{example}: {error}"));
        }
    }
}
