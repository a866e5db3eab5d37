//! `ListTagsForResource`.

use aws_api::Call;
use serde::{Deserialize, Serialize};

use crate::constraint::Constraints;
use crate::error::Error;
use crate::room::EventBus;
use crate::tags::{self, Resource, Tag};

#[derive(Deserialize)]
pub struct Request {
    #[serde(rename = "ResourceARN")]
    resource_arn: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Response {
    tags: Vec<Tag>,
}

pub async fn run(room: &EventBus, request: Request, _call: &Call) -> Result<Response, Error> {
    Constraints::new().required(request.resource_arn.as_ref(), "resourceARN").check()?;
    let resource = Resource::read(room, &request.resource_arn.unwrap_or_default())?;
    let book = room.shelf.book().await?;
    Ok(Response { tags: tags::write(resource.tags(&book)?) })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::Room;

    #[tokio::test]
    async fn lists_none() {
        let t = Room::new();
        let arn = t.rule("default", "r", r#"{"source":["s"]}"#).await;
        assert_eq!(t.call("ListTagsForResource", json!({ "ResourceARN": arn })).await.ok(), json!({ "Tags": [] }));
    }
}
