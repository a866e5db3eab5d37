//! Files of import jobs, and the users in them, in SQL.

use std::sync::Arc;

use bytes::Bytes;
use rusqlite::{OptionalExtension, params};
use world::Timestamp;

use super::declared::{find, save};
use super::{AliasConflict, Failure, Store, insert};
use crate::Error;
use crate::declared::{Declared, Document};
use crate::import::ImportJob;
use crate::pool::{Pool, PoolId};
use crate::user::User;

impl Store {
    /// Keeps a job's file, in place of an earlier one, if `change` lets it.
    pub async fn keep_import_file(
        &self,
        pool: &PoolId,
        id: &str,
        file: Bytes,
        now: Timestamp,
        change: impl FnOnce(&mut ImportJob) -> Result<(), Error> + Send + 'static,
    ) -> Result<(), Error> {
        let (pool, id) = (pool.clone(), id.to_owned());
        self.write(move |connection| {
            let mut job: Declared<ImportJob> = find(connection, &pool, &id)?.ok_or_else(|| ImportJob::missing(&id))?;
            change(&mut job.document)?;
            job.modified = now;
            save(connection, &job)?;
            connection
                .prepare_cached("INSERT OR REPLACE INTO import_files (pool, job, content) VALUES (?1, ?2, ?3)")?
                .execute(params![pool.0, id, &file[..]])?;
            Ok(())
        })
        .await
    }

    /// A job's file, if it is there.
    pub async fn import_file(&self, pool: &PoolId, id: &str) -> Result<Option<Vec<u8>>, Error> {
        let (pool, id) = (pool.0.clone(), id.to_owned());
        self.read(move |connection| {
            let mut query =
                connection.prepare_cached("SELECT content FROM import_files WHERE pool = ?1 AND job = ?2")?;
            Ok(query.query_row([pool, id], |row| row.get(0)).optional()?)
        })
        .await
    }

    /// Forgets a job's file.
    pub async fn forget_import_file(&self, pool: &PoolId, id: &str) -> Result<(), Error> {
        let sql = "DELETE FROM import_files WHERE pool = ?1 AND job = ?2";
        self.execute(sql, (pool.0.clone(), id.to_owned())).await.map(drop)
    }

    /// The jobs that have begun and not ended: of them alone a file is there.
    pub async fn running_imports(&self) -> Result<Vec<(PoolId, String)>, Error> {
        self.read(|connection| {
            let mut query = connection.prepare_cached("SELECT pool, job FROM import_files")?;
            let jobs = query.query_map([], |row| Ok((PoolId(row.get(0)?), row.get(1)?)))?;
            let mut running = Vec::new();
            for job in jobs {
                let (pool, id): (PoolId, String) = job?;
                let found: Option<Declared<ImportJob>> = find(connection, &pool, &id)?;
                if found.is_some_and(|job| job.document.status.is_running()) {
                    running.push((pool, id));
                }
            }
            Ok(running)
        })
        .await
    }

    /// Stores users of a job, each on its own, and what the job makes of the results, all at once.
    pub async fn import_users<T: Send + 'static>(
        &self,
        pool: &Arc<Pool>,
        id: &str,
        users: Vec<User>,
        now: Timestamp,
        change: impl FnOnce(&mut ImportJob, &[Result<(), Error>]) -> T + Send + 'static,
    ) -> Result<(Declared<ImportJob>, T), Error> {
        let (pool, id) = (Arc::clone(pool), id.to_owned());
        self.write(move |connection| {
            let mut job: Declared<ImportJob> =
                find(connection, &pool.id, &id)?.ok_or_else(|| ImportJob::missing(&id))?;
            let mut results = Vec::with_capacity(users.len());
            for mut user in users {
                connection.execute_batch("SAVEPOINT import_row")?;
                let stored = insert(connection, &pool, &mut user, AliasConflict::Refuse);
                connection.execute_batch(match &stored {
                    Ok(()) => "RELEASE import_row",
                    Err(_) => "ROLLBACK TO import_row; RELEASE import_row",
                })?;
                match stored {
                    Err(Failure(error @ Error::Internal(_))) => return Err(error.into()),
                    stored => results.push(stored.map_err(|Failure(error)| error)),
                }
            }
            let result = change(&mut job.document, &results);
            job.modified = now;
            save(connection, &job)?;
            Ok((job, result))
        })
        .await
    }
}
