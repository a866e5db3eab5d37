//! `welcome-email`: greets a new user, once.
//!
//! SES cannot be told to send a mail only once, so a note in the table decides (`welcome_note.rs`). Between the
//! sending and its note a crash is possible, after which the mail goes out again: never lost, and the second one
//! recognisable by the same `X-Tandem-Event-Id`. (A `Message-ID` of our own is not to be had: SES sets it, and refuses
//! it among the headers of a simple mail; docs.aws.amazon.com/ses/latest/dg/header-fields.html.)

use aws_config::SdkConfig;
use aws_sdk_sesv2::error::BuildError;
use aws_sdk_sesv2::operation::send_email::SendEmailError;
use aws_sdk_sesv2::types::{Body, Content, Destination, EmailContent, Message, MessageHeader};
use lambda_runtime::Context;
use serde_json::Value;
use tandem_profiles::{Change, EventId, Identity, IdentityEvent, Origin, ProfileStore, Standing, Timestamp};

use crate::bus_event::identity_event;
use crate::environment::{Invalid, required, table_name};
use crate::error::{Error, reason};
use crate::welcome_note::{Claim, Welcome, WelcomeNotes};

/// What `_HANDLER` is for this function.
pub const HANDLER: &str = "welcome-email";

const EVENT_ID_HEADER: &str = "X-Tandem-Event-Id";
const SUBJECT: &str = "Welcome";

/// How long a claim holds at least, should the deadline that we are told be none.
const CLAIM_MILLIS_MIN: i64 = 1000;

/// A longer name is no name.
const NAME_CHARACTERS_MAX: usize = 64;

/// What the function is told by its environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The profiles' table, which has the notes too.
    pub table: String,
    /// Whom the mail is from.
    pub sender: String,
}

impl Settings {
    /// From `TABLE_NAME` and `SENDER_ADDRESS`.
    pub fn from_environment() -> Result<Self, Invalid> {
        let sender = required("SENDER_ADDRESS", "the address that mail is from, verified in SES")?;
        Ok(Self { table: table_name()?, sender })
    }
}

/// The function, with its clients made.
pub struct WelcomeEmail {
    mail: aws_sdk_sesv2::Client,
    notes: WelcomeNotes,
    profiles: ProfileStore,
    sender: String,
}

impl WelcomeEmail {
    /// Over one table, from one sender.
    pub fn new(sdk: &SdkConfig, settings: Settings) -> Self {
        let tables = aws_sdk_dynamodb::Client::new(sdk);
        Self {
            mail: aws_sdk_sesv2::Client::new(sdk),
            notes: WelcomeNotes::new(tables.clone(), settings.table.clone()),
            profiles: ProfileStore::new(tables, settings.table),
            sender: settings.sender,
        }
    }

    /// One delivery.
    pub async fn handle(&self, event: &Value, context: &Context, now: Timestamp) -> Result<(), Error> {
        let Some(event) = identity_event(event)? else { return Ok(()) };
        let outcome = self.welcome(&event, context, now).await?;
        let (event_id, user_id) = (event.metadata.event_id, event.user_id());
        tracing::info!(outcome, count = 1, %event_id, %user_id, "welcome mail");
        Ok(())
    }

    /// Sends the mail or says why not.
    async fn welcome(&self, event: &IdentityEvent, context: &Context, now: Timestamp) -> Result<&'static str, Error> {
        let (identity, address) = match newcomer(event) {
            Ok(newcomer) => newcomer,
            Err(why_not) => return Ok(why_not),
        };
        // A delivery may come days late, when the user is gone.
        if matches!(self.profiles.standing(&identity.user_id).await?, Standing::Tombstone { .. }) {
            return Ok("the user was deleted");
        }
        let event_id = event.metadata.event_id;
        let welcome = Welcome { user: &identity.user_id, event_id, request_id: &context.request_id };
        match self.notes.claim(welcome, claimed_until(context.deadline, now), now).await? {
            Claim::Ours => {}
            Claim::AlreadySent => return Ok("already sent"),
            Claim::InProgress => return Err(Error::WelcomeInProgress(identity.user_id.clone())),
        }
        let message_id = self.send(identity, address, event_id).await?;
        if let Err(error) = self.notes.complete(welcome, &message_id, now).await {
            // Failing now would be answered by another attempt, and that by a second mail for certain.
            tracing::error!(%event_id, user_id = %identity.user_id, %error, "welcome mail sent but not noted");
        }
        Ok("sent")
    }

    async fn send(&self, identity: &Identity, address: &str, event_id: EventId) -> Result<String, Error> {
        let message = message(identity, event_id).map_err(|error| Error::MailRejected(error.to_string()))?;
        let answer = self
            .mail
            .send_email()
            .from_email_address(&self.sender)
            .destination(Destination::builder().to_addresses(address).build())
            .content(EmailContent::builder().simple(message).build())
            .send()
            .await
            .map_err(|error| {
                let reason = reason(&error);
                match error.into_service_error() {
                    SendEmailError::AccountSuspendedException(_)
                    | SendEmailError::BadRequestException(_)
                    | SendEmailError::MailFromDomainNotVerifiedException(_)
                    | SendEmailError::MessageRejected(_)
                    | SendEmailError::NotFoundException(_)
                    | SendEmailError::SendingPausedException(_) => Error::MailRejected(reason),
                    _ => Error::MailNotSent(reason),
                }
            })?;
        Ok(answer.message_id.unwrap_or_default())
    }
}

/// Who is new, and their address; or why there is nobody to greet.
fn newcomer(event: &IdentityEvent) -> Result<(&Identity, &str), &'static str> {
    let Change::Created(identity) = &event.change else { return Err("nobody is new") };
    // They may have been users for years.
    if matches!(event.metadata.origin, Origin::Import | Origin::Reconcile) {
        return Err("not a newcomer: imported or reconciled");
    }
    let address = identity.email.as_deref().ok_or("the user has no address")?;
    Ok((identity, address))
}

/// When Lambda will have ended this invocation: whoever finds the claim after that may take it over.
fn claimed_until(deadline_millis: u64, now: Timestamp) -> Timestamp {
    let deadline = i64::try_from(deadline_millis).unwrap_or(i64::MAX);
    Timestamp::from_millis(deadline.max(now.millis() + CLAIM_MILLIS_MIN))
}

fn message(identity: &Identity, event_id: EventId) -> Result<Message, BuildError> {
    let content = |text: String| Content::builder().data(text).charset("UTF-8").build();
    let text = format!("{}\n\nwelcome! Your account is confirmed and ready to use.\n", salutation(identity));
    let header = MessageHeader::builder().name(EVENT_ID_HEADER).value(event_id).build()?;
    Ok(Message::builder()
        .subject(content(SUBJECT.to_owned())?)
        .body(Body::builder().text(content(text)?).build())
        .headers(header)
        .build())
}

/// The user by name, if it looks like one. Whoever signs up with a stranger's address must not be able to write to
/// that stranger through us, so anything that could be an address or a sentence is left out.
fn salutation(identity: &Identity) -> String {
    let of_a_name = |character: char| character.is_alphabetic() || matches!(character, ' ' | '-' | '\'' | '’');
    match identity.name.as_deref().map(str::trim) {
        Some(name)
            if !name.is_empty() && name.chars().count() <= NAME_CHARACTERS_MAX && name.chars().all(of_a_name) =>
        {
            format!("Hello {name},")
        }
        _ => "Hello,".to_owned(),
    }
}

#[cfg(test)]
mod tests;
