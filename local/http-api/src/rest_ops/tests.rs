//! The control plane of REST APIs, over an API that is used.

use serde_json::json;

use crate::outside::FunctionFailure;
use crate::testing::{Room, with};

#[tokio::test]
async fn an_api_is_made_part_by_part() {
    let t = Room::new();
    let root = t.rest_api().await;
    let pets = t.resource(&root, "pets").await;
    let pet = t.resource(&pets, "{id}").await;
    let empty = t.rest("CreateDeployment", json!({"restapi_id": "rest", "stageName": "dev"})).await;
    assert_eq!(empty.error("BadRequestException"), "The REST API doesn't contain any methods");
    t.method(&pet, "GET", json!({})).await;
    t.deploy().await;
    assert_eq!(t.said("rest", "GET /dev/pets/1", &[]).await, (200, "ok".to_owned()));
    let source = "arn:aws:execute-api:us-east-1:000000000000:rest/dev/GET/pets/{id}";
    assert_eq!(t.functions.calls()[0].source_arn.as_deref(), Some(source));

    // What is deployed stays until the next deployment.
    t.method(&pets, "POST", json!({})).await;
    let missing = (403, r#"{"message":"Missing Authentication Token"}"#.to_owned());
    assert_eq!(t.said("rest", "POST /dev/pets", &[]).await, missing);
    t.deploy().await;
    assert_eq!(t.said("rest", "POST /dev/pets", &[]).await.0, 200);
    assert_eq!(t.said("rest", "GET /dev/pets", &[]).await, missing);
    assert_eq!(t.said("rest", "GET /prod/pets", &[]).await, (403, r#"{"message":"Forbidden"}"#.to_owned()));

    let listed = t.rest("GetResources", json!({"restapi_id": "rest"})).await.ok();
    let paths: Vec<_> = listed["item"].as_array().expect("items").iter().map(|one| one["path"].clone()).collect();
    assert!(paths.contains(&json!("/")) && paths.contains(&json!("/pets/{id}")), "{paths:?}");
    assert_eq!(t.apis.addresses()[0].url, "http://rest.execute-api.us-east-1.localhost:4566/dev");
}

#[tokio::test]
async fn a_stage_can_go_back_to_an_older_deployment() {
    let t = Room::new();
    let root = t.rest_api().await;
    t.method(&root, "GET", json!({})).await;
    t.deploy().await;
    let at = json!({"restapi_id": "rest", "stage_name": "dev"});
    let first = t.rest("GetStage", at.clone()).await.ok()["deploymentId"].clone();
    t.method(&root, "POST", json!({})).await;
    t.deploy().await;
    assert_eq!(t.said("rest", "POST /dev", &[]).await.0, 200);
    let back = json!([
        {"op": "replace", "path": "/deploymentId", "value": first},
        {"op": "replace", "path": "/variables/color", "value": "red"},
    ]);
    let stage = t.rest("UpdateStage", with(at, json!({"patchOperations": back}))).await.ok();
    assert_eq!((&stage["deploymentId"], &stage["variables"]), (&first, &json!({"color": "red"})));
    assert_eq!(t.said("rest", "POST /dev", &[]).await.0, 403);
    let delete = json!({"restapi_id": "rest", "deployment_id": first});
    t.rest("DeleteDeployment", delete).await.error("BadRequestException");
    let stages = t.rest("GetStages", json!({"restapi_id": "rest", "deploymentId": first})).await.ok();
    assert_eq!(stages["item"][0]["stageName"], "dev");
}

#[tokio::test]
async fn a_mock_answers_preflight_requests() {
    let t = Room::new();
    let root = t.rest_api().await;
    t.method(&root, "GET", json!({})).await;
    let at = json!({"restapi_id": "rest", "resource_id": root, "http_method": "OPTIONS"});
    t.rest("PutMethod", with(at.clone(), json!({"authorizationType": "NONE"}))).await.ok();
    let mock = json!({"type": "MOCK", "requestTemplates": {"application/json": "{statusCode:200}"}});
    t.rest("PutIntegration", with(at.clone(), mock)).await.ok();
    let of_200 = with(at, json!({"status_code": "200"}));
    let allowed = json!({"responseParameters": {"method.response.header.Access-Control-Allow-Origin": true}});
    t.rest("PutMethodResponse", with(of_200.clone(), allowed)).await.ok();
    let allowed = json!({"responseParameters": {"method.response.header.Access-Control-Allow-Origin": "'*'"}});
    t.rest("PutIntegrationResponse", with(of_200.clone(), allowed)).await.ok();
    assert_eq!(t.rest("GetIntegrationResponse", of_200).await.ok()["statusCode"], "200");
    t.deploy().await;
    let answer = t.ask("rest", "OPTIONS /dev", &[("origin", "https://a.example")]).await;
    assert_eq!(
        (answer.status.as_u16(), answer.headers["access-control-allow-origin"].as_bytes()),
        (200, b"*".as_slice())
    );
    assert!(t.functions.calls().is_empty());
    assert!(t.apis.meet("rest", &http::Method::GET, "/dev").expect("an API").has_cors());
}

#[tokio::test]
async fn what_is_not_there_is_refused_by_name() {
    let t = Room::new();
    let root = t.rest_api().await;
    let at = json!({"restapi_id": "rest", "resource_id": root, "http_method": "GET"});
    let key = with(at.clone(), json!({"authorizationType": "NONE", "apiKeyRequired": true}));
    assert!(t.rest("PutMethod", key).await.error("BadRequestException").contains("ApiKeyRequired"));
    let pool = with(at.clone(), json!({"authorizationType": "COGNITO_USER_POOLS"}));
    assert!(t.rest("PutMethod", pool).await.error("BadRequestException").contains("Invalid authorizer ID"));
    t.rest("PutMethod", with(at.clone(), json!({"authorizationType": "NONE"}))).await.ok();
    let again = t.rest("PutMethod", with(at.clone(), json!({"authorizationType": "NONE"}))).await;
    assert_eq!(again.error("ConflictException"), "Method already exists for this resource");
    for kind in ["AWS", "HTTP", "HTTP_PROXY"] {
        let put = with(at.clone(), json!({"type": kind, "uri": "https://example.com"}));
        assert!(t.rest("PutIntegration", put).await.error("BadRequestException").contains(kind));
    }
    let undeployable = t.rest("CreateDeployment", json!({"restapi_id": "rest"})).await;
    assert_eq!(undeployable.error("BadRequestException"), "No integration defined for method");
    for part in ["", "a/b", "{x", "a{b}"] {
        let input = json!({"restapi_id": "rest", "parent_id": root, "pathPart": part});
        t.rest("CreateResource", input).await.error("BadRequestException");
    }
    t.resource(&root, "a").await;
    let twice = t.rest("CreateResource", json!({"restapi_id": "rest", "parent_id": root, "pathPart": "a"})).await;
    assert!(twice.error("ConflictException").contains("already has this name: a"));
    let missing = t.rest("GetRestApi", json!({"restapi_id": "none"})).await.error("NotFoundException");
    assert_eq!(missing, "Invalid API identifier specified 000000000000:none");
}

#[tokio::test]
async fn a_tree_is_deleted_with_its_branches() {
    let t = Room::new();
    let root = t.rest_api().await;
    let a = t.resource(&root, "a").await;
    let b = t.resource(&a, "b").await;
    t.rest("DeleteResource", json!({"restapi_id": "rest", "resource_id": root})).await.error("BadRequestException");
    t.rest("DeleteResource", json!({"restapi_id": "rest", "resource_id": a})).await.ok();
    t.rest("GetResource", json!({"restapi_id": "rest", "resource_id": b})).await.error("NotFoundException");
    t.rest("DeleteRestApi", json!({"restapi_id": "rest"})).await.ok();
    assert_eq!(t.rest("GetRestApis", json!({})).await.ok(), json!({"item": []}));
}

#[tokio::test]
async fn failures_are_told_as_aws_tells_them() {
    let t = Room::new();
    let root = t.rest_api().await;
    t.method(&root, "GET", json!({})).await;
    let response = json!({
        "restapi_id": "rest", "response_type": "DEFAULT_5XX",
        "responseParameters": {"gatewayresponse.header.Access-Control-Allow-Origin": "'*'"},
    });
    t.rest("PutGatewayResponse", response).await.ok();
    t.deploy().await;
    t.functions.answer_with(Err(FunctionFailure::Failed("boom".into())));
    let answer = t.ask("rest", "GET /dev", &[]).await;
    assert_eq!(answer.status.as_u16(), 502);
    assert_eq!(answer.headers["access-control-allow-origin"], "*");
    assert_eq!(answer.headers["x-amzn-errortype"], "InternalServerErrorException");
    t.functions.answer(&json!({"statusCode": 200, "body": {"no": "text"}}));
    assert_eq!(t.said("rest", "GET /dev", &[]).await, (502, r#"{"message":"Internal server error"}"#.to_owned()));
    assert!(t.last_detail().contains("malformed Lambda proxy response"), "{}", t.last_detail());
}

#[tokio::test(start_paused = true)]
async fn a_function_has_29_seconds() {
    let t = Room::new();
    let root = t.rest_api().await;
    t.method(&root, "GET", json!({})).await;
    t.deploy().await;
    t.functions.never_answers.store(true, std::sync::atomic::Ordering::Relaxed);
    let began = tokio::time::Instant::now();
    assert_eq!(t.said("rest", "GET /dev", &[]).await, (504, r#"{"message":"Endpoint request timed out"}"#.to_owned()));
    assert_eq!(began.elapsed().as_secs(), 29);
}

#[tokio::test]
async fn apis_and_stages_have_tags() {
    let t = Room::new();
    let root = t.rest_api().await;
    t.method(&root, "GET", json!({})).await;
    t.deploy().await;
    for arn in
        ["arn:aws:apigateway:us-east-1::/restapis/rest", "arn:aws:apigateway:us-east-1::/restapis/rest/stages/dev"]
    {
        t.rest("TagResource", json!({"resource_arn": arn, "tags": {"a": "1", "b": "2"}})).await.ok();
        t.rest("UntagResource", json!({"resource_arn": arn, "tagKeys": "a,x"})).await.ok();
        assert_eq!(t.rest("GetTags", json!({"resource_arn": arn})).await.ok(), json!({"tags": {"b": "2"}}));
    }
}
