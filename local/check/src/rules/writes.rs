//! Writes that forget that a trigger or an event may come twice.

use crate::code::{Call, Code, Language};
use crate::finding::{Check, Mark, Rule, Severity};
use crate::project::{Handler, Project};

pub const UNCONDITIONAL_PUT: Rule = Rule {
    id: "unconditional-put",
    severity: Severity::Warning,
    reason: "triggers and events come more than once: a put without a condition overwrites what the profile has become",
    check: Check::Project(unconditional_put),
};

const PUTS: &[&str] = &["PutCommand", "PutItemCommand", "put", "putItem", "put_item"];
/// Triggers at which profiles are made. What is written at every sign-in may be a log of them.
const TRIGGERS: &[&str] = &["PostConfirmation", "PreSignUp"];

fn unconditional_put(project: &Project) -> Vec<Mark> {
    let mut marks = Vec::new();
    for handler in project.handlers() {
        let Some(why) = comes_twice(project, handler) else { continue };
        for (code, call) in handler.calls(PUTS).filter(|(code, call)| is_unconditional(code, call)) {
            let message = format!("this put has no condition, and {why}");
            marks.push(Mark::at(&code.span_of(call.name), message).help(
                "add ConditionExpression: 'attribute_not_exists(pk)' and take ConditionalCheckFailedException for success",
            ));
        }
    }
    marks
}

/// Why the function may run twice for one thing.
fn comes_twice(project: &Project, handler: &Handler) -> Option<String> {
    let triggers = project.triggers_that_run(&handler.function);
    if let Some(trigger) = triggers.iter().find(|trigger| TRIGGERS.contains(&trigger.name)) {
        let again = if trigger.name == "PostConfirmation" {
            "Cognito runs a slow PostConfirmation up to three times, and again after a forgotten password"
        } else {
            "Cognito runs a slow PreSignUp up to three times, for people who never confirm, too"
        };
        return Some(again.to_owned());
    }
    project
        .consumes_events(&handler.function)
        .then(|| "EventBridge delivers at least once and in no order: a late copy undoes newer changes".to_owned())
}

fn is_unconditional(code: &Code, call: &Call) -> bool {
    if code.language == Language::Rust {
        return code.word(call.name) == "put_item" && !code.mentions("condition_expression");
    }
    let arguments = call.arguments.clone();
    let is_write = code.mentions_in(arguments.clone(), "Item");
    let is_written_out = code.is_mark(arguments.start, "{") || code.language == Language::Python;
    let spreads = arguments.clone().any(|token| code.is_mark(token, "...") || code.is_mark(token, "**"));
    if is_written_out && !spreads {
        // `put` is a word of many libraries; DynamoDB's has an Item.
        return is_write && !code.mentions_in(arguments, "ConditionExpression");
    }
    let is_dynamo = code.mentions("TableName") && code.mentions("Item");
    is_dynamo && !code.mentions("ConditionExpression")
}
