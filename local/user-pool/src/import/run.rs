//! A job from its upload to its end.

use std::collections::VecDeque;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use world::{Random, Timestamp};

use super::job::{ImportJob, JobStatus, stream_of};
use super::{FILE_BYTES_MAX, ROWS_MAX, row};
use crate::declared::Declared;
use crate::owed::Unfinished;
use crate::pool::{Pool, PoolId};
use crate::session::{self, Purpose};
use crate::user::User;
use crate::{Error, UserPools};

/// How long an address is good for an upload ("The `PRE_SIGNED_URL` … is valid for 15 minutes").
const UPLOAD_TIME: std::time::Duration = std::time::Duration::from_mins(15);
/// Rows that are stored together.
const ROWS_AT_ONCE: usize = 500;
/// The longest `CompletionMessage`.
const MESSAGE_CHARS_MAX: usize = 128;

/// Where jobs say what became of each row; `server` hands it in.
#[async_trait]
pub trait ImportLog: Send + Sync {
    /// Where this server is reached, for the addresses of uploads: `http://127.0.0.1:4566`.
    fn endpoint(&self) -> &str;

    /// Adds lines to a stream of a log group. Why not, in words for the log.
    async fn write(&self, group: &str, stream: &str, at: Timestamp, lines: Vec<String>) -> Result<(), String>;
}

/// Why a file was not taken.
#[derive(Debug, thiserror::Error)]
pub enum UploadError {
    /// The address is none of ours, or none any more.
    #[error("{0}")]
    Forbidden(String),
    /// It is larger than AWS takes.
    #[error("the file is larger than {FILE_BYTES_MAX} bytes")]
    TooLarge,
    /// The store failed.
    #[error(transparent)]
    Failed(#[from] Error),
}

/// What the signature of an address says.
#[derive(Serialize, Deserialize)]
struct Upload {
    job: String,
}

impl UserPools {
    /// `PreSignedUrl` of a job.
    pub(crate) fn upload_url(&self, pool: &Pool, job: &Declared<ImportJob>) -> String {
        let (expires, payload) = (job.created.plus(UPLOAD_TIME), Upload { job: job.name.clone() });
        let signature = session::seal(&pool.secret, Purpose::Upload, expires, &payload, &self.world.random);
        let (endpoint, seconds) = (self.import_log.endpoint(), UPLOAD_TIME.as_secs());
        format!(
            "{endpoint}/_tandem/user-import/{}/{}?X-Amz-Expires={seconds}&X-Amz-SignedHeaders=host%3B\
             x-amz-server-side-encryption&X-Amz-Signature={signature}",
            pool.id, job.name
        )
    }

    /// Takes a job's file, by the signature in its address.
    pub async fn upload_import(&self, pool: &str, job: &str, signature: &str, file: Bytes) -> Result<(), UploadError> {
        let forbidden = |message: &str| UploadError::Forbidden(message.into());
        let pool = self.pool(pool).map_err(|error| UploadError::Forbidden(error.to_string()))?;
        let now = self.world.clock.now();
        match session::open::<Upload>(&pool.secret, Purpose::Upload, signature, now) {
            Ok(opened) if opened.payload.job == job => {}
            Err(session::SessionError::Expired) => return Err(forbidden("Request has expired")),
            _ => return Err(forbidden("The request signature we calculated does not match the one you provided.")),
        }
        if file.len() > FILE_BYTES_MAX {
            return Err(UploadError::TooLarge);
        }
        let has_begun = || Error::PreconditionNotMet("The import job was started, or has ended.".into());
        let change = move |job: &mut ImportJob| {
            if job.status != JobStatus::Created {
                return Err(has_begun());
            }
            job.is_uploaded = true;
            Ok(())
        };
        match self.store.keep_import_file(&pool.id, job, file, now, change).await {
            Err(Error::PreconditionNotMet(message)) => Err(UploadError::Forbidden(message)),
            result => Ok(result?),
        }
    }

    /// Runs a job that is stored as begun, in the background.
    pub(crate) fn begin_import(&self, pool: &Arc<Pool>, job: &str) {
        let Some(room) = self.this.upgrade() else { return }; // the process is stopping
        let (pool, job, unfinished) = (Arc::clone(pool), job.to_owned(), Unfinished::new(&self.unfinished));
        tokio::spawn(async move {
            if let Err(error) = room.run_import(&pool, &job).await {
                tracing::error!(pool = %pool.id, job, %error, "an import job stopped; it goes on at the next start");
            }
            drop(unfinished);
        });
    }

    /// Goes on with the jobs that the end of the process before cut short.
    pub(crate) async fn resume_imports(&self) -> Result<(), Error> {
        for (pool, job) in self.store.running_imports().await? {
            if let Ok(pool) = self.pool(&pool.0) {
                self.begin_import(&pool, &job);
            }
        }
        Ok(())
    }

    async fn run_import(&self, pool: &Arc<Pool>, id: &str) -> Result<(), Error> {
        let begun = self.change_job(&pool.id, id, |job, _| {
            if job.status == JobStatus::Pending {
                job.status = JobStatus::InProgress;
            }
        });
        let mut job = begun.await?.document;
        let file = self.store.import_file(&pool.id, id).await?.unwrap_or_default();
        let (columns, rows) = match read_file(pool, &file, job.line) {
            Ok(read) => read,
            Err(reason) => return self.fail(pool, id, &reason).await,
        };
        let (group, stream) = stream_of(pool, id, &job);
        for some in rows.chunks(ROWS_AT_ONCE) {
            if job.status != JobStatus::InProgress {
                break;
            }
            let now = self.world.clock.now();
            let last = some.last().map_or(job.line, |(number, _)| *number);
            let read = read_rows(pool, &columns, some, now, &self.world.random);
            let (told, users) = apart(read);
            let (done, results) = self
                .store
                .import_users(pool, id, users, now, move |job, results| {
                    job.line = last;
                    count(job, &told, results);
                    told_of(&told, results)
                })
                .await?;
            job = done.document;
            if let Err(error) = self.import_log.write(&group, &stream, now, results).await {
                tracing::error!(pool = %pool.id, job = id, error, "results of an import could not be logged");
            }
        }
        self.change_job(&pool.id, id, finish).await?;
        self.store.forget_import_file(&pool.id, id).await
    }

    async fn fail(&self, pool: &Pool, id: &str, reason: &str) -> Result<(), Error> {
        let message: String = reason.chars().take(MESSAGE_CHARS_MAX).collect();
        tracing::warn!(pool = %pool.id, job = id, reason, "an import job failed");
        let failed = self.change_job(&pool.id, id, move |job, now| job.end(JobStatus::Failed, message, now)).await?;
        let (group, stream) = stream_of(pool, id, &failed.document);
        let told = self.import_log.write(&group, &stream, self.world.clock.now(), vec![format!("[FAILED] {reason}")]);
        if let Err(error) = told.await {
            tracing::error!(pool = %pool.id, job = id, error, "the failure of an import could not be logged");
        }
        self.store.forget_import_file(&pool.id, id).await
    }

    async fn change_job(
        &self,
        pool: &PoolId,
        id: &str,
        change: impl FnOnce(&mut ImportJob, Timestamp) + Send + 'static,
    ) -> Result<Declared<ImportJob>, Error> {
        let now = self.world.clock.now();
        let change = move |job: &mut ImportJob| {
            change(job, now);
            Ok(())
        };
        self.store.redeclare(pool, id, now, change).await
    }
}

/// The rows of a file, each with its number.
type Rows<'a> = Vec<(u64, &'a str)>;

/// The columns of a file, and the rows behind a line; or why there are none.
fn read_file<'a>(pool: &Pool, file: &'a [u8], done: u64) -> Result<(Vec<String>, Rows<'a>), String> {
    let text = std::str::from_utf8(file).map_err(|_| "The file is not UTF-8.")?;
    let mut lines = (1_u64..).zip(text.lines());
    let columns = row::fields(lines.next().map_or("", |(_, line)| line))?;
    row::check_header(&pool.settings, &columns)?;
    let rows: Vec<_> = lines.filter(|(_, line)| !line.is_empty()).collect();
    if rows.len() > ROWS_MAX {
        return Err(format!("The file has more than {ROWS_MAX} rows."));
    }
    Ok((columns, rows.into_iter().filter(|(number, _)| *number > done).collect()))
}

/// The users of some rows, or why a row makes none.
fn read_rows(
    pool: &Pool,
    columns: &[String],
    rows: &[(u64, &str)],
    now: Timestamp,
    random: &Random,
) -> Vec<(u64, Result<User, String>)> {
    rows.iter().map(|(number, line)| (*number, row::user(pool, columns, line, now, random))).collect()
}

/// What a row came to before it is stored: a user in the list beside, or a reason.
type Told = Vec<(u64, Option<String>)>;

fn apart(read: Vec<(u64, Result<User, String>)>) -> (Told, Vec<User>) {
    let (mut told, mut users) = (Vec::with_capacity(read.len()), Vec::with_capacity(read.len()));
    for (number, user) in read {
        match user {
            Ok(user) => {
                users.push(user);
                told.push((number, None));
            }
            Err(reason) => told.push((number, Some(reason))),
        }
    }
    (told, users)
}

fn count(job: &mut ImportJob, told: &Told, results: &[Result<(), Error>]) {
    let failed = told.iter().filter(|(_, reason)| reason.is_some()).count();
    let stored = results.iter().filter(|result| result.is_ok()).count();
    let skipped = results.iter().filter(|result| matches!(result, Err(Error::UsernameExists(_)))).count();
    job.imported_users += stored as u64;
    job.skipped_users += skipped as u64;
    job.failed_users += (failed + results.len() - stored - skipped) as u64;
}

/// A line for each row, in AWS's form.
fn told_of(told: &Told, results: &[Result<(), Error>]) -> Vec<String> {
    let mut results: VecDeque<_> = results.iter().collect();
    let line = |(number, reason): &(u64, Option<String>)| {
        let (word, reason) = match (reason, reason.is_none().then(|| results.pop_front()).flatten()) {
            (Some(reason), _) => ("FAILED", reason.clone()),
            (None, Some(Err(Error::UsernameExists(_)))) => ("SKIPPED", "The user already exists.".into()),
            (None, Some(Err(error))) => ("FAILED", error.to_string()),
            (None, _) => ("SUCCEEDED", "The import succeeded.".into()),
        };
        format!("[{word}] Line Number {number} - {reason}")
    };
    told.iter().map(line).collect()
}

fn finish(job: &mut ImportJob, now: Timestamp) {
    if job.status == JobStatus::Stopping {
        return job.end(JobStatus::Stopped, "The Import Job was stopped by the developer.", now);
    }
    // By AWS's examples: 1 of 1, and 32 of 46. Where it draws the line is not said.
    if job.failed_users + job.skipped_users > job.imported_users {
        let message = "Too many users have failed or been skipped during the import.";
        return job.end(JobStatus::Failed, message, now);
    }
    job.end(JobStatus::Succeeded, "Import Job Completed Successfully.", now);
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use storage::Location;

    use crate::testing::{Kit, PASSWORD};

    const COLUMNS: [&str; 5] = ["email", "email_verified", "name", "cognito:mfa_enabled", "cognito:username"];

    /// A file of the pool's columns, with values for some of them.
    async fn file(t: &Kit, rows: &[[&str; 5]]) -> String {
        let header = t.call("GetCSVHeader", json!({"UserPoolId": t.pool})).await.ok()["CSVHeader"].take();
        let header: Vec<String> = serde_json::from_value(header).expect("texts");
        let row = |values: &[&str; 5]| {
            let value = |column: &String| COLUMNS.iter().position(|name| name == column).map_or("", |at| values[at]);
            header.iter().map(value).collect::<Vec<_>>().join(",")
        };
        let rows: Vec<String> = rows.iter().map(row).collect();
        format!("{}\n{}\n", header.join(","), rows.join("\n"))
    }

    fn ann() -> [&'static str; 5] {
        ["ann@example.com", "true", "Ann", "false", "ann@example.com"]
    }

    async fn created(t: &Kit) -> Value {
        let input = json!({
            "UserPoolId": t.pool, "JobName": "move", "CloudWatchLogsRoleArn": "arn:aws:iam::000000000000:role/logs",
        });
        t.call("CreateUserImportJob", input).await.ok()["UserImportJob"].take()
    }

    fn named(t: &Kit, job: &Value) -> Value {
        json!({"UserPoolId": t.pool, "JobId": job["JobId"]})
    }

    async fn described(t: &Kit, job: &Value) -> Value {
        t.call("DescribeUserImportJob", named(t, job)).await.ok()["UserImportJob"].take()
    }

    /// Runs a job to its end.
    async fn run(t: &Kit, file: &str) -> Value {
        let job = created(t).await;
        t.upload(&job, file).await.expect("it is taken");
        let started = t.call("StartUserImportJob", named(t, &job)).await.ok();
        assert_eq!(started["UserImportJob"]["Status"], "Pending");
        t.rest().await;
        described(t, &job).await
    }

    #[tokio::test]
    async fn a_row_is_a_user_who_must_set_a_password() {
        let t = Kit::new().await;
        for trigger in ["PreSignUp", "PostConfirmation", "UserMigration", "CustomMessage"] {
            t.attach(trigger).await;
        }
        let file = file(&t, &[ann()]).await;
        let job = run(&t, &file).await;
        assert_eq!((&job["Status"], &job["ImportedUsers"]), (&json!("Succeeded"), &json!(1)));
        assert_eq!((&job["SkippedUsers"], &job["FailedUsers"]), (&json!(0), &json!(0)));
        assert!(job["StartDate"].is_number() && job["CompletionDate"].is_number());
        assert!(t.sources().is_empty() && t.messages().is_empty());
        let user = t.call("AdminGetUser", json!({"UserPoolId": t.pool, "Username": "ann@example.com"})).await.ok();
        assert_eq!(user["UserStatus"], "RESET_REQUIRED");
        let stream = format!("/aws/cognito/userpools/{}/test {}/move", t.pool, job["JobId"].as_str().expect("an id"));
        assert_eq!(t.logged(), [format!("{stream} [SUCCEEDED] Line Number 2 - The import succeeded.")]);
        t.sign_in_with("ann@example.com", PASSWORD).await.error("PasswordResetRequiredException");
        t.hide_users().await;
        t.sign_in_with("ann@example.com", PASSWORD).await.error("NotAuthorizedException");
    }

    #[tokio::test]
    async fn what_cannot_be_a_user_is_told_by_its_line() {
        let t = Kit::new().await;
        t.confirmed("bob@example.com").await;
        let rows = [
            ann(),
            ["bob@example.com", "true", "", "false", "bob@example.com"],
            ["cleo@example.com", "false", "", "false", "cleo@example.com"],
            ["dora", "true", "", "false", "dora@example.com"],
            ["ed@example.com", "true", "", "", "ed@example.com"],
            ["", "true", "", "false", "fay"],
            ["gus@example.com", "true", "", "false", "gus@example.com"],
            ["hal@example.com", "true", "", "false", "hal@example.com"],
            ["ida@example.com", "true", "", "false", "ida@example.com"],
            ["jon@example.com", "true", "", "false", "jon@example.com"],
            ["kim@example.com", "true", "", "false", "kim@example.com"],
        ];
        let file = file(&t, &rows).await;
        let job = run(&t, &file).await;
        assert_eq!((&job["Status"], &job["ImportedUsers"]), (&json!("Succeeded"), &json!(6)));
        assert_eq!((&job["SkippedUsers"], &job["FailedUsers"]), (&json!(1), &json!(4)));
        let logged = t.logged();
        let said = |line: &str| logged.iter().any(|logged| logged.ends_with(line));
        for line in [
            "[SKIPPED] Line Number 3 - The user already exists.",
            "[FAILED] Line Number 4 - The User Record does not set any of the auto verified attributes to true. (Example: email_verified to true).",
            "[FAILED] Line Number 5 - Invalid email address format.",
            "[FAILED] Line Number 6 - cognito:mfa_enabled must be true or false.",
            "[FAILED] Line Number 7 - Username should be an email.",
        ] {
            assert!(said(line), "{line}: {logged:?}");
        }
    }

    #[tokio::test]
    async fn a_file_of_wrong_columns_fails_and_imports_nobody() {
        let t = Kit::new().await;
        let job = run(&t, "email,surname\nann@example.com,x\n").await;
        assert_eq!(job["Status"], "Failed");
        assert!(job["CompletionMessage"].as_str().is_some_and(|text| text.contains("surname")), "{job}");
        assert_eq!(t.call("ListUsers", json!({"UserPoolId": t.pool})).await.ok()["Users"], json!([]));
    }

    #[tokio::test]
    async fn mostly_failures_are_a_failure() {
        let t = Kit::new().await;
        let file = file(&t, &[["ann@example.com", "false", "", "false", "ann@example.com"]]).await;
        let job = run(&t, &file).await;
        assert_eq!(job["CompletionMessage"], "Too many users have failed or been skipped during the import.");
        assert_eq!(job["Status"], "Failed");
    }

    #[tokio::test]
    async fn a_job_needs_a_file_and_runs_once() {
        let t = Kit::new().await;
        let job = created(&t).await;
        let message = t.call("StartUserImportJob", named(&t, &job)).await.error("PreconditionNotMetException");
        assert_eq!(message, format!("No csv file was uploaded for {}", job["JobId"].as_str().expect("an id")));
        let file = file(&t, &[ann()]).await;
        let job = run(&t, &file).await;
        t.call("StartUserImportJob", named(&t, &job)).await.error("PreconditionNotMetException");
        t.call("StopUserImportJob", named(&t, &job)).await.error("PreconditionNotMetException");
    }

    #[tokio::test]
    async fn an_address_is_good_for_a_quarter_of_an_hour_and_a_job_for_a_day() {
        let t = Kit::new().await;
        let job = created(&t).await;
        assert!(
            job["PreSignedUrl"].as_str().is_some_and(|url| url.starts_with("http://tandem.test/_tandem/")),
            "{job}"
        );
        t.clock.advance(std::time::Duration::from_mins(15));
        let refused = t.upload(&job, "x").await.expect_err("it is too late");
        assert_eq!(refused.to_string(), "Request has expired");
        t.clock.advance(std::time::Duration::from_hours(24));
        assert_eq!(described(&t, &job).await["Status"], "Expired");
        t.call("StartUserImportJob", named(&t, &job)).await.error("PreconditionNotMetException");
    }

    #[tokio::test]
    async fn jobs_are_listed_by_pages() {
        let t = Kit::new().await;
        let mut made = Vec::new();
        for _ in 0..3 {
            made.push(created(&t).await["JobId"].as_str().expect("an id").to_owned());
        }
        made.sort_unstable();
        let mut input = json!({"UserPoolId": t.pool, "MaxResults": 2});
        let first = t.call("ListUserImportJobs", input.clone()).await.ok();
        input["PaginationToken"] = first["PaginationToken"].clone();
        let second = t.call("ListUserImportJobs", input).await.ok();
        let jobs = [&first, &second].map(|page| page["UserImportJobs"].as_array().expect("jobs").clone()).concat();
        let ids: Vec<_> = jobs.iter().map(|job| job["JobId"].as_str().expect("an id")).collect();
        assert_eq!(ids, made);
        assert!(second.get("PaginationToken").is_none());
    }

    /// The process dies between the start of a job and its first rows: the job is stored as begun, and the file is
    /// there. At the next start it runs, and no row runs twice.
    #[tokio::test]
    async fn a_job_that_was_cut_short_goes_on() {
        let directory = tempfile::tempdir().expect("a directory");
        let location = Location::File(directory.path().join("pools.db"));
        let t = Kit::at(location.clone()).await;
        let job = created(&t).await;
        let file = file(&t, &[ann()]).await;
        t.upload(&job, &file).await.expect("it is taken");
        t.import_is_stored_as_begun(&job).await;
        let next = Kit::again(location, &t).await;
        next.resume().await;
        let job = described(&next, &job).await;
        assert_eq!((&job["Status"], &job["ImportedUsers"]), (&json!("Succeeded"), &json!(1)));
    }
}
