//! Queues, buses, parameters, secrets, log groups, layers: made, read back, changed, removed.

use serde_json::json;

use super::{FUNCTION, Kit};

#[tokio::test]
async fn queues() {
    let t = Kit::new().await;
    let text = r"
Resources:
  Dead: {Type: AWS::SQS::Queue, Properties: {QueueName: dead.fifo, FifoQueue: true}}
  Work:
    Type: AWS::SQS::Queue
    Properties:
      FifoQueue: 'true'
      VisibilityTimeout: '60'
      RedrivePolicy: {deadLetterTargetArn: !GetAtt Dead.Arn, maxReceiveCount: 3}
  Policy:
    Type: AWS::SQS::QueuePolicy
    Properties:
      Queues: [!Ref Work]
      PolicyDocument: {Version: 2012-10-17, Statement: [{Effect: Allow, Principal: '*', Action: sqs:*, Resource: !GetAtt Work.Arn}]}
Outputs:
  Url: {Value: !Ref Work}
  Name: {Value: !GetAtt Work.QueueName}
";
    let stack = t.load(text).await.expect("it loads").stack;
    let name = &stack.outputs["Name"];
    assert_eq!(name.rsplit_once('.').map(|(_, ending)| ending), Some("fifo"), "{stack:?}");
    assert!(stack.outputs["Url"].ends_with(name), "{stack:?}");
    let input = json!({"QueueUrl": stack.outputs["Url"], "AttributeNames": ["All"]});
    let attributes = t.call("sqs", "GetQueueAttributes", input.clone()).await;
    assert_eq!(attributes["Attributes"]["VisibilityTimeout"], "60");
    assert!(
        attributes["Attributes"]["Policy"].as_str().is_some_and(|policy| policy.contains("2012-10-17")),
        "{attributes}"
    );
    assert_eq!(t.loaded(&text.replace("      VisibilityTimeout: '60'\n", "")).await, ["updated Work"]);
    let attributes = t.call("sqs", "GetQueueAttributes", input).await;
    assert_eq!(attributes["Attributes"]["VisibilityTimeout"], "30");
}

#[tokio::test]
async fn buses_and_what_is_on_them() {
    let t = Kit::new().await;
    let text = r"
Resources:
  Bus: {Type: AWS::Events::EventBus, Properties: {Name: users, Tags: [{Key: a, Value: b}]}}
  Policy:
    Type: AWS::Events::EventBusPolicy
    Properties:
      EventBusName: !Ref Bus
      StatementId: others
      Statement: {Effect: Allow, Principal: '*', Action: events:PutEvents, Resource: !GetAtt Bus.Arn}
  Archive: {Type: AWS::Events::Archive, Properties: {SourceArn: !GetAtt Bus.Arn, RetentionDays: 3}}
  Connection:
    Type: AWS::Events::Connection
    Properties:
      AuthorizationType: API_KEY
      AuthParameters: {ApiKeyAuthParameters: {ApiKeyName: x-key, ApiKeyValue: secret}}
  Destination:
    Type: AWS::Events::ApiDestination
    Properties: {ConnectionArn: !GetAtt Connection.Arn, HttpMethod: POST, InvocationEndpoint: 'https://example.com/hook'}
  Rule:
    Type: AWS::Events::Rule
    Properties:
      EventBusName: !GetAtt Bus.Arn
      EventPattern: {source: [app]}
      Targets: [{Id: out, Arn: !GetAtt Destination.Arn, RoleArn: 'arn:aws:iam::000000000000:role/r'}]
Outputs:
  Rule: {Value: !Ref Rule}
  Archive: {Value: !Ref Archive}
";
    let stack = t.load(text).await.expect("it loads").stack;
    assert!(stack.outputs["Rule"].starts_with("users|app-Rule-"), "{stack:?}");
    let archive = json!({"ArchiveName": stack.outputs["Archive"]});
    assert_eq!(t.call("events", "DescribeArchive", archive.clone()).await["RetentionDays"], 3);
    let bus = t.call("events", "DescribeEventBus", json!({"Name": "users"})).await;
    assert!(bus["Policy"].as_str().is_some_and(|policy| policy.contains("others")), "{bus}");
    assert_eq!(t.loaded(text).await, [""; 0]);
    assert_eq!(t.loaded(&text.replace(", RetentionDays: 3", "")).await, ["updated Archive"]);
    assert_ne!(t.call("events", "DescribeArchive", archive).await["RetentionDays"], 3);
    let removed = t.loaded(&format!("Resources:{FUNCTION}")).await;
    assert_eq!(removed.iter().filter(|change| change.starts_with("removed")).count(), 6, "{removed:?}");
}

#[tokio::test]
async fn a_schedule_becomes_a_rule() {
    let t = Kit::new().await;
    let text = format!(
        "Resources:{FUNCTION}{}",
        r"  Nightly:
    Type: AWS::Scheduler::Schedule
    Properties:
      Name: nightly
      FlexibleTimeWindow: {Mode: 'OFF'}
      ScheduleExpression: cron(0 3 * * ? *)
      ScheduleExpressionTimezone: Europe/Copenhagen
      Target: {Arn: !GetAtt Announce.Arn, RoleArn: 'arn:aws:iam::000000000000:role/r', Input: '{}'}
"
    );
    let loaded = t.load(&text).await.expect("it loads");
    assert!(loaded.stack.warnings[0].contains("Europe/Copenhagen is not honoured"), "{:?}", loaded.stack.warnings);
    let rule = t.call("events", "DescribeRule", json!({"Name": "nightly"})).await;
    assert_eq!(rule["ScheduleExpression"], "cron(0 3 * * ? *)");
    t.call("lambda", "GetPolicy", json!({"FunctionName": "announce"})).await;
    assert_eq!(t.loaded(&format!("Resources:{FUNCTION}")).await, ["removed Nightly"]);
    assert_eq!(t.error("events", "DescribeRule", json!({"Name": "nightly"})).await, "ResourceNotFoundException");
}

#[tokio::test]
async fn parameters_and_secrets() {
    let t = Kit::new().await;
    let text = r#"
Resources:
  Url: {Type: AWS::SSM::Parameter, Properties: {Name: /app/url, Type: String, Value: a}}
  Secret:
    Type: AWS::SecretsManager::Secret
    Properties:
      Name: app/db
      GenerateSecretString: {SecretStringTemplate: '{"user": "app"}', GenerateStringKey: password, PasswordLength: 20}
Outputs:
  Secret: {Value: !Ref Secret}
  Url: {Value: !GetAtt Url.Value}
"#;
    let stack = t.load(text).await.expect("it loads").stack;
    assert_eq!(stack.outputs["Url"], "a");
    assert!(
        stack.outputs["Secret"].starts_with("arn:aws:secretsmanager:us-east-1:000000000000:secret:app/db-"),
        "{stack:?}"
    );
    let secret = t.call("secretsmanager", "GetSecretValue", json!({"SecretId": "app/db"})).await;
    let value: serde_json::Value =
        serde_json::from_str(secret["SecretString"].as_str().expect("a text")).expect("JSON");
    assert_eq!(value["user"], "app");
    assert_eq!(value["password"].as_str().map(str::len), Some(20));
    assert_eq!(t.loaded(text).await, [""; 0]);
    assert_eq!(t.loaded(&text.replace("Value: a", "Value: b")).await, ["updated Url"]);
    let parameter = t.call("ssm", "GetParameter", json!({"Name": "/app/url"})).await;
    assert_eq!(parameter["Parameter"]["Value"], "b");
    // What was generated stays what it is.
    assert_eq!(
        t.call("secretsmanager", "GetSecretValue", json!({"SecretId": "app/db"})).await["SecretString"],
        secret["SecretString"]
    );
    t.loaded(&format!("Resources:{FUNCTION}")).await;
    assert_eq!(t.error("ssm", "GetParameter", json!({"Name": "/app/url"})).await, "ParameterNotFound");
}

#[tokio::test]
async fn values_are_looked_up_while_a_template_is_loaded() {
    let t = Kit::new().await;
    t.call("ssm", "PutParameter", json!({"Name": "/days", "Type": "String", "Value": "7"})).await;
    t.call(
        "secretsmanager",
        "CreateSecret",
        json!({"Name": "db", "ClientRequestToken": "x".repeat(32), "SecretString": r#"{"name": "/x"}"#}),
    )
    .await;
    let text = "Resources:\n  Log:\n    Type: AWS::Logs::LogGroup\n    Properties:\n      LogGroupName: '{{resolve:secretsmanager:db:SecretString:name}}'\n      RetentionInDays: '{{resolve:ssm:/days}}'";
    assert_eq!(t.loaded(text).await, ["made Log"]);
    let groups = t.call("logs", "DescribeLogGroups", json!({"logGroupNamePrefix": "/x"})).await;
    assert_eq!(groups["logGroups"][0]["retentionInDays"], 7);
}

#[tokio::test]
async fn what_belongs_to_functions() {
    let t = Kit::new().await;
    let text = format!(
        "Resources:{FUNCTION}{}",
        r"  V1: {Type: AWS::Lambda::Version, Properties: {FunctionName: !Ref Announce}}
  Live: {Type: AWS::Lambda::Alias, Properties: {FunctionName: !Ref Announce, Name: live, FunctionVersion: !GetAtt V1.Version}}
  Url: {Type: AWS::Lambda::Url, Properties: {TargetFunctionArn: !Ref Live, AuthType: NONE}}
  Allow: {Type: AWS::Lambda::Permission, Properties: {FunctionName: !Ref Live, Action: lambda:InvokeFunctionUrl, Principal: '*', FunctionUrlAuthType: NONE}}
  Dead: {Type: AWS::SQS::Queue}
  Async:
    Type: AWS::Lambda::EventInvokeConfig
    Properties:
      FunctionName: !Ref Announce
      Qualifier: $LATEST
      MaximumRetryAttempts: 1
      DestinationConfig: {OnFailure: {Destination: !GetAtt Dead.Arn}, OnSuccess: {Destination: Topic-local}}
  Poll: {Type: AWS::Lambda::EventSourceMapping, Properties: {FunctionName: !Ref Live, EventSourceArn: !GetAtt Work.Arn, BatchSize: 5}}
  Work: {Type: AWS::SQS::Queue}
Outputs:
  Alias: {Value: !Ref Live}
  Url: {Value: !GetAtt Url.FunctionUrl}
"
    );
    let loaded = t.load(&text).await.expect("it loads");
    let stack = &loaded.stack;
    assert_eq!(stack.outputs["Alias"], "arn:aws:lambda:us-east-1:000000000000:function:announce:live");
    assert_eq!(stack.urls["Url"], stack.outputs["Url"]);
    assert!(stack.warnings[0].contains("OnSuccess leads to"), "{:?}", stack.warnings);
    let config = t
        .call("lambda", "GetFunctionEventInvokeConfig", json!({"FunctionName": "announce", "Qualifier": "$LATEST"}))
        .await;
    assert_eq!(config["MaximumRetryAttempts"], 1);
    assert_eq!(t.loaded(&text).await, [""; 0]);
    let changed = text.replace("BatchSize: 5", "BatchSize: 6").replace("AuthType: NONE}}", "AuthType: AWS_IAM}}");
    assert_eq!(t.loaded(&changed).await, ["updated Url", "replaced Allow", "updated Poll"]);
    let mappings = t.call("lambda", "ListEventSourceMappings", json!({})).await;
    assert_eq!(mappings["EventSourceMappings"][0]["BatchSize"], 6);
    let removed = t.loaded(&format!("Resources:{FUNCTION}")).await;
    assert_eq!(removed.len(), 8, "{removed:?}");
    assert_eq!(
        t.error("lambda", "GetFunctionUrlConfig", json!({"FunctionName": "announce", "Qualifier": "live"})).await,
        "ResourceNotFoundException"
    );
}

#[tokio::test]
async fn a_schedule_of_one_time_is_a_rule_that_fires_once() {
    let t = Kit::new().await;
    let text = format!(
        "Resources:{FUNCTION}  Once: {{Type: AWS::Scheduler::Schedule, Properties: {{Name: once, FlexibleTimeWindow: {{Mode: 'OFF'}}, \
         ScheduleExpression: 'at(2030-01-02T03:04:00)', Target: {{Arn: !GetAtt Announce.Arn, RoleArn: r}}}}}}"
    );
    t.loaded(&text).await;
    let rule = t.call("events", "DescribeRule", json!({"Name": "once"})).await;
    assert_eq!(rule["ScheduleExpression"], "cron(4 3 2 1 ? 2030)");
    let wrong = t.refused(&text.replace("2030-01-02T03:04:00", "soon")).await;
    assert!(wrong.contains("ScheduleExpression must be at(yyyy-mm-ddThh:mm:ss), not at(soon)"), "{wrong}");
}

/// What `{{resolve:…}}` names is made by the same stack.
const OWN_VALUES: &str = r"
  Password:
    Type: AWS::SecretsManager::Secret
    Properties: {Name: app/db, GenerateSecretString: {SecretStringTemplate: '{}', GenerateStringKey: password}}
  Mode: {Type: AWS::SSM::Parameter, Properties: {Name: /app/mode, Type: String, Value: fast}}
  ByRef: {Type: AWS::SSM::Parameter, Properties: {Name: /ref, Type: String, Value: !Sub '{{resolve:secretsmanager:${Password}:SecretString:password}}'}}
  ByName: {Type: AWS::SSM::Parameter, Properties: {Name: /name, Type: String, Value: 'x-{{resolve:secretsmanager:app/db:SecretString:password}}'}}
  OfMode: {Type: AWS::SSM::Parameter, Properties: {Name: /of, Type: String, Value: 'x-{{resolve:ssm:/app/mode}}'}}
";

#[tokio::test]
async fn dynamic_references_find_what_the_same_stack_makes() {
    let t = Kit::new().await;
    // Whoever names the secret stands before it.
    let (secret, others) =
        OWN_VALUES.trim_start_matches('\n').split_at(OWN_VALUES.find("  ByRef").expect("it is there") - 1);
    let text = format!("Resources:\n{others}{secret}");
    t.load(&text).await.expect("it loads");
    let secret = t.call("secretsmanager", "GetSecretValue", json!({"SecretId": "app/db"})).await;
    let secret: serde_json::Value =
        serde_json::from_str(secret["SecretString"].as_str().expect("a text")).expect("JSON");
    let password = secret["password"].as_str().expect("a password").to_owned();
    let value =
        async |name: &str| t.call("ssm", "GetParameter", json!({"Name": name})).await["Parameter"]["Value"].clone();
    assert_eq!(value("/ref").await, password.as_str());
    assert_eq!(value("/name").await, format!("x-{password}"));
    assert_eq!(value("/of").await, "x-fast");
    assert_eq!(t.loaded(&text).await, [""; 0]);
    assert_eq!(t.loaded(&text.replace("Value: fast", "Value: slow")).await, ["updated OfMode", "updated Mode"]);
    assert_eq!(value("/of").await, "x-slow");
}

#[tokio::test]
async fn a_function_gets_the_secret_that_is_made_behind_it() {
    let t = Kit::new().await;
    let variables = "Environment: {Variables: {PASSWORD: '{{resolve:secretsmanager:key}}'}}";
    let function = FUNCTION.replace("Handler: announce", &format!("Handler: announce\n      {variables}"));
    let text = format!(
        "Resources:{function}  Key: {{Type: AWS::SecretsManager::Secret, Properties: {{Name: key, SecretString: s3cret}}}}"
    );
    t.load(&text).await.expect("it loads");
    let function = t.call("lambda", "GetFunctionConfiguration", json!({"FunctionName": "announce"})).await;
    assert_eq!(function["Environment"]["Variables"]["PASSWORD"], "s3cret");
    let mut changed = t.loaded(&text.replace("s3cret", "other")).await;
    changed.sort();
    assert_eq!(changed, ["updated Announce", "updated Key"]);
    let function = t.call("lambda", "GetFunctionConfiguration", json!({"FunctionName": "announce"})).await;
    assert_eq!(function["Environment"]["Variables"]["PASSWORD"], "other");
}
