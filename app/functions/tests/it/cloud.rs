//! A cloud of three services in this process: tables by dynoxide, a bus and a post office that note what they get and
//! answer as they are told.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_dynamodb::config::http::{HttpRequest, HttpResponse};
use aws_sdk_dynamodb::config::{Credentials, SharedCredentialsProvider};
use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn};
use aws_smithy_types::body::SdkBody;
use dynoxide::Database;
use dynoxide::errors::{DynoxideError, Result};
use lambda_runtime::Context;
use serde_json::{Value, json};
use tandem_profiles::{ProfileStore, Timestamp};

pub const TABLE: &str = "profiles";

/// 2026-01-01T00:00:00Z.
pub const START_MILLIS: i64 = 1_767_225_600_000;

pub fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(START_MILLIS + seconds * 1000)
}

/// An invocation with ten seconds left at `now`.
pub fn context(request_id: &str, now: Timestamp) -> Context {
    let mut context = Context::default();
    request_id.clone_into(&mut context.request_id);
    context.deadline = u64::try_from(now.millis() + 10_000).expect("after 1970");
    context
}

/// A status and a body.
type Answer = (u16, Value);

/// One test's cloud. Cheap to clone: all clones are the same cloud.
#[derive(Clone)]
pub struct Cloud(Arc<State>);

struct State {
    tables: Database,
    /// Bodies that the bus and the post office got.
    received: Mutex<Vec<Value>>,
    /// What they answer next; when nothing is left, that all is well.
    answers: Mutex<VecDeque<Answer>>,
}

impl Cloud {
    /// With the profiles' table in it.
    pub async fn new() -> Self {
        let tables = Database::memory().expect("memory is there");
        let cloud = Self(Arc::new(State { tables, received: Mutex::default(), answers: Mutex::default() }));
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
        HttpConnectorFuture::ready(Ok(response))
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
        other => panic!("no test calls {other}"),
    }
}
