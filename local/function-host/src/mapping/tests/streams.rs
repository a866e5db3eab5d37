//! Mappings of streams.

use std::time::Duration;

use serde_json::{Value, json};

use super::fakes::{Answer, Bench, FUNCTION, SHARD, STREAM, sequence};
use crate::mapping::Position;
use crate::mapping::progress::Phase;

const DEAD: &str = "arn:aws:sqs:us-east-1:000000000000:dead";

fn failing_on(place: usize) -> impl FnMut(&[String]) -> Answer + Send {
    let poison = sequence(place);
    move |batch| if batch.contains(&poison) { Answer::Error } else { Answer::Value(Value::Null) }
}

fn write(bench: &Bench, keys: impl IntoIterator<Item = impl ToString>) {
    keys.into_iter().for_each(|key| bench.fakes.write(&key.to_string()));
}

fn sequences(places: impl IntoIterator<Item = usize>) -> Vec<String> {
    places.into_iter().map(sequence).collect()
}

#[tokio::test]
async fn records_come_in_order_and_in_batches() {
    let bench = Bench::succeeding().await;
    write(&bench, ["a", "b", "a", "c", "a"]);
    let entry = bench.map(STREAM, |mapping| mapping.batch_size = 2).await;
    bench.finish().await;
    assert_eq!(bench.batches(), [sequences(0..2), sequences(2..4), sequences(4..5)]);
    assert_eq!((entry.progress.phase(), entry.progress.last_result()), (Phase::Enabled, "OK".to_owned()));
}

#[tokio::test]
async fn a_write_wakes_the_reader() {
    let bench = Bench::succeeding().await;
    let entry = bench.map(STREAM, |_| {}).await;
    bench.until_phase(&entry, Phase::Enabled).await;
    write(&bench, ["a"]);
    bench.until(|bench| bench.batches().len() == 1).await;
}

#[tokio::test]
async fn a_window_gathers_records() {
    let bench = Bench::succeeding().await;
    write(&bench, ["a", "b"]);
    bench.map(STREAM, |mapping| mapping.window_s = 7).await;
    let began = bench.world.clock.now();
    bench.finish().await;
    assert_eq!(bench.batches(), [sequences(0..2)]);
    assert_eq!(bench.world.clock.now().since(began), Duration::from_secs(7));
}

#[tokio::test]
async fn a_restart_goes_on_behind_what_was_done() {
    let mut bench = Bench::succeeding().await;
    write(&bench, ["a", "b"]);
    let entry = bench.map(STREAM, |_| {}).await;
    bench.finish().await;
    let done = async |bench: &Bench| {
        let outside = bench.mappings.outside().expect("it is connected");
        crate::mapping::store::position(&outside.database, &entry.mapping.uuid, SHARD).await.expect("it is read")
    };
    while done(&bench).await != Some(Position::After(sequence(1))) {
        tokio::task::yield_now().await;
    }
    bench.restart().await;
    write(&bench, ["c"]);
    bench.finish().await;
    assert_eq!(bench.batches(), [sequences(0..2), sequences(2..3)]);
}

#[tokio::test]
async fn what_is_given_up_is_told_to_the_destination_and_passed_over() {
    let bench = Bench::new(failing_on(0)).await;
    write(&bench, ["a"]);
    bench.map(STREAM, |mapping| (mapping.retries_max, mapping.on_failure) = (1, Some(DEAD.into()))).await;
    bench.finish().await;
    write(&bench, ["a"]);
    bench.finish().await;
    assert_eq!(bench.batches(), [sequences(0..1), sequences(0..1), sequences(1..2)]);
    let wanted = json!({
        "requestContext": {
            "requestId": "request", "functionArn": FUNCTION, "condition": "RetryAttemptsExhausted",
            "approximateInvokeCount": 2,
        },
        "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"},
        "version": "1.0",
        "timestamp": "2026-01-01T00:00:01.000Z",
        "DDBStreamBatchInfo": {
            "shardId": SHARD, "startSequenceNumber": sequence(0), "endSequenceNumber": sequence(0),
            "approximateArrivalOfFirstRecord": "2026-01-01T00:00:00Z",
            "approximateArrivalOfLastRecord": "2026-01-01T00:00:00Z", "batchSize": 1, "streamArn": STREAM,
        },
    });
    assert_eq!(bench.given_up(), [wanted]);
}

#[tokio::test]
async fn a_poison_record_is_in_the_timeline_with_its_reason() {
    let bench = Bench::new(failing_on(0)).await;
    write(&bench, ["a"]);
    bench.map(STREAM, |mapping| mapping.retries_max = 0).await;
    bench.finish().await;
    let told = bench.world.timeline.all();
    let warning = told.iter().find(|moment| moment.kind == world::Kind::Warning).expect("it is told");
    assert_eq!(warning.what, "stream of people → f (1 records)");
    let detail = warning.detail.as_deref().expect("a reason");
    assert_eq!(detail, "RetryAttemptsExhausted after 1 attempts: E: no; nobody is told");
}

#[tokio::test]
async fn halving_finds_the_poison() {
    let bench = Bench::new(failing_on(2)).await;
    write(&bench, ["a"; 5]);
    let map = bench.map(STREAM, |mapping| {
        (mapping.bisects, mapping.retries_max, mapping.on_failure) = (true, 0, Some(DEAD.into()));
    });
    map.await;
    bench.finish().await;
    let given_up = bench.given_up();
    assert_eq!(given_up.len(), 1);
    assert_eq!(given_up[0]["DDBStreamBatchInfo"]["startSequenceNumber"], sequence(2));
    assert_eq!(bench.batches(), [sequences(0..5), sequences(0..2), sequences(2..5), sequences(2..3), sequences(3..5),]);
}

#[tokio::test]
async fn a_report_begins_again_at_the_lowest_record_that_failed() {
    let mut is_first = true;
    let bench = Bench::new(move |_| {
        let items = [json!({"itemIdentifier": sequence(3)}), json!({"itemIdentifier": sequence(1)})];
        let items = if std::mem::take(&mut is_first) { items.to_vec() } else { Vec::new() };
        Answer::Value(json!({"batchItemFailures": items}))
    });
    let bench = bench.await;
    write(&bench, ["a"; 4]);
    bench.map(STREAM, |mapping| mapping.reports_failures = true).await;
    bench.finish().await;
    assert_eq!(bench.batches(), [sequences(0..4), sequences(1..4)]);
}

#[tokio::test]
async fn records_that_are_too_old_are_given_up() {
    let bench = Bench::succeeding().await;
    write(&bench, ["a"]);
    bench.world.clock.advance(Duration::from_secs(61));
    write(&bench, ["a"]);
    bench.map(STREAM, |mapping| (mapping.record_age_max_s, mapping.on_failure) = (60, Some(DEAD.into()))).await;
    bench.finish().await;
    assert_eq!(bench.batches(), [sequences(1..2)]);
    assert_eq!(bench.given_up()[0]["requestContext"]["condition"], "RecordAgeExceeded");
}

#[tokio::test]
async fn a_throttled_function_gets_its_records_later_however_often() {
    let mut times = 0;
    let bench = Bench::new(move |_| {
        times += 1;
        if times < 4 { Answer::Throttled } else { Answer::Value(Value::Null) }
    });
    let bench = bench.await;
    write(&bench, ["a"]);
    let entry = bench.map(STREAM, |mapping| mapping.retries_max = 0).await;
    bench.finish().await;
    assert_eq!((bench.batches().len(), entry.progress.last_result().as_str()), (4, "OK"));
}

#[tokio::test]
async fn what_no_filter_lets_pass_is_passed_over() {
    let bench = Bench::succeeding().await;
    write(&bench, ["apple", "pear", "grape"]);
    bench.map(STREAM, |mapping| mapping.filters = vec![r#"{"has":"pear"}"#.into()]).await;
    bench.finish().await;
    assert_eq!(bench.batches(), [sequences(1..2)]);
}

#[tokio::test]
async fn a_mapping_whose_stream_goes_is_disabled() {
    let bench = Bench::succeeding().await;
    let entry = bench.map(STREAM, |_| {}).await;
    bench.until_phase(&entry, Phase::Enabled).await;
    bench.fakes.go();
    bench.until_phase(&entry, Phase::Disabled).await;
}
