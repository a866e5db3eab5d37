//! `PutRule`: makes a rule, or replaces all of it but its targets and tags.

use aws_api::Call;
use serde::{Deserialize, Serialize};

use crate::book::{DEFAULT_BUS, Rule};
use crate::constraint::Constraints;
use crate::error::Error;
use crate::pattern::Pattern;
use crate::room::EventBus;
use crate::schedule::Schedule;
use crate::store;
use crate::tags::{self, Tag};

/// A rule's states; the first is the usual one.
pub const STATES: &[&str] = &["ENABLED", "DISABLED", "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"];
/// The longest pattern.
pub const PATTERN_CHARS_MAX: usize = 4096;
/// Rules on one bus on AWS, until one asks for more. Here a warning.
const RULES_QUOTA: usize = 300;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    name: Option<String>,
    event_bus_name: Option<String>,
    event_pattern: Option<String>,
    schedule_expression: Option<String>,
    state: Option<String>,
    description: Option<String>,
    role_arn: Option<String>,
    #[serde(default)]
    tags: Vec<Tag>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Response {
    rule_arn: String,
}

pub async fn run(room: &EventBus, request: Request, _call: &Call) -> Result<Response, Error> {
    request.constrain()?;
    let bus = room.bus_name(request.event_bus_name.as_deref());
    let pattern_text = request.event_pattern.filter(|pattern| !pattern.is_empty());
    let schedule = request.schedule_expression.as_deref().map(|text| read_schedule(text, &bus)).transpose()?;
    if pattern_text.is_none() && schedule.is_none() {
        return Err(Error::validation("Parameter(s) EventPattern or ScheduleExpression must be specified."));
    }
    let name = request.name.unwrap_or_default();
    let rule = Rule {
        arn: store::rule_arn(&room.world.place, &bus, &name),
        pattern: pattern_text.as_deref().map(Pattern::compile).transpose()?,
        name,
        bus,
        pattern_text,
        schedule,
        scheduled_at: room.world.clock.now(),
        state: request.state.unwrap_or_else(|| STATES[0].to_owned()),
        description: request.description,
        role_arn: request.role_arn,
        tags: tags::read(request.tags)?,
        targets: Vec::new(),
    };
    tags::check_count(&rule.tags)?;
    put(room, rule).await
}

async fn put(room: &EventBus, mut rule: Rule) -> Result<Response, Error> {
    let made = room.shelf.change(move |book, connection| {
        let bus = book.bus_mut(&rule.bus)?;
        let response = Response { rule_arn: rule.arn.clone() };
        store::put_rule(connection, &rule)?;
        if let Ok(before) = bus.rule(&rule.name) {
            rule.targets.clone_from(&before.targets);
            rule.tags.clone_from(&before.tags);
        } else {
            store::put_tags(connection, &rule.arn, &rule.tags)?;
            if bus.rules().len() == RULES_QUOTA {
                tracing::warn!(bus = bus.name, "a bus on AWS has {RULES_QUOTA} rules at most by default");
            }
        }
        bus.put_rule(rule);
        Ok(response)
    });
    made.await
}

fn read_schedule(schedule: &str, bus: &str) -> Result<Schedule, Error> {
    if bus != DEFAULT_BUS {
        return Err(Error::validation("ScheduleExpression is supported only on the default event bus."));
    }
    Schedule::parse(schedule).ok_or_else(|| Error::parameter("ScheduleExpression", None))
}

impl Request {
    fn constrain(&self) -> Result<(), Error> {
        let mut constraints = Constraints::new();
        constraints.required(self.name.as_ref(), "name").name(self.name.as_deref(), "name");
        constraints.bus(self.event_bus_name.as_deref(), "eventBusName");
        constraints.length(self.event_pattern.as_deref(), "eventPattern", 0, PATTERN_CHARS_MAX);
        constraints.length(self.schedule_expression.as_deref(), "scheduleExpression", 0, 256);
        constraints.one_of(self.state.as_deref(), "state", STATES);
        constraints.length(self.description.as_deref(), "description", 0, 512);
        constraints.length(self.role_arn.as_deref(), "roleArn", 1, 1600);
        constraints.check()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::Room;

    const PATTERN: &str = r#"{"source":["s"]}"#;

    #[tokio::test]
    async fn arns_name_the_bus_unless_it_is_the_default() {
        let t = Room::new();
        t.call("CreateEventBus", json!({ "Name": "b" })).await.ok();
        let arn = "arn:aws:events:us-east-1:000000000000:rule";
        assert_eq!(t.rule("default", "r", PATTERN).await, format!("{arn}/r"));
        assert_eq!(t.rule("b", "r", PATTERN).await, format!("{arn}/b/r"));
    }

    #[tokio::test]
    async fn replaces_all_but_targets_and_tags() {
        let t = Room::new();
        let tags = json!([{ "Key": "k", "Value": "v" }]);
        let rule =
            json!({ "Name": "r", "EventPattern": PATTERN, "Description": "d", "State": "DISABLED", "Tags": tags });
        let arn = t.call("PutRule", rule).await.ok()["RuleArn"].clone();
        t.target("default", "r", json!({ "Id": "t", "Arn": "arn:aws:sqs:us-east-1:000000000000:q" })).await;
        let again = json!({ "Name": "r", "EventPattern": PATTERN, "Tags": [{ "Key": "x", "Value": "y" }] });
        t.call("PutRule", again).await.ok();
        let rule = t.call("DescribeRule", json!({ "Name": "r" })).await.ok();
        assert_eq!((rule.get("Description"), &rule["State"]), (None, &json!("ENABLED")));
        let targets = t.call("ListTargetsByRule", json!({ "Rule": "r" })).await.ok();
        assert_eq!(targets["Targets"].as_array().map(Vec::len), Some(1));
        assert_eq!(t.call("ListTagsForResource", json!({ "ResourceARN": arn })).await.ok()["Tags"], tags);
    }

    #[tokio::test]
    async fn needs_a_bus_and_a_pattern() {
        let t = Room::new();
        let refused = t.call("PutRule", json!({ "Name": "r", "EventBusName": "b", "EventPattern": PATTERN })).await;
        refused.error("ResourceNotFoundException", "Event bus b does not exist.");
        let refused = t.call("PutRule", json!({ "Name": "r" })).await;
        refused.error("ValidationException", "Parameter(s) EventPattern or ScheduleExpression must be specified.");
        let refused = t.call("PutRule", json!({ "Name": "r", "EventPattern": r#"{"a": 1}"# })).await;
        refused.error(
            "InvalidEventPatternException",
            "Event pattern is not valid. Reason: \"a\" must be an object or an array\n at [Source: (String)\"{\"a\": 1}\"; line: 1, column: 8]",
        );
        let refused = t.call("PutRule", json!({ "Name": "r 1", "EventPattern": PATTERN, "State": "ON" })).await;
        refused.error(
            "ValidationException",
            r"2 validation errors detected: Value 'r 1' at 'name' failed to satisfy constraint: Member must satisfy regular expression pattern: [\.\-_A-Za-z0-9]+; Value 'ON' at 'state' failed to satisfy constraint: Member must satisfy enum value set: [ENABLED, DISABLED, ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS]",
        );
    }

    #[tokio::test]
    async fn schedules_are_for_the_default_bus() {
        let t = Room::new();
        t.call("CreateEventBus", json!({ "Name": "b" })).await.ok();
        let put = |bus: &str, schedule: &str| {
            let request = json!({ "Name": "r", "EventBusName": bus, "ScheduleExpression": schedule });
            t.call("PutRule", request)
        };
        let message = "ScheduleExpression is supported only on the default event bus.";
        put("b", "rate(1 day)").await.error("ValidationException", message);
        put("default", "rate(1 days)").await.error("ValidationException", "Parameter ScheduleExpression is not valid.");
        put("default", "rate(1 day)").await.ok();
        let rule = t.call("DescribeRule", json!({ "Name": "r" })).await.ok();
        assert_eq!((&rule["ScheduleExpression"], rule.get("EventPattern")), (&json!("rate(1 day)"), None));
        t.call("PutRule", json!({ "Name": "r", "EventPattern": PATTERN })).await.ok();
        assert_eq!(t.call("DescribeRule", json!({ "Name": "r" })).await.ok().get("ScheduleExpression"), None);
    }
}
