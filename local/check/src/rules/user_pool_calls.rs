//! Calls of Cognito's API that do more, or less, than they seem to.

use crate::code::{Call, Code, Language};
use crate::finding::{Check, Mark, Rule, Severity};
use crate::project::{Handler, Project};

pub const UPDATE_RESETS: Rule = Rule {
    id: "update-user-pool-resets",
    severity: Severity::Error,
    reason: "UpdateUserPool takes away the triggers and verified attributes that a call leaves out",
    check: Check::Project(update_resets),
};

fn update_resets(project: &Project) -> Vec<Mark> {
    let mut marks = Vec::new();
    for handler in project.handlers() {
        for (code, call) in handler.calls(&["UpdateUserPoolCommand", "updateUserPool", "update_user_pool"]) {
            let missing = missing(code, &call);
            if missing.is_empty() {
                continue;
            }
            let message = format!("this call leaves out {}: the pool loses what it had there", missing.join(" and "));
            marks.push(
                Mark::at(&code.span_of(call.name), message).help(
                    "read the pool with DescribeUserPool first, change what is to change, and send all of it back",
                ),
            );
        }
    }
    marks
}

fn missing(code: &Code, call: &Call) -> Vec<&'static str> {
    let wanted = [("LambdaConfig", "lambda_config"), ("AutoVerifiedAttributes", "auto_verified_attributes")];
    if code.language == Language::Rust {
        let is_there = |name: &str| code.mentions(name) || code.mentions(&format!("set_{name}"));
        return wanted.iter().filter(|(_, builder)| !is_there(builder)).map(|(name, _)| *name).collect();
    }
    let arguments = call.arguments.clone();
    let spreads = arguments.clone().any(|token| code.is_mark(token, "...") || code.is_mark(token, "**"));
    let is_written_out = code.is_mark(arguments.start, "{") || code.language == Language::Python;
    if spreads || !is_written_out {
        return Vec::new();
    }
    wanted.iter().filter(|(name, _)| !code.mentions_in(arguments.clone(), name)).map(|(name, _)| *name).collect()
}

pub const ATTRIBUTES_TO_GET: Rule = Rule {
    id: "list-users-attributes-to-get",
    severity: Severity::Note,
    reason: "ListUsers with AttributesToGet fails as soon as one user lacks an attribute",
    check: Check::Project(attributes_to_get),
};

fn attributes_to_get(project: &Project) -> Vec<Mark> {
    let mut marks = Vec::new();
    for handler in project.handlers() {
        for (code, call) in handler.calls(&["ListUsersCommand", "listUsers", "list_users"]) {
            let Some(at) = call.arguments.clone().find(|&token| code.word(token) == "AttributesToGet") else {
                continue;
            };
            let message = "this list fails when a user without one of these attributes appears";
            marks.push(Mark::at(&code.span_of(at), message).help("leave AttributesToGet out and take what is there"));
        }
    }
    marks
}

pub const EMAIL_ALIAS: Rule = Rule {
    id: "email-alias-attribute",
    severity: Severity::Warning,
    reason: "cognito:email_alias was in older events only",
    check: Check::Project(email_alias),
};

fn email_alias(project: &Project) -> Vec<Mark> {
    let mut marks = Vec::new();
    for (code, token) in project.handlers().iter().flat_map(Handler::tokens) {
        if code.is_text(token) && code.word(token).contains("cognito:email_alias") {
            let message = "new pools do not send this attribute";
            marks.push(
                Mark::at(&code.span_of(token), message)
                    .help("read email and email_verified of event.request.userAttributes"),
            );
        }
    }
    marks
}
