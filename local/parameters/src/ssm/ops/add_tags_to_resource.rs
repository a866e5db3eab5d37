//! `AddTagsToResource`.

use aws_api::Call;
use serde::Deserialize;

use super::{Empty, tagged};
use crate::constraint::Constraints;
use crate::room::Parameters;
use crate::ssm::error::Error;
use crate::ssm::store;
use crate::tags::{self, TAGS_MAX, Tag};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    resource_type: String,
    resource_id: String,
    tags: Vec<Tag>,
}

pub async fn run(room: &Parameters, request: Request, _call: &Call) -> Result<Empty, Error> {
    let mut constraints = Constraints::new();
    tags::check(&request.tags, &mut constraints);
    constraints.check()?;
    let place = room.world.place.clone();
    let added = room.database.write(move |connection| {
        let mut parameter = tagged(connection, &place, &request.resource_type, &request.resource_id)?;
        parameter.tags.extend(tags::read(request.tags));
        if parameter.tags.len() > TAGS_MAX {
            return Err(Error::TooManyTags);
        }
        store::save_tags(connection, &parameter)
    });
    added.await.map(|()| Empty {})
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::testing::Room;

    fn input(more: &Value) -> Value {
        let mut input = json!({ "ResourceType": "Parameter", "ResourceId": "/a" });
        input.as_object_mut().expect("an object").extend(more.as_object().cloned().unwrap_or_default());
        input
    }

    #[tokio::test]
    async fn tags_come_and_go() {
        let t = Room::new();
        let put = json!({ "Name": "/a", "Value": "1", "Type": "String", "Tags": [{ "Key": "a", "Value": "1" }] });
        t.ssm("PutParameter", put).await.ok();
        let tags = json!({ "Tags": [{ "Key": "b", "Value": "2" }, { "Key": "c", "Value": "3" }] });
        t.ssm("AddTagsToResource", input(&tags)).await.ok();
        t.ssm("RemoveTagsFromResource", input(&json!({ "TagKeys": ["b", "x"] }))).await.ok();
        let left = t.ssm("ListTagsForResource", input(&json!({}))).await.ok();
        assert_eq!(left, json!({ "TagList": [{ "Key": "a", "Value": "1" }, { "Key": "c", "Value": "3" }] }));
        let tags: Vec<_> = (0..49).map(|n| json!({ "Key": format!("k{n}"), "Value": "" })).collect();
        t.ssm("AddTagsToResource", input(&json!({ "Tags": tags }))).await.error(
            "TooManyTagsError",
            "The Targets parameter includes too many tags. Remove one or more tags and try the command again.",
        );
    }

    #[tokio::test]
    async fn only_parameters_that_are_there_have_tags() {
        let t = Room::new();
        t.ssm("ListTagsForResource", input(&json!({}))).await.error("InvalidResourceId", "");
        t.ssm("ListTagsForResource", input(&json!({ "ResourceType": "Document" }))).await.error(
            "InvalidResourceType",
            "ResourceType Document is not implemented by this server: only Parameter is.",
        );
    }
}
