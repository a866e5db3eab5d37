//! Users from a CSV file: jobs, and what a row must be.
//!
//! A job is made, its file is uploaded to the address in `PreSignedUrl`, and then it is started. It runs in a task, some
//! rows at a time; users, counts and the line it has come to are stored together, so that a job which the end of the
//! process cut short goes on where it was at the next start. Nothing fires: no trigger, no message.
//!
//! Sources: "Importing users into user pools from a CSV file" in Cognito's developer guide, with the pages on the header
//! and on the results in CloudWatch Logs; the texts of the results are its, others are ours.

mod job;
mod row;
mod run;

pub use job::{ImportJob, JobStatus, job_id};
pub use row::header;
pub use run::{ImportLog, UploadError};

/// Rows of a file ("Quotas in Amazon Cognito").
pub const ROWS_MAX: usize = 500_000;
/// Bytes of a file.
pub const FILE_BYTES_MAX: usize = 100 * 1024 * 1024;
