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

#[tokio::test]
async fn an_authorizer_changes_and_its_methods_keep_it() {
    let t = Kit::new().await;
    let text = r"
Resources:
  Users: {Type: AWS::Cognito::UserPool}
  Others: {Type: AWS::Cognito::UserPool}
  Api: {Type: AWS::ApiGateway::RestApi, Properties: {Name: users}}
  Door:
    Type: AWS::ApiGateway::Authorizer
    Properties:
      RestApiId: !Ref Api
      Name: door
      Type: COGNITO_USER_POOLS
      ProviderARNs: [!GetAtt Users.Arn]
      IdentitySource: method.request.header.Authorization
  Get:
    Type: AWS::ApiGateway::Method
    Properties:
      RestApiId: !Ref Api
      ResourceId: !GetAtt Api.RootResourceId
      HttpMethod: GET
      AuthorizationType: COGNITO_USER_POOLS
      AuthorizerId: !Ref Door
      Integration: {Type: MOCK}
  Deployed: {Type: AWS::ApiGateway::Deployment, DependsOn: Get, Properties: {RestApiId: !Ref Api, StageName: dev}}
Outputs:
  Id: {Value: !Ref Api}
  Others: {Value: !GetAtt Others.Arn}
";
    let outputs = t.load(text).await.expect("it loads").stack.outputs;
    let changed = text.replace("[!GetAtt Users.Arn]", "[!GetAtt Others.Arn]").replace(".Authorization", ".X-Token");
    assert_eq!(t.loaded(&changed).await, ["updated Door", "replaced Deployed"]);
    let doors = t.call("apigateway", "GetAuthorizers", json!({"restapi_id": outputs["Id"]})).await;
    let door = &doors["item"][0];
    assert_eq!(
        (&door["providerARNs"], &door["identitySource"]),
        (&json!([outputs["Others"]]), &json!("method.request.header.X-Token"))
    );
}

/// One document says it all, as the framework's and SAM's templates do not.
#[tokio::test]
async fn an_api_is_made_of_an_openapi_document() {
    let t = Kit::new().await;
    let body = r"
  Api:
    Type: AWS::ApiGatewayV2::Api
    Properties:
      Body:
        openapi: 3.0.1
        info: {title: users, version: '1'}
        paths:
          /users/{id}:
            get:
              x-amazon-apigateway-integration:
                type: aws_proxy
                httpMethod: POST
                payloadFormatVersion: '2.0'
                uri: !Sub arn:aws:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${Announce.Arn}/invocations
  Stage: {Type: AWS::ApiGatewayV2::Stage, Properties: {ApiId: !Ref Api, StageName: $default, AutoDeploy: true}}
  Rest:
    Type: AWS::ApiGateway::RestApi
    Properties:
      Body:
        swagger: '2.0'
        info: {title: people}
        paths:
          /people:
            post:
              x-amazon-apigateway-integration:
                type: aws_proxy
                httpMethod: POST
                uri: !Sub arn:aws:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${Announce.Arn}/invocations
  Deployed: {Type: AWS::ApiGateway::Deployment, Properties: {RestApiId: !Ref Rest, StageName: dev}}
Outputs:
  Http: {Value: !Ref Api}
  Rest: {Value: !Ref Rest}
";
    let text = format!("Resources:{FUNCTION}{}", body.trim_start_matches('\n'));
    let outputs = t.load(&text).await.expect("it loads").stack.outputs;
    let routes = t.call("apigatewayv2", "GetRoutes", json!({"apiId": outputs["Http"]})).await;
    assert_eq!(routes["items"][0]["routeKey"], "GET /users/{id}");
    let resources = t.call("apigateway", "GetResources", json!({"restapi_id": outputs["Rest"]})).await;
    let people = resources["item"].as_array().expect("resources").iter().find(|item| item["path"] == "/people");
    assert!(people.is_some_and(|people| people["resourceMethods"].get("POST").is_some()), "{resources}");
    assert_eq!(t.loaded(&text).await, [""; 0]);
}
