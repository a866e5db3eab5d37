//! Kinds of events that nothing sends locally. Each is named with its line, and what the framework makes for it is made
//! if people refer to it, so that a stack with one such event still starts.

use crate::node::Node;
use crate::serverless::naming;
use crate::serverless::service::{Draft, Event, Service};
use crate::serverless::write::{Block, resource};

/// Kinds, and what is not there.
pub(super) const KINDS: &[(&str, &str)] = &[
    ("sns", "SNS"),
    ("s3", "S3"),
    ("websocket", "API Gateway's WebSocket API"),
    ("alb", "a load balancer"),
    ("iot", "IoT"),
    ("iotFleetProvisioning", "IoT"),
    ("cloudFront", "CloudFront"),
    ("cloudwatchLog", "a subscription of CloudWatch Logs"),
    ("alexaSkill", "Alexa"),
    ("alexaSmartHome", "Alexa"),
    ("msk", "Kafka"),
    ("kafka", "Kafka"),
    ("activemq", "Amazon MQ"),
    ("rabbitmq", "Amazon MQ"),
];

pub(super) fn compile(service: &Service, draft: &mut Draft) {
    for function in &service.functions {
        let events = function.get("events").and_then(Node::as_list).unwrap_or_default();
        for event in events.iter().filter_map(Node::as_str) {
            if let Some((kind, what)) = KINDS.iter().find(|(kind, _)| *kind == event) {
                warn(kind, what, &function.key, &function.span, draft);
            }
        }
    }
    for (kind, what) in KINDS {
        for event in service.events(kind) {
            warn(kind, what, &event.function.key, event.span, draft);
            stand_in(kind, &event, draft);
        }
    }
}

fn warn(kind: &str, what: &str, function: &str, span: &crate::source::Span, draft: &mut Draft) {
    draft.warn(
        span,
        format!("{kind}: there is no {} locally, nothing calls the function {function}", without_article(what)),
    );
}

fn without_article(what: &str) -> &str {
    what.strip_prefix("a ").unwrap_or(what)
}

/// The topic, bucket or API that the event makes on AWS.
fn stand_in(kind: &str, event: &Event, draft: &mut Draft) {
    let span = event.span;
    let name = |key: &str| event.value.as_str().or_else(|| event.get(key)?.as_str());
    match kind {
        "sns" => {
            let Some(topic) = name("topicName").filter(|name| !name.starts_with("arn:")) else { return };
            if event.get("arn").is_none() {
                let properties = Block::at(span).set("TopicName", topic).maybe("DisplayName", event.get("displayName"));
                let id = format!("SNSTopic{}", naming::alphanumeric(topic));
                draft.resource(&id, span, resource(span, "AWS::SNS::Topic", properties));
            }
        }
        "s3" => {
            let Some(bucket) = name("bucket") else { return };
            if event.get("existing").is_none() {
                let properties = Block::at(span).set("BucketName", bucket);
                let id = format!("S3Bucket{}", naming::alphanumeric(bucket));
                draft.resource(&id, span, resource(span, "AWS::S3::Bucket", properties));
            }
        }
        "websocket" => {
            let properties = Block::at(span).set("Name", "websockets").set("ProtocolType", "WEBSOCKET");
            draft.resource("WebsocketsApi", span, resource(span, "AWS::ApiGatewayV2::Api", properties));
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use crate::serverless::testing::{check_error, check_warnings, ids};

    fn service(event: &str) -> String {
        format!("functions:\n  a:\n    handler: a.b\n    events:\n      - {event}\n")
    }

    #[test]
    fn each_is_named_with_its_line() {
        check_warnings(&service("sns: my-topic"), &["7:9: sns: there is no SNS locally, nothing calls the function a"]);
        check_warnings(
            &service("alb: {priority: 1}"),
            &["7:9: alb: there is no load balancer locally, nothing calls the function a"],
        );
        check_warnings(
            &service("alexaSkill"),
            &["4:3: alexaSkill: there is no Alexa locally, nothing calls the function a"],
        );
    }

    #[test]
    fn what_people_refer_to_is_there() {
        assert!(ids(&service("sns: my-topic")).contains(&"SNSTopicMytopic".to_owned()));
        assert!(ids(&service("s3: my-bucket")).contains(&"S3BucketMybucket".to_owned()));
        assert!(ids(&service("websocket: $connect")).contains(&"WebsocketsApi".to_owned()));
    }

    #[test]
    fn what_is_no_event_at_all_is_refused() {
        check_error(
            &service("cognitoUserpool: {pool: p, trigger: PreSignUp}"),
            "serverless.yml:7:9: there is no event cognitoUserpool (did you mean cognitoUserPool?)",
        );
    }
}
