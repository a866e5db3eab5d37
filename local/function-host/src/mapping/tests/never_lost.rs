//! Whatever a function does with its batches, every record is done in the end or told to the failure destination, and
//! the records of an item or a group are done in order.
//!
//! Of a stream, the order is that of one life of the server. Lambda discards what it has tried often enough and goes on
//! behind it (docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-errors.html), and it may hand out a record a second
//! time (…/invocation-eventsourcemapping.html). A new life begins at the checkpoint, and that may lie before a record
//! which was given up, while others of its item behind it were done: so it is handed out once more, and may be done
//! now. Then it comes after those, and they come again after it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use proptest::prelude::*;
use serde_json::json;

use super::fakes::{Answer, Bench, FIFO, STREAM, sequence};

const DEAD: &str = "arn:aws:sqs:us-east-1:000000000000:dead";

/// What the function does at one invocation.
#[derive(Clone, Copy, Debug)]
enum Deed {
    Succeed,
    Fail,
    /// From this record on, if there are so many.
    FailFrom(usize),
    Throttle,
}

fn deed() -> impl Strategy<Value = Deed> {
    prop_oneof![Just(Deed::Succeed), Just(Deed::Fail), (0..6_usize).prop_map(Deed::FailFrom), Just(Deed::Throttle),]
}

/// Does these deeds, then succeeds. What it did well goes into `done`, in order.
fn doing(
    deeds: Vec<Deed>,
    done: Arc<Mutex<Vec<String>>>,
    id: impl Fn(&str) -> String + Send + 'static,
) -> impl FnMut(&[String]) -> Answer + Send {
    let mut deeds = deeds.into_iter();
    move |batch| {
        let from = match deeds.next() {
            Some(Deed::Fail) => return Answer::Error,
            Some(Deed::Throttle) => return Answer::Throttled,
            Some(Deed::FailFrom(from)) => from.min(batch.len()),
            Some(Deed::Succeed) | None => batch.len(),
        };
        done.lock().expect("no holder panics").extend_from_slice(&batch[..from]);
        let failed: Vec<_> = batch[from..].iter().map(|name| json!({"itemIdentifier": id(name)})).collect();
        Answer::Value(json!({"batchItemFailures": failed}))
    }
}

fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime").block_on(future)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn of_a_stream(
        keys in proptest::collection::vec("[abc]", 1..30),
        deeds in proptest::collection::vec(deed(), 0..25),
        batch_size in 1..8_u32,
        parallelization in 1..4_u32,
        retries_max in -1..3_i64,
        bisects: bool,
        restarts: bool,
    ) {
        run(async {
            let done = Arc::<Mutex<Vec<String>>>::default();
            let mut bench = Bench::new(doing(deeds, done.clone(), str::to_owned)).await;
            let map = bench.map(STREAM, |mapping| {
                (mapping.batch_size, mapping.parallelization) = (batch_size, parallelization);
                (mapping.retries_max, mapping.bisects) = (retries_max, bisects);
                (mapping.reports_failures, mapping.on_failure) = (true, Some(DEAD.into()));
            });
            map.await;
            for key in &keys {
                bench.fakes.write(key);
            }
            let mut first_life = 0;
            if restarts {
                for _ in 0..20 {
                    let _ = bench.mappings.pending().await;
                    tokio::task::yield_now().await;
                }
                first_life = done.lock().expect("no holder panics").len();
                bench.restart().await;
            }
            bench.finish().await;

            let done = done.lock().expect("no holder panics").clone();
            let given_up: Vec<(String, String)> = bench.given_up().iter().map(|body| {
                let number = |name: &str| body["DDBStreamBatchInfo"][name].as_str().expect("a number").to_owned();
                (number("startSequenceNumber"), number("endSequenceNumber"))
            }).collect();
            let is_told = |number: &String| given_up.iter().any(|(first, last)| first <= number && number <= last);
            for number in (0..keys.len()).map(sequence) {
                prop_assert!(done.contains(&number) || is_told(&number), "{number} is lost");
            }
            for life in [&done[..first_life], &done[first_life..]] {
                for key in ["a", "b", "c"] {
                    let of_key: Vec<String> =
                        (0..keys.len()).filter(|place| keys[*place] == key).map(sequence).collect();
                    let done: Vec<&String> = life.iter().filter(|number| of_key.contains(number)).collect();
                    prop_assert!(done.is_sorted_by(|a, b| a < b), "of {key}, one overtook another: {done:?}");
                    let (Some(first), Some(last)) = (done.first(), done.last()) else { continue };
                    let between = of_key.iter().filter(|number| first < number && number < last);
                    for number in between {
                        prop_assert!(done.contains(&number) || is_told(number), "of {key}, {number} was passed over");
                    }
                }
            }
            Ok(())
        })?;
    }

    #[test]
    fn of_a_queue(
        groups in proptest::collection::vec("[abc]", 1..30),
        deeds in proptest::collection::vec(deed(), 0..25),
        batch_size in 1..11_u32,
    ) {
        run(async {
            let bench = Bench::new(doing(deeds, Arc::default(), |body| format!("id-{body}"))).await;
            for (place, group) in groups.iter().enumerate() {
                bench.fakes.send(&place.to_string(), Some(group));
            }
            let map = bench.map(FIFO, |mapping| (mapping.batch_size, mapping.reports_failures) = (batch_size, true));
            map.await;
            bench.finish().await;
            let deleted = bench.fakes.deleted();
            prop_assert_eq!(deleted.len(), groups.len());
            let mut last = HashMap::new();
            for body in deleted {
                let place: usize = body.parse().expect("a number");
                let before = last.insert(groups[place].clone(), place);
                prop_assert!(before.is_none_or(|before| before < place), "{place} overtook one of its group");
            }
            Ok(())
        })?;
    }
}
