//! What Cognito sends: codes and invitations, by e-mail or text message.

use async_trait::async_trait;
use aws_lc_rs::hmac;
use world::TraceId;

use crate::attributes::{Attributes, is_email, is_phone_number};
use crate::pool::{Pool, Settings};
use crate::user::User;

/// How a message travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Channel {
    /// To an e-mail address.
    Email,
    /// To a phone number.
    Sms,
}

/// One message.
#[derive(Clone, Debug)]
pub struct Message {
    /// An address or a number.
    pub to: String,
    /// How it travels.
    pub channel: Channel,
    /// Of e-mails.
    pub subject: Option<String>,
    /// The text, with the code in it. HTML for e-mails, as Cognito sends it.
    pub body: String,
    /// The code or the temporary password, for tests that read the mailbox.
    pub code: String,
    /// The pool that sends it.
    pub user_pool_id: String,
    /// Why, in the words of the custom-message trigger: `CustomMessage_SignUp`.
    pub source: &'static str,
    /// The request that it belongs to.
    pub trace: TraceId,
    /// The user's names, for the timeline.
    pub about: Vec<String>,
}

/// Who sends messages; `server` hands it in.
#[async_trait]
pub trait Messages: Send + Sync {
    /// Takes a message over. The error is for the log: the user exists already, as on AWS.
    async fn send(&self, message: Message) -> Result<(), String>;
}

/// Where a code goes and what it proves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Destination {
    /// `email` or `phone_number`.
    pub attribute: &'static str,
    /// The address or number.
    pub to: String,
}

impl Destination {
    /// How it travels.
    pub fn channel(&self) -> Channel {
        if self.attribute == "email" { Channel::Email } else { Channel::Sms }
    }

    /// Where a sign-up's code goes: to the phone if both are to be verified, as AWS has it.
    pub fn of_sign_up(settings: &Settings, attributes: &Attributes) -> Option<Self> {
        ["phone_number", "email"]
            .into_iter()
            .find(|attribute| settings.auto_verifies(attribute) && attributes.get(attribute).is_some())
            .and_then(|attribute| Self::of(attribute, attributes))
    }

    /// Where the code for a new password goes: by the pool's recovery order, or SMS before e-mail; only to
    /// what is verified.
    pub fn of_recovery(settings: &Settings, user: &User) -> Option<Self> {
        let mut order = settings.account_recovery_setting.clone().unwrap_or_default().recovery_mechanisms;
        order.sort_by_key(|mechanism| mechanism.priority);
        let mut attributes: Vec<&'static str> = order
            .iter()
            .filter_map(|mechanism| match mechanism.name.as_str() {
                "verified_email" => Some("email"),
                "verified_phone_number" => Some("phone_number"),
                _ => None,
            })
            .collect();
        if attributes.is_empty() {
            attributes = vec!["phone_number", "email"];
        }
        let verified = attributes.into_iter().find(|attribute| user.has_verified(attribute));
        verified.and_then(|attribute| Self::of(attribute, &user.attributes))
    }

    /// Where an invitation goes. Text messages are what AWS chooses when nothing is said; whoever has no number
    /// then gets an e-mail.
    pub fn of_invitation(mediums: Option<&[String]>, attributes: &Attributes) -> Vec<Self> {
        let (sms, email) = (Self::of("phone_number", attributes), Self::of("email", attributes));
        match mediums {
            None | Some([]) => sms.or(email).into_iter().collect(),
            Some(mediums) => {
                let wants = |medium: &str| mediums.iter().any(|wanted| wanted == medium);
                let both = [sms.filter(|_| wants("SMS")), email.filter(|_| wants("EMAIL"))];
                both.into_iter().flatten().collect()
            }
        }
    }

    /// To the value of an attribute.
    pub fn of(attribute: &str, attributes: &Attributes) -> Option<Self> {
        let attribute = if attribute == "email" { "email" } else { "phone_number" };
        Some(Self { attribute, to: attributes.get(attribute)?.clone() })
    }

    /// `CodeDeliveryDetails`: the destination masked as AWS masks it.
    pub fn details(&self) -> CodeDeliveryDetails {
        CodeDeliveryDetails {
            destination: mask(&self.to, self.channel()),
            delivery_medium: match self.channel() {
                Channel::Email => "EMAIL",
                Channel::Sms => "SMS",
            },
            attribute_name: self.attribute,
        }
    }
}

/// The API's shape of where a code went.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct CodeDeliveryDetails {
    pub destination: String,
    pub delivery_medium: &'static str,
    pub attribute_name: &'static str,
}

impl CodeDeliveryDetails {
    /// What somebody is told whom nothing was sent to, so that nobody learns who has an account: the same for the
    /// same name, of the kind that the name or the pool's settings suggest.
    pub fn simulated(pool: &Pool, name: &str) -> Self {
        let folded = pool.settings.fold(name);
        let key = hmac::Key::new(hmac::HMAC_SHA256, &pool.secret);
        let tag = hmac::sign(&key, folded.as_bytes());
        let draw = |at: usize, from: u8, count: u8| char::from(from + tag.as_ref()[at] % count);
        let by_phone = pool.settings.auto_verifies("phone_number") && !is_email(&folded);
        let (attribute, to) = if is_email(&folded) || is_phone_number(&folded) {
            (if is_email(&folded) { "email" } else { "phone_number" }, folded)
        } else if by_phone {
            let digits: String = (0..4).map(|at| draw(at, b'0', 10)).collect();
            ("phone_number", format!("+1555555{digits}"))
        } else {
            ("email", format!("{}@{}", draw(0, b'a', 26), draw(1, b'a', 26)))
        };
        Destination { attribute, to }.details()
    }
}

/// `t***@t***` and `+*******1234`.
fn mask(to: &str, channel: Channel) -> String {
    match channel {
        Channel::Email => {
            let (local, domain) = to.split_once('@').unwrap_or((to, ""));
            let first = |part: &str| part.chars().next().map(String::from).unwrap_or_default();
            format!("{}***@{}***", first(local), first(domain))
        }
        Channel::Sms => {
            let hidden = to.chars().count().saturating_sub(5);
            let shown: String = to.chars().skip(hidden + 1).collect();
            format!("+{}{shown}", "*".repeat(hidden))
        }
    }
}

/// Where the code stands in a text.
pub const CODE_PLACE: &str = "{####}";
/// Where the user's name stands in a text.
pub const NAME_PLACE: &str = "{username}";

/// What a function says in place of the pool; nothing where it leaves that to the pool.
#[derive(Clone, Debug, Default)]
pub struct Words {
    pub subject: Option<String>,
    pub body: Option<String>,
}

/// What a message is about; each has texts of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Subject {
    /// The code of a sign-up.
    SignUp,
    /// The same, once more.
    ResendCode,
    /// The code for a new password.
    ForgotPassword,
    /// The code for a changed address.
    UpdateUserAttribute,
    /// The code for an address that was not verified yet.
    VerifyUserAttribute,
    /// An invitation with a temporary password.
    AdminCreateUser,
}

impl Subject {
    /// `triggerSource` of the custom-message trigger.
    pub const fn source(self) -> &'static str {
        match self {
            Self::SignUp => "CustomMessage_SignUp",
            Self::ResendCode => "CustomMessage_ResendCode",
            Self::ForgotPassword => "CustomMessage_ForgotPassword",
            Self::UpdateUserAttribute => "CustomMessage_UpdateUserAttribute",
            Self::VerifyUserAttribute => "CustomMessage_VerifyUserAttribute",
            Self::AdminCreateUser => "CustomMessage_AdminCreateUser",
        }
    }

    /// The message in the function's words, or in the pool's, or in AWS's.
    pub fn message(
        self,
        pool: &Pool,
        user: &User,
        to: &Destination,
        code: &str,
        words: Words,
        trace: &TraceId,
    ) -> Message {
        let settings = &pool.settings;
        let (subject, body) = match self {
            Self::AdminCreateUser => invitation(settings, to.channel()),
            Self::ForgotPassword => reset(settings, to.channel()),
            _ => verification(settings, to.channel()),
        };
        let (subject, body) = (words.subject.unwrap_or(subject), words.body.unwrap_or(body));
        let shown_name = if settings.uses_username_attributes() { user.attributes.get("email") } else { None };
        let shown_name = shown_name.unwrap_or(&user.username);
        Message {
            to: to.to.clone(),
            channel: to.channel(),
            subject: (to.channel() == Channel::Email).then_some(subject),
            body: body.replace(NAME_PLACE, shown_name).replace(CODE_PLACE, code),
            code: code.into(),
            user_pool_id: pool.id.0.clone(),
            source: self.source(),
            trace: trace.clone(),
            about: user.known_as(),
        }
    }
}

const DEFAULT_SUBJECT: &str = "Your verification code";
const DEFAULT_EMAIL: &str = "Your confirmation code is {####}";
const DEFAULT_SMS: &str = "Your verification code is {####}";

fn verification(settings: &Settings, channel: Channel) -> (String, String) {
    let template = settings.verification_message_template.as_ref();
    let or = |new: Option<&String>, old: Option<&String>, default: &str| {
        new.or(old).cloned().unwrap_or_else(|| default.to_owned())
    };
    let subject = or(
        template.and_then(|template| template.email_subject.as_ref()),
        settings.email_verification_subject.as_ref(),
        DEFAULT_SUBJECT,
    );
    let body = match channel {
        Channel::Email => or(
            template.and_then(|template| template.email_message.as_ref()),
            settings.email_verification_message.as_ref(),
            DEFAULT_EMAIL,
        ),
        Channel::Sms => or(
            template.and_then(|template| template.sms_message.as_ref()),
            settings.sms_verification_message.as_ref(),
            DEFAULT_SMS,
        ),
    };
    (subject, body)
}

/// A reset uses the pool's verification texts; without any, AWS's own for resets.
fn reset(settings: &Settings, channel: Channel) -> (String, String) {
    let (subject, body) = verification(settings, channel);
    let default = matches!(body.as_str(), DEFAULT_EMAIL | DEFAULT_SMS);
    (subject, if default { "Your password reset code is {####}".into() } else { body })
}

fn invitation(settings: &Settings, channel: Channel) -> (String, String) {
    let template = settings.admin_create_user_config.invite_message_template.clone().unwrap_or_default();
    let default = "Your username is {username} and temporary password is {####}.";
    let body = match channel {
        Channel::Email => template.email_message,
        Channel::Sms => template.sms_message,
    };
    let subject = template.email_subject.unwrap_or_else(|| "Your temporary password".into());
    (subject, body.unwrap_or_else(|| default.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn destinations_are_masked_as_aws_masks_them() {
        assert_eq!(mask("test@test.com", Channel::Email), "t***@t***");
        assert_eq!(mask("+15555551234", Channel::Sms), "+*******1234");
    }
}
