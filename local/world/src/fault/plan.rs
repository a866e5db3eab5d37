//! The plan as people write it: JSON, read strictly, so that a misspelt word is an error and no fault that never
//! strikes.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The longest that a call, a function or a trigger is held up: as long as Lambda lets a function run.
const DELAY_MS_MAX: u64 = 15 * 60 * 1_000;
/// The latest that a delivery comes: a week by the world's clock.
const LATE_MS_MAX: u64 = 7 * 86_400 * 1_000;

/// What shall go wrong. The same seed and the same order of calls bring the same faults.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FaultPlan {
    /// Of the draws; each fault has draws of its own.
    #[serde(default)]
    pub seed: u64,
    /// Where several fit, the first that strikes is the only one.
    pub faults: Vec<Fault>,
}

/// One sort of fault, and how often it strikes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub struct Fault {
    /// What goes wrong.
    pub what: What,
    /// How often.
    pub when: When,
}

/// What goes wrong.
#[derive(Clone, Debug, PartialEq)]
pub enum What {
    /// A call of an AWS API.
    Api(ApiFault),
    /// An entry of a `PutEvents` call, which the bus does not take.
    PutEvents(EntryFault),
    /// A run of a function.
    Function(FunctionFault),
    /// A user pool's wait for a trigger.
    Trigger(TriggerFault),
    /// A delivery of the bus, or an asynchronous invocation, as it is queued.
    Delivery(DeliveryFault),
}

/// How often a fault strikes of those times when it could.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct When {
    /// Above 0, at most 1.
    pub probability: f64,
    /// The first so many are let pass.
    pub skip: u64,
    /// It strikes so often and no more.
    pub times: Option<u64>,
    /// Within one trace (what follows from one call of a client) so often and no more.
    pub times_per_trace: Option<u32>,
}

impl Default for When {
    /// Always.
    fn default() -> Self {
        Self { probability: 1.0, skip: 0, times: None, times_per_trace: None }
    }
}

/// A call of an AWS API that fails, or takes long.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ApiFault {
    /// As it is called in signatures: `dynamodb`, `cognito-idp`, `events`, …
    pub service: String,
    /// All of them if none is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation: Option<String>,
    /// The exception that is answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// Its words; AWS's unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Its status; the one that goes with the exception unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Milliseconds, in real time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delay_ms: Option<u64>,
    /// The operation is carried out all the same, and its caller does not know.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub after: bool,
}

/// An entry that the bus does not take.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EntryFault {
    /// What the entry's result says.
    #[serde(default)]
    pub error: EntryError,
    /// Only entries of this detail type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail_type: Option<String>,
}

/// The codes of entries that may be sent again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum EntryError {
    /// The bus failed.
    #[default]
    InternalFailure,
    /// The account sends too much.
    ThrottlingException,
}

impl EntryError {
    /// `ErrorCode`.
    pub const fn code(self) -> &'static str {
        match self {
            Self::InternalFailure => "InternalFailure",
            Self::ThrottlingException => "ThrottlingException",
        }
    }

    /// `ErrorMessage`.
    pub const fn message(self) -> &'static str {
        match self {
            Self::InternalFailure => "Unexpected error",
            Self::ThrottlingException => "Rate exceeded",
        }
    }
}

/// A run of a function that fails, or takes long.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FunctionFault {
    /// All functions if none is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// As if its process had been killed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fail: Option<Fail>,
    /// Milliseconds before it starts, in real time; they count towards its time-out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delay_ms: Option<u64>,
    /// Only asynchronous invocations that are tried again when they fail.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub only_if_retried: bool,
}

/// When a function fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Fail {
    /// It has not run.
    Before,
    /// It has done its work, and nobody hears of it.
    After,
}

/// A trigger that keeps its user pool waiting. The function does run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TriggerFault {
    /// `PostConfirmation`, `PreSignUp`, …; all of them if none is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// How long the answer is held back, in real time. Cognito waits for 5,000 ms.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delay_ms: Option<u64>,
    /// As if the 5 seconds were over, without waiting for them.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub time_out: bool,
}

/// A delivery that comes twice, late or out of order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DeliveryFault {
    /// All of them if none is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lane: Option<LaneName>,
    /// Only what has this in its label, as `settle` shows it: `UserCreated → rule welcome → welcome-email`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// It is queued twice.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub twice: bool,
    /// Milliseconds until it is due, by the world's clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub late_ms: Option<u64>,
    /// Any wait up to so many milliseconds, so that others overtake it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shuffle_ms: Option<u64>,
}

/// Where deliveries are queued.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LaneName {
    /// From a rule to its target.
    BusDeliveries,
    /// Calls of API destinations, which the deliveries to them become.
    BusCalls,
    /// Invocations for which nobody waits.
    AsyncInvocations,
}

impl LaneName {
    /// The lane's name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::BusDeliveries => "bus-deliveries",
            Self::BusCalls => "bus-calls",
            Self::AsyncInvocations => "async-invocations",
        }
    }
}

/// A fault in JSON: exactly one of the first five says what, the others how often.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Written {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    api: Option<ApiFault>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    put_events: Option<EntryFault>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    function: Option<FunctionFault>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    trigger: Option<TriggerFault>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    delivery: Option<DeliveryFault>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    probability: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    skip: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    times: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    times_per_trace: Option<u32>,
}

impl TryFrom<Written> for Fault {
    type Error = String;

    fn try_from(written: Written) -> Result<Self, String> {
        let Written { api, put_events, function, trigger, delivery, .. } = written;
        let what = [
            api.map(What::Api),
            put_events.map(What::PutEvents),
            function.map(What::Function),
            trigger.map(What::Trigger),
            delivery.map(What::Delivery),
        ];
        let mut what = what.into_iter().flatten();
        let (Some(what), None) = (what.next(), what.next()) else {
            return Err("a fault has exactly one of api, putEvents, function, trigger and delivery".into());
        };
        what.check()?;
        let probability = written.probability.unwrap_or(1.0);
        if !(probability > 0.0 && probability <= 1.0) {
            return Err(format!("probability is above 0 and at most 1, not {probability}"));
        }
        if written.times_per_trace.is_some() && matches!(what, What::Delivery(_)) {
            return Err("timesPerTrace does not go with delivery: a delivery is queued once".into());
        }
        let when = When {
            probability,
            skip: written.skip.unwrap_or(0),
            times: written.times,
            times_per_trace: written.times_per_trace,
        };
        Ok(Self { what, when })
    }
}

impl From<Fault> for Written {
    fn from(Fault { what, when }: Fault) -> Self {
        let mut written = Self {
            api: None,
            put_events: None,
            function: None,
            trigger: None,
            delivery: None,
            probability: (when.probability < 1.0).then_some(when.probability),
            skip: (when.skip > 0).then_some(when.skip),
            times: when.times,
            times_per_trace: when.times_per_trace,
        };
        match what {
            What::Api(fault) => written.api = Some(fault),
            What::PutEvents(fault) => written.put_events = Some(fault),
            What::Function(fault) => written.function = Some(fault),
            What::Trigger(fault) => written.trigger = Some(fault),
            What::Delivery(fault) => written.delivery = Some(fault),
        }
        written
    }
}

impl What {
    /// What the types do not say.
    fn check(&self) -> Result<(), String> {
        let delay = match self {
            Self::Api(ApiFault { error: None, delay_ms: None, .. }) => {
                return Err("api needs an error, a delayMs, or both".into());
            }
            Self::Api(ApiFault { error: None, message, status, .. }) if message.is_some() || status.is_some() => {
                return Err("a message or a status needs an error to go with".into());
            }
            Self::Api(ApiFault { status: Some(status), .. }) if !(400..600).contains(status) => {
                return Err(format!("status is that of an error, 400 to 599, not {status}"));
            }
            Self::Function(FunctionFault { fail: None, delay_ms: None, .. }) => {
                return Err("function needs a fail (\"before\" or \"after\"), a delayMs, or both".into());
            }
            Self::Trigger(TriggerFault { delay_ms, time_out, .. }) if delay_ms.is_some() == *time_out => {
                return Err("trigger needs a delayMs or \"timeOut\": true, and not both".into());
            }
            Self::Delivery(DeliveryFault { twice: false, late_ms: None, shuffle_ms: None, .. }) => {
                return Err("delivery needs \"twice\": true, a lateMs or a shuffleMs".into());
            }
            Self::Api(ApiFault { delay_ms, .. })
            | Self::Function(FunctionFault { delay_ms, .. })
            | Self::Trigger(TriggerFault { delay_ms, .. }) => ("delayMs", *delay_ms, DELAY_MS_MAX),
            Self::Delivery(DeliveryFault { late_ms, shuffle_ms, .. }) => {
                ("lateMs or shuffleMs", *late_ms.max(shuffle_ms), LATE_MS_MAX)
            }
            Self::PutEvents(_) => return Ok(()),
        };
        match delay {
            (name, Some(ms), max) if ms > max => Err(format!("{name} is at most {max}, not {ms}")),
            _ => Ok(()),
        }
    }
}

/// One line for the timeline.
impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let late = |ms: &Option<u64>, what: &str| ms.map(|ms| format!("{what} {ms} ms")).unwrap_or_default();
        let with = |parts: [String; 3]| {
            let parts: Vec<_> = parts.into_iter().filter(|part| !part.is_empty()).collect();
            parts.join(", ")
        };
        let text = |part: &str| part.to_owned();
        match self {
            Self::Api(ApiFault { error, delay_ms, after, .. }) => {
                let error = error.as_ref().map(|error| format!("answers {error}")).unwrap_or_default();
                let ran = match (error.is_empty(), after) {
                    (true, _) => "",
                    (false, true) => "was carried out all the same",
                    (false, false) => "was not carried out",
                };
                f.write_str(&with([late(delay_ms, "held up"), error, text(ran)]))
            }
            Self::PutEvents(EntryFault { error, .. }) => write!(f, "the bus did not take it: {}", error.code()),
            Self::Function(FunctionFault { fail, delay_ms, .. }) => {
                let failed = match fail {
                    Some(Fail::Before) => "fails before it runs",
                    Some(Fail::After) => "fails after it ran",
                    None => "",
                };
                f.write_str(&with([late(delay_ms, "held up"), text(failed), String::new()]))
            }
            Self::Trigger(TriggerFault { time_out: true, .. }) => f.write_str("timed out, though it ran"),
            Self::Trigger(TriggerFault { delay_ms, .. }) => f.write_str(&late(delay_ms, "answer held back")),
            Self::Delivery(DeliveryFault { twice, late_ms, shuffle_ms, .. }) => {
                let twice = if *twice { "queued twice" } else { "" };
                f.write_str(&with([text(twice), late(late_ms, "late by"), late(shuffle_ms, "shuffled within")]))
            }
        }
    }
}
