//! The attributes of a queue that can be set: their defaults, their limits, and what they mean.

use std::collections::BTreeMap;

use aws_api::Arn;
use serde_json::Value;

use crate::error::Error;
use crate::policy::Policy;

/// 1 MiB: what AWS allows since August 2025, and its default.
pub(crate) const MESSAGE_BYTES_MAX: usize = 1_048_576;

/// Attributes that are whole numbers, with their limits and defaults.
const NUMBERS: &[(&str, i64, i64, &str)] = &[
    ("DelaySeconds", 0, 900, "0"),
    ("MaximumMessageSize", 1_024, 1_048_576, "1048576"),
    ("MessageRetentionPeriod", 60, 1_209_600, "345600"),
    ("ReceiveMessageWaitTimeSeconds", 0, 20, "0"),
    ("VisibilityTimeout", 0, 43_200, "30"),
];
const KMS_REUSE_LIMITS_S: (i64, i64) = (60, 86_400);
const RECEIVES_MAX: i64 = 1_000;
const ALLOWED_SOURCES_MAX: usize = 10;

/// Attributes that SQS computes; they can be asked for and not be set.
pub(crate) const COMPUTED: &[&str] = &[
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesDelayed",
    "ApproximateNumberOfMessagesNotVisible",
    "CreatedTimestamp",
    "LastModifiedTimestamp",
    "QueueArn",
];

/// What FIFO queues have beside the others, and its defaults. A standard queue may be asked for it and has none.
const FIFO: &[(&str, &str)] = &[
    ("FifoQueue", "true"),
    ("ContentBasedDeduplication", "false"),
    ("DeduplicationScope", "queue"),
    ("FifoThroughputLimit", "perQueue"),
];

/// All that is set of one queue, by AWS's names; texts in the form that AWS gives them back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct QueueAttributes(BTreeMap<String, String>);

/// Where a message goes that was received too often.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RedrivePolicy {
    pub dead_letter_target_arn: String,
    pub max_receive_count: i64,
}

impl Default for QueueAttributes {
    fn default() -> Self {
        let numbers = NUMBERS.iter().map(|(name, _, _, default)| ((*name).into(), (*default).into()));
        let encrypted = [("SqsManagedSseEnabled".into(), "true".into())];
        Self(numbers.chain(encrypted).collect())
    }
}

impl QueueAttributes {
    /// Of a new FIFO queue.
    pub fn of_fifo() -> Self {
        let mut attributes = Self::default();
        attributes.0.extend(FIFO.iter().map(|(name, value)| ((*name).into(), (*value).into())));
        attributes
    }

    pub fn is_fifo(&self) -> bool {
        self.is("FifoQueue", "true")
    }

    /// Whether the digest of a body is its deduplication id.
    pub fn deduplicates_by_content(&self) -> bool {
        self.is("ContentBasedDeduplication", "true")
    }

    /// Whether groups may share deduplication ids.
    pub fn deduplicates_by_group(&self) -> bool {
        self.is("DeduplicationScope", "messageGroup")
    }

    pub fn policy(&self) -> Option<&str> {
        self.0.get("Policy").map(String::as_str)
    }

    /// Of an owner's permissions; one without statements is taken away.
    pub fn set_policy(&mut self, policy: &Value) {
        match policy["Statement"].as_array() {
            Some(statements) if statements.is_empty() => drop(self.0.remove("Policy")),
            _ => drop(self.0.insert("Policy".into(), policy.to_string())),
        }
    }

    /// As the store kept them.
    pub fn from_stored(text: &str) -> Self {
        Self(serde_json::from_str(text).unwrap_or_default())
    }

    /// For the store.
    pub fn to_stored(&self) -> String {
        serde_json::to_string(&self.0).unwrap_or_default()
    }

    pub fn iter(&self) -> impl Iterator<Item = (&String, &String)> {
        self.0.iter()
    }

    pub fn delay_s(&self) -> i64 {
        self.number("DelaySeconds")
    }

    pub fn message_bytes_max(&self) -> usize {
        usize::try_from(self.number("MaximumMessageSize")).unwrap_or(MESSAGE_BYTES_MAX)
    }

    pub fn retention_s(&self) -> i64 {
        self.number("MessageRetentionPeriod")
    }

    pub fn wait_s(&self) -> i64 {
        self.number("ReceiveMessageWaitTimeSeconds")
    }

    pub fn visibility_timeout_s(&self) -> i64 {
        self.number("VisibilityTimeout")
    }

    pub fn redrive_policy(&self) -> Option<RedrivePolicy> {
        let policy: Value = serde_json::from_str(self.0.get("RedrivePolicy")?).ok()?;
        Some(RedrivePolicy {
            dead_letter_target_arn: policy["deadLetterTargetArn"].as_str()?.to_owned(),
            max_receive_count: policy["maxReceiveCount"].as_i64()?,
        })
    }

    /// Whether the queue of `source_arn` may name this one as its dead-letter queue.
    pub fn allows_redrive_from(&self, source_arn: &str) -> bool {
        let policy = self.0.get("RedriveAllowPolicy").and_then(|text| serde_json::from_str::<Value>(text).ok());
        let Some(policy) = policy else { return true };
        match policy["redrivePermission"].as_str() {
            Some("denyAll") => false,
            Some("byQueue") => policy["sourceQueueArns"]
                .as_array()
                .is_some_and(|arns| arns.iter().any(|arn| arn.as_str() == Some(source_arn))),
            _ => true,
        }
    }

    /// Sets what is `given`, after checking all of it. An empty text takes a policy or key away.
    pub fn set(&mut self, given: &BTreeMap<String, String>) -> Result<(), Error> {
        let asks_kms = given.get("KmsMasterKeyId").is_some_and(|key| !key.is_empty());
        if asks_kms && given.get("SqsManagedSseEnabled").is_some_and(|on| on == "true") {
            return Err(Error::two_encryptions());
        }
        let fifo = self.is_fifo();
        for (name, value) in given {
            match checked(name, value, fifo)? {
                Some(value) => drop(self.0.insert(name.clone(), value)),
                None => drop(self.0.remove(name)),
            }
        }
        if asks_kms {
            self.0.insert("SqsManagedSseEnabled".into(), "false".into());
        } else if given.get("SqsManagedSseEnabled").is_some_and(|on| on == "true") {
            self.0.remove("KmsMasterKeyId");
        }
        if !self.0.contains_key("KmsMasterKeyId") {
            self.0.remove("KmsDataKeyReusePeriodSeconds");
        }
        if self.is("FifoThroughputLimit", "perMessageGroupId") && !self.deduplicates_by_group() {
            return Err(Error::throughput_needs_groups());
        }
        Ok(())
    }

    /// The first attribute that a second `CreateQueue` gives otherwise than it is.
    pub fn first_difference(&self, given: &BTreeMap<String, String>) -> Result<Option<String>, Error> {
        for (name, value) in given {
            if checked(name, value, self.is_fifo())?.as_ref() != self.0.get(name) {
                return Ok(Some(name.clone()));
            }
        }
        Ok(None)
    }

    fn is(&self, name: &str, value: &str) -> bool {
        self.0.get(name).is_some_and(|it| it == value)
    }

    fn number(&self, name: &str) -> i64 {
        let default = || NUMBERS.iter().find(|number| number.0 == name).map_or("0", |number| number.3);
        self.0.get(name).map_or_else(default, String::as_str).parse().unwrap_or_default()
    }
}

/// Whether it can be asked for.
pub(crate) fn is_known(name: &str) -> bool {
    let set = ["KmsDataKeyReusePeriodSeconds", "KmsMasterKeyId", "Policy", "RedriveAllowPolicy", "RedrivePolicy"];
    NUMBERS.iter().any(|number| number.0 == name)
        || COMPUTED.contains(&name)
        || FIFO.iter().any(|attribute| attribute.0 == name)
        || set.contains(&name)
        || name == "SqsManagedSseEnabled"
}

/// The value in the form that is kept; nothing where an empty text takes it away.
fn checked(name: &str, value: &str, fifo: bool) -> Result<Option<String>, Error> {
    if let Some((_, min, max, _)) = NUMBERS.iter().find(|number| number.0 == name) {
        return whole_number(name, value, (*min, *max)).map(Some);
    }
    match name {
        "KmsDataKeyReusePeriodSeconds" => whole_number(name, value, KMS_REUSE_LIMITS_S).map(Some),
        "SqsManagedSseEnabled" => one_of(name, value, &["true", "false"]),
        "KmsMasterKeyId" | "Policy" | "RedriveAllowPolicy" | "RedrivePolicy" if value.is_empty() => Ok(None),
        "KmsMasterKeyId" => Ok(Some(value.into())),
        "Policy" if Policy::read(value).is_some() => Ok(Some(value.into())),
        "Policy" => Err(Error::attribute_value(name)),
        "RedrivePolicy" => redrive_policy(value).map(Some),
        "RedriveAllowPolicy" => redrive_allow_policy(value).map(Some),
        "DeduplicationScope" | "FifoThroughputLimit" if !fifo => Err(Error::only_fifo(name)),
        "FifoQueue" if fifo && value == "false" => Err(Error::queue_type_stays()),
        "FifoQueue" if fifo => one_of(name, value, &["true"]),
        "ContentBasedDeduplication" if fifo => one_of(name, value, &["true", "false"]),
        "DeduplicationScope" => one_of(name, value, &["messageGroup", "queue"]),
        "FifoThroughputLimit" => one_of(name, value, &["perQueue", "perMessageGroupId"]),
        other => Err(Error::unknown_attribute(other)),
    }
}

fn one_of(name: &str, value: &str, values: &[&str]) -> Result<Option<String>, Error> {
    if values.contains(&value) { Ok(Some(value.into())) } else { Err(Error::attribute_value(name)) }
}

fn whole_number(name: &str, value: &str, (min, max): (i64, i64)) -> Result<String, Error> {
    let number: Option<i64> = value.parse().ok().filter(|number| (min..=max).contains(number));
    number.map(|number| number.to_string()).ok_or_else(|| Error::attribute_value(name))
}

fn redrive_policy(text: &str) -> Result<String, Error> {
    let refused = |reason: &str| Error::invalid_value(text, "RedrivePolicy", reason);
    let Ok(Value::Object(policy)) = serde_json::from_str(text) else {
        return Err(refused("Redrive policy is not a valid JSON map."));
    };
    for name in ["maxReceiveCount", "deadLetterTargetArn"] {
        if !policy.contains_key(name) {
            return Err(refused(&format!("Redrive policy does not contain mandatory attribute: {name}.")));
        }
    }
    if let Some(other) = policy.keys().find(|name| !matches!(name.as_str(), "maxReceiveCount" | "deadLetterTargetArn"))
    {
        return Err(refused(&format!(
            "Only following attributes are supported: [deadLetterTargetArn, maxReceiveCount], not {other}."
        )));
    }
    let target = policy["deadLetterTargetArn"].as_str().unwrap_or_default();
    if !target.parse::<Arn>().is_ok_and(|arn| arn.service == "sqs") {
        return Err(refused("Invalid value for deadLetterTargetArn."));
    }
    // Templates often have it as text, which AWS takes and gives back as a number.
    let given = &policy["maxReceiveCount"];
    let count = given.as_i64().or_else(|| given.as_str()?.parse().ok());
    let Some(count) = count.filter(|count| (1..=RECEIVES_MAX).contains(count)) else {
        let given = given.as_str().map_or_else(|| given.to_string(), ToOwned::to_owned);
        let reason = "valid values are from 1 to 1000 both inclusive.";
        return Err(refused(&format!("Invalid value for maxReceiveCount: {given}, {reason}")));
    };
    Ok(serde_json::json!({"deadLetterTargetArn": target, "maxReceiveCount": count}).to_string())
}

fn redrive_allow_policy(text: &str) -> Result<String, Error> {
    let refused = |reason: &str| Error::invalid_value(text, "RedriveAllowPolicy", reason);
    let Ok(Value::Object(policy)) = serde_json::from_str(text) else {
        return Err(refused("Redrive allow policy is not a valid JSON map."));
    };
    let sources = policy.get("sourceQueueArns").map(|arns| arns.as_array().map_or(0, Vec::len));
    match (policy.get("redrivePermission").and_then(Value::as_str), sources) {
        (Some("allowAll" | "denyAll"), None) => Ok(text.into()),
        (Some("byQueue"), Some(count)) if (1..=ALLOWED_SOURCES_MAX).contains(&count) => Ok(text.into()),
        (Some("allowAll" | "denyAll" | "byQueue"), _) => Err(refused("Invalid value for sourceQueueArns.")),
        _ => Err(refused("Invalid value for redrivePermission.")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn set(name: &str, value: &str, expected: Result<Option<&str>, &str>) {
        let mut attributes = QueueAttributes::default();
        let result = attributes.set(&BTreeMap::from([(name.into(), value.into())]));
        let result = result.map(|()| attributes.0.get(name).map(String::as_str));
        assert_eq!(result.map_err(|error| error.to_string()), expected.map_err(str::to_owned));
    }

    #[test]
    fn checks_values() {
        let arn = r#""deadLetterTargetArn":"arn:aws:sqs:us-east-1:000000000000:dead""#;
        set("DelaySeconds", "900", Ok(Some("900")));
        set("DelaySeconds", "901", Err("Invalid value for the parameter DelaySeconds."));
        set("VisibilityTimeout", "soon", Err("Invalid value for the parameter VisibilityTimeout."));
        set("Colour", "red", Err("Unknown Attribute Colour."));
        set("QueueArn", "arn", Err("Unknown Attribute QueueArn."));
        set("FifoQueue", "false", Err("Unknown Attribute FifoQueue."));
        set(
            "DeduplicationScope",
            "queue",
            Err("You can specify the DeduplicationScope only when FifoQueue is set to true."),
        );
        set("Policy", "", Ok(None));
        set("Policy", "{}", Err("Invalid value for the parameter Policy."));
        set(
            "RedrivePolicy",
            &format!(r#"{{"maxReceiveCount":"3", {arn}}}"#),
            Ok(Some(r#"{"deadLetterTargetArn":"arn:aws:sqs:us-east-1:000000000000:dead","maxReceiveCount":3}"#)),
        );
        set(
            "RedrivePolicy",
            r#"{"deadLetterTargetArn": "dummy", "maxReceiveCount": 42}"#,
            Err(
                r#"Value {"deadLetterTargetArn": "dummy", "maxReceiveCount": 42} for parameter RedrivePolicy is invalid. Reason: Invalid value for deadLetterTargetArn."#,
            ),
        );
    }

    #[test]
    fn a_key_turns_the_other_encryption_off() {
        set("KmsMasterKeyId", "alias/mine", Ok(Some("alias/mine")));
        let mut attributes = QueueAttributes::default();
        attributes.set(&BTreeMap::from([("KmsMasterKeyId".into(), "k".into())])).expect("it is set");
        assert_eq!(attributes.0["SqsManagedSseEnabled"], "false");
        let both = [("KmsMasterKeyId".to_owned(), "k".to_owned()), ("SqsManagedSseEnabled".into(), "true".into())];
        assert!(attributes.set(&BTreeMap::from(both)).is_err());
    }
}
