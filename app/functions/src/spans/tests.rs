use std::sync::Mutex;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::routing::post;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::KeyValue as Attribute;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::trace::v1::Span as Sent;
use prost::Message as _;
use tokio::net::TcpListener;
use tracing::Instrument as _;

use super::*;
use crate::error::Error;
use crate::invocation::Invocations;

const PARENT: &str = "00-5759e988bd862e3fe1be46a994272793-53995c3f42cd8ad8-01";

/// A collector in this process.
#[derive(Clone, Default)]
struct Collector(Arc<Mutex<Vec<ExportTraceServiceRequest>>>);

impl Collector {
    async fn start(&self) -> String {
        async fn take(State(collector): State<Collector>, body: Bytes) {
            let request = ExportTraceServiceRequest::decode(body).expect("it is what the protocol says");
            collector.0.lock().expect("no panic").push(request);
        }
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let endpoint = format!("http://{}", listener.local_addr().expect("an address"));
        let routes = Router::new().route("/v1/traces", post(take)).with_state(self.clone());
        tokio::spawn(async move { axum::serve(listener, routes).await });
        endpoint
    }

    /// The spans of all requests, and the attributes of what they are from.
    fn got(&self) -> (Vec<Sent>, Vec<Attribute>) {
        let requests = self.0.lock().expect("no panic").clone();
        let resources: Vec<_> = requests.into_iter().flat_map(|request| request.resource_spans).collect();
        let origin =
            resources.iter().filter_map(|from| from.resource.clone()).flat_map(|from| from.attributes).collect();
        let scopes = resources.into_iter().flat_map(|from| from.scope_spans);
        (scopes.flat_map(|scope| scope.spans).collect(), origin)
    }
}

fn spans(endpoint: &str) -> Spans {
    let resource = Resource::builder_empty().with_service_name("create-profile").build();
    Spans::new("create-profile", endpoint, resource, Some(Sampler::AlwaysOn)).expect("an exporter")
}

fn context() -> Invocation {
    let mut context = Invocation::default();
    context.request_id = "request-1".into();
    context.invoked_function_arn = "arn:aws:lambda:us-east-1:000000000000:function:create-profile".into();
    context
}

/// What an invocation does that calls `DynamoDB`, of which the SDK makes such a span, with one of its own inside.
async fn work() -> Result<Option<String>, Error> {
    let traceparent = current();
    tracing::info!(target: TARGET, "what the log says is no part of a span");
    let call = tracing::debug_span!(target: "aws_sdk_dynamodb::operation::get_item", "DynamoDB.GetItem", rpc.method = "GetItem");
    async { tracing::debug_span!(target: "aws_smithy_runtime::client::orchestrator", "try_attempt").in_scope(|| {}) }
        .instrument(call)
        .await;
    Ok(traceparent)
}

fn text(attributes: &[Attribute], name: &str) -> Option<String> {
    let value = attributes.iter().find(|attribute| attribute.key == name)?.value.clone()?.value?;
    match value {
        Any::StringValue(text) => Some(text),
        Any::BoolValue(flag) => Some(flag.to_string()),
        other => panic!("{other:?}"),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}

#[tokio::test]
async fn an_invocation_is_a_span_and_its_calls_are_below_it() {
    let collector = Collector::default();
    let invocations = Invocations::traced(spans(&collector.start().await));
    let _guard = tracing::subscriber::set_default(invocations.subscriber());

    let told = invocations.around("pubsub", Some(PARENT), &context(), work()).await.expect("no failure");

    // They are there when the answer is.
    let (spans, origin) = collector.got();
    assert_eq!(text(&origin, "service.name").as_deref(), Some("create-profile"));
    let names: Vec<_> = spans.iter().map(|span| span.name.as_str()).collect();
    assert_eq!(names, ["DynamoDB.GetItem", "create-profile"]);
    let [call, invocation] = spans.as_slice() else { panic!("{spans:?}") };
    assert_eq!((call.events.len(), invocation.events.len()), (0, 0));
    assert_eq!(hex(&invocation.trace_id), "5759e988bd862e3fe1be46a994272793");
    assert_eq!(hex(&invocation.parent_span_id), "53995c3f42cd8ad8");
    assert_eq!((&call.trace_id, &call.parent_span_id), (&invocation.trace_id, &invocation.span_id));
    let attribute = |name| text(&invocation.attributes, name).unwrap_or_default();
    assert_eq!((attribute("faas.trigger"), attribute("faas.coldstart")), ("pubsub".into(), "true".into()));
    assert_eq!(attribute("faas.invocation_id"), "request-1");
    // What the function writes into its events.
    let expected = format!("00-{}-{}-01", hex(&invocation.trace_id), hex(&invocation.span_id));
    assert_eq!(told, Some(expected));
}

#[tokio::test]
async fn an_event_without_a_trace_goes_on_with_x_rays_sampled_or_not() {
    let collector = Collector::default();
    let invocations = Invocations::traced(spans(&collector.start().await));
    let _guard = tracing::subscriber::set_default(invocations.subscriber());
    let mut context = context();
    context.xray_trace_id = Some("Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=0".into());
    for _ in 0..2 {
        invocations.around("other", None, &context, work()).await.expect("no failure");
    }
    let (spans, _) = collector.got();
    let own: Vec<_> = spans.iter().filter(|span| span.name == "create-profile").collect();
    let [first, second] = own.as_slice() else { panic!("{own:?}") };
    assert_eq!(hex(&first.trace_id), "5759e988bd862e3fe1be46a994272793");
    assert_eq!(text(&first.attributes, "faas.coldstart").as_deref(), Some("true"));
    assert_eq!(text(&second.attributes, "faas.coldstart").as_deref(), Some("false"));
}

#[tokio::test]
async fn a_failure_is_seen_in_the_span() {
    let collector = Collector::default();
    let invocations = Invocations::traced(spans(&collector.start().await));
    let _guard = tracing::subscriber::set_default(invocations.subscriber());
    let failing = async { Err::<(), _>(Error::NotABusEvent("source")) };
    invocations.around("pubsub", None, &context(), failing).await.expect_err("it fails");
    let (spans, _) = collector.got();
    assert_eq!(text(&spans[0].attributes, "error.type").as_deref(), Some("NotABusEvent"));
    let status = spans[0].status.as_ref().expect("a status");
    assert_eq!(status.code(), opentelemetry_proto::tonic::trace::v1::status::StatusCode::Error);
}

#[tokio::test]
async fn a_collector_that_is_not_there_breaks_nothing_and_is_left_alone() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let endpoint = format!("http://{}", listener.local_addr().expect("an address"));
    drop(listener);
    let invocations = Invocations::traced(spans(&endpoint));
    let _guard = tracing::subscriber::set_default(invocations.subscriber());
    for _ in 0..2 {
        invocations.around("other", None, &context(), work()).await.expect("no failure");
    }
    assert!(invocations.spans().is_paused());
}

/// The clock is the runtime's, and stands still while there is something to do.
#[tokio::test(start_paused = true)]
async fn a_collector_that_hangs_is_waited_for_no_longer_than_a_sign_up_bears() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let invocations = Invocations::traced(spans(&format!("http://{}", listener.local_addr().expect("an address"))));
    let _guard = tracing::subscriber::set_default(invocations.subscriber());
    let began = Instant::now();
    for _ in 0..3 {
        invocations.around("other", None, &context(), work()).await.expect("no failure");
    }
    assert!(began.elapsed() <= FLUSH_TIMEOUT + Duration::from_millis(10), "{:?}", began.elapsed());
}

#[tokio::test]
async fn without_a_collector_nothing_is_made() {
    assert_eq!(work().await.expect("no failure"), None);
}

#[test]
fn a_traceparent_of_another_form_is_none() {
    for text in ["", "00", "00-x-y-01", "00-00000000000000000000000000000000-53995c3f42cd8ad8-01"] {
        assert_eq!(remote(text), None, "{text}");
    }
}

#[test]
fn an_endpoint_that_is_none_says_so() {
    let resource = Resource::builder_empty().build();
    let error = Spans::new("f", "not an address", resource, None).expect_err("refused").to_string();
    assert!(error.starts_with("OTEL_EXPORTER_OTLP_ENDPOINT is \"not an address\": "), "{error}");
}
