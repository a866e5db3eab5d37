//! `UntagResource`.

use aws_api::Call;
use serde::Deserialize;

use super::Empty;
use crate::constraint::Constraints;
use crate::error::Error;
use crate::room::EventBus;
use crate::store;
use crate::tags::Resource;

#[derive(Deserialize)]
pub struct Request {
    #[serde(rename = "ResourceARN")]
    resource_arn: Option<String>,
    #[serde(rename = "TagKeys")]
    tag_keys: Option<Vec<String>>,
}

pub async fn run(room: &EventBus, request: Request, _call: &Call) -> Result<Empty, Error> {
    let mut constraints = Constraints::new();
    constraints.required(request.resource_arn.as_ref(), "resourceARN");
    constraints.required(request.tag_keys.as_ref(), "tagKeys").check()?;
    let resource = Resource::read(room, &request.resource_arn.unwrap_or_default())?;
    let keys = request.tag_keys.unwrap_or_default();
    let untagged = room.shelf.change(move |book, connection| {
        let (arn, tags) = resource.tags_mut(book)?;
        tags.retain(|key, _| !keys.contains(key));
        store::put_tags(connection, &arn, tags)?;
        Ok(Empty {})
    });
    untagged.await
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::Room;

    #[tokio::test]
    async fn a_tag_that_is_not_there_is_no_error() {
        let t = Room::new();
        let arn = t.rule("default", "r", r#"{"source":["s"]}"#).await;
        t.call("UntagResource", json!({ "ResourceARN": arn, "TagKeys": ["k"] })).await.ok();
    }
}
