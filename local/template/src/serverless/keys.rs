//! Settings that nobody honours: each is named once, with its place.

use crate::near::did_you_mean;
use crate::node::Node;

use super::service::{Draft, Service, falsy};

/// What the framework knows at the top of a file.
const TOP: &[&str] = &[
    "service",
    "provider",
    "functions",
    "resources",
    "custom",
    "plugins",
    "package",
    "layers",
    "params",
    "stages",
    "frameworkVersion",
    "useDotenv",
    "variablesResolutionMode",
    "configValidationMode",
    "unresolvedVariablesNotificationMode",
    "deprecationNotificationMode",
    "disabledDeprecations",
    "enableLocalInstallationFallback",
    "projectDir",
    "app",
    "org",
    "tenant",
    "licenseKey",
    "dashboard",
    "console",
    "build",
];

/// What concerns how a service gets to AWS, or what has no effect where it runs: nothing is lost without it.
const PROVIDER: &[&str] = &[
    "name",
    "runtime",
    "stage",
    "region",
    "stackName",
    "stackTags",
    "stackParameters",
    "stackPolicy",
    "environment",
    "memorySize",
    "timeout",
    "architecture",
    "tags",
    "iam",
    "iamRoleStatements",
    "iamManagedPolicies",
    "role",
    "rolePermissionsBoundary",
    "cfnRole",
    "httpApi",
    "apiGateway",
    "apiName",
    "endpointType",
    "eventBridge",
    "layers",
    "kmsKeyArn",
    "logs",
    "logRetentionInDays",
    "logDataProtectionPolicy",
    "tracing",
    "versionFunctions",
    "runtimeManagement",
    "lambdaHashingVersion",
    "deploymentBucket",
    "deploymentPrefix",
    "deploymentMethod",
    "deploymentPreference",
    "disableRollback",
    "rollbackConfiguration",
    "notificationArns",
    "profile",
    "resolver",
    "variableSyntax",
    "versionFunction",
];

const FUNCTION: &[&str] = &[
    "handler",
    "image",
    "name",
    "description",
    "runtime",
    "runtimeManagement",
    "memorySize",
    "timeout",
    "architecture",
    "environment",
    "events",
    "role",
    "condition",
    "dependsOn",
    "layers",
    "tags",
    "tracing",
    "url",
    "destinations",
    "onError",
    "maximumEventAge",
    "maximumRetryAttempts",
    "reservedConcurrency",
    "provisionedConcurrency",
    "snapStart",
    "versionFunction",
    "kmsKeyArn",
    "ephemeralStorageSize",
    "fileSystemConfig",
    "disableLogs",
    "logRetentionInDays",
    "logDataProtectionPolicy",
    "package",
    "httpApi",
    // Of serverless-iam-roles-per-function: IAM is not enforced.
    "iamRoleStatements",
    "iamRoleStatementsInherit",
    "iamRoleStatementsName",
    "iamPermissionsBoundary",
    "iamRoleManagedPolicies",
];

/// Sections of widespread plugins, which resemble others by chance.
const OF_PLUGINS: &[&str] = &["stepFunctions", "constructs", "appSync", "alerts", "warmup", "prune"];

/// Plugins that have nothing to do here: bundling, other local clouds, and what concerns deployment alone.
const NEEDLESS_PLUGINS: &[&str] = &[
    "serverless-esbuild",
    "serverless-offline",
    "serverless-plugin-typescript",
    "serverless-iam-roles-per-function",
    "serverless-dotenv-plugin",
    "serverless-python-requirements",
    "serverless-prune-plugin",
    "serverless-deployment-bucket",
    "serverless-localstack",
    "serverless-dynamodb-local",
    "serverless-dynamodb",
];

pub(super) fn check(service: &Service, draft: &mut Draft) {
    warn_unknown(service.config, "", TOP, draft);
    if let Some(provider) = service.config.get("provider") {
        let but: Vec<&str> = PROVIDER.iter().copied().chain(["vpc"]).collect();
        warn_unknown(provider, "provider", &but, draft);
    }
    for function in &service.functions {
        let known: Vec<&str> = FUNCTION.iter().copied().chain(["vpc"]).collect();
        warn_unknown(&function.node, &format!("functions.{}", function.key), &known, draft);
    }
    let logs = service.provider(&["logs"]);
    if let Some(logs) = logs {
        warn_unknown(logs, "provider.logs", &["httpApi", "frameworkLambda", "lambda"], draft);
    }
    let native = service.provider(&["eventBridge", "useCloudFormation"]);
    if let Some(native) = native.filter(|node| falsy(node)) {
        let message = "provider.eventBridge.useCloudFormation: rules are made as by default, not by custom resources";
        draft.warn(&native.span, message);
    }
    vpc(service, draft);
    plugins(service, draft);
}

/// Warns of the members of a map that are not among these.
pub(super) fn warn_unknown(node: &Node, path: &str, known: &[&str], draft: &mut Draft) {
    let Some(map) = node.as_map().filter(|_| node.as_intrinsic().is_none()) else { return };
    for entry in map.entries().iter().filter(|entry| !known.contains(&entry.key.as_str())) {
        let dot = if path.is_empty() { "" } else { "." };
        let meant =
            did_you_mean(&entry.key, known.iter().copied()).filter(|_| !OF_PLUGINS.contains(&entry.key.as_str()));
        let meant = meant.map(|meant| format!(", {meant}")).unwrap_or_default();
        draft.warn(&entry.key_span, format!("{path}{dot}{} is not honoured{meant}", entry.key));
    }
}

/// There are no networks: told once for all functions.
fn vpc(service: &Service, draft: &mut Draft) {
    let of_functions = service.functions.iter().filter_map(|function| function.get("vpc"));
    if let Some(vpc) = service.provider(&["vpc"]).into_iter().chain(of_functions).find(|vpc| !falsy(vpc)) {
        draft.warn(&vpc.span, "vpc is not honoured: functions run on this machine's network");
    }
}

fn plugins(service: &Service, draft: &mut Draft) {
    let Some(plugins) = service.config.get("plugins") else { return };
    let list = plugins.get("modules").unwrap_or(plugins);
    let names = list.as_list().unwrap_or_default().iter().filter_map(Node::as_str);
    let needed: Vec<&str> = names.filter(|name| !NEEDLESS_PLUGINS.contains(name)).collect();
    if !needed.is_empty() {
        draft.warn(&plugins.span, format!("plugins are not run, what these do is missing: {}", needed.join(", ")));
    }
}

#[cfg(test)]
mod tests {
    use crate::serverless::testing::check_warnings;

    #[test]
    fn unknown_settings_are_named_once_each() {
        check_warnings(
            "
            functons: {}
            stepFunctions: {}
            functions:
              a: {handler: a.b, memorysize: 512, warmup: true}",
            &[
                "3:1: functons is not honoured, did you mean functions?",
                "4:1: stepFunctions is not honoured",
                "6:21: functions.a.memorysize is not honoured, did you mean memorySize?",
                "6:38: functions.a.warmup is not honoured",
            ],
        );
    }

    #[test]
    fn settings_of_the_provider_are_named() {
        check_warnings(
            "
            provider:
              name: aws
              eventBridge: {useCloudFormation: false}
              logs: {restApi: true, httpApi: true}
              alb: {targetGroupPrefix: x}
              deploymentBucket: mine",
            &[
                "7:3: provider.alb is not honoured",
                "6:10: provider.logs.restApi is not honoured",
                "5:36: provider.eventBridge.useCloudFormation: rules are made as by default, not by custom resources",
            ],
        );
    }

    #[test]
    fn networks_are_named_once() {
        check_warnings(
            "
            provider: {name: aws, vpc: {subnetIds: [a]}}
            functions:
              a: {handler: a.b, vpc: {subnetIds: [b]}}
              b: {handler: a.b, vpc: {subnetIds: [c]}}",
            &["3:28: vpc is not honoured: functions run on this machine's network"],
        );
    }

    #[test]
    fn plugins_that_do_something_are_named() {
        check_warnings(
            "plugins: [serverless-esbuild, serverless-domain-manager, serverless-offline, ./mine]",
            &["3:10: plugins are not run, what these do is missing: serverless-domain-manager, ./mine"],
        );
        check_warnings("plugins: [serverless-esbuild]", &[]);
    }
}
