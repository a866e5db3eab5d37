//! The user pool's PostConfirmation trigger: tells the bus of a new user, and returns the event.

use aws_sdk_eventbridge::Client;
use aws_sdk_eventbridge::types::PutEventsRequestEntry;
use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::{Value, json};

#[tokio::main]
async fn main() -> Result<(), Error> {
    lambda_runtime::tracing::init_default_subscriber();
    let config = aws_config::load_from_env().await;
    let events = Client::new(&config);
    let bus = std::env::var("EVENT_BUS_NAME")?;
    lambda_runtime::run(service_fn(|event: LambdaEvent<Value>| announce(&events, &bus, event.payload))).await
}

async fn announce(events: &Client, bus: &str, event: Value) -> Result<Value, Error> {
    // A reset password comes by the same trigger.
    if event["triggerSource"] != "PostConfirmation_ConfirmSignUp" {
        return Ok(event);
    }
    let user = &event["request"]["userAttributes"];
    let detail =
        json!({"id": user["sub"], "username": event["userName"], "email": user["email"], "name": user["name"]});
    let entry = PutEventsRequestEntry::builder()
        .event_bus_name(bus)
        .source("profiles.users")
        .detail_type("UserCreated")
        .detail(detail.to_string())
        .build();
    let answer = events.put_events().entries(entry).send().await?;
    // The call succeeds even if the bus took nothing.
    if answer.failed_entry_count() > 0 {
        let code = answer.entries().first().and_then(|entry| entry.error_code()).unwrap_or("unknown");
        return Err(format!("not announced: {code}").into());
    }
    Ok(event)
}
