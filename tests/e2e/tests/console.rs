//! Why did nothing happen? The console of `tandem dev` says it unasked.

use aws_sdk_eventbridge::Client as Bus;
use aws_sdk_eventbridge::types::{InputTransformer, PutEventsRequestEntry, Target};
use aws_sdk_sqs::Client as Queues;
use e2e::{Console, Server};

/// A rule on the default bus for events of the source `shop`, with this target.
async fn with(target: Target) -> (Server, Console) {
    let (server, console) = Server::overheard().await;
    let bus = Bus::new(&server.config());
    bus.put_rule().name("orders").event_pattern(r#"{"source":["shop"]}"#).send().await.expect("PutRule");
    bus.put_targets().rule("orders").targets(target).send().await.expect("PutTargets");
    (server, console)
}

async fn publish(server: &Server, bus: &str, source: &str) {
    let entry = PutEventsRequestEntry::builder().event_bus_name(bus).source(source).detail_type("Paid");
    let entry = entry.detail(r#"{"items": {"a": "b"}}"#).build();
    let answer = Bus::new(&server.config()).put_events().entries(entry).send().await.expect("PutEvents");
    assert_eq!(answer.failed_entry_count, 0, "AWS takes it");
}

fn target(arn: &str) -> aws_sdk_eventbridge::types::builders::TargetBuilder {
    Target::builder().id("t").arn(arn)
}

const QUEUE: &str = "arn:aws:sqs:us-east-1:000000000000:paid";

#[tokio::test]
async fn an_unknown_bus() {
    let (server, mut console) = Server::overheard().await;
    publish(&server, "nowhere", "shop").await;
    console.says(&["WARN", "Paid went to the bus nowhere, which does not exist"]).await;
}

#[tokio::test]
async fn an_event_that_no_rule_matched() {
    let (server, mut console) = with(target(QUEUE).build().expect("a target")).await;
    publish(&server, "default", "store").await;
    let line = console.says(&["WARN", "no rule on bus default matched Paid"]).await;
    assert!(line.contains("rule orders did not match: source"), "the first field that did not: {line}");
}

#[tokio::test]
async fn a_transformer_that_makes_no_json() {
    // An object between quotes.
    let transformer = InputTransformer::builder().input_paths_map("items", "$.detail.items");
    let transformer = transformer.input_template(r#"{"text": "these: <items>"}"#).build().expect("a transformer");
    let (server, mut console) = with(target(QUEUE).input_transformer(transformer).build().expect("a target")).await;
    server.queue_of_events("paid").await;
    publish(&server, "default", "shop").await;
    console.says(&["WARN", "rule orders", "was dropped", "JSON"]).await;
}

#[tokio::test]
async fn a_target_that_is_gone() {
    let (server, mut console) = with(target(QUEUE).build().expect("a target")).await;
    let url = server.queue_of_events("paid").await;
    Queues::new(&server.config()).delete_queue().queue_url(url).send().await.expect("DeleteQueue");
    publish(&server, "default", "shop").await;
    console.says(&["WARN", "rule orders", "was given up", "NO_RESOURCE"]).await;
}

#[tokio::test]
async fn a_function_that_is_not_there() {
    let arn = "arn:aws:lambda:us-east-1:000000000000:function:nobody";
    let (server, mut console) = with(target(arn).build().expect("a target")).await;
    publish(&server, "default", "shop").await;
    console.says(&["WARN", "rule orders", "was given up", "nobody"]).await;
}
