//! What a function's answer says about its batch.
//!
//! The readings are recorded from AWS (lambda.md, 2.5): an empty answer of any sort is success, an item that names
//! nothing of the batch fails all of it.

use std::collections::HashSet;

use serde_json::Value;

use crate::invocation::{FunctionError, Invoked};

/// Of a reason, for people.
const REASON_CHARS_MAX: usize = 300;

/// What came of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// All of it is done.
    Done,
    /// The whole batch failed.
    Failed {
        /// For people.
        why: String,
    },
    /// These failed, by their places in the batch, in order; there is one at least.
    Partly {
        /// In order.
        failed: Vec<usize>,
    },
}

/// Reads the answer; `ids` names the batch's records in order, if the function reports those that failed.
pub(crate) fn of(invoked: &Invoked, ids: Option<&[&str]>) -> Outcome {
    if invoked.function_error.is_some() {
        let error: FunctionError = serde_json::from_slice(&invoked.payload).unwrap_or_default();
        let message: String = error.message.chars().take(REASON_CHARS_MAX).collect();
        let why = if error.kind.is_empty() { message } else { format!("{}: {message}", error.kind) };
        return Outcome::Failed { why };
    }
    match ids {
        Some(ids) => reported(&invoked.payload, ids),
        None => Outcome::Done,
    }
}

fn reported(payload: &[u8], ids: &[&str]) -> Outcome {
    let failed = |why: &str| Outcome::Failed { why: why.to_owned() };
    let items = match serde_json::from_slice(payload) {
        Ok(Value::Null) => return Outcome::Done,
        Ok(Value::Array(items)) if items.is_empty() => return Outcome::Done,
        Ok(Value::Object(mut answer)) => match answer.remove("batchItemFailures") {
            None | Some(Value::Null) => return Outcome::Done,
            Some(Value::Array(items)) => items,
            Some(_) => return failed("the answer's batchItemFailures is no list"),
        },
        Ok(_) | Err(_) => return failed("the answer is no list of batchItemFailures"),
    };
    let mut places = HashSet::new();
    for item in &items {
        let id = item.get("itemIdentifier").and_then(Value::as_str);
        match id.and_then(|id| ids.iter().position(|known| *known == id)) {
            Some(place) => places.insert(place),
            None => return failed("the answer's batchItemFailures name something that is not in the batch"),
        };
    }
    if places.is_empty() {
        return Outcome::Done;
    }
    let mut failed: Vec<usize> = places.into_iter().collect();
    failed.sort_unstable();
    Outcome::Partly { failed }
}

/// What a FIFO queue keeps of a batch that partly failed: of each group the first failure and all behind it. The
/// groups are those of the batch's messages, in order.
pub(crate) fn with_followers(failed: &[usize], groups: &[Option<&str>]) -> Vec<usize> {
    let mut stopped = HashSet::new();
    let mut all = Vec::new();
    for (place, group) in groups.iter().enumerate() {
        if failed.contains(&place) {
            stopped.insert(*group);
        }
        if stopped.contains(group) {
            all.push(place);
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use bytes::Bytes;

    use super::*;

    fn answered(payload: &'static str, function_error: Option<&str>) -> Invoked {
        Invoked {
            payload: Bytes::from_static(payload.as_bytes()),
            function_error: function_error.map(str::to_owned),
            log_tail: None,
            executed_version: "$LATEST".into(),
            duration: Duration::ZERO,
            request_id: "r".into(),
        }
    }

    #[track_caller]
    fn check(payload: &'static str, expected: Option<&[usize]>) {
        let outcome = of(&answered(payload, None), Some(&["a", "b", "c"]));
        match (outcome, expected) {
            (Outcome::Failed { .. }, None) | (Outcome::Done, Some([])) => {}
            (Outcome::Partly { failed }, Some(expected)) => assert_eq!(failed, expected, "{payload}"),
            (outcome, _) => panic!("{payload}: {outcome:?}"),
        }
    }

    #[test]
    fn an_empty_answer_of_any_sort_is_success() {
        for payload in [
            "[]",
            "null",
            "{}",
            r#"{"batchItemFailures":[]}"#,
            r#"{"batchItemFailures":null}"#,
            r#"{"statusCode":200}"#,
        ] {
            check(payload, Some(&[]));
        }
    }

    #[test]
    fn what_names_nothing_of_the_batch_fails_all_of_it() {
        for payload in [
            r#"{"batchItemFailures":[{"foo":"a"}]}"#,
            r#"{"batchItemFailures":[{"itemIdentifier":""}]}"#,
            r#"{"batchItemFailures":[{"itemIdentifier":null}]}"#,
            r#"{"batchItemFailures":[{"itemIdentifier":1}]}"#,
            r#"{"batchItemFailures":[{"itemIdentifier":"x"}]}"#,
            r#"{"batchItemFailures":[{"itemIdentifier":"a"},{"itemIdentifier":"x"}]}"#,
            r#"{"batchItemFailures":["a"]}"#,
            r#"{"batchItemFailures":{}}"#,
            r#"{"batchItemFailures":"#,
            "[1]",
            "7",
        ] {
            check(payload, None);
        }
    }

    #[test]
    fn named_items_failed() {
        check(
            r#"{"batchItemFailures":[{"itemIdentifier":"c"},{"itemIdentifier":"b"},{"itemIdentifier":"c"}]}"#,
            Some(&[1, 2]),
        );
    }

    #[test]
    fn an_error_fails_all_of_it_whatever_it_says() {
        let error = answered(r#"{"errorType":"E","errorMessage":"no"}"#, Some("Unhandled"));
        assert_eq!(of(&error, Some(&["a"])), Outcome::Failed { why: "E: no".into() });
    }

    #[test]
    fn without_reports_any_answer_is_success() {
        assert_eq!(of(&answered(r#"{"batchItemFailures":[{"itemIdentifier":"x"}]}"#, None), None), Outcome::Done);
    }

    #[test]
    fn a_group_stops_at_its_first_failure() {
        let groups = [Some("a"), Some("b"), Some("a"), Some("b"), Some("a")];
        assert_eq!(with_followers(&[2], &groups), [2, 4]);
        assert_eq!(with_followers(&[0, 3], &groups), [0, 2, 3, 4]);
    }
}
