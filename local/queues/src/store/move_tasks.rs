//! Message move tasks.

use rusqlite::{Connection, OptionalExtension, Row, named_params};
use storage::StorageError;
use world::Timestamp;

use crate::error::Error;
use crate::move_task::{MoveTask, Status};

type Result<T> = std::result::Result<T, Error>;

const COLUMNS: &str = "id, task_id, source, destination, per_second, status, moved, to_move, failure, started, due";

/// Stores a new task, and forgets all but the newest `kept` of its source.
pub(crate) fn insert(connection: &Connection, task: &MoveTask, kept: i64) -> Result<()> {
    let sql = "INSERT INTO move_tasks (task_id, source, destination, per_second, status, moved, to_move, failure,
            started, due)
        VALUES (:task_id, :source, :destination, :per_second, :status, :moved, :to_move, :failure, :started, :due)";
    connection.prepare_cached(sql)?.execute(named_params! {
        ":task_id": task.task_id,
        ":source": task.source,
        ":destination": task.destination_arn,
        ":per_second": task.per_second,
        ":status": task.status.name(),
        ":moved": task.moved,
        ":to_move": task.to_move,
        ":failure": task.failure,
        ":started": task.started.millis(),
        ":due": task.due.millis(),
    })?;
    let sql = "DELETE FROM move_tasks WHERE source = ?1
        AND id NOT IN (SELECT id FROM move_tasks WHERE source = ?1 ORDER BY id DESC LIMIT ?2)";
    connection.prepare_cached(sql)?.execute((&task.source, kept))?;
    Ok(())
}

/// Stores how far a task is.
pub(crate) fn update(connection: &Connection, task: &MoveTask) -> Result<()> {
    let sql = "UPDATE move_tasks SET status = ?2, moved = ?3, failure = ?4, due = ?5 WHERE id = ?1";
    let row = (task.id, task.status.name(), task.moved, &task.failure, task.due.millis());
    connection.prepare_cached(sql)?.execute(row)?;
    Ok(())
}

pub(crate) fn find(connection: &Connection, task_id: &str) -> Result<Option<MoveTask>> {
    let sql = format!("SELECT {COLUMNS} FROM move_tasks WHERE task_id = ?1");
    Ok(connection.prepare_cached(&sql)?.query_row([task_id], read).optional()?)
}

/// The newest tasks of a source.
pub(crate) fn newest(connection: &Connection, source: &str, count: i64) -> Result<Vec<MoveTask>> {
    let sql = format!("SELECT {COLUMNS} FROM move_tasks WHERE source = ?1 ORDER BY id DESC LIMIT ?2");
    let mut select = connection.prepare_cached(&sql)?;
    let tasks = select.query_map((source, count), read)?.collect::<rusqlite::Result<_>>();
    Ok(tasks?)
}

/// Of the tasks that run the one that is due first.
pub(crate) fn first_running(connection: &Connection) -> Result<Option<MoveTask>> {
    let sql = format!("SELECT {COLUMNS} FROM move_tasks WHERE status = 'RUNNING' ORDER BY due, id LIMIT 1");
    Ok(connection.prepare_cached(&sql)?.query_row([], read).optional()?)
}

/// Whether any task runs.
pub(crate) fn any_runs(connection: &Connection) -> std::result::Result<bool, StorageError> {
    let sql = "SELECT EXISTS (SELECT 1 FROM move_tasks WHERE status = 'RUNNING')";
    Ok(connection.query_row(sql, [], |row| row.get(0))?)
}

pub(crate) fn delete_all(connection: &Connection, source: &str) -> Result<()> {
    connection.prepare_cached("DELETE FROM move_tasks WHERE source = ?1")?.execute([source])?;
    Ok(())
}

fn read(row: &Row<'_>) -> rusqlite::Result<MoveTask> {
    let status: String = row.get(5)?;
    Ok(MoveTask {
        id: row.get(0)?,
        task_id: row.get(1)?,
        source: row.get(2)?,
        destination_arn: row.get(3)?,
        per_second: row.get(4)?,
        status: Status::of_name(&status),
        moved: row.get(6)?,
        to_move: row.get(7)?,
        failure: row.get(8)?,
        started: Timestamp::from_millis(row.get(9)?),
        due: Timestamp::from_millis(row.get(10)?),
    })
}
