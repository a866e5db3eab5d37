//! A stack of one's own: `tandem dev template.yaml`.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use aws_sdk_cognitoidentityprovider::Client as Pools;
use aws_sdk_dynamodb::Client as Tables;
use e2e::{PASSWORD, Server};
use serde_json::Value;

/// The functions of the binary itself, wired as the article has it, with another pool, bus and table.
const TEMPLATE: &str = r"
AWSTemplateFormatVersion: '2010-09-09'
Transform: AWS::Serverless-2016-10-31
Parameters:
  Stage: {Type: String, Default: dev}
Globals:
  Function:
    Runtime: provided.al2023
    Environment: {Variables: {EVENT_BUS_NAME: !Ref Bus, TABLE_NAME: !Ref Profiles, SENDER_ADDRESS: no-reply@example.com}}
Resources:
  Users:
    Type: AWS::Cognito::UserPool
    Properties:
      UserPoolName: !Sub users-${Stage}
      UsernameAttributes: [email]
      UsernameConfiguration: {CaseSensitive: false}
      AutoVerifiedAttributes: [email]
  Web:
    Type: AWS::Cognito::UserPoolClient
    Properties: {UserPoolId: !Ref Users, ExplicitAuthFlows: [ALLOW_USER_PASSWORD_AUTH, ALLOW_REFRESH_TOKEN_AUTH]}
  Bus: {Type: AWS::Events::EventBus, Properties: {Name: !Sub 'users-${Stage}'}}
  Profiles:
    Type: AWS::DynamoDB::Table
    Properties:
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions:
        - {AttributeName: pk, AttributeType: S}
        - {AttributeName: sk, AttributeType: S}
        - {AttributeName: emailKey, AttributeType: S}
      KeySchema: [{AttributeName: pk, KeyType: HASH}, {AttributeName: sk, KeyType: RANGE}]
      GlobalSecondaryIndexes:
        - IndexName: byEmail
          KeySchema: [{AttributeName: emailKey, KeyType: HASH}, {AttributeName: pk, KeyType: RANGE}]
          Projection: {ProjectionType: ALL}
  Announce:
    Type: AWS::Serverless::Function
    Properties:
      FunctionName: announce
      Handler: announce-user
      CodeUri: s3://built-in/announce-user
      Events: {SignUp: {Type: Cognito, Properties: {UserPool: !Ref Users, Trigger: PostConfirmation}}}
  Create:
    Type: AWS::Serverless::Function
    Properties:
      FunctionName: create
      Handler: create-profile
      CodeUri: s3://built-in/create-profile
      Events:
        Created:
          Type: EventBridgeRule
          Properties: {EventBusName: !Ref Bus, Pattern: {source: [tandem.identity]}}
Outputs:
  Table: {Value: !Ref Profiles}
";

fn written(directory: &Path, text: &str) -> PathBuf {
    let file = directory.join("template.yaml");
    fs::write(&file, text).expect("it is written");
    file
}

async fn signs_up(server: &Server, address: &str) {
    let pools = Pools::new(&server.config());
    let client = server.of_stack("userPoolClientId");
    pools.sign_up().client_id(client).username(address).password(PASSWORD).send().await.expect("SignUp");
    let code = server.code(address).await;
    let confirm = pools.confirm_sign_up().client_id(client).username(address).confirmation_code(code);
    confirm.send().await.expect("ConfirmSignUp");
    server.settle().await;
}

async fn profiles(server: &Server) -> i32 {
    let scan = Tables::new(&server.config()).scan().table_name(server.of_stack("tableName"));
    scan.send().await.expect("Scan").count()
}

/// What the stack is once it is as wanted: the file is looked at several times a second.
async fn once(server: &Server, wanted: impl Fn(&Value) -> bool) -> Value {
    let mut looks = tokio::time::interval(Duration::from_millis(50));
    for _ in 0..400 {
        looks.tick().await;
        let stack = server.inside("GET", "/_tandem/stack", "").await.1;
        if wanted(&stack) {
            return stack;
        }
    }
    panic!("the stack did not change");
}

#[tokio::test]
async fn a_sam_template_is_served_and_outlives_the_process() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = written(directory.path(), TEMPLATE);
    let state = directory.path().join("state");
    let arguments = ["--state", state.to_str().expect("a path in UTF-8"), "--parameter", "Stage=prod"];
    let server = Server::serving(&file, &arguments).await;
    assert_eq!(server.of_stack("eventBusName"), "users-prod");
    assert_eq!(server.stack["outputs"]["Table"], server.stack["tableName"]);
    signs_up(&server, "ann@example.com").await;
    assert_eq!(profiles(&server).await, 1);
    let before = server.stack.clone();
    server.kill_9().await;

    let server = Server::serving(&file, &arguments).await;
    assert_eq!(server.stack["userPoolId"], before["userPoolId"]);
    assert_eq!(server.stack["userPoolClientId"], before["userPoolClientId"]);
    assert_eq!(profiles(&server).await, 1);
    signs_up(&server, "ben@example.com").await;
    assert_eq!(profiles(&server).await, 2);
}

#[tokio::test]
async fn a_saved_file_is_applied_and_loses_nobody() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = written(directory.path(), TEMPLATE);
    let server = Server::serving(&file, &["--in-memory"]).await;
    signs_up(&server, "ann@example.com").await;

    written(directory.path(), &TEMPLATE.replace("Outputs:", "  Dead: {Type: AWS::SQS::Queue}\nOutputs:"));
    let changed = once(&server, |stack| stack["resources"].to_string().contains("AWS::SQS::Queue")).await;
    assert_eq!(changed["userPoolId"], server.stack["userPoolId"]);
    // A mistake changes nothing; the next file counts again.
    written(directory.path(), "Resources: {");
    written(directory.path(), &TEMPLATE.replace("Table: {Value", "People: {Value"));
    once(&server, |stack| stack["outputs"]["People"] == stack["tableName"]).await;
    assert_eq!(profiles(&server).await, 1);

    let (status, reset) = server.inside("POST", "/_tandem/reset", "").await;
    assert_eq!((status, &reset["userPoolId"]), (200, &server.stack["userPoolId"]));
    assert_eq!(profiles(&server).await, 0);
}

/// What another stack gives and what a file of variables says, under a name that the framework would not look for.
#[tokio::test]
async fn a_service_asks_another_stack_and_a_file_of_variables() {
    let directory = tempfile::tempdir().expect("a directory");
    let state = directory.path().join("state");
    let state = state.to_str().expect("a path in UTF-8");
    let base = written(
        directory.path(),
        "Resources: {Bus: {Type: AWS::Events::EventBus, Properties: {Name: users}}}\nOutputs: {Bus: {Value: !Ref Bus}}\n",
    );
    Server::serving(&base, &["--state", state, "--stack-name", "base"]).await.kill_9().await;

    let service = directory.path().join("users.service.yml");
    let text = "service: users\nprovider: {name: aws}\nresources:\n  Resources:\n    Queue:\n      Type: AWS::SQS::Queue\n      \
                Properties: {QueueName: '${cf:base.Bus}-${env:SUFFIX}'}\n  Outputs: {Name: {Value: !GetAtt Queue.QueueName}}\n";
    fs::write(&service, text).expect("it is written");
    let variables = directory.path().join("variables");
    fs::write(&variables, "SUFFIX=\"dead\"\n").expect("it is written");
    let variables = variables.to_str().expect("a path in UTF-8");
    let server = Server::serving(&service, &["--state", state, "--env-file", variables]).await;
    assert_eq!(server.stack["outputs"]["Name"], "users-dead");
}
