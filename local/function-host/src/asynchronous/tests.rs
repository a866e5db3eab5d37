//! Queued invocations: attempt by attempt, to their end.

use serde_json::{Value, json};

use super::*;
use crate::testing::{Delivery, Tandem};

const QUEUE: &str = "arn:aws:sqs:us-east-1:000000000000:q";
const ARN: &str = "arn:aws:lambda:us-east-1:000000000000:function:f";

async fn tandem() -> Tandem {
    let tandem = Tandem::new();
    tandem.create("f", "h").await;
    tandem
}

/// Invokes asynchronously and takes what was queued.
async fn queued(tandem: &Tandem, event: Value) -> Vec<u8> {
    let reply = tandem.invoke_with("f", event, &[("x-amz-invocation-type", "Event")]).await.expect("it is queued");
    assert_eq!((reply.status.as_u16(), reply.body.len()), (202, 0));
    let (job, label) = tandem.queued.0.lock().expect("no holder panics").pop().expect("a job");
    assert_eq!(label, "f");
    job
}

async fn configure(tandem: &Tandem, config: Value) {
    let mut input = json!({"FunctionName": "f"});
    input.as_object_mut().expect("an object").extend(config.as_object().expect("an object").clone());
    tandem.call("PutFunctionEventInvokeConfig", input).await.expect("it is configured");
}

fn sent(tandem: &Tandem) -> Vec<Delivery> {
    std::mem::take(&mut tandem.sent.0.lock().expect("no holder panics"))
}

fn in_seconds(tandem: &Tandem, seconds: u64) -> Timestamp {
    tandem.world.clock.now().plus(Duration::from_secs(seconds))
}

#[tokio::test]
async fn an_event_that_succeeds_is_done_and_told() {
    let tandem = tandem().await;
    configure(&tandem, json!({"DestinationConfig": {"OnSuccess": {"Destination": QUEUE}}})).await;
    let job = queued(&tandem, json!({"n": 1})).await;
    assert_eq!(tandem.host.attempt(&job, 0, tandem.world.clock.now()).await, Step::Done);
    let (arn, record, attributes) = sent(&tandem).remove(0);
    assert_eq!((arn.as_str(), attributes.len()), (QUEUE, 0));
    assert_eq!(record["version"], "1.0");
    assert_eq!(record["timestamp"], "2026-01-01T00:00:00.000Z");
    assert_eq!(record["requestPayload"], json!({"n": 1}));
    assert_eq!(record["responsePayload"]["event"], json!({"n": 1}));
    assert_eq!(record["responseContext"], json!({"statusCode": 200, "executedVersion": "$LATEST"}));
    let context = &record["requestContext"];
    assert_eq!((&context["condition"], &context["approximateInvokeCount"]), (&json!("Success"), &json!(1)));
    assert_eq!(context["functionArn"], format!("{ARN}:$LATEST"));
}

#[tokio::test]
async fn an_event_that_fails_is_tried_twice_more_and_then_given_up() {
    let tandem = tandem().await;
    configure(&tandem, json!({"DestinationConfig": {"OnFailure": {"Destination": QUEUE}}})).await;
    let job = queued(&tandem, json!({"do": "fail"})).await;
    let first_queued = tandem.world.clock.now();
    let due = in_seconds(&tandem, 60);
    assert_eq!(tandem.host.attempt(&job, 0, first_queued).await, Step::Retry { due });
    tandem.world.clock.advance(Duration::from_mins(1));
    let due = in_seconds(&tandem, 120);
    assert_eq!(tandem.host.attempt(&job, 1, first_queued).await, Step::Retry { due });
    assert!(sent(&tandem).is_empty());
    tandem.world.clock.advance(Duration::from_mins(2));
    assert_eq!(tandem.host.attempt(&job, 2, first_queued).await, Step::GaveUp);
    let (_, record, _) = sent(&tandem).remove(0);
    let context = &record["requestContext"];
    assert_eq!((&context["condition"], &context["approximateInvokeCount"]), (&json!("RetriesExhausted"), &json!(3)));
    assert_eq!(record["responseContext"]["functionError"], "Unhandled");
    assert_eq!(record["responsePayload"]["errorMessage"], "it went wrong");
    let moments = tandem.world.timeline.all();
    let outcomes: Vec<_> =
        moments.iter().filter(|moment| moment.kind == Kind::Invocation).map(|moment| moment.outcome).collect();
    assert_eq!(outcomes, [Went::Retrying, Went::Retrying, Went::Failed]);
}

#[tokio::test]
async fn all_attempts_have_one_request_id() {
    let tandem = tandem().await;
    let job = queued(&tandem, json!({"do": "fail"})).await;
    for failed in 0..2 {
        tandem.host.attempt(&job, failed, tandem.world.clock.now()).await;
    }
    let moments = tandem.world.timeline.all();
    let ids: Vec<_> =
        moments.iter().filter(|moment| moment.kind == Kind::Invocation).map(|moment| moment.ids.clone()).collect();
    assert_eq!(ids[0], ids[1]);
}

#[tokio::test]
async fn a_dead_letter_is_the_event_itself() {
    let tandem = Tandem::new();
    tandem.create_with("f", "h", json!({"DeadLetterConfig": {"TargetArn": QUEUE}})).await;
    configure(&tandem, json!({"MaximumRetryAttempts": 0})).await;
    let job = queued(&tandem, json!({"do": "fail"})).await;
    assert_eq!(tandem.host.attempt(&job, 0, tandem.world.clock.now()).await, Step::GaveUp);
    let (arn, body, attributes) = sent(&tandem).remove(0);
    assert_eq!((arn.as_str(), body), (QUEUE, json!({"do": "fail"})));
    assert_eq!((attributes["ErrorCode"].as_str(), attributes["ErrorMessage"].as_str()), ("200", "it went wrong"));
    assert_eq!(attributes["RequestID"].len(), 36);
}

#[tokio::test]
async fn retry_waits_follow_the_time_scale() {
    let tandem = Tandem::with(|settings, _| settings.time_scale = 60.0);
    tandem.create("f", "h").await;
    let job = queued(&tandem, json!({"do": "fail"})).await;
    let due = in_seconds(&tandem, 1);
    assert_eq!(tandem.host.attempt(&job, 0, tandem.world.clock.now()).await, Step::Retry { due });
}

#[tokio::test]
async fn an_event_that_is_too_old_is_not_tried() {
    let tandem = tandem().await;
    let config = json!({"MaximumEventAgeInSeconds": 60, "DestinationConfig": {"OnFailure": {"Destination": QUEUE}}});
    configure(&tandem, config).await;
    let job = queued(&tandem, json!({})).await;
    let first_queued = tandem.world.clock.now();
    tandem.world.clock.advance(Duration::from_secs(61));
    assert_eq!(tandem.host.attempt(&job, 0, first_queued).await, Step::GaveUp);
    let (_, record, _) = sent(&tandem).remove(0);
    assert_eq!(record["requestContext"]["condition"], "EventAgeExceeded");
    assert_eq!(tandem.host.sandboxes(), 0);
}

#[tokio::test]
async fn an_event_for_a_function_that_is_switched_off_goes_to_its_destination() {
    let tandem = tandem().await;
    configure(&tandem, json!({"DestinationConfig": {"OnFailure": {"Destination": QUEUE}}})).await;
    let off = json!({"FunctionName": "f", "ReservedConcurrentExecutions": 0});
    tandem.call("PutFunctionConcurrency", off).await.expect("it is switched off");
    let job = queued(&tandem, json!({})).await;
    assert_eq!(tandem.host.attempt(&job, 0, tandem.world.clock.now()).await, Step::GaveUp);
    assert_eq!(sent(&tandem).remove(0).1["requestContext"]["condition"], "ZeroReservedConcurrency");
}

#[tokio::test]
async fn an_event_that_is_not_let_in_is_postponed_longer_and_longer() {
    let tandem = tandem().await;
    let job = queued(&tandem, json!({})).await;
    let first_queued = tandem.world.clock.now();
    tandem.host.unreserved_max.store(0, std::sync::atomic::Ordering::Relaxed);
    for (age, wait) in [(0, 1), (10, 10), (3600, 300)] {
        tandem.world.clock.advance(Duration::from_secs(age));
        let due = in_seconds(&tandem, wait);
        let step = tandem.host.attempt(&job, 0, first_queued).await;
        let Step::Postponed { due: postponed } = step else { panic!("{step:?}") };
        assert!(postponed >= due && postponed <= due.plus(Duration::from_secs(10)), "after {age} s");
    }
}

#[tokio::test]
async fn an_event_for_a_function_that_is_gone_is_dropped_aloud() {
    let tandem = tandem().await;
    let job = queued(&tandem, json!({})).await;
    tandem.call("DeleteFunction", json!({"FunctionName": "f"})).await.expect("it is deleted");
    assert_eq!(tandem.host.attempt(&job, 0, tandem.world.clock.now()).await, Step::GaveUp);
    assert!(tandem.world.timeline.all().iter().any(|moment| moment.kind == Kind::Warning));
}

#[tokio::test]
async fn a_job_can_be_made_for_somebody_elses_queue() {
    let tandem = tandem().await;
    let trace = TraceId::from_root("1-00000000-000000000000000000000000");
    let job = tandem.host.async_job(ARN, br#"{"n": 1}"#, &trace).expect("a job");
    assert_eq!(tandem.host.attempt(&job, 0, tandem.world.clock.now()).await, Step::Done);
    assert!(matches!(tandem.host.async_job("g", b"{}", &trace), Err(InvokeError::NotFound(_))));
    assert!(matches!(tandem.host.async_job("f", b"{", &trace), Err(InvokeError::Invalid(_))));
}

#[tokio::test]
async fn an_asynchronous_event_may_be_a_megabyte() {
    let tandem = tandem().await;
    let event = [("x-amz-invocation-type", "Event")];
    let large = json!("x".repeat(1024 * 1024));
    let error = tandem.invoke_with("f", large, &event).await.expect_err("it is refused");
    assert_eq!(error.short_code(), "RequestTooLargeException");
    let expected = "1048578 byte payload is too large for the Event invocation type (limit 1048576 bytes)";
    assert_eq!(error.message, expected);
}
