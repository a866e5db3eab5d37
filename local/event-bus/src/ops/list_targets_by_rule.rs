//! `ListTargetsByRule`.

use aws_api::Call;
use serde::{Deserialize, Serialize};

use crate::constraint::Constraints;
use crate::error::Error;
use crate::page::{self, page};
use crate::room::EventBus;
use crate::target::Target;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    rule: Option<String>,
    event_bus_name: Option<String>,
    limit: Option<i64>,
    next_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Response {
    targets: Vec<Target>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

pub async fn run(room: &EventBus, request: Request, _call: &Call) -> Result<Response, Error> {
    let mut constraints = Constraints::new();
    constraints.required(request.rule.as_ref(), "rule").name(request.rule.as_deref(), "rule");
    constraints.bus(request.event_bus_name.as_deref(), "eventBusName").check()?;
    page::constrain(request.limit, request.next_token.as_deref())?;
    let book = room.shelf.book().await?;
    let bus = room.bus_name(request.event_bus_name.as_deref());
    let mut targets = book.rule(&bus, request.rule.as_deref().unwrap_or_default())?.targets.clone();
    targets.sort_by(|a, b| a.id.cmp(&b.id));
    let page = page(targets.iter(), |target| &target.id, request.limit, request.next_token.as_deref())?;
    let targets = page.items.into_iter().map(|target| Target::clone(target)).collect();
    Ok(Response { targets, next_token: page.next_token })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::Room;

    #[tokio::test]
    async fn lists_in_pages() {
        let t = Room::new();
        t.rule("default", "r", r#"{"source":["s"]}"#).await;
        for id in ["t1", "t2", "t3"] {
            t.target("default", "r", json!({ "Id": id, "Arn": "arn:aws:sqs:us-east-1:000000000000:q" })).await;
        }
        let first = t.call("ListTargetsByRule", json!({ "Rule": "r", "Limit": 2 })).await.ok();
        assert_eq!(first["Targets"].as_array().map(Vec::len), Some(2));
        let rest = json!({ "Rule": "r", "Limit": 2, "NextToken": first["NextToken"] });
        assert_eq!(t.call("ListTargetsByRule", rest).await.ok()["Targets"][0]["Id"], "t3");
        let missing = t.call("ListTargetsByRule", json!({ "Rule": "x" })).await;
        missing.error("ResourceNotFoundException", "Rule x does not exist on EventBus default.");
    }
}
