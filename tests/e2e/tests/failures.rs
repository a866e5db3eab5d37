//! What nobody takes ends in a dead-letter queue, readable by SQS's API.

use std::time::Duration;

use aws_sdk_eventbridge::Client as Bus;
use aws_sdk_eventbridge::types::PutEventsRequestEntry;
use aws_sdk_lambda::Client as Functions;
use aws_sdk_sqs::Client as Queues;
use aws_sdk_sqs::types::Message;
use e2e::Server;
use serde_json::Value;

async fn publish(server: &Server, detail: &str) {
    let entry = PutEventsRequestEntry::builder()
        .event_bus_name(server.of_stack("eventBusName"))
        .source("tandem.identity")
        .detail_type("UserCreated")
        .detail(detail)
        .build();
    let answer = Bus::new(&server.config()).put_events().entries(entry).send().await.expect("PutEvents");
    assert_eq!(answer.failed_entry_count, 0);
}

async fn messages(server: &Server, url: &str) -> Vec<Message> {
    let receive = Queues::new(&server.config()).receive_message().queue_url(server.of_stack(url));
    let receive = receive.max_number_of_messages(10).message_attribute_names("All");
    receive.send().await.expect("ReceiveMessage").messages.unwrap_or_default()
}

#[tokio::test]
async fn an_event_that_no_attempt_brings_to_success_reaches_the_failure_destination() {
    let server = Server::in_memory().await;
    publish(&server, r#"{"not": "an identity event"}"#).await;
    for wait in [1, 2] {
        let (status, _) = server.inside("POST", "/_tandem/settle?timeoutMs=20000", "").await;
        assert_eq!(status, 504, "a retry is due in {wait} minutes");
        server.advance(Duration::from_secs(60 * wait)).await;
    }
    server.settle().await;
    let messages = messages(&server, "failedInvocationsQueueUrl").await;
    assert_eq!(messages.len(), 2, "create-profile and welcome-email");
    let record: Value = serde_json::from_str(messages[0].body().expect("a body")).expect("JSON");
    assert_eq!(record["requestContext"]["condition"], "RetriesExhausted");
    assert_eq!(record["requestContext"]["approximateInvokeCount"], 3);
}

#[tokio::test]
async fn a_delivery_to_a_function_that_is_gone_reaches_the_dead_letter_queue() {
    let server = Server::in_memory().await;
    let functions = Functions::new(&server.config());
    functions.delete_function().function_name("welcome-email").send().await.expect("DeleteFunction");
    publish(&server, r#"{"not": "an identity event"}"#).await;
    let (_, _) = server.inside("POST", "/_tandem/settle?timeoutMs=20000", "").await;
    let messages = messages(&server, "deadLetterQueueUrl").await;
    assert_eq!(messages.len(), 1);
    let attributes = messages[0].message_attributes().expect("attributes");
    assert_eq!(attributes["ERROR_CODE"].string_value(), Some("NO_RESOURCE"));
    assert!(attributes["RULE_ARN"].string_value().is_some_and(|arn| arn.ends_with("rule/tandem/welcome")));
}
