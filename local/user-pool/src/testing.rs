//! A room to test operations in: no process, no network, a clock that stands still.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use async_trait::async_trait;
use aws_api::{ApiError, Call, Service};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use serde_json::{Value, json};
use storage::{Durability, Location};
use tokio::sync::Notify;
use world::{Clock, Kind, Timestamp, TraceId, World};

use crate::import::{ImportJob, JobStatus};
use crate::keys::SigningKeys;
use crate::pool::PoolId;
use crate::{
    Error, FederatedSignIn, FederatedUser, ImportLog, Message, Messages, Record, Trail, TriggerCall, TriggerFailure,
    Triggers, UploadError, UserPools,
};

pub const PASSWORD: &str = "Passw0rd!";

const FLOWS: [&str; 4] =
    ["ALLOW_USER_SRP_AUTH", "ALLOW_USER_PASSWORD_AUTH", "ALLOW_ADMIN_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"];

/// Made once for all tests: they take longer than most of them.
static SIGNING_KEYS: OnceLock<Vec<u8>> = OnceLock::new();

/// A pool with e-mail sign-in where case does not count, and one client of it.
pub struct Kit {
    pub clock: Clock,
    pub pool: String,
    pub client: String,
    room: Arc<UserPools>,
    service: Arc<dyn Service>,
    outside: Arc<Outside>,
}

/// What an operation answered.
#[derive(Debug)]
pub struct Answer(pub Result<Value, ApiError>);

/// Records what leaves the room.
#[derive(Default)]
struct Outside {
    events: Mutex<Vec<Value>>,
    answers: Mutex<VecDeque<Result<Value, TriggerFailure>>>,
    messages: Mutex<Vec<Message>>,
    never_answers: AtomicBool,
    is_listening: AtomicBool,
    records: Mutex<Vec<Value>>,
    logged: Mutex<Vec<String>>,
    runs: Notify,
}

impl Kit {
    pub async fn new() -> Self {
        Self::at(Location::Memory).await
    }

    /// In a file of the test's own.
    pub async fn at(location: Location) -> Self {
        Self::open(location)
            .await
            .and_pool(json!({
                "PoolName": "test",
                "UsernameAttributes": ["email"],
                "AutoVerifiedAttributes": ["email"],
                "UsernameConfiguration": {"CaseSensitive": false},
            }))
            .await
    }

    /// The same file in another process, as it were.
    pub async fn again(location: Location, before: &Self) -> Self {
        let kit = Self::open(location).await;
        Self { pool: before.pool.clone(), client: before.client.clone(), ..kit }
    }

    /// With a pool of the test's own.
    pub async fn with_pool(pool: Value) -> Self {
        Self::open(Location::Memory).await.and_pool(pool).await
    }

    async fn open(location: Location) -> Self {
        let world = World::for_tests(1);
        let outside = Arc::new(Outside::default());
        let open = UserPools::open(
            world.clone(),
            location,
            Durability::default(),
            Arc::clone(&outside) as Arc<dyn Triggers>,
            Arc::clone(&outside) as Arc<dyn Messages>,
            Arc::clone(&outside) as Arc<dyn Trail>,
            Arc::clone(&outside) as Arc<dyn ImportLog>,
        );
        let room = open.await.expect("a room");
        let service = room.services().swap_remove(0);
        Self { clock: world.clock, pool: String::new(), client: String::new(), room, service, outside }
    }

    async fn and_pool(mut self, pool: Value) -> Self {
        let room = Arc::clone(&self.room);
        let (world, kit) = (room.world.clone(), &mut self);
        let keys = SIGNING_KEYS.get_or_init(|| {
            let made = SigningKeys::generate(&world.random).expect("keys");
            made.to_document().expect("a document")
        });
        room.keyring.lay_in(SigningKeys::from_document(keys).expect("keys"));
        let pool = kit.call("CreateUserPool", pool).await.ok();
        kit.pool = text(&pool["UserPool"]["Id"]);
        room.store.save_signing_keys(&PoolId(kit.pool.clone()), keys.clone()).await.expect("stored");
        let client = json!({"UserPoolId": kit.pool, "ClientName": "test", "ExplicitAuthFlows": FLOWS});
        let client = kit.call("CreateUserPoolClient", client).await.ok();
        kit.client = text(&client["UserPoolClient"]["ClientId"]);
        self
    }

    /// Runs what is owed, to its end.
    pub async fn resume(&self) {
        self.room.resume().await.expect("it is read");
        self.rest().await;
    }

    /// Waits until nothing runs in the background.
    pub async fn rest(&self) {
        while self.unfinished() > 0 {
            tokio::task::yield_now().await;
        }
    }

    /// What is stored of a job when the process dies before it has read a row.
    pub async fn import_is_stored_as_begun(&self, job: &Value) {
        let begin = |job: &mut ImportJob| {
            job.status = JobStatus::InProgress;
            Ok(())
        };
        let (pool, now) = (PoolId(self.pool.clone()), self.clock.now());
        self.room.store.redeclare(&pool, &text(&job["JobId"]), now, begin).await.expect("it is stored");
    }

    /// What import jobs said, with the group and the stream before it.
    pub fn logged(&self) -> Vec<String> {
        self.outside.logged.lock().expect("no holder panics").clone()
    }

    /// Uploads an import job's file.
    pub async fn upload(&self, job: &Value, file: &str) -> Result<(), UploadError> {
        let (id, url) = (text(&job["JobId"]), text(&job["PreSignedUrl"]));
        let signature = url.split_once("X-Amz-Signature=").expect("a signature").1;
        self.room.upload_import(&self.pool, &id, signature, Bytes::from(file.to_owned())).await
    }

    /// Triggers that have not had their turn.
    pub fn unfinished(&self) -> usize {
        self.room.unfinished()
    }

    /// No trigger answers from now on.
    pub fn trigger_never_answers(&self) {
        self.outside.never_answers.store(true, Ordering::Relaxed);
    }

    /// Calls are recorded from now on.
    pub fn listen(&self) {
        self.outside.is_listening.store(true, Ordering::Relaxed);
    }

    /// What was recorded of calls.
    pub fn records(&self) -> Vec<Value> {
        self.outside.records.lock().expect("no holder panics").clone()
    }

    /// Returns when a trigger that never answers has begun.
    pub async fn trigger_runs(&self) {
        self.outside.runs.notified().await;
    }

    pub async fn call(&self, operation: &str, input: Value) -> Answer {
        let call = Call::internal(operation, &input, TraceId::from_root("1-0-0"), "request".into());
        let answer = self.service.call(&call).await;
        Answer(answer.map(|reply| serde_json::from_slice(&reply.body).expect("JSON")))
    }

    /// The input of a `SignUp`.
    pub fn sign_up(&self, username: &str) -> Value {
        json!({"ClientId": self.client, "Username": username, "Password": PASSWORD})
    }

    /// The input of a `ConfirmSignUp`.
    pub fn confirm(&self, username: &str, code: &str) -> Value {
        json!({"ClientId": self.client, "Username": username, "ConfirmationCode": code})
    }

    /// Signs somebody up and confirms them; the code that did it.
    pub async fn confirmed(&self, username: &str) -> String {
        self.call("SignUp", self.sign_up(username)).await.ok();
        let code = self.last_code();
        self.call("ConfirmSignUp", self.confirm(username, &code)).await.ok();
        code
    }

    /// Signs in by password.
    pub async fn sign_in_with(&self, username: &str, password: &str) -> Answer {
        let parameters = json!({"USERNAME": username, "PASSWORD": password});
        let flow = "USER_PASSWORD_AUTH";
        let input = json!({"ClientId": self.client, "AuthFlow": flow, "AuthParameters": parameters});
        self.call("InitiateAuth", input).await
    }

    /// Signs in; all tokens.
    pub async fn tokens(&self, username: &str) -> Value {
        self.sign_in_with(username, PASSWORD).await.ok()["AuthenticationResult"].take()
    }

    /// Signs in; the access token.
    pub async fn sign_in(&self, username: &str) -> String {
        text(&self.sign_in_with(username, PASSWORD).await.ok()["AuthenticationResult"]["AccessToken"])
    }

    /// Signs up, confirms and signs in; the access token.
    pub async fn signed_in(&self, username: &str) -> String {
        self.confirmed(username).await;
        self.sign_in(username).await
    }

    /// The input of a `CreateIdentityProvider`.
    pub fn provider(&self, name: &str) -> Value {
        let details = json!({"client_id": "id", "client_secret": "secret", "authorize_scopes": "openid email"});
        json!({
            "UserPoolId": self.pool, "ProviderName": name, "ProviderType": "Google", "ProviderDetails": details,
            "AttributeMapping": {"email": "email"},
        })
    }

    /// Signs somebody in through an identity provider.
    pub async fn federated(&self, provider: &str, user_id: &str, said: Value) -> Result<FederatedUser, Error> {
        let call = Call::internal("FederatedSignIn", &json!({}), TraceId::from_root("1-0-0"), "request".into());
        let asked = FederatedSignIn {
            user_pool_id: self.pool.clone(),
            client_id: Some(self.client.clone()),
            provider: provider.into(),
            user_id: user_id.into(),
            attributes: serde_json::from_value(said).expect("texts"),
        };
        self.room.federated_sign_in(asked, &call).await
    }

    /// The warnings in the timeline.
    pub fn warnings(&self) -> Vec<String> {
        let moments = self.room.world.timeline.all();
        let warnings = moments.iter().filter(|moment| moment.kind == Kind::Warning);
        warnings.map(|moment| moment.what.clone()).collect()
    }

    /// Puts somebody into a group, which is made if it is not there.
    pub async fn join(&self, username: &str, group: &str) {
        let _ = self.call("CreateGroup", json!({"UserPoolId": self.pool, "GroupName": group})).await; // there already
        let member = json!({"UserPoolId": self.pool, "Username": username, "GroupName": group});
        self.call("AdminAddUserToGroup", member).await.ok();
    }

    /// One member of all entries of all pages that a list operation gives.
    pub async fn pages(&self, operation: &str, mut input: Value, list: &str, member: &str) -> Vec<String> {
        let mut all = Vec::new();
        loop {
            let page = self.call(operation, input.clone()).await.ok();
            all.extend(page[list].as_array().expect("a list").iter().map(|entry| text(&entry[member])));
            match page.get("NextToken") {
                Some(token) => input["NextToken"] = token.clone(),
                None => return all,
            }
        }
    }

    /// Lets the client hide who has an account.
    pub async fn hide_users(&self) {
        let client = json!({
            "UserPoolId": self.pool, "ClientId": self.client, "ExplicitAuthFlows": FLOWS,
            "PreventUserExistenceErrors": "ENABLED",
        });
        self.call("UpdateUserPoolClient", client).await.ok();
    }

    /// Gives the pool a trigger.
    pub async fn attach(&self, trigger: &str) {
        let pool = self.call("DescribeUserPool", json!({"UserPoolId": self.pool})).await.ok();
        let mut config = pool["UserPool"].get("LambdaConfig").cloned().unwrap_or_else(|| json!({}));
        config[trigger] = json!("arn:aws:lambda:us-east-1:000000000000:function:hook");
        let verified = pool["UserPool"].get("AutoVerifiedAttributes").cloned().unwrap_or_else(|| json!([]));
        let update = json!({"UserPoolId": self.pool, "LambdaConfig": config, "AutoVerifiedAttributes": verified});
        self.call("UpdateUserPool", update).await.ok();
    }

    /// What all triggers answer from now on. Without it they return their event.
    pub fn trigger_answers(&self, answer: Result<Value, TriggerFailure>) {
        self.outside.answers.lock().expect("no holder panics").push_back(answer);
    }

    /// All triggers return their event with this `response`.
    pub fn trigger_changes_response(&self, response: Value) {
        self.trigger_answers(Ok(response));
    }

    /// The events that triggers got.
    pub fn events(&self) -> Vec<Value> {
        self.outside.events.lock().expect("no holder panics").clone()
    }

    /// Their sources.
    pub fn sources(&self) -> Vec<String> {
        self.events().iter().map(|event| text(&event["triggerSource"])).collect()
    }

    pub fn messages(&self) -> Vec<Message> {
        self.outside.messages.lock().expect("no holder panics").clone()
    }

    /// The code in the newest message.
    pub fn last_code(&self) -> String {
        self.messages().last().expect("a message").code.clone()
    }
}

/// What a token says; its signature is not looked at.
pub fn claims(token: &Value) -> Value {
    let claims = text(token).split('.').nth(1).map(|part| URL_SAFE_NO_PAD.decode(part).expect("Base64"));
    serde_json::from_slice(&claims.expect("three parts")).expect("JSON")
}

impl Answer {
    /// The output.
    #[track_caller]
    pub fn ok(self) -> Value {
        match self.0 {
            Ok(output) => output,
            Err(error) => panic!("{error}"),
        }
    }

    /// The message of an error, which must be of this kind.
    #[track_caller]
    pub fn error(self, code: &str) -> String {
        match self.0 {
            Ok(output) => panic!("expected {code}, got {output}"),
            Err(error) => {
                assert_eq!(error.code, code, "{}", error.message);
                error.message
            }
        }
    }
}

#[async_trait]
impl Triggers for Outside {
    async fn invoke(&self, call: TriggerCall) -> Result<Bytes, TriggerFailure> {
        let mut event: Value = serde_json::from_slice(&call.event).expect("an event is JSON");
        self.events.lock().expect("no holder panics").push(event.clone());
        if self.never_answers.load(Ordering::Relaxed) {
            self.runs.notify_one();
            return std::future::pending().await;
        }
        let answer = self.answers.lock().expect("no holder panics").front().cloned();
        match answer {
            Some(Ok(response)) => event["response"] = response,
            Some(Err(failure)) => return Err(failure),
            None => {}
        }
        Ok(Bytes::from(event.to_string()))
    }
}

#[async_trait]
impl ImportLog for Outside {
    fn endpoint(&self) -> &'static str {
        "http://tandem.test"
    }

    async fn write(&self, group: &str, stream: &str, _at: Timestamp, lines: Vec<String>) -> Result<(), String> {
        let lines = lines.into_iter().map(|line| format!("{group} {stream} {line}"));
        self.logged.lock().expect("no holder panics").extend(lines);
        Ok(())
    }
}

#[async_trait]
impl Trail for Outside {
    async fn is_heard(&self) -> bool {
        self.is_listening.load(Ordering::Relaxed)
    }

    async fn record(&self, record: Record) -> Result<(), String> {
        let record = serde_json::from_str(&record.detail).expect("a record is JSON");
        self.records.lock().expect("no holder panics").push(record);
        Ok(())
    }
}

#[async_trait]
impl Messages for Outside {
    async fn send(&self, message: Message) -> Result<(), String> {
        self.messages.lock().expect("no holder panics").push(message);
        Ok(())
    }
}

fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}
