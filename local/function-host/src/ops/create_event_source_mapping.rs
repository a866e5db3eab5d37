//! `CreateEventSourceMapping`: lets a function read a queue or a stream.

use std::collections::BTreeMap;

use aws_api::{ApiError, Call, Reply};
use http::StatusCode;
use serde::Deserialize;
use serde_json::Value;

use crate::error::Error;
use crate::host::FunctionHost;
use crate::mapping::answer::MappingAnswer;
use crate::mapping::request::{MappingRequest, fresh, source, starting_position};
use crate::mapping::{Entry, Kind, Mapping, Phase, Position, SourceError, Sources};
use crate::named::Named;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Request {
    function_name: String,
    event_source_arn: Option<String>,
    starting_position: Option<String>,
    starting_position_timestamp: Option<Value>,
    #[serde(default)]
    tags: BTreeMap<String, String>,
    #[serde(flatten)]
    settings: MappingRequest,
}

pub(crate) async fn run(host: &FunctionHost, request: Request, _call: &Call) -> Result<Reply, ApiError> {
    let entry = make(host, request).await?;
    let answer = MappingAnswer::in_phase(&host.world().place, &entry, Phase::Creating);
    Ok(Reply::json(&answer)?.status(StatusCode::ACCEPTED))
}

async fn make(host: &FunctionHost, request: Request) -> Result<std::sync::Arc<Entry>, Error> {
    let outside = host.mappings.outside()?;
    let (kind, source_arn) = source(request.event_source_arn.as_deref())?;
    let mut mapping = fresh(kind, source_arn, String::new());
    starting_position(&mut mapping, request.starting_position, request.starting_position_timestamp.as_ref())?;
    request.settings.apply(&mut mapping, &*outside.filters)?;
    let named = function(host, "CreateEventSourceMapping", &request.function_name)?;
    mapping.function_arn = named.qualified_arn();
    let positions = check_source(&*outside.sources, &mapping, &named).await?;
    mapping.uuid = host.world().random.uuid();
    mapping.tags = request.tags;
    mapping.last_modified_ms = host.world().clock.now().millis();
    host.mappings.add(mapping, &named.function.name, positions).await
}

/// The function that a mapping names.
pub(super) fn function(host: &FunctionHost, operation: &str, name: &str) -> Result<Named, Error> {
    host.find(operation, name, None).map_err(|error| match error {
        Error::ResourceNotFound(_) => Error::InvalidParameterValue("Function does not exist".into()),
        other => other,
    })
}

/// Whether the source is there and fits the function; of a stream, where its end is now, if that is where reading
/// shall begin.
pub(super) async fn check_source(
    sources: &dyn Sources,
    mapping: &Mapping,
    named: &Named,
) -> Result<Vec<(String, Position)>, Error> {
    let source_arn = &mapping.source_arn;
    let refused = |error: SourceError, gone: String| match error {
        SourceError::Gone => Error::InvalidParameterValue(gone),
        SourceError::Failed(message) => Error::Service(message),
    };
    if let Kind::Queue { .. } = mapping.kind() {
        let gone = "Error occurred while ReceiveMessage. SQS Error Code: AWS.SimpleQueueService.NonExistentQueue. SQS \
                    Error Message: The specified queue does not exist or you do not have access to it.";
        let queue = sources.queue(source_arn).await.map_err(|error| refused(error, gone.to_owned()))?;
        let timeout_s = named.shown()?.settings.timeout_s;
        if queue.visibility_timeout_s < timeout_s {
            return Err(Error::InvalidParameterValue(format!(
                "Queue visibility timeout: {} seconds is less than Function timeout: {timeout_s} seconds",
                queue.visibility_timeout_s
            )));
        }
        return Ok(Vec::new());
    }
    let gone = || format!("Stream not found: {source_arn}");
    let shards = sources.shards(source_arn).await.map_err(|error| refused(error, gone()))?;
    let mut positions = Vec::new();
    if mapping.starting_position.as_deref() == Some("LATEST") {
        for shard_id in shards {
            let iterator = sources.iterator(source_arn, &shard_id, &Position::Latest).await;
            let iterator = iterator.map_err(|error| refused(error, gone()))?;
            positions.push((shard_id, Position::Iterator(iterator)));
        }
    }
    Ok(positions)
}
