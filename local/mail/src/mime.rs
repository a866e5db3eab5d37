//! Raw mails (RFC 5322 and MIME): read just far enough for the mailbox.

use mailparse::{DispositionType, MailHeaderMap, ParsedMail};

use crate::address;
use crate::error::Error;

/// What the mailbox shows of a raw mail.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct RawMail {
    pub from: Option<String>,
    pub to: Vec<String>,
    pub cc: Vec<String>,
    pub bcc: Vec<String>,
    pub reply_to: Vec<String>,
    pub subject: Option<String>,
    pub message_id: Option<String>,
    pub text: Option<String>,
    pub html: Option<String>,
    /// Those that no other member holds.
    pub headers: Vec<(String, String)>,
}

/// Shown by members of their own, or of no meaning once the mail is read.
const KNOWN: [&str; 10] = [
    "from",
    "to",
    "cc",
    "bcc",
    "reply-to",
    "subject",
    "message-id",
    "mime-version",
    "content-type",
    "content-transfer-encoding",
];

impl RawMail {
    pub fn read(bytes: &[u8]) -> Result<Self, Error> {
        let mail = mailparse::parse_mail(bytes);
        let mail = mail.map_err(|error| Error::MessageRejected(format!("the raw message cannot be read: {error}")))?;
        let first = |name: &str| mail.headers.get_first_value(name).filter(|value| !value.is_empty());
        let list = |name: &str| address::split(&mail.headers.get_all_values(name).join(","));
        let others =
            mail.headers.iter().filter(|header| !KNOWN.contains(&header.get_key_ref().to_lowercase().as_str()));
        let mut read = Self {
            from: first("From"),
            to: list("To"),
            cc: list("Cc"),
            bcc: list("Bcc"),
            reply_to: list("Reply-To"),
            subject: first("Subject"),
            message_id: first("Message-ID"),
            headers: others.map(|header| (header.get_key(), header.get_value())).collect(),
            ..Self::default()
        };
        read.take_bodies(&mail);
        Ok(read)
    }

    /// The first text and the first page that are no attachment.
    fn take_bodies(&mut self, mail: &ParsedMail<'_>) {
        for part in mail.parts() {
            if part.get_content_disposition().disposition == DispositionType::Attachment {
                continue;
            }
            let place = match part.ctype.mimetype.as_str() {
                "text/plain" => &mut self.text,
                "text/html" => &mut self.html,
                _ => continue,
            };
            if place.is_none() {
                *place = part.get_body().ok();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MAIL: &str = "From: =?utf-8?q?J=C3=B8rgen?= <j@example.com>\r\n\
        To: \"Doe, Ann\" <ann@example.com>,\r\n bob@example.com\r\n\
        Subject: =?utf-8?b?SGVsbG8g4pyT?=\r\nMessage-ID: <1@example.com>\r\nX-Order: 7\r\n\
        MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\"m\"\r\n\r\n\
        --m\r\nContent-Type: multipart/alternative; boundary=\"a\"\r\n\r\n\
        --a\r\nContent-Type: text/plain; charset=iso-8859-1\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n\
        Sch=F6n\r\n--a\r\nContent-Type: text/html\r\nContent-Transfer-Encoding: base64\r\n\r\nPHA+aGk8L3A+\r\n--a--\r\n\
        --m\r\nContent-Type: text/plain\r\nContent-Disposition: attachment; filename=\"a.txt\"\r\n\r\nnot me\r\n--m--\r\n";

    #[test]
    fn reads_a_multipart_mail() {
        let mail = RawMail::read(MAIL.as_bytes()).expect("it is a mail");
        assert_eq!(mail.from.as_deref(), Some("Jørgen <j@example.com>"));
        assert_eq!(mail.to, ["\"Doe, Ann\" <ann@example.com>", "bob@example.com"]);
        assert_eq!(mail.subject.as_deref(), Some("Hello ✓"));
        assert_eq!(mail.text.as_deref().map(str::trim), Some("Schön"));
        assert_eq!(mail.html.as_deref(), Some("<p>hi</p>"));
        assert_eq!(mail.message_id.as_deref(), Some("<1@example.com>"));
        assert_eq!(mail.headers, [("X-Order".to_owned(), "7".to_owned())]);
    }

    #[test]
    fn reads_a_plain_mail() {
        let mail = RawMail::read(b"From: a@x.io\r\nTo: b@x.io\r\n\r\nhello\r\n").expect("it is a mail");
        assert_eq!((mail.text.as_deref(), mail.html), (Some("hello\r\n"), None));
    }

    proptest! {
        #[test]
        fn never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let _ = RawMail::read(&bytes);
        }

        #[test]
        fn survives_a_broken_mail(cut in 0..MAIL.len(), put in any::<u8>()) {
            let mut bytes = MAIL.as_bytes().to_vec();
            bytes[cut] = put;
            let _ = RawMail::read(&bytes);
            let _ = RawMail::read(&bytes[..cut]);
        }
    }
}
