//! Metrics in CloudWatch's embedded format: one line of JSON on the function's output, which CloudWatch makes metrics
//! of. No call is made for them, and nothing waits.
//!
//! The namespace is `METRICS_NAMESPACE` (`Tandem` unless said); the one dimension is `Function`, the name in `_HANDLER`.
//! One line an invocation has all that the invocation counted; what it did not count is not there, so let alarms take
//! missing data for good. `METRICS=off` says nothing: where nobody makes metrics of the lines, they are noise.
//!
//! | Metric | Unit | Function | Counts |
//! |---|---|---|---|
//! | `Created` | Count | create-profile | profiles made |
//! | `Updated` | Count | create-profile | profiles brought in step |
//! | `Deleted` | Count | create-profile | profiles replaced by a tombstone |
//! | `Duplicate` | Count | create-profile | deliveries of an event that had been applied: harmless |
//! | `Stale` | Count | create-profile | events older than the profile: harmless |
//! | `Tombstoned` | Count | create-profile, notice-sign-in, reread-user | news of a user who was deleted: changes nothing. From a sign-in it is a token that outlived its user |
//! | `Conflict` | Count | create-profile | profiles written without their address, which is another profile's; with `UNIQUE_EMAIL` only |
//! | `Age` | Milliseconds | create-profile | from the change in the pool until the table knows it |
//! | `Published` | Count | announce-user, notice-sign-in, reread-user | events that the bus took |
//! | `NotPublished` | Count | announce-user, notice-sign-in, reread-user | events that it did not take, or sign-ins that could not be compared with the profile: alarm at the first |
//! | `Unchanged` | Count | notice-sign-in, reread-user | sign-ins and calls after which the profile was right already |
//! | `WithoutUser` | Count | reread-user | calls in which CloudTrail named no user: left to the reconciler |
//! | `Welcomed` | Count | welcome-email | mails sent |
//! | `NotWelcomed` | Count | welcome-email | new users without a mail; the log says why |
//! | `Failed` | Count | all | invocations that ended with an error of ours; Lambda tries those again that came from a bus. Those that Lambda ended itself are in its own `Errors` alone |
//!
//! Source: <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io::Write as _;

use serde_json::{Value, json};
use tandem_profiles::Timestamp;

use crate::environment::{Invalid, optional};

const NAMESPACE: &str = "Tandem";
const NAMESPACE_CHARACTERS_MAX: usize = 255;

/// The format takes no more values of one metric in a line.
const VALUES_MAX: usize = 100;

/// What is counted or measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Metric {
    Created,
    Updated,
    Deleted,
    Duplicate,
    Stale,
    Tombstoned,
    Conflict,
    Age,
    Published,
    NotPublished,
    Unchanged,
    WithoutUser,
    Welcomed,
    NotWelcomed,
    Failed,
}

impl Metric {
    fn name(self) -> &'static str {
        match self {
            Self::Created => "Created",
            Self::Updated => "Updated",
            Self::Deleted => "Deleted",
            Self::Duplicate => "Duplicate",
            Self::Stale => "Stale",
            Self::Tombstoned => "Tombstoned",
            Self::Conflict => "Conflict",
            Self::Age => "Age",
            Self::Published => "Published",
            Self::NotPublished => "NotPublished",
            Self::Unchanged => "Unchanged",
            Self::WithoutUser => "WithoutUser",
            Self::Welcomed => "Welcomed",
            Self::NotWelcomed => "NotWelcomed",
            Self::Failed => "Failed",
        }
    }

    fn unit(self) -> &'static str {
        if self == Self::Age { "Milliseconds" } else { "Count" }
    }
}

tokio::task_local! {
    /// What the invocation that runs has counted so far: it belongs to the invocation as spans do, and no function has
    /// to hand it on.
    static COUNTED: RefCell<Counted>;
}

/// Counts something. Outside of an invocation, as in tests of one function, nobody listens.
pub(crate) fn count(metric: Metric) {
    let _ = COUNTED.try_with(|counted| counted.borrow_mut().count(metric));
}

/// Measures how old news was when it was applied.
pub(crate) fn age(occurred_at: Timestamp, applied_at: Timestamp) {
    // Two machines' clocks may say that it was applied before it happened.
    let millis = u64::try_from(applied_at.millis() - occurred_at.millis()).unwrap_or(0);
    let _ = COUNTED.try_with(|counted| counted.borrow_mut().add(Metric::Age, millis));
}

/// Does an invocation's work, and tells what it counted.
pub(crate) async fn collect<W: Future>(work: W) -> (W::Output, Counted) {
    let counting = async {
        let output = work.await;
        (output, COUNTED.with(RefCell::take))
    };
    COUNTED.scope(RefCell::default(), counting).await
}

/// What one invocation counted.
#[derive(Debug, Default)]
pub(crate) struct Counted(BTreeMap<Metric, Vec<u64>>);

impl Counted {
    pub fn count(&mut self, metric: Metric) {
        match self.0.entry(metric).or_default().first_mut() {
            Some(sum) => *sum += 1,
            None => self.add(metric, 1),
        }
    }

    fn add(&mut self, metric: Metric, value: u64) {
        let values = self.0.entry(metric).or_default();
        if values.len() < VALUES_MAX {
            values.push(value);
        }
    }
}

/// Where the lines go.
#[derive(Clone, Debug)]
pub(crate) struct Metrics {
    /// `None` if they are off.
    namespace: Option<String>,
    function: String,
}

impl Metrics {
    /// From `METRICS` and `METRICS_NAMESPACE`.
    pub fn from_environment(function: &str) -> Result<Self, Invalid> {
        let namespace = namespace(optional("METRICS").as_deref(), optional("METRICS_NAMESPACE"))?;
        Ok(Self { namespace, function: function.to_owned() })
    }

    /// Nothing goes anywhere.
    #[cfg(test)]
    pub fn off() -> Self {
        Self { namespace: None, function: String::new() }
    }

    /// Tells what an invocation counted.
    pub fn write(&self, counted: &Counted, now: Timestamp) {
        if let Some(line) = self.line(counted, now) {
            // In one piece, beside what the log writes. A closed output has nobody to tell.
            let _ = std::io::stdout().lock().write_all(format!("{line}\n").as_bytes());
        }
    }

    /// `None` if there is nothing to tell.
    fn line(&self, counted: &Counted, now: Timestamp) -> Option<Value> {
        let namespace = self.namespace.as_ref().filter(|_| !counted.0.is_empty())?;
        let metrics: Vec<_> =
            counted.0.keys().map(|metric| json!({"Name": metric.name(), "Unit": metric.unit()})).collect();
        let directive = json!({"Namespace": namespace, "Dimensions": [["Function"]], "Metrics": metrics});
        let mut line = json!({
            "_aws": {"Timestamp": now.millis(), "CloudWatchMetrics": [directive]},
            "Function": self.function,
        });
        for (metric, values) in &counted.0 {
            line[metric.name()] = match values.as_slice() {
                [value] => json!(value),
                values => json!(values),
            };
        }
        Some(line)
    }
}

fn namespace(metrics: Option<&str>, namespace: Option<String>) -> Result<Option<String>, Invalid> {
    match metrics {
        Some("off") => return Ok(None),
        None | Some("emf") => {}
        Some(other) => {
            return Err(Invalid::Value { name: "METRICS", value: other.to_owned(), expected: "emf or off" });
        }
    }
    let namespace = namespace.unwrap_or_else(|| NAMESPACE.to_owned());
    let allowed = |character: char| character.is_ascii_alphanumeric() || ".-_/#:".contains(character);
    if namespace.len() > NAMESPACE_CHARACTERS_MAX || !namespace.chars().all(allowed) || namespace.starts_with("AWS/") {
        let expected = "at most 255 letters, digits and . - _ / # : and must not begin with AWS/";
        return Err(Invalid::Value { name: "METRICS_NAMESPACE", value: namespace, expected });
    }
    Ok(Some(namespace))
}

#[cfg(test)]
mod tests;
