//! Which function a pool runs at which trigger, and which functions events are delivered to.

use template::{Map, Node, Span};

use super::{Project, Resource};

/// A trigger of a pool.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Trigger<'p> {
    /// Its name in `LambdaConfig`: `PostConfirmation`.
    pub name: &'p str,
    /// The pool, if it is in the template.
    pub pool: Option<&'p Resource>,
    /// The function, if it is in the template.
    pub function: Option<&'p Resource>,
    /// Where that is said.
    pub span: &'p Span,
    /// Whether the custom resource of `existing: true` attaches it, which also gives the permission.
    pub is_attached_later: bool,
}

/// What the Serverless Framework makes of `existing: true`.
pub(crate) const EXISTING_POOL: &str = "Custom::CognitoUserPool";

impl Trigger<'_> {
    /// Whether the function's answer goes back to Cognito. The senders of mail and texts are not waited for.
    pub fn is_answered(&self) -> bool {
        !matches!(self.name, "CustomEmailSender" | "CustomSMSSender")
    }
}

impl Project {
    /// All triggers.
    pub(crate) fn triggers(&self) -> Vec<Trigger<'_>> {
        let mut triggers = Vec::new();
        for pool in self.of_kind("AWS::Cognito::UserPool") {
            let config = pool.get("LambdaConfig").and_then(Node::as_map);
            for entry in config.map(Map::entries).unwrap_or_default() {
                let arn =
                    if entry.value.as_map().is_some() { entry.value.get("LambdaArn") } else { Some(&entry.value) };
                let name = entry.key.strip_suffix("Config").unwrap_or(&entry.key);
                if let Some(arn) = arn.filter(|_| name != "KMSKeyID") {
                    let function = self.function(arn);
                    triggers.push(Trigger {
                        name,
                        pool: Some(pool),
                        function,
                        span: &entry.key_span,
                        is_attached_later: false,
                    });
                }
            }
        }
        for custom in self.of_kind(EXISTING_POOL) {
            let named = custom.text("UserPoolName");
            let pool = self.of_kind("AWS::Cognito::UserPool").find(|pool| named.is_some() && pool.name() == named);
            let function = custom.get("FunctionName").and_then(|name| self.function(name));
            for config in custom.get("UserPoolConfigs").and_then(Node::as_list).unwrap_or_default() {
                if let Some(name) = config.get("Trigger").and_then(Node::as_str) {
                    triggers.push(Trigger { name, pool, function, span: &custom.span, is_attached_later: true });
                }
            }
        }
        triggers
    }

    /// The triggers of a pool.
    pub(crate) fn triggers_of(&self, pool: &Resource) -> Vec<Trigger<'_>> {
        let is_of = |trigger: &Trigger<'_>| trigger.pool.is_some_and(|one| one.logical_id == pool.logical_id);
        self.triggers().into_iter().filter(is_of).collect()
    }

    /// The triggers that run a function.
    pub(crate) fn triggers_that_run(&self, function: &str) -> Vec<Trigger<'_>> {
        let is_of = |trigger: &Trigger<'_>| trigger.function.is_some_and(|one| one.logical_id == function);
        self.triggers().into_iter().filter(is_of).collect()
    }

    /// Rules with their targets.
    pub(crate) fn rule_targets(&self) -> Vec<(&Resource, &Node)> {
        self.of_kind("AWS::Events::Rule")
            .flat_map(|rule| {
                let targets = rule.get("Targets").and_then(Node::as_list).unwrap_or_default();
                targets.iter().map(move |target| (rule, target))
            })
            .collect()
    }

    /// Whether a rule delivers events to a function.
    pub(crate) fn consumes_events(&self, function: &str) -> bool {
        self.rule_targets().iter().any(|(rule, target)| {
            let target = target.get("Arn").and_then(|arn| self.function(arn));
            rule.get("EventPattern").is_some() && target.is_some_and(|target| target.logical_id == function)
        })
    }
}
