//! What the event bus reads: patterns, events, paths, templates.

use serde_json::{Value, json};

use crate::house;

const PREFIX: &str = "AWSEvents";

/// A pattern, and an event: tested, and as a rule that gets the event's detail.
pub fn event_pattern(bytes: &[u8]) {
    let [pattern, event] = crate::parts(bytes);
    house::visit(|house| {
        let call = |operation: &str, input: Value| house.call(&format!("{PREFIX}.{operation}"), &input);
        let (tested, _) = call("TestEventPattern", json!({"EventPattern": pattern, "Event": event}));
        let (made, answer) = call("PutRule", json!({"Name": "fuzz", "EventPattern": pattern}));
        // `TestEventPattern` also needs an event.
        assert!(tested != 200 || made == 200, "a pattern that can be tested makes no rule: {pattern}: {answer}");
        let entry = json!({"Source": "fuzz", "DetailType": "d", "Detail": event});
        let (status, answer) = call("PutEvents", json!({"Entries": [entry]}));
        assert!(status == 200 || status == 400 || status == 413, "{status} {answer}");
    });
}

/// An input template, its paths as a JSON object, and the detail of an event, all the way into a queue.
pub fn input_transformer(bytes: &[u8]) {
    let [template, paths, detail] = crate::parts(bytes);
    let paths: Value = serde_json::from_str(&paths).unwrap_or(json!({"x": paths}));
    house::visit(|house| {
        let call = |operation: &str, input: Value| house.call(&format!("{PREFIX}.{operation}"), &input);
        house.call("AmazonSQS.CreateQueue", &json!({"QueueName": "fuzz"}));
        let url = house.call("AmazonSQS.GetQueueUrl", &json!({"QueueName": "fuzz"})).1["QueueUrl"].take();
        let asked = json!({"QueueUrl": url, "AttributeNames": ["QueueArn"]});
        let arn = house.call("AmazonSQS.GetQueueAttributes", &asked).1["Attributes"]["QueueArn"].take();
        let allow = json!({"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"},
            "Action": "sqs:SendMessage", "Resource": arn});
        let policy = json!({"Version": "2012-10-17", "Statement": [allow]}).to_string();
        let set = json!({"QueueUrl": url, "Attributes": {"Policy": policy}});
        assert_eq!(house.call("AmazonSQS.SetQueueAttributes", &set).0, 200);
        call("PutRule", json!({"Name": "fuzz", "EventPattern": "{\"source\":[\"fuzz\"]}"}));
        let transformer = json!({"InputTemplate": template, "InputPathsMap": paths});
        let target = json!({"Id": "1", "Arn": arn, "InputTransformer": transformer});
        let path = json!({"Id": "2", "Arn": arn, "InputPath": paths["x"]});
        for target in [target, path] {
            call("PutTargets", json!({"Rule": "fuzz", "Targets": [target]}));
        }
        let entry = json!({"Source": "fuzz", "DetailType": "d", "Detail": detail});
        call("PutEvents", json!({"Entries": [entry]}));
        assert!(house.settle(), "a delivery does not come to an end");
        house.call("AmazonSQS.ReceiveMessage", &json!({"QueueUrl": url, "MaxNumberOfMessages": 10}));
        let ids = ["1", "2"];
        call("RemoveTargets", json!({"Rule": "fuzz", "Ids": ids}));
    });
}
