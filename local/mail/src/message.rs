//! A message: as it is handed in, and as the mailbox keeps it.

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use world::{Timestamp, TraceId};

/// How a message would reach a person.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Channel {
    /// By mail.
    #[default]
    Email,
    /// By text message.
    Sms,
}

/// A message to be delivered.
#[derive(Clone, Debug, Default)]
pub struct Message {
    /// Addresses (`Ann <ann@example.com>`, `ann@example.com`) or phone numbers.
    pub to: Vec<String>,
    /// Further recipients, named to all.
    pub cc: Vec<String>,
    /// Further recipients, named to nobody.
    pub bcc: Vec<String>,
    /// The sender's address; empty for a text message.
    pub from: String,
    /// Where answers should go.
    pub reply_to: Vec<String>,
    /// Mail or text message.
    pub channel: Channel,
    /// Of a mail.
    pub subject: Option<String>,
    /// The plain text.
    pub text: Option<String>,
    /// The same as a page.
    pub html: Option<String>,
    /// The confirmation code in it, so that a test need not search the text.
    pub code: Option<String>,
    /// The user pool that sent it.
    pub user_pool_id: Option<String>,
    /// What sent it: `cognito CustomMessage_SignUp`, `ses`.
    pub source: String,
    /// The mail's own `Message-ID`, if the sender chose one.
    pub message_id: Option<String>,
    /// Headers beside the usual ones.
    pub headers: Vec<(String, String)>,
    /// The whole mail in the form of RFC 5322, if the sender gave it so: goes out so (but for `Bcc`), and is not kept.
    pub raw: Option<Bytes>,
    /// The trace of the call that sent it.
    pub trace: Option<TraceId>,
    /// Whom it is about beside its recipients: sub, user name.
    pub about: Vec<String>,
}

impl Message {
    /// Everybody who gets it.
    pub(crate) fn recipients(&self) -> impl Iterator<Item = &str> {
        self.to.iter().chain(&self.cc).chain(&self.bcc).map(String::as_str)
    }

    /// One line for the timeline. Not the subject: some senders put the code there.
    pub(crate) fn headline(&self) -> String {
        let channel = match self.channel {
            Channel::Email => "mail",
            Channel::Sms => "text message",
        };
        format!("{channel} to {}", self.to.join(", "))
    }
}

/// A message in the mailbox. It serialises as `GET /_tandem/mailbox` shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StoredMessage {
    /// What [`crate::Mail::deliver`] and `SendEmail` answered.
    pub id: String,
    /// When it was sent, RFC 3339 with milliseconds.
    pub at: String,
    /// The recipients as a mail's header names them: separated by commas.
    pub to: String,
    /// `email` or `sms`.
    pub channel: Channel,
    /// Of a mail.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// The plain text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// The page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub html: Option<String>,
    /// The confirmation code, where one was sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// The user pool that sent it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_pool_id: Option<String>,
    /// What sent it.
    pub source: String,
    /// The sender's address.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub from: String,
    /// Further recipients.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cc: Vec<String>,
    /// Further recipients, named to nobody else.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub bcc: Vec<String>,
    /// Where answers should go.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reply_to: Vec<String>,
    /// The mail's own `Message-ID`, if the sender chose one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message_id: Option<String>,
    /// Headers beside the usual ones, in pairs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub headers: Vec<(String, String)>,
    /// The sending time as the store orders and counts by it.
    #[serde(skip)]
    pub(crate) sent: Timestamp,
    /// The bare addresses of all recipients.
    #[serde(skip)]
    pub(crate) addresses: Vec<String>,
}

impl StoredMessage {
    pub(crate) fn new(id: String, sent: Timestamp, message: Message) -> Self {
        let mut addresses: Vec<String> = message.recipients().map(crate::address::of).collect();
        addresses.sort_unstable();
        addresses.dedup();
        Self {
            id,
            at: sent.rfc3339_millis(),
            to: message.to.join(", "),
            channel: message.channel,
            subject: message.subject,
            text: message.text,
            html: message.html,
            code: message.code,
            user_pool_id: message.user_pool_id,
            source: message.source,
            from: message.from,
            cc: message.cc,
            bcc: message.bcc,
            reply_to: message.reply_to,
            message_id: message.message_id,
            headers: message.headers,
            sent,
            addresses,
        }
    }
}
