//! The note that a user has been welcomed: what makes a mail, which cannot be made conditional, happen once.
//!
//! It is an item beside the profile, `sk = WELCOME`. An invocation first claims the mail, then sends it, then notes
//! that it has. A claim holds until the invocation's time-out and no longer, so that a crash blocks nobody; the
//! retries of one invocation have one request id, so they go on at once with what they find claimed by themselves.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValuesOnConditionCheckFailure};
use tandem_profiles::{EXPIRY, EventId, PARTITION_KEY, SORT_KEY, Timestamp, UserId, partition_key};

use crate::error::{Error, reason};

const WELCOME: &str = "WELCOME";
const IN_PROGRESS: &str = "IN_PROGRESS";
const COMPLETED: &str = "COMPLETED";

/// How long the note is kept. An event delivered later than this (an archive replayed after a year) welcomes again.
const NOTE_DAYS: u16 = 365;

const FREE: &str = "attribute_not_exists(pk) OR expiresAt < :now_seconds OR \
     (#status = :in_progress AND (inProgressUntil < :now_millis OR claimedBy = :request))";

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
    /// The Lambda request id: the same for all attempts of an asynchronous invocation.
    pub request_id: &'a str,
}

/// What came of claiming a mail.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Claim {
    /// It is ours to send.
    Ours,
    /// It has been sent.
    AlreadySent,
    /// Another invocation is at it.
    InProgress,
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
            .item("claimedBy", text(welcome.request_id))
            .item("inProgressUntil", number(until.millis().unsigned_abs()))
            .item(EXPIRY, number(now.plus_days(NOTE_DAYS).seconds()))
            .condition_expression(FREE)
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":in_progress", text(IN_PROGRESS))
            .expression_attribute_values(":request", text(welcome.request_id))
            .expression_attribute_values(":now_millis", number(now.millis().unsigned_abs()))
            .expression_attribute_values(":now_seconds", number(now.seconds()))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        match answer {
            Ok(_) => Ok(Claim::Ours),
            Err(error) => match error.as_service_error() {
                Some(PutItemError::ConditionalCheckFailedException(failure)) => {
                    let status = failure.item().and_then(|note| note.get("status")?.as_s().ok());
                    let sent = status.is_some_and(|status| status == COMPLETED);
                    Ok(if sent { Claim::AlreadySent } else { Claim::InProgress })
                }
                _ => Err(Error::WelcomeNoteNotWritten(reason(&error))),
            },
        }
    }

    /// Notes that the mail is sent, unless the claim has gone to another invocation meanwhile.
    pub async fn complete(&self, welcome: Welcome<'_>, message_id: &str, now: Timestamp) -> Result<(), Error> {
        let set = format!("SET #status = :completed, sentAt = :now, sesMessageId = :message, {EXPIRY} = :expiry");
        self.client
            .update_item()
            .table_name(&self.table)
            .key(PARTITION_KEY, text(partition_key(welcome.user)))
            .key(SORT_KEY, text(WELCOME))
            .update_expression(format!("{set} REMOVE inProgressUntil, claimedBy"))
            .condition_expression("claimedBy = :request")
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":completed", text(COMPLETED))
            .expression_attribute_values(":now", text(now))
            .expression_attribute_values(":message", text(message_id))
            .expression_attribute_values(":expiry", number(now.plus_days(NOTE_DAYS).seconds()))
            .expression_attribute_values(":request", text(welcome.request_id))
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
