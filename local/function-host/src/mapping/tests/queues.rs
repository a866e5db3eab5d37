//! Mappings of queues.

use std::time::Duration;

use serde_json::{Value, json};

use super::fakes::{Answer, Bench, FIFO, QUEUE, VISIBILITY_S};
use crate::mapping::progress::Phase;

/// Fails on these bodies the first time.
fn failing_once(bodies: &[&str]) -> impl FnMut(&[String]) -> Answer + Send + use<> {
    let mut left: Vec<String> = bodies.iter().map(ToString::to_string).collect();
    move |batch| {
        let failed: Vec<String> = batch.iter().filter(|body| left.contains(body)).cloned().collect();
        left.retain(|body| !failed.contains(body));
        let items: Vec<Value> = failed.iter().map(|body| json!({"itemIdentifier": format!("id-{body}")})).collect();
        Answer::Value(json!({"batchItemFailures": items}))
    }
}

#[tokio::test]
async fn a_batch_is_handed_over_and_deleted() {
    let bench = Bench::succeeding().await;
    bench.send(["a", "b"]);
    let entry = bench.map(QUEUE, |_| {}).await;
    bench.finish().await;
    assert_eq!(bench.batches(), [["a", "b"]]);
    assert_eq!(bench.fakes.deleted(), ["a", "b"]);
    assert_eq!(entry.progress.phase(), Phase::Enabled);
}

#[tokio::test]
async fn messages_that_come_later_are_handed_over_too() {
    let bench = Bench::succeeding().await;
    let entry = bench.map(QUEUE, |_| {}).await;
    bench.until_phase(&entry, Phase::Enabled).await;
    bench.send(["a"]);
    bench.finish().await;
    assert_eq!(bench.fakes.deleted(), ["a"]);
}

#[tokio::test]
async fn a_window_gathers_what_comes_in_it() {
    let bench = Bench::succeeding().await;
    bench.send(0..12);
    bench.map(QUEUE, |mapping| (mapping.batch_size, mapping.window_s) = (25, 5)).await;
    let began = bench.world.clock.now();
    bench.until(|bench| bench.fakes.deleted().is_empty()).await;
    bench.finish().await;
    assert_eq!(bench.batches().len(), 1);
    assert_eq!(bench.world.clock.now().since(began), Duration::from_secs(VISIBILITY_S.min(5)));
}

#[tokio::test]
async fn a_full_batch_does_not_wait_for_its_window() {
    let bench = Bench::succeeding().await;
    bench.send(0..3);
    bench.map(QUEUE, |mapping| (mapping.batch_size, mapping.window_s) = (3, 300)).await;
    bench.until(|bench| bench.fakes.deleted().len() == 3).await;
}

#[tokio::test]
async fn what_fails_comes_again_after_its_visibility_timeout() {
    let mut times = 0;
    let bench = Bench::new(move |_| {
        times += 1;
        if times < 3 { Answer::Error } else { Answer::Value(Value::Null) }
    });
    let bench = bench.await;
    bench.send(["a", "b"]);
    bench.map(QUEUE, |_| {}).await;
    let began = bench.world.clock.now();
    bench.finish().await;
    assert_eq!(bench.batches().len(), 3);
    assert_eq!(bench.world.clock.now().since(began), Duration::from_secs(2 * VISIBILITY_S));
}

#[tokio::test]
async fn of_a_batch_that_partly_fails_the_rest_is_deleted() {
    let bench = Bench::new(failing_once(&["b"])).await;
    bench.send(["a", "b", "c"]);
    bench.map(QUEUE, |mapping| mapping.reports_failures = true).await;
    bench.finish().await;
    assert_eq!(bench.batches(), [vec!["a", "b", "c"], vec!["b"]]);
    assert_eq!(bench.fakes.deleted(), ["a", "c", "b"]);
}

#[tokio::test]
async fn a_report_of_failures_is_read_only_where_it_was_asked_for() {
    let bench = Bench::new(failing_once(&["b"])).await;
    bench.send(["a", "b"]);
    bench.map(QUEUE, |_| {}).await;
    bench.finish().await;
    assert_eq!(bench.batches().len(), 1);
}

#[tokio::test]
async fn what_no_filter_lets_pass_is_deleted() {
    let bench = Bench::succeeding().await;
    bench.send(["apple", "pear", "grape"]);
    bench.map(QUEUE, |mapping| mapping.filters = vec![r#"{"has":"ap"}"#.into()]).await;
    bench.finish().await;
    assert_eq!(bench.batches(), [["apple", "grape"]]);
    assert_eq!(bench.fakes.deleted(), ["pear", "apple", "grape"]);
}

#[tokio::test]
async fn a_fifo_queue_keeps_the_order_of_a_group() {
    let bench = Bench::new(failing_once(&["a1"])).await;
    for (body, group) in [("a1", "a"), ("b1", "b"), ("a2", "a"), ("b2", "b")] {
        bench.fakes.send(body, Some(group));
    }
    bench.map(FIFO, |mapping| mapping.reports_failures = true).await;
    bench.finish().await;
    assert_eq!(bench.batches(), [vec!["a1", "b1", "a2", "b2"], vec!["a1", "a2"]]);
    assert_eq!(bench.fakes.deleted(), ["b1", "b2", "a1", "a2"]);
}

#[tokio::test]
async fn a_throttled_function_gets_its_messages_later_however_often() {
    let mut times = 0;
    let bench = Bench::new(move |_| {
        times += 1;
        // In the end it is left alone for longer than its messages are hidden.
        if times < 9 { Answer::Throttled } else { Answer::Value(Value::Null) }
    });
    let bench = bench.await;
    bench.send(["a"]);
    bench.map(QUEUE, |_| {}).await;
    bench.finish().await;
    assert_eq!(bench.fakes.deleted(), ["a"]);
}

#[tokio::test]
async fn a_mapping_that_is_disabled_reads_nothing_until_it_is_enabled() {
    let bench = Bench::succeeding().await;
    let entry = bench.map(QUEUE, |mapping| mapping.enabled = false).await;
    bench.until_phase(&entry, Phase::Disabled).await;
    bench.send(["a"]);
    assert!(bench.mappings.pending().await.is_empty() && bench.batches().is_empty());
    let enable = bench.mappings.change(&entry.mapping.uuid, |mapping| {
        mapping.enabled = true;
        Ok(())
    });
    let (entry, phase) = enable.await.expect("it is changed");
    assert_eq!(phase, Phase::Enabling);
    bench.finish().await;
    assert_eq!((entry.progress.phase(), bench.fakes.deleted().len()), (Phase::Enabled, 1));
}

#[tokio::test]
async fn a_deleted_mapping_is_gone_in_the_end() {
    let bench = Bench::succeeding().await;
    let entry = bench.map(QUEUE, |_| {}).await;
    bench.until_phase(&entry, Phase::Enabled).await;
    bench.mappings.remove(&entry.mapping.uuid).await.expect("it is removed");
    assert_eq!(entry.progress.phase(), Phase::Deleting);
    bench.until(|bench| bench.mappings.all().is_empty()).await;
}

#[tokio::test]
async fn a_mapping_whose_queue_goes_is_disabled() {
    let bench = Bench::succeeding().await;
    let entry = bench.map(QUEUE, |_| {}).await;
    bench.until_phase(&entry, Phase::Enabled).await;
    bench.fakes.go();
    bench.until_phase(&entry, Phase::Disabled).await;
    let found = bench.mappings.get(&entry.mapping.uuid).expect("it is there");
    assert_eq!(found.mapping.disabled_because.as_deref(), Some("The event source does not exist."));
}

#[tokio::test]
async fn a_mapping_is_there_after_a_restart() {
    let mut bench = Bench::succeeding().await;
    bench.map(QUEUE, |_| {}).await;
    bench.restart().await;
    bench.send(["a"]);
    bench.finish().await;
    assert_eq!(bench.fakes.deleted(), ["a"]);
}
