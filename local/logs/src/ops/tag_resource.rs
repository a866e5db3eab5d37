//! `TagResource`.

use aws_api::Call;
use serde::Deserialize;

use super::{Empty, change_group};
use crate::arn;
use crate::error::Error;
use crate::room::Logs;
use crate::tags::{self, Tags};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Request {
    resource_arn: String,
    tags: Tags,
}

pub async fn run(room: &Logs, request: Request, _call: &Call) -> Result<Empty, Error> {
    add(room, arn::tagged(&room.world.place, &request.resource_arn)?, request.tags).await
}

/// Adds tags to a group.
pub async fn add(room: &Logs, group: String, tags: Tags) -> Result<Empty, Error> {
    tags::check(&tags)?;
    let change = |group: &mut crate::store::Group| {
        group.tags.extend(tags);
        tags::check_count(&group.tags)
    };
    change_group(room, group, change).await
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, Value, json};

    use crate::testing::Room;

    const ARN: &str = "arn:aws:logs:us-east-1:000000000000:log-group:g";

    #[tokio::test]
    async fn both_families_of_operations_see_the_same_tags() {
        let t = Room::new();
        t.call("CreateLogGroup", json!({ "logGroupName": "g", "tags": { "a": "1" } })).await.ok();
        t.call("TagResource", json!({ "resourceArn": ARN, "tags": { "b": "2" } })).await.ok();
        t.call("TagLogGroup", json!({ "logGroupName": "g", "tags": { "c": "3" } })).await.ok();
        t.call("UntagResource", json!({ "resourceArn": ARN, "tagKeys": ["a", "x"] })).await.ok();
        let left = json!({ "tags": { "b": "2", "c": "3" } });
        assert_eq!(t.call("ListTagsForResource", json!({ "resourceArn": ARN })).await.ok(), left);
        assert_eq!(t.call("ListTagsLogGroup", json!({ "logGroupName": "g" })).await.ok(), left);
        t.call("UntagLogGroup", json!({ "logGroupName": "g", "tags": ["b"] })).await.ok();
        let left = t.call("ListTagsForResource", json!({ "resourceArn": ARN })).await.ok();
        assert_eq!(left, json!({ "tags": { "c": "3" } }));
    }

    #[tokio::test]
    async fn tags_have_limits_and_need_a_group() {
        let t = Room::with_stream().await;
        let many: Map<String, Value> = (0..51).map(|n| (n.to_string(), json!(""))).collect();
        t.call("TagResource", json!({ "resourceArn": ARN, "tags": many }))
            .await
            .error("TooManyTagsException", "A resource can have at most 50 tags.");
        for arn in
            ["arn:aws:logs:us-east-1:000000000000:log-group:h", "arn:aws:logs:eu-west-1:000000000000:log-group:g"]
        {
            t.call("TagResource", json!({ "resourceArn": arn, "tags": {} }))
                .await
                .error("ResourceNotFoundException", "The specified log group does not exist.");
        }
    }
}
