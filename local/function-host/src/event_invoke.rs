//! `EventInvokeConfig`: how a function's asynchronous invocations are retried, and where they end.

use aws_api::Arn;
use serde::{Deserialize, Serialize};
use world::Timestamp;

use crate::error::Error;

/// Retries after the first attempt, unless configured.
const RETRIES_DEFAULT: u32 = 2;
const RETRIES_MAX: u32 = 2;
/// An event's life in the queue, unless configured: six hours.
const EVENT_AGE_DEFAULT_S: u32 = 21_600;
const EVENT_AGE_MIN_S: u32 = 60;
const EVENT_AGE_MAX_S: u32 = 21_600;
const DESTINATION_PATTERN: &str =
    r"^$|arn:(aws[a-zA-Z0-9-]*):([a-zA-Z0-9\-])+:([a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1})?:(\d{12})?:(.*)";

/// What was configured; what was not has the defaults.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct EventInvoke {
    pub(crate) retries: Option<u32>,
    pub(crate) event_age_s: Option<u32>,
    pub(crate) on_success: Option<String>,
    pub(crate) on_failure: Option<String>,
    pub(crate) last_modified_ms: i64,
}

impl EventInvoke {
    /// Attempts after the first.
    pub(crate) fn retries(this: Option<&Self>) -> u32 {
        this.and_then(|config| config.retries).unwrap_or(RETRIES_DEFAULT)
    }

    /// Seconds after which an event is given up.
    pub(crate) fn event_age_s(this: Option<&Self>) -> u32 {
        this.and_then(|config| config.event_age_s).unwrap_or(EVENT_AGE_DEFAULT_S)
    }
}

/// `DestinationConfig`, in and out.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct DestinationConfig {
    on_success: Destination,
    on_failure: Destination,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Destination {
    #[serde(skip_serializing_if = "Option::is_none")]
    destination: Option<String>,
}

/// The body of `PutFunctionEventInvokeConfig` and `UpdateFunctionEventInvokeConfig`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct EventInvokeRequest {
    pub(crate) function_name: String,
    pub(crate) qualifier: Option<String>,
    maximum_retry_attempts: Option<u32>,
    maximum_event_age_in_seconds: Option<u32>,
    destination_config: Option<DestinationConfig>,
}

impl EventInvokeRequest {
    /// Refuses what AWS refuses; `exists` tells whether a function of this name is there.
    pub(crate) fn check(&self, function: &str, exists: impl Fn(&str) -> bool) -> Result<(), Error> {
        if let Some(retries) = self.maximum_retry_attempts.filter(|retries| *retries > RETRIES_MAX) {
            let constraint = format!("Member must have value less than or equal to {RETRIES_MAX}");
            return Err(Error::constraint(&retries.to_string(), "maximumRetryAttempts", &constraint));
        }
        if let Some(age) = self.maximum_event_age_in_seconds {
            let constraint = match age {
                ..EVENT_AGE_MIN_S => format!("greater than or equal to {EVENT_AGE_MIN_S}"),
                EVENT_AGE_MIN_S..=EVENT_AGE_MAX_S => String::new(),
                _ => format!("less than or equal to {EVENT_AGE_MAX_S}"),
            };
            if !constraint.is_empty() {
                let constraint = format!("Member must have value {constraint}");
                return Err(Error::constraint(&age.to_string(), "maximumEventAgeInSeconds", &constraint));
            }
        }
        let Some(config) = &self.destination_config else {
            if self.maximum_retry_attempts.is_none() && self.maximum_event_age_in_seconds.is_none() {
                let message = "You must specify at least one of error handling or destination setting.";
                return Err(Error::InvalidParameterValue(message.into()));
            }
            return Ok(());
        };
        config.check(function, exists)
    }

    /// What Put makes: what is not given is unset.
    pub(crate) fn put(self, now: Timestamp) -> EventInvoke {
        let mut made = EventInvoke::default();
        self.update(&mut made, now);
        made
    }

    /// What Update makes: what is not given stays.
    pub(crate) fn update(self, config: &mut EventInvoke, now: Timestamp) {
        config.retries = self.maximum_retry_attempts.or(config.retries);
        config.event_age_s = self.maximum_event_age_in_seconds.or(config.event_age_s);
        if let Some(destinations) = self.destination_config {
            let given = |destination: Destination| destination.destination.filter(|arn| !arn.is_empty());
            config.on_success = given(destinations.on_success);
            config.on_failure = given(destinations.on_failure);
        }
        config.last_modified_ms = now.millis();
    }
}

impl DestinationConfig {
    fn check(&self, function: &str, exists: impl Fn(&str) -> bool) -> Result<(), Error> {
        let success = self.on_success.destination.as_deref().filter(|arn| !arn.is_empty());
        let failure = self.on_failure.destination.as_deref().filter(|arn| !arn.is_empty());
        for (arn, member) in [(failure, "onFailure"), (success, "onSuccess")] {
            let Some(text) = arn else { continue };
            let Ok(arn) = text.parse::<Arn>() else {
                let constraint = format!("Member must satisfy regular expression pattern: {DESTINATION_PATTERN}");
                return Err(Error::constraint(text, &format!("destinationConfig.{member}.destination"), &constraint));
            };
            match arn.service.as_str() {
                "lambda" => check_function(text, &arn, function, &exists)?,
                "sqs" | "events" => {}
                // AWS takes them; a result that goes nowhere would be worse than none.
                "sns" | "s3" => {
                    let name = if arn.service == "sns" { "SNS topics" } else { "S3 buckets" };
                    let message = format!("{name} are not implemented by this server as destinations: {text}");
                    return Err(Error::InvalidParameterValue(message));
                }
                _ => {
                    let part = |name, arn: Option<&str>| {
                        arn.map_or_else(|| "null".to_owned(), |arn| format!("{name}(destination={arn})"))
                    };
                    return Err(Error::InvalidParameterValue(format!(
                        "The provided destination config DestinationConfig(onSuccess={}, onFailure={}) is invalid.",
                        part("OnSuccess", success),
                        part("OnFailure", failure)
                    )));
                }
            }
        }
        Ok(())
    }
}

fn check_function(text: &str, arn: &Arn, function: &str, exists: &impl Fn(&str) -> bool) -> Result<(), Error> {
    let name = arn.resource.strip_prefix("function:").unwrap_or_default().split(':').next().unwrap_or_default();
    if name == function {
        let message = "You can't specify the function as a destination for itself.";
        return Err(Error::InvalidParameterValue(message.into()));
    }
    if !exists(name) {
        return Err(Error::InvalidParameterValue(format!("The destination ARN {text} is invalid.")));
    }
    Ok(())
}

/// As Put, Update, Get and List answer.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct EventInvokeAnswer {
    last_modified: f64,
    function_arn: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    maximum_retry_attempts: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    maximum_event_age_in_seconds: Option<u32>,
    destination_config: DestinationConfig,
}

impl EventInvokeAnswer {
    pub(crate) fn of(config: &EventInvoke, function_arn: String) -> Self {
        Self {
            last_modified: Timestamp::from_millis(config.last_modified_ms).epoch_seconds(),
            function_arn,
            maximum_retry_attempts: config.retries,
            maximum_event_age_in_seconds: config.event_age_s,
            destination_config: DestinationConfig {
                on_success: Destination { destination: config.on_success.clone() },
                on_failure: Destination { destination: config.on_failure.clone() },
            },
        }
    }
}
