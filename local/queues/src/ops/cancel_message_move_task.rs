//! `CancelMessageMoveTask`: ends a task that moves messages. What it moved stays moved.

use aws_api::Call;
use serde::{Deserialize, Serialize};

use super::start_message_move_task::task_id;
use super::wire::required;
use crate::Queues;
use crate::error::Error;
use crate::move_task::Status;
use crate::store::move_tasks;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    task_handle: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Response {
    approximate_number_of_messages_moved: i64,
}

pub async fn run(room: &Queues, request: Request, _call: &Call) -> Result<Response, Error> {
    let task_id = task_id(&required(request.task_handle, "TaskHandle")?)?;
    let cancel = room.database.write(move |connection| {
        let not_there = || Error::ResourceNotFound("Task does not exist.".into());
        let mut task = move_tasks::find(connection, &task_id)?.ok_or_else(not_there)?;
        if task.status != Status::Running {
            return Err(Error::invalid("Only active tasks can be cancelled."));
        }
        task.status = Status::Cancelled;
        move_tasks::update(connection, &task)?;
        Ok(task.moved)
    });
    Ok(Response { approximate_number_of_messages_moved: cancel.await? })
}
