//! `ListRuleNamesByTarget`.

use aws_api::Call;
use serde::{Deserialize, Serialize};

use crate::constraint::Constraints;
use crate::error::Error;
use crate::page::{self, page};
use crate::room::EventBus;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    target_arn: Option<String>,
    event_bus_name: Option<String>,
    limit: Option<i64>,
    next_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Response {
    rule_names: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

pub async fn run(room: &EventBus, request: Request, _call: &Call) -> Result<Response, Error> {
    let mut constraints = Constraints::new();
    constraints.required(request.target_arn.as_ref(), "targetArn");
    constraints.length(request.target_arn.as_deref(), "targetArn", 1, 1600);
    constraints.bus(request.event_bus_name.as_deref(), "eventBusName").check()?;
    page::constrain(request.limit, request.next_token.as_deref())?;
    let arn = request.target_arn.unwrap_or_default();
    let book = room.shelf.book().await?;
    let bus = book.bus(&room.bus_name(request.event_bus_name.as_deref()))?;
    let rules = bus.rules().iter().filter(|rule| rule.targets.iter().any(|target| target.arn == arn));
    let page = page(rules, |rule| &rule.name, request.limit, request.next_token.as_deref())?;
    Ok(Response { rule_names: page.items.iter().map(|rule| rule.name.clone()).collect(), next_token: page.next_token })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::Room;

    #[tokio::test]
    async fn finds_rules_by_target() {
        let t = Room::new();
        let arn = |queue: &str| format!("arn:aws:sqs:us-east-1:000000000000:{queue}");
        for (rule, queue) in [("r1", "q1"), ("r2", "q2"), ("r3", "q1")] {
            t.rule("default", rule, r#"{"source":["s"]}"#).await;
            t.target("default", rule, json!({ "Id": "t", "Arn": arn(queue) })).await;
        }
        let found = t.call("ListRuleNamesByTarget", json!({ "TargetArn": arn("q1") })).await.ok();
        assert_eq!(found, json!({ "RuleNames": ["r1", "r3"] }));
    }
}
