//! What belongs to a function: versions, aliases, URLs, permissions, and what feeds it.

use async_trait::async_trait;
use serde_json::{Map, Value, json};

use super::lambda::LAMBDA;
use crate::StackError;
use crate::kind::{
    At, Expected, Identity, Kind, Made, Named, Operation, Properties, Rank, Standing, gone_tags, only, tag_map,
    text as text_of, without,
};
use crate::known::LATER;
use crate::name::physical_name;
use crate::shape::{Member, Shape, items, meaningless, members, not_honoured, number, tags, text, texts, truth};

const STATEMENT_LENGTH_MAX: usize = 100;

/// The name in a function's name, partial ARN or ARN, and the alias or version behind it.
fn split_function(reference: &str) -> (&str, Option<&str>) {
    let rest = reference.rsplit_once(":function:").map_or(reference, |(_, rest)| rest);
    let (name, qualifier) = rest.split_once(':').map_or((rest, None), |(name, qualifier)| (name, Some(qualifier)));
    (name, qualifier)
}

fn number_of(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

pub struct Version;

#[async_trait]
impl Kind for Version {
    fn members(&self) -> &'static [Member] {
        const MEMBERS: &[Member] = &[
            meaningless("CodeSha256"), // of an archive that nobody made here
            text("Description").fixed(),
            text("FunctionName").required().fixed(),
            members("ProvisionedConcurrencyConfig", &[number("ProvisionedConcurrentExecutions").required()]).fixed(),
            meaningless("RuntimePolicy"),
        ];
        MEMBERS
    }

    fn belongs_to(&self) -> &'static [&'static str] {
        &["FunctionName"]
    }

    fn made_by(&self) -> Operation {
        (LAMBDA, "PublishVersion")
    }

    fn rank(&self) -> Rank {
        Rank::OfFunctions
    }

    fn identity(&self, _: &Named<'_>) -> Identity {
        Identity::later().and_later(&["Version", "FunctionArn"])
    }

    async fn make(&self, at: &At<'_>, properties: &Properties) -> Result<Made, StackError> {
        let input = only(properties, &["FunctionName", "Description"]);
        let answer = at.call((LAMBDA, "PublishVersion"), Value::Object(input)).await?;
        let (arn, version) = (number_of(&answer["FunctionArn"]), number_of(&answer["Version"]));
        provision(at, text_of(properties, "FunctionName"), &version, properties).await?;
        Ok(Made::of(&arn).with("Version", version).with("FunctionArn", arn))
    }

    async fn find(&self, at: &At<'_>, standing: &Standing) -> Result<Option<Made>, StackError> {
        let found = at.ask((LAMBDA, "GetFunctionConfiguration"), json!({"FunctionName": standing.id})).await?;
        Ok(found.map(|_| Made::default()))
    }

    async fn delete(&self, at: &At<'_>, standing: &Standing) -> Result<(), StackError> {
        at.ask((LAMBDA, "DeleteFunction"), json!({"FunctionName": standing.id})).await.map(drop)
    }
}

async fn provision(at: &At<'_>, function: &str, qualifier: &str, properties: &Properties) -> Result<(), StackError> {
    let Some(config) = properties.get("ProvisionedConcurrencyConfig") else { return Ok(()) };
    let input = json!({
        "FunctionName": function,
        "Qualifier": qualifier,
        "ProvisionedConcurrentExecutions": config["ProvisionedConcurrentExecutions"],
    });
    at.call((LAMBDA, "PutProvisionedConcurrencyConfig"), input).await.map(drop)
}

pub struct Alias;

#[async_trait]
impl Kind for Alias {
    fn members(&self) -> &'static [Member] {
        const WEIGHT: Shape =
            Shape::Members(&[text("FunctionVersion").required(), number("FunctionWeight").required()]);
        const MEMBERS: &[Member] = &[
            text("Description"),
            text("FunctionName").required().fixed(),
            text("FunctionVersion").required(),
            text("Name").required().fixed(),
            members("ProvisionedConcurrencyConfig", &[number("ProvisionedConcurrentExecutions").required()]),
            members("RoutingConfig", &[items("AdditionalVersionWeights", &WEIGHT)]),
        ];
        MEMBERS
    }

    fn belongs_to(&self) -> &'static [&'static str] {
        &["FunctionName"]
    }

    fn made_by(&self) -> Operation {
        (LAMBDA, "CreateAlias")
    }

    fn rank(&self) -> Rank {
        Rank::OfFunctions
    }

    fn naming(&self) -> &'static [&'static str] {
        &["FunctionName", "Name"]
    }

    fn identity(&self, named: &Named<'_>) -> Identity {
        let (Some(function), Some(name)) = (named.given("FunctionName"), named.given("Name")) else {
            return Identity::later();
        };
        let arn = named.arn(LAMBDA, &format!("function:{}:{name}", split_function(function).0));
        Identity::of(&arn).with("AliasArn", arn)
    }

    async fn make(&self, at: &At<'_>, properties: &Properties) -> Result<Made, StackError> {
        at.call((LAMBDA, "CreateAlias"), alias_input(properties)).await?;
        provision(at, text_of(properties, "FunctionName"), text_of(properties, "Name"), properties).await?;
        Ok(Made::default())
    }

    async fn update(&self, at: &At<'_>, before: &Standing, properties: &Properties) -> Result<Made, StackError> {
        let mut input = alias_input(properties);
        if before.properties.contains_key("RoutingConfig") && input.get("RoutingConfig").is_none() {
            input["RoutingConfig"] = json!({"AdditionalVersionWeights": {}});
        }
        at.call((LAMBDA, "UpdateAlias"), input).await?;
        let (function, name) = (text_of(properties, "FunctionName"), text_of(properties, "Name"));
        provision(at, function, name, properties).await?;
        let had = before.properties.contains_key("ProvisionedConcurrencyConfig");
        if had && !properties.contains_key("ProvisionedConcurrencyConfig") {
            let input = json!({"FunctionName": function, "Qualifier": name});
            at.ask((LAMBDA, "DeleteProvisionedConcurrencyConfig"), input).await?;
        }
        Ok(Made::default())
    }

    async fn find(&self, at: &At<'_>, standing: &Standing) -> Result<Option<Made>, StackError> {
        let input = json!({"FunctionName": standing.text("FunctionName"), "Name": standing.text("Name")});
        Ok(at.ask((LAMBDA, "GetAlias"), input).await?.map(|_| Made::default()))
    }

    async fn delete(&self, at: &At<'_>, standing: &Standing) -> Result<(), StackError> {
        let input = json!({"FunctionName": standing.text("FunctionName"), "Name": standing.text("Name")});
        at.ask((LAMBDA, "DeleteAlias"), input).await.map(drop)
    }
}

/// Weights are a list in templates and a map on the wire.
fn alias_input(properties: &Properties) -> Value {
    let mut input = without(properties, &["ProvisionedConcurrencyConfig", "RoutingConfig"]);
    if let Some(routing) = properties.get("RoutingConfig") {
        let weights = routing["AdditionalVersionWeights"].as_array().map(Vec::as_slice).unwrap_or_default();
        let weights: Map<String, Value> = weights
            .iter()
            .map(|weight| (number_of(&weight["FunctionVersion"]), weight["FunctionWeight"].clone()))
            .collect();
        input.insert("RoutingConfig".into(), json!({"AdditionalVersionWeights": weights}));
    }
    Value::Object(input)
}

pub struct Url;

#[async_trait]
impl Kind for Url {
    fn members(&self) -> &'static [Member] {
        const CORS: &[Member] = &[
            truth("AllowCredentials"),
            texts("AllowHeaders"),
            texts("AllowMethods"),
            texts("AllowOrigins"),
            texts("ExposeHeaders"),
            number("MaxAge"),
        ];
        const MEMBERS: &[Member] = &[
            text("AuthType").required(),
            members("Cors", CORS),
            text("InvokeMode"),
            text("Qualifier").fixed(),
            text("TargetFunctionArn").required().fixed(),
        ];
        MEMBERS
    }

    fn belongs_to(&self) -> &'static [&'static str] {
        &["TargetFunctionArn"]
    }

    fn made_by(&self) -> Operation {
        (LAMBDA, "CreateFunctionUrlConfig")
    }

    fn rank(&self) -> Rank {
        Rank::OfFunctions
    }

    fn naming(&self) -> &'static [&'static str] {
        &["TargetFunctionArn", "Qualifier"]
    }

    fn identity(&self, named: &Named<'_>) -> Identity {
        let Some(function) = named.given("TargetFunctionArn") else { return Identity::later() };
        let (name, in_arn) = split_function(function);
        let qualifier = named.given("Qualifier").or(in_arn);
        let qualifier = qualifier.map(|qualifier| format!(":{qualifier}")).unwrap_or_default();
        let arn = named.arn(LAMBDA, &format!("function:{name}{qualifier}"));
        Identity::of(&arn).with("FunctionArn", arn).and_later(&["FunctionUrl"])
    }

    async fn make(&self, at: &At<'_>, properties: &Properties) -> Result<Made, StackError> {
        let answer = at.call((LAMBDA, "CreateFunctionUrlConfig"), url_input(properties)).await?;
        Ok(Made::default().member("FunctionUrl", &answer, "/FunctionUrl"))
    }

    async fn update(&self, at: &At<'_>, before: &Standing, properties: &Properties) -> Result<Made, StackError> {
        let mut input = url_input(properties);
        if before.properties.contains_key("Cors") && input.get("Cors").is_none() {
            input["Cors"] = json!({});
        }
        let answer = at.call((LAMBDA, "UpdateFunctionUrlConfig"), input).await?;
        Ok(Made::default().member("FunctionUrl", &answer, "/FunctionUrl"))
    }

    async fn find(&self, at: &At<'_>, standing: &Standing) -> Result<Option<Made>, StackError> {
        let answer = at.ask((LAMBDA, "GetFunctionUrlConfig"), url_key(&standing.properties)).await?;
        Ok(answer.map(|answer| Made::default().member("FunctionUrl", &answer, "/FunctionUrl")))
    }

    async fn delete(&self, at: &At<'_>, standing: &Standing) -> Result<(), StackError> {
        at.ask((LAMBDA, "DeleteFunctionUrlConfig"), url_key(&standing.properties)).await.map(drop)
    }
}

fn url_key(properties: &Properties) -> Value {
    let (name, in_arn) = split_function(text_of(properties, "TargetFunctionArn"));
    let qualifier = Some(text_of(properties, "Qualifier")).filter(|qualifier| !qualifier.is_empty()).or(in_arn);
    let mut key = json!({"FunctionName": name});
    if let Some(qualifier) = qualifier {
        key["Qualifier"] = qualifier.into();
    }
    key
}

fn url_input(properties: &Properties) -> Value {
    let mut input = url_key(properties);
    for (name, value) in only(properties, &["AuthType", "Cors", "InvokeMode"]) {
        input[name] = value;
    }
    input
}

pub struct EventInvokeConfig;

#[async_trait]
impl Kind for EventInvokeConfig {
    fn members(&self) -> &'static [Member] {
        const DESTINATION: &[Member] = &[text("Destination").required()];
        const MEMBERS: &[Member] = &[
            members("DestinationConfig", &[members("OnFailure", DESTINATION), members("OnSuccess", DESTINATION)]),
            text("FunctionName").required().fixed(),
            number("MaximumEventAgeInSeconds"),
            number("MaximumRetryAttempts"),
            text("Qualifier").required().fixed(),
        ];
        MEMBERS
    }

    fn belongs_to(&self) -> &'static [&'static str] {
        &["FunctionName"]
    }

    fn made_by(&self) -> Operation {
        (LAMBDA, "PutFunctionEventInvokeConfig")
    }

    fn rank(&self) -> Rank {
        Rank::OfFunctions
    }

    fn identity(&self, named: &Named<'_>) -> Identity {
        Identity::of(physical_name(&named.around.stack, named.logical_id, STATEMENT_LENGTH_MAX))
    }

    fn notes(&self, _: &At<'_>, properties: &Properties) -> Vec<String> {
        let destinations = properties.get("DestinationConfig").and_then(Value::as_object);
        let lost = destinations.into_iter().flatten().filter(|(_, to)| !leads_somewhere(to));
        lost.map(|(when, to)| format!("{when} leads to {}, which is not here: it is left out", to["Destination"]))
            .collect()
    }

    async fn make(&self, at: &At<'_>, properties: &Properties) -> Result<Made, StackError> {
        let mut input = properties.clone();
        if let Some(destinations) = input.get_mut("DestinationConfig").and_then(Value::as_object_mut) {
            destinations.retain(|_, to| leads_somewhere(to));
        }
        at.call((LAMBDA, "PutFunctionEventInvokeConfig"), Value::Object(input)).await?;
        Ok(Made::default())
    }

    async fn find(&self, at: &At<'_>, standing: &Standing) -> Result<Option<Made>, StackError> {
        let input = Value::Object(only(&standing.properties, &["FunctionName", "Qualifier"]));
        Ok(at.ask((LAMBDA, "GetFunctionEventInvokeConfig"), input).await?.map(|_| Made::default()))
    }

    async fn delete(&self, at: &At<'_>, standing: &Standing) -> Result<(), StackError> {
        let input = Value::Object(only(&standing.properties, &["FunctionName", "Qualifier"]));
        at.ask((LAMBDA, "DeleteFunctionEventInvokeConfig"), input).await.map(drop)
    }

    fn adopts(&self) -> bool {
        true // there is one a function, and putting replaces it
    }
}

fn leads_somewhere(to: &Value) -> bool {
    let arn = to["Destination"].as_str().unwrap_or_default();
    arn.contains(LATER) || [":sqs:", ":lambda:", ":events:"].iter().any(|service| arn.contains(service))
}

pub struct Permission;

#[async_trait]
impl Kind for Permission {
    fn members(&self) -> &'static [Member] {
        const MEMBERS: &[Member] = &[
            text("Action").required().fixed(),
            text("EventSourceToken").fixed(),
            text("FunctionName").required().fixed(),
            text("FunctionUrlAuthType").fixed(),
            truth("InvokedViaFunctionUrl").fixed(),
            text("Principal").required().fixed(),
            text("PrincipalOrgID").fixed(),
            text("SourceAccount").fixed(),
            text("SourceArn").fixed(),
        ];
        MEMBERS
    }

    fn belongs_to(&self) -> &'static [&'static str] {
        &["FunctionName"]
    }

    fn made_by(&self) -> Operation {
        (LAMBDA, "AddPermission")
    }

    fn rank(&self) -> Rank {
        Rank::Permissions
    }

    fn identity(&self, named: &Named<'_>) -> Identity {
        let id = physical_name(&named.around.stack, named.logical_id, STATEMENT_LENGTH_MAX);
        Identity::of(&id).with("Id", id)
    }

    fn unordered(&self) -> &'static [&'static str] {
        &["SourceArn"]
    }

    async fn make(&self, at: &At<'_>, properties: &Properties) -> Result<Made, StackError> {
        let mut input = Value::Object(properties.clone());
        input["StatementId"] = at.id.into();
        let added = at.unless("ResourceConflictException", (LAMBDA, "AddPermission"), input.clone()).await?;
        if added.is_none() {
            let old = json!({"FunctionName": text_of(properties, "FunctionName"), "StatementId": at.id});
            at.ask((LAMBDA, "RemovePermission"), old).await?;
            at.call((LAMBDA, "AddPermission"), input).await?;
        }
        Ok(Made::default())
    }

    fn adopts(&self) -> bool {
        true // nobody else's statement has this id
    }

    async fn find(&self, at: &At<'_>, standing: &Standing) -> Result<Option<Made>, StackError> {
        let function = standing.text("FunctionName");
        let policy = at.ask((LAMBDA, "GetPolicy"), json!({"FunctionName": function})).await?;
        let policy = policy.and_then(|answer| serde_json::from_str::<Value>(answer["Policy"].as_str()?).ok());
        let statements = policy.as_ref().and_then(|policy| policy["Statement"].as_array());
        let found = statements.is_some_and(|list| list.iter().any(|statement| statement["Sid"] == *standing.id));
        Ok(found.then(Made::default))
    }

    async fn delete(&self, at: &At<'_>, standing: &Standing) -> Result<(), StackError> {
        let input = json!({"FunctionName": standing.text("FunctionName"), "StatementId": standing.id});
        at.ask((LAMBDA, "RemovePermission"), input).await.map(drop)
    }
}

pub struct EventSourceMapping;

impl EventSourceMapping {
    /// There is one mapping of a source to a function: a start that was cut short has made it.
    async fn take_over(&self, at: &At<'_>, properties: &Properties) -> Result<Made, StackError> {
        let input = Value::Object(only(properties, &["FunctionName", "EventSourceArn"]));
        let listed = at.call((LAMBDA, "ListEventSourceMappings"), input).await?;
        let found = &listed["EventSourceMappings"][0];
        let uuid = found["UUID"].as_str().unwrap_or_default();
        let standing = Standing { id: uuid.to_owned(), properties: properties.clone(), ..Standing::default() };
        self.update(at, &standing, properties).await?;
        Ok(Made::of(uuid).with("Id", uuid).member("EventSourceMappingArn", found, "/EventSourceMappingArn"))
    }
}

/// What a mapping goes back to.
fn mapping_defaults() -> [(&'static str, Value); 9] {
    [
        ("BisectBatchOnFunctionError", json!(false)),
        ("DestinationConfig", json!({"OnFailure": {}})),
        ("Enabled", json!(true)),
        ("FilterCriteria", json!({"Filters": []})),
        ("FunctionResponseTypes", json!([])),
        ("MaximumBatchingWindowInSeconds", json!(0)),
        ("MaximumRecordAgeInSeconds", json!(-1)),
        ("MaximumRetryAttempts", json!(-1)),
        ("ParallelizationFactor", json!(1)),
    ]
}

#[async_trait]
impl Kind for EventSourceMapping {
    fn members(&self) -> &'static [Member] {
        const FILTER: Shape = Shape::Members(&[crate::shape::document("Pattern")]);
        const DESTINATION: &[Member] = &[text("Destination")];
        const MEMBERS: &[Member] = &[
            number("BatchSize"),
            truth("BisectBatchOnFunctionError"),
            members("DestinationConfig", &[members("OnFailure", DESTINATION)]),
            truth("Enabled"),
            text("EventSourceArn").fixed(),
            members("FilterCriteria", &[items("Filters", &FILTER)]),
            text("FunctionName").required(),
            texts("FunctionResponseTypes"),
            not_honoured("KmsKeyArn"),
            not_honoured("LoggingConfig"),
            number("MaximumBatchingWindowInSeconds"),
            number("MaximumRecordAgeInSeconds"),
            number("MaximumRetryAttempts"),
            not_honoured("MetricsConfig"),
            number("ParallelizationFactor"),
            not_honoured("ProvisionedPollerConfig"),
            members("ScalingConfig", &[number("MaximumConcurrency")]),
            text("StartingPosition").fixed(),
            number("StartingPositionTimestamp").fixed(),
            tags("Tags"),
            number("TumblingWindowInSeconds"),
        ];
        MEMBERS
    }

    fn belongs_to(&self) -> &'static [&'static str] {
        &["FunctionName", "EventSourceArn"]
    }

    fn made_by(&self) -> Operation {
        (LAMBDA, "CreateEventSourceMapping")
    }

    fn rank(&self) -> Rank {
        Rank::Sources
    }

    fn identity(&self, _: &Named<'_>) -> Identity {
        Identity::later().and_later(&["Id", "EventSourceMappingArn"])
    }

    fn check(&self, properties: &Properties) -> Result<(), String> {
        let source = text_of(properties, "EventSourceArn");
        let service = source.strip_prefix("arn:").and_then(|rest| rest.split(':').nth(1));
        match service {
            Some("sqs" | "dynamodb") => Ok(()),
            None if source.contains(LATER) => Ok(()),
            _ => Err(format!("EventSourceArn must be a queue or a table's stream, not {source}")),
        }
    }

    fn expects(&self, _: &At<'_>, properties: &Properties) -> Vec<Expected> {
        let source = text_of(properties, "EventSourceArn");
        let name = source.rsplit(':').next().unwrap_or_default();
        if source.contains(":sqs:") {
            return vec![Expected {
                what: format!("the queue {name}"),
                name: source.to_owned(),
                operation: ("sqs", "GetQueueUrl"),
                input: json!({"QueueName": name}),
                made_by: format!("aws sqs create-queue --queue-name {name}"),
            }];
        }
        vec![Expected {
            what: format!("the stream {source}"),
            name: source.to_owned(),
            operation: ("dynamodb", "DescribeStream"),
            input: json!({"StreamArn": source}),
            made_by:
                "aws dynamodb create-table --stream-specification StreamEnabled=true,StreamViewType=NEW_AND_OLD_IMAGES"
                    .into(),
        }]
    }

    async fn make(&self, at: &At<'_>, properties: &Properties) -> Result<Made, StackError> {
        let mut input = without(properties, &["Tags"]);
        if properties.contains_key("Tags") {
            input.insert("Tags".into(), tag_map(properties));
        }
        let made =
            at.unless("ResourceConflictException", (LAMBDA, "CreateEventSourceMapping"), Value::Object(input)).await?;
        let Some(answer) = made else { return self.take_over(at, properties).await };
        let uuid = answer["UUID"].as_str().unwrap_or_default();
        Ok(Made::of(uuid).with("Id", uuid).member("EventSourceMappingArn", &answer, "/EventSourceMappingArn"))
    }

    async fn update(&self, at: &At<'_>, before: &Standing, properties: &Properties) -> Result<Made, StackError> {
        let fixed = ["EventSourceArn", "StartingPosition", "StartingPositionTimestamp", "Tags"];
        let mut input = without(properties, &fixed);
        for (name, default) in mapping_defaults() {
            if before.properties.contains_key(name) && !input.contains_key(name) {
                input.insert(name.into(), default);
            }
        }
        input.insert("UUID".into(), before.id.as_str().into());
        at.call((LAMBDA, "UpdateEventSourceMapping"), Value::Object(input)).await?;
        let arn = before.attribute("EventSourceMappingArn");
        let gone = gone_tags(&before.properties, properties);
        if !arn.is_empty() && !gone.is_empty() {
            at.call((LAMBDA, "UntagResource"), json!({"Resource": arn, "tagKeys": gone.join(",")})).await?;
        }
        Ok(Made::default())
    }

    async fn find(&self, at: &At<'_>, standing: &Standing) -> Result<Option<Made>, StackError> {
        let found = at.ask((LAMBDA, "GetEventSourceMapping"), json!({"UUID": standing.id})).await?;
        Ok(found.map(|_| Made::default()))
    }

    async fn delete(&self, at: &At<'_>, standing: &Standing) -> Result<(), StackError> {
        at.ask((LAMBDA, "DeleteEventSourceMapping"), json!({"UUID": standing.id})).await.map(drop)
    }
}
