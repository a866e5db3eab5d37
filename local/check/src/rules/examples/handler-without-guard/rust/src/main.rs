use lambda_runtime::{Error, LambdaEvent, service_fn}; // <- here
use serde_json::Value;

#[tokio::main]
async fn main() -> Result<(), Error> {
    lambda_runtime::run(service_fn(announce)).await
}

async fn announce(event: LambdaEvent<Value>) -> Result<Value, Error> {
    println!("{}", event.payload["request"]["userAttributes"]["sub"]);
    Ok(event.payload)
}
