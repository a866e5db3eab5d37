//! Stores a new user. Events come at least once: a second one finds the profile and changes nothing.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde::Deserialize;

#[derive(Deserialize)]
struct BusEvent {
    time: String,
    detail: User,
}

#[derive(Deserialize)]
struct User {
    id: String,
    username: String,
    email: String,
    name: Option<String>,
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    lambda_runtime::tracing::init_default_subscriber();
    let config = aws_config::load_from_env().await;
    let dynamodb = Client::new(&config);
    let table = std::env::var("TABLE_NAME")?;
    lambda_runtime::run(service_fn(|event: LambdaEvent<BusEvent>| create(&dynamodb, &table, event.payload))).await
}

async fn create(dynamodb: &Client, table: &str, event: BusEvent) -> Result<(), Error> {
    let user = event.detail;
    let put = dynamodb
        .put_item()
        .table_name(table)
        .item("id", AttributeValue::S(user.id.clone()))
        .item("username", AttributeValue::S(user.username))
        .item("email", AttributeValue::S(user.email))
        .item("name", user.name.map_or(AttributeValue::Null(true), AttributeValue::S))
        .item("createdAt", AttributeValue::S(event.time))
        .condition_expression("attribute_not_exists(id)");
    match put.send().await.map_err(aws_sdk_dynamodb::Error::from) {
        Err(aws_sdk_dynamodb::Error::ConditionalCheckFailedException(_)) => {
            println!("known already: {}", user.id);
            Ok(())
        }
        result => Ok(result.map(drop)?),
    }
}
