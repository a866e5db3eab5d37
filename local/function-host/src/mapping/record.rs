//! Records, as functions get them.

use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use world::Timestamp;

use super::sources::QueueMessage;

/// Of an invocation's payload: 6 MB. A batch that would be larger is cut.
pub(crate) const PAYLOAD_BYTES_MAX: usize = 6 * 1024 * 1024;
/// `{"Records":[]}`
const ENVELOPE_BYTES: usize = 14;

/// A record of a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct StreamRecord {
    pub(crate) sequence_number: String,
    pub(crate) created: Timestamp,
    /// Records of one item have the same.
    pub(crate) key: String,
    /// As functions get it.
    pub(crate) json: String,
}

/// The payload of a batch.
pub(crate) fn payload<'a>(records: impl IntoIterator<Item = &'a str>) -> String {
    let records: Vec<&str> = records.into_iter().collect();
    format!("{{\"Records\":[{}]}}", records.join(","))
}

/// How many of these records fit into one payload: one at least.
pub(crate) fn fitting<'a>(records: impl IntoIterator<Item = &'a str>) -> usize {
    let mut bytes = ENVELOPE_BYTES;
    let fits = |record: &&str| {
        bytes += record.len() + 1;
        bytes <= PAYLOAD_BYTES_MAX
    };
    records.into_iter().take_while(fits).count().max(1)
}

/// A message as functions get it.
pub(crate) fn of_message(message: &QueueMessage, source_arn: &str, region: &str) -> String {
    written(&message_record(message, source_arn, region, None))
}

/// A message as filters see it: what can be read as JSON is JSON.
pub(crate) fn for_filters(message: &QueueMessage, source_arn: &str, region: &str) -> String {
    let body = message.body.trim_start().starts_with(['{', '[']).then(|| serde_json::from_str(&message.body).ok());
    written(&message_record(message, source_arn, region, body.flatten()))
}

/// A record of a stream, from what `GetRecords` gave.
pub(crate) fn of_stream(mut record: Map<String, Value>, source_arn: &str) -> StreamRecord {
    record.insert("eventSourceARN".into(), source_arn.into());
    let member = |name: &str| record.get("dynamodb").and_then(|dynamodb| dynamodb.get(name));
    let seconds = member("ApproximateCreationDateTime").and_then(Value::as_f64).unwrap_or_default();
    #[expect(clippy::cast_possible_truncation, reason = "milliseconds of any real date fit")]
    let created = Timestamp::from_millis((seconds * 1000.0) as i64);
    StreamRecord {
        sequence_number: member("SequenceNumber").and_then(Value::as_str).unwrap_or_default().to_owned(),
        created,
        key: member("Keys").map(ToString::to_string).unwrap_or_default(), // the names are in order
        json: written(&record),
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct MessageRecord<'a> {
    message_id: &'a str,
    receipt_handle: &'a str,
    body: Body<'a>,
    attributes: &'a BTreeMap<String, String>,
    message_attributes: BTreeMap<&'a str, Attribute<'a>>,
    md5_of_body: &'a str,
    md5_of_message_attributes: Option<&'a str>,
    event_source: &'static str,
    #[serde(rename = "eventSourceARN")]
    event_source_arn: &'a str,
    aws_region: &'a str,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Body<'a> {
    Text(&'a str),
    Json(Box<RawValue>),
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Attribute<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    string_value: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    binary_value: Option<&'a str>,
    string_list_values: [(); 0],
    binary_list_values: [(); 0],
    data_type: &'a str,
}

fn message_record<'a>(
    message: &'a QueueMessage,
    source_arn: &'a str,
    region: &'a str,
    body: Option<Box<RawValue>>,
) -> MessageRecord<'a> {
    let attributes = message.message_attributes.iter().map(|(name, attribute)| {
        let value = Attribute {
            string_value: attribute.string_value.as_deref(),
            binary_value: attribute.binary_value.as_deref(),
            string_list_values: [],
            binary_list_values: [],
            data_type: &attribute.data_type,
        };
        (name.as_str(), value)
    });
    MessageRecord {
        message_id: &message.message_id,
        receipt_handle: &message.receipt_handle,
        body: body.map_or(Body::Text(&message.body), Body::Json),
        attributes: &message.attributes,
        message_attributes: attributes.collect(),
        md5_of_body: &message.md5_of_body,
        md5_of_message_attributes: message.md5_of_message_attributes.as_deref(),
        event_source: "aws:sqs",
        event_source_arn: source_arn,
        aws_region: region,
    }
}

fn written(record: &impl Serialize) -> String {
    serde_json::to_string(record).unwrap_or_default() // maps with text for names always serialise
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::mapping::sources::MessageAttribute;

    const ARN: &str = "arn:aws:sqs:us-east-1:000000000000:orders";

    fn message(body: &str) -> QueueMessage {
        QueueMessage {
            message_id: "m".into(),
            receipt_handle: "r".into(),
            body: body.into(),
            md5_of_body: "d".into(),
            attributes: [("SentTimestamp".to_owned(), "1".to_owned())].into(),
            ..QueueMessage::default()
        }
    }

    fn read(text: &str) -> Value {
        serde_json::from_str(text).expect("JSON")
    }

    #[test]
    fn a_message_has_the_shape_that_functions_know() {
        let mut message = message("{\"a\":1}");
        let attribute =
            MessageAttribute { data_type: "String".into(), string_value: Some("v".into()), binary_value: None };
        message.message_attributes.insert("n".into(), attribute);
        let wanted = json!({
            "messageId": "m", "receiptHandle": "r", "body": "{\"a\":1}", "attributes": {"SentTimestamp": "1"},
            "messageAttributes": {"n": {
                "stringValue": "v", "stringListValues": [], "binaryListValues": [], "dataType": "String"}},
            "md5OfBody": "d", "md5OfMessageAttributes": null, "eventSource": "aws:sqs", "eventSourceARN": ARN,
            "awsRegion": "us-east-1",
        });
        assert_eq!(read(&of_message(&message, ARN, "us-east-1")), wanted);
    }

    #[test]
    fn filters_see_into_a_body_that_is_json() {
        let body = |text: &str| read(&for_filters(&message(text), ARN, "us-east-1"))["body"].clone();
        assert_eq!(body("{\"a\":1}"), json!({"a": 1}));
        assert_eq!(body("{\"a\":"), json!("{\"a\":"));
        assert_eq!(body("12"), json!("12"));
    }

    #[test]
    fn a_stream_record_says_where_it_comes_from() {
        let given = json!({"eventID": "e", "dynamodb": {
            "ApproximateCreationDateTime": 1_767_225_600.0, "SequenceNumber": "7", "Keys": {"pk": {"S": "a"}}}});
        let record = of_stream(given.as_object().expect("an object").clone(), "arn");
        assert_eq!((record.sequence_number.as_str(), record.created.millis()), ("7", 1_767_225_600_000));
        assert_eq!(record.key, "{\"pk\":{\"S\":\"a\"}}");
        assert_eq!(read(&record.json)["eventSourceARN"], "arn");
    }

    #[test]
    fn a_payload_holds_one_record_at_least_and_no_more_than_fit() {
        let large = "x".repeat(PAYLOAD_BYTES_MAX);
        assert_eq!(fitting([large.as_str(), "1"]), 1);
        let half = "x".repeat(PAYLOAD_BYTES_MAX / 2);
        assert_eq!(fitting([half.as_str(), "1", half.as_str()]), 2);
        assert_eq!(payload(["1", "2"]), "{\"Records\":[1,2]}");
    }
}
