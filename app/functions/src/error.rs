//! What an invocation can fail with.
//!
//! The error types that Lambda reports (and that dead letters carry) are names of ours and stay the same, whatever
//! the code's types are called. The words never quote what users have entered: they end up in logs and queues.

use std::fmt;

use lambda_runtime::Diagnostic;
use tandem_profiles::{InvalidEvent, UserId};

/// An invocation that failed.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A trigger event lacks what the announcement is made of.
    #[error("the trigger event has no {0}")]
    IncompleteTriggerEvent(&'static str),
    /// The bus did not take the announcement. The user reads this, by way of Cognito.
    #[error("your account is confirmed, but could not be announced ({0})")]
    EventNotPublished(String),
    /// The sign-in could not be compared with the profile, or its news not told. The user reads this, by way of Cognito.
    #[error("you could not be signed in, because your profile could not be checked ({0}): try again")]
    SignInNotNoticed(String),
    /// The bus did not take what was read in the pool.
    #[error("the bus did not take the event ({0}): try again")]
    ChangeNotPublished(String),
    /// A call about this user has succeeded, and the pool does not show them yet.
    #[error("user {0} is not to be seen in the pool yet, which lists users with a delay: try again")]
    UserNotVisible(UserId),
    /// The user was deleted, and the pool shows them still.
    #[error("user {0} was deleted and is still to be seen in the pool, which lists users with a delay: try again")]
    UserStillVisible(UserId),
    /// The pool could not be read.
    #[error(transparent)]
    Pool(#[from] tandem_pool::Error),
    /// The bus did not take the news of a conflict; the profile is written.
    #[error("the bus was not told of an address that is two users' ({0}): check the bus and the permissions")]
    ConflictNotPublished(String),
    /// What came is no event of a bus.
    #[error("this is no EventBridge event: it has no {0}; check what invokes the function")]
    NotABusEvent(&'static str),
    /// What came is an identity event that does not follow its schema.
    #[error(transparent)]
    InvalidIdentityEvent(#[from] InvalidEvent),
    /// The profile could not be written.
    #[error(transparent)]
    Profile(#[from] tandem_profiles::Error),
    /// Another run is sending the same mail, or died doing so, and there is no time to wait for it.
    #[error("another run is sending the welcome mail to {0}: try again in some seconds")]
    WelcomeInProgress(UserId),
    /// The note of the mail could not be written.
    #[error("the note of the welcome mail could not be written ({0}): check the table, then redrive")]
    WelcomeNoteNotWritten(String),
    /// SES was not reached, was too busy or failed.
    #[error("SES did not take the welcome mail ({0}): try again")]
    MailNotSent(String),
    /// SES understood and said no.
    #[error("SES refused the welcome mail ({0}): check the sender's and the account's standing in SES, then redrive")]
    MailRejected(String),
    /// The event that started a reconciliation asks for something that there is not.
    #[error(
        "the event is no wish for a reconciliation at {0}: give {{\"repair\": true or false, \"minAge\": seconds}}"
    )]
    InvalidReconcileEvent(String),
    /// The pool and the table could not be compared; the next run goes on from there.
    #[error(transparent)]
    Reconcile(#[from] tandem_reconcile::Error),
}

impl Error {
    /// The `errorType` that Lambda reports.
    pub fn error_type(&self) -> &'static str {
        match self {
            Self::IncompleteTriggerEvent(_) => "IncompleteTriggerEvent",
            Self::EventNotPublished(_) | Self::ChangeNotPublished(_) => "EventNotPublished",
            Self::SignInNotNoticed(_) => "SignInNotNoticed",
            Self::UserNotVisible(_) => "UserNotVisible",
            Self::UserStillVisible(_) => "UserStillVisible",
            Self::Pool(error) if error.is_retryable() => "UserPoolUnavailable",
            Self::Pool(_) => "UserPoolNotRead",
            Self::ConflictNotPublished(_) => "ConflictNotPublished",
            Self::NotABusEvent(_) | Self::InvalidIdentityEvent(InvalidEvent::UnknownDetailType(_)) => "NotABusEvent",
            Self::InvalidIdentityEvent(InvalidEvent::UnsupportedSchemaVersion(_)) => "UnsupportedSchemaVersion",
            Self::InvalidIdentityEvent(InvalidEvent::Malformed { .. }) => "InvalidIdentityEvent",
            Self::Profile(error) if error.is_retryable() => "ProfileStoreUnavailable",
            Self::Profile(_) => "ProfileNotWritten",
            Self::WelcomeInProgress(_) => "WelcomeInProgress",
            Self::WelcomeNoteNotWritten(_) => "WelcomeNoteNotWritten",
            Self::MailNotSent(_) => "MailNotSent",
            Self::MailRejected(_) => "MailRejected",
            Self::InvalidReconcileEvent(_) => "InvalidReconcileEvent",
            Self::Reconcile(_) => "NotReconciled",
        }
    }
}

/// What `lambda_runtime` logs of a failed invocation: the same words that it reports.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {self}", self.error_type())
    }
}

impl From<Error> for Diagnostic {
    fn from(error: Error) -> Self {
        Self { error_type: error.error_type().to_owned(), error_message: error.to_string() }
    }
}
