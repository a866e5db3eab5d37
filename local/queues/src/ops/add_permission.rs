//! `AddPermission`: adds a statement to a queue's policy, under a label.

use aws_api::Call;
use serde::Deserialize;
use serde_json::{Value, json};

use super::wire::{Empty, required};
use crate::Queues;
use crate::error::Error;
use crate::queue::Queue;
use crate::store::queues;

const ACTIONS_MAX: usize = 7;
const LABEL_CHARACTERS_MAX: usize = 80;
const ACCOUNT_DIGITS: usize = 12;
/// What can be permitted to others; the rest is the owner's alone.
const ACTIONS: &[&str] = &[
    "*",
    "ChangeMessageVisibility",
    "DeleteMessage",
    "GetQueueAttributes",
    "GetQueueUrl",
    "ListDeadLetterSourceQueues",
    "PurgeQueue",
    "ReceiveMessage",
    "SendMessage",
];

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    queue_url: Option<String>,
    label: Option<String>,
    #[serde(default, rename = "AWSAccountIds")]
    accounts: Vec<String>,
    #[serde(default)]
    actions: Vec<String>,
}

pub async fn run(room: &Queues, request: Request, _call: &Call) -> Result<Empty, Error> {
    let name = room.name_in_url(request.queue_url.as_deref())?;
    let label = required(request.label, "Label")?;
    check(&label, &request.accounts, &request.actions)?;
    let world = room.world.clone();
    let change = room.database.write(move |connection| {
        let mut queue = queues::of_name(connection, &name)?;
        let arn = queue.arn(&world.place);
        let mut policy = policy(&queue).unwrap_or_else(
            || json!({"Version": "2008-10-17", "Id": format!("{arn}/SQSDefaultPolicy"), "Statement": []}),
        );
        let statements = statements(&mut policy);
        if statements.iter().any(|statement| statement["Sid"] == label.as_str()) {
            return Err(Error::invalid_value(label, "Label", "Already exists."));
        }
        let principals = request.accounts.iter().map(|account| format!("arn:aws:iam::{account}:root"));
        let actions = request.actions.iter().map(|action| format!("SQS:{action}"));
        statements.push(json!({"Sid": label, "Effect": "Allow", "Principal": {"AWS": one_or_more(principals)},
            "Action": one_or_more(actions), "Resource": arn}));
        queue.attributes.set_policy(&policy);
        queues::set_attributes(connection, queue.id, &queue.attributes, world.clock.now())
    });
    change.await?;
    Ok(Empty {})
}

fn check(label: &str, accounts: &[String], actions: &[String]) -> Result<(), Error> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    if !(1..=LABEL_CHARACTERS_MAX).contains(&label.len()) || !label.bytes().all(fits) {
        let reason = "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length";
        return Err(Error::invalid_value(label, "Label", reason));
    }
    if actions.is_empty() {
        return Err(Error::MissingParameter("Actions"));
    }
    if actions.len() > ACTIONS_MAX {
        return Err(Error::too_many_actions(actions.len(), ACTIONS_MAX));
    }
    if let Some(action) = actions.iter().find(|action| !ACTIONS.contains(&action.as_str())) {
        let reason = "Only the queue owner is allowed to invoke this action.";
        return Err(Error::invalid_value(format!("SQS:{action}"), "ActionName", reason));
    }
    let is_account =
        |account: &String| account.len() == ACCOUNT_DIGITS && account.bytes().all(|byte| byte.is_ascii_digit());
    if accounts.is_empty() || !accounts.iter().all(is_account) {
        let given = format!("[{}]", accounts.join(", "));
        return Err(Error::invalid_value(given, "PrincipalId", "Unable to verify."));
    }
    Ok(())
}

/// A queue's policy as a document.
pub(super) fn policy(queue: &Queue) -> Option<Value> {
    serde_json::from_str(queue.attributes.policy()?).ok()
}

/// Its statements, as a list also where one stands alone.
pub(super) fn statements(policy: &mut Value) -> &mut Vec<Value> {
    let statements = &mut policy["Statement"];
    if !statements.is_array() {
        *statements = Value::Array(vec![statements.take()]);
    }
    statements.as_array_mut().expect("it was made one")
}

/// AWS writes a single value without a list.
fn one_or_more(values: impl Iterator<Item = String>) -> Value {
    let mut values: Vec<Value> = values.map(Value::String).collect();
    if values.len() == 1 { values.remove(0) } else { Value::Array(values) }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::tests::{Room, refused};

    fn input(url: &str, label: &str, actions: &[&str]) -> Value {
        json!({"QueueUrl": url, "Label": label, "AWSAccountIds": ["111122223333"], "Actions": actions})
    }

    async fn statements(room: &Room, url: &str) -> Value {
        let policy: Value = serde_json::from_str(&room.attribute(url, "Policy").await).expect("a policy");
        policy["Statement"].clone()
    }

    #[tokio::test]
    async fn permissions_come_and_go_by_their_label() {
        let room = Room::new();
        let url = room.queue("orders", json!({})).await;
        room.call("AddPermission", input(&url, "one", &["SendMessage"])).await.ok();
        room.call("AddPermission", input(&url, "two", &["SendMessage", "ReceiveMessage"])).await.ok();
        let two = json!({"Sid": "two", "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111122223333:root"},
            "Action": ["SQS:SendMessage", "SQS:ReceiveMessage"],
            "Resource": "arn:aws:sqs:us-east-1:000000000000:orders"});
        assert_eq!(statements(&room, &url).await[1], two);
        room.call("RemovePermission", json!({"QueueUrl": url, "Label": "one"})).await.ok();
        assert_eq!(statements(&room, &url).await, json!([two]));
        room.call("RemovePermission", json!({"QueueUrl": url, "Label": "two"})).await.ok();
        let all = room.call("GetQueueAttributes", json!({"QueueUrl": url, "AttributeNames": ["Policy"]})).await.ok();
        assert_eq!(all, json!({}));
    }

    #[tokio::test]
    async fn wrong_input_is_refused() {
        let room = Room::new();
        let url = room.queue("orders", json!({})).await;
        room.call("AddPermission", input(&url, "one", &["SendMessage"])).await.ok();
        let value = |value: &str, parameter: &str, reason: &str| {
            let text = format!("Value {value} for parameter {parameter} is invalid. Reason: {reason}");
            refused("InvalidParameterValueException", &text)
        };
        let mut nobody = input(&url, "two", &["SendMessage"]);
        nobody["AWSAccountIds"] = json!([]);
        for (input, expected) in [
            (input(&url, "one", &["SendMessage"]), value("one", "Label", "Already exists.")),
            (
                input(&url, "two", &["CreateQueue"]),
                value("SQS:CreateQueue", "ActionName", "Only the queue owner is allowed to invoke this action."),
            ),
            (
                input(&url, "two", &["SendMessage"; 8]),
                refused("OverLimit", "8 Actions were found, maximum allowed is 7."),
            ),
            (nobody, value("[]", "PrincipalId", "Unable to verify.")),
        ] {
            assert_eq!(room.call("AddPermission", input).await.error(), expected);
        }
        let input = json!({"QueueUrl": url, "Label": "two"});
        let expected = value("two", "Label", "can't find label on existing policy.");
        assert_eq!(room.call("RemovePermission", input).await.error(), expected);
    }

    #[tokio::test]
    async fn a_policy_lets_a_service_send() {
        let room = Room::new();
        let rule = "arn:aws:events:us-east-1:000000000000:rule/all";
        let policy = json!({"Statement": {"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"},
            "Action": "sqs:SendMessage", "Resource": "*", "Condition": {"ArnEquals": {"aws:SourceArn": rule}}}});
        room.queue("orders", json!({"Policy": policy.to_string()})).await;
        room.queue("closed", json!({})).await;
        for (queue, source, expected) in
            [("orders", rule, true), ("orders", "arn:other", false), ("closed", rule, false), ("none", rule, false)]
        {
            let arn = room.world.place.arn("sqs", queue);
            let allowed = room.queues.allows(&arn, "events.amazonaws.com", source, "sqs:SendMessage").await;
            assert_eq!(allowed.expect("it is read"), expected, "{queue} {source}");
        }
    }
}
