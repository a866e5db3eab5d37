//! Publishing events from functions.

use template::Node;

use crate::code::{Call, Code};
use crate::finding::{Check, Mark, Rule, Severity};
use crate::project::{Project, is_unknown};

const CALLS: &[&str] = &["PutEventsCommand", "putEvents", "put_events"];

/// Calls of the SDK, not of functions that happen to have its words for a name.
fn is_of_sdk(code: &Code, call: &Call) -> bool {
    let before = call.name.wrapping_sub(1);
    code.is_mark(before, ".") || code.is_mark(before, "?.") || code.is_word(before, "new")
}

/// Whether a file publishes events.
fn publishes(code: &Code) -> bool {
    code.calls(CALLS).any(|call| is_of_sdk(code, &call))
}

pub const FAILURES_UNREAD: Rule = Rule {
    id: "put-events-failures-unread",
    severity: Severity::Warning,
    reason: "PutEvents succeeds though events failed: only FailedEntryCount tells, and SDKs do not look",
    check: Check::Project(failures_unread),
};

fn failures_unread(project: &Project) -> Vec<Mark> {
    let mut marks = Vec::new();
    for handler in project.handlers() {
        if handler.mentions_any(&["FailedEntryCount", "failed_entry_count", "failedEntryCount"]) {
            continue;
        }
        for (code, call) in handler.calls(CALLS).filter(|(code, call)| is_of_sdk(code, call)) {
            let message = "nobody looks at FailedEntryCount: an event that the bus did not take is lost without a word";
            marks.push(
                Mark::at(&code.span_of(call.name), message)
                    .help("if FailedEntryCount is over 0, send the entries that have an ErrorCode again, or throw"),
            );
        }
    }
    marks
}

pub const FIXED_BUS: Rule = Rule {
    id: "put-events-fixed-bus",
    severity: Severity::Warning,
    reason: "PutEvents to a bus that is not there succeeds, and the event is gone",
    check: Check::Project(fixed_bus),
};

fn fixed_bus(project: &Project) -> Vec<Mark> {
    let buses: Vec<_> = project.of_kind("AWS::Events::EventBus").collect();
    let mut marks = Vec::new();
    for code in project.handlers().iter().flat_map(|handler| &handler.codes) {
        if !publishes(code) {
            continue;
        }
        for text in code.all().filter_map(|token| literal(code, token, &["EventBusName", "event_bus_name"])) {
            let named = code.word(text);
            if named == "default" || named.contains("${") || code.is_mark(text + 1, "${") {
                continue;
            }
            let is_named = |name: &Node| name.as_str() == Some(named);
            let known: Vec<&Node> = buses.iter().filter_map(|bus| bus.get("Name")).collect();
            let varies =
                |name: &Node| is_unknown(name) || !name.span.text().contains(name.as_str().unwrap_or_default());
            let (name, what) = match known.iter().find(|name| is_named(name)) {
                Some(name) if varies(name) => (name, "is the bus of this stage alone"),
                Some(_) => continue,
                None => match known.first() {
                    Some(name) => (name, "is none of the stack's buses"),
                    None => continue,
                },
            };
            marks.push(
                Mark::at(&code.span_of(text), format!("{named} {what}"))
                    .also(&name.span, "the stack's bus")
                    .help("give the function the bus's name in an environment variable, as Ref of the bus"),
            );
        }
    }
    marks
}

pub const RESERVED_SOURCE: Rule = Rule {
    id: "put-events-reserved-source",
    severity: Severity::Error,
    reason: "sources that begin with aws. are AWS's own: PutEvents refuses them",
    check: Check::Project(reserved_source),
};

fn reserved_source(project: &Project) -> Vec<Mark> {
    let mut marks = Vec::new();
    for code in project.handlers().iter().flat_map(|handler| &handler.codes) {
        if !publishes(code) {
            continue;
        }
        for text in code.all().filter_map(|token| literal(code, token, &["Source", "source"])) {
            if code.word(text).starts_with("aws.") {
                let message = "the entry fails with NotAuthorizedForSourceException";
                marks.push(
                    Mark::at(&code.span_of(text), message)
                        .help("name the source after your application: com.example.users"),
                );
            }
        }
    }
    marks
}

/// The literal behind `Name: '…'`, `Name='…'`, `'Name': '…'` or `.name("…")`.
fn literal(code: &Code, token: usize, names: &[&str]) -> Option<usize> {
    let is_named = names.contains(&code.word(token));
    let is_given = [":", "=", "("].iter().any(|mark| code.is_mark(token + 1, mark));
    (is_named && is_given && code.is_text(token + 2)).then_some(token + 2)
}
