//! A room to test in: functions that answer as they are told, a user pool's keys, a clock that stands still.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, OnceLock};

use async_trait::async_trait;
use aws_api::{ApiError, Call, Service};
use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{KeyPair, RSA_PKCS1_SHA256, RsaKeyPair};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use serde_json::{Map, Value, json};
use storage::{Durability, Location};
use world::{TraceId, World};

use crate::outside::{FunctionCall, FunctionFailure, Functions, Issuers};
use crate::request::{HttpAnswer, HttpRequest};
use crate::room::{HttpApis, Outside};

pub const FUNCTION: &str = "arn:aws:lambda:us-east-1:000000000000:function:f";
pub const POOL: &str = "us-east-1_pool";
pub const ISSUER: &str = "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_pool";
pub const CLIENT: &str = "client";

/// Made once for all tests: it takes longer than most of them.
static KEY: OnceLock<Vec<u8>> = OnceLock::new();

fn key() -> RsaKeyPair {
    let stored = KEY.get_or_init(|| {
        let pair = RsaKeyPair::generate(KeySize::Rsa2048).expect("a key");
        let document: Pkcs8V1Der = pair.as_der().expect("a document");
        document.as_ref().to_vec()
    });
    RsaKeyPair::from_pkcs8(stored).expect("a key")
}

/// The room, its APIs, and what is around it.
pub struct Room {
    pub world: World,
    pub apis: Arc<HttpApis>,
    pub functions: Arc<FakeFunctions>,
    rest: Arc<dyn Service>,
    http: Arc<dyn Service>,
}

/// Functions that answer as they are told, and else with `{"statusCode": 200, "body": "ok"}`.
#[derive(Default)]
pub struct FakeFunctions {
    calls: Mutex<Vec<FunctionCall>>,
    answers: Mutex<VecDeque<Result<Bytes, FunctionFailure>>>,
    pub never_answers: std::sync::atomic::AtomicBool,
}

/// One user pool.
struct FakeIssuers;

/// What an operation answered.
pub struct Answer(Result<Value, ApiError>);

impl Answer {
    #[track_caller]
    pub fn ok(self) -> Value {
        self.0.expect("the call succeeds")
    }

    /// The message of an error with this code.
    #[track_caller]
    pub fn error(self, code: &str) -> String {
        let error = self.0.expect_err("the call fails");
        assert_eq!(error.code, code, "{error}");
        error.message
    }
}

#[async_trait]
impl Functions for FakeFunctions {
    async fn call(&self, call: FunctionCall) -> Result<Bytes, FunctionFailure> {
        self.calls.lock().expect("no holder panics").push(call);
        if self.never_answers.load(std::sync::atomic::Ordering::Relaxed) {
            std::future::pending::<()>().await;
        }
        let answer = self.answers.lock().expect("no holder panics").pop_front();
        answer.unwrap_or_else(|| Ok(Bytes::from_static(br#"{"statusCode":200,"body":"ok"}"#)))
    }
}

impl FakeFunctions {
    /// The next call is answered so.
    pub fn answer(&self, payload: &Value) {
        self.answer_with(Ok(Bytes::from(payload.to_string())));
    }

    pub fn answer_with(&self, answer: Result<Bytes, FunctionFailure>) {
        self.answers.lock().expect("no holder panics").push_back(answer);
    }

    /// The calls since the last time.
    pub fn calls(&self) -> Vec<FunctionCall> {
        std::mem::take(&mut self.calls.lock().expect("no holder panics"))
    }

    /// The event of the only call since the last time.
    #[track_caller]
    pub fn event(&self) -> Value {
        let calls = self.calls();
        assert_eq!(calls.len(), 1, "one call");
        serde_json::from_slice(&calls[0].event).expect("JSON")
    }
}

#[async_trait]
impl Issuers for FakeIssuers {
    async fn user_pool_keys(&self, pool_id: &str) -> Option<Value> {
        let pair = key();
        // Of 2,048 bits: nine bytes of DER, the modulus, the exponent.
        let modulus = pair.public_key().as_ref()[9..265].to_vec();
        let one = json!({
            "alg": "RS256", "e": "AQAB", "kid": "kid", "kty": "RSA", "n": URL_SAFE_NO_PAD.encode(modulus), "use": "sig",
        });
        (pool_id == POOL).then(|| json!({ "keys": [one] }))
    }
}

/// A signed token.
pub fn token(claims: &Value) -> String {
    signed(&json!({"alg": "RS256", "kid": "kid"}), claims)
}

pub fn signed(header: &Value, claims: &Value) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let message = format!("{}.{}", part(header), part(claims));
    let pair = key();
    let mut signature = vec![0; pair.public_modulus_len()];
    pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message.as_bytes(), &mut signature).expect("a signature");
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
}

/// Members put over others.
pub fn with(mut value: Value, more: Value) -> Value {
    if let (Some(members), Value::Object(more)) = (value.as_object_mut(), more) {
        members.extend(more);
    }
    value
}

impl Room {
    pub fn new() -> Self {
        Self::over(World::for_tests(1), Location::Memory)
    }

    pub fn over(world: World, location: Location) -> Self {
        let functions = Arc::<FakeFunctions>::default();
        let outside = Outside {
            functions: Arc::clone(&functions) as Arc<dyn Functions>,
            issuers: Arc::new(FakeIssuers),
            endpoint: "http://127.0.0.1:4566".into(),
        };
        let apis = HttpApis::open(world.clone(), location, Durability::default(), outside).expect("the room opens");
        let [rest, http] = <[_; 2]>::try_from(apis.services()).ok().expect("two services");
        Self { world, apis, functions, rest, http }
    }

    /// Calls an operation of HTTP APIs; all members are in `input`.
    pub async fn http(&self, operation: &str, input: Value) -> Answer {
        self.call(&self.http, operation, &input).await
    }

    /// Calls an operation of REST APIs.
    pub async fn rest(&self, operation: &str, input: Value) -> Answer {
        self.call(&self.rest, operation, &input).await
    }

    async fn call(&self, service: &Arc<dyn Service>, operation: &str, input: &Value) -> Answer {
        let call = Call::internal(operation, input, self.trace(), self.world.random.uuid());
        let reply = service.call(&call).await;
        Answer(reply.map(|reply| serde_json::from_slice(&reply.body).unwrap_or(Value::Null)))
    }

    pub fn trace(&self) -> TraceId {
        TraceId::new(self.world.clock.now(), &self.world.random)
    }

    /// An HTTP API with the id `api` and these routes, deployed by itself to `$default`; all lead to one function with
    /// format 2.0.
    pub async fn http_api(&self, routes: &[&str]) {
        self.http("CreateApi", json!({"name": "a", "protocolType": "HTTP", "tags": {"_custom_id_": "api"}})).await.ok();
        self.http("CreateStage", json!({"apiId": "api", "stageName": "$default", "autoDeploy": true})).await.ok();
        for route in routes {
            self.route(route, json!({})).await;
        }
    }

    /// A route of `api` with an integration of its own.
    pub async fn route(&self, key: &str, more: Value) -> Value {
        let integration = json!({
            "apiId": "api", "integrationType": "AWS_PROXY", "integrationUri": FUNCTION, "payloadFormatVersion": "2.0",
        });
        let integration = self.http("CreateIntegration", integration).await.ok();
        let target = format!("integrations/{}", integration["integrationId"].as_str().expect("an id"));
        let route = with(json!({"apiId": "api", "routeKey": key, "target": target}), more);
        self.http("CreateRoute", route).await.ok()
    }

    /// A REST API with the id `rest`: the root's id.
    pub async fn rest_api(&self) -> String {
        let made = self.rest("CreateRestApi", json!({"name": "r", "tags": {"_custom_id_": "rest"}})).await.ok();
        made["rootResourceId"].as_str().expect("an id").to_owned()
    }

    /// A resource of `rest`: its id.
    pub async fn resource(&self, parent: &str, part: &str) -> String {
        let input = json!({"restapi_id": "rest", "parent_id": parent, "pathPart": part});
        self.rest("CreateResource", input).await.ok()["id"].as_str().expect("an id").to_owned()
    }

    /// A method of `rest` that leads to a function.
    pub async fn method(&self, resource: &str, method: &str, more: Value) {
        let at = json!({"restapi_id": "rest", "resource_id": resource, "http_method": method});
        self.rest("PutMethod", with(with(at.clone(), json!({"authorizationType": "NONE"})), more)).await.ok();
        let uri = format!("arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{FUNCTION}/invocations");
        let integration = json!({"type": "AWS_PROXY", "httpMethod": "POST", "uri": uri});
        self.rest("PutIntegration", with(at, integration)).await.ok();
    }

    /// Deploys `rest` to `dev`.
    pub async fn deploy(&self) {
        self.rest("CreateDeployment", json!({"restapi_id": "rest", "stageName": "dev"})).await.ok();
    }

    /// A request to `api` or `rest`: `GET /path?query`.
    pub async fn ask(&self, api: &str, line: &str, headers: &[(&str, &str)]) -> HttpAnswer {
        self.send(api, line, headers, "").await
    }

    pub async fn send(&self, api: &str, line: &str, headers: &[(&str, &str)], body: &'static str) -> HttpAnswer {
        let (method, target) = line.split_once(' ').expect("a method and a path");
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let method = Method::from_bytes(method.as_bytes()).expect("a method");
        let header = |(name, value): &(&str, &str)| {
            (HeaderName::try_from(*name).expect("a name"), HeaderValue::try_from(*value).expect("a value"))
        };
        let request = HttpRequest {
            method: method.clone(),
            raw_query: query.to_owned(),
            headers: headers.iter().map(header).collect::<HeaderMap>(),
            body: Bytes::from_static(body.as_bytes()),
            source_ip: "127.0.0.1".into(),
            access_key: None,
            request_id: "r".into(),
            at: self.world.clock.now(),
        };
        match self.apis.meet(api, &method, path) {
            Some(met) => self.apis.answer(met, request, self.trace()).await,
            None => self.apis.unknown(api),
        }
    }

    /// Status and body of a request's answer.
    pub async fn said(&self, api: &str, line: &str, headers: &[(&str, &str)]) -> (u16, String) {
        let answer = self.ask(api, line, headers).await;
        (answer.status.as_u16(), String::from_utf8_lossy(&answer.body).into_owned())
    }

    /// Claims of an access token that holds for an hour.
    pub fn access_claims(&self) -> Value {
        let now = self.world.clock.now().seconds();
        json!({
            "iss": ISSUER, "client_id": CLIENT, "token_use": "access", "scope": "aws.cognito.signin.user.admin",
            "sub": "sub-1", "username": "ann", "iat": now, "exp": now + 3_600, "cognito:groups": ["a", "b"],
        })
    }

    /// Claims of an id token that holds for an hour.
    pub fn id_claims(&self) -> Value {
        let now = self.world.clock.now().seconds();
        json!({
            "iss": ISSUER, "aud": CLIENT, "token_use": "id", "sub": "sub-1", "cognito:username": "ann",
            "email": "ann@example.com", "email_verified": true, "iat": now, "exp": now + 3_600,
        })
    }

    /// What the last moment of a request says.
    pub fn last_detail(&self) -> String {
        let moments = self.world.timeline.all();
        let asked = moments.iter().rev().find(|moment| moment.kind == world::Kind::ApiCall).expect("a moment");
        format!("{} | {}", asked.what, asked.detail.clone().unwrap_or_default())
    }
}

/// An object's members.
pub fn members(value: &Value) -> Map<String, Value> {
    value.as_object().cloned().expect("an object")
}
