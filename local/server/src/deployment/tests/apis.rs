//! HTTP APIs and REST APIs.

use serde_json::json;

use super::{FUNCTION, Kit};

const HTTP: &str = "
  Api: {Type: AWS::ApiGatewayV2::Api, Properties: {Name: users, ProtocolType: HTTP, CorsConfiguration: {AllowOrigins: ['*']}}}
  Pool: {Type: AWS::Cognito::UserPool}
  Client: {Type: AWS::Cognito::UserPoolClient, Properties: {UserPoolId: !Ref Pool}}
  Guard:
    Type: AWS::ApiGatewayV2::Authorizer
    Properties:
      ApiId: !Ref Api
      Name: guard
      AuthorizerType: JWT
      IdentitySource: [$request.header.Authorization]
      JwtConfiguration: {Audience: [!Ref Client], Issuer: !GetAtt Pool.ProviderURL}
  Integration:
    Type: AWS::ApiGatewayV2::Integration
    Properties: {ApiId: !Ref Api, IntegrationType: AWS_PROXY, IntegrationUri: !GetAtt Announce.Arn, PayloadFormatVersion: '2.0'}
  Route:
    Type: AWS::ApiGatewayV2::Route
    Properties:
      ApiId: !Ref Api
      RouteKey: GET /users
      AuthorizationType: JWT
      AuthorizerId: !Ref Guard
      Target: !Sub integrations/${Integration}
  Stage: {Type: AWS::ApiGatewayV2::Stage, Properties: {ApiId: !Ref Api, StageName: $default, AutoDeploy: true}}
Outputs:
  Url: {Value: !GetAtt Api.ApiEndpoint}
  Id: {Value: !Ref Api}
";

#[tokio::test]
async fn an_http_api_with_its_parts() {
    let t = Kit::new().await;
    let text = format!("Resources:{FUNCTION}{}", HTTP.trim_start_matches('\n'));
    let stack = t.load(&text).await.expect("it loads").stack;
    let api = json!({"apiId": stack.outputs["Id"]});
    assert_eq!(stack.urls["Api"], stack.outputs["Url"]);
    let routes = t.call("apigatewayv2", "GetRoutes", api.clone()).await;
    assert_eq!(routes["items"][0]["routeKey"], "GET /users");
    let authorizers = t.call("apigatewayv2", "GetAuthorizers", api.clone()).await;
    assert_eq!(authorizers["items"][0]["jwtConfiguration"]["audience"], json!([stack.user_pool_client_id]));
    assert_eq!(routes["items"][0]["authorizerId"], authorizers["items"][0]["authorizerId"]);
    assert_eq!(t.loaded(&text).await, [""; 0]);
    assert_eq!(t.loaded(&text.replace("GET /users", "GET /people")).await, ["updated Route"]);
    let routes = t.call("apigatewayv2", "GetRoutes", api.clone()).await;
    assert_eq!(routes["items"][0]["routeKey"], "GET /people");
    t.loaded(&format!("Resources:{FUNCTION}")).await;
    assert_eq!(t.error("apigatewayv2", "GetApi", api).await, "NotFoundException");
}

const REST: &str = "
  Api: {Type: AWS::ApiGateway::RestApi, Properties: {Name: users}}
  Users: {Type: AWS::ApiGateway::Resource, Properties: {RestApiId: !Ref Api, ParentId: !GetAtt Api.RootResourceId, PathPart: users}}
  Get:
    Type: AWS::ApiGateway::Method
    Properties:
      RestApiId: !Ref Api
      ResourceId: !Ref Users
      HttpMethod: GET
      AuthorizationType: NONE
      Integration:
        Type: AWS_PROXY
        IntegrationHttpMethod: POST
        Uri: !Sub arn:aws:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${Announce.Arn}/invocations
  Deployment: {Type: AWS::ApiGateway::Deployment, DependsOn: Get, Properties: {RestApiId: !Ref Api}}
  Stage: {Type: AWS::ApiGateway::Stage, Properties: {RestApiId: !Ref Api, StageName: dev, DeploymentId: !Ref Deployment}}
Outputs:
  Id: {Value: !Ref Api}
";

#[tokio::test]
async fn a_rest_api_is_deployed_again_when_a_method_changes() {
    let t = Kit::new().await;
    let text = format!("Resources:{FUNCTION}{}", REST.trim_start_matches('\n'));
    let stack = t.load(&text).await.expect("it loads").stack;
    let key = json!({"restapi_id": stack.outputs["Id"], "stage_name": "dev"});
    let before = t.call("apigateway", "GetStage", key.clone()).await;
    assert_eq!(t.loaded(&text).await, [""; 0]);
    let changed = text.replace("AuthorizationType: NONE", "AuthorizationType: AWS_IAM");
    assert_eq!(t.loaded(&changed).await, ["updated Get", "replaced Deployment", "updated Stage"]);
    let after = t.call("apigateway", "GetStage", key).await;
    assert_ne!(before["deploymentId"], after["deploymentId"]);
    let deployments = t.call("apigateway", "GetDeployments", json!({"restapi_id": stack.outputs["Id"]})).await;
    assert_eq!(deployments["item"].as_array().map(Vec::len), Some(1), "{deployments}");
    let removed = t.loaded(&format!("Resources:{FUNCTION}")).await;
    assert_eq!(removed.len(), 5, "{removed:?}");
}
