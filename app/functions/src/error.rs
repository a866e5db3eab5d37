//! What an invocation can fail with.
//!
//! The error types that Lambda reports (and that dead letters carry) are names of ours and stay the same, whatever
//! the code's types are called. The words never quote what users have entered: they end up in logs and queues.

use std::fmt;

use lambda_runtime::Diagnostic;
use tandem_profiles::InvalidEvent;

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
    WelcomeInProgress(tandem_profiles::UserId),
    /// The note of the mail could not be written.
    #[error("the note of the welcome mail could not be written ({0}): check the table, then redrive")]
    WelcomeNoteNotWritten(String),
    /// SES was not reached, was too busy or failed.
    #[error("SES did not take the welcome mail ({0}): try again")]
    MailNotSent(String),
    /// SES understood and said no.
    #[error("SES refused the welcome mail ({0}): check the sender's and the account's standing in SES, then redrive")]
    MailRejected(String),
}

impl Error {
    /// The `errorType` that Lambda reports.
    pub fn error_type(&self) -> &'static str {
        match self {
            Self::IncompleteTriggerEvent(_) => "IncompleteTriggerEvent",
            Self::EventNotPublished(_) => "EventNotPublished",
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
