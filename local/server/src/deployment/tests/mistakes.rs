//! What is wrong is said before anything is made, with its place.

use serde_json::json;

use super::{FUNCTION, Kit};

/// A template with a pool that is right and a resource that is not: nothing is made.
async fn check(resource: &str, expected: &str) {
    let t = Kit::new().await;
    let text =
        format!("Resources:\n  Pool: {{Type: AWS::Cognito::UserPool, Properties: {{UserPoolName: p}}}}\n{resource}");
    assert_eq!(t.refused(&text).await, expected);
    let pools = t.call("cognito-idp", "ListUserPools", json!({"MaxResults": 1})).await;
    assert_eq!(pools["UserPools"], json!([]));
}

#[tokio::test]
async fn nothing_is_started_half_way() {
    check(
        "  C: {Type: AWS::Cognito::UserPoolClient, Properties: {ClientName: web}}",
        "template.yaml:3:55: AWS::Cognito::UserPoolClient needs the property UserPoolId",
    )
    .await;
    check(
        "  F:\n    Type: AWS::Lambda::Function\n    Properties: {Role: r, Runtime: nodejs22.x, Handler: a.b, Code: {S3Bucket: local, S3Key: /no/such/place}}",
        "template.yaml:3:3: F: there is no code at /no/such/place",
    )
    .await;
    check(
        "  F:\n    Type: AWS::Lambda::Function\n    Properties: {Role: r, Runtime: nodejs22.x, Handler: a.b, Timeout: soon, Code: {ZipFile: x}}",
        "template.yaml:5:71: Timeout must be a number, not a text",
    )
    .await;
}

#[tokio::test]
async fn a_circle_of_what_must_be_there_is_refused() {
    let queue = |name: &str, other: &str| {
        format!(
            "  {name}: {{Type: AWS::SQS::Queue, Properties: {{RedrivePolicy: {{maxReceiveCount: 1, \
             deadLetterTargetArn: !GetAtt {other}.Arn}}}}}}\n"
        )
    };
    check(
        &format!("{}{}", queue("A", "B"), queue("B", "A")),
        "template.yaml:3:3: Circular dependency between resources: [A, B]",
    )
    .await;
}

#[tokio::test]
async fn what_a_stack_expects_is_missed_before_anything_is_made() {
    check(
        "  R: {Type: AWS::Events::Rule, Properties: {EventBusName: orders, EventPattern: {source: [a]}}}",
        "template.yaml:3:3: R: the event bus orders is not there: aws events create-event-bus --name orders \
         --endpoint-url http://127.0.0.1:4566 makes it",
    )
    .await;
    check(
        "  T: {Type: Custom::CognitoUserPool, Properties: {FunctionName: f, UserPoolName: users, UserPoolConfigs: [{Trigger: PreSignUp}]}}",
        "template.yaml:3:3: there is no user pool with the name users: declare it in this stack, or make it with aws \
         cognito-idp create-user-pool --pool-name users --endpoint-url http://127.0.0.1:4566",
    )
    .await;
}

#[tokio::test]
async fn what_others_made_is_not_taken() {
    let t = Kit::new().await;
    t.call("events", "CreateEventBus", json!({"Name": "users"})).await;
    let text = "Resources:\n  Bus: {Type: AWS::Events::EventBus, Properties: {Name: users}}";
    let expected =
        "template.yaml:2:3: Bus (AWS::Events::EventBus): users already exists, and this stack did not make it";
    assert_eq!(t.refused(text).await, expected);
}

#[tokio::test]
async fn a_refusal_names_the_resource_and_leaves_what_was_made() {
    let t = Kit::new().await;
    let rule = "  Rule: {Type: AWS::Events::Rule, Properties: {EventPattern: {source: a}}}";
    let said = t.refused(&format!("Resources:{FUNCTION}{rule}")).await;
    assert!(
        said.starts_with(
            "template.yaml:10:3: Rule (AWS::Events::Rule): PutRule for Rule: InvalidEventPatternException: "
        ),
        "{said}"
    );
    let mended = rule.replace("source: a", "source: [a]");
    assert_eq!(t.loaded(&format!("Resources:{FUNCTION}{mended}")).await, ["made Rule"]);
}

#[tokio::test]
async fn types_that_are_not_here_are_listed_once_and_referred_to() {
    let t = Kit::new().await;
    let text = r"
Resources:
  Topic: {Type: AWS::SNS::Topic}
  Meta: {Type: AWS::CDK::Metadata, Properties: {Analytics: x}}
  Role: {Type: AWS::IAM::Role}
  Policy: {Type: AWS::IAM::Policy}
  Log: {Type: AWS::Logs::LogGroup, Properties: {LogGroupName: !Sub '/${Topic}', Tgas: 1}}
Outputs:
  Topic: {Value: !Ref Topic}
  Name: {Value: !GetAtt Topic.TopicName}
  Log: {Value: !GetAtt Log.Arn}
";
    let loaded = t.load(text).await.expect("it loads");
    assert_eq!(loaded.stack.outputs["Topic"], "Topic-local");
    assert_eq!(loaded.stack.outputs["Name"], "Topic-local");
    assert_eq!(loaded.stack.outputs["Log"], "arn:aws:logs:us-east-1:000000000000:log-group:/Topic-local:*");
    assert_eq!(
        loaded.stack.warnings,
        [
            "template.yaml:3:3: Topic (AWS::SNS::Topic) is left out: resources of this type are not made by this server; \
             references to it give Topic-local",
            "template.yaml:5:3: IAM is read and not enforced: every role may do everything here",
            "template.yaml:7:81: AWS::Logs::LogGroup has no property Tgas here: it is left out",
        ]
    );
}
