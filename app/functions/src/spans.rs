//! `OpenTelemetry`: a span per invocation, and below it one per call of an AWS API, which the SDK makes itself.
//!
//! Only if `OTEL_EXPORTER_OTLP_ENDPOINT` is set: otherwise nothing of this runs. The spans of an invocation are sent
//! before its answer, because Lambda freezes the process after it, and with a time-out, because a dead collector must not
//! break a sign-up: what it does not take in time is lost, and then it is left alone for a while.
//!
//! An event of the bus goes on with the trace in its metadata, everything else with X-Ray's header.
//! Source: opentelemetry.io/docs/specs/semconv/faas/faas-spans.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use lambda_runtime::Context as Invocation;
use opentelemetry::trace::{
    SpanContext, SpanId, TraceContextExt as _, TraceFlags, TraceId, TraceState, TracerProvider as _,
};
use opentelemetry::{Context, KeyValue};
use opentelemetry_http::hyper::HyperClient;
use opentelemetry_otlp::{ExporterBuildError, RetryPolicy, SpanExporter, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{
    Sampler, SdkTracerProvider, Span as StartedSpan, SpanData, SpanExporter as _, SpanProcessor,
};
use tokio::time::Instant;
use tracing::level_filters::LevelFilter;
use tracing::{Span, Subscriber, field};
use tracing_opentelemetry::OpenTelemetrySpanExt as _;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::{FilterExt as _, Targets, filter_fn};
use tracing_subscriber::registry::LookupSpan;

use crate::environment::optional;
use crate::trace::from_xray;

/// The target of our span, by which the log leaves it out.
pub(crate) const TARGET: &str = "tandem::invocation";

/// What an answer waits for the collector at most; it comes on top of what a trigger waits for the bus.
const FLUSH_TIMEOUT: Duration = Duration::from_millis(300);
/// How long a collector that failed is left alone.
const PAUSE: Duration = Duration::from_secs(30);
/// An invocation makes a handful; a retried call some more.
const SPANS_MAX: usize = 512;

/// Makes and sends the spans of one process.
#[derive(Debug)]
pub(crate) struct Spans {
    provider: SdkTracerProvider,
    kept: Kept,
    exporter: SpanExporter,
    /// Until when nothing is sent.
    paused_until: Mutex<Option<Instant>>,
    is_cold: AtomicBool,
    function: String,
}

/// Keeps spans until they are sent: the SDK's own processors export on threads of their own, which a frozen process stops.
#[derive(Clone, Debug, Default)]
struct Kept(Arc<Mutex<Vec<SpanData>>>);

impl SpanProcessor for Kept {
    fn on_start(&self, _span: &mut StartedSpan, _context: &Context) {}

    fn on_end(&self, span: SpanData) {
        let mut spans = self.0.lock().expect("nobody panics with it");
        if span.span_context.is_sampled() && spans.len() < SPANS_MAX {
            spans.push(span);
        }
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _timeout: Duration) -> OTelSdkResult {
        Ok(())
    }
}

impl Spans {
    /// If the environment names a collector.
    pub fn from_environment(function: &str) -> Result<Option<Self>, lambda_runtime::Error> {
        let Some(endpoint) = optional("OTEL_EXPORTER_OTLP_ENDPOINT") else { return Ok(None) };
        let name = optional("OTEL_SERVICE_NAME").or_else(|| optional("AWS_LAMBDA_FUNCTION_NAME"));
        let attributes = [
            ("cloud.region", optional("AWS_REGION")),
            ("faas.version", optional("AWS_LAMBDA_FUNCTION_VERSION")),
            ("faas.instance", optional("AWS_LAMBDA_LOG_STREAM_NAME")),
            ("service.name", Some(name.unwrap_or_else(|| function.to_owned()))),
        ];
        let attributes = attributes.into_iter().filter_map(|(name, value)| Some(KeyValue::new(name, value?)));
        let resource = Resource::builder().with_attribute(KeyValue::new("cloud.provider", "aws"));
        // X-Ray's header says that nothing is sampled wherever X-Ray is off, which is no opinion about these traces.
        let sampler = optional("OTEL_TRACES_SAMPLER").is_none().then_some(Sampler::AlwaysOn);
        Ok(Some(Self::new(function, &endpoint, resource.with_attributes(attributes).build(), sampler)?))
    }

    fn new(
        function: &str,
        endpoint: &str,
        resource: Resource,
        sampler: Option<Sampler>,
    ) -> Result<Self, lambda_runtime::Error> {
        let mut exporter = exporter(endpoint)?;
        exporter.set_resource(&resource);
        let kept = Kept::default();
        let mut provider = SdkTracerProvider::builder().with_resource(resource).with_span_processor(kept.clone());
        if let Some(sampler) = sampler {
            provider = provider.with_sampler(sampler);
        }
        Ok(Self {
            provider: provider.build(),
            kept,
            exporter,
            paused_until: Mutex::default(),
            is_cold: AtomicBool::new(true),
            function: function.to_owned(),
        })
    }

    /// What sees the spans that are sent: ours, and those of the SDK's calls; neither those inside of a call nor what
    /// the log says.
    #[expect(clippy::redundant_closure_for_method_calls, reason = "the method is not general enough in its lifetime")]
    pub fn layer<S>(&self) -> Box<dyn Layer<S> + Send + Sync>
    where
        S: Subscriber + for<'a> LookupSpan<'a> + Send + Sync,
    {
        let calls = [
            "aws_sdk_cognitoidentityprovider::operation",
            "aws_sdk_dynamodb::operation",
            "aws_sdk_eventbridge::operation",
            "aws_sdk_sesv2::operation",
        ];
        let seen = Targets::new()
            .with_target(TARGET, LevelFilter::INFO)
            .with_targets(calls.map(|target| (target, LevelFilter::DEBUG)));
        let tracer = self.provider.tracer("tandem");
        let layer = tracing_opentelemetry::layer().with_tracer(tracer).with_tracked_inactivity(false);
        let layer = layer.with_location(false).with_threads(false).with_target(false).with_level(false);
        Box::new(layer.with_filter(seen.and(filter_fn(|metadata| metadata.is_span()))))
    }

    /// The span of an invocation, to do its work in.
    pub fn invocation(&self, trigger: &'static str, traceparent: Option<&str>, invocation: &Invocation) -> Span {
        let span = tracing::info_span!(
            target: TARGET,
            "invocation",
            "otel.name" = self.function,
            "otel.kind" = if trigger == "pubsub" { "consumer" } else { "server" },
            "otel.status_code" = field::Empty,
            "error.type" = field::Empty,
            "faas.name" = invocation.env_config.function_name,
            "faas.trigger" = trigger,
            "faas.invocation_id" = invocation.request_id,
            "faas.coldstart" = self.is_cold.swap(false, Ordering::Relaxed),
            "cloud.resource_id" = invocation.invoked_function_arn,
        );
        let xray = || invocation.xray_trace_id.as_deref().and_then(from_xray);
        let parent = traceparent.map(ToOwned::to_owned).or_else(xray).as_deref().and_then(remote);
        if let Some(parent) = parent {
            // Fails only where the layer is not installed, and then there are no spans either.
            let _ = span.set_parent(Context::new().with_remote_span_context(parent));
        }
        span
    }

    fn is_paused(&self) -> bool {
        self.paused_until.lock().expect("nobody panics with it").is_some_and(|end| Instant::now() < end)
    }

    /// Sends what there is, if the collector takes it in time.
    pub async fn flush(&self) {
        let spans = std::mem::take(&mut *self.kept.0.lock().expect("nobody panics with it"));
        if spans.is_empty() || self.is_paused() {
            return;
        }
        let count = spans.len();
        let sent = tokio::time::timeout(FLUSH_TIMEOUT, self.exporter.export(spans)).await;
        let reason = match sent {
            Ok(Ok(())) => return,
            Ok(Err(error)) => error.to_string(),
            Err(_) => "time ran out".to_owned(),
        };
        *self.paused_until.lock().expect("nobody panics with it") = Some(Instant::now() + PAUSE);
        tracing::warn!(reason, count, pause_seconds = PAUSE.as_secs(), "the collector did not take the spans");
    }
}

/// The `traceparent` of the span that runs, if spans are made.
pub(crate) fn current() -> Option<String> {
    let context = Span::current().context();
    let span = context.span().span_context().clone();
    let flags = span.trace_flags().to_u8();
    span.is_valid().then(|| format!("00-{}-{}-{flags:02x}", span.trace_id(), span.span_id()))
}

/// Another process's span, of its `traceparent`.
fn remote(traceparent: &str) -> Option<SpanContext> {
    let mut parts = traceparent.split('-').skip(1);
    let trace = TraceId::from_hex(parts.next()?).ok()?;
    let span = SpanId::from_hex(parts.next()?).ok()?;
    let flags = TraceFlags::new(u8::from_str_radix(parts.next()?, 16).ok()?);
    let context = SpanContext::new(trace, span, flags, true, TraceState::default());
    context.is_valid().then_some(context)
}

/// By OTLP over HTTP, over the client that the AWS SDK has linked already. Certificates are read only where there is TLS.
fn exporter(endpoint: &str) -> Result<SpanExporter, lambda_runtime::Error> {
    let builder = SpanExporter::builder().with_http().with_retry_policy(RetryPolicy::disabled());
    let builder = builder.with_endpoint(format!("{}/v1/traces", endpoint.trim_end_matches('/')));
    let builder = builder.with_timeout(FLUSH_TIMEOUT);
    let exporter: Result<_, ExporterBuildError> = if endpoint.starts_with("https://") {
        let connector = hyper_rustls::HttpsConnectorBuilder::new().with_native_roots()?;
        let connector = connector.https_only().enable_http1().build();
        builder.with_http_client(HyperClient::new(connector, FLUSH_TIMEOUT, None)).build()
    } else {
        builder.with_http_client(HyperClient::with_default_connector(FLUSH_TIMEOUT, None)).build()
    };
    exporter.map_err(|error| format!("OTEL_EXPORTER_OTLP_ENDPOINT is {endpoint:?}: {error}").into())
}

#[cfg(test)]
mod tests;
