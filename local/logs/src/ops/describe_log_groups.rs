//! `DescribeLogGroups`.

use aws_api::Call;
use serde::{Deserialize, Serialize};
use world::Place;

use super::create_log_group::CLASSES;
use crate::arn;
use crate::constraint::Constraints;
use crate::error::Error;
use crate::page::{self, page};
use crate::room::Logs;
use crate::store::{self, Group};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Request {
    log_group_name_prefix: Option<String>,
    log_group_name_pattern: Option<String>,
    log_group_identifiers: Option<Vec<String>>,
    log_group_class: Option<String>,
    next_token: Option<String>,
    limit: Option<i64>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Response {
    log_groups: Vec<Described>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Described {
    log_group_name: String,
    creation_time: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    retention_in_days: Option<i64>,
    metric_filter_count: u32,
    arn: String,
    stored_bytes: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    kms_key_id: Option<String>,
    log_group_class: String,
    log_group_arn: String,
    deletion_protection_enabled: bool,
}

pub async fn run(room: &Logs, request: Request, _call: &Call) -> Result<Response, Error> {
    let mut constraints = Constraints::new();
    constraints.group(request.log_group_name_prefix.as_deref(), "logGroupNamePrefix");
    constraints.group(request.log_group_name_pattern.as_deref().filter(|text| !text.is_empty()), "logGroupNamePattern");
    constraints.one_of(request.log_group_class.as_deref(), "logGroupClass", CLASSES);
    constraints.range(request.limit, "limit", 1, page::ITEMS_MAX).check()?;
    if request.log_group_name_prefix.is_some() && request.log_group_name_pattern.is_some() {
        let message = "LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters.";
        return Err(Error::invalid(message));
    }
    let identifiers = request.log_group_identifiers.clone().unwrap_or_default();
    let place = &room.world.place;
    let named = identifiers.into_iter().map(|identifier| arn::named(place, None, Some(identifier)));
    let named: Vec<String> = named.collect::<Result<_, _>>()?;
    room.flush().await?; // what was printed shows at once
    let mut groups = room.database.read(store::groups).await?;
    groups.retain(|group| request.wants(group) && (named.is_empty() || named.contains(&group.name)));
    let page = page(groups, |group| group.name.clone(), false, request.limit, request.next_token.as_deref())?;
    let log_groups = page.items.into_iter().map(|group| Described::of(group, place)).collect();
    Ok(Response { log_groups, next_token: page.next_token })
}

impl Request {
    fn wants(&self, group: &Group) -> bool {
        // As AWS has it, a pattern is found anywhere in the name, in any case.
        let has = |pattern: &String| group.name.to_lowercase().contains(&pattern.to_lowercase());
        self.log_group_name_prefix.as_ref().is_none_or(|prefix| group.name.starts_with(prefix))
            && self.log_group_name_pattern.as_ref().is_none_or(has)
            && self.log_group_class.as_ref().is_none_or(|class| group.class == *class)
    }
}

impl Described {
    fn of(group: Group, place: &Place) -> Self {
        let arn = arn::group_arn(place, &group.name);
        Self {
            log_group_name: group.name,
            creation_time: group.created_at,
            retention_in_days: group.retention_days,
            metric_filter_count: 0,
            arn: format!("{arn}:*"),
            stored_bytes: group.bytes,
            kms_key_id: group.kms_key_id,
            log_group_class: group.class,
            log_group_arn: arn,
            deletion_protection_enabled: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::testing::Room;

    async fn names(t: &Room, input: Value) -> Vec<String> {
        let answer = t.call("DescribeLogGroups", input).await.ok();
        let groups = answer["logGroups"].as_array().expect("groups");
        groups.iter().map(|group| group["logGroupName"].as_str().expect("a name").to_owned()).collect()
    }

    #[tokio::test]
    async fn groups_are_described_as_on_aws() {
        let t = Room::new();
        t.call("CreateLogGroup", json!({ "logGroupName": "/a/b" })).await.ok();
        let expected = json!({ "logGroups": [{
            "logGroupName": "/a/b",
            "creationTime": t.now(),
            "metricFilterCount": 0,
            "arn": "arn:aws:logs:us-east-1:000000000000:log-group:/a/b:*",
            "storedBytes": 0,
            "logGroupClass": "STANDARD",
            "logGroupArn": "arn:aws:logs:us-east-1:000000000000:log-group:/a/b",
            "deletionProtectionEnabled": false,
        }] });
        assert_eq!(t.call("DescribeLogGroups", json!({})).await.ok(), expected);
    }

    #[tokio::test]
    async fn lists_by_prefix_pattern_and_page() {
        let t = Room::new();
        for name in ["/x/One", "/x/two", "/y/one"] {
            t.call("CreateLogGroup", json!({ "logGroupName": name })).await.ok();
        }
        assert_eq!(names(&t, json!({ "logGroupNamePrefix": "/x" })).await, ["/x/One", "/x/two"]);
        assert_eq!(names(&t, json!({ "logGroupNamePattern": "one" })).await, ["/x/One", "/y/one"]);
        assert_eq!(names(&t, json!({ "logGroupIdentifiers": ["/x/two"] })).await, ["/x/two"]);
        let first = t.call("DescribeLogGroups", json!({ "limit": 2 })).await.ok();
        assert_eq!(names(&t, json!({ "nextToken": first["nextToken"] })).await, ["/y/one"]);
        let both = json!({ "logGroupNamePrefix": "x", "logGroupNamePattern": "y" });
        t.call("DescribeLogGroups", both).await.error(
            "InvalidParameterException",
            "LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters.",
        );
    }
}
