//! Stacks as people write them.

use serde_json::json;

use super::{FUNCTION, Kit};

/// What the article builds, in plain `CloudFormation`, with the circle that people fall into: the function's
/// environment names the pool, and the pool the function.
pub const ARTICLE: &str = r"
Resources:
  Pool:
    Type: AWS::Cognito::UserPool
    Properties:
      UserPoolName: RossUserPool
      UsernameConfiguration: {CaseSensitive: False}
      UsernameAttributes: [email]
      AutoVerifiedAttributes: [email]
      Schema:
        - {Name: plan, AttributeDataType: String, Mutable: true, StringAttributeConstraints: {MaxLength: 20}}
      LambdaConfig:
        PostConfirmation: !GetAtt Announce.Arn
  Client:
    Type: AWS::Cognito::UserPoolClient
    Properties:
      UserPoolId: !Ref Pool
      ClientName: web
      GenerateSecret: true
      ExplicitAuthFlows: [ALLOW_USER_PASSWORD_AUTH, ALLOW_REFRESH_TOKEN_AUTH]
  Announce:
    Type: AWS::Lambda::Function
    Properties:
      Runtime: provided.al2023
      Handler: announce
      Role: !GetAtt Role.Arn
      Timeout: '5'
      Code: {S3Bucket: built-in, S3Key: 'false'}
      Environment:
        Variables: {POOL: !Ref Pool, SECRET: !GetAtt Client.ClientSecret, BUS: !Ref Bus, DEAD: !Ref Dead, N: 8080}
  Role:
    Type: AWS::IAM::Role
    Properties: {AssumeRolePolicyDocument: {}}
  Allow:
    Type: AWS::Lambda::Permission
    Properties:
      Action: lambda:InvokeFunction
      FunctionName: !Ref Announce
      Principal: cognito-idp.amazonaws.com
      SourceArn: !GetAtt Pool.Arn
  Bus:
    Type: AWS::Events::EventBus
    Properties: {Name: users}
  Rule:
    Type: AWS::Events::Rule
    Properties:
      EventBusName: !Ref Bus
      EventPattern: {source: [app], detail-type: [UserCreated]}
      Targets:
        - Id: create
          Arn: !GetAtt Announce.Arn
          DeadLetterConfig: {Arn: !GetAtt Dead.Arn}
          RetryPolicy: {MaximumRetryAttempts: '3'}
  Dead:
    Type: AWS::SQS::Queue
    Properties: {MessageRetentionPeriod: 1209600}
  Table:
    Type: AWS::DynamoDB::Table
    Properties:
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions: [{AttributeName: pk, AttributeType: S}]
      KeySchema: [{AttributeName: pk, KeyType: HASH}]
      StreamSpecification: {StreamViewType: NEW_IMAGE}
  Reader:
    Type: AWS::Lambda::EventSourceMapping
    Properties:
      FunctionName: !Ref Announce
      EventSourceArn: !GetAtt Table.StreamArn
      StartingPosition: LATEST
Outputs:
  PoolId: {Value: !Ref Pool}
  RuleName: {Value: !Ref Rule, Export: {Name: !Sub '${AWS::StackName}-rule'}}
  Stream: {Value: !GetAtt Table.StreamArn}
";

#[tokio::test]
async fn the_articles_stack_is_made_with_its_circle() {
    let t = Kit::new().await;
    let loaded = t.load(ARTICLE).await.expect("it loads");
    let stack = &loaded.stack;
    assert_eq!(loaded.changes.len(), 9, "{:?}", loaded.changes);
    let said: Vec<_> = loaded.warnings.iter().map(|warning| warning.message.as_str()).collect();
    assert_eq!(said, ["IAM is read and not enforced: every role may do everything here"]);

    let pool = t.call("cognito-idp", "DescribeUserPool", json!({"UserPoolId": stack.user_pool_id})).await;
    let announce = format!("arn:aws:lambda:us-east-1:000000000000:function:{}", stack.functions[0]);
    assert_eq!(pool["UserPool"]["LambdaConfig"]["PostConfirmation"], announce);
    assert_eq!(pool["UserPool"]["UsernameConfiguration"]["CaseSensitive"], false);
    let input = json!({"UserPoolId": stack.user_pool_id, "ClientId": stack.user_pool_client_id});
    let client = t.call("cognito-idp", "DescribeUserPoolClient", input).await;
    assert_eq!(client["UserPoolClient"]["ClientName"], "web");

    let function = t.call("lambda", "GetFunctionConfiguration", json!({"FunctionName": stack.functions[0]})).await;
    let variables = &function["Environment"]["Variables"];
    assert_eq!(variables["POOL"], *stack.user_pool_id);
    assert_eq!(variables["SECRET"], client["UserPoolClient"]["ClientSecret"]);
    assert_eq!(variables["N"], "8080");
    assert_eq!(function["Timeout"], 5);

    let rule = &stack.outputs["RuleName"];
    let (bus, name) = rule.split_once('|').expect("a rule on a bus of its own");
    assert_eq!(bus, "users");
    let targets = t.call("events", "ListTargetsByRule", json!({"Rule": name, "EventBusName": bus})).await;
    assert_eq!(targets["Targets"][0]["Arn"], announce);
    assert_eq!(targets["Targets"][0]["RetryPolicy"]["MaximumRetryAttempts"], 3);
    assert!(stack.outputs["Stream"].contains("/stream/"), "{:?}", stack.outputs);
    let mappings = t.call("lambda", "ListEventSourceMappings", json!({})).await;
    assert_eq!(mappings["EventSourceMappings"][0]["EventSourceArn"], stack.outputs["Stream"]);
}

#[tokio::test]
async fn a_second_load_finds_everything() {
    let mut t = Kit::new().await;
    let first = t.load(ARTICLE).await.expect("it loads");
    let second = t.load(ARTICLE).await.expect("it loads again");
    assert_eq!(second.changes, []);
    assert_eq!(second.stack, first.stack);
    // Another port is another queue's address, and the function's environment has it in it.
    t.rooms.queues.set_endpoint("http://127.0.0.1:4999".to_owned());
    t.at_port(4999);
    assert_eq!(t.loaded(ARTICLE).await, ["updated Announce"]);
}

#[tokio::test]
async fn what_left_the_template_is_removed() {
    let t = Kit::new().await;
    let stack = t.load(ARTICLE).await.expect("it loads").stack;
    let changed = t.loaded(&format!("Resources: {FUNCTION}")).await;
    assert!(changed.iter().all(|change| !change.starts_with("updated")), "{changed:?}");
    assert_eq!(
        t.error("cognito-idp", "DescribeUserPool", json!({"UserPoolId": stack.user_pool_id})).await,
        "ResourceNotFoundException"
    );
    assert_eq!(
        t.error("dynamodb", "DescribeTable", json!({"TableName": stack.table_name})).await,
        "ResourceNotFoundException"
    );
    assert_eq!(t.error("events", "DescribeEventBus", json!({"Name": "users"})).await, "ResourceNotFoundException");
    assert_eq!(t.call("sqs", "ListQueues", json!({})).await["QueueUrls"].as_array().map_or(0, Vec::len), 0);
    let functions = t.call("lambda", "ListFunctions", json!({})).await;
    assert_eq!(functions["Functions"].as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn another_stack_imports_what_this_one_exports() {
    let t = Kit::new().await;
    let first = t.load(ARTICLE).await.expect("it loads").stack;
    let other = r"
Resources:
  Value: {Type: AWS::SSM::Parameter, Properties: {Type: String, Name: /rule, Value: !ImportValue app-rule}}
Outputs:
  Rule: {Value: !GetAtt Value.Value}
";
    let second = t.load_as("other", other).await.expect("it loads").stack;
    assert_eq!(second.outputs["Rule"], first.outputs["RuleName"]);
    let again = t.load_as("other", &ARTICLE.replace("${AWS::StackName}-rule", "app-rule")).await;
    let message = again.expect_err("two stacks export one name").to_string();
    assert!(message.ends_with("Export with name app-rule is already exported by stack app"), "{message}");
}
