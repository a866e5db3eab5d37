//! Edits of a template: nobody loses users or items.

use serde_json::json;

use super::{FUNCTION, Kit, put_item};

const TABLE: &str = "
Resources:
  Table:
    Type: AWS::DynamoDB::Table
    Properties:
      TableName: users
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions: [{AttributeName: pk, AttributeType: S}]
      KeySchema: [{AttributeName: pk, KeyType: HASH}]
";
const INDEX: &str = "
      GlobalSecondaryIndexes:
        - IndexName: byEmail
          KeySchema: [{AttributeName: email, KeyType: HASH}]
          Projection: {ProjectionType: ALL}
";

#[tokio::test]
async fn a_table_changes_where_it_stands() {
    let t = Kit::new().await;
    assert_eq!(t.loaded(TABLE).await, ["made Table"]);
    put_item(&t, "users").await;
    let attributes = "[{AttributeName: pk, AttributeType: S}, {AttributeName: email, AttributeType: S}]";
    let indexed = TABLE.replace("[{AttributeName: pk, AttributeType: S}]", attributes) + INDEX.trim_start_matches('\n');
    let more = format!(
        "{indexed}      StreamSpecification: {{StreamViewType: NEW_IMAGE}}\n      TimeToLiveSpecification: \
         {{AttributeName: ttl, Enabled: true}}\n      Tags: [{{Key: a, Value: b}}]\n"
    );
    assert_eq!(t.loaded(&more).await, ["updated Table"]);
    let table = t.call("dynamodb", "DescribeTable", json!({"TableName": "users"})).await;
    assert_eq!(table["Table"]["GlobalSecondaryIndexes"][0]["IndexName"], "byEmail");
    assert_eq!(table["Table"]["StreamSpecification"]["StreamViewType"], "NEW_IMAGE");
    let life = t.call("dynamodb", "DescribeTimeToLive", json!({"TableName": "users"})).await;
    assert_eq!(life["TimeToLiveDescription"]["TimeToLiveStatus"], "ENABLED");
    assert_eq!(t.loaded(TABLE).await, ["updated Table"]);
    let table = t.call("dynamodb", "DescribeTable", json!({"TableName": "users"})).await;
    assert!(table["Table"]["GlobalSecondaryIndexes"].is_null(), "{table}");
    let items = t.call("dynamodb", "Scan", json!({"TableName": "users"})).await;
    assert_eq!(items["Count"], 1);
}

#[tokio::test]
async fn a_table_is_never_replaced() {
    let t = Kit::new().await;
    t.loaded(TABLE).await;
    let ranged = TABLE.replace("KeyType: HASH}]", "KeyType: HASH}, {AttributeName: sk, KeyType: RANGE}]");
    let expected = "template.yaml:3:3: Table (AWS::DynamoDB::Table): a change of KeySchema makes AWS replace it, with all \
                    that is in users: give the new one another logical id, or delete the old one first";
    assert_eq!(t.refused(&ranged).await, expected);
    assert!(t.refused(&TABLE.replace("TableName: users", "TableName: people")).await.contains("a change of TableName"));
    // Deleted by hand, it may be what it likes.
    t.call("dynamodb", "DeleteTable", json!({"TableName": "users"})).await;
    assert_eq!(t.loaded(&TABLE.replace("pk", "id")).await, ["made Table"]);
}

#[tokio::test]
async fn a_table_with_items_and_a_pool_with_users_outlive_their_template() {
    let t = Kit::new().await;
    let pool = "  Pool: {Type: AWS::Cognito::UserPool}\n";
    let stack = t.load(&format!("{TABLE}{pool}")).await.expect("it loads").stack;
    put_item(&t, "users").await;
    t.call("cognito-idp", "AdminCreateUser", json!({"UserPoolId": stack.user_pool_id, "Username": "ann"})).await;
    let mut kept = t.loaded(&format!("Resources:{FUNCTION}")).await;
    kept.sort();
    assert_eq!(kept, ["kept Pool", "kept Table", "made Announce"]);
    // They are there when they come back, and kept again when they go again.
    let mut back = t.loaded(&format!("{TABLE}{pool}{}", FUNCTION.trim_start_matches('\n'))).await;
    back.sort();
    assert_eq!(back, ["made Pool", "made Table"]);
    assert_eq!(t.call("dynamodb", "Scan", json!({"TableName": "users"})).await["Count"], 1);
    t.call("cognito-idp", "AdminGetUser", json!({"UserPoolId": stack.user_pool_id, "Username": "ann"})).await;
}

#[tokio::test]
async fn what_is_to_be_retained_is() {
    let t = Kit::new().await;
    let queue = |policy: &str| {
        format!(
            "Resources:\n  Q: {{Type: AWS::SQS::Queue, DeletionPolicy: {policy}, Properties: {{QueueName: q}}}}{FUNCTION}"
        )
    };
    t.loaded(&queue("Retain")).await;
    assert_eq!(t.loaded(&format!("Resources:{FUNCTION}")).await, ["kept Q"]);
    t.call("sqs", "GetQueueUrl", json!({"QueueName": "q"})).await;
    assert_eq!(t.loaded(&queue("Delete")).await, ["made Q"]);
    assert_eq!(t.loaded(&format!("Resources:{FUNCTION}")).await, ["removed Q"]);
}

#[tokio::test]
async fn a_function_changes_where_it_stands() {
    let t = Kit::new().await;
    let before = format!("Resources:{FUNCTION}      Timeout: 9\n      Environment: {{Variables: {{AB: c}}}}\n");
    assert_eq!(t.loaded(&before).await, ["made Announce"]);
    assert_eq!(
        t.loaded(&format!("Resources:{FUNCTION}      ReservedConcurrentExecutions: 2\n")).await,
        ["updated Announce"]
    );
    let function = t.call("lambda", "GetFunction", json!({"FunctionName": "announce"})).await;
    assert_eq!(function["Configuration"]["Timeout"], 3);
    assert!(function["Configuration"]["Environment"]["Variables"].get("AB").is_none(), "{function}");
    assert_eq!(function["Concurrency"]["ReservedConcurrentExecutions"], 2);
    // Another name is another function.
    let renamed = format!("Resources:{FUNCTION}").replace("FunctionName: announce", "FunctionName: tell");
    assert_eq!(t.loaded(&renamed).await, ["replaced Announce"]);
    assert_eq!(
        t.error("lambda", "GetFunction", json!({"FunctionName": "announce"})).await,
        "ResourceNotFoundException"
    );
    t.call("lambda", "GetFunction", json!({"FunctionName": "tell"})).await;
}

#[tokio::test]
async fn a_new_logical_id_is_no_new_resource_where_the_name_is_written() {
    let t = Kit::new().await;
    t.loaded(TABLE).await;
    put_item(&t, "users").await;
    assert_eq!(t.loaded(&TABLE.replace("  Table:", "  People:")).await, ["made People"]);
    assert_eq!(t.call("dynamodb", "Scan", json!({"TableName": "users"})).await["Count"], 1);
    assert_eq!(t.loaded(&TABLE.replace("  Table:", "  People:")).await, [""; 0]);
}

#[tokio::test]
async fn what_is_missing_is_made_again() {
    let t = Kit::new().await;
    t.loaded(&format!("Resources:{FUNCTION}")).await;
    t.call("lambda", "DeleteFunction", json!({"FunctionName": "announce"})).await;
    assert_eq!(t.loaded(&format!("Resources:{FUNCTION}")).await, ["made Announce"]);
}

#[tokio::test]
async fn what_was_made_through_the_api_stays() {
    let t = Kit::new().await;
    t.call("sqs", "CreateQueue", json!({"QueueName": "mine"})).await;
    t.call("cognito-idp", "CreateUserPool", json!({"PoolName": "mine"})).await;
    t.loaded(&format!("Resources:{FUNCTION}")).await;
    t.loaded(TABLE).await;
    t.call("sqs", "GetQueueUrl", json!({"QueueName": "mine"})).await;
    let pools = t.call("cognito-idp", "ListUserPools", json!({"MaxResults": 5})).await;
    assert_eq!(pools["UserPools"][0]["Name"], "mine");
}

#[tokio::test]
async fn a_rule_loses_the_targets_that_left_it() {
    let t = Kit::new().await;
    let rule = |targets: &str| {
        format!(
            "Resources:{FUNCTION}  Rule:\n    Type: AWS::Events::Rule\n    Properties:\n      Name: r\n      EventPattern: {{source: [a]}}\n      Targets: {targets}\n"
        )
    };
    let target = |id: &str| format!("{{Id: {id}, Arn: !GetAtt Announce.Arn}}");
    let other = "{Id: other, Arn: 'arn:aws:states:us-east-1:000000000000:stateMachine:m'}";
    let loaded = t.load(&rule(&format!("[{}, {}, {other}]", target("a"), target("b")))).await.expect("it loads");
    assert!(loaded.stack.warnings[0].contains("the target \"other\" leads to"), "{:?}", loaded.stack.warnings);
    assert_eq!(t.loaded(&rule(&format!("[{}]", target("b")))).await, ["updated Rule"]);
    let targets = t.call("events", "ListTargetsByRule", json!({"Rule": "r"})).await;
    assert_eq!(targets["Targets"].as_array().map(Vec::len), Some(1));
    assert_eq!(targets["Targets"][0]["Id"], "b");
}

#[tokio::test]
async fn tags_follow_the_template() {
    let t = Kit::new().await;
    let text = r"
Resources:
  Log: {Type: AWS::Logs::LogGroup, Properties: {LogGroupName: /users, Tags: [{Key: a, Value: one}, {Key: b, Value: b}]}}
  Http: {Type: AWS::ApiGatewayV2::Api, Properties: {Name: h, ProtocolType: HTTP, Tags: {a: one, b: b}}}
  HttpStage: {Type: AWS::ApiGatewayV2::Stage, Properties: {ApiId: !Ref Http, StageName: dev, Tags: {a: one, b: b}}}
  Rest: {Type: AWS::ApiGateway::RestApi, Properties: {Name: r, Tags: [{Key: a, Value: one}, {Key: b, Value: b}]}}
  Get:
    Type: AWS::ApiGateway::Method
    Properties: {RestApiId: !Ref Rest, ResourceId: !GetAtt Rest.RootResourceId, HttpMethod: GET, Integration: {Type: MOCK}}
  Deployed: {Type: AWS::ApiGateway::Deployment, DependsOn: Get, Properties: {RestApiId: !Ref Rest}}
  RestStage: {Type: AWS::ApiGateway::Stage, Properties: {RestApiId: !Ref Rest, StageName: dev, DeploymentId: !Ref Deployed, Tags: [{Key: a, Value: one}, {Key: b, Value: b}]}}
Outputs:
  Http: {Value: !Ref Http}
  Rest: {Value: !Ref Rest}
";
    let outputs = t.load(text).await.expect("it loads").stack.outputs;
    let changed = text
        .replace("a: one, b: b", "a: two")
        .replace("{Key: a, Value: one}, {Key: b, Value: b}", "{Key: a, Value: two}");
    t.loaded(&changed).await;
    let (http, rest) = (json!({"apiId": outputs["Http"]}), json!({"restapi_id": outputs["Rest"]}));
    let mut stages = [http.clone(), rest.clone()];
    stages[0]["stageName"] = "dev".into();
    stages[1]["stage_name"] = "dev".into();
    let [http_stage, rest_stage] = stages;
    let group = "arn:aws:logs:us-east-1:000000000000:log-group:/users";
    let found = [
        t.call("apigatewayv2", "GetApi", http).await["tags"].clone(),
        t.call("apigatewayv2", "GetStage", http_stage).await["tags"].clone(),
        t.call("apigateway", "GetRestApi", rest).await["tags"].clone(),
        t.call("apigateway", "GetStage", rest_stage).await["tags"].clone(),
        t.call("logs", "ListTagsForResource", json!({"resourceArn": group})).await["tags"].clone(),
    ];
    for tags in found {
        assert_eq!((&tags["a"], &tags["b"]), (&json!("two"), &serde_json::Value::Null), "{tags}");
    }
}
