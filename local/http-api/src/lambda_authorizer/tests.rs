//! Functions that decide.

use serde_json::{Value, json};

use crate::outside::FunctionFailure;
use crate::testing::{FUNCTION, Room, with};

const ARN: &str = "arn:aws:execute-api:us-east-1:000000000000:api/$default/GET/a/1";

fn uri() -> String {
    format!("arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{FUNCTION}-decider/invocations")
}

async fn guarded(more: Value) -> Room {
    let t = Room::new();
    t.http_api(&[]).await;
    let authorizer = json!({
        "apiId": "api", "name": "decider", "authorizerType": "REQUEST", "authorizerUri": uri(),
        "identitySource": ["$request.header.X-Key"], "authorizerPayloadFormatVersion": "2.0",
    });
    let made = t.http("CreateAuthorizer", with(authorizer, more)).await.ok();
    let guard = json!({"authorizationType": "CUSTOM", "authorizerId": made["authorizerId"]});
    t.route("GET /a/{id}", guard).await;
    t
}

async fn said(t: &Room) -> (u16, String) {
    t.said("api", "GET /a/1?q=2", &[("x-key", "k")]).await
}

fn policy(effect: &str, resource: &str) -> Value {
    let statement = json!([{"Effect": effect, "Action": "execute-api:Invoke", "Resource": resource}]);
    json!({"principalId": "ann", "policyDocument": {"Version": "2012-10-17", "Statement": statement}, "context": {"n": 1}})
}

#[tokio::test]
async fn a_simple_answer_lets_in_or_not() {
    let t = guarded(json!({"enableSimpleResponses": true})).await;
    t.functions.answer(&json!({"isAuthorized": true, "context": {"role": "admin"}}));
    assert_eq!(said(&t).await.0, 200);
    let calls = t.functions.calls();
    let asked: Value = serde_json::from_slice(&calls[0].event).expect("JSON");
    assert_eq!(
        (&asked["version"], &asked["type"], &asked["routeArn"], &asked["identitySource"], &asked["routeKey"]),
        (&json!("2.0"), &json!("REQUEST"), &json!(ARN), &json!(["k"]), &json!("GET /a/{id}"))
    );
    assert!(calls[0].source_arn.as_deref().expect("an ARN").contains(":api/authorizers/"));
    let event: Value = serde_json::from_slice(&calls[1].event).expect("JSON");
    assert_eq!(event["requestContext"]["authorizer"], json!({"lambda": {"role": "admin"}}));
    t.functions.answer(&json!({"isAuthorized": false}));
    assert_eq!(said(&t).await, (403, r#"{"message":"Forbidden"}"#.to_owned()));
    t.functions.answer(&json!({}));
    assert_eq!(said(&t).await.0, 500);
    t.functions.answer_with(Err(FunctionFailure::Failed("Unauthorized".into())));
    assert_eq!(said(&t).await.0, 401);
    t.functions.answer_with(Err(FunctionFailure::Failed("boom".into())));
    assert_eq!(said(&t).await.0, 500);
    assert!(t.last_detail().contains("authorizer decider: its function failed: boom"), "{}", t.last_detail());
    t.functions.calls();
    assert_eq!(t.said("api", "GET /a/1", &[]).await.0, 401);
    assert!(t.functions.calls().is_empty(), "without an identity nobody is asked");
}

#[tokio::test]
async fn a_policy_lets_in_or_not() {
    for format in ["1.0", "2.0"] {
        let t = guarded(json!({"authorizerPayloadFormatVersion": format})).await;
        t.functions.answer(&policy("Allow", "arn:aws:execute-api:*:*:api/*/GET/a/*"));
        assert_eq!(said(&t).await.0, 200, "{format}");
        let calls = t.functions.calls();
        let asked: Value = serde_json::from_slice(&calls[0].event).expect("JSON");
        assert_eq!(asked[if format == "1.0" { "methodArn" } else { "routeArn" }], ARN);
        let event: Value = serde_json::from_slice(&calls[1].event).expect("JSON");
        assert_eq!(event["requestContext"]["authorizer"]["lambda"], json!({"n": 1}));
        t.functions.answer(&policy("Deny", "*"));
        assert_eq!(said(&t).await.0, 403);
        t.functions.answer(&policy("Allow", "arn:aws:execute-api:*:*:api/*/POST/*"));
        assert_eq!(said(&t).await.0, 403);
    }
}

#[tokio::test]
async fn a_rest_api_asks_with_a_token_alone() {
    let t = Room::new();
    let root = t.rest_api().await;
    let authorizer = json!({"restapi_id": "rest", "name": "decider", "type": "TOKEN", "authorizerUri": uri()});
    let made = t.rest("CreateAuthorizer", authorizer).await.ok();
    t.method(&root, "GET", json!({"authorizationType": "CUSTOM", "authorizerId": made["id"]})).await;
    t.deploy().await;
    let said = || t.said("rest", "GET /dev", &[("authorization", "tok")]);
    t.functions.answer(&policy("Allow", "*"));
    assert_eq!(said().await.0, 200);
    let calls = t.functions.calls();
    let asked: Value = serde_json::from_slice(&calls[0].event).expect("JSON");
    let arn = "arn:aws:execute-api:us-east-1:000000000000:rest/dev/GET/";
    assert_eq!(asked, json!({"type": "TOKEN", "methodArn": arn, "authorizationToken": "tok"}));
    let event: Value = serde_json::from_slice(&calls[1].event).expect("JSON");
    let expected = json!({"principalId": "ann", "n": "1", "integrationLatency": 0});
    assert_eq!(event["requestContext"]["authorizer"], expected);
    t.functions.answer(&policy("Deny", "*"));
    let denied = r#"{"Message":"User is not authorized to access this resource with an explicit deny"}"#;
    assert_eq!(said().await, (403, denied.to_owned()));
    t.functions.answer(&json!({"policyDocument": {}}));
    assert_eq!(said().await, (500, r#"{"message":null}"#.to_owned()));
}
