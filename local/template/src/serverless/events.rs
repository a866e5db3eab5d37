//! `events:` of functions: one file per kind. Kinds that have nothing behind them locally are named, with their line.

mod cloud_watch_event;
mod cognito_user_pool;
mod event_bridge;
mod http;
mod http_api;
mod not_served;
mod schedule;
mod sqs;
mod stream;

use crate::error::TemplateError;
use crate::near::did_you_mean;
use crate::node::Node;

use super::service::{Draft, Event, Service};
use super::write::Block;

/// What turns the events of a kind into resources.
type Compile = fn(&Service, &mut Draft) -> Result<(), TemplateError>;

const KINDS: &[(&str, Compile)] = &[
    ("schedule", schedule::compile),
    ("http", http::compile),
    ("httpApi", http_api::compile),
    ("stream", stream::compile),
    ("sqs", sqs::compile),
    ("cloudwatchEvent", cloud_watch_event::compile),
    ("cognitoUserPool", cognito_user_pool::compile),
    ("eventBridge", event_bridge::compile),
];

pub(super) fn compile(service: &Service, draft: &mut Draft) -> Result<(), TemplateError> {
    for function in &service.functions {
        let Some(events) = function.get("events") else { continue };
        for event in events.expect_list(&format!("events of the function {}", function.key))? {
            check_kind(event)?;
        }
    }
    for (_, compile) in KINDS {
        compile(service, draft)?;
    }
    not_served::compile(service, draft);
    Ok(())
}

/// An event is a map with its kind as the only member, or the name of a kind that needs no settings.
fn check_kind(event: &Node) -> Result<(), TemplateError> {
    if event.is_null() {
        return Ok(());
    }
    let known = || KINDS.iter().map(|(kind, _)| *kind).chain(not_served::KINDS.iter().map(|(kind, _)| *kind));
    let kind = |name: &str, span| {
        if known().any(|kind| kind == name) {
            return Ok(());
        }
        let error = TemplateError::new(span, format!("there is no event {name}"));
        Err(error.hint(match did_you_mean(name, known()) {
            Some(hint) => hint,
            None => format!("there are {}", known().collect::<Vec<_>>().join(", ")),
        }))
    };
    if let Some(name) = event.as_str() {
        return kind(name, &event.span);
    }
    let entries = event.expect_map("an event")?.entries();
    let Some(first) = entries.first() else { return Ok(()) };
    kind(&first.key, &first.key_span)?;
    if let Some(beside) = entries.get(1).filter(|_| first.value.is_null()) {
        let message = format!("{} stands beside {}, not inside of it", beside.key, first.key);
        return Err(TemplateError::new(&beside.key_span, message).hint("indent it by two more spaces"));
    }
    Ok(())
}

impl Event<'_> {
    /// A setting that the event cannot be without.
    pub(super) fn needed(&self, kind: &str, key: &str) -> Result<&Node, TemplateError> {
        self.get(key).ok_or_else(|| {
            TemplateError::new(self.span, format!("{kind} of the function {} needs {key}", self.function.key))
        })
    }

    /// Warns of settings that nobody knows.
    pub(super) fn known(&self, kind: &str, keys: &[&str], draft: &mut Draft) {
        super::keys::warn_unknown(self.value, kind, keys, draft);
    }
}

/// `filterPatterns` to `FilterCriteria`.
fn filter_criteria(patterns: &Node) -> Result<Block, TemplateError> {
    let filter = |pattern: &Node| Block::at(&pattern.span).set("Pattern", pattern.to_json().to_string());
    let filters: Vec<Block> = patterns.expect_list("filterPatterns")?.iter().map(filter).collect();
    Ok(Block::at(&patterns.span).set("Filters", filters))
}
