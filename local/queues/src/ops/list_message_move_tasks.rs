//! `ListMessageMoveTasks`: the newest tasks that move a dead-letter queue's messages, and how far they are.

use aws_api::Call;
use serde::{Deserialize, Serialize};

use super::start_message_move_task::{KEPT_PER_SOURCE, handle, queue};
use super::wire::required;
use crate::Queues;
use crate::error::Error;
use crate::move_task::{MoveTask, Status};
use crate::store::move_tasks;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    source_arn: Option<String>,
    max_results: Option<i64>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Response {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    results: Vec<ResultEntry>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct ResultEntry {
    /// Of a task that runs; others cannot be cancelled.
    #[serde(skip_serializing_if = "Option::is_none")]
    task_handle: Option<String>,
    status: &'static str,
    source_arn: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    destination_arn: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_number_of_messages_per_second: Option<i64>,
    approximate_number_of_messages_moved: i64,
    approximate_number_of_messages_to_move: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    failure_reason: Option<String>,
    started_timestamp: i64,
}

pub async fn run(room: &Queues, request: Request, _call: &Call) -> Result<Response, Error> {
    let source_arn = required(request.source_arn, "SourceArn")?;
    let count = request.max_results.unwrap_or(1);
    if !(1..=KEPT_PER_SOURCE).contains(&count) {
        return Err(Error::invalid_value(count, "MaxResults", "The value must be between 1 and 10, if provided."));
    }
    let (world, arn) = (room.world.clone(), source_arn.clone());
    let read = room.database.read(move |connection| {
        let source = queue(connection, &world, &arn, "SourceArn")?;
        move_tasks::newest(connection, &source.name, count)
    });
    let entry = |task: MoveTask| ResultEntry {
        task_handle: (task.status == Status::Running).then(|| handle(&task.task_id, &source_arn)),
        status: task.status.name(),
        source_arn: source_arn.clone(),
        destination_arn: task.destination_arn,
        max_number_of_messages_per_second: task.per_second,
        approximate_number_of_messages_moved: task.moved,
        approximate_number_of_messages_to_move: task.to_move,
        failure_reason: task.failure,
        started_timestamp: task.started.millis(),
    };
    Ok(Response { results: read.await?.into_iter().map(entry).collect() })
}
