//! The jobs of lanes.

use std::collections::HashMap;

use rusqlite::{Connection, OptionalExtension, Row, named_params};
use storage::StorageError;
use world::Timestamp;

use crate::window::{Key, Size, Stored};

type Result<T> = std::result::Result<T, StorageError>;

/// How many jobs each lane has, and the highest number given.
pub(crate) fn census(connection: &Connection) -> Result<(HashMap<String, usize>, i64)> {
    let mut counts = connection.prepare("SELECT lane, count(*) FROM jobs GROUP BY lane")?;
    let counts = counts.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<rusqlite::Result<_>>()?;
    let highest = connection.query_row("SELECT coalesce(max(id), 0) FROM jobs", [], |row| row.get(0))?;
    Ok((counts, highest))
}

pub(crate) fn insert(connection: &Connection, lane: &str, job: &Stored) -> Result<()> {
    let sql =
        "INSERT INTO jobs (id, lane, due, attempt, first_queued, label, body) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    let Stored { id, due, attempt, first_queued, label, body } = job;
    connection.prepare_cached(sql)?.execute((id, lane, due.millis(), attempt, first_queued.millis(), label, body))?;
    Ok(())
}

/// False if there was no such job.
pub(crate) fn delete(connection: &Connection, id: i64) -> Result<bool> {
    Ok(connection.prepare_cached("DELETE FROM jobs WHERE id = ?1")?.execute([id])? > 0)
}

/// Stores a further attempt, and gives the job with its body; nothing if there was no such job.
pub(crate) fn retry(connection: &Connection, job: &Stored) -> Result<Option<Stored>> {
    let sql = "UPDATE jobs SET due = :due, attempt = :attempt
        WHERE id = :id RETURNING id, due, attempt, first_queued, label, body";
    let mut update = connection.prepare_cached(sql)?;
    let job = named_params! { ":due": job.due.millis(), ":attempt": job.attempt, ":id": job.id };
    Ok(update.query_row(job, read).optional()?)
}

/// Those of `ids` that there are.
pub(crate) fn of_ids(connection: &Connection, ids: &[i64]) -> Result<Vec<Stored>> {
    let sql = "SELECT id, due, attempt, first_queued, label, body FROM jobs WHERE id = ?1";
    let mut select = connection.prepare_cached(sql)?;
    let mut jobs = Vec::with_capacity(ids.len());
    for id in ids {
        jobs.extend(select.query_row([id], read).optional()?);
    }
    Ok(jobs)
}

const AHEAD: &str = "SELECT id, due, attempt, first_queued, label, body FROM jobs
    WHERE lane = ?1 AND (due, id) >= (?2, ?3) ORDER BY due, id";

#[cfg(test)]
pub(crate) fn hot_statements() -> Vec<String> {
    vec![AHEAD.into()]
}

/// The jobs of a lane from a key on, in order, up to `size`; and whether these are all.
pub(crate) fn ahead(connection: &Connection, lane: &str, from: Key, size: Size) -> Result<(Vec<Stored>, bool)> {
    let mut select = connection.prepare_cached(AHEAD)?;
    let mut rows = select.query((lane, from.0.millis(), from.1))?;
    let (mut jobs, mut bytes) = (Vec::new(), 0);
    while let Some(row) = rows.next()? {
        if jobs.len() >= size.jobs_max || bytes >= size.bytes_max {
            return Ok((jobs, false));
        }
        let job = read(row)?;
        bytes += job.body.len();
        jobs.push(job);
    }
    Ok((jobs, true))
}

fn read(row: &Row<'_>) -> rusqlite::Result<Stored> {
    Ok(Stored {
        id: row.get(0)?,
        due: Timestamp::from_millis(row.get(1)?),
        attempt: row.get(2)?,
        first_queued: Timestamp::from_millis(row.get(3)?),
        label: row.get(4)?,
        body: row.get(5)?,
    })
}
