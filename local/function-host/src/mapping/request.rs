//! What Create and Update may ask for, and what of it AWS refuses.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::answer::{DestinationConfig, FilterCriteria, ScalingConfig};
use super::sources::Filters;
use super::{Kind, Mapping};
use crate::error::Error;

const BATCH_SIZE_MAX: i64 = 10_000;
/// Of a queue, without a window.
const BATCH_SIZE_AT_ONCE_MAX: u32 = 10;
const BATCH_SIZE_OF_QUEUE_DEFAULT: u32 = 10;
const BATCH_SIZE_OF_STREAM_DEFAULT: u32 = 100;
const WINDOW_S_MAX: i64 = 300;
const PARALLELIZATION_MAX: i64 = 10;
const RETRIES_MAX: i64 = 10_000;
const RECORD_AGE_S_MIN: i64 = 60;
const RECORD_AGE_S_MAX: i64 = 604_800;
const CONCURRENCY_MIN: i64 = 2;
const CONCURRENCY_MAX: i64 = 1000;
const FILTERS_MAX: usize = 10;
const PATTERN_BYTES_MAX: usize = 4096;
const STARTING_POSITIONS: [&str; 3] = ["LATEST", "AT_TIMESTAMP", "TRIM_HORIZON"];

/// Members that only sources have that we do not read.
const FOREIGN: [&str; 6] = [
    "AmazonManagedKafkaEventSourceConfig",
    "DocumentDBEventSourceConfig",
    "Queues",
    "SelfManagedEventSource",
    "SelfManagedKafkaEventSourceConfig",
    "Topics",
];
/// Members that change nothing here.
const WITHOUT_EFFECT: [&str; 4] = ["KMSKeyArn", "LoggingConfig", "MetricsConfig", "ProvisionedPollerConfig"];

/// What Create and Update have in common.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct MappingRequest {
    enabled: Option<bool>,
    batch_size: Option<i64>,
    maximum_batching_window_in_seconds: Option<i64>,
    filter_criteria: Option<FilterCriteria>,
    function_response_types: Option<Vec<String>>,
    scaling_config: Option<ScalingConfig>,
    parallelization_factor: Option<i64>,
    maximum_retry_attempts: Option<i64>,
    maximum_record_age_in_seconds: Option<i64>,
    bisect_batch_on_function_error: Option<bool>,
    destination_config: Option<DestinationConfig>,
    tumbling_window_in_seconds: Option<i64>,
    #[serde(flatten)]
    other: BTreeMap<String, Value>,
}

/// A mapping with the defaults of its source.
pub(crate) fn fresh(kind: Kind, source_arn: String, function_arn: String) -> Mapping {
    Mapping {
        uuid: String::new(),
        source_arn,
        function_arn,
        enabled: true,
        batch_size: match kind {
            Kind::Queue { .. } => BATCH_SIZE_OF_QUEUE_DEFAULT,
            Kind::Stream => BATCH_SIZE_OF_STREAM_DEFAULT,
        },
        window_s: 0,
        filters: Vec::new(),
        reports_failures: false,
        concurrency_max: None,
        starting_position: None,
        parallelization: 1,
        retries_max: -1,
        record_age_max_s: -1,
        bisects: false,
        on_failure: None,
        tags: BTreeMap::new(),
        last_modified_ms: 0,
        disabled_because: None,
    }
}

/// The source of a new mapping, and its kind.
pub(crate) fn source(source_arn: Option<&str>) -> Result<(Kind, String), Error> {
    let unrecognized = || Error::InvalidParameterValue("Unrecognized event source.".into());
    let source_arn = source_arn.ok_or_else(unrecognized)?;
    if let Some(kind) = Kind::of(source_arn) {
        return Ok((kind, source_arn.to_owned()));
    }
    let service = source_arn.split(':').nth(2).unwrap_or_default();
    if service.is_empty() {
        return Err(unrecognized());
    }
    Err(Error::InvalidParameterValue(format!(
        "Event sources of the service {service} are not implemented by this server; SQS queues and DynamoDB streams \
         are: {source_arn}"
    )))
}

/// `StartingPosition`, which streams need and queues have not.
pub(crate) fn starting_position(
    mapping: &mut Mapping,
    position: Option<String>,
    timestamp: Option<&Value>,
) -> Result<(), Error> {
    if let Some(position) = position.as_deref().filter(|position| !STARTING_POSITIONS.contains(position)) {
        let constraint = format!("Member must satisfy enum value set: [{}]", STARTING_POSITIONS.join(", "));
        return Err(Error::constraint(position, "startingPosition", &constraint));
    }
    let refused = |message: String| Err(Error::InvalidParameterValue(message));
    match (mapping.kind(), position.as_deref()) {
        (Kind::Queue { .. }, None) if timestamp.is_none() => Ok(()),
        (Kind::Queue { .. }, _) => refused("StartingPosition is not valid for SQS event sources.".into()),
        (Kind::Stream, None) => refused(
            "1 validation error detected: Value null at 'startingPosition' failed to satisfy constraint: Member must \
             not be null."
                .into(),
        ),
        (Kind::Stream, Some("AT_TIMESTAMP")) => {
            refused(format!("Unsupported starting position for arn type: {}", mapping.source_arn))
        }
        (Kind::Stream, Some(_)) if timestamp.is_some() => {
            refused("Timestamp only valid with StartingPosition AT_TIMESTAMP".into())
        }
        (Kind::Stream, Some(_)) => {
            mapping.starting_position = position;
            Ok(())
        }
    }
}

impl MappingRequest {
    /// Whether the mapping shall be enabled, if anything was said of it.
    pub(crate) fn enabled(&self) -> Option<bool> {
        self.enabled
    }

    /// Changes what was asked for; what was not stays.
    pub(crate) fn apply(self, mapping: &mut Mapping, filters: &dyn Filters) -> Result<(), Error> {
        self.check_ranges()?;
        self.check_other()?;
        match mapping.kind() {
            Kind::Queue { .. } => self.check_for_queue()?,
            Kind::Stream => self.check_for_stream()?,
        }
        if let Some(criteria) = self.filter_criteria {
            mapping.filters = patterns(criteria, filters)?;
        }
        if let Some(types) = self.function_response_types {
            mapping.reports_failures = !types.is_empty();
        }
        if let Some(scaling) = self.scaling_config {
            mapping.concurrency_max = scaling.maximum_concurrency.map(number);
        }
        if let Some(destinations) = self.destination_config {
            mapping.on_failure = destinations.on_failure.destination.filter(|arn| !arn.is_empty());
        }
        if let Some(enabled) = self.enabled {
            mapping.enabled = enabled;
            mapping.disabled_because = None;
        }
        mapping.batch_size = self.batch_size.map_or(mapping.batch_size, number);
        mapping.window_s = self.maximum_batching_window_in_seconds.map_or(mapping.window_s, number);
        mapping.parallelization = self.parallelization_factor.map_or(mapping.parallelization, number);
        mapping.retries_max = self.maximum_retry_attempts.unwrap_or(mapping.retries_max);
        mapping.record_age_max_s = self.maximum_record_age_in_seconds.unwrap_or(mapping.record_age_max_s);
        mapping.bisects = self.bisect_batch_on_function_error.unwrap_or(mapping.bisects);
        check_batches(mapping)
    }

    fn check_ranges(&self) -> Result<(), Error> {
        let scaling = self.scaling_config.and_then(|scaling| scaling.maximum_concurrency);
        range(self.batch_size, "batchSize", 1, BATCH_SIZE_MAX)?;
        range(self.maximum_batching_window_in_seconds, "maximumBatchingWindowInSeconds", 0, WINDOW_S_MAX)?;
        range(scaling, "scalingConfig.maximumConcurrency", CONCURRENCY_MIN, CONCURRENCY_MAX)?;
        range(self.parallelization_factor, "parallelizationFactor", 1, PARALLELIZATION_MAX)?;
        range(self.maximum_retry_attempts, "maximumRetryAttempts", -1, RETRIES_MAX)?;
        range(self.maximum_record_age_in_seconds, "maximumRecordAgeInSeconds", -1, RECORD_AGE_S_MAX)?;
        range(self.tumbling_window_in_seconds, "tumblingWindowInSeconds", 0, 900)?;
        let unknown = self.function_response_types.iter().flatten().find(|kind| *kind != "ReportBatchItemFailures");
        if let Some(unknown) = unknown {
            let constraint = "Member must satisfy constraint: [Member must satisfy enum value set: \
                              [ReportBatchItemFailures]]";
            return Err(Error::constraint(&format!("[{unknown}]"), "functionResponseTypes", constraint));
        }
        if self.tumbling_window_in_seconds.is_some_and(|seconds| seconds > 0) {
            let message = "TumblingWindowInSeconds is not implemented by this server";
            return Err(Error::InvalidParameterValue(message.into()));
        }
        match self.maximum_record_age_in_seconds {
            Some(0..RECORD_AGE_S_MIN) => Err(Error::InvalidParameterValue(format!(
                "MaximumRecordAgeInSeconds must be -1 or between {RECORD_AGE_S_MIN} and {RECORD_AGE_S_MAX}."
            ))),
            _ => Ok(()),
        }
    }

    fn check_other(&self) -> Result<(), Error> {
        if let Some(foreign) = FOREIGN.iter().find(|name| self.other.contains_key(**name)) {
            let message = format!("{foreign} is not implemented by this server");
            return Err(Error::InvalidParameterValue(message));
        }
        for name in WITHOUT_EFFECT.iter().filter(|name| self.other.contains_key(**name)) {
            tracing::warn!(setting = name, "an event source mapping has a setting without effect here");
        }
        Ok(())
    }

    fn check_for_queue(&self) -> Result<(), Error> {
        if self.destination_config.is_some() {
            return Err(unsupported_destination());
        }
        let given = [
            (self.parallelization_factor.is_some(), "ParallelizationFactor"),
            (self.maximum_retry_attempts.is_some(), "MaximumRetryAttempts"),
            (self.maximum_record_age_in_seconds.is_some(), "MaximumRecordAgeInSeconds"),
            (self.bisect_batch_on_function_error.is_some(), "BisectBatchOnFunctionError"),
        ];
        match given.iter().find(|(given, _)| *given) {
            Some((_, name)) => Err(Error::InvalidParameterValue(format!("{name} is not valid for SQS event sources."))),
            None => Ok(()),
        }
    }

    fn check_for_stream(&self) -> Result<(), Error> {
        if self.scaling_config.is_some() {
            let message = "ScalingConfig is not valid for DynamoDB event sources.";
            return Err(Error::InvalidParameterValue(message.into()));
        }
        let Some(destinations) = &self.destination_config else { return Ok(()) };
        if destinations.on_success.is_some() {
            return Err(unsupported_destination());
        }
        let Some(arn) = destinations.on_failure.destination.as_deref().filter(|arn| !arn.is_empty()) else {
            return Ok(());
        };
        match arn.split(':').nth(2) {
            Some("sqs") if arn.strip_suffix(".fifo").is_none() => Ok(()),
            Some(service @ ("sns" | "s3" | "kafka")) => Err(Error::InvalidParameterValue(format!(
                "On-failure destinations of the service {service} are not implemented by this server; standard SQS \
                 queues are: {arn}"
            ))),
            _ => Err(Error::InvalidParameterValue(format!("The destination ARN {arn} is invalid."))),
        }
    }
}

fn unsupported_destination() -> Error {
    let message = "Unsupported DestinationConfig parameter for given event source mapping type.";
    Error::InvalidParameterValue(message.into())
}

fn patterns(criteria: FilterCriteria, filters: &dyn Filters) -> Result<Vec<String>, Error> {
    let patterns: Vec<String> = criteria.filters.into_iter().map(|filter| filter.pattern).collect();
    if patterns.len() > FILTERS_MAX {
        let message = format!("An event source mapping has {FILTERS_MAX} filters at most.");
        return Err(Error::InvalidParameterValue(message));
    }
    if let Some((place, pattern)) = patterns.iter().enumerate().find(|(_, pattern)| pattern.len() > PATTERN_BYTES_MAX) {
        let member = format!("filterCriteria.filters.{}.member.pattern", place + 1);
        let constraint = format!("Member must have length less than or equal to {PATTERN_BYTES_MAX}");
        return Err(Error::constraint(pattern, &member, &constraint));
    }
    if !patterns.is_empty() && filters.compile(&patterns).is_none() {
        return Err(Error::InvalidParameterValue("Invalid filter pattern definition.".into()));
    }
    Ok(patterns)
}

fn check_batches(mapping: &Mapping) -> Result<(), Error> {
    let refused = |message: &str| Err(Error::InvalidParameterValue(message.to_owned()));
    let Kind::Queue { fifo } = mapping.kind() else { return Ok(()) };
    if fifo && mapping.window_s > 0 {
        return refused("Batching window is not supported for FIFO queues");
    }
    if fifo && mapping.batch_size > BATCH_SIZE_AT_ONCE_MAX {
        return refused("Batch size must not exceed 10 for FIFO queues");
    }
    if mapping.batch_size > BATCH_SIZE_AT_ONCE_MAX && mapping.window_s == 0 {
        return refused(
            "Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than 10",
        );
    }
    Ok(())
}

fn range(value: Option<i64>, member: &str, min: i64, max: i64) -> Result<(), Error> {
    let Some(value) = value else { return Ok(()) };
    let constraint = if value < min {
        format!("Member must have value greater than or equal to {min}")
    } else if value > max {
        format!("Member must have value less than or equal to {max}")
    } else {
        return Ok(());
    };
    Err(Error::constraint(&value.to_string(), member, &constraint))
}

fn number(checked: i64) -> u32 {
    u32::try_from(checked).unwrap_or_default() // its range was checked
}
