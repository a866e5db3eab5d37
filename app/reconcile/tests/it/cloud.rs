//! A cloud in this process. The pool answers as Cognito does: pages of at most sixty, tokens, groups apart from users.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::Path;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use aws_sdk_dynamodb::config::http::{HttpRequest, HttpResponse};
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region};
use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn};
use aws_smithy_types::body::SdkBody;
use dynoxide::Database;
use dynoxide::errors::DynoxideError;
use serde_json::{Value, json};
use tandem_pool::{Bus, Pool};
use tandem_profiles::{Change, DeletedUser, Holding, Identity, IdentityEvent, Origin, ProfileStore, Timestamp, UserId};
use tandem_reconcile::{
    Backfill, Directory, Ended, Finding, Pace, Reconciliation, Repair, Report, Settings, Spool, Surroundings, Table,
};

pub const POOL: &str = "eu-west-1_Pool";
pub const TABLE: &str = "profiles";

/// 2026-01-01T00:00:00Z.
const START_MILLIS: i64 = 1_767_225_600_000;

/// A user of the fake pool.
#[derive(Clone, Debug)]
pub struct User {
    pub email: String,
    pub status: &'static str,
    pub enabled: bool,
    pub modified: i64,
    pub groups: BTreeSet<String>,
}

/// What an operation is to answer instead of the truth: status, code, message.
type Fault = (u16, &'static str, &'static str);

/// Something that happens to the cloud.
type Then = Box<dyn FnOnce(&mut State) + Send>;

#[derive(Default)]
pub struct State {
    /// In the order of the list.
    pub users: BTreeMap<String, User>,
    /// Operations by the order of their calls.
    pub calls: Vec<String>,
    /// What the next calls of an operation answer instead.
    pub faults: BTreeMap<&'static str, VecDeque<Fault>>,
    /// Details that the bus got.
    pub published: Vec<Value>,
    /// Run after so many calls: changes in the middle of a run.
    pub then: Option<(usize, Then)>,
}

/// One test's cloud. Cheap to clone: all clones are the same cloud.
#[derive(Clone)]
pub struct Cloud {
    state: Arc<Mutex<State>>,
    tables: Arc<Database>,
    /// Milliseconds since the start.
    now: Arc<AtomicI64>,
}

impl std::fmt::Debug for Cloud {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Cloud")
    }
}

impl Cloud {
    pub async fn new() -> Self {
        let tables = Arc::new(Database::memory().expect("memory is there"));
        let cloud = Self { state: Arc::default(), tables, now: Arc::new(AtomicI64::new(24 * 3_600_000)) };
        let table = tandem_profiles::table(TABLE).expect("the table is complete");
        table.send_with(&cloud.tables()).await.expect("it is made");
        cloud
    }

    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no panic")
    }

    pub fn now(&self) -> Timestamp {
        Timestamp::from_millis(START_MILLIS + self.now.load(Ordering::Relaxed))
    }

    pub fn advance(&self, by: Duration) {
        self.now.fetch_add(i64::try_from(by.as_millis()).expect("not long"), Ordering::Relaxed);
    }

    /// A confirmed user of the pool, from the start of time.
    pub fn user(&self, sub: &str) {
        let email = format!("{sub}@example.com");
        let user = User { email, status: "CONFIRMED", enabled: true, modified: 0, groups: BTreeSet::new() };
        self.state().users.insert(sub.to_owned(), user);
    }

    pub fn change(&self, sub: &str, change: impl FnOnce(&mut User)) {
        change(self.state().users.get_mut(sub).expect("the user is there"));
    }

    /// What the pool says of a user.
    pub fn identity(&self, sub: &str) -> Identity {
        let state = self.state();
        let user = &state.users[sub];
        Identity {
            user_id: id(sub),
            user_pool_id: POOL.into(),
            username: sub.into(),
            email: Some(user.email.clone()),
            email_verified: true,
            name: None,
            enabled: user.enabled,
            groups: user.groups.clone(),
            attributes: BTreeMap::new(),
        }
    }

    /// The profile of a user, as the pool has them, an hour after the start.
    pub async fn profile(&self, sub: &str) {
        self.apply(Change::Created(self.identity(sub))).await;
    }

    pub async fn apply(&self, change: Change) {
        let at = Timestamp::from_millis(START_MILLIS + 3_600_000);
        self.profiles().apply(&IdentityEvent::new(change, at, Origin::SignUp), at).await.expect("applied");
    }

    pub async fn delete_profile(&self, sub: &str) {
        let gone = DeletedUser { user_id: id(sub), user_pool_id: POOL.into() };
        self.apply(Change::Deleted(gone)).await;
    }

    pub async fn stored(&self, sub: &str) -> Holding {
        self.profiles().holding(&id(sub)).await.expect("read")
    }

    /// The identity of a profile; a test that asks for one expects one.
    pub async fn stored_identity(&self, sub: &str) -> Identity {
        match self.stored(sub).await {
            Holding::Profile { identity, .. } => *identity,
            other => panic!("{sub} has no profile: {other:?}"),
        }
    }

    pub fn calls_of(&self, operation: &str) -> usize {
        self.state().calls.iter().filter(|call| *call == operation).count()
    }

    pub fn profiles(&self) -> ProfileStore {
        ProfileStore::new(self.tables(), TABLE)
    }

    pub fn bus(&self) -> Bus {
        let config = aws_sdk_eventbridge::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("eu-west-1"))
            .credentials_provider(Credentials::new("key", "secret", None, None, "tests"))
            .http_client(self.http());
        Bus::new(aws_sdk_eventbridge::Client::from_conf(config.build()), "identity")
    }

    pub fn pool(&self) -> Pool {
        let config = aws_sdk_cognitoidentityprovider::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("eu-west-1"))
            .retry_config(RetryConfig::disabled())
            .credentials_provider(Credentials::new("key", "secret", None, None, "tests"))
            .http_client(self.http());
        Pool::new(aws_sdk_cognitoidentityprovider::Client::from_conf(config.build()), POOL)
    }

    pub fn tables(&self) -> aws_sdk_dynamodb::Client {
        let config = aws_sdk_dynamodb::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("eu-west-1"))
            .retry_config(RetryConfig::disabled())
            .credentials_provider(Credentials::new("key", "secret", None, None, "tests"))
            .http_client(self.http());
        aws_sdk_dynamodb::Client::from_conf(config.build())
    }

    fn http(&self) -> aws_smithy_runtime_api::client::http::SharedHttpClient {
        let connector = SharedHttpConnector::new(self.clone());
        http_client_fn(move |_, _| connector.clone())
    }

    /// What comes in from outside; stops before the call with this number.
    pub fn surroundings(&self, stop_at: Option<usize>) -> Surroundings {
        let (clock, stop) = (self.clone(), self.clone());
        let begun = self.state().calls.len();
        Surroundings {
            clock: Box::new(move || clock.now()),
            is_stopped: Box::new(move || stop_at.is_some_and(|calls| stop.state().calls.len() >= begun + calls)),
            key: [7; 32],
        }
    }

    pub fn run(&self, settings: Settings, spool: Arc<dyn Spool>, stop_at: Option<usize>) -> Reconciliation {
        Reconciliation::new(self.pool(), self.profiles(), settings, spool, self.surroundings(stop_at))
    }

    pub fn backfill(&self, settings: Settings, spool: Arc<dyn Spool>, stop_at: Option<usize>) -> Backfill {
        Backfill::new(self.pool(), self.profiles(), settings, spool, self.surroundings(stop_at))
    }

    /// A spool in the table.
    pub fn table_spool(&self) -> Arc<dyn Spool> {
        Arc::new(Table::new(self.tables(), TABLE, POOL, self.now()))
    }

    /// A whole run in a directory of its own.
    pub async fn reconciled(&self, settings: Settings) -> (Report, Vec<Finding>) {
        let place = tempfile::tempdir().expect("a directory");
        ended(&self.run(settings, directory(place.path()), None)).await
    }

    fn answer(&self, service: &str, operation: &str, body: &[u8]) -> (u16, String) {
        if service.starts_with("DynamoDB") {
            return match tables(&self.tables, operation, body) {
                Ok(body) => (200, body),
                Err(error) => (error.status_code(), error.to_json()),
            };
        }
        let input: Value = serde_json::from_slice(body).expect("JSON");
        (200, self.state().answer(operation, &input).to_string())
    }
}

impl State {
    fn answer(&mut self, operation: &str, input: &Value) -> Value {
        let limit = usize::try_from(input["Limit"].as_u64().unwrap_or(60)).expect("small").min(60);
        let from = |token: &Value| token.as_str().map_or(0, |token| token.parse::<usize>().expect("our token"));
        match operation {
            "ListUsers" => {
                let filter = input["Filter"].as_str().and_then(|filter| filter.strip_prefix("sub = "));
                let sub = filter.map(|quoted| quoted.trim_matches('"').to_owned());
                let wanted = self.users.iter().filter(|(name, _)| sub.as_ref().is_none_or(|sub| *sub == **name));
                let (page, next) = page(wanted, from(&input["PaginationToken"]), limit);
                let mut answer = json!({"Users": page.iter().map(|(sub, user)| shown(sub, user)).collect::<Vec<_>>()});
                if let Some(next) = next {
                    answer["PaginationToken"] = next.into();
                }
                answer
            }
            "ListGroups" => {
                let names: BTreeSet<&String> = self.users.values().flat_map(|user| &user.groups).collect();
                json!({"Groups": names.iter().map(|name| json!({"GroupName": name})).collect::<Vec<_>>()})
            }
            "ListUsersInGroup" => {
                let group = input["GroupName"].as_str().expect("a group");
                let members = self.users.iter().filter(|(_, user)| user.groups.contains(group));
                let (page, next) = page(members, from(&input["NextToken"]), limit);
                let mut answer = json!({"Users": page.iter().map(|(sub, user)| shown(sub, user)).collect::<Vec<_>>()});
                if let Some(next) = next {
                    answer["NextToken"] = next.into();
                }
                answer
            }
            "AdminListGroupsForUser" => {
                let groups = &self.users[input["Username"].as_str().expect("a name")].groups;
                json!({"Groups": groups.iter().map(|name| json!({"GroupName": name})).collect::<Vec<_>>()})
            }
            "PutEvents" => {
                let entries = input["Entries"].as_array().expect("entries");
                for entry in entries {
                    let mut detail: Value =
                        serde_json::from_str(entry["Detail"].as_str().expect("a detail")).expect("JSON");
                    detail["type"] = entry["DetailType"].clone();
                    self.published.push(detail);
                }
                let ids: Vec<Value> = entries.iter().map(|_| json!({"EventId": "id"})).collect();
                json!({"FailedEntryCount": 0, "Entries": ids})
            }
            other => panic!("no test calls {other}"),
        }
    }
}

fn page<'a>(
    users: impl Iterator<Item = (&'a String, &'a User)>,
    from: usize,
    limit: usize,
) -> (Vec<(&'a String, &'a User)>, Option<String>) {
    let mut rest = users.skip(from);
    let page: Vec<_> = rest.by_ref().take(limit).collect();
    let next = rest.next().map(|_| (from + page.len()).to_string());
    (page, next)
}

#[expect(clippy::cast_precision_loss, reason = "Cognito writes times as numbers of seconds")]
fn shown(sub: &str, user: &User) -> Value {
    let modified = (START_MILLIS + user.modified) as f64 / 1000.0;
    json!({
        "Username": sub,
        "UserStatus": user.status,
        "Enabled": user.enabled,
        "UserCreateDate": START_MILLIS / 1000,
        "UserLastModifiedDate": modified,
        "Attributes": [
            {"Name": "sub", "Value": sub},
            {"Name": "email", "Value": user.email},
            {"Name": "email_verified", "Value": "true"},
            {"Name": "locale", "Value": "en"},
        ],
    })
}

impl HttpConnector for Cloud {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let target = request.headers().get("x-amz-target").unwrap_or_default();
        let (service, operation) = target.split_once('.').expect("a target");
        let fault = {
            let mut state = self.state();
            state.calls.push(operation.to_owned());
            if state.then.as_ref().is_some_and(|(calls, _)| state.calls.len() > *calls) {
                let (_, then) = state.then.take().expect("it is there");
                then(&mut state);
            }
            state.faults.get_mut(operation).and_then(VecDeque::pop_front)
        };
        let (status, body) = match fault {
            Some((status, code, message)) => (status, json!({"__type": code, "message": message}).to_string()),
            None => self.answer(service, operation, request.body().bytes().unwrap_or_default()),
        };
        let response = HttpResponse::new(status.try_into().expect("a status"), SdkBody::from(body));
        // Whoever asks beside it gets a turn.
        HttpConnectorFuture::new(async move {
            tokio::task::yield_now().await;
            Ok(response)
        })
    }
}

fn tables(database: &Database, operation: &str, body: &[u8]) -> dynoxide::errors::Result<String> {
    macro_rules! call {
        ($method:ident) => {{
            let request = serde_json::from_slice(body)
                .map_err(|error| DynoxideError::SerializationException(error.to_string()))?;
            Ok(serde_json::to_string(&database.$method(request)?).expect("an answer"))
        }};
    }
    match operation {
        "BatchGetItem" => call!(batch_get_item),
        "CreateTable" => call!(create_table),
        "DeleteItem" => call!(delete_item),
        "GetItem" => call!(get_item),
        "PutItem" => call!(put_item),
        "Query" => call!(query),
        "Scan" => call!(scan),
        "TransactWriteItems" => call!(transact_write_items),
        "UpdateItem" => call!(update_item),
        other => panic!("no test calls {other}"),
    }
}

pub fn id(sub: &str) -> UserId {
    UserId::new(sub).expect("an id")
}

/// Everything is compared, nobody is too young, nothing is repaired.
pub fn settings() -> Settings {
    Settings {
        attributes: Some(Vec::new()),
        groups: true,
        min_age: Duration::ZERO,
        repair: Repair::No,
        pace: Pace::default(),
    }
}

pub fn repairing() -> Settings {
    Settings { repair: Repair::Table, ..settings() }
}

pub fn directory(path: &Path) -> Arc<dyn Spool> {
    Arc::new(Directory::open(path).expect("it opens"))
}

/// A run to its end.
pub async fn ended(run: &Reconciliation) -> (Report, Vec<Finding>) {
    let Ended::Done(report) = run.run().await.expect("no failure") else { panic!("it was stopped") };
    (*report, findings(run).await)
}

pub async fn findings(run: &Reconciliation) -> Vec<Finding> {
    let mut findings = Vec::new();
    run.findings(|finding| findings.push(finding)).await.expect("they are read");
    findings.sort_by(|one, other| one.user_id.cmp(&other.user_id));
    findings
}
