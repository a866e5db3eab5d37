//! `EventSourceMappingConfiguration`: a mapping as Create, Get, List, Update and Delete answer it.

use serde::{Deserialize, Serialize};
use world::{Place, Timestamp};

use super::progress::Phase;
use super::{Entry, Kind};

/// `FilterCriteria`, in and out.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct FilterCriteria {
    pub(crate) filters: Vec<WireFilter>,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct WireFilter {
    pub(crate) pattern: String,
}

/// `ScalingConfig`, in and out.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct ScalingConfig {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) maximum_concurrency: Option<i64>,
}

/// `DestinationConfig`, in and out.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct DestinationConfig {
    #[serde(skip_serializing)]
    pub(crate) on_success: Option<OnFailure>,
    pub(crate) on_failure: OnFailure,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct OnFailure {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) destination: Option<String>,
}

/// The answer.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct MappingAnswer {
    #[serde(rename = "UUID")]
    uuid: String,
    batch_size: u32,
    maximum_batching_window_in_seconds: u32,
    event_source_arn: String,
    event_source_mapping_arn: String,
    function_arn: String,
    function_response_types: Vec<&'static str>,
    last_modified: f64,
    state: &'static str,
    state_transition_reason: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    filter_criteria: Option<FilterCriteria>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scaling_config: Option<ScalingConfig>,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    of_stream: Option<OfStream>,
}

/// What only streams have.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct OfStream {
    bisect_batch_on_function_error: bool,
    destination_config: DestinationConfig,
    last_processing_result: String,
    maximum_record_age_in_seconds: i64,
    maximum_retry_attempts: i64,
    parallelization_factor: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    starting_position: Option<String>,
    tumbling_window_in_seconds: u32,
}

impl MappingAnswer {
    /// As it is now.
    pub(crate) fn of(place: &Place, entry: &Entry) -> Self {
        Self::in_phase(place, entry, entry.progress.phase())
    }

    /// As it was a moment ago, when its state was this.
    pub(crate) fn in_phase(place: &Place, entry: &Entry, phase: Phase) -> Self {
        let mapping = &entry.mapping;
        let is_stream = mapping.kind() == Kind::Stream;
        let of_stream = is_stream.then(|| OfStream {
            bisect_batch_on_function_error: mapping.bisects,
            destination_config: DestinationConfig {
                on_success: None,
                on_failure: OnFailure { destination: mapping.on_failure.clone() },
            },
            last_processing_result: entry.progress.last_result(),
            maximum_record_age_in_seconds: mapping.record_age_max_s,
            maximum_retry_attempts: mapping.retries_max,
            parallelization_factor: mapping.parallelization,
            starting_position: mapping.starting_position.clone(),
            tumbling_window_in_seconds: 0,
        });
        let filters = mapping.filters.iter().map(|pattern| WireFilter { pattern: pattern.clone() }).collect::<Vec<_>>();
        let by_user = if is_stream { "User action" } else { "USER_INITIATED" };
        Self {
            uuid: mapping.uuid.clone(),
            batch_size: mapping.batch_size,
            maximum_batching_window_in_seconds: mapping.window_s,
            event_source_arn: mapping.source_arn.clone(),
            event_source_mapping_arn: place.arn("lambda", &format!("event-source-mapping:{}", mapping.uuid)),
            function_arn: mapping.function_arn.clone(),
            function_response_types: if mapping.reports_failures {
                vec!["ReportBatchItemFailures"]
            } else {
                Vec::new()
            },
            last_modified: Timestamp::from_millis(mapping.last_modified_ms).epoch_seconds(),
            state: phase.name(),
            state_transition_reason: mapping.disabled_because.clone().unwrap_or_else(|| by_user.to_owned()),
            filter_criteria: (!filters.is_empty()).then_some(FilterCriteria { filters }),
            scaling_config: mapping
                .concurrency_max
                .map(|max| ScalingConfig { maximum_concurrency: Some(i64::from(max)) }),
            of_stream,
        }
    }
}
