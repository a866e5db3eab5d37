//! Errors that a trigger lets out.

use crate::finding::{Check, Mark, Rule, Severity};
use crate::project::Project;

pub const RETHROWS: Rule = Rule {
    id: "handler-rethrows",
    severity: Severity::Note,
    reason: "an error of PostConfirmation is shown to the user, whose account is confirmed already and stays so",
    check: Check::Project(rethrows),
};

fn rethrows(project: &Project) -> Vec<Mark> {
    let mut marks = Vec::new();
    for trigger in project.triggers().into_iter().filter(|trigger| trigger.name == "PostConfirmation") {
        let Some(handler) = trigger.function.and_then(|function| project.handler_of(function)) else { continue };
        let Some(called) = handler.called() else { continue };
        let code = handler.entry();
        for at in code.flow(&called).rethrows {
            let message = "this error makes the confirmation fail, though the account is confirmed: a second try is refused, and the trigger does not come again";
            marks.push(
                Mark::at(&code.span_of(at), message)
                    .also(trigger.span, "it runs at this trigger")
                    .help("log it, return the event, and let something else catch up: a sign-in trigger, or a job that compares the pool with the table"),
            );
        }
    }
    marks
}
