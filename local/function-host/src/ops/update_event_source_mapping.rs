//! `UpdateEventSourceMapping`: other settings, another function, on or off.

use aws_api::{ApiError, Call, Reply};
use http::StatusCode;
use serde::Deserialize;

use crate::host::FunctionHost;
use crate::mapping::answer::MappingAnswer;
use crate::mapping::request::MappingRequest;
use crate::ops::create_event_source_mapping::{check_source, function};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Request {
    #[serde(rename = "UUID")]
    uuid: String,
    function_name: Option<String>,
    #[serde(flatten)]
    settings: MappingRequest,
}

pub(crate) async fn run(host: &FunctionHost, request: Request, _call: &Call) -> Result<Reply, ApiError> {
    let outside = host.mappings.outside()?;
    let entry = host.mappings.get(&request.uuid)?;
    let name = request.function_name.as_deref();
    let other = name.map(|name| function(host, "UpdateEventSourceMapping", name)).transpose()?;
    let is_enabled_now = request.settings.enabled() == Some(true) && !entry.mapping.enabled;
    if is_enabled_now || other.is_some() {
        let named = match &other {
            Some(named) => named.clone(),
            None => function(host, "UpdateEventSourceMapping", &entry.mapping.function_arn)?,
        };
        check_source(&*outside.sources, &entry.mapping, &named).await?;
    }
    let change = host.mappings.change(&request.uuid, |mapping| {
        request.settings.apply(mapping, &*outside.filters)?;
        if let Some(named) = &other {
            mapping.function_arn = named.qualified_arn();
        }
        Ok(())
    });
    let (entry, phase) = change.await?;
    let answer = MappingAnswer::in_phase(&host.world().place, &entry, phase);
    Ok(Reply::json(&answer)?.status(StatusCode::ACCEPTED))
}
