//! `PutEvents`.
//!
//! An entry that fails does so alone: the call is a success, and its caller must look at `FailedEntryCount`. An
//! event for a bus that does not exist is a success too (recorded); we say so in the log and the timeline.

use aws_api::Call;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use world::{Timestamp, TraceId};

use crate::book::Book;
use crate::constraint::Constraints;
use crate::envelope::{Envelope, people};
use crate::error::Error;
use crate::json::minified;
use crate::room::EventBus;
use crate::routing::{Accepted, Routed};

/// Entries in one call.
const ENTRIES_MAX: usize = 10;
/// All entries together. 256 KiB until January 2026, as many pages of the documentation still say.
const TOTAL_BYTES_MAX: usize = 1024 * 1024;
/// What a `Time` adds to an entry's size.
const TIME_BYTES: usize = 14;
/// The longest detail type. The service's text for a longer one is not known: the one below is ours.
const DETAIL_TYPE_CHARS_MAX: usize = 128;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    entries: Option<Vec<Entry>>,
    endpoint_id: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Entry {
    time: Option<Value>,
    source: Option<String>,
    #[serde(default)]
    resources: Option<Vec<String>>,
    detail_type: Option<String>,
    detail: Option<String>,
    event_bus_name: Option<String>,
    trace_header: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Response {
    failed_entry_count: usize,
    entries: Vec<EntryResult>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum EntryResult {
    #[serde(rename_all = "PascalCase")]
    Accepted { event_id: String },
    #[serde(rename_all = "PascalCase")]
    Failed { error_code: &'static str, error_message: String },
}

/// Why one entry failed.
type Failure = (&'static str, String);

pub async fn run(room: &EventBus, request: Request, call: &Call) -> Result<Response, Error> {
    let entries = request.constrain()?;
    let book = room.shelf.book().await?;
    let mut response = Response { failed_entry_count: 0, entries: Vec::with_capacity(entries.len()) };
    let mut routed = Routed::default();
    for entry in &entries {
        let accepted = entry.accept(room, call).and_then(|accepted| spared(room, accepted));
        match accepted {
            Ok(accepted) => {
                call.about(accepted.about.iter().cloned());
                entry.route(room, &book, &accepted, &mut routed).await;
                response.entries.push(EntryResult::Accepted { event_id: accepted.id });
            }
            Err((error_code, error_message)) => {
                tracing::warn!(error_code, error_message, "PutEvents did not take an entry");
                response.failed_entry_count += 1;
                response.entries.push(EntryResult::Failed { error_code, error_message });
            }
        }
    }
    room.commit(routed).await?;
    Ok(response)
}

/// An entry that could be taken, unless the fault plan says otherwise.
fn spared(room: &EventBus, accepted: Accepted) -> Result<Accepted, Failure> {
    match room.world.faults.entry(&accepted.detail_type, &accepted.trace) {
        Some(fault) => Err((fault.error.code(), fault.error.message().into())),
        None => Ok(accepted),
    }
}

impl Request {
    fn constrain(self) -> Result<Vec<Entry>, Error> {
        let mut constraints = Constraints::new();
        constraints.required(self.entries.as_ref(), "entries");
        if let Some(entries) = &self.entries {
            let shown = || format!("[{}]", entries.iter().map(Entry::shown).collect::<Vec<_>>().join(", "));
            constraints.count(entries.len(), shown, "entries", 1, ENTRIES_MAX);
            for (index, entry) in entries.iter().enumerate() {
                let at = |member: &str| format!("entries.{}.member.{member}", index + 1);
                constraints.bus(entry.event_bus_name.as_deref(), &at("eventBusName"));
                constraints.length(entry.trace_header.as_deref(), &at("traceHeader"), 1, 500);
            }
        }
        constraints.check()?;
        if self.endpoint_id.is_some() {
            return Err(Error::not_implemented("EndpointId (a global endpoint)"));
        }
        let entries = self.entries.unwrap_or_default();
        if entries.iter().map(Entry::size).sum::<usize>() > TOTAL_BYTES_MAX {
            return Err(Error::validation("Total size of the entries in the request is over the limit."));
        }
        Ok(entries)
    }
}

impl Entry {
    /// As the service counts it.
    fn size(&self) -> usize {
        let length = |text: &Option<String>| text.as_ref().map_or(0, String::len);
        let resources: usize = self.resources.iter().flatten().map(String::len).sum();
        let time = if self.time.is_some() { TIME_BYTES } else { 0 };
        time + length(&self.source) + length(&self.detail_type) + length(&self.detail) + resources
    }

    /// As the service prints it.
    fn shown(&self) -> String {
        let text = |text: &Option<String>| text.clone().unwrap_or_else(|| "null".into());
        let time = self.time.as_ref().map_or_else(|| "null".into(), Value::to_string);
        let resources = self.resources.as_ref().map_or_else(|| "null".into(), |all| format!("[{}]", all.join(", ")));
        format!(
            "PutEventsRequestEntry(time={time}, source={}, resources={resources}, detailType={}, detail={}, \
             eventBusName={}, traceHeader={}, kmsKeyIdentifier=null, internalMetadata=null)",
            text(&self.source),
            text(&self.detail_type),
            text(&self.detail),
            text(&self.event_bus_name),
            text(&self.trace_header),
        )
    }

    fn accept(&self, room: &EventBus, call: &Call) -> Result<Accepted, Failure> {
        let source = required(self.source.as_ref(), "Source")?;
        let detail_type = required(self.detail_type.as_ref(), "DetailType")?;
        let detail = required(self.detail.as_ref(), "Detail")?;
        if source.starts_with("aws.") {
            return Err(("NotAuthorizedForSourceException", "Not authorized for the source.".into()));
        }
        if detail_type.encode_utf16().count() > DETAIL_TYPE_CHARS_MAX {
            return Err(invalid(
                "DetailType",
                &format!("DetailType is longer than {DETAIL_TYPE_CHARS_MAX} characters."),
            ));
        }
        let now = room.world.clock.now();
        let time = self.time.as_ref().map_or(Some(now), read_time);
        let time = time.ok_or_else(|| invalid("Time", "Time is not a timestamp."))?;
        let malformed = || ("MalformedDetail", "Detail is malformed.".to_owned());
        let detail = minified(detail).ok().filter(|detail| detail.starts_with('{')).ok_or_else(malformed)?;
        let id = room.world.random.uuid();
        let resources = self.resources.as_deref().unwrap_or_default();
        let envelope = Envelope { id: &id, detail_type, source, time, resources, detail: &detail };
        let trace = self.trace_header.as_deref().and_then(TraceId::from_header);
        Ok(Accepted {
            event: envelope.json(&room.world.place),
            id,
            detail_type: detail_type.to_owned(),
            time,
            ingested_at: now,
            trace: trace.unwrap_or_else(|| call.trace.clone()),
            about: people(&detail),
            came_by: Vec::new(),
            is_replay: false,
        })
    }

    async fn route(&self, room: &EventBus, book: &Book, accepted: &Accepted, routed: &mut Routed) {
        let bus = room.bus_name(self.event_bus_name.as_deref());
        routed.extend(room.route(book, &bus, accepted).await);
    }
}

fn required<'a>(value: Option<&'a String>, name: &str) -> Result<&'a str, Failure> {
    let value = value.map(String::as_str).filter(|value| !value.is_empty());
    value.ok_or_else(|| invalid(name, &format!("{name} is a required argument.")))
}

fn invalid(name: &str, reason: &str) -> Failure {
    ("InvalidArgument", format!("Parameter {name} is not valid. Reason: {reason}"))
}

/// Seconds since the epoch, as SDKs send it, or RFC 3339, as people write it.
pub fn read_time(time: &Value) -> Option<Timestamp> {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a time beyond the calendar is clamped by the cast, and refused below"
    )]
    let millis = match time {
        Value::Number(seconds) => (seconds.as_f64()? * 1000.0).round() as i64,
        Value::String(text) => text.parse::<jiff::Timestamp>().ok()?.as_millisecond(),
        _ => return None,
    };
    jiff::Timestamp::from_millisecond(millis).ok().map(|_| Timestamp::from_millis(millis))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use world::{Kind, Outcome};

    use crate::testing::Room;

    fn entry(changes: &Value) -> Value {
        let mut entry = json!({ "Source": "s", "DetailType": "d", "Detail": "{}" });
        for (name, value) in changes.as_object().expect("an object") {
            entry[name] = value.clone();
        }
        entry
    }

    #[track_caller]
    fn failed(answer: &Value, code: &str, message: &str) {
        let expected = json!({ "FailedEntryCount": 1, "Entries": [{ "ErrorCode": code, "ErrorMessage": message }] });
        assert_eq!(*answer, expected);
    }

    #[tokio::test]
    async fn what_is_required_fails_its_entry() {
        let t = Room::new();
        for name in ["Source", "DetailType", "Detail"] {
            let answer = t.call("PutEvents", json!({ "Entries": [entry(&json!({ name: null }))] })).await.ok();
            let message = format!("Parameter {name} is not valid. Reason: {name} is a required argument.");
            failed(&answer, "InvalidArgument", &message);
        }
    }

    #[tokio::test]
    async fn a_detail_must_be_an_object() {
        let t = Room::new();
        for detail in ["plain", "[]", "5", "\"{}\"", "{\"a\":", "{} {}", "\"x\""] {
            let answer = t.call("PutEvents", json!({ "Entries": [entry(&json!({ "Detail": detail }))] })).await.ok();
            failed(&answer, "MalformedDetail", "Detail is malformed.");
        }
    }

    #[tokio::test]
    async fn the_services_own_sources_are_refused() {
        let t = Room::new();
        let answer = t.call("PutEvents", json!({ "Entries": [entry(&json!({ "Source": "aws.ec2" }))] })).await.ok();
        failed(&answer, "NotAuthorizedForSourceException", "Not authorized for the source.");
        let other = t.call("PutEvents", json!({ "Entries": [entry(&json!({ "Source": "aws-like" }))] })).await.ok();
        assert_eq!(other["FailedEntryCount"], 0);
    }

    #[tokio::test]
    async fn answers_by_position() {
        let t = Room::new();
        let entries = json!([entry(&json!({})), entry(&json!({ "Detail": "x" })), entry(&json!({}))]);
        let answer = t.call("PutEvents", json!({ "Entries": entries })).await.ok();
        assert_eq!(answer["FailedEntryCount"], 1);
        let has_id: Vec<bool> =
            answer["Entries"].as_array().expect("entries").iter().map(|entry| entry["EventId"].is_string()).collect();
        assert_eq!(has_id, [true, false, true]);
        assert_ne!(answer["Entries"][0]["EventId"], answer["Entries"][2]["EventId"]);
    }

    #[tokio::test]
    async fn eleven_entries_are_too_many() {
        let t = Room::new();
        let one = entry(&json!({ "EventBusName": "b" }));
        let answer = t.call("PutEvents", json!({ "Entries": vec![one; 11] })).await;
        let shown = "PutEventsRequestEntry(time=null, source=s, resources=null, detailType=d, detail={}, eventBusName=b, traceHeader=null, kmsKeyIdentifier=null, internalMetadata=null)";
        let message = format!(
            "1 validation error detected: Value '[{}]' at 'entries' failed to satisfy constraint: Member must have length less than or equal to 10",
            [shown; 11].join(", ")
        );
        answer.error("ValidationException", &message);
    }

    #[tokio::test]
    async fn none_are_too_few() {
        let t = Room::new();
        let at = "at 'entries' failed to satisfy constraint: Member must";
        let answer = t.call("PutEvents", json!({ "Entries": [] })).await;
        answer.error(
            "ValidationException",
            &format!("1 validation error detected: Value '[]' {at} have length greater than or equal to 1"),
        );
        let answer = t.call("PutEvents", json!({})).await;
        answer.error("ValidationException", &format!("1 validation error detected: Value null {at} not be null"));
    }

    #[tokio::test]
    async fn a_mebibyte_is_the_limit() {
        let t = Room::new();
        let big = |bytes: usize| {
            let detail = format!("{{\"a\":\"{}\"}}", "x".repeat(bytes - 8));
            json!({ "Entries": [entry(&json!({ "Detail": detail }))] })
        };
        assert_eq!(t.call("PutEvents", big(1024 * 1024 - 2)).await.ok()["FailedEntryCount"], 0);
        let answer = t.call("PutEvents", big(1024 * 1024 - 1)).await;
        answer.error("ValidationException", "Total size of the entries in the request is over the limit.");
    }

    #[tokio::test]
    async fn an_unknown_bus_is_a_success_and_a_warning() {
        let t = Room::new();
        let answer =
            t.call("PutEvents", json!({ "Entries": [entry(&json!({ "EventBusName": "nowhere" }))] })).await.ok();
        assert_eq!(answer["FailedEntryCount"], 0);
        let warning = t.moments(Kind::Warning).pop().expect("a warning");
        assert_eq!(warning.what, "d went to the bus nowhere, which does not exist");
    }

    #[tokio::test]
    async fn all_deliveries_of_a_call_are_queued_at_once() {
        let t = Room::new();
        let queue = |name: &str| format!("arn:aws:sqs:us-east-1:000000000000:{name}");
        t.rule("default", "r1", r#"{"source":["s"]}"#).await;
        t.target("default", "r1", json!({ "Id": "a", "Arn": queue("a") })).await;
        t.target("default", "r1", json!({ "Id": "b", "Arn": queue("b") })).await;
        t.rule("default", "r2", r#"{"detail-type":["d"]}"#).await;
        t.target("default", "r2", json!({ "Id": "a", "Arn": queue("a") })).await;
        t.call("PutEvents", json!({ "Entries": [entry(&json!({})), entry(&json!({}))] })).await.ok();
        assert_eq!((t.queued().len(), t.calls_of_enqueue()), (6, 1));
        assert_eq!(t.queued()[0].label, "d → rule r1 → a");
    }

    #[tokio::test]
    async fn a_call_whose_deliveries_cannot_be_queued_fails() {
        let t = Room::new();
        t.rule("default", "r", r#"{"source":["s"]}"#).await;
        t.target("default", "r", json!({ "Id": "a", "Arn": "arn:aws:sqs:us-east-1:000000000000:q" })).await;
        t.break_the_lane();
        let answer = t.call("PutEvents", json!({ "Entries": [entry(&json!({}))] })).await;
        answer.error("InternalException", "An internal error occurred.");
        assert_eq!(t.moments(Kind::Event).len(), 0);
    }

    #[tokio::test]
    async fn the_timeline_tells_which_rules_matched_and_why_not() {
        let t = Room::new();
        t.rule("default", "yes", r#"{"source":["s"]}"#).await;
        t.rule("default", "no", r#"{"source":["s"],"detail":{"kind":["x"]}}"#).await;
        t.call("PutEvents", json!({ "Entries": [entry(&json!({ "Detail": r#"{"data":{"userId":"u1"}}"# }))] }))
            .await
            .ok();
        let rules = t.moments(Kind::Rule);
        let told = |what: &str| rules.iter().find(|moment| moment.what == what).expect("it is told").clone();
        assert_eq!(told("rule yes matched").outcome, Outcome::Ok);
        let no = told("rule no did not match");
        assert_eq!(
            (no.outcome, no.detail.as_deref()),
            (Outcome::Skipped, Some("detail.kind is not there; wanted \"x\""))
        );
        assert_eq!(no.about, ["u1"]);
        assert_eq!(t.moments(Kind::Warning).pop().expect("a warning").what, "rule yes matched d but has no targets");
    }

    #[tokio::test]
    async fn an_event_that_no_rule_matched_is_a_warning() {
        let t = Room::new();
        t.event("default", "s", json!({})).await;
        let warning = t.moments(Kind::Warning).pop().expect("a warning");
        assert_eq!(warning.what, "no rule on bus default matched d");
        assert_eq!(warning.detail.as_deref(), Some("0 rules, 0 of them enabled"));
        t.rule("default", "a", r#"{"source":["other"]}"#).await;
        t.rule("default", "b", r#"{"source":["s"],"detail":{"kind":["x"]}}"#).await;
        t.event("default", "s", json!({})).await;
        let detail = "2 rules, 2 of them enabled; rule b did not match: detail.kind is not there; wanted \"x\"";
        assert_eq!(t.moments(Kind::Warning).pop().expect("a warning").detail.as_deref(), Some(detail));
        t.rule("default", "c", r#"{"source":["s"]}"#).await;
        t.call("DisableRule", json!({ "Name": "c" })).await.ok();
        t.event("default", "s", json!({})).await;
        let detail = "3 rules, 2 of them enabled; rule c would have matched, and is disabled";
        assert_eq!(t.moments(Kind::Warning).pop().expect("a warning").detail.as_deref(), Some(detail));
    }

    #[tokio::test]
    async fn a_flood_of_events_is_not_one_of_explanations() {
        let t = Room::new();
        for n in 0..5 {
            t.rule("default", &format!("far{n}"), r#"{"source":["other"]}"#).await;
        }
        for _ in 0..300 {
            t.event("default", "s", json!({})).await;
        }
        assert_eq!(t.moments(Kind::Rule).len(), 200 * 5);
        assert_eq!(t.moments(Kind::Warning).len(), 300, "each is warned of, with the nearest rule");
        let events = t.moments(Kind::Event);
        let said: Vec<_> = events.iter().filter_map(|moment| moment.detail.as_deref()).collect();
        assert_eq!(said, ["5 rules did not match; why is told of the first 200 events of a second"; 100]);
    }

    /// What cannot be answered must not end the process either: all of it runs on a small stack.
    #[test]
    fn bad_input_is_answered_on_a_small_stack() {
        let on_a_small_stack = || {
            let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
            runtime.block_on(async {
                let t = Room::new();
                let deep = |open: &str, close: &str, n: usize| format!("{}1{}", open.repeat(n), close.repeat(n));
                for n in [999, 1_000, 100_000] {
                    let detail = deep("{\"a\":", "}", n);
                    let answer = t.call("PutEvents", json!({ "Entries": [entry(&json!({ "Detail": detail }))] })).await;
                    let is_deep = n > 1_000;
                    assert_eq!(answer.ok()["FailedEntryCount"], i32::from(is_deep), "{n}");
                    for pattern in [deep("{\"a\":", "}", n), deep("{\"$or\":[", "]}", n), deep("[", "]", n)] {
                        let put = json!({ "Name": "deep", "EventPattern": pattern });
                        assert!(t.call("PutRule", put).await.is_error(), "{n}");
                    }
                    let target =
                        json!({ "Id": "t", "Arn": "arn:aws:sqs:us-east-1:000000000000:q", "Input": deep("[", "]", n) });
                    t.rule("default", "r", r#"{"source":["s"]}"#).await;
                    let put = t.call("PutTargets", json!({ "Rule": "r", "Targets": [target] })).await;
                    assert_eq!(put.is_error(), is_deep, "{n}");
                }
            });
        };
        let thread = std::thread::Builder::new().stack_size(512 * 1024).spawn(on_a_small_stack);
        thread.expect("a thread").join().expect("it ends well");
    }

    /// A pattern a thousand deep is longer than any may be; the deepest that is not works.
    #[test]
    fn the_deepest_pattern_works_on_a_small_stack() {
        const DEPTH: usize = 680;
        let on_a_small_stack = || {
            let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
            runtime.block_on(async {
                let t = Room::new();
                let nested = |value: &str, n: usize| format!("{}{value}{}", "{\"a\":".repeat(n), "}".repeat(n));
                let pattern = |n: usize| format!("{{\"detail\":{}}}", nested("[\"x\"]", n));
                let put = |n: usize| json!({ "Name": "deep", "EventPattern": pattern(n) });
                let too_long = format!(
                    "1 validation error detected: Value '{}' at 'eventPattern' failed to satisfy constraint: Member must \
                     have length less than or equal to 4096",
                    pattern(1_000)
                );
                t.call("PutRule", put(1_000)).await.error("ValidationException", &too_long);
                t.call("PutRule", put(DEPTH)).await.ok();
                t.target("default", "deep", json!({ "Id": "q", "Arn": "arn:aws:sqs:us-east-1:000000000000:q" })).await;
                for (value, detail_type) in [("\"x\"", "fits"), ("\"y\"", "does not")] {
                    let changes = json!({ "Detail": nested(value, DEPTH), "DetailType": detail_type });
                    let answer = t.call("PutEvents", json!({ "Entries": [entry(&changes)] })).await.ok();
                    assert_eq!(answer["FailedEntryCount"], 0);
                }
                let labels: Vec<_> = t.queued().into_iter().map(|delivery| delivery.label).collect();
                assert_eq!(labels, ["fits → rule deep → q"]);
                let told = t.moments(Kind::Rule).pop().expect("the second is told").detail.clone();
                assert!(told.is_some_and(|told| told.starts_with("detail.a.a.")), "why it does not");
            });
        };
        let thread = std::thread::Builder::new().stack_size(512 * 1024).spawn(on_a_small_stack);
        thread.expect("a thread").join().expect("it ends well");
    }

    #[tokio::test]
    async fn many_rules_do_not_flood_the_timeline() {
        let t = Room::new();
        for n in 0..30 {
            t.rule("default", &format!("far{n}"), r#"{"source":["other"]}"#).await;
            t.rule("default", &format!("near{n}"), r#"{"source":["s"],"detail":{"x":[{"exists":true}]}}"#).await;
        }
        t.event("default", "s", json!({})).await;
        assert_eq!(t.moments(Kind::Rule).len(), 20);
        t.event("default", "unknown", json!({})).await;
        assert_eq!(t.moments(Kind::Rule).len(), 30);
        let events = t.moments(Kind::Event);
        let said: Vec<_> = events.iter().map(|moment| moment.detail.as_deref().unwrap_or_default()).collect();
        let more = |rules: u32, told: u32| format!("{rules} more rules did not match; {told} are told one by one");
        assert_eq!(said, [more(40, 20), more(50, 10)]);
    }

    #[tokio::test]
    async fn times_traces_and_resources_are_carried() {
        let t = Room::new();
        t.rule("default", "r", r#"{"resources":["r1"]}"#).await;
        t.target("default", "r", json!({ "Id": "a", "Arn": "arn:aws:sqs:us-east-1:000000000000:q" })).await;
        let changes =
            json!({ "Time": 1_500_000_000.75, "Resources": ["r1"], "TraceHeader": "Root=1-67891233-abcdef;Sampled=1" });
        t.call("PutEvents", json!({ "Entries": [entry(&changes)] })).await.ok();
        t.attempt_all().await;
        let sent = t.sent().pop().expect("a message");
        assert_eq!(sent.trace, "1-67891233-abcdef");
        assert!(
            sent.body.contains(r#""time":"2017-07-14T02:40:00Z","region":"us-east-1","resources":["r1"],"detail":{}}"#),
            "{}",
            sent.body
        );
    }
}
