//! DynamoDB tables. A global table is one in one region here.

use async_trait::async_trait;
use serde_json::{Value, json};

use crate::StackError;
use crate::kind::{
    At, Identity, Kind, Made, Named, Operation, Properties, Rank, Standing, only, retag, text as text_of,
};
use crate::shape::{
    Member, Shape, anything, items, meaningless, members, not_honoured, number, tags, text, texts, truth,
};

pub const KINDS: &[(&str, &dyn Kind)] =
    &[("AWS::DynamoDB::Table", &Table), ("AWS::DynamoDB::GlobalTable", &GlobalTable)];

const DYNAMODB: &str = "dynamodb";
const NAME_LENGTH_MAX: usize = 255;

const KEY: Shape = Shape::Members(&[text("AttributeName").required(), text("KeyType").required()]);
const ATTRIBUTE: Shape = Shape::Members(&[text("AttributeName").required(), text("AttributeType").required()]);
const PROJECTION: &[Member] = &[texts("NonKeyAttributes"), text("ProjectionType")];
const THROUGHPUT: &[Member] = &[number("ReadCapacityUnits").required(), number("WriteCapacityUnits").required()];
const LOCAL_INDEX: Shape = Shape::Members(&[
    text("IndexName").required(),
    items("KeySchema", &KEY).required(),
    members("Projection", PROJECTION).required(),
]);
const GLOBAL_INDEX: Shape = Shape::Members(&[
    meaningless("ContributorInsightsSpecification"),
    text("IndexName").required(),
    items("KeySchema", &KEY).required(),
    anything("OnDemandThroughput"),
    members("Projection", PROJECTION).required(),
    members("ProvisionedThroughput", THROUGHPUT),
    meaningless("ReadOnDemandThroughputSettings"),
    meaningless("ReadProvisionedThroughputSettings"),
    anything("WarmThroughput"),
    meaningless("WriteOnDemandThroughputSettings"),
    meaningless("WriteProvisionedThroughputSettings"),
]);
const LIFE: &[Member] = &[text("AttributeName"), truth("Enabled").required()];

/// Beside the name: without a stream, there is no `StreamArn`.
const NAMING: &[&str] = &["TableName", "StreamSpecification.StreamViewType"];

struct Table;
struct GlobalTable;

/// What both kinds of tables are made from.
fn identity(named: &Named<'_>) -> Identity {
    let name = named.name("TableName", NAME_LENGTH_MAX);
    let has_stream = named.given("StreamSpecification.StreamViewType").is_some();
    let later: &[&str] = if has_stream { &["StreamArn", "TableId"] } else { &["TableId"] };
    Identity::of(&name).with("Arn", named.arn(DYNAMODB, &format!("table/{name}"))).and_later(later)
}

#[async_trait]
impl Kind for Table {
    fn members(&self) -> &'static [Member] {
        const MEMBERS: &[Member] = &[
            items("AttributeDefinitions", &ATTRIBUTE),
            text("BillingMode"),
            meaningless("ContributorInsightsSpecification"),
            truth("DeletionProtectionEnabled"),
            items("GlobalSecondaryIndexes", &GLOBAL_INDEX),
            not_honoured("ImportSourceSpecification"),
            items("KeySchema", &KEY).required().fixed(),
            not_honoured("KinesisStreamSpecification"),
            items("LocalSecondaryIndexes", &LOCAL_INDEX).fixed(),
            meaningless("OnDemandThroughput"),
            not_honoured("PointInTimeRecoverySpecification"),
            members("ProvisionedThroughput", THROUGHPUT),
            not_honoured("ResourcePolicy"),
            meaningless("SSESpecification"),
            members("StreamSpecification", &[text("StreamViewType").required(), meaningless("ResourcePolicy")]),
            meaningless("TableClass"),
            text("TableName").fixed(),
            tags("Tags"),
            members("TimeToLiveSpecification", LIFE),
            meaningless("WarmThroughput"),
        ];
        MEMBERS
    }

    fn made_by(&self) -> Operation {
        (DYNAMODB, "CreateTable")
    }

    fn rank(&self) -> Rank {
        Rank::Stores
    }

    fn naming(&self) -> &'static [&'static str] {
        NAMING
    }

    fn identity(&self, named: &Named<'_>) -> Identity {
        identity(named)
    }

    async fn make(&self, at: &At<'_>, properties: &Properties) -> Result<Made, StackError> {
        make(at, properties).await
    }

    async fn update(&self, at: &At<'_>, before: &Standing, properties: &Properties) -> Result<Made, StackError> {
        update(at, before, properties).await
    }

    async fn find(&self, at: &At<'_>, standing: &Standing) -> Result<Option<Made>, StackError> {
        find(at, standing).await
    }

    async fn delete(&self, at: &At<'_>, standing: &Standing) -> Result<(), StackError> {
        delete(at, standing).await
    }

    fn is_precious(&self) -> bool {
        true
    }

    async fn holds(&self, at: &At<'_>, standing: &Standing) -> Result<Option<String>, StackError> {
        holds(at, standing).await
    }
}

/// A global table's properties, as those of a table.
fn in_one_region(properties: &Properties) -> Properties {
    let mut table = properties.clone();
    let replicas = table.remove("Replicas");
    if text_of(&table, "BillingMode") == "PROVISIONED" {
        table.remove("BillingMode"); // throughput is in settings for scaling, which nothing does here
    }
    table.entry("BillingMode").or_insert_with(|| "PAY_PER_REQUEST".into());
    let first = replicas.as_ref().and_then(|replicas| replicas.get(0)).cloned().unwrap_or_default();
    for name in ["Tags", "DeletionProtectionEnabled"] {
        if let Some(value) = first.get(name) {
            table.insert(name.into(), value.clone());
        }
    }
    table
}

#[async_trait]
impl Kind for GlobalTable {
    fn members(&self) -> &'static [Member] {
        const REPLICA: Shape = Shape::Members(&[
            meaningless("ContributorInsightsSpecification"),
            truth("DeletionProtectionEnabled"),
            meaningless("GlobalSecondaryIndexes"),
            not_honoured("KinesisStreamSpecification"),
            not_honoured("PointInTimeRecoverySpecification"),
            meaningless("ReadOnDemandThroughputSettings"),
            meaningless("ReadProvisionedThroughputSettings"),
            text("Region").required(),
            not_honoured("ReplicaStreamSpecification"),
            not_honoured("ResourcePolicy"),
            meaningless("SSESpecification"),
            meaningless("TableClass"),
            tags("Tags"),
        ]);
        const MEMBERS: &[Member] = &[
            items("AttributeDefinitions", &ATTRIBUTE).required(),
            text("BillingMode"),
            items("GlobalSecondaryIndexes", &GLOBAL_INDEX),
            items("KeySchema", &KEY).required().fixed(),
            items("LocalSecondaryIndexes", &LOCAL_INDEX).fixed(),
            meaningless("MultiRegionConsistency"),
            items("Replicas", &REPLICA).required(),
            meaningless("SSESpecification"),
            members("StreamSpecification", &[text("StreamViewType").required()]),
            text("TableName").fixed(),
            members("TimeToLiveSpecification", LIFE),
            meaningless("WarmThroughput"),
            meaningless("WriteOnDemandThroughputSettings"),
            meaningless("WriteProvisionedThroughputSettings"),
        ];
        MEMBERS
    }

    fn made_by(&self) -> Operation {
        (DYNAMODB, "CreateTable")
    }

    fn rank(&self) -> Rank {
        Rank::Stores
    }

    fn naming(&self) -> &'static [&'static str] {
        NAMING
    }

    fn identity(&self, named: &Named<'_>) -> Identity {
        identity(named)
    }

    fn notes(&self, at: &At<'_>, properties: &Properties) -> Vec<String> {
        let replicas = properties.get("Replicas").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let others = replicas.iter().filter_map(|replica| replica["Region"].as_str());
        let others: Vec<&str> = others.filter(|region| *region != at.around.place.region).collect();
        let any = !others.is_empty();
        any.then(|| format!("no replica in {}: there is one region here", others.join(", "))).into_iter().collect()
    }

    async fn make(&self, at: &At<'_>, properties: &Properties) -> Result<Made, StackError> {
        make(at, &in_one_region(properties)).await
    }

    async fn update(&self, at: &At<'_>, before: &Standing, properties: &Properties) -> Result<Made, StackError> {
        let before = Standing { properties: in_one_region(&before.properties), ..before.clone() };
        update(at, &before, &in_one_region(properties)).await
    }

    async fn find(&self, at: &At<'_>, standing: &Standing) -> Result<Option<Made>, StackError> {
        find(at, standing).await
    }

    async fn delete(&self, at: &At<'_>, standing: &Standing) -> Result<(), StackError> {
        delete(at, standing).await
    }

    fn is_precious(&self) -> bool {
        true
    }

    async fn holds(&self, at: &At<'_>, standing: &Standing) -> Result<Option<String>, StackError> {
        holds(at, standing).await
    }
}

const PASSED_ON: &[&str] = &[
    "AttributeDefinitions",
    "BillingMode",
    "DeletionProtectionEnabled",
    "GlobalSecondaryIndexes",
    "KeySchema",
    "LocalSecondaryIndexes",
    "ProvisionedThroughput",
    "Tags",
];

async fn make(at: &At<'_>, properties: &Properties) -> Result<Made, StackError> {
    let mut input = only(properties, PASSED_ON);
    input.insert("TableName".into(), at.id.into());
    if let Some(stream) = properties.get("StreamSpecification") {
        input.insert("StreamSpecification".into(), stream_input(stream));
    }
    at.call((DYNAMODB, "CreateTable"), Value::Object(input)).await?;
    set_life(at, None, properties.get("TimeToLiveSpecification")).await?;
    described(at).await
}

async fn described(at: &At<'_>) -> Result<Made, StackError> {
    let table = at.call((DYNAMODB, "DescribeTable"), json!({"TableName": at.id})).await?;
    Ok(attributes(&table))
}

fn attributes(table: &Value) -> Made {
    Made::default().member("StreamArn", table, "/Table/LatestStreamArn").member("TableId", table, "/Table/TableId")
}

fn stream_input(stream: &Value) -> Value {
    json!({"StreamEnabled": true, "StreamViewType": stream["StreamViewType"]})
}

async fn set_life(at: &At<'_>, before: Option<&Value>, after: Option<&Value>) -> Result<(), StackError> {
    if before == after {
        return Ok(());
    }
    let enabled = |life: Option<&Value>| life.is_some_and(|life| life["Enabled"] == true);
    let changes_attribute = before.map(|life| &life["AttributeName"]) != after.map(|life| &life["AttributeName"]);
    let set = async |life: &Value, enabled: bool| {
        let life = json!({"AttributeName": life["AttributeName"], "Enabled": enabled});
        let input = json!({"TableName": at.id, "TimeToLiveSpecification": life});
        at.call((DYNAMODB, "UpdateTimeToLive"), input).await.map(drop)
    };
    // One attribute at a time: the old one is switched off before another is switched on.
    if let Some(before) = before.filter(|before| enabled(Some(before)) && (!enabled(after) || changes_attribute)) {
        set(before, false).await?;
    }
    match after.filter(|after| enabled(Some(after)) && (!enabled(before) || changes_attribute)) {
        Some(after) => set(after, true).await,
        None => Ok(()),
    }
}

/// One change a call, as DynamoDB takes them: indexes go before others come.
async fn update(at: &At<'_>, before: &Standing, properties: &Properties) -> Result<Made, StackError> {
    let old = &before.properties;
    let changed = |name: &str| old.get(name) != properties.get(name);
    let update = async |members: Value| {
        let mut input = members;
        input["TableName"] = at.id.into();
        at.call((DYNAMODB, "UpdateTable"), input).await.map(drop)
    };
    if changed("BillingMode") || changed("ProvisionedThroughput") {
        let mode = properties.get("BillingMode").cloned().unwrap_or_else(|| "PROVISIONED".into());
        let mut members = json!({"BillingMode": mode});
        if let Some(throughput) = properties.get("ProvisionedThroughput") {
            members["ProvisionedThroughput"] = throughput.clone();
        }
        update(members).await?;
    }
    if changed("DeletionProtectionEnabled") {
        let protected = properties.get("DeletionProtectionEnabled") == Some(&json!(true));
        update(json!({"DeletionProtectionEnabled": protected})).await?;
    }
    if changed("StreamSpecification") {
        if old.contains_key("StreamSpecification") {
            update(json!({"StreamSpecification": {"StreamEnabled": false}})).await?;
        }
        if let Some(stream) = properties.get("StreamSpecification") {
            update(json!({"StreamSpecification": stream_input(stream)})).await?;
        }
    }
    let (old_indexes, indexes) = (indexes(old), indexes(properties));
    for index in old_indexes.iter().filter(|index| !indexes.contains(index)) {
        update(json!({"GlobalSecondaryIndexUpdates": [{"Delete": {"IndexName": index["IndexName"]}}]})).await?;
    }
    for index in indexes.iter().filter(|index| !old_indexes.contains(index)) {
        let definitions = properties.get("AttributeDefinitions").cloned().unwrap_or_default();
        let create = json!([{"Create": index}]);
        update(json!({"AttributeDefinitions": definitions, "GlobalSecondaryIndexUpdates": create})).await?;
    }
    set_life(at, old.get("TimeToLiveSpecification"), properties.get("TimeToLiveSpecification")).await?;
    let arn = at.arn(DYNAMODB, &format!("table/{}", at.id));
    retag(at, DYNAMODB, "ResourceArn", &arn, (old, properties)).await?;
    described(at).await
}

fn indexes(properties: &Properties) -> Vec<Value> {
    properties.get("GlobalSecondaryIndexes").and_then(Value::as_array).cloned().unwrap_or_default()
}

/// Looked for in the list first: a table that is described and not there is told as a caller's mistake.
async fn find(at: &At<'_>, standing: &Standing) -> Result<Option<Made>, StackError> {
    let mut input = json!({});
    loop {
        let page = at.call((DYNAMODB, "ListTables"), input.clone()).await?;
        let names = page["TableNames"].as_array().map(Vec::as_slice).unwrap_or_default();
        if names.iter().any(|name| *name == *standing.id) {
            break;
        }
        match page.get("LastEvaluatedTableName").filter(|name| name.is_string()) {
            Some(last) => input["ExclusiveStartTableName"] = last.clone(),
            None => return Ok(None),
        }
    }
    let table = at.ask((DYNAMODB, "DescribeTable"), json!({"TableName": standing.id})).await?;
    Ok(table.map(|table| attributes(&table)))
}

async fn delete(at: &At<'_>, standing: &Standing) -> Result<(), StackError> {
    at.ask((DYNAMODB, "DeleteTable"), json!({"TableName": standing.id})).await.map(drop)
}

async fn holds(at: &At<'_>, standing: &Standing) -> Result<Option<String>, StackError> {
    let input = json!({"TableName": standing.id, "Limit": 1, "Select": "COUNT"});
    let found = at.ask((DYNAMODB, "Scan"), input).await?;
    Ok(found.filter(|found| found["Count"].as_u64().unwrap_or_default() > 0).map(|_| "items".to_owned()))
}
