//! Settings of a pool and its clients that cannot be changed later, or that tell strangers too much.

use template::Node;

use crate::finding::{Check, Mark, Rule, Severity};
use crate::project::Project;

pub const CASE_SENSITIVE: Rule = Rule {
    id: "pool-case-sensitive",
    severity: Severity::Error,
    reason: "a pool is case-sensitive unless it says otherwise, and this can never be changed later",
    check: Check::Project(case_sensitive),
};

fn case_sensitive(project: &Project) -> Vec<Mark> {
    let of = |pool: &crate::project::Resource| {
        let setting = pool.at(&["UsernameConfiguration", "CaseSensitive"]);
        let what = match setting.map(Node::as_bool) {
            Some(Some(false)) => return None,
            Some(Some(true)) => "sets case-sensitive names",
            Some(None) => "has a CaseSensitive that is no truth value",
            None => "does not say CaseSensitive: false",
        };
        let span = setting.map_or(&pool.span, |setting| &setting.span);
        let message = format!(
            "the user pool {} {what}: Ann@example.com and ann@example.com are two people to it, for ever",
            pool.logical_id
        );
        let help = "set UsernameConfiguration: {CaseSensitive: false} before the pool is made for the first time; a pool \
                    that exists must be replaced and its users moved";
        Some(Mark::at(span, message).help(help))
    };
    project.of_kind("AWS::Cognito::UserPool").filter_map(of).collect()
}

pub const USERNAME_AND_ALIAS: Rule = Rule {
    id: "pool-username-and-alias",
    severity: Severity::Error,
    reason: "a pool has UsernameAttributes or AliasAttributes, not both, and neither can be changed later",
    check: Check::Project(username_and_alias),
};

fn username_and_alias(project: &Project) -> Vec<Mark> {
    let is_set = |node: Option<&Node>| node.and_then(Node::as_list).is_some_and(|list| !list.is_empty());
    project
        .of_kind("AWS::Cognito::UserPool")
        .filter(|pool| is_set(pool.get("UsernameAttributes")) && is_set(pool.get("AliasAttributes")))
        .map(|pool| {
            let message = format!("the user pool {} has UsernameAttributes and AliasAttributes: Cognito refuses it", pool.logical_id);
            Mark::at(pool.key_span("AliasAttributes"), message)
                .also(pool.key_span("UsernameAttributes"), "the other one")
                .help("UsernameAttributes: the address is the name people sign in with; AliasAttributes: it is a second one, beside a user name")
        })
        .collect()
}

pub const CLIENT_REVEALS_USERS: Rule = Rule {
    id: "client-reveals-users",
    severity: Severity::Warning,
    reason: "without PreventUserExistenceErrors anybody can find out who has an account",
    check: Check::Project(client_reveals_users),
};

fn client_reveals_users(project: &Project) -> Vec<Mark> {
    project
        .of_kind("AWS::Cognito::UserPoolClient")
        .filter(|client| !is_for_machines(client))
        .filter(|client| client.text("PreventUserExistenceErrors").is_none_or(|value| value == "LEGACY"))
        .map(|client| {
            let message =
                format!("the client {} answers differently for people who have no account", client.logical_id);
            Mark::at(client.key_span("PreventUserExistenceErrors"), message)
                .help("set PreventUserExistenceErrors: ENABLED; the console does so, CloudFormation and the API do not")
        })
        .collect()
}

/// A client that signs in as itself knows no users.
fn is_for_machines(client: &crate::project::Resource) -> bool {
    let flows = client.get("AllowedOAuthFlows").and_then(Node::as_list).unwrap_or_default();
    let alone = client.get("ExplicitAuthFlows").is_none();
    alone && !flows.is_empty() && flows.iter().all(|flow| flow.as_str() == Some("client_credentials"))
}
