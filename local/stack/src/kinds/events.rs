//! Event buses, their policies, rules, archives. What calls out stands in `events_out.rs`.

use async_trait::async_trait;
use serde_json::{Value, json};

use super::events_out;
use crate::StackError;
use crate::kind::{
    At, Expected, Identity, Kind, Made, Named, Operation, Properties, Rank, Standing, only, retag, text as text_of,
    without,
};
use crate::known::LATER;
use crate::name::physical_name;
use crate::shape::{
    Member, Shape, anything, document, items, meaningless, members, not_honoured, number, tags, text, text_map, texts,
};

pub const KINDS: &[(&str, &dyn Kind)] = &[
    ("AWS::Events::EventBus", &EventBus),
    ("AWS::Events::EventBusPolicy", &EventBusPolicy),
    ("AWS::Events::Rule", &Rule),
    ("AWS::Events::Archive", &Archive),
    ("AWS::Events::Connection", &events_out::Connection),
    ("AWS::Events::ApiDestination", &events_out::ApiDestination),
    ("AWS::Scheduler::Schedule", &events_out::Schedule),
];

pub const EVENTS: &str = "events";
const NAME_LENGTH_MAX: usize = 64;
const ARCHIVE_NAME_LENGTH_MAX: usize = 48;
const DEFAULT_BUS: &str = "default";

/// The name in a bus's name or ARN; the default one without any.
pub fn bus_name(reference: &str) -> &str {
    match reference.split_once(":event-bus/").map_or(reference, |(_, name)| name) {
        "" => DEFAULT_BUS,
        name => name,
    }
}

struct EventBus;

#[async_trait]
impl Kind for EventBus {
    fn members(&self) -> &'static [Member] {
        const MEMBERS: &[Member] = &[
            anything("DeadLetterConfig"),
            text("Description"),
            text("EventSourceName").fixed(),
            text("KmsKeyIdentifier"),
            anything("LogConfig"),
            text("Name").required().fixed(),
            document("Policy"),
            tags("Tags"),
        ];
        MEMBERS
    }

    fn made_by(&self) -> Operation {
        (EVENTS, "CreateEventBus")
    }

    fn rank(&self) -> Rank {
        Rank::Stores
    }

    fn naming(&self) -> &'static [&'static str] {
        &["Name"]
    }

    fn identity(&self, named: &Named<'_>) -> Identity {
        let name = named.name("Name", 256);
        Identity::of(&name).with("Arn", named.arn(EVENTS, &format!("event-bus/{name}"))).with("Name", name)
    }

    fn unordered(&self) -> &'static [&'static str] {
        &["Policy"]
    }

    async fn make(&self, at: &At<'_>, properties: &Properties) -> Result<Made, StackError> {
        at.call((EVENTS, "CreateEventBus"), Value::Object(without(properties, &["Policy"]))).await?;
        put_policy(at, at.id, text_of(properties, "Policy")).await?;
        Ok(Made::default())
    }

    async fn update(&self, at: &At<'_>, before: &Standing, properties: &Properties) -> Result<Made, StackError> {
        let settings = ["Name", "Description", "KmsKeyIdentifier", "DeadLetterConfig", "LogConfig"];
        at.call((EVENTS, "UpdateEventBus"), Value::Object(only(properties, &settings))).await?;
        if before.properties.get("Policy") != properties.get("Policy") {
            put_policy(at, at.id, text_of(properties, "Policy")).await?;
        }
        let arn = at.arn(EVENTS, &format!("event-bus/{}", at.id));
        retag(at, EVENTS, "ResourceARN", &arn, (&before.properties, properties)).await?;
        Ok(Made::default())
    }

    async fn find(&self, at: &At<'_>, standing: &Standing) -> Result<Option<Made>, StackError> {
        let found = at.ask((EVENTS, "DescribeEventBus"), json!({"Name": standing.id})).await?;
        Ok(found.map(|_| Made::default()))
    }

    async fn delete(&self, at: &At<'_>, standing: &Standing) -> Result<(), StackError> {
        at.ask((EVENTS, "DeleteEventBus"), json!({"Name": standing.id})).await.map(drop)
    }
}

async fn put_policy(at: &At<'_>, bus: &str, policy: &str) -> Result<(), StackError> {
    if policy.is_empty() {
        return Ok(());
    }
    at.call((EVENTS, "PutPermission"), json!({"EventBusName": bus, "Policy": policy})).await.map(drop)
}

struct EventBusPolicy;

#[async_trait]
impl Kind for EventBusPolicy {
    fn members(&self) -> &'static [Member] {
        const MEMBERS: &[Member] = &[
            text("Action"),
            members("Condition", &[text("Key"), text("Type"), text("Value")]),
            text("EventBusName").fixed(),
            text("Principal"),
            anything("Statement"),
            text("StatementId").required().fixed(),
        ];
        MEMBERS
    }

    fn made_by(&self) -> Operation {
        (EVENTS, "PutPermission")
    }

    fn rank(&self) -> Rank {
        Rank::Permissions
    }

    fn naming(&self) -> &'static [&'static str] {
        &["StatementId", "EventBusName"]
    }

    fn identity(&self, named: &Named<'_>) -> Identity {
        let bus = bus_name(named.given("EventBusName").unwrap_or_default());
        Identity::of(format!("{bus}|{}", named.given("StatementId").unwrap_or_default()))
    }

    fn unordered(&self) -> &'static [&'static str] {
        &["Statement"]
    }

    async fn make(&self, at: &At<'_>, properties: &Properties) -> Result<Made, StackError> {
        let bus = bus_name(text_of(properties, "EventBusName"));
        let Some(statement) = properties.get("Statement") else {
            let mut input = without(properties, &["EventBusName"]);
            input.insert("EventBusName".into(), bus.into());
            at.call((EVENTS, "PutPermission"), Value::Object(input)).await?;
            return Ok(Made::default());
        };
        let id = text_of(properties, "StatementId");
        let mut policy = policy_of(at, bus).await?.unwrap_or_else(|| json!({"Version": "2012-10-17"}));
        let mut statements = policy["Statement"].as_array().cloned().unwrap_or_default();
        statements.retain(|before| before["Sid"] != id);
        let mut statement = statement.clone();
        statement["Sid"] = id.into();
        statements.push(statement);
        policy["Statement"] = statements.into();
        put_policy(at, bus, &policy.to_string()).await?;
        Ok(Made::default())
    }

    async fn find(&self, at: &At<'_>, standing: &Standing) -> Result<Option<Made>, StackError> {
        let policy = policy_of(at, bus_name(standing.text("EventBusName"))).await?;
        let statements = policy.as_ref().and_then(|policy| policy["Statement"].as_array());
        let id = standing.text("StatementId");
        let found = statements.is_some_and(|list| list.iter().any(|statement| statement["Sid"] == id));
        Ok(found.then(Made::default))
    }

    async fn delete(&self, at: &At<'_>, standing: &Standing) -> Result<(), StackError> {
        let bus = bus_name(standing.text("EventBusName"));
        let input = json!({"EventBusName": bus, "StatementId": standing.text("StatementId")});
        at.ask((EVENTS, "RemovePermission"), input).await.map(drop)
    }

    fn adopts(&self) -> bool {
        true
    }
}

async fn policy_of(at: &At<'_>, bus: &str) -> Result<Option<Value>, StackError> {
    let described = at.ask((EVENTS, "DescribeEventBus"), json!({"Name": bus})).await?;
    Ok(described.and_then(|bus| serde_json::from_str(bus["Policy"].as_str()?).ok()))
}

struct Rule;

const TARGET: Shape = Shape::Members(&[
    anything("AppSyncParameters"),
    text("Arn").required(),
    anything("BatchParameters"),
    members("DeadLetterConfig", &[text("Arn")]),
    anything("EcsParameters"),
    members(
        "HttpParameters",
        &[text_map("HeaderParameters"), texts("PathParameterValues"), text_map("QueryStringParameters")],
    ),
    text("Id").required(),
    text("Input"),
    text("InputPath"),
    members("InputTransformer", &[text_map("InputPathsMap"), text("InputTemplate").required()]),
    anything("KinesisParameters"),
    anything("RedshiftDataParameters"),
    members("RetryPolicy", &[number("MaximumEventAgeInSeconds"), number("MaximumRetryAttempts")]),
    text("RoleArn"),
    anything("RunCommandParameters"),
    anything("SageMakerPipelineParameters"),
    members("SqsParameters", &[text("MessageGroupId")]),
]);

#[async_trait]
impl Kind for Rule {
    fn members(&self) -> &'static [Member] {
        const MEMBERS: &[Member] = &[
            text("Description"),
            text("EventBusName").fixed(),
            document("EventPattern"),
            text("Name").fixed(),
            text("RoleArn"),
            text("ScheduleExpression"),
            text("State"),
            tags("Tags"),
            items("Targets", &TARGET),
        ];
        MEMBERS
    }

    fn made_by(&self) -> Operation {
        (EVENTS, "PutRule")
    }

    fn rank(&self) -> Rank {
        Rank::Sources
    }

    fn naming(&self) -> &'static [&'static str] {
        &["Name", "EventBusName"]
    }

    /// `Ref` of a rule on a bus of one's own is `bus|rule`.
    fn identity(&self, named: &Named<'_>) -> Identity {
        let name = named.name("Name", NAME_LENGTH_MAX);
        match bus_name(named.given("EventBusName").unwrap_or_default()) {
            DEFAULT_BUS => Identity::of(&name).with("Arn", named.arn(EVENTS, &format!("rule/{name}"))),
            bus => Identity::of(format!("{bus}|{name}")).with("Arn", named.arn(EVENTS, &format!("rule/{bus}/{name}"))),
        }
    }

    fn unordered(&self) -> &'static [&'static str] {
        &["Targets", "EventPattern", "RoleArn"]
    }

    fn check(&self, properties: &Properties) -> Result<(), String> {
        if properties.contains_key("EventPattern") || properties.contains_key("ScheduleExpression") {
            return Ok(());
        }
        Err("a rule needs EventPattern or ScheduleExpression".into())
    }

    fn expects(&self, _: &At<'_>, properties: &Properties) -> Vec<Expected> {
        let bus = bus_name(text_of(properties, "EventBusName"));
        vec![Expected {
            what: format!("the event bus {bus}"),
            name: bus.to_owned(),
            operation: (EVENTS, "DescribeEventBus"),
            input: json!({"Name": bus}),
            made_by: format!("aws events create-event-bus --name {bus}"),
        }]
    }

    fn notes(&self, _: &At<'_>, properties: &Properties) -> Vec<String> {
        let lost = targets(properties).filter(|(_, reachable)| !reachable);
        lost.map(|(target, _)| {
            format!("the target {} leads to {}, which is not here: it is left out", target["Id"], target["Arn"])
        })
        .collect()
    }

    async fn make(&self, at: &At<'_>, properties: &Properties) -> Result<Made, StackError> {
        put_rule(at, properties).await?;
        put_targets(at, &reachable(properties)).await?;
        Ok(Made::default())
    }

    async fn update(&self, at: &At<'_>, before: &Standing, properties: &Properties) -> Result<Made, StackError> {
        put_rule(at, properties).await?;
        let targets = reachable(properties);
        let kept: Vec<&Value> = targets.iter().map(|target| &target["Id"]).collect();
        let standing = target_ids(at, &before.id).await?;
        remove_targets(at, &before.id, standing.into_iter().filter(|id| !kept.contains(&id)).collect()).await?;
        put_targets(at, &targets).await?;
        let (bus, name) = split(at.id);
        let path = if bus == DEFAULT_BUS { name.to_owned() } else { format!("{bus}/{name}") };
        let arn = at.arn(EVENTS, &format!("rule/{path}"));
        retag(at, EVENTS, "ResourceARN", &arn, (&before.properties, properties)).await?;
        Ok(Made::default())
    }

    async fn find(&self, at: &At<'_>, standing: &Standing) -> Result<Option<Made>, StackError> {
        let (bus, name) = split(&standing.id);
        let found = at.ask((EVENTS, "DescribeRule"), json!({"EventBusName": bus, "Name": name})).await?;
        Ok(found.map(|_| Made::default()))
    }

    async fn delete(&self, at: &At<'_>, standing: &Standing) -> Result<(), StackError> {
        delete_rule(at, &standing.id).await
    }
}

/// Bus and name in what `Ref` gives.
fn split(id: &str) -> (&str, &str) {
    id.split_once('|').unwrap_or((DEFAULT_BUS, id))
}

async fn put_rule(at: &At<'_>, properties: &Properties) -> Result<(), StackError> {
    let (bus, name) = split(at.id);
    let mut input = without(properties, &["Targets"]);
    input.insert("EventBusName".into(), bus.into());
    input.insert("Name".into(), name.into());
    at.call((EVENTS, "PutRule"), Value::Object(input)).await.map(drop)
}

/// The targets, and whether each leads somewhere.
fn targets(properties: &Properties) -> impl Iterator<Item = (&Value, bool)> {
    const SERVICES: &[&str] = &["lambda", "sqs", "events", "logs"];
    let listed = properties.get("Targets").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    listed.iter().map(|target| {
        let arn = target["Arn"].as_str().unwrap_or_default();
        let is_known = arn.starts_with("arn:") && arn.split(':').nth(2).is_some_and(|name| SERVICES.contains(&name));
        (target, is_known || arn.contains(LATER))
    })
}

fn reachable(properties: &Properties) -> Vec<&Value> {
    targets(properties).filter(|(_, reachable)| *reachable).map(|(target, _)| target).collect()
}

async fn put_targets(at: &At<'_>, targets: &[&Value]) -> Result<(), StackError> {
    if targets.is_empty() {
        return Ok(());
    }
    let (bus, name) = split(at.id);
    let input = json!({"Rule": name, "EventBusName": bus, "Targets": targets});
    at.call((EVENTS, "PutTargets"), input).await.map(drop)
}

async fn target_ids(at: &At<'_>, id: &str) -> Result<Vec<Value>, StackError> {
    let (bus, name) = split(id);
    let listed = at.ask((EVENTS, "ListTargetsByRule"), json!({"Rule": name, "EventBusName": bus})).await?;
    let targets = listed.and_then(|listed| listed["Targets"].as_array().cloned()).unwrap_or_default();
    Ok(targets.into_iter().map(|target| target["Id"].clone()).collect())
}

async fn remove_targets(at: &At<'_>, id: &str, ids: Vec<Value>) -> Result<(), StackError> {
    if ids.is_empty() {
        return Ok(());
    }
    let (bus, name) = split(id);
    at.ask((EVENTS, "RemoveTargets"), json!({"Rule": name, "EventBusName": bus, "Ids": ids})).await.map(drop)
}

pub async fn delete_rule(at: &At<'_>, id: &str) -> Result<(), StackError> {
    remove_targets(at, id, target_ids(at, id).await?).await?;
    let (bus, name) = split(id);
    at.ask((EVENTS, "DeleteRule"), json!({"Name": name, "EventBusName": bus})).await.map(drop)
}

struct Archive;

#[async_trait]
impl Kind for Archive {
    fn members(&self) -> &'static [Member] {
        const MEMBERS: &[Member] = &[
            text("ArchiveName").fixed(),
            text("Description"),
            document("EventPattern"),
            not_honoured("KmsKeyIdentifier"),
            number("RetentionDays"),
            text("SourceArn").required().fixed(),
            meaningless("Tags"),
        ];
        MEMBERS
    }

    fn made_by(&self) -> Operation {
        (EVENTS, "CreateArchive")
    }

    fn rank(&self) -> Rank {
        Rank::Sources
    }

    fn naming(&self) -> &'static [&'static str] {
        &["ArchiveName"]
    }

    fn identity(&self, named: &Named<'_>) -> Identity {
        let made_up = || physical_name(&named.around.stack, named.logical_id, ARCHIVE_NAME_LENGTH_MAX);
        let name = named.given("ArchiveName").map_or_else(made_up, str::to_owned);
        Identity::of(&name).with("Arn", named.arn(EVENTS, &format!("archive/{name}"))).with("ArchiveName", name)
    }

    async fn make(&self, at: &At<'_>, properties: &Properties) -> Result<Made, StackError> {
        let mut input = archive_input(at, properties);
        input.insert("EventSourceArn".into(), text_of(properties, "SourceArn").into());
        at.call((EVENTS, "CreateArchive"), Value::Object(input)).await?;
        Ok(Made::default())
    }

    async fn update(&self, at: &At<'_>, _: &Standing, properties: &Properties) -> Result<Made, StackError> {
        let mut input = archive_input(at, properties);
        for (name, default) in [("Description", json!("")), ("EventPattern", json!("")), ("RetentionDays", json!(0))] {
            input.entry(name).or_insert(default);
        }
        at.call((EVENTS, "UpdateArchive"), Value::Object(input)).await?;
        Ok(Made::default())
    }

    async fn find(&self, at: &At<'_>, standing: &Standing) -> Result<Option<Made>, StackError> {
        let found = at.ask((EVENTS, "DescribeArchive"), json!({"ArchiveName": standing.id})).await?;
        Ok(found.map(|_| Made::default()))
    }

    async fn delete(&self, at: &At<'_>, standing: &Standing) -> Result<(), StackError> {
        at.ask((EVENTS, "DeleteArchive"), json!({"ArchiveName": standing.id})).await.map(drop)
    }
}

fn archive_input(at: &At<'_>, properties: &Properties) -> Properties {
    let mut input = only(properties, &["Description", "EventPattern", "RetentionDays"]);
    input.insert("ArchiveName".into(), at.id.into());
    input
}
