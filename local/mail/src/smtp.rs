//! Mails out of the house: an SMTP server, a bounded queue before it, and letters in the form of RFC 5322.
//!
//! The queue lives in memory: a mail that waits in it when the process dies is not sent later. It is in the
//! mailbox all the same, which is where this server promises it to be.

use std::fmt;
use std::str::FromStr;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, UNIX_EPOCH};

use bytes::Bytes;
use lettre::address::Envelope;
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MessageBuilder, MultiPart, SinglePart};
use lettre::{Address, AsyncSmtpTransport, AsyncTransport, Tokio1Executor};
use tokio::sync::{Semaphore, mpsc};
use world::{Kind, Outcome, Timeline, Timestamp};

use crate::{Channel, Message, address};

/// Letters that wait for the server before further ones are given up.
const LETTERS_WAITING_MAX: usize = 1_000;
/// Connections to the server at one time.
const SENDING_MAX: usize = 4;
/// Waits before the second and third try; a server that refuses for good is not asked again.
const RETRY_WAITS: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(5)];
/// For each step of the conversation.
const SERVER_TIMEOUT: Duration = Duration::from_secs(15);

/// The sender of a mail that names none, in the envelope.
const SENDER_DEFAULT: &str = "no-reply@verificationemail.com";

/// A mail server: `smtp://HOST:PORT`, `smtps://USER:PASSWORD@HOST`, `smtp://HOST?tls=required`.
#[derive(Clone)]
pub struct Smtp {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    host: String,
}

/// The text is not the URL of a mail server.
#[derive(Debug, thiserror::Error)]
#[error("not the URL of a mail server: {reason} (smtp://HOST:PORT, or smtps://USER:PASSWORD@HOST)")]
pub struct NotAnSmtpUrl {
    reason: String,
}

impl FromStr for Smtp {
    type Err = NotAnSmtpUrl;

    fn from_str(url: &str) -> Result<Self, NotAnSmtpUrl> {
        let refused = |reason: String| NotAnSmtpUrl { reason };
        let Some((_, rest)) = url.split_once("://") else {
            return Err(refused("it has no scheme".into()));
        };
        let builder = AsyncSmtpTransport::<Tokio1Executor>::from_url(url);
        let builder = builder.map_err(|error| refused(error.to_string()))?;
        // The host alone, for messages: what stands before `@` is a secret.
        let authority = rest.split(['/', '?']).next().unwrap_or_default();
        let host = authority.rsplit('@').next().unwrap_or_default().to_owned();
        if host.is_empty() || host.starts_with(':') {
            return Err(refused("it names no host".into()));
        }
        Ok(Self { transport: builder.timeout(Some(SERVER_TIMEOUT)).build(), host })
    }
}

impl fmt::Debug for Smtp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Smtp").field("host", &self.host).finish_non_exhaustive()
    }
}

/// A mail ready to go.
#[derive(Debug)]
pub struct Letter {
    envelope: Envelope,
    bytes: Bytes,
}

impl Letter {
    /// The letter that a message makes; none for a text message.
    pub fn write(id: &str, at: Timestamp, message: &Message) -> Result<Option<Self>, String> {
        if message.channel == Channel::Sms {
            return Ok(None);
        }
        let recipients: Result<Vec<Address>, _> = message.recipients().map(|to| address::of(to).parse()).collect();
        let recipients = recipients.map_err(|error| format!("a recipient's address: {error}"))?;
        let sender = if message.from.is_empty() { SENDER_DEFAULT } else { &message.from };
        let from = address::of(sender).parse().map_err(|error| format!("the sender's address: {error}"))?;
        let envelope = Envelope::new(Some(from), recipients).map_err(|error| error.to_string())?;
        let bytes = match &message.raw {
            Some(raw) => without_bcc(raw).into(),
            None => compose(id, at, sender, message)?.into(),
        };
        Ok(Some(Self { envelope, bytes }))
    }
}

/// A raw mail without the header that names the hidden recipients, folded lines and all. SES takes it out too.
fn without_bcc(raw: &[u8]) -> Vec<u8> {
    let mut kept = Vec::with_capacity(raw.len());
    let (mut is_head, mut is_bcc) = (true, false);
    for line in raw.split_inclusive(|byte| *byte == b'\n') {
        let is_folded = line.starts_with(b" ") || line.starts_with(b"\t");
        is_head &= !line.trim_ascii().is_empty();
        is_bcc = is_head && if is_folded { is_bcc } else { line[..line.len().min(4)].eq_ignore_ascii_case(b"bcc:") };
        if !is_bcc {
            kept.extend_from_slice(line);
        }
    }
    kept
}

fn compose(id: &str, at: Timestamp, sender: &str, message: &Message) -> Result<Vec<u8>, String> {
    let mailbox = |text: &str| text.parse::<Mailbox>().map_err(|error| format!("{text}: {error}"));
    let sent = UNIX_EPOCH + Duration::from_millis(u64::try_from(at.millis()).unwrap_or(0));
    let message_id = message.message_id.clone().unwrap_or_else(|| format!("<{id}@email.amazonses.com>"));
    let mut letter = MessageBuilder::new().from(mailbox(sender)?).date(sent).message_id(Some(message_id));
    letter = letter.subject(message.subject.as_deref().unwrap_or_default());
    for to in &message.to {
        letter = letter.to(mailbox(to)?);
    }
    for cc in &message.cc {
        letter = letter.cc(mailbox(cc)?);
    }
    for reply_to in &message.reply_to {
        letter = letter.reply_to(mailbox(reply_to)?);
    }
    for (name, value) in &message.headers {
        let name = HeaderName::new_from_ascii(name.clone()).map_err(|error| format!("header {name}: {error}"))?;
        letter = letter.raw_header(HeaderValue::new(name, value.clone()));
    }
    let letter = match (message.text.clone(), message.html.clone()) {
        (Some(text), Some(html)) => letter.multipart(MultiPart::alternative_plain_html(text, html)),
        (None, Some(html)) => letter.singlepart(SinglePart::html(html)),
        (text, None) => letter.singlepart(SinglePart::plain(text.unwrap_or_default())),
    };
    // The builder wants recipients in its own envelope; ours has the hidden ones as well.
    letter.map(|letter| letter.formatted()).map_err(|error| error.to_string())
}

/// The way out: a queue and the server behind it.
pub struct Outbound {
    smtp: Smtp,
    timeline: Timeline,
    queue: OnceLock<mpsc::Sender<(String, Letter)>>,
}

impl Outbound {
    pub fn new(smtp: Smtp, timeline: Timeline) -> Self {
        Self { smtp, timeline, queue: OnceLock::new() }
    }

    /// Queues a letter, or tells why it will not go out. Must run inside a runtime, which the sender joins.
    pub fn hand_over(&self, id: &str, letter: Result<Letter, String>) {
        let queue = self.queue.get_or_init(|| {
            let (queue, letters) = mpsc::channel(LETTERS_WAITING_MAX);
            tokio::spawn(send_all(self.smtp.clone(), self.timeline.clone(), letters));
            queue
        });
        let queued = letter.and_then(|letter| {
            let full = |_| format!("{LETTERS_WAITING_MAX} mails wait for {} already", self.smtp.host);
            queue.try_send((id.to_owned(), letter)).map_err(full)
        });
        if let Err(reason) = queued {
            warn(&self.timeline, id, &reason);
        }
    }
}

impl fmt::Debug for Outbound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Outbound").field(&self.smtp).finish()
    }
}

/// Ends when the room is gone and the queue is empty.
async fn send_all(smtp: Smtp, timeline: Timeline, mut letters: mpsc::Receiver<(String, Letter)>) {
    let free = Arc::new(Semaphore::new(SENDING_MAX));
    while let Some((id, letter)) = letters.recv().await {
        let Ok(place) = Arc::clone(&free).acquire_owned().await else { return };
        let (smtp, timeline) = (smtp.clone(), timeline.clone());
        tokio::spawn(async move {
            if let Err(reason) = send(&smtp, &letter).await {
                warn(&timeline, &id, &format!("{}: {reason}", smtp.host));
            }
            drop(place);
        });
    }
}

async fn send(smtp: &Smtp, letter: &Letter) -> Result<(), lettre::transport::smtp::Error> {
    let mut waits = RETRY_WAITS.into_iter();
    loop {
        let Err(error) = smtp.transport.send_raw(&letter.envelope, &letter.bytes).await else { return Ok(()) };
        match waits.next() {
            Some(wait) if !error.is_permanent() => tokio::time::sleep(wait).await,
            _ => return Err(error),
        }
    }
}

fn warn(timeline: &Timeline, id: &str, reason: &str) {
    tracing::warn!(message_id = id, reason, "a mail was not passed on by SMTP; it is in the mailbox");
    let moment = timeline.moment(Kind::Warning, "a mail was not passed on by SMTP; it is in the mailbox");
    timeline.record(moment.outcome(Outcome::Failed).detail(reason).id("messageId", id));
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use storage::{Durability, Location};
    use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
    use tokio::net::TcpListener;
    use world::World;

    use super::*;
    use crate::Mail;

    /// A mail server that takes one letter, or refuses every recipient for good; returns what it was told.
    async fn serve_one(listener: TcpListener, is_willing: bool) -> Vec<String> {
        let (stream, _) = listener.accept().await.expect("a client");
        let (read, mut write) = stream.into_split();
        let mut lines = BufReader::new(read).lines();
        let (mut told, mut is_letter) = (Vec::new(), false);
        write.write_all(b"220 test\r\n").await.expect("it listens");
        while let Ok(Some(line)) = lines.next_line().await {
            let answer = match line.split(' ').next() {
                Some(".") => {
                    is_letter = false;
                    "250 ok\r\n"
                }
                _ if is_letter => "",
                Some("DATA") => {
                    is_letter = true;
                    "354 go on\r\n"
                }
                Some("RCPT") if !is_willing => "550 nobody here\r\n",
                Some("QUIT") => break,
                _ => "250 ok\r\n",
            };
            told.push(line);
            write.write_all(answer.as_bytes()).await.expect("it listens");
            if told.last().is_some_and(|line| line == ".") {
                break;
            }
        }
        told
    }

    async fn mail_by(is_willing: bool) -> (World, Arc<Mail>, tokio::task::JoinHandle<Vec<String>>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("smtp://{}", listener.local_addr().expect("an address"));
        let world = World::for_tests(1);
        let smtp = Some(url.parse().expect("a URL"));
        let mail = Mail::open(world.clone(), Location::Memory, Durability::default(), smtp).expect("it opens");
        (world, mail, tokio::spawn(serve_one(listener, is_willing)))
    }

    fn message() -> Message {
        Message {
            to: vec!["Ann <ann@example.com>".into()],
            bcc: vec!["bob@example.com".into()],
            from: "shop@example.com".into(),
            subject: Some("Grüße".into()),
            text: Some("hi".into()),
            html: Some("<p>hi</p>".into()),
            headers: vec![("X-Order".into(), "7".into())],
            ..Message::default()
        }
    }

    #[tokio::test]
    async fn a_mail_goes_out() {
        let (_, mail, server) = mail_by(true).await;
        let id = mail.deliver(message()).await.expect("it is kept");
        let told = server.await.expect("a letter").join("\n");
        for line in [
            "MAIL FROM:<shop@example.com>",
            "RCPT TO:<ann@example.com>",
            "RCPT TO:<bob@example.com>",
            "To: Ann <ann@example.com>",
            "X-Order: 7",
            "Date: Thu, 01 Jan 2026 00:00:00 +0000",
            &format!("Message-ID: <{id}@email.amazonses.com>"),
            "<p>hi</p>",
        ] {
            assert!(told.contains(line), "{line} is not in\n{told}");
        }
        assert!(!told.contains("Bcc"), "{told}");
    }

    #[tokio::test]
    async fn a_raw_mail_goes_out_but_for_its_hidden_recipients() {
        let (_, mail, server) = mail_by(true).await;
        let raw =
            Some(Bytes::from_static(b"From: a@x.io\r\nbcc: bob@x.io,\r\n cid@x.io\r\nX-Mine: yes\r\n\r\nBcc: hi"));
        mail.deliver(Message { raw, ..message() }).await.expect("it is kept");
        let told = server.await.expect("a letter").join("\n");
        assert!(told.contains("DATA\nFrom: a@x.io\nX-Mine: yes\n\nBcc: hi\n."), "{told}");
    }

    #[tokio::test]
    async fn a_refused_mail_is_warned_of_and_kept() {
        let (world, mail, server) = mail_by(false).await;
        mail.deliver(message()).await.expect("it is kept");
        let is_warned = || world.timeline.all().iter().any(|moment| moment.kind == Kind::Warning);
        while !is_warned() {
            tokio::task::yield_now().await;
        }
        drop(server);
        assert_eq!(mail.messages(Some("ann@example.com")).await.expect("messages").len(), 1);
    }

    #[tokio::test]
    async fn a_text_message_stays_here() {
        let smtp = Some("smtp://127.0.0.1:1".parse().expect("a URL"));
        let world = World::for_tests(1);
        let mail = Mail::open(world.clone(), Location::Memory, Durability::default(), smtp).expect("it opens");
        let sms = Message { to: vec!["+15550100".into()], channel: Channel::Sms, ..Message::default() };
        mail.deliver(sms).await.expect("it is kept");
        assert_eq!(mail.messages(Some("+15550100")).await.expect("messages").len(), 1);
        assert!(world.timeline.all().iter().all(|moment| moment.kind == Kind::Mail));
    }

    #[test]
    fn a_url_keeps_its_secret() {
        let smtp: Smtp = "smtps://user:hunter2@mail.example.com:465".parse().expect("a URL");
        assert_eq!(format!("{smtp:?}"), "Smtp { host: \"mail.example.com:465\", .. }");
    }

    #[test]
    fn what_is_no_url_is_refused() {
        for text in ["", "mail.example.com", "http://mail.example.com", "smtp://", "smtp://:25"] {
            assert!(text.parse::<Smtp>().is_err(), "{text}");
        }
    }
}
