//! Events of EventBridge: rules by pattern or schedule, and schedules of the Scheduler.

use super::Expansion;
use super::events::Event;
use crate::error::TemplateError;
use crate::make::pick;
use crate::node::Node;

/// Characters of a target's id.
const TARGET_ID_MAX: usize = 64;
const TARGET_SUFFIX: &str = "LambdaTarget";

impl Expansion<'_> {
    /// `EventBridgeRule` and `CloudWatchEvent`.
    pub(super) fn rule(&mut self, event: &Event<'_>) -> Result<(), TemplateError> {
        let (make, properties) = (event.make(), event.properties);
        event.known(&[
            "DeadLetterConfig",
            "Enabled",
            "EventBusName",
            "Input",
            "InputPath",
            "InputTransformer",
            "Pattern",
            "RetryPolicy",
            "RuleName",
            "State",
            "Target",
        ])?;
        let own = properties.get("Target").and_then(|target| target.get("Id")).cloned();
        let mut target = vec![
            ("Arn", Some(event.target.arn.clone())),
            ("Id", Some(own.unwrap_or_else(|| make.text(target_id(&event.id()))))),
            ("DeadLetterConfig", self.dead_letters(event, Some("events.amazonaws.com"))?),
        ];
        target.extend(pick(properties, &["Input", "InputPath", "InputTransformer", "RetryPolicy"]));
        let mut rule = vec![
            ("EventPattern", properties.get("Pattern").cloned()),
            ("Name", properties.get("RuleName").filter(|node| !node.is_null()).cloned()),
            ("State", self.state(event)?),
            ("Targets", Some(make.list([make.some(target)]))),
        ];
        rule.extend(pick(properties, &["EventBusName"]));
        self.add_rule(event, make.some(rule))
    }

    /// `Schedule`.
    pub(super) fn schedule(&mut self, event: &Event<'_>) -> Result<(), TemplateError> {
        let (make, properties) = (event.make(), event.properties);
        event.known(&[
            "DeadLetterConfig",
            "Description",
            "Enabled",
            "Input",
            "Name",
            "RetryPolicy",
            "RuleName",
            "Schedule",
            "State",
        ])?;
        let mut target = vec![
            ("Arn", Some(event.target.arn.clone())),
            ("Id", Some(make.text(target_id(&event.id())))),
            ("DeadLetterConfig", self.dead_letters(event, Some("events.amazonaws.com"))?),
        ];
        target.extend(pick(properties, &["Input", "RetryPolicy"]));
        let mut rule = vec![
            ("ScheduleExpression", Some(event.required("Schedule")?.clone())),
            ("State", self.state(event)?),
            ("Targets", Some(make.list([make.some(target)]))),
        ];
        rule.extend(pick(properties, &["Name", "Description"]));
        self.add_rule(event, make.some(rule))
    }

    fn add_rule(&mut self, event: &Event<'_>, rule: Node) -> Result<(), TemplateError> {
        let id = event.id();
        self.add(event.function, &id, "AWS::Events::Rule", rule)?;
        let source = event.make().attribute(&id, "Arn");
        self.permission(event, &format!("{id}Permission"), "events.amazonaws.com", source)
    }

    /// `ScheduleV2`: a schedule of the Scheduler, with a role that it calls in.
    pub(super) fn schedule_v2(&mut self, event: &Event<'_>) -> Result<(), TemplateError> {
        let (make, properties, id) = (event.make(), event.properties, event.id());
        event.known(&[
            "DeadLetterConfig",
            "Description",
            "EndDate",
            "FlexibleTimeWindow",
            "GroupName",
            "Input",
            "KmsKeyArn",
            "Name",
            "OmitName",
            "PermissionsBoundary",
            "RetryPolicy",
            "RoleArn",
            "ScheduleExpression",
            "ScheduleExpressionTimezone",
            "StartDate",
            "State",
        ])?;
        let role = match properties.get("RoleArn").filter(|node| !node.is_null()) {
            Some(role) => role.clone(),
            None => self.scheduler_role(event)?,
        };
        let mut target = vec![
            ("Arn", Some(event.target.arn.clone())),
            ("RoleArn", Some(role)),
            ("DeadLetterConfig", self.dead_letters(event, None)?),
        ];
        target.extend(pick(properties, &["Input", "RetryPolicy"]));
        let omits_name = self.given(properties, "OmitName")?.is_some_and(|node| node.as_bool() == Some(true));
        let name = properties.get("Name").filter(|node| !node.is_null()).cloned();
        let off = || make.map([("Mode", make.text("OFF"))]);
        let mut node = vec![
            ("ScheduleExpression", Some(event.required("ScheduleExpression")?.clone())),
            ("FlexibleTimeWindow", Some(properties.get("FlexibleTimeWindow").cloned().unwrap_or_else(off))),
            ("Name", name.or_else(|| (!omits_name).then(|| make.text(&id)))),
            ("Target", Some(make.some(target))),
        ];
        node.extend(pick(
            properties,
            &["ScheduleExpressionTimezone", "State", "StartDate", "EndDate", "GroupName", "KmsKeyArn", "Description"],
        ));
        self.add(event.function, &id, "AWS::Scheduler::Schedule", make.some(node))
    }

    fn scheduler_role(&mut self, event: &Event<'_>) -> Result<Node, TemplateError> {
        let (make, id) = (event.make(), format!("{}Role", event.id()));
        let statement = make.map([
            ("Effect", make.text("Allow")),
            ("Action", make.list([make.text("sts:AssumeRole")])),
            ("Principal", make.map([("Service", make.list([make.text("scheduler.amazonaws.com")]))])),
        ]);
        let trust = make.map([("Version", make.text("2012-10-17")), ("Statement", make.list([statement]))]);
        let mut role = vec![("AssumeRolePolicyDocument", Some(trust))];
        role.extend(pick(event.properties, &["PermissionsBoundary"]));
        self.add(event.function, &id, "AWS::IAM::Role", make.some(role))?;
        Ok(make.attribute(&id, "Arn"))
    }

    /// Where undelivered events go: a queue that is named, or one that is made, with what lets a service write to it.
    fn dead_letters(&mut self, event: &Event<'_>, service: Option<&str>) -> Result<Option<Node>, TemplateError> {
        let make = event.make();
        let Some(config) = self.given(event.properties, "DeadLetterConfig")? else { return Ok(None) };
        let map = config.expect_map("DeadLetterConfig")?;
        let (arn, kind) = (map.get("Arn").filter(|node| !node.is_null()), self.given_text(map, "Type")?);
        let queue = match (arn, kind.as_deref()) {
            (Some(arn), None) => return Ok(Some(make.map([("Arn", arn.clone())]))),
            (None, Some("SQS")) => match self.given_text(map, "QueueLogicalId")? {
                Some(id) => id,
                None => format!("{}Queue", event.id()),
            },
            (Some(_), Some(_)) => {
                return Err(event.invalid_id("You can either define 'Arn' or 'Type' property of DeadLetterConfig."));
            }
            (None, None) => return Err(event.invalid_id("No 'Arn' or 'Type' property provided for DeadLetterConfig.")),
            (None, Some(_)) => {
                return Err(event.invalid_id("The only valid value for 'Type' property of DeadLetterConfig is 'SQS'."));
            }
        };
        self.add(event.function, &queue, "AWS::SQS::Queue", make.map([]))?;
        let arn = make.attribute(&queue, "Arn");
        if let Some(service) = service {
            let source = make.map([("aws:SourceArn", make.attribute(&event.id(), "Arn"))]);
            let statement = make.map([
                ("Action", make.text("sqs:SendMessage")),
                ("Effect", make.text("Allow")),
                ("Principal", make.map([("Service", make.text(service))])),
                ("Resource", arn.clone()),
                ("Condition", make.map([("ArnEquals", source)])),
            ]);
            let document = make.map([("Version", make.text("2012-10-17")), ("Statement", make.list([statement]))]);
            let queues = make.list([make.reference(&queue)]);
            let policy = make.map([("PolicyDocument", document), ("Queues", queues)]);
            self.add(event.function, &format!("{}QueuePolicy", event.id()), "AWS::SQS::QueuePolicy", policy)?;
        }
        Ok(Some(make.map([("Arn", arn)])))
    }

    /// `State`, or what `Enabled` says.
    fn state(&self, event: &Event<'_>) -> Result<Option<Node>, TemplateError> {
        let enabled = self.given(event.properties, "Enabled")?;
        let state = self.given(event.properties, "State")?;
        match (enabled, state) {
            (Some(_), Some(_)) => Err(event.invalid("State and Enabled Properties cannot both be specified.")),
            (Some(enabled), None) => match enabled.as_bool() {
                Some(true) => Ok(Some(event.make().text("ENABLED"))),
                Some(false) => Ok(Some(event.make().text("DISABLED"))),
                None => Err(enabled.unexpected("Enabled", "true or false")),
            },
            (None, state) => Ok(state),
        }
    }
}

fn target_id(id: &str) -> String {
    let whole = format!("{id}{TARGET_SUFFIX}");
    if whole.len() <= TARGET_ID_MAX {
        whole
    } else {
        id.chars().take(TARGET_ID_MAX - TARGET_SUFFIX.len()).collect::<String>() + TARGET_SUFFIX
    }
}
