//! People whom PostConfirmation never sees.

use template::{Node, Span};

use crate::finding::{Check, Mark, Rule, Severity};
use crate::project::{Handler, Project, walk};

const CREATES: &[&str] = &["AdminCreateUserCommand", "adminCreateUser", "admin_create_user"];
/// What tells others, or writes itself.
const TELLS: &[&str] = &[
    "PutEventsCommand",
    "putEvents",
    "put_events",
    "PutCommand",
    "PutItemCommand",
    "putItem",
    "put_item",
    "UpdateCommand",
    "UpdateItemCommand",
    "updateItem",
    "update_item",
    "DeleteCommand",
    "DeleteItemCommand",
    "deleteItem",
    "delete_item",
    "TransactWriteCommand",
    "TransactWriteItemsCommand",
    "transactWrite",
    "transact_write_items",
    "DocumentClient",
    "SendMessageCommand",
    "sendMessage",
    "send_message",
    "PublishCommand",
];

pub const UNSEEN: Rule = Rule {
    id: "admin-created-users-unseen",
    severity: Severity::Warning,
    reason: "users whom an administrator creates never run PostConfirmation, not even when they become CONFIRMED",
    check: Check::Project(unseen),
};

fn unseen(project: &Project) -> Vec<Mark> {
    let pools: Vec<_> = project
        .of_kind("AWS::Cognito::UserPool")
        .filter_map(|pool| {
            let triggers = project.triggers_of(pool);
            let has = |name: &str| triggers.iter().any(|trigger| trigger.name == name);
            let is_blind = has("PostConfirmation") && !has("PostAuthentication") && !has("PreTokenGeneration");
            let span = triggers.iter().find(|trigger| trigger.name == "PostConfirmation")?.span;
            is_blind.then_some((pool, span))
        })
        .collect();
    let Some((_, trigger)) = pools.first() else { return Vec::new() };
    if is_watched(project) {
        return Vec::new();
    }
    let is_blind = |pool: Option<&Node>| {
        pool.and_then(|pool| project.target(pool))
            .is_some_and(|pool| pools.iter().any(|(one, _)| one.logical_id == pool.logical_id))
    };
    let mut places: Vec<Span> = Vec::new();
    for (pool, _) in &pools {
        let only = pool.at(&["AdminCreateUserConfig", "AllowAdminCreateUserOnly"]);
        places.extend(only.filter(|only| only.as_bool() == Some(true)).map(|only| only.span.clone()));
    }
    let users = project.of_kind("AWS::Cognito::UserPoolUser").filter(|user| is_blind(user.get("UserPoolId")));
    places.extend(users.map(|user| user.span.clone()));
    let creating: Vec<&Handler> = project.handlers().iter().filter(|handler| handler.mentions_any(CREATES)).collect();
    for handler in creating.iter().filter(|handler| !handler.mentions_any(TELLS)) {
        places.extend(handler.calls(CREATES).map(|(code, call)| code.span_of(call.name)));
    }
    if creating.is_empty() && places.is_empty() {
        places.extend(allowed(project));
    }
    let mark = |span: &Span| {
        Mark::at(span, "users who are made so get no profile: only PostConfirmation is attached, and it does not run for them")
            .also(trigger, "the trigger that they never reach")
            .help(
                "attach PreTokenGeneration (TokenGeneration_NewPasswordChallenge is their first sign-in) or PostAuthentication \
                 as well, publish the event where the user is created, or compare the pool with the table now and then",
            )
    };
    places.iter().map(mark).collect()
}

/// Whether something else sees them: CloudTrail's events, or a job that lists users.
fn is_watched(project: &Project) -> bool {
    let reads_trail = project.of_kind("AWS::Events::Rule").any(|rule| {
        let sources = rule.at(&["EventPattern", "source"]).and_then(Node::as_list).unwrap_or_default();
        sources.iter().any(|source| source.as_str() == Some("aws.cognito-idp"))
    });
    let lists = ["ListUsersCommand", "listUsers", "list_users", "paginateListUsers"];
    reads_trail || project.handlers().iter().any(|handler| handler.mentions_any(&lists))
}

/// Where a policy allows it.
fn allowed(project: &Project) -> Vec<Span> {
    let mut places = Vec::new();
    let is_policy = |kind: &str| matches!(kind, "AWS::IAM::Role" | "AWS::IAM::Policy" | "AWS::IAM::ManagedPolicy");
    for resource in project.all().iter().filter(|resource| is_policy(&resource.kind)) {
        walk(&resource.properties, &mut |node| {
            if node.as_str() == Some("cognito-idp:AdminCreateUser") {
                places.push(node.span.clone());
            }
        });
    }
    places
}

pub const CHANGES_UNSEEN: Rule = Rule {
    id: "user-change-unseen",
    severity: Severity::Note,
    reason: "no trigger runs and no event comes when a user is changed, disabled or deleted",
    check: Check::Project(changes_unseen),
};

const CHANGES: &[&str] = &[
    "AdminDeleteUserCommand",
    "adminDeleteUser",
    "admin_delete_user",
    "AdminUpdateUserAttributesCommand",
    "adminUpdateUserAttributes",
    "admin_update_user_attributes",
    "AdminDisableUserCommand",
    "adminDisableUser",
    "admin_disable_user",
];

fn changes_unseen(project: &Project) -> Vec<Mark> {
    let keeps_profiles = project.triggers().iter().any(|trigger| trigger.name == "PostConfirmation");
    if !keeps_profiles || is_watched(project) {
        return Vec::new();
    }
    let mut marks = Vec::new();
    for handler in project.handlers().iter().filter(|handler| !handler.mentions_any(TELLS)) {
        for (code, call) in handler.calls(CHANGES) {
            let message = "nobody hears of this change: the profile stays as it was";
            marks.push(
                Mark::at(&code.span_of(call.name), message)
                    .help("publish an event in the same function, or write the profile there"),
            );
        }
    }
    marks
}
