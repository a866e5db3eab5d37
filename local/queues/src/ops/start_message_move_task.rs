//! `StartMessageMoveTask`: begins to move the messages of a dead-letter queue back, or to another queue.

use aws_api::{Arn, Call};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rusqlite::Connection;
use serde::{Deserialize, Serialize};
use serde_json::json;
use world::World;

use super::wire::required;
use crate::Queues;
use crate::error::Error;
use crate::move_task::{MoveTask, Status};
use crate::queue::Queue;
use crate::queues::name_in_arn;
use crate::store::{messages, move_tasks, queues};

const PER_SECOND_MAX: i64 = 500;
/// AWS tells of ten.
pub(super) const KEPT_PER_SOURCE: i64 = 10;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    source_arn: Option<String>,
    destination_arn: Option<String>,
    max_number_of_messages_per_second: Option<i64>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Response {
    task_handle: String,
}

pub async fn run(room: &Queues, request: Request, _call: &Call) -> Result<Response, Error> {
    let source_arn = required(request.source_arn, "SourceArn")?;
    let per_second = request.max_number_of_messages_per_second;
    if let Some(count) = per_second.filter(|count| !(1..=PER_SECOND_MAX).contains(count)) {
        let reason = "The value must be between 1 and 500, if provided.";
        return Err(Error::invalid_value(count, "MaxNumberOfMessagesPerSecond", reason));
    }
    let task_handle = handle(&room.world.random.uuid(), &source_arn);
    let (world, handle) = (room.world.clone(), task_handle.clone());
    let destination_arn = request.destination_arn;
    let start = room.database.write(move |connection| {
        let source = queue(connection, &world, &source_arn, "SourceArn")?;
        check(connection, &world, &source, &source_arn, destination_arn.as_deref())?;
        let now = world.clock.now();
        let counts = messages::counts(connection, source.id, source.keeps_after(now), now)?;
        let task = MoveTask {
            id: 0, // given by the store
            task_id: task_id(&handle)?,
            source: source.name,
            destination_arn,
            per_second,
            status: Status::Running,
            moved: 0,
            to_move: counts.visible,
            failure: None,
            started: now,
            due: now,
        };
        move_tasks::insert(connection, &task, KEPT_PER_SOURCE)
    });
    start.await?;
    room.start_mover();
    Ok(Response { task_handle })
}

/// The queue that an ARN in the request names.
pub(super) fn queue(
    connection: &Connection,
    world: &World,
    arn: &str,
    parameter: &'static str,
) -> Result<Queue, Error> {
    if !arn.parse::<Arn>().is_ok_and(|arn| arn.service == "sqs") {
        return Err(Error::invalid(format!("Value {arn} for parameter {parameter} is invalid.")));
    }
    let found = name_in_arn(world, arn).map(|name| queues::find(connection, &name)).transpose()?.flatten();
    found.ok_or_else(|| Error::no_such_resource(parameter))
}

fn check(
    connection: &Connection,
    world: &World,
    source: &Queue,
    source_arn: &str,
    destination_arn: Option<&str>,
) -> Result<(), Error> {
    let buries_here = |queue: &Queue| {
        queue.attributes.redrive_policy().is_some_and(|policy| policy.dead_letter_target_arn == source_arn)
    };
    if !queues::all(connection)?.iter().any(buries_here) {
        return Err(Error::invalid("Source queue must be configured as a Dead Letter Queue."));
    }
    if let Some(arn) = destination_arn {
        let destination = queue(connection, world, arn, "DestinationArn")?;
        if destination.id == source.id {
            return Err(Error::invalid("Source queue arn and destination queue arn must not be the same."));
        }
        if destination.is_fifo() != source.is_fifo() {
            return Err(Error::invalid("The source queue and destination queue must be of the same queue type."));
        }
    }
    let newest = move_tasks::newest(connection, &source.name, KEPT_PER_SOURCE)?;
    if newest.iter().any(|task| task.status == Status::Running) {
        return Err(Error::invalid(
            "There is already a task running. Only one active task is allowed for a source queue arn at a given time.",
        ));
    }
    Ok(())
}

/// What AWS's handles hold, in base 64.
pub(super) fn handle(task_id: &str, source_arn: &str) -> String {
    STANDARD.encode(json!({"taskId": task_id, "sourceArn": source_arn}).to_string())
}

/// The id in a handle.
pub(super) fn task_id(handle: &str) -> Result<String, Error> {
    let bytes = STANDARD.decode(handle).ok();
    let read = bytes.and_then(|bytes| serde_json::from_slice::<serde_json::Value>(&bytes).ok());
    let id = read.and_then(|read| Some(read["taskId"].as_str()?.to_owned()));
    id.ok_or_else(|| Error::invalid(format!("Value {handle} for parameter TaskHandle is invalid.")))
}
