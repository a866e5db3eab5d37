//! The note that a user has been welcomed: what makes a mail, which cannot be made conditional, happen once.
//!
//! It is an item beside the profile, `sk = WELCOME`. A run first claims the mail, then sends it, then notes that it has.
//! The claim is the run's alone: Lambda may run one asynchronous invocation twice at the same moment, under one request
//! id (docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html). It holds for some seconds, in which
//! its run has sent the mail or given up, so that a crash blocks nobody for long. Whoever finds it waits, or fails and
//! is tried again.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValuesOnConditionCheckFailure};
use lambda_runtime::Context;
use tandem_pool::reason;
use tandem_profiles::{EXPIRY, EventId, PARTITION_KEY, SORT_KEY, Timestamp, UserId, partition_key};

use crate::error::Error;

const WELCOME: &str = "WELCOME";
const IN_PROGRESS: &str = "IN_PROGRESS";
const COMPLETED: &str = "COMPLETED";

/// How long the note is kept. An event delivered later than this (an archive replayed after a year) welcomes again.
const NOTE_DAYS: u16 = 365;

const FREE: &str = "attribute_not_exists(pk) OR expiresAt < :now_seconds OR \
     (#status = :in_progress AND (inProgressUntil < :now_millis OR claimedBy = :run))";

/// Notes in the profiles' table.
pub(crate) struct WelcomeNotes {
    client: Client,
    table: String,
}

/// Who is to be welcomed, and by whom.
#[derive(Clone, Copy)]
pub(crate) struct Welcome<'a> {
    pub user: &'a UserId,
    pub event_id: EventId,
    pub run: &'a Run,
}

/// One run of an invocation. A sandbox, which has a log stream to itself, has one at a time: what it finds claimed by
/// the same request was claimed by a run that has ended.
pub(crate) struct Run(String);

impl Run {
    pub fn of(context: &Context) -> Self {
        Self(format!("{} in {}", context.request_id, context.env_config.log_stream))
    }
}

/// What came of claiming a mail.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Claim {
    /// It is ours to send.
    Ours,
    /// It has been sent.
    AlreadySent,
    /// Another run is at it, or died doing so.
    InProgress {
        /// When its claim ends.
        until: Timestamp,
    },
}

impl WelcomeNotes {
    pub fn new(client: Client, table: String) -> Self {
        Self { client, table }
    }

    /// Claims the mail until the time `until`: one conditional write, with the claim's end in it from the start.
    pub async fn claim(&self, welcome: Welcome<'_>, until: Timestamp, now: Timestamp) -> Result<Claim, Error> {
        let answer = self
            .client
            .put_item()
            .table_name(&self.table)
            .item(PARTITION_KEY, text(partition_key(welcome.user)))
            .item(SORT_KEY, text(WELCOME))
            .item("status", text(IN_PROGRESS))
            .item("eventId", text(welcome.event_id))
            .item("claimedBy", text(&welcome.run.0))
            .item("inProgressUntil", number(until.millis().unsigned_abs()))
            .item(EXPIRY, number(now.plus_days(NOTE_DAYS).seconds()))
            .condition_expression(FREE)
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":in_progress", text(IN_PROGRESS))
            .expression_attribute_values(":run", text(&welcome.run.0))
            .expression_attribute_values(":now_millis", number(now.millis().unsigned_abs()))
            .expression_attribute_values(":now_seconds", number(now.seconds()))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        match answer {
            Ok(_) => Ok(Claim::Ours),
            Err(error) => match error.as_service_error() {
                Some(PutItemError::ConditionalCheckFailedException(failure)) => {
                    let note = failure.item();
                    let status = note.and_then(|note| note.get("status")?.as_s().ok());
                    if status.is_some_and(|status| status == COMPLETED) {
                        return Ok(Claim::AlreadySent);
                    }
                    let until = note.and_then(|note| note.get("inProgressUntil")?.as_n().ok()?.parse().ok());
                    Ok(Claim::InProgress { until: until.map_or(now, Timestamp::from_millis) })
                }
                _ => Err(Error::WelcomeNoteNotWritten(reason(&error))),
            },
        }
    }

    /// Notes that the mail is sent, unless the claim has gone to another run meanwhile. The claim's name stays, so that
    /// this may be tried again by an SDK that did not hear that it was done.
    pub async fn complete(&self, welcome: Welcome<'_>, message_id: &str, now: Timestamp) -> Result<(), Error> {
        let set = format!("SET #status = :completed, sentAt = :now, sesMessageId = :message, {EXPIRY} = :expiry");
        self.client
            .update_item()
            .table_name(&self.table)
            .key(PARTITION_KEY, text(partition_key(welcome.user)))
            .key(SORT_KEY, text(WELCOME))
            .update_expression(format!("{set} REMOVE inProgressUntil"))
            .condition_expression("claimedBy = :run")
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":completed", text(COMPLETED))
            .expression_attribute_values(":now", text(now))
            .expression_attribute_values(":message", text(message_id))
            .expression_attribute_values(":expiry", number(now.plus_days(NOTE_DAYS).seconds()))
            .expression_attribute_values(":run", text(&welcome.run.0))
            .send()
            .await
            .map(drop)
            .map_err(|error| Error::WelcomeNoteNotWritten(reason(&error)))
    }

    /// Gives the claim up before its time, because the mail was not sent.
    pub async fn release(&self, welcome: Welcome<'_>) -> Result<(), Error> {
        self.client
            .delete_item()
            .table_name(&self.table)
            .key(PARTITION_KEY, text(partition_key(welcome.user)))
            .key(SORT_KEY, text(WELCOME))
            .condition_expression("claimedBy = :run AND #status = :in_progress")
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":run", text(&welcome.run.0))
            .expression_attribute_values(":in_progress", text(IN_PROGRESS))
            .send()
            .await
            .map(drop)
            .map_err(|error| Error::WelcomeNoteNotWritten(reason(&error)))
    }
}

fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

fn number(value: u64) -> AttributeValue {
    AttributeValue::N(value.to_string())
}
