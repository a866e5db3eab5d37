//! `GetParametersByPath`.

use aws_api::Call;
use serde::{Deserialize, Serialize};

use super::{Shown, cut};
use crate::constraint::Constraints;
use crate::page;
use crate::room::Parameters;
use crate::ssm::error::Error;
use crate::ssm::filter::{Asked, Filter, Filters, is_under};
use crate::ssm::name::check_path;
use crate::ssm::parameter::Found;
use crate::ssm::store::{self, Depth};

/// The longest page, and the usual one.
const PAGE_MAX: i64 = 10;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    path: String,
    #[serde(default)]
    recursive: bool,
    #[serde(default)]
    parameter_filters: Vec<Filter>,
    #[serde(default)]
    with_decryption: bool,
    max_results: Option<i64>,
    next_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Response {
    parameters: Vec<Shown>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

pub async fn run(room: &Parameters, request: Request, _call: &Call) -> Result<Response, Error> {
    let mut constraints = Constraints::new();
    constraints.length(Some(&request.path), "path", 1, 2048);
    constraints.range(request.max_results, "maxResults", 1, PAGE_MAX).check()?;
    check_path(&request.path)?;
    let filters = Filters::read(request.parameter_filters, Asked::ByPath)?;
    let after = page::key(request.next_token.as_deref())?;
    let limit = usize::try_from(request.max_results.unwrap_or(PAGE_MAX)).unwrap_or_default();
    let (path, recursive) = (request.path, request.recursive);
    let read = move |connection: &rusqlite::Connection| {
        let takes = |found: &Found| is_under(&found.version.name, &path, recursive) && filters.take(found);
        let depth = if filters.by_label() { Depth::Every } else { Depth::Current };
        store::search(connection, depth, after.as_deref(), limit + 1, takes)
    };
    let (found, next_token) = cut(room.database.read(read).await?, limit);
    let place = &room.world.place;
    let shown = |found: Found| Shown::of(found.version, request.with_decryption, None, place);
    Ok(Response { parameters: found.into_iter().map(shown).collect(), next_token })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::testing::{Room, names};

    async fn found(t: &Room, input: Value) -> Vec<String> {
        names(&t.ssm("GetParametersByPath", input).await.ok()["Parameters"])
    }

    async fn filled() -> Room {
        let t = Room::new();
        for name in ["/a/x", "/a/y", "/a/y/z", "/ab/x", "plain"] {
            t.put(name, "v").await;
        }
        t
    }

    #[tokio::test]
    async fn a_level_or_all_below() {
        let t = filled().await;
        assert_eq!(found(&t, json!({ "Path": "/a" })).await, ["/a/x", "/a/y"]);
        assert_eq!(found(&t, json!({ "Path": "/a/", "Recursive": true })).await, ["/a/x", "/a/y", "/a/y/z"]);
        assert_eq!(found(&t, json!({ "Path": "/" })).await, ["plain"]);
        assert_eq!(found(&t, json!({ "Path": "/", "Recursive": true })).await.len(), 5);
        assert!(found(&t, json!({ "Path": "/nowhere" })).await.is_empty());
    }

    #[tokio::test]
    async fn pages_follow_each_other() {
        let t = filled().await;
        let mut input = json!({ "Path": "/", "Recursive": true, "MaxResults": 2 });
        let mut all = Vec::new();
        loop {
            let page = t.ssm("GetParametersByPath", input.clone()).await.ok();
            all.push(names(&page["Parameters"]).len());
            match page.get("NextToken") {
                Some(token) => input["NextToken"] = token.clone(),
                None => break,
            }
        }
        assert_eq!(all, [2, 2, 1]);
        let message = "1 validation error detected: Value '11' at 'maxResults' failed to satisfy constraint: Member must \
                       have value less than or equal to 10";
        let input = json!({ "Path": "/", "MaxResults": 11 });
        t.ssm("GetParametersByPath", input).await.error("ValidationException", message);
        let input = json!({ "Path": "/", "NextToken": "?" });
        t.ssm("GetParametersByPath", input).await.error("InvalidNextToken", "The specified token is not valid.");
    }

    #[tokio::test]
    async fn filters_are_few() {
        let t = filled().await;
        let secure = json!({ "Name": "/a/secure", "Value": "v", "Type": "SecureString" });
        t.ssm("PutParameter", secure).await.ok();
        t.ssm("LabelParameterVersion", json!({ "Name": "/a/x", "Labels": ["live"] })).await.ok();
        t.put("/a/x", "newer").await;
        let by =
            |key: &str, value: &str| json!({ "Path": "/a", "ParameterFilters": [{ "Key": key, "Values": [value] }] });
        assert_eq!(found(&t, by("Type", "SecureString")).await, ["/a/secure"]);
        assert_eq!(found(&t, by("KeyId", "alias/aws/ssm")).await, ["/a/secure"]);
        let labelled = t.ssm("GetParametersByPath", by("Label", "live")).await.ok();
        assert_eq!(labelled["Parameters"][0]["Value"], "v");
        t.ssm("GetParametersByPath", by("Name", "x")).await.error(
            "InvalidFilterKey",
            "The following filter key is not valid: Name. Valid filter keys include: [Type, KeyId].",
        );
        let answer = t.ssm("GetParametersByPath", json!({ "Path": "a" })).await;
        assert!(answer.message("ValidationException").starts_with("The parameter doesn't meet the parameter name"));
    }
}
