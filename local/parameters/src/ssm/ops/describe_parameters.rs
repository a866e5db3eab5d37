//! `DescribeParameters`.

use aws_api::Call;
use serde::{Deserialize, Serialize};

use super::{About, cut};
use crate::constraint::Constraints;
use crate::page;
use crate::room::Parameters;
use crate::ssm::error::Error;
use crate::ssm::filter::{Asked, Filter, Filters, OldFilter};
use crate::ssm::name;
use crate::ssm::parameter::Found;
use crate::ssm::store::{self, Depth};

/// The longest page, and the usual one.
const PAGE_MAX: i64 = 50;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    #[serde(default)]
    filters: Vec<OldFilter>,
    #[serde(default)]
    parameter_filters: Vec<Filter>,
    max_results: Option<i64>,
    next_token: Option<String>,
    #[serde(default)]
    shared: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Response {
    parameters: Vec<Described>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

#[derive(Serialize)]
struct Described {
    #[serde(flatten)]
    about: About,
    #[serde(rename = "ARN")]
    arn: String,
}

pub async fn run(room: &Parameters, request: Request, _call: &Call) -> Result<Response, Error> {
    Constraints::new().range(request.max_results, "maxResults", 1, PAGE_MAX).check()?;
    if !request.filters.is_empty() && !request.parameter_filters.is_empty() {
        let message = "You can use either Filters or ParameterFilters in a single request.";
        return Err(Error::invalid(message));
    }
    let filters = if request.filters.is_empty() {
        Filters::read(request.parameter_filters, Asked::Described)?
    } else {
        Filters::read_old(request.filters)?
    };
    let after = page::key(request.next_token.as_deref())?;
    if request.shared {
        return Ok(Response { parameters: Vec::new(), next_token: None }); // no other account shares any
    }
    let limit = usize::try_from(request.max_results.unwrap_or(PAGE_MAX)).unwrap_or_default();
    let read = move |connection: &rusqlite::Connection| {
        let depth = if filters.by_label() { Depth::Every } else { Depth::Current };
        store::search(connection, depth, after.as_deref(), limit + 1, |found| filters.take(found))
    };
    let (found, next_token) = cut(room.database.read(read).await?, limit);
    let place = &room.world.place;
    let described = |found: Found| Described {
        about: About::of(&found.version, place),
        arn: name::arn(place, &found.version.name),
    };
    Ok(Response { parameters: found.into_iter().map(described).collect(), next_token })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::testing::{Room, names};

    async fn found(t: &Room, filter: Value) -> Vec<String> {
        names(&t.ssm("DescribeParameters", json!({ "ParameterFilters": [filter] })).await.ok()["Parameters"])
    }

    #[tokio::test]
    async fn filters_find_by_all_that_a_parameter_has() {
        let t = Room::new();
        for name in ["/a/one", "/a/b/two", "three"] {
            t.put(name, "v").await;
        }
        let tagged =
            json!({ "ResourceType": "Parameter", "ResourceId": "three", "Tags": [{ "Key": "k", "Value": "v" }] });
        t.ssm("AddTagsToResource", tagged).await.ok();
        t.ssm("LabelParameterVersion", json!({ "Name": "/a/one", "Labels": ["live"] })).await.ok();
        for (filter, expected) in [
            (json!({ "Key": "Name", "Values": ["/three"] }), vec!["three"]),
            (
                json!({ "Key": "Name", "Option": "BeginsWith", "Values": ["/a", "th"] }),
                vec!["/a/b/two", "/a/one", "three"],
            ),
            (json!({ "Key": "Name", "Option": "Contains", "Values": ["wo"] }), vec!["/a/b/two"]),
            (json!({ "Key": "Path", "Values": ["/a"] }), vec!["/a/one"]),
            (json!({ "Key": "Path", "Option": "Recursive", "Values": ["/a"] }), vec!["/a/b/two", "/a/one"]),
            (json!({ "Key": "Type", "Values": ["StringList"] }), vec![]),
            (json!({ "Key": "Tier", "Values": ["Standard"] }), vec!["/a/b/two", "/a/one", "three"]),
            (json!({ "Key": "tag:k", "Values": ["v"] }), vec!["three"]),
            (json!({ "Key": "tag:k" }), vec!["three"]),
            (json!({ "Key": "tag:k", "Values": ["w"] }), vec![]),
            (json!({ "Key": "Label", "Values": ["live"] }), vec!["/a/one"]),
        ] {
            assert_eq!(found(&t, filter.clone()).await, expected, "{filter}");
        }
        let old = json!({ "Filters": [{ "Key": "Name", "Values": ["/a"] }] });
        assert_eq!(names(&t.ssm("DescribeParameters", old).await.ok()["Parameters"]).len(), 2);
    }

    #[tokio::test]
    async fn what_is_wrong_with_a_filter_is_said() {
        let t = Room::new();
        for (filters, code, message) in [
            (
                json!([{ "Key": "Size", "Values": ["1"] }]),
                "ValidationException",
                "1 validation error detected: Value 'Size' at 'parameterFilters.1.member.key' failed to satisfy \
                 constraint: Member must satisfy regular expression pattern: \
                 tag:.+|Name|Type|KeyId|Path|Label|Tier|DataType",
            ),
            (
                json!([{ "Key": "Name" }]),
                "InvalidFilterValue",
                "The following filter values are missing : null for filter key Name",
            ),
            (
                json!([{ "Key": "Name", "Values": ["a"] }, { "Key": "Name", "Values": ["b"] }]),
                "ValidationException",
                "The following filter is duplicated in the request: Name. A request can contain only one occurrence of a \
                 specific filter.",
            ),
            (
                json!([{ "Key": "Path", "Option": "Equals", "Values": ["/a"] }]),
                "InvalidFilterOption",
                "The following filter option is not valid: Equals. Valid options include: [Recursive, OneLevel].",
            ),
            (
                json!([{ "Key": "Tier", "Values": ["Big"] }]),
                "InvalidFilterOption",
                "The following filter value is not valid: Big. Valid values include: [Standard, Advanced, \
                 Intelligent-Tiering].",
            ),
        ] {
            t.ssm("DescribeParameters", json!({ "ParameterFilters": filters })).await.error(code, message);
        }
    }
}
