//! `TagResource`.

use std::collections::BTreeMap;
use std::sync::Arc;

use aws_api::Call;
use serde::{Deserialize, Serialize};

use crate::constraint::Constraints;
use crate::pool::Pool;
use crate::{Error, UserPools};

const TAGS_MAX: usize = 50;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    resource_arn: String,
    tags: BTreeMap<String, String>,
}

#[derive(Serialize)]
pub struct Response {}

pub async fn run(room: &UserPools, request: Request, _call: &Call) -> Result<Response, Error> {
    let pool = tagged(room, &request.resource_arn)?;
    let mut constraints = Constraints::new();
    for (key, value) in &request.tags {
        constraints = constraints.length("tags.key", key, 1..=128).length("tags.value", value, 0..=256);
    }
    constraints.check()?;
    change(room, &pool, |tags| tags.extend(request.tags)).await?;
    Ok(Response {})
}

/// The pool of an ARN: nothing else here has tags.
pub fn tagged(room: &UserPools, arn: &str) -> Result<Arc<Pool>, Error> {
    let found = room.pools().into_iter().find(|pool| pool.arn == arn);
    found.ok_or_else(|| Error::no_such_pool(arn.rsplit('/').next().unwrap_or(arn)))
}

/// Changes the tags of a pool.
pub async fn change(
    room: &UserPools,
    pool: &Pool,
    change: impl FnOnce(&mut BTreeMap<String, String>),
) -> Result<(), Error> {
    let mut pool = pool.clone();
    change(&mut pool.settings.user_pool_tags);
    Constraints::new().items("tags", pool.settings.user_pool_tags.len(), 0..=TAGS_MAX).check()?;
    room.save_pool(pool).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::Kit;

    #[tokio::test]
    async fn tags_come_and_go() {
        let t = Kit::new().await;
        let arn = format!("arn:aws:cognito-idp:us-east-1:000000000000:userpool/{}", t.pool);
        let tags = json!({"stage": "dev", "team": "a"});
        t.call("TagResource", json!({"ResourceArn": arn, "Tags": tags})).await.ok();
        t.call("UntagResource", json!({"ResourceArn": arn, "TagKeys": ["team", "none"]})).await.ok();
        let tags = t.call("ListTagsForResource", json!({"ResourceArn": arn})).await.ok();
        assert_eq!(tags, json!({"Tags": {"stage": "dev"}}));
        let pool = t.call("DescribeUserPool", json!({"UserPoolId": t.pool})).await.ok();
        assert_eq!(pool["UserPool"]["UserPoolTags"], json!({"stage": "dev"}));
    }

    #[tokio::test]
    async fn only_pools_have_tags() {
        let t = Kit::new().await;
        let other = json!({"ResourceArn": "arn:aws:cognito-idp:us-east-1:000000000000:userpool/us-east-1_none"});
        t.call("ListTagsForResource", other).await.error("ResourceNotFoundException");
    }
}
