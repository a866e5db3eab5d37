//! The events of a function: what calls it, and what lets it be called.

use super::function::Target;
use super::{Expansion, Serverless};
use crate::error::{TemplateError, Warning};
use crate::make::{Make, pick};
use crate::near::did_you_mean;
use crate::node::{Entry, Map, Node};
use crate::resolve::hinted;
use crate::source::Span;

/// What an event source mapping takes as it is.
const MAPPING: &[&str] = &[
    "BatchSize",
    "BisectBatchOnFunctionError",
    "Enabled",
    "FilterCriteria",
    "FunctionResponseTypes",
    "KmsKeyArn",
    "LoggingConfig",
    "MaximumBatchingWindowInSeconds",
    "MaximumRecordAgeInSeconds",
    "MaximumRetryAttempts",
    "MetricsConfig",
    "ParallelizationFactor",
    "ProvisionedPollerConfig",
    "ScalingConfig",
    "SourceAccessConfigurations",
    "StartingPosition",
    "StartingPositionTimestamp",
    "TumblingWindowInSeconds",
];

/// The types that are made here.
const HERE: &[&str] = &[
    "Api",
    "CloudWatchEvent",
    "Cognito",
    "DynamoDB",
    "EventBridgeRule",
    "HttpApi",
    "Kinesis",
    "SNS",
    "SQS",
    "Schedule",
    "ScheduleV2",
];

/// The types that SAM has besides.
const NOT_HERE: &[&str] =
    &["AlexaSkill", "CloudWatchLogs", "DocumentDB", "IoTRule", "MQ", "MSK", "S3", "SelfManagedKafka"];

/// One event of a function.
#[derive(Clone, Copy)]
pub(super) struct Event<'e> {
    pub(super) function: &'e Serverless<'e>,
    pub(super) target: &'e Target,
    /// What the function calls it.
    pub(super) name: &'e str,
    pub(super) kind: &'e str,
    pub(super) entry: &'e Entry,
    pub(super) properties: &'e Map,
}

impl Event<'_> {
    /// The logical id of what it makes: the function's and its own.
    pub(super) fn id(&self) -> String {
        format!("{}{}", self.function.id, self.name)
    }

    pub(super) fn make(&self) -> Make<'_> {
        Make(&self.entry.key_span)
    }

    /// "Event with id […] is invalid. …".
    pub(super) fn invalid(&self, words: &str) -> TemplateError {
        self.function.invalid_event(self.name, &self.entry.key_span, words)
    }

    /// The same where SAM calls it by its logical id.
    pub(super) fn invalid_id(&self, words: &str) -> TemplateError {
        self.function.invalid_event(&self.id(), &self.entry.key_span, words)
    }

    /// "Resource with id […] is invalid. …", where SAM calls the event a resource.
    fn invalid_properties(&self, span: &Span, words: &str) -> TemplateError {
        TemplateError::new(span, format!("Resource with id [{}] is invalid. {words}", self.id()))
    }

    /// Whether every property is one that its type has.
    pub(super) fn known(&self, known: &[&str]) -> Result<(), TemplateError> {
        let mut entries = self.properties.entries().iter();
        let Some(entry) = entries.find(|entry| !known.contains(&entry.key.as_str())) else { return Ok(()) };
        let words = format!("property {} not defined for resource of type {}", entry.key, self.kind);
        let hint = || did_you_mean(&entry.key, known.iter().copied());
        Err(hinted(self.invalid_properties(&entry.key_span, &words), hint))
    }

    /// The value of a property that must be there.
    pub(super) fn required(&self, key: &str) -> Result<&Node, TemplateError> {
        let missing = || self.invalid_properties(&self.entry.key_span, &format!("Missing required property '{key}'."));
        self.properties.get(key).filter(|node| !node.is_null()).ok_or_else(missing)
    }
}

impl Expansion<'_> {
    /// In the order of their names, as SAM does it.
    pub(super) fn events(&mut self, function: &Serverless<'_>, target: &Target) -> Result<(), TemplateError> {
        let Some(events) = function.properties.get("Events").filter(|node| !node.is_null()) else { return Ok(()) };
        let mut entries: Vec<&Entry> =
            events.expect_map(&format!("Events of {}", function.id))?.entries().iter().collect();
        entries.sort_by(|left, right| left.key.cmp(&right.key));
        let empty = Map::default();
        for entry in entries {
            let name = entry.key.as_str();
            if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric()) {
                let words = "Logical ids must be alphanumeric.";
                return Err(function.invalid_event(name, &entry.key_span, words));
            }
            let declared = entry.value.expect_map(&format!("the event {name} of {}", function.id))?;
            let properties = match declared.get("Properties").filter(|node| !node.is_null()) {
                Some(node) => node.expect_map(&format!("Properties of the event {name}"))?,
                None => &empty,
            };
            let kind = self.given_text(declared, "Type")?.unwrap_or_else(|| "None".to_owned());
            self.event(&Event { function, target, name, kind: &kind, entry, properties })?;
        }
        Ok(())
    }

    fn event(&mut self, event: &Event<'_>) -> Result<(), TemplateError> {
        let kind = event.kind;
        match kind {
            "Api" => self.api_event(event),
            "HttpApi" => self.http_api_event(event),
            "Cognito" => self.cognito(event),
            "EventBridgeRule" | "CloudWatchEvent" => self.rule(event),
            "Schedule" => self.schedule(event),
            "ScheduleV2" => self.schedule_v2(event),
            "DynamoDB" | "Kinesis" => self.mapping(event, "Stream"),
            "SQS" => self.mapping(event, "Queue"),
            "SNS" => self.sns(event),
            _ if NOT_HERE.contains(&kind) => {
                let message = format!("the event {} of {} is not made here: {kind}", event.name, event.function.id);
                self.warnings.push(Warning::new(&event.entry.key_span, message));
                Ok(())
            }
            _ => {
                let words = "Resource dict has missing or invalid value for key Type. Event Type is:";
                let error = event.invalid(&format!("{words} {kind}."));
                Err(hinted(error, || did_you_mean(kind, HERE.iter().chain(NOT_HERE).copied())))
            }
        }
    }

    /// What lets a service call the function: `<Function><Event>Permission` with what stands behind that.
    pub(super) fn permission(
        &mut self,
        event: &Event<'_>,
        id: &str,
        principal: &str,
        source: Node,
    ) -> Result<(), TemplateError> {
        let make = event.make();
        let node = make.map([
            ("Action", make.text("lambda:InvokeFunction")),
            ("FunctionName", event.target.name.clone()),
            ("Principal", make.text(principal)),
            ("SourceArn", source),
        ]);
        self.add(event.function, id, "AWS::Lambda::Permission", node)
    }

    /// A stream or a queue that is read.
    fn mapping(&mut self, event: &Event<'_>, source: &str) -> Result<(), TemplateError> {
        let (make, properties) = (event.make(), event.properties);
        event.known(&[MAPPING, &[source, "DestinationConfig", "SecretsManagerKmsKeyId"]].concat())?;
        let source = event.required(source)?.clone();

        let mut node = vec![("EventSourceArn", Some(source)), ("FunctionName", Some(event.target.name.clone()))];
        node.extend(pick(properties, MAPPING));
        if let Some(mut config) = self.given(properties, "DestinationConfig")? {
            // The type is for SAM alone, which chooses a policy by it.
            if let Some(failure) =
                config.as_map_mut().and_then(|map| map.get_mut("OnFailure")).and_then(Node::as_map_mut)
            {
                failure.remove("Type");
            }
            node.push(("DestinationConfig", Some(config)));
        }
        self.add(event.function, &event.id(), "AWS::Lambda::EventSourceMapping", make.some(node))
    }

    /// A trigger of a pool in the same template, which is written into the pool.
    fn cognito(&mut self, event: &Event<'_>) -> Result<(), TemplateError> {
        let make = event.make();
        event.known(&["Trigger", "UserPool"])?;
        let pool = event.required("UserPool")?;
        let in_template = match pool.as_intrinsic() {
            Some(("Ref", name)) => name.as_str().filter(|name| self.is_made(name)),
            _ => None,
        };
        let Some(pool) = in_template.map(str::to_owned) else {
            return Err(event.invalid("Cognito events must reference a Cognito UserPool in the same template."));
        };
        let trigger = self.taken(event.required("Trigger")?)?.unwrap_or_else(|| make.list([]));
        let id = format!("{}CognitoPermission", event.target.id);
        let source = make.attribute(&pool, "Arn");
        // A function has one such permission: of several pools the last one has it, as SAM does it.
        let earlier = self.made_mut(&id).and_then(|made| made.as_map_mut()?.get_mut("Properties")?.as_map_mut());
        match earlier {
            Some(properties) => properties.insert("SourceArn", &event.entry.key_span, source),
            None => self.permission(event, &id, "cognito-idp.amazonaws.com", source)?,
        }
        let triggers = trigger.as_list().unwrap_or(std::slice::from_ref(&trigger));
        let span = event.entry.key_span.clone();
        for name in triggers {
            let name = name.expect_str("Trigger")?;
            let config = self.lambda_config(&pool).and_then(Node::as_map_mut);
            let Some(config) = config else {
                return Err(event.invalid("LambdaConfig of the user pool must be a map."));
            };
            if config.get(name).is_some() {
                let words = format!("Cognito trigger \"{}\" defined multiple times.", words(&trigger));
                return Err(event.invalid(&words));
            }
            config.insert(name, &span, event.target.arn.clone());
        }
        Ok(())
    }

    /// A pool's `LambdaConfig`, which is made if it is not there.
    fn lambda_config(&mut self, pool: &str) -> Option<&mut Node> {
        let resource = self.made_mut(pool)?;
        let mut node = resource;
        for key in ["Properties", "LambdaConfig"] {
            let span = node.span.clone();
            let map = node.as_map_mut()?;
            if map.get(key).is_none_or(Node::is_null) {
                map.insert(key, &span, Node::map(&span, []));
            }
            node = map.get_mut(key)?;
        }
        Some(node)
    }

    /// A topic that the function or a queue before it listens to. Topics are not here: the stack says so of what is made.
    fn sns(&mut self, event: &Event<'_>) -> Result<(), TemplateError> {
        let (make, id) = (event.make(), event.id());
        event.known(&["FilterPolicy", "FilterPolicyScope", "RedrivePolicy", "Region", "SqsSubscription", "Topic"])?;
        let topic = event.required("Topic")?.clone();
        let by_queue = self.given(event.properties, "SqsSubscription")?.filter(|node| node.as_bool() != Some(false));
        if by_queue.is_some() {
            let message = format!("the event {} of {} is not made here: SNS by a queue", event.name, event.function.id);
            self.warnings.push(Warning::new(&event.entry.key_span, message));
            return Ok(());
        }
        self.permission(event, &format!("{id}Permission"), "sns.amazonaws.com", topic.clone())?;
        let mut node = vec![
            ("Endpoint", Some(event.target.arn.clone())),
            ("Protocol", Some(make.text("lambda"))),
            ("TopicArn", Some(topic)),
        ];
        node.extend(pick(event.properties, &["FilterPolicy", "FilterPolicyScope", "Region", "RedrivePolicy"]));
        self.add(event.function, &id, "AWS::SNS::Subscription", make.some(node))
    }
}

/// A text or a list of them as Python prints it, for SAM's words.
fn words(node: &Node) -> String {
    match (node.as_str(), node.as_list()) {
        (Some(text), _) => text.to_owned(),
        (None, Some(items)) => {
            let items: Vec<String> = items.iter().filter_map(Node::as_str).map(|item| format!("'{item}'")).collect();
            format!("[{}]", items.join(", "))
        }
        (None, None) => String::new(),
    }
}
