//! What must survive the stack that made it.

use template::Node;

use crate::finding::{Check, Mark, Rule, Severity};
use crate::project::{Project, Resource};

pub const POOL: Rule = Rule {
    id: "pool-not-retained",
    severity: Severity::Warning,
    reason: "a pool that leaves its stack takes all users with it, and there is no backup of passwords",
    check: Check::Project(pools),
};

fn pools(project: &Project) -> Vec<Mark> {
    project
        .of_kind("AWS::Cognito::UserPool")
        .filter(|pool| !is_kept(pool))
        .map(|pool| {
            let message = format!("the user pool {} and its users are deleted when it is renamed or leaves the stack", pool.logical_id);
            Mark::at(&pool.span, message)
                .help("set DeletionPolicy: Retain on the resource and DeletionProtection: ACTIVE in its properties (DeletionPolicy: Delete says that it is meant so)")
        })
        .collect()
}

/// Whether a pool outlives its stack, or its author says that it shall not.
pub fn is_kept(pool: &Resource) -> bool {
    pool.deletion_policy.is_some() || pool.text("DeletionProtection") == Some("ACTIVE")
}

pub const TABLE: Rule = Rule {
    id: "table-not-retained",
    severity: Severity::Warning,
    reason: "a table is deleted with its stack, and when a changed key or name makes CloudFormation replace it",
    check: Check::Project(tables),
};

fn tables(project: &Project) -> Vec<Mark> {
    let is_table =
        |resource: &&Resource| matches!(resource.kind.as_str(), "AWS::DynamoDB::Table" | "AWS::DynamoDB::GlobalTable");
    project.all().iter().filter(is_table).filter_map(table).collect()
}

fn table(table: &Resource) -> Option<Mark> {
    if table.get("DeletionProtectionEnabled").and_then(Node::as_bool) == Some(true) {
        return None;
    }
    let what = match (table.deletion_policy.as_deref(), table.update_replace_policy.as_deref()) {
        (None, _) => "is deleted with its items when it leaves the stack",
        (Some(policy), None) if policy.starts_with("Retain") => "is deleted with its items when a change replaces it",
        _ => return None,
    };
    let help = "set DeletionPolicy: Retain and UpdateReplacePolicy: Retain on the resource, or DeletionProtectionEnabled: true \
                in its properties (DeletionPolicy: Delete says that it is meant so)";
    Some(Mark::at(&table.span, format!("the table {} {what}", table.logical_id)).help(help))
}
