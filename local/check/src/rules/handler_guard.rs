//! PostConfirmation runs after a forgotten password, too.

use crate::finding::{Check, Mark, Rule, Severity};
use crate::project::Project;

pub const GUARD: Rule = Rule {
    id: "handler-without-guard",
    severity: Severity::Warning,
    reason: "PostConfirmation also runs after a forgotten password: a handler must look at triggerSource",
    check: Check::Project(guard),
};

fn guard(project: &Project) -> Vec<Mark> {
    project
        .triggers()
        .into_iter()
        .filter(|trigger| trigger.name == "PostConfirmation")
        .filter_map(|trigger| {
            let function = trigger.function?;
            let handler = project.handler_of(function)?;
            if handler.mentions_any(&["triggerSource", "trigger_source", "PostConfirmation_ConfirmForgotPassword"]) {
                return None;
            }
            let span = handler.called().map_or_else(|| handler.entry().span_of(0), |called| handler.entry().span_of(called.start));
            let message = "this handler never looks at triggerSource, so every reset of a password looks like a new user to it";
            Some(Mark::at(&span, message).also(trigger.span, "it runs at this trigger").help(
                "do what is meant for new users only if event.triggerSource is 'PostConfirmation_ConfirmSignUp', and return the event in any case",
            ))
        })
        .collect()
}
