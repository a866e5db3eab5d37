//! A letter, read from either envelope. Nothing here calls anybody.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;
use tandem_profiles::Timestamp;

/// Who gave up on the event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// `EventBridge`: it could not hand the event to the rule's target.
    Rule,
    /// Lambda: the function failed, or waited for too long.
    Function,
}

/// Why it gave up.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Why {
    /// `EventBridge`'s code, or the function's error type.
    pub code: String,
    /// The words that came with it.
    pub message: String,
    /// `MaximumRetryAttempts`, `RetriesExhausted`, `EventAgeExceeded`, …
    #[serde(skip_serializing_if = "Option::is_none")]
    pub condition: Option<String>,
    /// How often it was tried.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attempts: Option<u64>,
}

/// What the event is about, as far as it is a bus event. Ids and nothing personal.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    /// The event's source.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// The event's detail type.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail_type: Option<String>,
    /// The bus's id of the event.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Whom an identity event is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
}

/// An event that reached nobody.
#[derive(Clone, Debug)]
pub struct Letter {
    /// Who gave up on it.
    pub kind: Kind,
    /// The rule behind a rule's letter.
    pub rule: Option<String>,
    /// The ARN of the target that it was meant for. `None` in the letters of a function's older dead-letter queue,
    /// which do not say whose they are.
    pub target: Option<String>,
    /// Why.
    pub why: Why,
    /// When it was given up on, if the envelope says so.
    pub failed_at: Option<Timestamp>,
    /// What the event is about.
    pub summary: Summary,
    /// The event, text for text as the target would have got it.
    pub payload: Box<RawValue>,
}

impl Letter {
    /// From a message's body and its attributes; `None` if it is in neither envelope.
    pub fn read(body: &str, attributes: &BTreeMap<String, String>) -> Option<Self> {
        let payload: Box<RawValue> = serde_json::from_str(body).ok()?;
        let attribute = |name: &str| attributes.get(name).cloned();
        if attributes.contains_key("RULE_ARN") || attributes.contains_key("TARGET_ARN") {
            return Some(Self {
                kind: Kind::Rule,
                rule: attribute("RULE_ARN"),
                target: attribute("TARGET_ARN"),
                why: Why {
                    code: attribute("ERROR_CODE").unwrap_or_default(),
                    message: attribute("ERROR_MESSAGE").unwrap_or_default(),
                    condition: attribute("EXHAUSTED_RETRY_CONDITION"),
                    attempts: attribute("RETRY_ATTEMPTS").and_then(|number| number.parse().ok()),
                },
                failed_at: None,
                summary: summary(payload.get()),
                payload,
            });
        }
        if let Some(letter) = record(body) {
            return Some(letter);
        }
        let of_a_function = attributes.contains_key("RequestID") && attributes.contains_key("ErrorMessage");
        of_a_function.then(|| Self {
            kind: Kind::Function,
            rule: None,
            target: None,
            why: Why {
                code: attribute("ErrorCode").unwrap_or_default(),
                message: attribute("ErrorMessage").unwrap_or_default(),
                ..Why::default()
            },
            failed_at: None,
            summary: summary(payload.get()),
            payload,
        })
    }

    /// The last part of the target's ARN.
    pub fn target_name(&self) -> Option<&str> {
        self.target.as_deref().map(name_in_arn)
    }

    /// Whether the letter is about the user with this id, or names them anywhere.
    pub fn mentions(&self, user: &str) -> bool {
        self.summary.user_id.as_deref() == Some(user) || self.payload.get().contains(user)
    }
}

/// The name of a function or a queue: of a function without its version.
fn name_in_arn(arn: &str) -> &str {
    let mut parts = arn.splitn(6, ':').skip(2);
    let (service, resource) = (parts.next(), parts.nth(2).unwrap_or(arn));
    match service {
        Some("lambda") => {
            let name = resource.strip_prefix("function:").unwrap_or(resource);
            name.split(':').next().unwrap_or(name)
        }
        _ => resource.rsplit('/').next().unwrap_or(resource),
    }
}

/// The record of an on-failure destination.
fn record(body: &str) -> Option<Letter> {
    #[derive(serde::Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Record<'a> {
        request_context: Value,
        #[serde(borrow)]
        request_payload: &'a RawValue,
        timestamp: Option<String>,
        response_context: Option<Value>,
        response_payload: Option<Value>,
    }
    let record: Record<'_> = serde_json::from_str(body).ok()?;
    let function = record.request_context["functionArn"].as_str()?.to_owned();
    let text = |value: &Option<Value>, name: &str| {
        let field = value.as_ref().and_then(|value| value[name].as_str());
        field.map(ToOwned::to_owned)
    };
    let code = text(&record.response_payload, "errorType").or_else(|| text(&record.response_context, "functionError"));
    Some(Letter {
        kind: Kind::Function,
        rule: None,
        target: Some(function),
        why: Why {
            code: code.unwrap_or_default(),
            message: text(&record.response_payload, "errorMessage").unwrap_or_default(),
            condition: record.request_context["condition"].as_str().map(ToOwned::to_owned),
            attempts: record.request_context["approximateInvokeCount"].as_u64(),
        },
        failed_at: record.timestamp.and_then(|time| time.parse().ok()),
        summary: summary(record.request_payload.get()),
        payload: record.request_payload.to_owned(),
    })
}

fn summary(event: &str) -> Summary {
    let event: Value = serde_json::from_str(event).unwrap_or_default();
    let text = |pointer: &str| event.pointer(pointer).and_then(Value::as_str).map(ToOwned::to_owned);
    Summary {
        source: text("/source"),
        detail_type: text("/detail-type"),
        id: text("/id"),
        user_id: text("/detail/data/userId"),
    }
}

#[cfg(test)]
mod tests;
