//! `ListEventSourceMappings`, by UUID, in pages.

use aws_api::{ApiError, Call, Reply};
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::host::FunctionHost;
use crate::mapping::answer::MappingAnswer;
use crate::name::Target;

/// On a page, at most and by default.
const PAGE_MAX: usize = 100;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Request {
    event_source_arn: Option<String>,
    function_name: Option<String>,
    /// The UUID of the last mapping of the page before.
    marker: Option<String>,
    max_items: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Response {
    event_source_mappings: Vec<MappingAnswer>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_marker: Option<String>,
}

#[expect(clippy::unused_async, reason = "the table of operations awaits every one of them")]
pub(crate) async fn run(host: &FunctionHost, request: Request, _call: &Call) -> Result<Reply, ApiError> {
    let place = &host.world().place;
    let function_arn = match &request.function_name {
        Some(name) => Some(Target::resolve(place, "ListEventSourceMappings", name, None)?.arn(place)),
        None => None,
    };
    let page_size = page_size(request.max_items.as_deref())?;
    let mut found = host.mappings.all();
    found.retain(|entry| {
        let mapping = &entry.mapping;
        request.event_source_arn.as_ref().is_none_or(|arn| mapping.source_arn == *arn)
            && function_arn.as_ref().is_none_or(|arn| mapping.function_arn == *arn)
            && request.marker.as_ref().is_none_or(|marker| mapping.uuid > *marker)
    });
    let more = found.len() > page_size;
    found.truncate(page_size);
    let next_marker = found.last().map(|entry| entry.mapping.uuid.clone()).filter(|_| more);
    let event_source_mappings = found.iter().map(|entry| MappingAnswer::of(place, entry)).collect();
    Reply::json(&Response { event_source_mappings, next_marker })
}

/// `MaxItems`: 1 to 10,000, of which Lambda gives 100 at a time.
fn page_size(max_items: Option<&str>) -> Result<usize, Error> {
    let Some(text) = max_items else { return Ok(PAGE_MAX) };
    match text.parse() {
        Ok(items @ 1..=10_000) => Ok(PAGE_MAX.min(items)),
        Ok(10_001..) => Err(Error::constraint(text, "maxItems", "Member must have value less than or equal to 10000")),
        _ => Err(Error::constraint(text, "maxItems", "Member must have value greater than or equal to 1")),
    }
}
