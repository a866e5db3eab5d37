//! Stacks within stacks.

use serde_json::json;

use super::{FUNCTION, Kit};

const INNER: &str = "
Parameters:
  Name: {Type: String}
Resources:
  Queue: {Type: AWS::SQS::Queue, Properties: {QueueName: !Ref Name}}
Outputs:
  Arn: {Value: !GetAtt Queue.Arn}
";
const OUTER: &str = "
Resources:
  Inner:
    Type: AWS::CloudFormation::Stack
    Properties:
      TemplateURL: inner.yaml
      Parameters: {Name: !Sub '${Log}-queue'}
  Log: {Type: AWS::Logs::LogGroup, Properties: {LogGroupName: app}}
Outputs:
  Arn: {Value: !GetAtt Inner.Outputs.Arn}
";

/// The inner template says so from now on.
fn write(kit: &mut Kit, inner: &str) {
    kit.files.insert("./inner.yaml".into(), inner.to_owned());
}

#[tokio::test]
async fn a_stack_within_a_stack_gets_parameters_and_gives_outputs() {
    let mut t = Kit::new().await;
    write(&mut t, INNER);
    let loaded = t.load(OUTER).await.expect("it loads");
    assert_eq!(super::changes(&loaded), ["made Log", "made Inner/Queue", "made Inner"]);
    assert_eq!(loaded.stack.outputs["Arn"], "arn:aws:sqs:us-east-1:000000000000:app-queue");
    assert!(loaded.stack.resources.iter().any(|resource| resource.logical_id == "Queue"), "{:?}", loaded.stack);
    assert_eq!(t.loaded(OUTER).await, [""; 0]);
    write(&mut t, &INNER.replace("QueueName: !Ref Name", "QueueName: !Ref Name, DelaySeconds: 3"));
    assert_eq!(t.loaded(OUTER).await, ["updated Inner/Queue"]);
    let removed = t.loaded(&format!("Resources:{FUNCTION}")).await;
    assert!(removed.contains(&"removed Inner/Queue".to_owned()), "{removed:?}");
    assert_eq!(t.error("sqs", "GetQueueUrl", json!({"QueueName": "app-queue"})).await, "QueueDoesNotExist");
}

#[tokio::test]
async fn mistakes_within_are_found_before_anything_is_made() {
    let mut t = Kit::new().await;
    write(&mut t, &INNER.replace("QueueName: !Ref Name", "DelaySeconds: soon"));
    assert!(t.refused(OUTER).await.ends_with("DelaySeconds must be a number, not a text"));
    write(&mut t, &INNER.replace("Arn: {Value", "Other: {Value"));
    assert!(t.refused(OUTER).await.ends_with("the stack Inner has no output Arn"));
    assert!(t.refused(&OUTER.replace("inner.yaml", "none.yaml")).await.contains("Inner: ./none.yaml cannot be read"));
    let groups = t.call("logs", "DescribeLogGroups", json!({})).await;
    assert_eq!(groups["logGroups"], json!([]));
}
