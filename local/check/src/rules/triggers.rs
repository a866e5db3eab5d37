//! What a pool needs to run a function, and what the function must not need.

use crate::finding::{Check, Mark, Rule, Severity};
use crate::project::{Project, Resource, Trigger};

const COGNITO: &str = "cognito-idp.amazonaws.com";
/// How long Cognito waits, whatever the function's own time-out says.
/// <https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-user-pools-working-with-lambda-triggers.html>
const WAITS_SECONDS: u64 = 5;

pub const WITHOUT_PERMISSION: Rule = Rule {
    id: "trigger-without-permission",
    severity: Severity::Error,
    reason: "naming a function in LambdaConfig does not let Cognito invoke it",
    check: Check::Project(without_permission),
};

fn without_permission(project: &Project) -> Vec<Mark> {
    let permits = |function: &Resource| {
        project.of_kind("AWS::Lambda::Permission").any(|permission| {
            permission.text("Principal") == Some(COGNITO)
                && permission
                    .get("FunctionName")
                    .and_then(|name| project.function(name))
                    .is_some_and(|named| named.logical_id == function.logical_id)
        })
    };
    project
        .triggers()
        .into_iter()
        .filter(|trigger| !trigger.is_attached_later)
        .filter_map(|trigger| {
            let function = trigger.function.filter(|function| !permits(function))?;
            let message = format!(
                "Cognito may not invoke {}: every {} ends with AccessDeniedException",
                function.logical_id, trigger.name
            );
            Some(Mark::at(trigger.span, message).also(&function.span, "this function").help(format!(
                "add an AWS::Lambda::Permission with Action: lambda:InvokeFunction, Principal: {COGNITO}, FunctionName: {} \
                 and the pool's Arn as SourceArn",
                function.logical_id
            )))
        })
        .collect()
}

pub const PERMISSION_WITHOUT_SOURCE: Rule = Rule {
    id: "permission-without-source",
    severity: Severity::Warning,
    reason: "a permission for a service without SourceArn lets everybody's pool or rule invoke the function",
    check: Check::Project(permission_without_source),
};

fn permission_without_source(project: &Project) -> Vec<Mark> {
    let services = [(COGNITO, "user pool"), ("events.amazonaws.com", "rule"), ("sns.amazonaws.com", "topic")];
    project
        .of_kind("AWS::Lambda::Permission")
        .filter(|permission| permission.get("SourceArn").is_none() && permission.get("SourceAccount").is_none())
        .filter_map(|permission| {
            let principal = permission.get("Principal")?;
            let (_, what) = services.iter().find(|(service, _)| principal.as_str() == Some(service))?;
            let message = format!("with {} any {what} of any account may invoke the function", permission.logical_id);
            Some(Mark::at(&principal.span, message).help(format!("add SourceArn: the ARN of the {what}")))
        })
        .collect()
}

pub const TIMEOUT: Rule = Rule {
    id: "trigger-timeout",
    severity: Severity::Warning,
    reason: "Cognito waits five seconds for a trigger, whatever the function's own time-out",
    check: Check::Project(timeout),
};

fn timeout(project: &Project) -> Vec<Mark> {
    functions_of_triggers(project)
        .filter_map(|(function, trigger)| {
            let timeout = function.get("Timeout")?;
            let seconds: u64 = timeout.as_str()?.parse().ok()?;
            // A default that a framework wrote is nobody's plan.
            let is_written = timeout.span.text().trim_matches(['"', '\'']) == timeout.as_str()?;
            (seconds > WAITS_SECONDS && is_written).then(|| {
                let message = format!(
                    "{} may take {seconds} s, but {} gives up after {WAITS_SECONDS} s and tries again, up to three runs at once",
                    function.logical_id, trigger.name
                );
                Mark::at(&timeout.span, message)
                    .also(trigger.span, "the trigger")
                    .help("set Timeout: 5 and do slow work behind an event; give the SDK's calls shorter time-outs still")
            })
        })
        .collect()
}

pub const VPC: Rule = Rule {
    id: "trigger-in-vpc",
    severity: Severity::Note,
    reason: "a trigger in a VPC has no way to AWS's APIs without an endpoint or NAT, and five seconds to find out",
    check: Check::Project(vpc),
};

fn vpc(project: &Project) -> Vec<Mark> {
    functions_of_triggers(project)
        .filter(|(function, _)| {
            let subnets = function.at(&["VpcConfig", "SubnetIds"]);
            subnets.is_some_and(|subnets| subnets.as_list().is_none_or(|list| !list.is_empty()))
        })
        .map(|(function, trigger)| {
            let message = format!("{} answers {} from inside a VPC", function.logical_id, trigger.name);
            Mark::at(function.key_span("VpcConfig"), message)
                .also(trigger.span, "the trigger")
                .help("let the trigger publish an event from outside, and the consumer of the event live in the VPC")
        })
        .collect()
}

/// Functions whose answer Cognito waits for, each with one of its triggers.
fn functions_of_triggers(project: &Project) -> impl Iterator<Item = (&Resource, Trigger<'_>)> {
    let triggers: Vec<Trigger<'_>> = project.triggers().into_iter().filter(Trigger::is_answered).collect();
    project.of_kind("AWS::Lambda::Function").filter_map(move |function| {
        let is_its = |trigger: &&Trigger<'_>| trigger.function.is_some_and(|one| one.logical_id == function.logical_id);
        triggers.iter().find(is_its).map(|trigger| (function, *trigger))
    })
}
