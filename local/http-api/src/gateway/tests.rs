//! Requests and what becomes of them.

use std::sync::atomic::Ordering;

use proptest::prelude::*;
use serde_json::{Value, json};

use crate::outside::FunctionFailure;
use crate::testing::{FUNCTION, Room};

const NOT_FOUND: &str = r#"{"message":"Not Found"}"#;
const INTERNAL: &str = r#"{"message":"Internal Server Error"}"#;

#[tokio::test]
async fn a_route_is_found_or_the_console_says_why_not() {
    let t = Room::new();
    t.http_api(&["GET /pets/{id}", "ANY /v1/{proxy+}"]).await;
    assert_eq!(t.said("api", "GET /pets/1", &[]).await, (200, "ok".to_owned()));
    let calls = t.functions.calls();
    let source = "arn:aws:execute-api:us-east-1:000000000000:api/$default/GET/pets/{id}";
    assert_eq!(calls[0].source_arn.as_deref(), Some(source));
    assert_eq!(t.said("api", "DELETE /v1/a/b", &[]).await.0, 200);
    let source = "arn:aws:execute-api:us-east-1:000000000000:api/$default/DELETE/v1/{proxy+}";
    assert_eq!(t.functions.calls()[0].source_arn.as_deref(), Some(source));
    assert_eq!(t.said("api", "POST /pets/1", &[]).await, (404, NOT_FOUND.to_owned()));
    let why = "POST /pets/1 → HTTP API a | 404 Not Found: no route takes it; the stage $default has ";
    assert!(t.last_detail().starts_with(why), "{}", t.last_detail());
    assert!(t.functions.calls().is_empty());
}

#[tokio::test]
async fn the_default_route_takes_the_rest() {
    let t = Room::new();
    t.http_api(&["$default"]).await;
    assert_eq!(t.said("api", "PATCH /x", &[]).await.0, 200);
    let source = "arn:aws:execute-api:us-east-1:000000000000:api/$default/$default";
    assert_eq!(t.functions.calls()[0].source_arn.as_deref(), Some(source));
}

#[tokio::test]
async fn a_stage_of_a_name_is_part_of_the_path() {
    let t = Room::new();
    t.http_api(&["GET /a"]).await;
    t.http("CreateStage", json!({"apiId": "api", "stageName": "dev", "autoDeploy": true})).await.ok();
    assert_eq!(t.said("api", "GET /dev/a", &[]).await.0, 200);
    let event = t.functions.event();
    assert_eq!((&event["rawPath"], &event["requestContext"]["stage"]), (&json!("/dev/a"), &json!("dev")));
    t.http("DeleteStage", json!({"apiId": "api", "stageName": "$default"})).await.ok();
    assert_eq!(t.said("api", "GET /a", &[]).await, (404, NOT_FOUND.to_owned()));
    assert!(t.last_detail().ends_with("the path leads to no stage"), "{}", t.last_detail());
}

#[tokio::test]
async fn failures_are_told_as_aws_tells_them() {
    let t = Room::new();
    t.http_api(&["GET /"]).await;
    let unavailable = r#"{"message":"Service Unavailable"}"#;
    for (failure, status, body) in [
        (FunctionFailure::Failed("secret".into()), 500, INTERNAL),
        (FunctionFailure::NotCalled("no permission".into()), 500, INTERNAL),
        (FunctionFailure::Throttled("too many".into()), 503, unavailable),
    ] {
        t.functions.answer_with(Err(failure));
        assert_eq!(t.said("api", "GET /", &[]).await, (status, body.to_owned()));
    }
    t.functions.answer(&json!({"statusCode": "x"}));
    assert_eq!(t.said("api", "GET /", &[]).await, (500, INTERNAL.to_owned()));
    assert!(t.last_detail().contains("GET /: 500 Internal Server Error: the function's answer cannot be sent"));
}

#[tokio::test(start_paused = true)]
async fn a_function_has_so_much_time() {
    let t = Room::new();
    t.http_api(&[]).await;
    let route = t.route("GET /", json!({})).await;
    let id = route["target"].as_str().and_then(|target| target.strip_prefix("integrations/")).expect("an id");
    t.functions.never_answers.store(true, Ordering::Relaxed);
    let began = tokio::time::Instant::now();
    assert_eq!(t.said("api", "GET /", &[]).await.0, 503);
    assert_eq!(began.elapsed().as_secs(), 30);
    let update = json!({"apiId": "api", "integrationId": id, "timeoutInMillis": 2_000});
    t.http("UpdateIntegration", update).await.ok();
    let began = tokio::time::Instant::now();
    assert_eq!(t.said("api", "GET /", &[]).await, (503, r#"{"message":"Service Unavailable"}"#.to_owned()));
    assert_eq!(began.elapsed().as_secs(), 2);
    assert!(t.last_detail().contains("2000 ms"), "{}", t.last_detail());
}

#[tokio::test]
async fn a_stage_names_the_alias() {
    let t = Room::new();
    t.http_api(&[]).await;
    let route = t.route("GET /", json!({})).await;
    let id = route["target"].as_str().and_then(|target| target.strip_prefix("integrations/")).expect("an id");
    let uri = format!("{FUNCTION}:${{stageVariables.alias}}");
    t.http("UpdateIntegration", json!({"apiId": "api", "integrationId": id, "integrationUri": uri})).await.ok();
    let variables = json!({"apiId": "api", "stageName": "$default", "stageVariables": {"alias": "live"}});
    t.http("UpdateStage", variables).await.ok();
    t.ask("api", "GET /", &[]).await;
    assert_eq!(t.functions.calls()[0].function_arn, format!("{FUNCTION}:live"));
}

#[tokio::test]
async fn credentials_stand_in_for_a_permission() {
    let t = Room::new();
    let role = "arn:aws:iam::000000000000:role/r";
    let input = json!({"name": "q", "protocolType": "HTTP", "target": FUNCTION, "credentialsArn": role});
    let made = t.http("CreateApi", input).await.ok();
    t.ask(made["apiId"].as_str().expect("an id"), "GET /", &[]).await;
    assert_eq!(t.functions.calls()[0].source_arn, None);
}

#[tokio::test]
async fn cors_is_answered_by_the_gateway() {
    let t = Room::new();
    t.http_api(&["GET /a"]).await;
    let cors = json!({"allowOrigins": ["https://a.example"], "allowMethods": ["GET"], "allowHeaders": ["authorization"], "maxAge": 5});
    t.http("UpdateApi", json!({"apiId": "api", "corsConfiguration": cors})).await.ok();
    let asks = [("origin", "https://a.example"), ("access-control-request-method", "GET")];
    let preflight = t.ask("api", "OPTIONS /a", &asks).await;
    let header = |name: &str| preflight.headers.get(name).map(|value| value.to_str().expect("text").to_owned());
    assert_eq!(preflight.status.as_u16(), 204);
    assert_eq!(header("access-control-allow-origin").as_deref(), Some("https://a.example"));
    assert_eq!(header("access-control-allow-headers").as_deref(), Some("authorization"));
    assert_eq!(header("access-control-max-age").as_deref(), Some("5"));
    t.functions.answer(&json!({"statusCode": 200, "headers": {"Access-Control-Allow-Origin": "*"}}));
    let answer = t.ask("api", "GET /a", &asks[..1]).await;
    assert_eq!(answer.headers["access-control-allow-origin"], "https://a.example");
    let foreign = t.ask("api", "GET /a", &[("origin", "https://b.example")]).await;
    assert!(!foreign.headers.contains_key("access-control-allow-origin"));
    assert_eq!(t.functions.calls().len(), 2);
    let met = t.apis.meet("api", &http::Method::GET, "/a").expect("an API");
    assert!(met.has_cors());
    t.http("DeleteCorsConfiguration", json!({"apiId": "api"})).await.ok();
    assert!(!t.apis.meet("api", &http::Method::GET, "/a").expect("an API").has_cors());
}

#[tokio::test]
async fn a_signature_is_asked_for_where_the_route_says_so() {
    let t = Room::new();
    t.http_api(&["GET /open"]).await;
    t.route("GET /signed", json!({"authorizationType": "AWS_IAM"})).await;
    let is_signed = |path| t.apis.meet("api", &http::Method::GET, path).expect("an API").is_signed();
    assert!(is_signed("/signed") && !is_signed("/open"));
    assert_eq!(t.said("api", "GET /signed", &[]).await.0, 200, "whether one is right was looked at before");
}

#[tokio::test]
async fn a_route_without_integration_says_so() {
    let t = Room::new();
    t.http_api(&[]).await;
    t.http("CreateRoute", json!({"apiId": "api", "routeKey": "GET /x"})).await.ok();
    assert_eq!(t.said("api", "GET /x", &[]).await, (500, INTERNAL.to_owned()));
    assert!(t.last_detail().contains("no integration is attached"), "{}", t.last_detail());
}

/// An API with a route for every format, guarded and not.
async fn open_house() -> Room {
    let t = Room::new();
    t.http_api(&["ANY /two/{proxy+}"]).await;
    let one = t.route("ANY /one/{a}/{b}", json!({})).await;
    let id = one["target"].as_str().and_then(|target| target.strip_prefix("integrations/")).expect("an id");
    t.http("UpdateIntegration", json!({"apiId": "api", "integrationId": id, "payloadFormatVersion": "1.0"})).await.ok();
    let authorizer = json!({
        "apiId": "api", "name": "jwt", "authorizerType": "JWT", "identitySource": ["$request.header.Authorization"],
        "jwtConfiguration": {"issuer": crate::testing::ISSUER, "audience": ["c"]},
    });
    let made = t.http("CreateAuthorizer", authorizer).await.ok();
    let guard = json!({"authorizationType": "JWT", "authorizerId": made["authorizerId"]});
    t.route("ANY /guarded", guard).await;
    let root = t.rest_api().await;
    let proxy = t.resource(&root, "{proxy+}").await;
    t.method(&proxy, "ANY", json!({})).await;
    t.deploy().await;
    t
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever is asked for, functions are sent JSON, and no token that was made up lets anybody in.
    #[test]
    fn requests_of_any_form_are_answered(
        path in ".{0,30}", query in ".{0,30}", value in "[ -~]{0,60}", parts in "[A-Za-z0-9_-]{0,9}[.]e30[.][A-Za-z0-9_-]{0,9}"
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let t = open_house().await;
            let headers = [("x-any", value.as_str()), ("cookie", &value), ("content-type", &value)];
            for (api, before) in [("api", "/two/"), ("api", "/one/a/"), ("rest", "/dev/"), ("api", "/")] {
                let line = format!("GET {before}{path}?{query}");
                let answer = t.ask(api, &line, &headers).await;
                assert!(matches!(answer.status.as_u16(), 200 | 403 | 404), "{line}: {}", answer.status);
            }
            for call in t.functions.calls() {
                serde_json::from_slice::<Value>(&call.event).expect("JSON");
            }
            for token in [value.as_str(), &parts] {
                let answer = t.ask("api", "GET /guarded", &[("authorization", token)]).await;
                assert_eq!(answer.status.as_u16(), 401, "{token}");
            }
        });
    }
}
