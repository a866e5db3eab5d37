//! `SendEmail`: <https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendEmail.html>.

use aws_api::Call;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::shapes::warn_ignored;
use crate::error::Error;
use crate::mime::RawMail;
use crate::{Mail, Message, address};

/// SES's limit for one message.
const RECIPIENTS_MAX: usize = 50;
/// SES's limit for `Content.Simple.Headers`.
const HEADERS_MAX: usize = 15;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    from_email_address: Option<String>,
    #[serde(default)]
    destination: Destination,
    #[serde(default)]
    reply_to_addresses: Vec<String>,
    content: Option<Content>,
    email_tags: Option<Value>,
    configuration_set_name: Option<String>,
    endpoint_id: Option<String>,
    tenant_name: Option<String>,
    feedback_forwarding_email_address: Option<String>,
    list_management_options: Option<Value>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
#[expect(clippy::struct_field_names, reason = "the names of the wire")]
struct Destination {
    to_addresses: Vec<String>,
    cc_addresses: Vec<String>,
    bcc_addresses: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Content {
    simple: Option<Simple>,
    raw: Option<Raw>,
    template: Option<Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Simple {
    subject: Option<Text>,
    body: Option<Body>,
    #[serde(default)]
    headers: Vec<Header>,
    #[serde(default)]
    attachments: Vec<Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Body {
    text: Option<Text>,
    html: Option<Text>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Text {
    data: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Header {
    name: String,
    value: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Raw {
    data: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Response {
    message_id: String,
}

pub async fn run(room: &Mail, request: Request, call: &Call) -> Result<Response, Error> {
    warn_ignored(
        "SendEmail",
        &[
            ("EmailTags", request.email_tags.is_some()),
            ("ConfigurationSetName", request.configuration_set_name.is_some()),
            ("EndpointId", request.endpoint_id.is_some()),
            ("TenantName", request.tenant_name.is_some()),
            ("FeedbackForwardingEmailAddress", request.feedback_forwarding_email_address.is_some()),
            ("ListManagementOptions", request.list_management_options.is_some()),
        ],
    );
    let mut message = read(request)?;
    message.source = "ses".into();
    message.trace = Some(call.trace.clone());
    let message_id = room.deliver(message).await?;
    call.told(); // `deliver` tells more
    Ok(Response { message_id })
}

fn read(request: Request) -> Result<Message, Error> {
    let content = request.content.ok_or_else(|| Error::missing("content"))?;
    let mut message = match (content.simple, content.raw, content.template) {
        (Some(simple), None, None) => {
            let from = request.from_email_address.ok_or(Error::BadRequest(None))?;
            Message { from, ..read_simple(simple)? }
        }
        (None, Some(raw), None) => read_raw(&raw, request.from_email_address)?,
        (None, None, Some(_)) => {
            return Err(Error::not_supported("Content.Template", "send Content.Simple or Content.Raw"));
        }
        _ => return Err(Error::bad_request("Content must have exactly one of Simple, Raw and Template")),
    };
    let Destination { to_addresses, cc_addresses, bcc_addresses } = request.destination;
    // Of a raw mail, a destination replaces the headers' one.
    if !(to_addresses.is_empty() && cc_addresses.is_empty() && bcc_addresses.is_empty()) {
        (message.to, message.cc, message.bcc) = (to_addresses, cc_addresses, bcc_addresses);
    }
    if !request.reply_to_addresses.is_empty() {
        message.reply_to = request.reply_to_addresses;
    }
    check(&message)?;
    Ok(message)
}

fn read_simple(simple: Simple) -> Result<Message, Error> {
    if !simple.attachments.is_empty() {
        return Err(Error::not_supported("Content.Simple.Attachments", "send Content.Raw"));
    }
    if simple.headers.len() > HEADERS_MAX {
        return Err(Error::bad_request(format!("Header count exceeds {HEADERS_MAX}.")));
    }
    // The API's patterns; a line break in a value would be the beginning of another header.
    let is_name = |name: &str| !name.is_empty() && name.bytes().all(|b| b.is_ascii_graphic() && b != b':');
    let is_value = |value: &str| value.bytes().all(|b| matches!(b, b' '..=b'~'));
    if let Some(header) = simple.headers.iter().find(|header| !is_name(&header.name) || !is_value(&header.value)) {
        return Err(Error::bad_request(format!("Header {:?} has an invalid name or value.", header.name)));
    }
    let subject = simple.subject.ok_or_else(|| Error::missing("content.simple.subject"))?;
    let body = simple.body.ok_or_else(|| Error::missing("content.simple.body"))?;
    let (ids, headers): (Vec<_>, Vec<_>) =
        simple.headers.into_iter().partition(|header| header.name.eq_ignore_ascii_case("message-id"));
    Ok(Message {
        subject: Some(subject.data),
        text: body.text.map(|text| text.data),
        html: body.html.map(|html| html.data),
        message_id: ids.into_iter().next().map(|id| id.value),
        headers: headers.into_iter().map(|header| (header.name, header.value)).collect(),
        ..Message::default()
    })
}

fn read_raw(raw: &Raw, from: Option<String>) -> Result<Message, Error> {
    let bytes = STANDARD.decode(&raw.data);
    let bytes = bytes.map_err(|_| Error::bad_request("Content.Raw.Data is not Base64"))?;
    let mail = RawMail::read(&bytes)?;
    let from = from.or(mail.from).ok_or_else(|| Error::bad_request("Missing required header 'From'."))?;
    Ok(Message {
        from,
        to: mail.to,
        cc: mail.cc,
        bcc: mail.bcc,
        reply_to: mail.reply_to,
        subject: mail.subject,
        text: mail.text,
        html: mail.html,
        message_id: mail.message_id,
        headers: mail.headers,
        raw: Some(Bytes::from(bytes)),
        ..Message::default()
    })
}

fn check(message: &Message) -> Result<(), Error> {
    address::check(&message.from)?;
    let count = message.recipients().count();
    if count == 0 {
        return Err(Error::bad_request(match message.raw {
            Some(_) => "Missing required header 'To'.",
            None => "Empty required header 'To'.",
        }));
    }
    if count > RECIPIENTS_MAX {
        return Err(Error::bad_request(format!("Recipient count exceeds {RECIPIENTS_MAX}.")));
    }
    message.recipients().chain(message.reply_to.iter().map(String::as_str)).try_for_each(address::check)
}

#[cfg(test)]
mod tests {
    use super::super::harness::{Answer, Harness};
    use super::*;
    use serde_json::json;
    use world::Kind;

    fn simple() -> Value {
        json!({"Simple": {
            "Subject": {"Data": "Welcome"},
            "Body": {"Text": {"Data": "hi"}, "Html": {"Data": "<p>hi</p>"}},
            "Headers": [{"Name": "Message-ID", "Value": "<1@example.com>"}, {"Name": "X-Order", "Value": "7"}],
        }})
    }

    #[tokio::test]
    async fn a_simple_mail_lands_in_the_mailbox() {
        let t = Harness::new();
        let Answer(status, answer) = t.send(simple()).await;
        assert_eq!(status, 200, "{answer}");
        let messages = t.mail.messages(Some("Ann <ANN@example.com>")).await.expect("messages");
        let shown = serde_json::to_value(&messages).expect("JSON");
        let wanted = json!([{
            "id": answer["MessageId"], "at": "2026-01-01T00:00:00.000Z", "to": "ann@example.com", "channel": "email",
            "subject": "Welcome", "text": "hi", "html": "<p>hi</p>", "source": "ses", "from": "shop@example.com",
            "messageId": "<1@example.com>", "headers": [["X-Order", "7"]],
        }]);
        assert_eq!(shown, wanted);
    }

    #[tokio::test]
    async fn a_raw_mail_is_read() {
        let t = Harness::new();
        let raw = "From: a@example.com\r\nTo: bob@example.com\r\nSubject: Raw\r\n\r\nhello";
        let content = json!({"Content": {"Raw": {"Data": STANDARD.encode(raw)}}});
        let Answer(status, answer) = t.ask("POST", "/v2/email/outbound-emails", content).await;
        assert_eq!(status, 200, "{answer}");
        let messages = t.mail.messages(Some("bob@example.com")).await.expect("messages");
        assert_eq!((messages[0].subject.as_deref(), messages[0].text.as_deref()), (Some("Raw"), Some("hello")));
    }

    #[tokio::test]
    async fn it_is_told_once() {
        let t = Harness::new();
        t.send(simple()).await;
        let told: Vec<_> = t.world.timeline.of("ann@example.com").iter().map(|moment| moment.kind).collect();
        assert_eq!(told, [Kind::Mail]);
    }

    #[track_caller]
    fn check_refused(request: Value, wanted: &str) {
        let request: Request = serde_json::from_value(request).expect("it has the shape");
        let said = read(request).err().map(|error| error.to_string());
        assert_eq!(said.as_deref(), Some(wanted));
    }

    #[test]
    fn refuses_in_the_words_of_ses() {
        let to = |to: &str| json!({"ToAddresses": [to]});
        let from = "a@example.com";
        check_refused(
            json!({"FromEmailAddress": from, "Destination": to("ann"), "Content": simple()}),
            "Missing final '@domain'",
        );
        check_refused(json!({"FromEmailAddress": from, "Content": simple()}), "Empty required header 'To'.");
        check_refused(json!({"Destination": to("b@example.com"), "Content": simple()}), "no message");
        check_refused(
            json!({"FromEmailAddress": from, "Destination": to("b@x.io"), "Content": {"Template": {}}}),
            "Content.Template is not supported by this server: send Content.Simple or Content.Raw",
        );
        check_refused(
            json!({"FromEmailAddress": from, "Destination": {"ToAddresses": vec!["b@x.io"; 51]}, "Content": simple()}),
            "Recipient count exceeds 50.",
        );
        let mut injected = simple();
        injected["Simple"]["Headers"] = json!([{"Name": "X-A", "Value": "1\r\nBcc: all@x.io"}]);
        check_refused(
            json!({"FromEmailAddress": from, "Destination": to("b@x.io"), "Content": injected}),
            "Header \"X-A\" has an invalid name or value.",
        );
        check_refused(
            json!({"Content": {"Raw": {"Data": STANDARD.encode("To: b@x.io\r\n\r\nhi")}}}),
            "Missing required header 'From'.",
        );
    }

    #[tokio::test]
    async fn a_missing_sender_gets_no_words() {
        let t = Harness::new();
        let content = json!({"Content": simple()});
        let Answer(status, answer) = t.ask("POST", "/v2/email/outbound-emails", content).await;
        assert_eq!((status, answer), (400, json!({"message": null})));
    }
}
