//! What of EventBridge calls out or stands beside the buses: connections, API destinations, schedules.

use async_trait::async_trait;
use jiff::ToSpan;
use jiff::civil::DateTime;
use serde_json::{Value, json};

use super::events::{EVENTS, delete_rule};
use super::lambda::LAMBDA;
use crate::StackError;
use crate::kind::{At, Identity, Kind, Made, Named, Operation, Properties, Rank, Standing, only, text as text_of};
use crate::known::LATER;
use crate::name::physical_name;
use crate::shape::{Member, anything, meaningless, members, not_honoured, number, text};

const NAME_LENGTH_MAX: usize = 64;
/// The one target of a schedule's rule.
const TARGET_ID: &str = "target";

pub struct Connection;

#[async_trait]
impl Kind for Connection {
    fn members(&self) -> &'static [Member] {
        const MEMBERS: &[Member] = &[
            anything("AuthParameters"),
            text("AuthorizationType"),
            text("Description"),
            anything("InvocationConnectivityParameters"),
            text("KmsKeyIdentifier"),
            text("Name").fixed(),
        ];
        MEMBERS
    }

    fn made_by(&self) -> Operation {
        (EVENTS, "CreateConnection")
    }

    fn rank(&self) -> Rank {
        Rank::Stores
    }

    fn naming(&self) -> &'static [&'static str] {
        &["Name"]
    }

    fn identity(&self, named: &Named<'_>) -> Identity {
        Identity::of(named.name("Name", NAME_LENGTH_MAX)).and_later(&["Arn", "SecretArn", "ArnForPolicy"])
    }

    async fn make(&self, at: &At<'_>, properties: &Properties) -> Result<Made, StackError> {
        let mut input = properties.clone();
        input.insert("Name".into(), at.id.into());
        at.call((EVENTS, "CreateConnection"), Value::Object(input)).await?;
        described(at).await
    }

    async fn update(&self, at: &At<'_>, _: &Standing, properties: &Properties) -> Result<Made, StackError> {
        let mut input = properties.clone();
        input.insert("Name".into(), at.id.into());
        at.call((EVENTS, "UpdateConnection"), Value::Object(input)).await?;
        described(at).await
    }

    async fn find(&self, at: &At<'_>, standing: &Standing) -> Result<Option<Made>, StackError> {
        let found = at.ask((EVENTS, "DescribeConnection"), json!({"Name": standing.id})).await?;
        Ok(found.map(|connection| connection_attributes(&connection)))
    }

    async fn delete(&self, at: &At<'_>, standing: &Standing) -> Result<(), StackError> {
        at.ask((EVENTS, "DeleteConnection"), json!({"Name": standing.id})).await.map(drop)
    }
}

async fn described(at: &At<'_>) -> Result<Made, StackError> {
    let connection = at.call((EVENTS, "DescribeConnection"), json!({"Name": at.id})).await?;
    Ok(connection_attributes(&connection))
}

fn connection_attributes(connection: &Value) -> Made {
    let made = Made::default().member("Arn", connection, "/ConnectionArn");
    made.member("ArnForPolicy", connection, "/ConnectionArn").member("SecretArn", connection, "/SecretArn")
}

pub struct ApiDestination;

#[async_trait]
impl Kind for ApiDestination {
    fn members(&self) -> &'static [Member] {
        const MEMBERS: &[Member] = &[
            text("ConnectionArn").required(),
            text("Description"),
            text("HttpMethod").required(),
            text("InvocationEndpoint").required(),
            number("InvocationRateLimitPerSecond"),
            text("Name").fixed(),
        ];
        MEMBERS
    }

    fn made_by(&self) -> Operation {
        (EVENTS, "CreateApiDestination")
    }

    fn rank(&self) -> Rank {
        Rank::Callers
    }

    fn naming(&self) -> &'static [&'static str] {
        &["Name"]
    }

    fn identity(&self, named: &Named<'_>) -> Identity {
        Identity::of(named.name("Name", NAME_LENGTH_MAX)).and_later(&["Arn", "ArnForPolicy"])
    }

    async fn make(&self, at: &At<'_>, properties: &Properties) -> Result<Made, StackError> {
        put_destination(at, "CreateApiDestination", properties).await
    }

    async fn update(&self, at: &At<'_>, _: &Standing, properties: &Properties) -> Result<Made, StackError> {
        put_destination(at, "UpdateApiDestination", properties).await
    }

    async fn find(&self, at: &At<'_>, standing: &Standing) -> Result<Option<Made>, StackError> {
        let found = at.ask((EVENTS, "DescribeApiDestination"), json!({"Name": standing.id})).await?;
        Ok(found.map(|destination| destination_attributes(&destination)))
    }

    async fn delete(&self, at: &At<'_>, standing: &Standing) -> Result<(), StackError> {
        at.ask((EVENTS, "DeleteApiDestination"), json!({"Name": standing.id})).await.map(drop)
    }
}

async fn put_destination(at: &At<'_>, operation: &'static str, properties: &Properties) -> Result<Made, StackError> {
    let mut input = properties.clone();
    input.insert("Name".into(), at.id.into());
    let answer = at.call((EVENTS, operation), Value::Object(input)).await?;
    Ok(destination_attributes(&answer))
}

fn destination_attributes(answer: &Value) -> Made {
    let made = Made::default().member("Arn", answer, "/ApiDestinationArn");
    made.member("ArnForPolicy", answer, "/ApiDestinationArn")
}

fn is_reachable(arn: &str) -> bool {
    arn.contains(":lambda:") || arn.contains(":sqs:")
}

/// `at(…)`, a schedule of one time, as the expression of a rule: a minute of a day of a year. The scheduler is exact to the
/// minute, and never early (<https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html>).
fn one_time(expression: &str) -> Option<String> {
    let time = expression.strip_prefix("at(")?.strip_suffix(')')?;
    let time: DateTime = time.parse().ok()?;
    let begun = time.second() > 0 || time.subsec_nanosecond() > 0;
    let time = if begun { time.checked_add(1.minute()).ok()? } else { time };
    Some(format!("cron({} {} {} {} ? {})", time.minute(), time.hour(), time.day(), time.month(), time.year()))
}

/// EventBridge Scheduler's, as a rule of the default bus that fires by its schedule. The scheduler needs no permission
/// of the function, since it has a role; a rule does, so it gets one.
pub struct Schedule;

#[async_trait]
impl Kind for Schedule {
    fn members(&self) -> &'static [Member] {
        const TARGET: &[Member] = &[
            text("Arn").required(),
            members("DeadLetterConfig", &[text("Arn")]),
            not_honoured("EcsParameters"),
            not_honoured("EventBridgeParameters"),
            text("Input"),
            not_honoured("KinesisParameters"),
            members("RetryPolicy", &[number("MaximumEventAgeInSeconds"), number("MaximumRetryAttempts")]),
            meaningless("RoleArn"),
            not_honoured("SageMakerPipelineParameters"),
            members("SqsParameters", &[text("MessageGroupId")]),
        ];
        const MEMBERS: &[Member] = &[
            text("Description"),
            not_honoured("EndDate"),
            meaningless("FlexibleTimeWindow"),
            meaningless("GroupName"),
            meaningless("KmsKeyArn"),
            text("Name").fixed(),
            text("ScheduleExpression").required(),
            text("ScheduleExpressionTimezone"),
            not_honoured("StartDate"),
            text("State"),
            members("Target", TARGET).required(),
        ];
        MEMBERS
    }

    fn made_by(&self) -> Operation {
        (EVENTS, "PutRule")
    }

    fn rank(&self) -> Rank {
        Rank::Sources
    }

    fn naming(&self) -> &'static [&'static str] {
        &["Name"]
    }

    fn identity(&self, named: &Named<'_>) -> Identity {
        let name = named.name("Name", NAME_LENGTH_MAX);
        Identity::of(&name).with("Arn", named.arn("scheduler", &format!("schedule/default/{name}")))
    }

    fn unordered(&self) -> &'static [&'static str] {
        &["Target"]
    }

    fn check(&self, properties: &Properties) -> Result<(), String> {
        let expression = text_of(properties, "ScheduleExpression");
        if expression.starts_with("at(") && one_time(expression).is_none() {
            return Err(format!("ScheduleExpression must be at(yyyy-mm-ddThh:mm:ss), not {expression}"));
        }
        Ok(())
    }

    fn notes(&self, _: &At<'_>, properties: &Properties) -> Vec<String> {
        let mut notes = Vec::new();
        let zone = text_of(properties, "ScheduleExpressionTimezone");
        if !matches!(zone, "" | "UTC" | "Etc/UTC") && !text_of(properties, "ScheduleExpression").starts_with("rate") {
            notes.push(format!("ScheduleExpressionTimezone {zone} is not honoured: the schedule fires by UTC"));
        }
        let arn = properties.get("Target").and_then(|target| target["Arn"].as_str()).unwrap_or_default();
        if !is_reachable(arn) && !arn.contains(LATER) {
            notes.push(format!("the target leads to {arn}, which no schedule reaches here: it is left out"));
        }
        notes
    }

    async fn make(&self, at: &At<'_>, properties: &Properties) -> Result<Made, StackError> {
        let mut rule = Value::Object(only(properties, &["Description", "ScheduleExpression", "State"]));
        rule["Name"] = at.id.into();
        if let Some(cron) = one_time(text_of(properties, "ScheduleExpression")) {
            rule["ScheduleExpression"] = cron.into();
        }
        at.call((EVENTS, "PutRule"), rule).await?;
        let mut target = properties.get("Target").cloned().unwrap_or_default();
        target["Id"] = TARGET_ID.into();
        let arn = target["Arn"].as_str().unwrap_or_default().to_owned();
        if !is_reachable(&arn) {
            return Ok(Made::default());
        }
        at.call((EVENTS, "PutTargets"), json!({"Rule": at.id, "Targets": [target]})).await?;
        if arn.contains(":lambda:") {
            let statement = physical_name(&at.around.stack, at.logical_id, NAME_LENGTH_MAX);
            let permission = json!({
                "FunctionName": arn,
                "StatementId": statement,
                "Action": "lambda:InvokeFunction",
                "Principal": "events.amazonaws.com",
                "SourceArn": at.arn(EVENTS, &format!("rule/{}", at.id)),
            });
            at.unless("ResourceConflictException", (LAMBDA, "AddPermission"), permission).await?;
        }
        Ok(Made::default())
    }

    async fn find(&self, at: &At<'_>, standing: &Standing) -> Result<Option<Made>, StackError> {
        let found = at.ask((EVENTS, "DescribeRule"), json!({"Name": standing.id})).await?;
        Ok(found.map(|_| Made::default()))
    }

    async fn delete(&self, at: &At<'_>, standing: &Standing) -> Result<(), StackError> {
        delete_rule(at, &standing.id).await?;
        let arn = standing.properties.get("Target").and_then(|target| target["Arn"].as_str()).unwrap_or_default();
        if arn.contains(":lambda:") {
            let statement = physical_name(&at.around.stack, at.logical_id, NAME_LENGTH_MAX);
            at.ask((LAMBDA, "RemovePermission"), json!({"FunctionName": arn, "StatementId": statement})).await?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::one_time;

    #[track_caller]
    fn check(expression: &str, expected: Option<&str>) {
        assert_eq!(one_time(expression).as_deref(), expected);
    }

    #[test]
    fn one_time_is_a_minute_of_a_year() {
        check("at(2026-12-31T23:59:00)", Some("cron(59 23 31 12 ? 2026)"));
        check("at(2026-12-31T23:59:01)", Some("cron(0 0 1 1 ? 2027)"));
        check("at(2026-02-30T10:00:00)", None);
        check("at(tomorrow)", None);
        check("rate(1 minute)", None);
    }
}
