//! The rooms that the targets call: in memory, with one pool, and made anew now and then, so that they do not grow and
//! an input cannot depend on thousands before it.

use std::cell::RefCell;
use std::path::Path;
use std::time::Duration;

use http::{Request, Response};
use serde_json::{Value, json};
use server::InProcess;
use tempfile::TempDir;
use tokio::runtime::Runtime;

/// No answer may take longer.
pub const ANSWER_LIMIT: Duration = Duration::from_secs(20);
/// How long deliveries of one input may take.
const SETTLE_LIMIT: Duration = Duration::from_secs(2);
/// Inputs of one house.
const INPUTS_MAX: u32 = 256;

pub const PASSWORD: &str = "Passw0rd!";
/// The prefix of user pools' operations.
pub const POOLS: &str = "AWSCognitoIdentityProviderService";

thread_local! {
    static HOUSE: RefCell<Option<House>> = const { RefCell::new(None) };
}

/// Rooms in memory but for uploaded code, which is a directory's.
pub struct House {
    pub pool: String,
    pub client: String,
    inputs_left: u32,
    cloud: InProcess,
    runtime: Runtime,
    directory: TempDir,
}

/// Runs `with` in this thread's house.
pub fn visit(with: impl FnOnce(&House)) {
    // Taken out, so that an input that panics leaves no house behind.
    let house = HOUSE.take().filter(|house| house.inputs_left > 0);
    let mut house = house.unwrap_or_else(House::new);
    house.inputs_left -= 1;
    with(&house);
    HOUSE.set(Some(house));
}

impl House {
    fn new() -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let state = directory.path().join("state");
        let cloud = runtime.block_on(InProcess::open(Some(state), 1)).expect("the rooms open");
        let mut house =
            Self { pool: String::new(), client: String::new(), inputs_left: INPUTS_MAX, cloud, runtime, directory };
        house.furnish();
        house
    }

    fn furnish(&mut self) {
        let pool = self.pools(
            "CreateUserPool",
            &json!({
                "PoolName": "fuzz", "UsernameAttributes": ["email"], "AutoVerifiedAttributes": ["email"],
                "UsernameConfiguration": {"CaseSensitive": false},
            }),
        );
        self.pool = text(&pool.1["UserPool"]["Id"]);
        let flows = ["ALLOW_USER_SRP_AUTH", "ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"];
        let client = json!({"UserPoolId": self.pool, "ClientName": "fuzz", "ExplicitAuthFlows": flows});
        self.client = text(&self.pools("CreateUserPoolClient", &client).1["UserPoolClient"]["ClientId"]);
        for name in ["ann", "anton", "bob"] {
            let email = format!("{name}@example.com");
            let attributes = [("name", name), ("email", &email), ("email_verified", "true")];
            let attributes = attributes.map(|(name, value)| json!({"Name": name, "Value": value}));
            let user = json!({
                "UserPoolId": self.pool, "Username": email, "UserAttributes": attributes,
                "MessageAction": "SUPPRESS", "TemporaryPassword": PASSWORD,
            });
            assert_eq!(self.pools("AdminCreateUser", &user).0, 200);
        }
        let set = json!({
            "UserPoolId": self.pool, "Username": "ann@example.com", "Password": PASSWORD, "Permanent": true,
        });
        assert_eq!(self.pools("AdminSetUserPassword", &set).0, 200);
    }

    /// Calls an operation of user pools.
    pub fn pools(&self, operation: &str, input: &Value) -> (u16, Value) {
        self.call(&format!("{POOLS}.{operation}"), input)
    }

    /// Calls an operation by its target.
    pub fn call(&self, target: &str, input: &Value) -> (u16, Value) {
        self.post("/", &[("x-amz-target", target), ("content-type", "application/x-amz-json-1.1")], input)
    }

    /// Posts JSON.
    pub fn post(&self, path: &str, headers: &[(&str, &str)], input: &Value) -> (u16, Value) {
        let mut request = Request::post(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.answer(request.body(input.to_string().into_bytes()).expect("a request"))
    }

    /// What the rooms answer: never a fault of theirs, and JSON where they say so.
    pub fn answer(&self, request: Request<Vec<u8>>) -> (u16, Value) {
        let shown = format!("{} {}", request.method(), request.uri());
        let answer = async { tokio::time::timeout(ANSWER_LIMIT, self.cloud.answer(request)).await };
        let Ok(answer) = self.runtime.block_on(answer) else { panic!("no answer within {ANSWER_LIMIT:?}: {shown}") };
        read(&shown, &answer)
    }

    /// Lets deliveries happen.
    pub fn settle(&self) -> bool {
        self.runtime.block_on(self.cloud.settle(SETTLE_LIMIT))
    }

    /// Where nothing may be but the state directory.
    pub fn outside(&self) -> &Path {
        self.directory.path()
    }
}

fn read(shown: &str, answer: &Response<bytes::Bytes>) -> (u16, Value) {
    let (status, body) = (answer.status().as_u16(), answer.body());
    assert!(status < 500, "{shown}: {status} {}", String::from_utf8_lossy(body));
    let kind = answer.headers().get("content-type").and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if body.is_empty() || !kind.contains("json") {
        return (status, Value::Null); // forms are answered in XML
    }
    let Ok(read) = serde_json::from_slice(body) else {
        panic!("{shown}: no JSON: {}", String::from_utf8_lossy(body));
    };
    (status, read)
}

/// A text in an answer.
pub fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}
