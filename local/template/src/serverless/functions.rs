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
    if text.starts_with("arn:") {
        return Ok(destination.clone());
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
