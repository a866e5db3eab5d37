//! `reconcile-profiles`: little time, many runs, one report.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_dynamodb::config::http::{HttpRequest, HttpResponse};
use aws_sdk_dynamodb::config::{Credentials, SharedCredentialsProvider};
use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn};
use aws_smithy_types::body::SdkBody;
use dynoxide::Database;
use dynoxide::errors::{DynoxideError, Result};
use serde_json::{Value, json};
use tandem_functions::Error;
use tandem_functions::reconcile_profiles::{ReconcileProfiles, Settings};
use tandem_profiles::Timestamp;

use crate::cloud::{START_MILLIS, TABLE, context};

const USERS: usize = 150;
const SECOND_MS: i64 = 1000;

/// A pool of so many users and a table. Every call takes a second of its clock.
#[derive(Clone)]
struct Place(Arc<(Database, AtomicI64)>);

impl Place {
    async fn new() -> Self {
        let place = Self(Arc::new((Database::memory().expect("memory is there"), AtomicI64::new(0))));
        let table = tandem_profiles::table(TABLE).expect("the table is complete");
        table.send_with(&aws_sdk_dynamodb::Client::new(&place.sdk())).await.expect("it is made");
        place
    }

    fn now(&self) -> Timestamp {
        Timestamp::from_millis(START_MILLIS + 86_400_000 + self.0.1.load(Ordering::Relaxed) * SECOND_MS)
    }

    fn sdk(&self) -> SdkConfig {
        let connector = SharedHttpConnector::new(self.clone());
        SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("us-east-1"))
            .credentials_provider(SharedCredentialsProvider::new(Credentials::new(
                "key", "secret", None, None, "tests",
            )))
            .http_client(http_client_fn(move |_, _| connector.clone()))
            .build()
    }

    /// One invocation, which has so many seconds.
    async fn run(&self, event: Value, seconds: i64) -> std::result::Result<Value, Error> {
        let settings = Settings {
            user_pool_id: "us-east-1_Pool".into(),
            table: TABLE.into(),
            bus: None,
            attributes: Vec::new(),
            unique_email: false,
            repair: false,
            min_age_seconds: 0,
            rate: 0,
        };
        let mut context = context("one", self.now());
        context.deadline = u64::try_from(self.now().millis() + seconds * SECOND_MS).expect("after 1970");
        let clock: &'static Self = Box::leak(Box::new(self.clone()));
        Box::pin(ReconcileProfiles::new(self.sdk(), settings).handle(&event, &context, || clock.now())).await
    }

    fn answer(&self, operation: &str, body: &[u8]) -> Result<String> {
        macro_rules! call {
            ($method:ident) => {{
                let request = serde_json::from_slice(body)
                    .map_err(|error| DynoxideError::SerializationException(error.to_string()))?;
                Ok(serde_json::to_string(&self.0.0.$method(request)?).expect("an answer"))
            }};
        }
        match operation {
            "ListUsers" => Ok(list_users(&serde_json::from_slice(body).expect("JSON")).to_string()),
            "ListGroups" | "AdminListGroupsForUser" => Ok(r#"{"Groups": []}"#.to_owned()),
            "CreateTable" => call!(create_table),
            "DeleteItem" => call!(delete_item),
            "GetItem" => call!(get_item),
            "PutItem" => call!(put_item),
            "Query" => call!(query),
            "Scan" => call!(scan),
            "UpdateItem" => call!(update_item),
            other => panic!("no test calls {other}"),
        }
    }
}

fn list_users(input: &Value) -> Value {
    let user = |number: usize| {
        let sub = format!("user-{number}");
        json!({
            "Username": sub, "UserStatus": "CONFIRMED", "Enabled": true, "UserCreateDate": 1, "UserLastModifiedDate": 1,
            "Attributes": [{"Name": "sub", "Value": sub}],
        })
    };
    if let Some(filter) = input["Filter"].as_str() {
        let number = filter.trim_matches(|c: char| !c.is_ascii_digit()).parse().expect("a number");
        return json!({"Users": [user(number)]});
    }
    let from = input["PaginationToken"].as_str().map_or(0, |token| token.parse().expect("our token"));
    let end = USERS.min(from + 60);
    let mut page = json!({"Users": (from..end).map(user).collect::<Vec<_>>()});
    if end < USERS {
        page["PaginationToken"] = end.to_string().into();
    }
    page
}

impl std::fmt::Debug for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Place")
    }
}

impl HttpConnector for Place {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        self.0.1.fetch_add(1, Ordering::Relaxed);
        let target = request.headers().get("x-amz-target").unwrap_or_default();
        let operation = target.rsplit('.').next().unwrap_or_default();
        let (status, body) = match self.answer(operation, request.body().bytes().unwrap_or_default()) {
            Ok(body) => (200, body),
            Err(error) => (error.status_code(), error.to_json()),
        };
        HttpConnectorFuture::ready(Ok(HttpResponse::new(status.try_into().expect("a status"), SdkBody::from(body))))
    }
}

#[tokio::test]
async fn a_run_with_enough_time_tells_what_it_found() {
    let place = Place::new().await;
    let answer = place.run(json!({"source": "aws.events"}), 900).await.expect("no failure");
    assert_eq!((&answer["done"], &answer["left"]), (&true.into(), &USERS.into()));
}

#[tokio::test]
async fn runs_with_little_time_go_on_where_the_last_one_stopped() {
    let place = Place::new().await;
    let mut parts = 0;
    let answer = loop {
        // A third of it is kept for recording.
        let answer = place.run(json!({"repair": true}), 30).await.expect("no failure");
        if answer["done"] == true {
            break answer;
        }
        parts += 1;
        assert!(parts < 50, "it does not come to an end: {answer}");
    };
    assert!(parts > 1, "one run was enough");
    assert_eq!((&answer["left"], &answer["report"]["counts"]["users"]), (&0.into(), &USERS.into()));
    let answer = place.run(json!({}), 900).await.expect("no failure");
    assert_eq!((&answer["done"], &answer["left"]), (&true.into(), &0.into()), "nothing is left of either");
    let scan = aws_sdk_dynamodb::Client::new(&place.sdk()).scan().table_name(TABLE).send().await.expect("read");
    assert_eq!(scan.items().len(), USERS, "profiles, and nothing that was kept");
}

#[tokio::test]
async fn a_wish_that_there_is_not_fails_by_name() {
    let place = Place::new().await;
    let error = place.run(json!({"repair": "perhaps"}), 900).await.expect_err("it fails");
    assert_eq!(error.error_type(), "InvalidReconcileEvent");
}
