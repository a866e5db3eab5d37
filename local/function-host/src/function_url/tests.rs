//! URLs of functions and aliases, and calls of them.

use http::header::{ACCESS_CONTROL_ALLOW_ORIGIN, ORIGIN};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use serde_json::{Value, json};

use super::*;
use crate::testing::Tandem;

const ARN: &str = "arn:aws:lambda:us-east-1:000000000000:function:f";

async fn tandem() -> Tandem {
    let tandem = Tandem::new();
    tandem.create("f", "h").await;
    tandem
}

async fn create(tandem: &Tandem, more: Value) -> Value {
    let mut input = json!({"FunctionName": "f", "AuthType": "NONE"});
    input.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
    tandem.call("CreateFunctionUrlConfig", input).await.expect("it is made")
}

async fn open_to_all(tandem: &Tandem) {
    let permission = json!({
        "FunctionName": "f", "StatementId": "url", "Action": "lambda:InvokeFunctionUrl", "Principal": "*",
        "FunctionUrlAuthType": "NONE",
    });
    tandem.call("AddPermission", permission).await.expect("it is added");
}

fn request(tandem: &Tandem, method: Method, headers: &[(&'static str, &'static str)], body: &str) -> HttpRequest {
    let headers = headers.iter().map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)));
    HttpRequest {
        method,
        raw_path: "/".into(),
        raw_query: String::new(),
        headers: headers.collect::<HeaderMap>(),
        body: Bytes::copy_from_slice(body.as_bytes()),
        source_ip: "127.0.0.1".into(),
        domain_name: tandem.host.url_domain(&id_of(ARN)),
        access_key: None,
        request_id: tandem.world.random.uuid(),
        at: tandem.world.clock.now(),
    }
}

async fn call(tandem: &Tandem, request: HttpRequest) -> HttpAnswer {
    let target = tandem.host.url(&id_of(ARN)).expect("there is a URL");
    let trace = TraceId::new(tandem.world.clock.now(), &tandem.world.random);
    tandem.host.call_url(target, request, trace).await
}

#[track_caller]
fn check(error: &(String, u16, String), code: &str, message: &str) {
    assert_eq!(error.0, code, "{}", error.2);
    assert!(error.2.contains(message), "{}", error.2);
}

#[tokio::test]
async fn a_url_is_made_changed_listed_and_deleted() {
    let tandem = tandem().await;
    let made = create(&tandem, json!({})).await;
    let id = id_of(ARN);
    assert_eq!(made["FunctionUrl"], format!("http://{id}.lambda-url.us-east-1.localhost:4566/"));
    assert_eq!((&made["FunctionArn"], &made["AuthType"]), (&json!(ARN), &json!("NONE")));
    assert!(made["CreationTime"].is_string());
    let twice = tandem.error("CreateFunctionUrlConfig", json!({"FunctionName": "f", "AuthType": "NONE"})).await;
    let message = format!(
        "Failed to create function url config for [functionArn = {ARN}]. Error message:  FunctionUrlConfig exists"
    );
    check(&twice, "ResourceConflictException", &message);
    let update = json!({"FunctionName": "f", "AuthType": "AWS_IAM", "Cors": {"AllowOrigins": ["*"]}});
    let updated = tandem.call("UpdateFunctionUrlConfig", update).await.expect("it is changed");
    assert_eq!((&updated["AuthType"], &updated["FunctionUrl"]), (&json!("AWS_IAM"), &made["FunctionUrl"]));
    let got = tandem.call("GetFunctionUrlConfig", json!({"FunctionName": "f"})).await.expect("it is there");
    assert_eq!((&got["Cors"]["AllowOrigins"], &got["InvokeMode"]), (&json!(["*"]), &json!("BUFFERED")));
    let list = tandem.call("ListFunctionUrlConfigs", json!({"FunctionName": "f"})).await.expect("a list");
    assert_eq!(list["FunctionUrlConfigs"], json!([got]));
    assert_eq!(tandem.host.function_urls().len(), 1);
    tandem.call("DeleteFunctionUrlConfig", json!({"FunctionName": "f"})).await.expect("it is deleted");
    let gone = tandem.error("GetFunctionUrlConfig", json!({"FunctionName": "f"})).await;
    check(&gone, "ResourceNotFoundException", "The resource you requested does not exist.");
    assert!(tandem.host.url(&id).is_none());
}

#[tokio::test]
async fn what_lambda_refuses_is_refused() {
    let tandem = tandem().await;
    for (input, code, message) in [
        (json!({"FunctionName": "g", "AuthType": "NONE"}), "ResourceNotFoundException", "Function does not exist"),
        (
            json!({"FunctionName": "f", "AuthType": "NONE", "Qualifier": "live"}),
            "ResourceNotFoundException",
            "Function does not exist",
        ),
        (
            json!({"FunctionName": "f", "AuthType": "NONE", "Qualifier": "1"}),
            "ValidationException",
            "Value '1' at 'qualifier'",
        ),
        (
            json!({"FunctionName": "f", "AuthType": "NONE", "Qualifier": "$LATEST"}),
            "ValidationException",
            "at 'qualifier'",
        ),
        (json!({"FunctionName": "f", "AuthType": "OPEN"}), "ValidationException", "[NONE, AWS_IAM]"),
        (
            json!({"FunctionName": "f", "AuthType": "NONE", "InvokeMode": "RESPONSE_STREAM"}),
            "InvalidParameterValueException",
            "RESPONSE_STREAM is not implemented",
        ),
    ] {
        check(&tandem.error("CreateFunctionUrlConfig", input).await, code, message);
    }
}

#[tokio::test]
async fn a_request_becomes_an_event_and_the_payload_an_answer() {
    let tandem = tandem().await;
    create(&tandem, json!({})).await;
    open_to_all(&tandem).await;
    let mut with_query = request(&tandem, Method::GET, &[("x-a", "1")], "");
    with_query.raw_query = "a=b".into();
    let answer = call(&tandem, with_query).await;
    assert_eq!(answer.status, 200);
    let echoed: Value = serde_json::from_slice(&answer.body).expect("JSON");
    let event = &echoed["event"];
    assert_eq!((&event["headers"]["x-a"], &event["queryStringParameters"]["a"]), (&json!("1"), &json!("b")));
    assert_eq!(event["requestContext"]["domainPrefix"], id_of(ARN));
}

#[tokio::test]
async fn without_a_permission_nobody_gets_in() {
    let tandem = tandem().await;
    create(&tandem, json!({})).await;
    let answer = call(&tandem, request(&tandem, Method::GET, &[], "")).await;
    assert_eq!((answer.status.as_u16(), &answer.body[..]), (403, &br#"{"Message":"Forbidden"}"#[..]));
    assert!(tandem.world.timeline.all().iter().any(|moment| moment.kind == Kind::Warning));
    assert_eq!(tandem.host.sandboxes(), 0);
}

#[tokio::test]
async fn a_function_that_fails_is_a_bad_gateway() {
    let tandem = Tandem::new();
    tandem.create("f", "init-exit").await;
    create(&tandem, json!({})).await;
    open_to_all(&tandem).await;
    let answer = call(&tandem, request(&tandem, Method::GET, &[], "")).await;
    assert_eq!((answer.status.as_u16(), &answer.body[..]), (502, &b"Internal Server Error"[..]));
}

#[tokio::test]
async fn a_function_that_is_switched_off_is_busy() {
    let tandem = tandem().await;
    create(&tandem, json!({})).await;
    open_to_all(&tandem).await;
    let off = json!({"FunctionName": "f", "ReservedConcurrentExecutions": 0});
    tandem.call("PutFunctionConcurrency", off).await.expect("it is switched off");
    assert_eq!(call(&tandem, request(&tandem, Method::GET, &[], "")).await.status, 429);
}

#[tokio::test]
async fn browsers_are_answered_without_the_function() {
    let tandem = tandem().await;
    create(&tandem, json!({"Cors": {"AllowOrigins": ["https://a.example"], "AllowMethods": ["GET"], "MaxAge": 9}}))
        .await;
    let headers = [("origin", "https://a.example"), ("access-control-request-method", "GET")];
    let answer = call(&tandem, request(&tandem, Method::OPTIONS, &headers, "")).await;
    let header = |name: &str| answer.headers.get(name).map(|value| value.to_str().expect("text"));
    assert_eq!(answer.status, 200);
    assert_eq!(header("access-control-allow-origin"), Some("https://a.example"));
    assert_eq!((header("access-control-allow-methods"), header("access-control-max-age")), (Some("GET"), Some("9")));
    assert_eq!(tandem.host.sandboxes(), 0);
}

#[tokio::test]
async fn answers_say_who_may_read_them() {
    let tandem = tandem().await;
    create(&tandem, json!({"Cors": {"AllowOrigins": ["https://a.example"]}})).await;
    open_to_all(&tandem).await;
    let allowed = async |origin: &'static str| {
        let mut request = request(&tandem, Method::GET, &[], "");
        request.headers.insert(ORIGIN, HeaderValue::from_static(origin));
        call(&tandem, request).await.headers.contains_key(ACCESS_CONTROL_ALLOW_ORIGIN)
    };
    assert!(allowed("https://a.example").await);
    assert!(!allowed("https://b.example").await);
}

#[tokio::test]
async fn an_alias_has_a_url_of_its_own() {
    let tandem = tandem().await;
    tandem.call("PublishVersion", json!({"FunctionName": "f"})).await.expect("it is published");
    let alias = json!({"FunctionName": "f", "Name": "live", "FunctionVersion": "1"});
    tandem.call("CreateAlias", alias).await.expect("it is made");
    let made = create(&tandem, json!({"Qualifier": "live"})).await;
    assert_eq!(made["FunctionArn"], format!("{ARN}:live"));
    let target = tandem.host.url(&id_of(&format!("{ARN}:live"))).expect("there is a URL");
    assert_eq!(target.named.label(), "f:live");
}

#[test]
fn a_host_or_a_path_names_a_url() {
    for (host, path, expected) in [
        ("abc.lambda-url.us-east-1.localhost:4566", "/x", Some(("abc", "/x"))),
        ("localhost:4566", "/_tandem/urls/abc/x/y", Some(("abc", "/x/y"))),
        ("localhost:4566", "/_tandem/urls/abc", Some(("abc", "/"))),
        ("localhost:4566", "/_tandem/health", None),
        ("pool.auth.localhost", "/x", None),
    ] {
        assert_eq!(url_id(host, path), expected, "{host}{path}");
    }
}
