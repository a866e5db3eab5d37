//! What a trigger answers: the event that it got.

use template::Span;

use crate::code::{Code, Flow, Function, Language};
use crate::finding::{Check, Mark, Rule, Severity};
use crate::project::{Handler, Project, Resource, Trigger};

pub const EVENT: Rule = Rule {
    id: "handler-without-event",
    severity: Severity::Error,
    reason: "Cognito goes on only if the trigger returns the event that it got",
    check: Check::Project(event),
};

/// From this one on Node.js takes no callbacks, and what a function returns without a promise counts.
const NODE_WITHOUT_CALLBACKS: u32 = 24;

fn event(project: &Project) -> Vec<Mark> {
    triggered(project)
        .filter_map(|(function, handler, trigger)| {
            let called = handler.called()?;
            let code = handler.entry();
            let flow = code.flow(&called);
            let (span, what) = fault(code, &called, &flow, node_version(function))?;
            let message = format!(
                "{what}: {} fails with InvalidLambdaResponseException, \"Unrecognizable lambda output\"",
                trigger.name
            );
            Some(
                Mark::at(&span, message)
                    .also(trigger.span, "it runs at this trigger")
                    .help("end every way through the handler with `return event`"),
            )
        })
        .collect()
}

/// The functions that Cognito waits for, with their sources and one of their triggers.
fn triggered(project: &Project) -> impl Iterator<Item = (&Resource, &Handler, Trigger<'_>)> {
    project.handlers().iter().filter_map(|handler| {
        let function = project.resource(&handler.function)?;
        let trigger = project.triggers_that_run(&handler.function).into_iter().find(Trigger::is_answered)?;
        Some((function, handler, trigger))
    })
}

fn node_version(function: &Resource) -> Option<u32> {
    function.text("Runtime")?.strip_prefix("nodejs")?.trim_end_matches(".x").parse().ok()
}

/// The first place from which no event comes back.
fn fault(code: &Code, called: &Function, flow: &Flow, node: Option<u32>) -> Option<(Span, String)> {
    let head = code.span_of(called.start);
    let answers_back = answers_by_call(code, called);
    if answers_back {
        return None;
    }
    for returned in &flow.returns {
        if returned.value.is_empty() {
            return Some((code.span_of(returned.at), "this return gives nothing back".to_owned()));
        }
        if let Some(what) = wrong_value(code, returned.value.clone()) {
            return Some((code.span(&returned.value), format!("{what} is not the event")));
        }
    }
    if flow.returns.is_empty() {
        return Some((head, "this handler returns nothing".to_owned()));
    }
    if flow.runs_out {
        return Some((head, "this handler can end without returning the event".to_owned()));
    }
    let is_plain = code.language == Language::JavaScript && !called.is_async;
    let old = node.is_none_or(|version| version < NODE_WITHOUT_CALLBACKS);
    let event = called.parameters.first().cloned().flatten();
    let all_values = !flow.returns.is_empty()
        && flow.returns.iter().all(|one| one.value.len() == 1 && event.as_deref() == Some(code.word(one.value.start)));
    if is_plain && old && all_values {
        let what = "this handler is not async, and Node.js up to 22 ignores what such a one returns";
        return Some((head, what.to_owned()));
    }
    None
}

/// `callback(null, event)`, `context.done(…)`, `context.succeed(…)`, wherever it stands.
fn answers_by_call(code: &Code, called: &Function) -> bool {
    if code.language != Language::JavaScript {
        return false;
    }
    let body = called.body.tokens();
    let callback = called.parameters.get(2).cloned().flatten();
    // Handed on or called: both will do.
    let uses_callback = callback.is_some_and(|name| code.mentions_in(body.clone(), &name));
    let context = called.parameters.get(1).cloned().flatten();
    let uses_context = context.is_some_and(|name| {
        body.clone().any(|token| {
            let ends = ["done", "succeed"].iter().any(|word| code.is_word(token + 2, word));
            code.is_word(token, &name) && code.is_mark(token + 1, ".") && ends
        })
    });
    uses_callback || uses_context
}

/// What a value that surely is no event is.
fn wrong_value(code: &Code, value: std::ops::Range<usize>) -> Option<String> {
    let first = value.start;
    if value.len() == 1 {
        let word = code.word(first);
        let is_nothing = matches!(word, "undefined" | "null" | "None" | "true" | "false" | "True" | "False");
        let is_literal = code.is_text(first) || word.starts_with(|c: char| c.is_ascii_digit());
        return (is_nothing || is_literal)
            .then(|| if code.is_text(first) { "a text".to_owned() } else { word.to_owned() });
    }
    // An answer as API Gateway wants it.
    let is_object = code.is_mark(first, "{") && code.closing(first) == Some(value.end - 1);
    (is_object && code.mentions_in(value, "statusCode")).then(|| "an answer for API Gateway".to_owned())
}

pub const CALLBACK: Rule = Rule {
    id: "handler-with-callback",
    severity: Severity::Error,
    reason: "from Node.js 24 on Lambda refuses handlers with a callback",
    check: Check::Project(callback),
};

fn callback(project: &Project) -> Vec<Mark> {
    project
        .handlers()
        .iter()
        .filter_map(|handler| {
            let function = project.resource(&handler.function)?;
            let called = handler.called()?;
            let is_new = node_version(function)? >= NODE_WITHOUT_CALLBACKS;
            (is_new && called.parameters.len() > 2).then(|| {
                let message =
                    "this handler takes a callback: on Node.js 24 it fails with Runtime.CallbackHandlerDeprecated";
                Mark::at(&handler.entry().span_of(called.start), message)
                    .also(function.span_at(&["Runtime"]), "the runtime")
                    .help("make it `async (event) => { …; return event; }`")
            })
        })
        .collect()
}
