//! `ListUserPools`.

use aws_api::Call;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use crate::constraint::Constraints;
use crate::pool::{LambdaConfig, Pool};
use crate::{Error, UserPools};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    max_results: i64,
    next_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Response {
    user_pools: Vec<UserPoolDescription>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct UserPoolDescription {
    id: String,
    name: String,
    lambda_config: LambdaConfig,
    last_modified_date: f64,
    creation_date: f64,
}

#[expect(clippy::unused_async, reason = "every operation is awaited; this one reads from memory")]
pub async fn run(room: &UserPools, request: Request, _call: &Call) -> Result<Response, Error> {
    let (pools, next_token) = page(room.pools(), |pool| &pool.id.0, request.max_results, request.next_token)?;
    let described = |pool: &std::sync::Arc<Pool>| UserPoolDescription {
        id: pool.id.0.clone(),
        name: pool.settings.name.clone(),
        lambda_config: pool.settings.lambda_config.clone(),
        last_modified_date: pool.modified.epoch_seconds(),
        creation_date: pool.created.epoch_seconds(),
    };
    Ok(Response { user_pools: pools.iter().map(described).collect(), next_token })
}

/// One page of what is sorted by id, and the token for the next: the last id, so that what is made or deleted between
/// two calls moves nothing.
pub fn page<T>(
    mut sorted: Vec<T>,
    id: impl Fn(&T) -> &str,
    max_results: i64,
    next_token: Option<String>,
) -> Result<(Vec<T>, Option<String>), Error> {
    Constraints::new().number("maxResults", max_results, 1..=60).check()?;
    if let Some(token) = next_token {
        let after = URL_SAFE_NO_PAD.decode(token).ok().and_then(|after| String::from_utf8(after).ok());
        let after = after.ok_or_else(|| Error::InvalidParameter("Invalid NextToken".into()))?;
        sorted.retain(|item| id(item) > after.as_str());
    }
    let max = usize::try_from(max_results).unwrap_or(1);
    let more = sorted.len() > max;
    sorted.truncate(max);
    let next = sorted.last().filter(|_| more).map(|last| URL_SAFE_NO_PAD.encode(id(last)));
    Ok((sorted, next))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::json;

    use crate::testing::Kit;

    #[tokio::test]
    async fn pages_hold_every_pool_once() {
        let t = Kit::new().await;
        for n in 0..4 {
            t.call("CreateUserPool", json!({"PoolName": format!("p{n}")})).await.ok();
        }
        let (mut names, mut input) = (Vec::new(), json!({"MaxResults": 2}));
        loop {
            let page = t.call("ListUserPools", input.clone()).await.ok();
            let pools = page["UserPools"].as_array().expect("a list").iter();
            names.extend(pools.map(|pool| pool["Name"].as_str().expect("a name").to_owned()));
            match page.get("NextToken") {
                Some(token) => input["NextToken"] = token.clone(),
                None => break,
            }
        }
        assert_eq!(names.len(), 5);
        assert_eq!(names.into_iter().collect::<BTreeSet<_>>().len(), 5);
    }

    #[tokio::test]
    async fn a_page_has_its_limits() {
        let t = Kit::new().await;
        t.call("ListUserPools", json!({"MaxResults": 61})).await.error("InvalidParameterException");
        t.call("ListUserPools", json!({"MaxResults": 1, "NextToken": "?"})).await.error("InvalidParameterException");
    }
}
