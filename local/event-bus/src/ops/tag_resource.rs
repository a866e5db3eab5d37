//! `TagResource`.

use aws_api::Call;
use serde::Deserialize;

use super::Empty;
use crate::constraint::Constraints;
use crate::error::Error;
use crate::room::EventBus;
use crate::store;
use crate::tags::{self, Resource, Tag};

#[derive(Deserialize)]
pub struct Request {
    #[serde(rename = "ResourceARN")]
    resource_arn: Option<String>,
    #[serde(rename = "Tags")]
    tags: Option<Vec<Tag>>,
}

pub async fn run(room: &EventBus, request: Request, _call: &Call) -> Result<Empty, Error> {
    let mut constraints = Constraints::new();
    constraints.required(request.resource_arn.as_ref(), "resourceARN");
    constraints.required(request.tags.as_ref(), "tags").check()?;
    let resource = Resource::read(room, &request.resource_arn.unwrap_or_default())?;
    let added = tags::read(request.tags.unwrap_or_default())?;
    let tagged = room.shelf.change(move |book, connection| {
        let (arn, tags) = resource.tags_mut(book)?;
        tags.extend(added);
        tags::check_count(tags)?;
        store::put_tags(connection, &arn, tags)?;
        Ok(Empty {})
    });
    tagged.await
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::Room;

    #[tokio::test]
    async fn tags_buses_and_rules() {
        let t = Room::new();
        t.call("CreateEventBus", json!({ "Name": "b" })).await.ok();
        let rule = t.rule("b", "r", r#"{"source":["s"]}"#).await;
        let bus = "arn:aws:events:us-east-1:000000000000:event-bus/b";
        let two = json!([{ "Key": "tag1", "Value": "value1" }, { "Key": "tag2", "Value": "value2" }]);
        for arn in [rule.as_str(), bus] {
            t.call("TagResource", json!({ "ResourceARN": arn, "Tags": two })).await.ok();
            assert_eq!(t.call("ListTagsForResource", json!({ "ResourceARN": arn })).await.ok()["Tags"], two);
            t.call("UntagResource", json!({ "ResourceARN": arn, "TagKeys": ["tag2"] })).await.ok();
            let left = t.call("ListTagsForResource", json!({ "ResourceARN": arn })).await.ok();
            assert_eq!(left["Tags"], json!([two[0]]));
        }
    }

    #[tokio::test]
    async fn a_resource_must_be_there() {
        let t = Room::new();
        let arn = |resource: &str| format!("arn:aws:events:us-east-1:000000000000:{resource}");
        let ask = |arn: String| t.call("TagResource", json!({ "ResourceARN": arn, "Tags": [] }));
        let message = "Rule r does not exist on EventBus default.";
        ask(arn("rule/r")).await.error("ResourceNotFoundException", message);
        ask(arn("event-bus/b")).await.error("ResourceNotFoundException", "Event bus b does not exist.");
        let message = "Parameter ResourceARN is not valid. Reason: Provided Arn is not in correct format.";
        ask(arn("archive/a")).await.error("ValidationException", message);
    }
}
