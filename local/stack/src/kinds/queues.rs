//! SQS queues and their policies. A queue's `Ref` is its URL.

use async_trait::async_trait;
use serde_json::{Map, Value, json};

use crate::StackError;
use crate::kind::{
    At, Identity, Kind, Made, Named, Operation, Properties, Rank, Standing, gone_tags, tag_map, text as text_of,
};
use crate::name::physical_name;
use crate::shape::{Member, document, meaningless, number, tags, text, texts, truth};

pub const KINDS: &[(&str, &dyn Kind)] = &[
    ("AWS::SQS::Queue", &Queue),
    ("AWS::SQS::QueuePolicy", &QueuePolicy),
    ("AWS::SQS::QueueInlinePolicy", &QueueInlinePolicy),
];

const SQS: &str = "sqs";
const NAME_LENGTH_MAX: usize = 80;
const FIFO_ENDING: &str = ".fifo";

struct Queue;

/// What an attribute goes back to when it is taken out of the template.
const DEFAULTS: &[(&str, &str)] = &[
    ("DelaySeconds", "0"),
    ("MaximumMessageSize", "1048576"),
    ("MessageRetentionPeriod", "345600"),
    ("ReceiveMessageWaitTimeSeconds", "0"),
    ("VisibilityTimeout", "30"),
    ("RedrivePolicy", ""),
    ("RedriveAllowPolicy", ""),
    ("KmsMasterKeyId", ""),
];

#[async_trait]
impl Kind for Queue {
    fn members(&self) -> &'static [Member] {
        const MEMBERS: &[Member] = &[
            truth("ContentBasedDeduplication"),
            text("DeduplicationScope"),
            number("DelaySeconds"),
            truth("FifoQueue").fixed(),
            text("FifoThroughputLimit"),
            number("KmsDataKeyReusePeriodSeconds"),
            text("KmsMasterKeyId"),
            number("MaximumMessageSize"),
            number("MessageRetentionPeriod"),
            text("QueueName").fixed(),
            number("ReceiveMessageWaitTimeSeconds"),
            document("RedriveAllowPolicy"),
            document("RedrivePolicy"),
            truth("SqsManagedSseEnabled"),
            tags("Tags"),
            number("VisibilityTimeout"),
        ];
        MEMBERS
    }

    fn made_by(&self) -> Operation {
        (SQS, "CreateQueue")
    }

    fn rank(&self) -> Rank {
        Rank::Stores
    }

    fn naming(&self) -> &'static [&'static str] {
        &["QueueName", "FifoQueue"]
    }

    fn identity(&self, named: &Named<'_>) -> Identity {
        let is_fifo = named.given("FifoQueue") == Some("true");
        let made_up = || {
            let ending = if is_fifo { FIFO_ENDING } else { "" };
            physical_name(&named.around.stack, named.logical_id, NAME_LENGTH_MAX - ending.len()) + ending
        };
        let name = named.given("QueueName").map_or_else(made_up, str::to_owned);
        let url = format!("{}/{}/{name}", named.around.endpoint.trim_end_matches('/'), named.around.place.account);
        Identity::of(&url).with("Arn", named.arn(SQS, &name)).with("QueueUrl", url).with("QueueName", name)
    }

    fn id_moves(&self) -> bool {
        true // its URL has the port in it
    }

    async fn make(&self, at: &At<'_>, properties: &Properties) -> Result<Made, StackError> {
        let name = at.id.rsplit('/').next().unwrap_or_default();
        let input = json!({"QueueName": name, "Attributes": attributes(properties), "tags": tag_map(properties)});
        let answer = at.call((SQS, "CreateQueue"), input).await?;
        let url = answer["QueueUrl"].as_str().unwrap_or(at.id);
        Ok(Made::of(url).with("QueueUrl", url))
    }

    async fn update(&self, at: &At<'_>, before: &Standing, properties: &Properties) -> Result<Made, StackError> {
        let mut given = attributes(properties);
        given.remove("FifoQueue"); // settled when a queue is made
        for (name, default) in DEFAULTS {
            if before.properties.contains_key(*name) && !given.contains_key(*name) {
                given.insert((*name).into(), (*default).into());
            }
        }
        if !given.is_empty() {
            at.call((SQS, "SetQueueAttributes"), json!({"QueueUrl": at.id, "Attributes": given})).await?;
        }
        let gone = gone_tags(&before.properties, properties);
        if !gone.is_empty() {
            at.call((SQS, "UntagQueue"), json!({"QueueUrl": at.id, "TagKeys": gone})).await?;
        }
        if properties.contains_key("Tags") && before.properties.get("Tags") != properties.get("Tags") {
            at.call((SQS, "TagQueue"), json!({"QueueUrl": at.id, "Tags": tag_map(properties)})).await?;
        }
        Ok(Made::default())
    }

    async fn find(&self, at: &At<'_>, standing: &Standing) -> Result<Option<Made>, StackError> {
        let name = standing.id.rsplit('/').next().unwrap_or_default();
        let found = at.ask((SQS, "GetQueueUrl"), json!({"QueueName": name})).await?;
        Ok(found.map(|answer| {
            let url = answer["QueueUrl"].as_str().unwrap_or(at.id); // the port may be another one today
            Made::of(url).with("QueueUrl", url)
        }))
    }

    async fn delete(&self, at: &At<'_>, standing: &Standing) -> Result<(), StackError> {
        at.ask((SQS, "DeleteQueue"), json!({"QueueUrl": standing.id})).await.map(drop)
    }
}

/// Attributes are texts on the wire.
fn attributes(properties: &Properties) -> Map<String, Value> {
    let others = properties.iter().filter(|(name, _)| !matches!(name.as_str(), "QueueName" | "Tags"));
    let written = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let unfit = |(name, value): &(&String, &Value)| name.as_str() == "FifoQueue" && **value == false;
    others.filter(|pair| !unfit(pair)).map(|(name, value)| (name.clone(), written(value).into())).collect()
}

struct QueuePolicy;
struct QueueInlinePolicy;

async fn put_policy(at: &At<'_>, queue: &str, policy: &str) -> Result<(), StackError> {
    let input = json!({"QueueUrl": queue, "Attributes": {"Policy": policy}});
    at.ask((SQS, "SetQueueAttributes"), input).await.map(drop)
}

fn urls(properties: &Properties) -> Vec<&str> {
    let listed = properties.get("Queues").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    listed.iter().filter_map(Value::as_str).collect()
}

async fn has_policy(at: &At<'_>, queue: &str) -> Result<bool, StackError> {
    let input = json!({"QueueUrl": queue, "AttributeNames": ["Policy"]});
    let answer = at.ask((SQS, "GetQueueAttributes"), input).await?;
    Ok(answer.is_some_and(|answer| answer["Attributes"]["Policy"].as_str().is_some_and(|policy| !policy.is_empty())))
}

#[async_trait]
impl Kind for QueuePolicy {
    fn members(&self) -> &'static [Member] {
        const MEMBERS: &[Member] =
            &[document("PolicyDocument").required(), texts("Queues").required(), meaningless("Id")];
        MEMBERS
    }

    fn made_by(&self) -> Operation {
        (SQS, "SetQueueAttributes")
    }

    fn rank(&self) -> Rank {
        Rank::Permissions
    }

    fn identity(&self, named: &Named<'_>) -> Identity {
        let id = physical_name(&named.around.stack, named.logical_id, NAME_LENGTH_MAX);
        Identity::of(&id).with("Id", id)
    }

    fn unordered(&self) -> &'static [&'static str] {
        &["PolicyDocument"]
    }

    async fn make(&self, at: &At<'_>, properties: &Properties) -> Result<Made, StackError> {
        for queue in urls(properties) {
            put_policy(at, queue, text_of(properties, "PolicyDocument")).await?;
        }
        Ok(Made::default())
    }

    async fn update(&self, at: &At<'_>, before: &Standing, properties: &Properties) -> Result<Made, StackError> {
        let after = urls(properties);
        for queue in urls(&before.properties).iter().filter(|queue| !after.contains(queue)) {
            put_policy(at, queue, "").await?;
        }
        self.make(at, properties).await
    }

    async fn find(&self, at: &At<'_>, standing: &Standing) -> Result<Option<Made>, StackError> {
        for queue in urls(&standing.properties) {
            if !has_policy(at, queue).await? {
                return Ok(None);
            }
        }
        Ok(Some(Made::default()))
    }

    async fn delete(&self, at: &At<'_>, standing: &Standing) -> Result<(), StackError> {
        for queue in urls(&standing.properties) {
            put_policy(at, queue, "").await?;
        }
        Ok(())
    }

    fn adopts(&self) -> bool {
        true
    }
}

#[async_trait]
impl Kind for QueueInlinePolicy {
    fn members(&self) -> &'static [Member] {
        const MEMBERS: &[Member] = &[document("PolicyDocument").required(), text("Queue").required().fixed()];
        MEMBERS
    }

    fn made_by(&self) -> Operation {
        (SQS, "SetQueueAttributes")
    }

    fn rank(&self) -> Rank {
        Rank::Permissions
    }

    fn identity(&self, named: &Named<'_>) -> Identity {
        Identity::of(physical_name(&named.around.stack, named.logical_id, NAME_LENGTH_MAX))
    }

    fn unordered(&self) -> &'static [&'static str] {
        &["PolicyDocument"]
    }

    async fn make(&self, at: &At<'_>, properties: &Properties) -> Result<Made, StackError> {
        put_policy(at, text_of(properties, "Queue"), text_of(properties, "PolicyDocument")).await?;
        Ok(Made::default())
    }

    async fn find(&self, at: &At<'_>, standing: &Standing) -> Result<Option<Made>, StackError> {
        Ok(has_policy(at, standing.text("Queue")).await?.then(Made::default))
    }

    async fn delete(&self, at: &At<'_>, standing: &Standing) -> Result<(), StackError> {
        put_policy(at, standing.text("Queue"), "").await
    }

    fn adopts(&self) -> bool {
        true
    }
}
