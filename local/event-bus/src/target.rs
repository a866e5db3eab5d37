//! Targets of rules: where they lead, and what may be asked of them.

use std::collections::BTreeMap;

use aws_api::Arn;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use world::Place;

use crate::api_call::is_reserved;
use crate::constraint::Constraints;
use crate::error::Error;
use crate::json;
use crate::json_path::JsonPath;
use crate::transform;

/// Retries of a delivery if the target says nothing.
pub const RETRY_ATTEMPTS_DEFAULT: u32 = 185;
/// How long a delivery is tried if the target says nothing: a day.
pub const EVENT_AGE_SECONDS_DEFAULT: u32 = 86_400;

/// Parameters of targets that we do not have, and so refuse by name.
const FOREIGN_PARAMETERS: &[&str] = &[
    "AppSyncParameters",
    "BatchParameters",
    "EcsParameters",
    "KinesisParameters",
    "RedshiftDataParameters",
    "RunCommandParameters",
    "SageMakerPipelineParameters",
];

/// A target, as the wire and the store write it: the service gives back what it was given.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Target {
    /// Chosen by the caller, unique within the rule.
    #[serde(default)]
    pub id: String,
    /// Where it leads.
    #[serde(default)]
    pub arn: String,
    /// Kept and given back; nothing is assumed by anybody here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role_arn: Option<String>,
    /// A constant, in place of the event.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input: Option<String>,
    /// A part of the event, in its place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input_path: Option<String>,
    /// A template, in its place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input_transformer: Option<InputTransformer>,
    /// For FIFO queues.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sqs_parameters: Option<SqsParameters>,
    /// For API destinations.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub http_parameters: Option<HttpParameters>,
    /// Where events go that cannot be delivered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dead_letter_config: Option<DeadLetterConfig>,
    /// How often and how long to try.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_policy: Option<RetryPolicy>,
    /// Members that only other kinds of targets have.
    #[serde(flatten, skip_serializing)]
    pub other: BTreeMap<String, Value>,
}

/// A template and where its variables come from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct InputTransformer {
    /// Variables and their JSON paths.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub input_paths_map: BTreeMap<String, String>,
    /// With `<variables>`.
    #[serde(default)]
    pub input_template: String,
}

/// What a FIFO queue needs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct SqsParameters {
    /// The message's group.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message_group_id: Option<String>,
}

/// What a call of an API destination has beside its body. Values that begin with `$.` are taken from the event.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct HttpParameters {
    /// For the wildcards in the endpoint's path.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub path_parameter_values: Vec<String>,
    /// Headers.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub header_parameters: BTreeMap<String, String>,
    /// Of the query string.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub query_string_parameters: BTreeMap<String, String>,
}

/// A queue for what cannot be delivered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct DeadLetterConfig {
    /// Of a standard queue.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub arn: Option<String>,
}

/// How often and how long to try.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct RetryPolicy {
    /// 0 to 185, beside the first attempt.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub maximum_retry_attempts: Option<i64>,
    /// 60 to 86,400.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub maximum_event_age_in_seconds: Option<i64>,
}

/// Where a target leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Destination {
    /// A Lambda function.
    Function,
    /// An SQS queue.
    Queue,
    /// Another bus of ours, by its name.
    Bus(String),
    /// An API destination of ours.
    Api,
    /// A log group of CloudWatch Logs.
    LogGroup,
}

impl Target {
    /// A target that gets the whole event.
    #[cfg(test)]
    pub fn new(id: &str, arn: &str) -> Self {
        Self {
            id: id.into(),
            arn: arn.into(),
            role_arn: None,
            input: None,
            input_path: None,
            input_transformer: None,
            sqs_parameters: None,
            http_parameters: None,
            dead_letter_config: None,
            retry_policy: None,
            other: BTreeMap::new(),
        }
    }

    /// Lengths, forms and ranges; `number` is the target's place in the request, from 1.
    pub fn constrain(&self, constraints: &mut Constraints, number: usize) {
        let at = |member: &str| format!("targets.{number}.member.{member}");
        constraints.name(Some(&self.id), &at("id"));
        constraints.length(Some(&self.arn), &at("arn"), 1, 1600);
        constraints.length(self.role_arn.as_deref(), &at("roleArn"), 1, 1600);
        constraints.length(self.input.as_deref(), &at("input"), 0, 8192);
        constraints.length(self.input_path.as_deref(), &at("inputPath"), 0, 256);
        if let Some(transformer) = &self.input_transformer {
            let template = Some(transformer.input_template.as_str());
            constraints.length(template, &at("inputTransformer.inputTemplate"), 1, 8192);
            let paths = &transformer.input_paths_map;
            constraints.count(paths.len(), || format!("{paths:?}"), &at("inputTransformer.inputPathsMap"), 0, 100);
        }
        if let Some(parameters) = &self.http_parameters {
            let lists = [
                ("headerParameters", &parameters.header_parameters),
                ("queryStringParameters", &parameters.query_string_parameters),
            ];
            for (list, pairs) in lists {
                for (name, value) in pairs {
                    constraints.length(Some(name), &at(&format!("httpParameters.{list}.key")), 0, 512);
                    constraints.length(Some(value), &at(&format!("httpParameters.{list}.value")), 0, 512);
                }
            }
        }
        if let Some(policy) = self.retry_policy {
            let attempts = at("retryPolicy.maximumRetryAttempts");
            constraints.range(policy.maximum_retry_attempts, &attempts, 0, i64::from(RETRY_ATTEMPTS_DEFAULT));
            let age = at("retryPolicy.maximumEventAgeInSeconds");
            constraints.range(policy.maximum_event_age_in_seconds, &age, 60, i64::from(EVENT_AGE_SECONDS_DEFAULT));
        }
    }

    /// Everything that forms and lengths do not tell.
    pub fn check(&self, place: &Place) -> Result<(), Error> {
        let id = &self.id;
        if let Some(parameters) = FOREIGN_PARAMETERS.iter().find(|name| self.other.contains_key(**name)) {
            return Err(Error::not_implemented(&format!("{parameters} of target {id}")));
        }
        let destination = self.destination(place)?;
        let inputs = [self.input.is_some(), self.input_path.is_some(), self.input_transformer.is_some()];
        if inputs.iter().filter(|given| **given).count() > 1 {
            return Err(Error::Validation(format!(
                "Only one of Input, InputPath, or InputTransformer must be provided for target {id}."
            )));
        }
        if matches!(destination, Destination::Bus(_)) && inputs.contains(&true) {
            return Err(Error::not_implemented(&format!("Modifying the input for target {id}, an event bus,")));
        }
        if self.http_parameters.is_some() && destination != Destination::Api {
            return Err(Error::not_implemented(&format!(
                "HttpParameters of target {id}, which is no API destination,"
            )));
        }
        self.warn_of_http();
        self.check_input()?;
        if is_fifo(&self.arn) && self.group_id().is_none() {
            return Err(Error::Validation(format!("Parameter(s) SqsParameters must be specified for target: {id}.")));
        }
        if let Some(arn) = self.dead_letter_arn() {
            let queue: Option<Arn> = arn.parse().ok().filter(|arn: &Arn| arn.service == "sqs");
            if queue.is_none() || is_fifo(arn) {
                return Err(Error::parameter("DeadLetterConfig", Some(&format!("{arn} is not a standard SQS queue."))));
            }
        }
        Ok(())
    }

    fn warn_of_http(&self) {
        let headers = self.http_parameters.iter().flat_map(|parameters| parameters.header_parameters.keys());
        for header in headers.filter(|header| is_reserved(header)) {
            tracing::warn!(
                target_id = self.id,
                header,
                "EventBridge takes this header out of calls of API destinations"
            );
        }
    }

    fn check_input(&self) -> Result<(), Error> {
        let id = &self.id;
        if let Some(Err(error)) = self.input.as_deref().map(json::minified) {
            return Err(Error::Validation(format!("JSON syntax error in input for target {id} : {error}")));
        }
        let paths = self.input_transformer.iter().flat_map(|transformer| transformer.input_paths_map.values());
        if let Some(path) = self.input_path.iter().chain(paths).find(|path| JsonPath::parse(path).is_none()) {
            return Err(Error::parameter("InputPath", Some(&format!("{path} of target {id} is no JSON path."))));
        }
        let Some(transformer) = &self.input_transformer else { return Ok(()) };
        if let Some(key) = transformer.input_paths_map.keys().find(|key| key.to_ascii_uppercase().starts_with("AWS.")) {
            return Err(Error::parameter("InputPathsMap", Some(&format!("{key} of target {id} starts with AWS."))));
        }
        match transform::undefined_variable(transformer) {
            Some(name) => {
                Err(Error::Validation(format!("InputTemplate for target {id} contains invalid placeholder {name}.")))
            }
            None => Ok(()),
        }
    }

    /// Where the ARN leads; an error names what we cannot reach.
    pub fn destination(&self, place: &Place) -> Result<Destination, Error> {
        let arn = &self.arn;
        let refused = |reason: &str| Error::parameter(arn, Some(reason));
        let parsed: Arn = arn.parse().map_err(|_| refused("Provided Arn is not in correct format."))?;
        let is_here = parsed.region == place.region && parsed.account == place.account;
        match (parsed.service.as_str(), parsed.resource.split_once('/')) {
            ("lambda", _) if parsed.resource.starts_with("function:") => Ok(Destination::Function),
            ("sqs", None) => Ok(Destination::Queue),
            ("events", Some(("event-bus", name))) if is_here => Ok(Destination::Bus(name.to_owned())),
            ("events", Some(("event-bus", _))) => {
                Err(refused("Event buses of other accounts and regions are not implemented by this server."))
            }
            ("events", Some(("api-destination", name))) if is_here && name.contains('/') => Ok(Destination::Api),
            ("logs", _) if is_here && parsed.resource.starts_with("log-group:") => Ok(Destination::LogGroup),
            ("lambda" | "sqs" | "logs" | "events", _) => Err(refused("Provided Arn is not in correct format.")),
            (service, _) => Err(refused(&format!(
                "Targets of {} are not implemented by this server; Lambda functions, SQS queues, \
                 event buses, API destinations and log groups of CloudWatch Logs are.",
                known_as(service)
            ))),
        }
    }

    /// The group of messages to a FIFO queue.
    pub fn group_id(&self) -> Option<&str> {
        self.sqs_parameters.as_ref()?.message_group_id.as_deref()
    }

    /// The dead-letter queue.
    pub fn dead_letter_arn(&self) -> Option<&str> {
        self.dead_letter_config.as_ref()?.arn.as_deref()
    }

    /// Retries beside the first attempt.
    pub fn retries_max(&self) -> u32 {
        let given = self.retry_policy.and_then(|policy| policy.maximum_retry_attempts);
        given.and_then(|given| u32::try_from(given).ok()).unwrap_or(RETRY_ATTEMPTS_DEFAULT)
    }

    /// How old an event may become while it is retried.
    pub fn event_age_max(&self) -> std::time::Duration {
        let given = self.retry_policy.and_then(|policy| policy.maximum_event_age_in_seconds);
        let seconds = given.and_then(|given| u64::try_from(given).ok()).unwrap_or(u64::from(EVENT_AGE_SECONDS_DEFAULT));
        std::time::Duration::from_secs(seconds)
    }

    /// The last part of the ARN, for people: a function's name without version, a queue's, a bus's.
    pub fn short_name(&self) -> &str {
        let resource = self.arn.splitn(6, ':').nth(5).unwrap_or(&self.arn);
        if let Some(group) = resource.strip_prefix("log-group:") {
            return group.trim_end_matches(":*");
        }
        if let Some(destination) = resource.strip_prefix("api-destination/") {
            return destination.split('/').next().unwrap_or(destination);
        }
        resource.rsplit('/').next().unwrap_or(resource).trim_start_matches("function:")
    }
}

/// A service as people know it, by its name in ARNs.
fn known_as(service: &str) -> String {
    match service {
        "states" => "Step Functions",
        "sns" => "SNS",
        "kinesis" => "Kinesis",
        "firehose" => "Firehose",
        "ecs" => "ECS",
        "batch" => "Batch",
        _ => return format!("the service {service}"),
    }
    .to_owned()
}

/// The names of FIFO queues, and no others, end so.
fn is_fifo(queue_arn: &str) -> bool {
    queue_arn.strip_suffix(".fifo").is_some()
}
