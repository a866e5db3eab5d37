//! `welcome-email`: greets a new user, once.
//!
//! SES cannot be told to send a mail only once, so a note in the table decides (`welcome_note.rs`). Between the
//! sending and its note a crash is possible, or an answer of SES that does not arrive, after which the mail goes out
//! again: never lost, and the second one recognisable by the same `X-Tandem-Event-Id`. (A `Message-ID` of our own is not to be had: SES sets it, and refuses
//! it among the headers of a simple mail; docs.aws.amazon.com/ses/latest/dg/header-fields.html.)

use std::time::Duration;

use aws_config::SdkConfig;
use aws_sdk_sesv2::error::BuildError;
use aws_sdk_sesv2::operation::send_email::SendEmailError;
use aws_sdk_sesv2::types::{Body, Content, Destination, EmailContent, Message, MessageHeader};
use lambda_runtime::Context;
use serde_json::Value;
use tandem_pool::reason;
use tandem_profiles::{Change, EventId, Identity, IdentityEvent, Origin, ProfileStore, Standing, Timestamp};
use tokio::time::{Instant, sleep, timeout};

use crate::bus_event::identity_event;
use crate::environment::{Invalid, required, table_name};
use crate::error::Error;
use crate::metrics::{self, Metric};
use crate::welcome_note::{Claim, Run, Welcome, WelcomeNotes};

/// What `_HANDLER` is for this function.
pub const HANDLER: &str = "welcome-email";

const EVENT_ID_HEADER: &str = "X-Tandem-Event-Id";
const SUBJECT: &str = "Welcome";

/// What came of a mail that went out.
const SENT: &str = "sent";

/// How long a claim holds, at most: so long may SES take to accept the mail, tries again included.
const CLAIM_MILLIS_MAX: i64 = 5_000;
/// Whoever waits for another run's claim leaves itself so much time to send the mail.
const SENDING_MILLIS: i64 = 1_000;
/// Between two looks at another run's claim; the second wait is twice the first, and so on.
const WAIT_MILLIS_MIN: i64 = 50;
const WAIT_MILLIS_MAX: i64 = 1_000;

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

    /// One delivery, which began at the time `now`.
    pub async fn handle(&self, event: &Value, context: &Context, now: Timestamp) -> Result<(), Error> {
        let Some(event) = identity_event(event)? else { return Ok(()) };
        let outcome = self.welcome(&event, context, Time::beginning(now, context.deadline)).await?;
        metrics::count(if outcome == SENT { Metric::Welcomed } else { Metric::NotWelcomed });
        let (event_id, user_id) = (event.metadata.event_id, event.user_id());
        tracing::info!(outcome, count = 1, %event_id, %user_id, "welcome mail");
        Ok(())
    }

    /// Sends the mail or says why not.
    async fn welcome(&self, event: &IdentityEvent, context: &Context, time: Time) -> Result<&'static str, Error> {
        let (identity, address) = match newcomer(event) {
            Ok(newcomer) => newcomer,
            Err(why_not) => return Ok(why_not),
        };
        // A delivery may come days late, when the user is gone.
        if matches!(self.profiles.standing(&identity.user_id).await?, Standing::Tombstone { .. }) {
            return Ok("the user was deleted");
        }
        let event_id = event.metadata.event_id;
        let welcome = Welcome { user: &identity.user_id, event_id, run: &Run::of(context) };
        let Some(until) = self.claim(welcome, time).await? else { return Ok("already sent") };
        // Not a moment longer than the claim holds: then another run may be at it.
        let sent = timeout(time.to(until), self.send(identity, address, event_id)).await;
        let sent = sent.unwrap_or_else(|_| Err(Error::MailNotSent("no answer in time".into())));
        let message_id = match sent {
            Ok(message_id) => message_id,
            Err(error) => {
                if let Err(error) = self.notes.release(welcome).await {
                    tracing::warn!(%event_id, %error, "the claim of a mail that was not sent holds until its end");
                }
                return Err(error);
            }
        };
        if let Err(error) = self.notes.complete(welcome, &message_id, time.now()).await {
            // Failing now would be answered by another attempt, and that by a second mail for certain.
            tracing::error!(%event_id, user_id = %identity.user_id, %error, "welcome mail sent but not noted");
        }
        Ok(SENT)
    }

    /// Claims the mail and tells until when; none if it was sent. Waits for another run that is at it, since a failure
    /// would alarm people for nothing; fails if there is no time for that.
    async fn claim(&self, welcome: Welcome<'_>, time: Time) -> Result<Option<Timestamp>, Error> {
        let mut wait = WAIT_MILLIS_MIN;
        loop {
            let now = time.now();
            let until = time.end_of_claim(now);
            let theirs = match self.notes.claim(welcome, until, now).await? {
                Claim::Ours => return Ok(Some(until)),
                Claim::AlreadySent => return Ok(None),
                Claim::InProgress { until } => until,
            };
            // A claim holds up to its end, that moment included.
            let look = Timestamp::from_millis((now.millis() + wait).min(theirs.millis() + 1));
            if look.millis() + SENDING_MILLIS > time.deadline.millis() {
                return Err(Error::WelcomeInProgress(welcome.user.clone()));
            }
            sleep(time.to(look)).await;
            wait = (wait * 2).min(WAIT_MILLIS_MAX);
        }
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
    match event.metadata.origin {
        Origin::SignUp | Origin::Federated | Origin::SignIn => {}
        // Whoever made the account does the greeting, or has asked for silence; it may not even be ready for use.
        Origin::Admin => return Err("not a newcomer: an administrator made the account"),
        // They may have been users for years.
        Origin::Import | Origin::Reconcile => return Err("not a newcomer: imported or reconciled"),
    }
    let address = identity.email.as_deref().ok_or("the user has no address")?;
    Ok((identity, address))
}

/// The time in one run, going on from the moment at which it began.
#[derive(Clone, Copy)]
struct Time {
    began_at: Timestamp,
    began: Instant,
    /// When Lambda will end it.
    deadline: Timestamp,
}

impl Time {
    /// A deadline that has passed is none: then there is time for one claim.
    fn beginning(now: Timestamp, deadline_millis: u64) -> Self {
        let deadline = Timestamp::from_millis(i64::try_from(deadline_millis).unwrap_or(i64::MAX));
        let deadline = if deadline > now { deadline } else { Timestamp::from_millis(now.millis() + CLAIM_MILLIS_MAX) };
        Self { began_at: now, began: Instant::now(), deadline }
    }

    fn now(self) -> Timestamp {
        let millis = i64::try_from(self.began.elapsed().as_millis()).unwrap_or(i64::MAX);
        Timestamp::from_millis(self.began_at.millis().saturating_add(millis))
    }

    fn to(self, then: Timestamp) -> Duration {
        Duration::from_millis(u64::try_from(then.millis() - self.now().millis()).unwrap_or(0))
    }

    /// Of a claim that is made now. When the run has ended, nobody is at it.
    fn end_of_claim(self, now: Timestamp) -> Timestamp {
        Timestamp::from_millis(now.millis() + CLAIM_MILLIS_MAX).min(self.deadline)
    }
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
