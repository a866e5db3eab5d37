//! A table in memory behind the real SDK client: its requests are answered by dynoxide in this process, so the
//! expressions that the store writes are parsed and carried out by somebody else's `DynamoDB`.

use std::sync::Arc;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::http::{HttpRequest, HttpResponse};
use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region};
use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn};
use aws_smithy_types::body::SdkBody;
use dynoxide::Database;
use dynoxide::errors::{DynoxideError, Result};

/// The name of the table that [`table`] makes.
pub const TABLE: &str = "profiles";

/// A client of a database of its own, with the profiles' table in it.
pub async fn table() -> Client {
    let client = client(Database::memory().expect("memory is there"));
    tandem_profiles::table(TABLE).expect("the table is complete").send_with(&client).await.expect("it is made");
    tandem_profiles::time_to_live(TABLE).expect("it is complete").send_with(&client).await.expect("it is set");
    client
}

fn client(database: Database) -> Client {
    let connector = SharedHttpConnector::new(InProcess(Arc::new(database)));
    let config = aws_sdk_dynamodb::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .credentials_provider(Credentials::new("key", "secret", None, None, "tests"))
        .http_client(http_client_fn(move |_, _| connector.clone()));
    Client::from_conf(config.build())
}

struct InProcess(Arc<Database>);

impl std::fmt::Debug for InProcess {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("InProcess")
    }
}

impl HttpConnector for InProcess {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let target = request.headers().get("x-amz-target").unwrap_or_default();
        let operation = target.rsplit('.').next().unwrap_or_default();
        let body = request.body().bytes().unwrap_or_default();
        let (status, body) = match answer(&self.0, operation, body) {
            Ok(body) => (200, body),
            Err(error) => (error.status_code(), error.to_json()),
        };
        let status = status.try_into().expect("a status");
        HttpConnectorFuture::ready(Ok(HttpResponse::new(status, SdkBody::from(body))))
    }
}

fn answer(database: &Database, operation: &str, body: &[u8]) -> Result<String> {
    macro_rules! call {
        ($method:ident) => {{
            let request = serde_json::from_slice(body)
                .map_err(|error| DynoxideError::SerializationException(error.to_string()))?;
            Ok(serde_json::to_string(&database.$method(request)?).expect("an answer"))
        }};
    }
    match operation {
        "CreateTable" => call!(create_table),
        "DeleteItem" => call!(delete_item),
        "GetItem" => call!(get_item),
        "PutItem" => call!(put_item),
        "Query" => call!(query),
        "Scan" => call!(scan),
        "TransactWriteItems" => call!(transact_write_items),
        "UpdateItem" => call!(update_item),
        "UpdateTimeToLive" => call!(update_time_to_live),
        other => panic!("no test calls {other} yet"),
    }
}
