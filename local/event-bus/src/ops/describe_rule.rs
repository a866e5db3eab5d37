//! `DescribeRule`.

use aws_api::Call;
use serde::{Deserialize, Serialize};

use crate::book::Rule;
use crate::constraint::Constraints;
use crate::error::Error;
use crate::room::EventBus;

/// Also of `EnableRule` and `DisableRule`.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    name: Option<String>,
    event_bus_name: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Response {
    #[serde(flatten)]
    rule: Summary,
    created_by: String,
}

/// A rule as `ListRules` has it.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Summary {
    name: String,
    arn: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    event_pattern: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    schedule_expression: Option<String>,
    state: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    role_arn: Option<String>,
    event_bus_name: String,
}

pub async fn run(room: &EventBus, request: Request, _call: &Call) -> Result<Response, Error> {
    let (bus, name) = request.read(room)?;
    let book = room.shelf.book().await?;
    Ok(Response { rule: Summary::of(book.rule(&bus, &name)?), created_by: room.world.place.account.clone() })
}

impl Request {
    /// The bus and the rule.
    pub fn read(self, room: &EventBus) -> Result<(String, String), Error> {
        let mut constraints = Constraints::new();
        constraints.required(self.name.as_ref(), "name").name(self.name.as_deref(), "name");
        constraints.bus(self.event_bus_name.as_deref(), "eventBusName").check()?;
        Ok((room.bus_name(self.event_bus_name.as_deref()), self.name.unwrap_or_default()))
    }
}

impl Summary {
    pub fn of(rule: &Rule) -> Self {
        Self {
            name: rule.name.clone(),
            arn: rule.arn.clone(),
            event_pattern: rule.pattern_text.clone(),
            schedule_expression: rule.schedule.as_ref().map(|schedule| schedule.text().to_owned()),
            state: rule.state.clone(),
            description: rule.description.clone(),
            role_arn: rule.role_arn.clone(),
            event_bus_name: rule.bus.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::Room;

    #[tokio::test]
    async fn tells_what_was_put() {
        let t = Room::new();
        let arn = t.rule("default", "r", r#"{"source": ["s"]}"#).await;
        let rule = t.call("DescribeRule", json!({ "Name": "r" })).await.ok();
        let expected = json!({
            "Name": "r", "Arn": arn, "EventPattern": r#"{"source": ["s"]}"#, "State": "ENABLED",
            "EventBusName": "default", "CreatedBy": "000000000000",
        });
        assert_eq!(rule, expected);
        let missing = t.call("DescribeRule", json!({ "Name": "x" })).await;
        missing.error("ResourceNotFoundException", "Rule x does not exist on EventBus default.");
    }
}
