//! `ListRules`.

use aws_api::Call;
use serde::{Deserialize, Serialize};

use super::describe_rule::Summary;
use crate::constraint::Constraints;
use crate::error::Error;
use crate::page::{self, page};
use crate::room::EventBus;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    name_prefix: Option<String>,
    event_bus_name: Option<String>,
    limit: Option<i64>,
    next_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Response {
    rules: Vec<Summary>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

pub async fn run(room: &EventBus, request: Request, _call: &Call) -> Result<Response, Error> {
    let mut constraints = Constraints::new();
    constraints.name(request.name_prefix.as_deref(), "namePrefix");
    constraints.bus(request.event_bus_name.as_deref(), "eventBusName").check()?;
    page::constrain(request.limit, request.next_token.as_deref())?;
    let book = room.shelf.book().await?;
    let bus = book.bus(&room.bus_name(request.event_bus_name.as_deref()))?;
    let prefix = request.name_prefix.as_deref().unwrap_or_default();
    let rules = bus.rules().iter().filter(|rule| rule.name.starts_with(prefix));
    let page = page(rules, |rule| &rule.name, request.limit, request.next_token.as_deref())?;
    Ok(Response { rules: page.items.into_iter().map(|rule| Summary::of(rule)).collect(), next_token: page.next_token })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::Room;

    #[tokio::test]
    async fn lists_one_bus_in_pages() {
        let t = Room::new();
        t.call("CreateEventBus", json!({ "Name": "b" })).await.ok();
        for (bus, rule) in [("b", "x1"), ("b", "x2"), ("b", "y"), ("default", "x3")] {
            t.rule(bus, rule, r#"{"source":["s"]}"#).await;
        }
        let ask = json!({ "EventBusName": "b", "NamePrefix": "x", "Limit": 1 });
        let first = t.call("ListRules", ask).await.ok();
        assert_eq!(first["Rules"][0]["Name"], "x1");
        let rest = json!({ "EventBusName": "b", "NamePrefix": "x", "NextToken": first["NextToken"] });
        let rest = t.call("ListRules", rest).await.ok();
        assert_eq!((rest["Rules"].as_array().map(Vec::len), &rest["Rules"][0]["Name"]), (Some(1), &json!("x2")));
        t.call("ListRules", json!({ "EventBusName": "c" }))
            .await
            .error("ResourceNotFoundException", "Event bus c does not exist.");
        t.call("ListRules", json!({ "NextToken": "%" }))
            .await
            .error("ValidationException", "Parameter NextToken is not valid.");
    }
}
