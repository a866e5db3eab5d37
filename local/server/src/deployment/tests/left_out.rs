//! What is not served is left out by name and line, with what belongs to it; the rest of the stack is made.

use serde_json::json;

use super::{FUNCTION, Kit};

#[tokio::test]
async fn a_websocket_api_goes_with_all_its_parts() {
    let t = Kit::new().await;
    let text = format!(
        "Resources:{FUNCTION}{}",
        r"
  Sockets: {Type: AWS::ApiGatewayV2::Api, Properties: {Name: s, ProtocolType: WEBSOCKET, RouteSelectionExpression: $request.body.action}}
  To: {Type: AWS::ApiGatewayV2::Integration, Properties: {ApiId: !Ref Sockets, IntegrationType: AWS_PROXY, IntegrationUri: !GetAtt Announce.Arn}}
  Way: {Type: AWS::ApiGatewayV2::Route, Properties: {ApiId: !Ref Sockets, RouteKey: $connect, Target: !Sub 'integrations/${To}'}}
  Stage: {Type: AWS::ApiGatewayV2::Stage, Properties: {ApiId: !Ref Sockets, StageName: dev}}
Outputs:
  Url: {Value: !Sub 'wss://${Sockets}.example.com'}
"
        .trim_start_matches('\n')
    );
    let stack = t.load(&text).await.expect("it loads").stack;
    assert_eq!(stack.functions, ["announce"]);
    assert_eq!(stack.outputs["Url"], "wss://Sockets-local.example.com");
    assert_eq!(
        stack.warnings,
        ["template.yaml:10:3: Sockets (AWS::ApiGatewayV2::Api) is left out: WebSocket APIs are not served here; \
          references to it give Sockets-local; with it Stage, To, Way"]
    );
    assert_eq!(t.loaded(&text).await, [""; 0]);
}

#[tokio::test]
async fn a_function_in_an_image_goes_and_its_pool_is_served_without_it() {
    let t = Kit::new().await;
    let text = r"
Resources:
  Packed: {Type: AWS::Lambda::Function, Properties: {Role: r, PackageType: Image, Code: {ImageUri: x}}}
  Users: {Type: AWS::Cognito::UserPool, Properties: {UserPoolName: users, LambdaConfig: {PostConfirmation: !GetAtt Packed.Arn}}}
  Invoke:
    Type: AWS::Lambda::Permission
    Properties: {Action: lambda:InvokeFunction, FunctionName: !Ref Packed, Principal: cognito-idp.amazonaws.com, SourceArn: !GetAtt Users.Arn}
  Nightly: {Type: AWS::Events::Rule, Properties: {ScheduleExpression: rate(1 day), Targets: [{Id: t, Arn: !GetAtt Packed.Arn}]}}
";
    let stack = t.load(text).await.expect("it loads").stack;
    let pool = t.call("cognito-idp", "DescribeUserPool", json!({"UserPoolId": stack.user_pool_id})).await;
    assert_eq!(pool["UserPool"]["LambdaConfig"]["PostConfirmation"], json!(null));
    assert_eq!(
        stack.warnings,
        [
            "template.yaml:3:3: Packed (AWS::Lambda::Function) is left out: container images are not run by this server; \
             references to it give Packed-local; with it Invoke",
            "template.yaml:4:3: Users (AWS::Cognito::UserPool): the function of PostConfirmation is not made: the trigger is \
             left out, and people sign in without it",
            "template.yaml:8:3: Nightly (AWS::Events::Rule): the target \"t\" leads to \"Packed-local\", which is not here: it \
             is left out",
        ]
    );
}

#[tokio::test]
async fn a_key_that_nobody_asks_for_is_named() {
    let t = Kit::new().await;
    let text = r"
Resources:
  Api: {Type: AWS::ApiGateway::RestApi, Properties: {Name: users}}
  Get:
    Type: AWS::ApiGateway::Method
    Properties:
      RestApiId: !Ref Api
      ResourceId: !GetAtt Api.RootResourceId
      HttpMethod: GET
      ApiKeyRequired: true
      RequestValidatorId: !Ref Checked
      Integration: {Type: MOCK}
  Checked: {Type: AWS::ApiGateway::RequestValidator, Properties: {RestApiId: !Ref Api, ValidateRequestBody: true}}
  Key: {Type: AWS::ApiGateway::ApiKey, Properties: {Enabled: true}}
";
    let warnings = t.load(text).await.expect("it loads").stack.warnings;
    let missing = "resources of this type are not made by this server; references to it give";
    assert_eq!(
        warnings,
        [
            "template.yaml:11:7: RequestValidatorId of AWS::ApiGateway::Method is not honoured: it is left out".to_owned(),
            "template.yaml:4:3: Get (AWS::ApiGateway::Method): ApiKeyRequired is not honoured: the method answers without a key"
                .to_owned(),
            format!("template.yaml:13:3: Checked (AWS::ApiGateway::RequestValidator) is left out: {missing} Checked-local"),
            format!("template.yaml:14:3: Key (AWS::ApiGateway::ApiKey) is left out: {missing} Key-local"),
        ]
    );
}
