//! A cloud of three services in this process: tables by dynoxide, a bus and a post office that note what they get and
//! answer as they are told.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_dynamodb::config::http::{HttpRequest, HttpResponse};
use aws_sdk_dynamodb::config::{Credentials, SharedCredentialsProvider};
use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn};
use aws_smithy_types::body::SdkBody;
use dynoxide::Database;
use dynoxide::errors::{DynoxideError, Result};
use lambda_runtime::{Config, Context};
use serde_json::{Value, json};
use tandem_profiles::{ProfileStore, Timestamp};

pub const TABLE: &str = "profiles";

/// 2026-01-01T00:00:00Z.
pub const START_MILLIS: i64 = 1_767_225_600_000;

pub fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(START_MILLIS + seconds * 1000)
}

/// An invocation with ten seconds left at `now`, in the only sandbox there is.
pub fn context(request_id: &str, now: Timestamp) -> Context {
    let mut context = Context::default();
    request_id.clone_into(&mut context.request_id);
    context.deadline = u64::try_from(now.millis() + 10_000).expect("after 1970");
    context
}

/// A status and a body.
type Answer = (u16, Value);

/// The same in a certain sandbox.
pub fn context_in(sandbox: &str, request_id: &str, now: Timestamp) -> Context {
    let mut context = context(request_id, now);
    context.env_config = Arc::new(Config { log_stream: sandbox.to_owned(), ..Config::default() });
    context
}

/// One test's cloud. Cheap to clone: all clones are the same cloud.
#[derive(Clone)]
pub struct Cloud(Arc<State>);

struct State {
    tables: Database,
    /// Bodies that the bus and the post office got.
    received: Mutex<Vec<Value>>,
    /// What they answer next; when nothing is left, that all is well.
    answers: Mutex<VecDeque<Answer>>,
    /// How long they take.
    delay: Mutex<Duration>,
}

impl Cloud {
    /// With the profiles' table in it.
    pub async fn new() -> Self {
        let tables = Database::memory().expect("memory is there");
        let (received, answers, delay) = <_>::default();
        let cloud = Self(Arc::new(State { tables, received, answers, delay }));
        let table = tandem_profiles::table(TABLE).expect("the table is complete");
        table.send_with(&aws_sdk_dynamodb::Client::new(&cloud.sdk())).await.expect("it is made");
        cloud
    }

    pub fn sdk(&self) -> SdkConfig {
        let connector = SharedHttpConnector::new(self.clone());
        let credentials = Credentials::new("key", "secret", None, None, "tests");
        SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("us-east-1"))
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .http_client(http_client_fn(move |_, _| connector.clone()))
            .build()
    }

    pub fn profiles(&self) -> ProfileStore {
        ProfileStore::new(aws_sdk_dynamodb::Client::new(&self.sdk()), TABLE)
    }

    /// What the bus or the post office is to answer next.
    pub fn answer(&self, status: u16, body: Value) {
        self.0.answers.lock().expect("no panic").push_back((status, body));
    }

    /// How long the bus and the post office take from here on to answer what they have got.
    pub fn take(&self, delay: Duration) {
        *self.0.delay.lock().expect("no panic") = delay;
    }

    /// What the bus and the post office got.
    pub fn received(&self) -> Vec<Value> {
        self.0.received.lock().expect("no panic").clone()
    }

    fn note(&self, body: &[u8], all_is_well: Value) -> Answer {
        self.0.received.lock().expect("no panic").push(serde_json::from_slice(body).expect("JSON"));
        self.0.answers.lock().expect("no panic").pop_front().unwrap_or((200, all_is_well))
    }

    fn route(&self, request: &HttpRequest) -> (u16, String) {
        let body = request.body().bytes().unwrap_or_default();
        let target = request.headers().get("x-amz-target").unwrap_or_default();
        let (status, body) = match target.rsplit('.').next() {
            Some("PutEvents") => self.note(body, json!({"FailedEntryCount": 0, "Entries": [{"EventId": "event-1"}]})),
            Some("") if request.uri().ends_with("/v2/email/outbound-emails") => {
                self.note(body, json!({"MessageId": "mail-1"}))
            }
            Some(operation) => match tables(&self.0.tables, operation, body) {
                Ok(body) => return (200, body),
                Err(error) => return (error.status_code(), error.to_json()),
            },
            None => panic!("no test calls {}", request.uri()),
        };
        (status, body.to_string())
    }
}

impl std::fmt::Debug for Cloud {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Cloud")
    }
}

impl HttpConnector for Cloud {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let (status, body) = self.route(&request);
        let mut response = HttpResponse::new(status.try_into().expect("a status"), SdkBody::from(body.as_str()));
        let code = serde_json::from_str::<Value>(&body).ok().and_then(|body| body["__type"].as_str().map(Into::into));
        if let Some(code) = code.filter(|_: &String| status >= 400) {
            response.headers_mut().insert("x-amzn-errortype", code);
        }
        let is_table = request.headers().get("x-amz-target").is_some_and(|target| target.starts_with("DynamoDB"));
        let delay = if is_table { Duration::ZERO } else { *self.0.delay.lock().expect("no panic") };
        HttpConnectorFuture::new(async move {
            tokio::time::sleep(delay).await;
            Ok(response)
        })
    }
}

fn tables(database: &Database, operation: &str, body: &[u8]) -> Result<String> {
    macro_rules! call {
        ($method:ident) => {{
            let request = serde_json::from_slice(body)
                .map_err(|error| DynoxideError::SerializationException(error.to_string()))?;
            Ok(serde_json::to_string(&database.$method(request)?).expect("an answer"))
        }};
    }
    match operation {
        "CreateTable" => call!(create_table),
        "GetItem" => call!(get_item),
        "PutItem" => call!(put_item),
        "UpdateItem" => call!(update_item),
        "DeleteItem" => call!(delete_item),
        "TransactWriteItems" => call!(transact_write_items),
        other => panic!("no test calls {other}"),
    }
}
