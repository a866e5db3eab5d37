//! A job's document and its states.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use world::{Random, Timestamp};

use crate::Error;
use crate::declared::{Declared, Document};
use crate::pool::{Pool, PoolId};

/// A job that nobody started by then is none any more: "24-48 hours".
const EXPIRES_AFTER: Duration = Duration::from_hours(24);

/// `UserImportJobStatusType`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum JobStatus {
    #[default]
    Created,
    Pending,
    InProgress,
    Stopping,
    Expired,
    Stopped,
    Failed,
    Succeeded,
}

impl JobStatus {
    /// Whether it has begun and not ended.
    pub fn is_running(self) -> bool {
        matches!(self, Self::Pending | Self::InProgress | Self::Stopping)
    }
}

/// A job; its name in the store is its id.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ImportJob {
    pub job_name: String,
    pub cloud_watch_logs_role_arn: String,
    pub status: JobStatus,
    /// Milliseconds since the epoch, as the following.
    pub started: Option<i64>,
    pub completed: Option<i64>,
    pub imported_users: u64,
    pub skipped_users: u64,
    pub failed_users: u64,
    pub completion_message: Option<String>,
    /// Whether a file is there.
    pub is_uploaded: bool,
    /// The line that was read last.
    pub line: u64,
}

impl ImportJob {
    /// Ends it.
    pub fn end(&mut self, status: JobStatus, message: impl Into<String>, now: Timestamp) {
        self.status = status;
        self.completed = Some(now.millis());
        self.completion_message = Some(message.into());
    }
}

impl Declared<ImportJob> {
    /// As it is by now: one that was never started expires.
    pub fn by(mut self, now: Timestamp) -> Self {
        if self.document.status == JobStatus::Created && now >= self.created.plus(EXPIRES_AFTER) {
            self.document.status = JobStatus::Expired;
        }
        self
    }
}

impl Document for ImportJob {
    const KIND: &'static str = "import job";
    const PLURAL: &'static str = "import jobs in a user pool";
    const MOST: usize = 1_000;

    fn taken(name: &str, _pool: &PoolId) -> Error {
        Error::PreconditionNotMet(format!("The import job {name} exists already."))
    }

    fn missing(name: &str) -> Error {
        Error::ResourceNotFound(format!("Import job {name} does not exist."))
    }
}

/// `import-` and eleven letters and digits.
pub fn job_id(random: &Random) -> String {
    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    format!("import-{}", random.letters(11, LETTERS))
}

/// Where a job's results go: the group and the stream, as AWS names them.
pub fn stream_of(pool: &Pool, id: &str, job: &ImportJob) -> (String, String) {
    (format!("/aws/cognito/userpools/{}/{}", pool.id, pool.settings.name), format!("{id}/{}", job.job_name))
}
