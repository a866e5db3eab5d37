//! `functions:` to `AWS::Lambda::Function`, with what belongs to a function alone: its version and alias, its URL, its
//! settings for asynchronous invocations.
//! <https://www.serverless.com/framework/docs/providers/aws/guide/functions>

use crate::error::TemplateError;
use crate::make::Make;
use crate::node::{Map, Node};
use crate::source::Span;

use super::service::{Draft, Function, Service, falsy};
use super::write::{Block, resource};
use super::{code, naming, roles, scalars};

/// The framework's own defaults.
const TIMEOUT_SECONDS: u32 = 6;
const MEMORY_MB: u32 = 1024;
const RUNTIME: &str = "nodejs20.x";

/// Settings that become a property of the same value.
const SAME: &[(&str, &str)] = &[
    ("description", "Description"),
    ("kmsKeyArn", "KmsKeyArn"),
    ("layers", "Layers"),
    ("reservedConcurrency", "ReservedConcurrentExecutions"),
];

pub(super) fn compile(service: &Service, draft: &mut Draft) -> Result<(), TemplateError> {
    for function in &service.functions {
        let compiled = function_resource(service, function, draft)?;
        draft.resource(&function.logical_id(), &function.span, compiled);
        versioned(service, function, draft);
        super::function_url::compile(function, draft)?;
        asynchronous(service, function, draft)?;
    }
    Ok(())
}

fn function_resource(service: &Service, function: &Function, draft: &mut Draft) -> Result<Block, TemplateError> {
    let span = &function.span;
    let (role, role_id) = roles::of(service, function);
    let mut depends_on = Vec::new();
    if function.truthy("disableLogs").is_none() {
        depends_on.push(naming::log_group(&function.key));
    }
    if let Some(more) = function.get("dependsOn") {
        depends_on.extend(texts(more, "dependsOn")?);
    }
    depends_on.extend(role_id);

    let mut properties = code::of(service, function, draft)?
        .set("FunctionName", function.name.as_str())
        .set("MemorySize", setting(service, function, "memorySize", MEMORY_MB))
        .set("Timeout", setting(service, function, "timeout", TIMEOUT_SECONDS));
    if function.get("image").is_none() {
        let runtime = function.get("runtime").or_else(|| service.provider(&["runtime"])).cloned();
        properties = properties.set("Runtime", runtime.unwrap_or_else(|| Node::string(span, RUNTIME)));
    }
    for (key, property) in SAME {
        let of_provider = || service.provider(&[key]).filter(|_| matches!(*key, "kmsKeyArn" | "layers"));
        properties = properties.maybe(property, function.get(key).or_else(of_provider));
    }
    let architecture = function.get("architecture").or_else(|| service.provider(&["architecture"]));
    properties = properties
        .maybe("Architectures", architecture.map(|node| vec![node.clone()]))
        .maybe("Environment", environment(service, function)?)
        .maybe("Tags", tags(service, function)?)
        .maybe("TracingConfig", tracing(service, function))
        .maybe(
            "EphemeralStorage",
            function.get("ephemeralStorageSize").map(|size| Block::at(&size.span).set("Size", size)),
        )
        .maybe("DeadLetterConfig", function.get("onError").map(|arn| Block::at(&arn.span).set("TargetArn", arn)))
        .maybe("FileSystemConfigs", function.get("fileSystemConfig").map(file_system))
        .set("Role", role);
    if function.alias.as_ref().is_some_and(|alias| alias.name == "snapstart") {
        properties = properties.set("SnapStart", Block::at(span).set("ApplyOn", "PublishedVersions"));
    }
    let depends_on = (!depends_on.is_empty()).then_some(depends_on);
    Ok(resource(span, "AWS::Lambda::Function", properties)
        .maybe("Condition", function.get("condition"))
        .maybe("DependsOn", depends_on))
}

fn setting(service: &Service, function: &Function, key: &str, default: u32) -> Node {
    let written = function.get(key).or_else(|| service.provider(&[key]));
    written.cloned().unwrap_or_else(|| Node::plain(&function.span, default.to_string()))
}

fn texts(node: &Node, what: &str) -> Result<Vec<String>, TemplateError> {
    if let Some(text) = node.as_str() {
        return Ok(vec![text.to_owned()]);
    }
    node.expect_list(what)?.iter().map(|item| item.expect_str(what).map(str::to_owned)).collect()
}

/// The provider's variables and the function's own; one that is null is taken out.
fn environment(service: &Service, function: &Function) -> Result<Option<Node>, TemplateError> {
    let variables = together(service.provider(&["environment"]), function.get("environment"), "environment")?;
    Ok(variables.map(|variables| Block::at(&variables.span).set("Variables", scalars::texts(&variables)).done()))
}

fn together(provider: Option<&Node>, own: Option<&Node>, what: &str) -> Result<Option<Node>, TemplateError> {
    let Some(span) = own.or(provider).map(|node| &node.span) else { return Ok(None) };
    let mut all = Map::default();
    for node in [provider, own].into_iter().flatten() {
        for entry in node.expect_map(what)?.entries() {
            all.insert(&entry.key, &entry.key_span, entry.value.clone());
        }
    }
    all.entries_mut().retain(|entry| !entry.value.is_null());
    Ok(Some(Node { span: span.clone(), kind: crate::node::Kind::Map(all) }))
}

fn tags(service: &Service, function: &Function) -> Result<Option<Vec<Block>>, TemplateError> {
    let tags = together(service.provider(&["tags"]), function.get("tags"), "tags")?;
    let tags = tags.as_ref().map(scalars::texts);
    Ok(tags.as_ref().and_then(Node::as_map).map(|tags| {
        tags.entries()
            .iter()
            .map(|entry| Block::at(&entry.key_span).set("Key", entry.key.as_str()).set("Value", &entry.value))
            .collect()
    }))
}

fn tracing(service: &Service, function: &Function) -> Option<Block> {
    let tracing = function.truthy("tracing");
    let tracing = tracing.or_else(|| service.provider(&["tracing", "lambda"]).filter(|node| !falsy(node)))?;
    let mode = if tracing.as_bool() == Some(true) { Node::string(&tracing.span, "Active") } else { tracing.clone() };
    Some(Block::at(&tracing.span).set("Mode", mode))
}

fn file_system(node: &Node) -> Vec<Block> {
    let config =
        Block::at(&node.span).maybe("Arn", node.get("arn")).maybe("LocalMountPath", node.get("localMountPath"));
    vec![config]
}

/// The version and alias of a function that is called through one.
///
/// The framework publishes a version of every function at each deployment. Here code lies where it is written and has
/// no versions, so one is made only where an alias needs it.
fn versioned(service: &Service, function: &Function, draft: &mut Draft) {
    let Some(alias) = &function.alias else { return };
    let span = &function.span;
    let digest = draft.resources.get(&function.logical_id()).map(|node| naming::digest(&node.to_json().to_string()));
    let version_id = format!("{}LambdaVersion{}", naming::resource(&function.key), digest.unwrap_or_default());
    let kept = function.get("versionFunction").or_else(|| service.provider(&["versionFunctions"]));
    let properties = Block::at(span)
        .set("FunctionName", Make(span).reference(&function.logical_id()))
        .maybe("Description", function.get("description"));
    let version = resource(span, "AWS::Lambda::Version", properties)
        .maybe("DeletionPolicy", (!kept.is_some_and(falsy)).then_some("Retain"));
    draft.resource(&version_id, span, version);
    let output = format!("{}QualifiedArn", function.logical_id());
    draft.output(&output, span, "Current Lambda function version", Make(span).reference(&version_id));

    let concurrency = function.truthy("provisionedConcurrency");
    let properties = Block::at(span)
        .set("FunctionName", Make(span).reference(&function.logical_id()))
        .set("FunctionVersion", Make(span).attribute(&version_id, "Version"))
        .set("Name", alias.name)
        .maybe(
            "ProvisionedConcurrencyConfig",
            concurrency.map(|number| Block::at(&number.span).set("ProvisionedConcurrentExecutions", number)),
        );
    let alias_resource = resource(span, "AWS::Lambda::Alias", properties).set("DependsOn", function.logical_id());
    draft.resource(&alias.logical_id, span, alias_resource);
}

/// `destinations`, `maximumEventAge` and `maximumRetryAttempts`.
fn asynchronous(service: &Service, function: &Function, draft: &mut Draft) -> Result<(), TemplateError> {
    let destinations = function.get("destinations");
    let age = function.truthy("maximumEventAge");
    let attempts = function.get("maximumRetryAttempts");
    let Some(first) = destinations.or(age).or(attempts) else { return Ok(()) };
    let span = &first.span;
    let mut config = Block::at(span);
    for (key, property) in [("onSuccess", "OnSuccess"), ("onFailure", "OnFailure")] {
        if let Some(destination) = destinations.and_then(|node| node.get(key)).filter(|node| !falsy(node)) {
            let arn = destination_arn(service, destination)?;
            config = config.set(property, Block::at(&destination.span).set("Destination", arn));
        }
    }
    let qualifier = function.alias.as_ref().map_or("$LATEST", |alias| alias.name);
    let properties = Block::at(span)
        .set("FunctionName", Make(span).reference(&function.logical_id()))
        .set("DestinationConfig", config)
        .set("Qualifier", qualifier)
        .maybe("MaximumEventAgeInSeconds", age)
        .maybe("MaximumRetryAttempts", attempts);
    let compiled = resource(span, "AWS::Lambda::EventInvokeConfig", properties).maybe("DependsOn", function.alias_id());
    draft.resource(&format!("{}LambdaEvConf", naming::resource(&function.key)), span, compiled);
    Ok(())
}

/// A function of this service, an ARN, or `{type, arn}`.
fn destination_arn(service: &Service, destination: &Node) -> Result<Node, TemplateError> {
    if destination.as_map().is_some() {
        return destination.get("arn").cloned().ok_or_else(|| {
            TemplateError::new(&destination.span, "a destination that is a map needs a type and an arn")
        });
    }
    let text = destination.expect_str("a destination")?;
    let is_key = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_');
    if !text.chars().all(is_key) {
        return Ok(destination.clone()); // an ARN, though it may be one that only a deployment knows
    }
    Ok(service.function(text, destination)?.target(&destination.span))
}

/// The place that a function's resources have if nothing of them was written.
pub(super) fn log_groups(service: &Service, draft: &mut Draft) {
    for function in &service.functions {
        if function.truthy("disableLogs").is_some() {
            continue;
        }
        let span: &Span = &function.span;
        let days = function.get("logRetentionInDays").or_else(|| service.provider(&["logRetentionInDays"]));
        let policy = function.get("logDataProtectionPolicy").or_else(|| service.provider(&["logDataProtectionPolicy"]));
        let properties = Block::at(span)
            .set("LogGroupName", format!("/aws/lambda/{}", function.name))
            .maybe("RetentionInDays", days)
            .maybe("DataProtectionPolicy", policy);
        draft.resource(&naming::log_group(&function.key), span, resource(span, "AWS::Logs::LogGroup", properties));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::serverless::testing::{check_error, check_resource, document, ids};

    /// One property of the function `a`, given these settings and those of the provider.
    #[track_caller]
    fn check(provider: &str, settings: &str, property: &str, expected: Value) {
        let service = format!("provider: {{name: aws{provider}}}\nfunctions:\n  a: {{handler: a.b{settings}}}\n");
        let property = document(&service)["Resources"]["ALambdaFunction"]["Properties"][property].take();
        assert_eq!(Some(property), Some(expected));
    }

    #[test]
    fn a_function_with_nothing_but_a_handler() {
        check_resource(
            "functions: {send-mail: {handler: src/mail.send}}",
            "SendDashmailLambdaFunction",
            json!({
                "Type": "AWS::Lambda::Function",
                "Properties": {
                    "Code": {"S3Bucket": "local", "S3Key": "/srv/shop"},
                    "Handler": "src/mail.send",
                    "FunctionName": "shop-dev-send-mail",
                    "MemorySize": 1024,
                    "Timeout": 6,
                    "Runtime": "nodejs20.x",
                    "Role": {"Fn::GetAtt": ["IamRoleLambdaExecution", "Arn"]}
                },
                "DependsOn": ["SendDashmailLogGroup"]
            }),
        );
        check_resource(
            "functions: {send-mail: {handler: src/mail.send}}",
            "SendDashmailLogGroup",
            json!({"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": "/aws/lambda/shop-dev-send-mail"}}),
        );
    }

    #[test]
    fn settings_of_the_provider_are_for_all() {
        check(", timeout: 30", "", "Timeout", json!(30));
        check(", timeout: 30", ", timeout: 3", "Timeout", json!(3));
        check(", runtime: python3.12", "", "Runtime", json!("python3.12"));
        check(", architecture: arm64", "", "Architectures", json!(["arm64"]));
        check(", layers: [x]", ", layers: [y]", "Layers", json!(["y"]));
        check(", tracing: {lambda: true}", "", "TracingConfig", json!({"Mode": "Active"}));
        check(", tracing: {lambda: true}", ", tracing: PassThrough", "TracingConfig", json!({"Mode": "PassThrough"}));
        check(
            ", tags: {a: 1, b: x}",
            ", tags: {a: y}",
            "Tags",
            json!([{"Key": "a", "Value": "y"}, {"Key": "b", "Value": "x"}]),
        );
        check(", role: 'arn:aws:iam::1:role/r'", "", "Role", json!("arn:aws:iam::1:role/r"));
        check(", iam: {role: Own}", "", "Role", json!({"Fn::GetAtt": ["Own", "Arn"]}));
    }

    #[test]
    fn environments_are_put_together() {
        check(
            ", environment: {A: 1, B: b, C: c}",
            ", environment: {B: null, C: !Ref T, D: True}",
            "Environment",
            json!({"Variables": {"A": "1", "C": {"Ref": "T"}, "D": "true"}}),
        );
    }

    #[test]
    fn settings_of_a_function_alone() {
        check("", ", name: mine", "FunctionName", json!("mine"));
        check("", ", onError: !GetAtt Q.Arn", "DeadLetterConfig", json!({"TargetArn": {"Fn::GetAtt": ["Q", "Arn"]}}));
        check("", ", reservedConcurrency: 0", "ReservedConcurrentExecutions", json!(0));
        check(
            "",
            ", package: {artifact: build/a.zip}",
            "Code",
            json!({"S3Bucket": "local", "S3Key": "/srv/shop/build/a.zip"}),
        );
    }

    #[test]
    fn functions_may_be_a_list_of_maps() {
        let ids = ids("functions: [{a: {handler: a.b}}, {b: {handler: a.c}, c: null}, null]");
        let functions: Vec<_> = ids.iter().filter(|id| id.ends_with("LambdaFunction")).collect();
        assert_eq!(functions, ["ALambdaFunction", "BLambdaFunction"]);
    }

    #[test]
    fn functions_wait_for_what_they_are_told_to() {
        let service = "functions: {a: {handler: a.b, role: Own, dependsOn: [T], disableLogs: true, condition: C}}";
        let function = document(service)["Resources"]["ALambdaFunction"].take();
        assert_eq!((&function["DependsOn"], &function["Condition"]), (&json!(["T", "Own"]), &json!("C")));
        assert!(!ids(service).iter().any(|id| id == "ALogGroup" || id == "IamRoleLambdaExecution"));
    }

    #[test]
    fn asynchronous_invocations() {
        let service = "
            functions:
              a:
                handler: a.b
                maximumRetryAttempts: 0
                maximumEventAge: 60
                destinations: {onSuccess: b, onFailure: {type: sqs, arn: !GetAtt Q.Arn}}
              b: {handler: a.c}";
        check_resource(
            service,
            "ALambdaEvConf",
            json!({
                "Type": "AWS::Lambda::EventInvokeConfig",
                "Properties": {
                    "FunctionName": {"Ref": "ALambdaFunction"},
                    "DestinationConfig": {
                        "OnSuccess": {"Destination": {"Fn::GetAtt": ["BLambdaFunction", "Arn"]}},
                        "OnFailure": {"Destination": {"Fn::GetAtt": ["Q", "Arn"]}}
                    },
                    "Qualifier": "$LATEST",
                    "MaximumEventAgeInSeconds": 60,
                    "MaximumRetryAttempts": 0
                }
            }),
        );
        check_error(
            &service.replace("onSuccess: b", "onSuccess: bb"),
            "serverless.yml:8:31: there is no function bb in this service (did you mean b?)",
        );
    }

    #[test]
    fn an_alias_stands_for_its_function() {
        let service = "
            functions:
              a:
                handler: a.b
                provisionedConcurrency: 2
                events: [{schedule: rate(1 day)}]";
        let resources = document(service)["Resources"].take();
        let alias = &resources["AProvConcLambdaAlias"];
        assert_eq!(alias["Properties"]["Name"], "provisioned");
        let version = alias["Properties"]["FunctionVersion"]["Fn::GetAtt"][0].as_str().expect("a version");
        assert_eq!(resources[version]["Type"], "AWS::Lambda::Version");
        let rule = &resources["AEventsRuleSchedule1"];
        assert_eq!(
            (&rule["Properties"]["Targets"][0]["Arn"], &rule["DependsOn"]),
            (
                &json!({"Fn::Join": [":", [{"Fn::GetAtt": ["ALambdaFunction", "Arn"]}, "provisioned"]]}),
                &json!("AProvConcLambdaAlias")
            )
        );
    }

    #[test]
    fn mistakes_are_named_with_their_place() {
        check_error(
            "functions: {a: {runtime: nodejs20.x}}",
            "serverless.yml:3:13: the function a needs a handler (as in handler: src/handlers/name.handler)",
        );
        check_error("functions: {a: text}", "serverless.yml:3:16: the function a must be a map, not a text");
        check_error(
            "functions: {a: {handler: a.b, image: x}}",
            "serverless.yml:3:38: the function a has both a handler and an image: it takes one of them",
        );
    }
}
