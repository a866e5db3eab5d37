//! `CreateUserImportJob`. The role is kept and not assumed: there is no IAM.

use aws_api::Call;
use serde::{Deserialize, Serialize};

use crate::constraint::Constraints;
use crate::declared::Declared;
use crate::import::{ImportJob, JobStatus, job_id};
use crate::pool::Pool;
use crate::{Error, UserPools};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    job_name: String,
    user_pool_id: String,
    cloud_watch_logs_role_arn: String,
    password_hashing_algorithm: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Response {
    user_import_job: UserImportJobType,
}

/// The API's shape of a job.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct UserImportJobType {
    job_name: String,
    job_id: String,
    user_pool_id: String,
    pre_signed_url: String,
    creation_date: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    start_date: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    completion_date: Option<f64>,
    status: JobStatus,
    cloud_watch_logs_role_arn: String,
    imported_users: u64,
    skipped_users: u64,
    failed_users: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    completion_message: Option<String>,
}

impl UserImportJobType {
    /// As it is by now, with an address for its file.
    pub fn of(room: &UserPools, pool: &Pool, job: Declared<ImportJob>) -> Self {
        let pre_signed_url = room.upload_url(pool, &job);
        let Declared { pool, name, document, created, .. } = job.by(room.world.clock.now());
        let seconds = |millis: i64| world::Timestamp::from_millis(millis).epoch_seconds();
        Self {
            job_name: document.job_name,
            job_id: name,
            user_pool_id: pool.0,
            pre_signed_url,
            creation_date: created.epoch_seconds(),
            start_date: document.started.map(seconds),
            completion_date: document.completed.map(seconds),
            status: document.status,
            cloud_watch_logs_role_arn: document.cloud_watch_logs_role_arn,
            imported_users: document.imported_users,
            skipped_users: document.skipped_users,
            failed_users: document.failed_users,
            completion_message: document.completion_message,
        }
    }
}

impl Response {
    /// For one job.
    pub fn of(room: &UserPools, pool: &Pool, job: Declared<ImportJob>) -> Self {
        Self { user_import_job: UserImportJobType::of(room, pool, job) }
    }
}

pub async fn run(room: &UserPools, request: Request, _call: &Call) -> Result<Response, Error> {
    let fits = |c: char| c.is_alphanumeric() || c.is_whitespace() || "_+=,.@-".contains(c);
    Constraints::new()
        .length("jobName", &request.job_name, 1..=128)
        .pattern("jobName", &request.job_name, r"[\w\s+=,.@-]+", fits)
        .length("cloudWatchLogsRoleArn", &request.cloud_watch_logs_role_arn, 20..=2048)
        .containing("cloudWatchLogsRoleArn", &request.cloud_watch_logs_role_arn, "arn:", r"arn:[\w+=/,.@-]+:.+")
        .check()?;
    let pool = room.pool(&request.user_pool_id)?;
    if let Some(algorithm) = request.password_hashing_algorithm {
        let message = format!("PasswordHashingAlgorithm {algorithm} is not implemented by this server");
        return Err(Error::InvalidParameter(message));
    }
    let now = room.world.clock.now();
    let document = ImportJob {
        job_name: request.job_name,
        cloud_watch_logs_role_arn: request.cloud_watch_logs_role_arn,
        ..ImportJob::default()
    };
    let name = job_id(&room.world.random);
    let job = Declared { pool: pool.id.clone(), name, document, created: now, modified: now };
    room.store.declare(job.clone()).await?;
    Ok(Response::of(room, &pool, job))
}
