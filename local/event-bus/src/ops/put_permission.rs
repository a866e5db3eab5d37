//! `PutPermission`: who else may put events on a bus. Kept and shown; here is only one account, so nobody is
//! ever refused by it.

use aws_api::Call;
use serde::Deserialize;
use serde_json::{Value, json};

use super::Empty;
use crate::book::Bus;
use crate::constraint::Constraints;
use crate::error::Error;
use crate::room::EventBus;
use crate::store;

/// The longest policy.
const POLICY_CHARS_MAX: usize = 10_240;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    event_bus_name: Option<String>,
    action: Option<String>,
    principal: Option<String>,
    statement_id: Option<String>,
    condition: Option<Condition>,
    policy: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Condition {
    r#type: String,
    key: String,
    value: String,
}

pub async fn run(room: &EventBus, request: Request, _call: &Call) -> Result<Empty, Error> {
    let mut constraints = Constraints::new();
    constraints.bus(request.event_bus_name.as_deref(), "eventBusName");
    constraints.length(request.action.as_deref(), "action", 1, 64);
    constraints.length(request.principal.as_deref(), "principal", 1, 12);
    constraints.name(request.statement_id.as_deref(), "statementId").check()?;
    let name = room.bus_name(request.event_bus_name.as_deref());
    let now = room.world.clock.now();
    tracing::warn!(bus = name, "the policy of an event bus is kept and shown, and not enforced");
    let put = room.shelf.change(move |book, connection| {
        let bus = book.bus_mut(&name)?;
        bus.policy = Some(match &request.policy {
            Some(policy) => whole_policy(policy)?,
            None => request.added_to(bus)?,
        });
        if bus.policy.as_ref().is_some_and(|policy| policy.to_string().encode_utf16().count() > POLICY_CHARS_MAX) {
            return Err(Error::PolicyLengthExceeded("The policy is longer than 10240 characters.".into()));
        }
        bus.modified_at = now;
        store::put_bus(connection, bus)?;
        Ok(Empty {})
    });
    put.await
}

fn whole_policy(text: &str) -> Result<Value, Error> {
    let policy = serde_json::from_str(text).ok().filter(|policy: &Value| policy["Statement"].is_array());
    policy.ok_or_else(|| Error::parameter("Policy", Some("It is no policy document.")))
}

impl Request {
    /// The bus's policy with this statement, in place of one of the same id.
    fn added_to(&self, bus: &Bus) -> Result<Value, Error> {
        let (Some(action), Some(principal), Some(id)) = (&self.action, &self.principal, &self.statement_id) else {
            return Err(Error::validation(
                "Parameter(s) Action, Principal and StatementId, or Policy, must be specified.",
            ));
        };
        let principal = match principal.as_str() {
            "*" => json!("*"),
            account => json!({ "AWS": format!("arn:aws:iam::{account}:root") }),
        };
        let mut statement =
            json!({ "Sid": id, "Effect": "Allow", "Principal": principal, "Action": action, "Resource": bus.arn });
        if let Some(Condition { r#type, key, value }) = &self.condition {
            statement["Condition"] = json!({ r#type: { key: value } });
        }
        let mut statements = statements(bus);
        statements.retain(|before| before["Sid"] != **id);
        statements.push(statement);
        Ok(policy_of(&statements))
    }
}

/// The statements of a bus's policy.
pub fn statements(bus: &Bus) -> Vec<Value> {
    let statements = bus.policy.as_ref().and_then(|policy| policy["Statement"].as_array());
    statements.cloned().unwrap_or_default()
}

/// A policy of statements.
pub fn policy_of(statements: &[Value]) -> Value {
    json!({ "Version": "2012-10-17", "Statement": statements })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::testing::Room;

    async fn policy(t: &Room) -> Option<Value> {
        let bus = t.call("DescribeEventBus", json!({})).await.ok();
        bus.get("Policy").map(|policy| serde_json::from_str(policy.as_str().expect("text")).expect("JSON"))
    }

    #[tokio::test]
    async fn statements_add_up() {
        let t = Room::new();
        for (id, principal) in [("s1", "111111111111"), ("s2", "*"), ("s2", "*")] {
            let statement = json!({ "Action": "events:PutEvents", "Principal": principal, "StatementId": id });
            t.call("PutPermission", statement).await.ok();
        }
        let arn = "arn:aws:events:us-east-1:000000000000:event-bus/default";
        let expected = json!({ "Version": "2012-10-17", "Statement": [
            { "Sid": "s1", "Effect": "Allow", "Principal": { "AWS": "arn:aws:iam::111111111111:root" }, "Action": "events:PutEvents", "Resource": arn },
            { "Sid": "s2", "Effect": "Allow", "Principal": "*", "Action": "events:PutEvents", "Resource": arn },
        ] });
        assert_eq!(policy(&t).await, Some(expected));
    }

    #[tokio::test]
    async fn a_whole_policy_replaces_all() {
        let t = Room::new();
        let whole = json!({ "Version": "2012-10-17", "Statement": [{ "Sid": "x", "Effect": "Allow" }] });
        t.call("PutPermission", json!({ "Policy": whole.to_string() })).await.ok();
        assert_eq!(policy(&t).await, Some(whole));
        let missing = t.call("PutPermission", json!({ "EventBusName": "b", "Policy": "{}" })).await;
        missing.error("ResourceNotFoundException", "Event bus b does not exist.");
    }

    #[tokio::test]
    async fn statements_are_removed() {
        let t = Room::new();
        for id in ["s1", "s2"] {
            let statement = json!({ "Action": "events:PutEvents", "Principal": "*", "StatementId": id });
            t.call("PutPermission", statement).await.ok();
        }
        t.call("RemovePermission", json!({ "StatementId": "s1" })).await.ok();
        assert_eq!(policy(&t).await.expect("one is left")["Statement"][0]["Sid"], "s2");
        t.call("RemovePermission", json!({ "RemoveAllPermissions": true })).await.ok();
        assert_eq!(policy(&t).await, None);
        let missing = t.call("RemovePermission", json!({ "StatementId": "s1" })).await;
        missing.error("ResourceNotFoundException", "Statement with the provided id does not exist.");
    }
}
