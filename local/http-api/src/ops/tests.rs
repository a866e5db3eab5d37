//! The control plane of HTTP APIs, over an API that is used.

use serde_json::{Value, json};
use storage::Location;
use world::World;

use crate::testing::{FUNCTION, ISSUER, Room, with};

fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}

#[tokio::test]
async fn quick_create_makes_an_api_that_answers() {
    let t = Room::new();
    let made = t.http("CreateApi", json!({"name": "q", "protocolType": "HTTP", "target": FUNCTION})).await.ok();
    let id = text(&made["apiId"]);
    assert_eq!(made["apiEndpoint"], format!("http://{id}.execute-api.us-east-1.localhost:4566"));
    assert_eq!((&made["createdDate"], &made["protocolType"]), (&json!("2026-01-01T00:00:00Z"), &json!("HTTP")));
    assert_eq!(t.said(&id, "GET /any", &[]).await, (200, "ok".to_owned()));
    assert_eq!(t.functions.calls()[0].function_arn, FUNCTION);
    assert_eq!(t.http("GetRoutes", json!({"apiId": id})).await.ok()["items"][0]["routeKey"], "$default");
    assert_eq!(t.apis.addresses()[0].url, format!("http://{id}.execute-api.us-east-1.localhost:4566/"));
}

#[tokio::test]
async fn what_changes_is_deployed_by_itself_or_not() {
    let t = Room::new();
    t.http_api(&["GET /a"]).await;
    t.http("CreateStage", json!({"apiId": "api", "stageName": "dev"})).await.ok();
    assert_eq!(t.said("api", "GET /a", &[]).await.0, 200);
    assert_eq!(t.said("api", "GET /dev/a", &[]).await, (404, r#"{"message":"Not Found"}"#.to_owned()));
    assert!(t.last_detail().contains("nothing is deployed to the stage dev"), "{}", t.last_detail());

    let made = t.http("CreateDeployment", json!({"apiId": "api", "stageName": "dev"})).await.ok();
    assert_eq!((&made["deploymentStatus"], &made["autoDeployed"]), (&json!("DEPLOYED"), &json!(false)));
    assert_eq!(t.said("api", "GET /dev/a", &[]).await.0, 200);

    t.route("GET /b", json!({})).await;
    assert_eq!((t.said("api", "GET /b", &[]).await.0, t.said("api", "GET /dev/b", &[]).await.0), (200, 404));
    let deployments = t.http("GetDeployments", json!({"apiId": "api"})).await.ok();
    assert_eq!(deployments["items"].as_array().map(Vec::len), Some(2), "what was replaced is forgotten");
    let delete = json!({"apiId": "api", "deploymentId": made["deploymentId"]});
    t.http("DeleteDeployment", delete).await.error("BadRequestException");
}

#[tokio::test]
async fn parts_are_made_changed_listed_and_deleted() {
    let t = Room::new();
    t.http_api(&["GET /a", "GET /b"]).await;
    let page = t.http("GetRoutes", json!({"apiId": "api", "maxResults": "1"})).await.ok();
    let rest = t.http("GetRoutes", json!({"apiId": "api", "nextToken": page["nextToken"]})).await.ok();
    assert_eq!((page["items"].as_array().map(Vec::len), rest["items"].as_array().map(Vec::len)), (Some(1), Some(1)));
    let route = &page["items"][0];
    let at = json!({"apiId": "api", "routeId": route["routeId"]});
    let changed =
        t.http("UpdateRoute", with(at.clone(), json!({"routeKey": "PUT /c", "operationName": "o"}))).await.ok();
    assert_eq!((&changed["routeKey"], &changed["target"]), (&json!("PUT /c"), &route["target"]));
    assert_eq!(t.http("GetRoute", at.clone()).await.ok(), changed);
    assert_eq!(t.said("api", "PUT /c", &[]).await.0, 200);
    let integration = text(&route["target"]).replace("integrations/", "");
    let in_use = t.http("DeleteIntegration", json!({"apiId": "api", "integrationId": integration})).await;
    assert!(in_use.error("ConflictException").contains("is referenced in route: PUT /c"));
    t.http("DeleteRoute", at.clone()).await.ok();
    t.http("GetRoute", at).await.error("NotFoundException");
    t.http("DeleteIntegration", json!({"apiId": "api", "integrationId": integration})).await.ok();
    t.http("DeleteApi", json!({"apiId": "api"})).await.ok();
    let message = t.http("GetApi", json!({"apiId": "api"})).await.error("NotFoundException");
    assert_eq!(message, "Invalid API identifier specified 000000000000:api");
    assert_eq!(t.said("api", "GET /b", &[]).await, (403, r#"{"message":"Forbidden"}"#.to_owned()));
}

#[tokio::test]
async fn what_is_not_there_is_refused_by_name() {
    let t = Room::new();
    t.http_api(&["GET /a"]).await;
    for (operation, input, word) in [
        ("CreateApi", json!({"name": "w", "protocolType": "WEBSOCKET"}), "WEBSOCKET"),
        ("CreateApi", json!({"name": "w", "protocolType": "HTTP", "target": "https://example.com"}), "HTTP_PROXY"),
        ("CreateApi", json!({"protocolType": "HTTP"}), "Value null at 'name'"),
        ("CreateIntegration", json!({"integrationType": "HTTP_PROXY", "integrationUri": "https://x"}), "HTTP_PROXY"),
        (
            "CreateIntegration",
            json!({"integrationType": "AWS_PROXY", "integrationSubtype": "SQS-SendMessage"}),
            "SQS-SendMessage",
        ),
        ("CreateIntegration", json!({"integrationType": "AWS_PROXY", "integrationUri": "x"}), "names no function"),
        ("CreateRoute", json!({"routeKey": "GET a"}), "The provided route key is not formatted properly"),
        ("CreateRoute", json!({"routeKey": "GET /x", "target": "integrations/none"}), "Invalid integration target"),
        ("CreateRoute", json!({"routeKey": "GET /x", "authorizationType": "JWT"}), "Invalid authorizer ID"),
        ("CreateRoute", json!({"routeKey": "GET /x", "apiKeyRequired": true}), "ApiKeyRequired"),
        ("CreateStage", json!({"stageName": "a b"}), "Stage name"),
        ("CreateStage", json!({"stageName": "a", "deploymentId": "none"}), "Deployment ID"),
        (
            "CreateAuthorizer",
            json!({"name": "n", "authorizerType": "JWT", "identitySource": ["$request.header.Authorization"]}),
            "Issuer",
        ),
        (
            "CreateAuthorizer",
            json!({"name": "n", "authorizerType": "JWT", "identitySource": ["Authorization"]}),
            "Invalid identity source",
        ),
    ] {
        let input = if operation == "CreateApi" { input } else { with(input, json!({"apiId": "api"})) };
        let message = t.http(operation, input.clone()).await.error("BadRequestException");
        assert!(message.contains(word), "{operation} {input}: {message}");
    }
    let again = t.http("CreateRoute", json!({"apiId": "api", "routeKey": "GET /a"})).await;
    assert_eq!(again.error("ConflictException"), "Route with key GET /a already exists for this API");
}

#[tokio::test]
async fn what_has_no_effect_is_kept_and_named() {
    let t = Room::new();
    t.http_api(&[]).await;
    let settings = json!({"throttlingBurstLimit": 5});
    let made = json!({"apiId": "api", "stageName": "dev", "defaultRouteSettings": settings, "description": "d"});
    let made = t.http("CreateStage", made).await.ok();
    assert_eq!(made["defaultRouteSettings"], settings);
    let moments = t.world.timeline.all();
    let warned = moments.iter().any(|moment| moment.what == "stage dev of a: no effect here: defaultRouteSettings");
    assert!(warned, "{moments:?}");
}

#[tokio::test]
async fn an_authorizer_in_use_stays() {
    let t = Room::new();
    t.http_api(&[]).await;
    let authorizer = json!({
        "apiId": "api", "name": "jwt", "authorizerType": "JWT", "identitySource": ["$request.header.Authorization"],
        "jwtConfiguration": {"issuer": ISSUER, "audience": ["c"]},
    });
    let made = t.http("CreateAuthorizer", authorizer.clone()).await.ok();
    t.http("CreateAuthorizer", authorizer).await.error("BadRequestException");
    let id = &made["authorizerId"];
    t.route("GET /a", json!({"authorizationType": "JWT", "authorizerId": id})).await;
    t.http("DeleteAuthorizer", json!({"apiId": "api", "authorizerId": id})).await.error("ConflictException");
    let update = json!({"apiId": "api", "authorizerId": id, "name": "other"});
    assert_eq!(t.http("UpdateAuthorizer", update).await.ok()["jwtConfiguration"]["issuer"], ISSUER);
}

#[tokio::test]
async fn apis_and_stages_have_tags() {
    let t = Room::new();
    t.http_api(&[]).await;
    for arn in ["arn:aws:apigateway:us-east-1::/apis/api", "arn:aws:apigateway:us-east-1::/apis/api/stages/$default"] {
        t.http("TagResource", json!({"resource-arn": arn, "tags": {"a": "1", "b": "2"}})).await.ok();
        t.http("UntagResource", json!({"resource-arn": arn, "tagKeys": ["a"]})).await.ok();
        assert_eq!(t.http("GetTags", json!({"resource-arn": arn})).await.ok(), json!({"tags": {"b": "2"}}));
    }
    t.http("GetTags", json!({"resource-arn": "arn:aws:sqs:x"})).await.error("BadRequestException");
}

#[tokio::test]
async fn an_api_is_there_after_a_restart() {
    let dir = tempfile::tempdir().expect("a directory");
    let open = || Room::over(World::for_tests(1), Location::File(dir.path().join("apis.db")));
    let t = open();
    t.http_api(&["GET /a/{id}"]).await;
    let before = t.http("GetApi", json!({"apiId": "api"})).await.ok();
    drop(t);
    let t = open();
    assert_eq!(t.http("GetApi", json!({"apiId": "api"})).await.ok(), before);
    assert_eq!(t.said("api", "GET /a/1", &[]).await.0, 200);
    let pinned = json!({"name": "a", "protocolType": "HTTP", "tags": {"_custom_id_": "api"}});
    t.http("CreateApi", pinned).await.error("ConflictException");
    t.apis.reset().await.expect("it is reset");
    assert_eq!(t.http("GetApis", json!({})).await.ok(), json!({"items": []}));
}
