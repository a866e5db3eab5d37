//! What every function does around its work: it counts, traces and tells, and none of that can make it fail.

use std::sync::Arc;

use lambda_runtime::{Context, LambdaEvent, service_fn};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;
use tracing::Instrument as _;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{Layer, fmt};

use crate::clock;
use crate::environment::optional;
use crate::error::Error;
use crate::metrics::{self, Metric, Metrics};
use crate::spans::{self, Spans};

/// An event that a function is invoked with.
pub(crate) trait Event {
    /// `OpenTelemetry`'s word for what invokes the function.
    const TRIGGER: &'static str;

    /// The trace that the event belongs to, if it says so.
    fn traceparent(&self) -> Option<&str>;
}

/// A trigger's event, kept as the text that came.
impl Event for Box<RawValue> {
    const TRIGGER: &'static str = "other";

    fn traceparent(&self) -> Option<&str> {
        None
    }
}

/// An event of a bus.
impl Event for Value {
    const TRIGGER: &'static str = "pubsub";

    fn traceparent(&self) -> Option<&str> {
        self.pointer("/detail/metadata/traceparent").and_then(Value::as_str)
    }
}

/// What stays the same from one invocation of a function to the next.
#[derive(Debug)]
pub(crate) struct Invocations {
    metrics: Metrics,
    spans: Option<Spans>,
}

impl Invocations {
    /// As the environment has it.
    pub fn from_environment(function: &str) -> Result<Self, lambda_runtime::Error> {
        let metrics = Metrics::from_environment(function)?;
        Ok(Self { metrics, spans: Spans::from_environment(function)? })
    }

    /// Takes over the process's log.
    pub fn log(&self) {
        let is_json = optional("AWS_LAMBDA_LOG_FORMAT").is_some_and(|format| format.eq_ignore_ascii_case("json"));
        let spans = self.spans.as_ref().map(Spans::layer);
        tracing_subscriber::registry().with(spans).with(log(std::io::stdout, is_json, log_filter())).init();
    }

    /// Serves a function until the Lambda service ends the process.
    pub async fn serve<E, R, W>(self, work: impl Fn(E, Context) -> W) -> Result<(), lambda_runtime::Error>
    where
        E: Event + for<'de> Deserialize<'de>,
        R: Serialize,
        W: Future<Output = Result<R, Error>>,
    {
        let invocations = Arc::new(self);
        lambda_runtime::run(service_fn(move |event: LambdaEvent<E>| {
            let invocations = Arc::clone(&invocations);
            let traceparent = event.payload.traceparent().map(ToOwned::to_owned);
            let context = event.context.clone();
            let work = Box::pin(work(event.payload, event.context)); // some kilobytes, moved about by every layer
            async move { invocations.around(E::TRIGGER, traceparent.as_deref(), &context, work).await }
        }))
        .await
    }

    /// Without metrics, and with spans.
    #[cfg(test)]
    pub fn traced(spans: Spans) -> Self {
        Self { metrics: Metrics::off(), spans: Some(spans) }
    }

    #[cfg(test)]
    pub fn spans(&self) -> &Spans {
        self.spans.as_ref().expect("there are spans")
    }

    /// What the process's subscriber would be, were there no log.
    #[cfg(test)]
    pub fn subscriber(&self) -> impl tracing::Subscriber + Send + Sync + 'static {
        tracing_subscriber::registry().with(self.spans.as_ref().map(Spans::layer))
    }

    /// Does the work of one invocation.
    pub async fn around<R>(
        &self,
        trigger: &'static str,
        traceparent: Option<&str>,
        context: &Context,
        work: impl Future<Output = Result<R, Error>>,
    ) -> Result<R, Error> {
        let span = match &self.spans {
            Some(spans) => spans.invocation(trigger, traceparent, context),
            None => tracing::Span::none(),
        };
        let (result, mut counted) = metrics::collect(work.instrument(span.clone())).await;
        if let Err(error) = &result {
            counted.count(Metric::Failed);
            span.record("otel.status_code", "ERROR").record("error.type", error.error_type());
        }
        drop(span);
        self.metrics.write(&counted, clock::now());
        if let Some(spans) = &self.spans {
            spans.flush().await;
        }
        result
    }
}

/// The log as `lambda_runtime` has it, for people or for CloudWatch: no times, which Lambda adds, and no targets. No colours
/// either: whatever reads it is no terminal.
pub fn log<S, W>(writer: W, is_json: bool, filter: EnvFilter) -> Box<dyn Layer<S> + Send + Sync>
where
    S: tracing::Subscriber + for<'a> LookupSpan<'a> + Send + Sync,
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let layer = fmt::layer().with_writer(writer).with_target(false).without_time().with_ansi(false);
    if is_json { Box::new(layer.json().with_filter(filter)) } else { Box::new(layer.with_filter(filter)) }
}

/// As `lambda_runtime` reads it: `AWS_LAMBDA_LOG_LEVEL`, or else the level in `RUST_LOG`, or else `info`; and what
/// `RUST_LOG` says of single targets.
fn log_filter() -> EnvFilter {
    let rust_log = optional("RUST_LOG");
    let level = optional("AWS_LAMBDA_LOG_LEVEL").or_else(|| rust_log.clone());
    filter(level.as_deref(), rust_log.as_deref())
}

/// The SDK, Lambda's runtime and what is below them never say more than `info` unless `RUST_LOG` names them: they would
/// write whole requests and events, with names and addresses in them.
pub fn filter(level: Option<&str>, rust_log: Option<&str>) -> EnvFilter {
    const TALKATIVE: [&str; 5] = ["aws_", "lambda_", "hyper", "h2", "rustls"];
    let level = level.and_then(|level| level.parse().ok()).unwrap_or(LevelFilter::INFO);
    let rust_log = rust_log.unwrap_or_default();
    let mut filter = EnvFilter::builder().with_default_directive(level.into()).parse_lossy(rust_log);
    if filter.max_level_hint().is_none_or(|most| most > LevelFilter::INFO) {
        for target in TALKATIVE.into_iter().filter(|target| !rust_log.contains(target)) {
            filter = filter.add_directive(format!("{target}=info").parse().expect("a directive"));
        }
    }
    filter.add_directive(format!("{}=off", spans::TARGET).parse().expect("a directive"))
}

#[cfg(test)]
mod tests;
