//! `cognitoUserPool`: a trigger of a user pool.
//!
//! Without `existing` the event makes the pool, under a logical id that a user's own resource of that id is merged into.
//! With `existing: true` it makes a custom resource that finds the pool by its name. The deployer does what that
//! resource's function does on AWS, so the function itself, and the `ServiceToken` that names it, are left out; so is the resource's `Version`, which is
//! no attribute that CloudFormation documents.
//! <https://www.serverless.com/framework/docs/providers/aws/events/cognito-user-pool>

use std::collections::BTreeMap;

use crate::error::TemplateError;
use crate::make::Make;
use crate::node::Node;
use crate::serverless::naming;
use crate::serverless::service::{Draft, Event, Service};
use crate::serverless::write::{Block, resource};

const KIND: &str = "cognitoUserPool";
const POOL_NAME_MAX: usize = 128;
const SETTINGS: &[&str] = &["pool", "trigger", "existing", "forceDeploy", "kmsKeyId", "lambdaVersion"];
const CUSTOM_SENDERS: &[&str] = &["CustomSMSSender", "CustomEmailSender"];
const TRIGGERS: &[&str] = &[
    "PreSignUp",
    "PostConfirmation",
    "PreAuthentication",
    "PostAuthentication",
    "PreTokenGeneration",
    "CustomMessage",
    "DefineAuthChallenge",
    "CreateAuthChallenge",
    "VerifyAuthChallengeResponse",
    "UserMigration",
    "CustomSMSSender",
    "CustomEmailSender",
];

/// One event, read.
struct Trigger<'s> {
    event: Event<'s>,
    pool: &'s str,
    pool_node: &'s Node,
    source: &'s str,
    version: Option<&'s Node>,
    kms_key: Option<&'s Node>,
}

pub(super) fn compile(service: &Service, draft: &mut Draft) -> Result<(), TemplateError> {
    let (mut new, mut existing) = (Vec::new(), Vec::new());
    for event in service.events(KIND) {
        event.known(KIND, SETTINGS, draft);
        let attached = event.truthy("existing").is_some();
        let trigger = read(event)?;
        if attached { existing.push(trigger) } else { new.push(trigger) }
    }
    check_keys(&new)?;
    check_keys(&existing)?;
    pools(&new, draft)?;
    attachments(&existing, draft)
}

fn read(event: Event<'_>) -> Result<Trigger<'_>, TemplateError> {
    let Event { function, value, span, .. } = event;
    value.expect_map(KIND)?;
    let needed = |key: &'static str| {
        value
            .get(key)
            .filter(|node| !node.is_null())
            .ok_or_else(|| TemplateError::new(span, format!("{KIND} of the function {} needs {key}", function.key)))
    };
    let pool_node = needed("pool")?;
    let pool = pool_node.as_str().ok_or_else(|| {
        pool_node
            .unexpected("pool", "the pool's name")
            .hint("for a pool that is declared under resources, write its UserPoolName and existing: true")
    })?;
    let allowed = |c: char| c.is_alphanumeric() || c.is_whitespace() || "_+=,.@-".contains(c);
    if pool.is_empty() || pool.chars().count() > POOL_NAME_MAX || !pool.chars().all(allowed) {
        let message = format!("pool must be a user pool's name of at most {POOL_NAME_MAX} characters, not {pool}");
        let error = TemplateError::new(&pool_node.span, message);
        let is_arn = pool.starts_with("arn:");
        return Err(if is_arn {
            error.hint("the framework looks a pool up by its name, not by its ARN")
        } else {
            error
        });
    }
    let trigger_node = needed("trigger")?;
    let source = trigger_node.as_str().unwrap_or_default();
    if !TRIGGERS.contains(&source) {
        let error = trigger_node.unexpected_text("trigger", &format!("one of {}", TRIGGERS.join(", ")));
        return Err(error.near(source, TRIGGERS.iter().copied()));
    }
    let setting = |key: &str| value.get(key).filter(|node| !node.is_null());
    Ok(Trigger { pool, pool_node, source, version: setting("lambdaVersion"), kms_key: setting("kmsKeyId"), event })
}

/// A pool has one key, and custom senders need it.
fn check_keys(triggers: &[Trigger]) -> Result<(), TemplateError> {
    let mut keys: BTreeMap<&str, &Node> = BTreeMap::new();
    for trigger in triggers.iter().filter(|trigger| CUSTOM_SENDERS.contains(&trigger.source)) {
        let pool = trigger.pool;
        let Some(key) = trigger.kms_key else {
            let message = format!(
                "KMS Key must be set when using a Custom Sender Source Trigger (CustomSMSSender and/or \
                 CustomEmailSender). Affected Cognito User Pool: \"{pool}\"."
            );
            return Err(TemplateError::new(trigger.event.span, message).hint("set kmsKeyId"));
        };
        let first = keys.entry(pool).or_insert(key);
        if first.to_json() != key.to_json() {
            let message = format!(
                "Only one KMS Key for can be configured per Cognito User Pool. Affected Cognito User Pool: \"{pool}\"."
            );
            return Err(TemplateError::new(&key.span, message));
        }
    }
    Ok(())
}

/// The pools that events make, each once, with a permission for every trigger.
fn pools(triggers: &[Trigger], draft: &mut Draft) -> Result<(), TemplateError> {
    let mut made: Vec<(String, &str)> = Vec::new();
    for trigger in triggers {
        let id = naming::user_pool(trigger.pool);
        match made.iter().find(|(other, _)| *other == id) {
            Some((_, name)) if *name == trigger.pool => continue,
            Some((_, name)) => {
                let message = format!("the pools {name} and {} would both be the resource {id}", trigger.pool);
                return Err(TemplateError::new(&trigger.pool_node.span, message));
            }
            None => {}
        }
        let of_pool: Vec<&Trigger> = triggers.iter().filter(|other| other.pool == trigger.pool).collect();
        draft.resource(&id, trigger.event.span, pool(trigger, &of_pool));
        made.push((id, trigger.pool));
    }
    for trigger in triggers {
        let id = naming::user_pool_permission(&trigger.event.function.key, trigger.pool, trigger.source);
        let pool_arn = Make(trigger.event.span).attribute(&naming::user_pool(trigger.pool), "Arn");
        let permission = trigger.event.permission("cognito-idp.amazonaws.com", Some(pool_arn));
        draft.resource(&id, trigger.event.span, permission);
    }
    Ok(())
}

fn pool(first: &Trigger, triggers: &[&Trigger]) -> Block {
    let span = first.event.span;
    let mut config = Block::at(span);
    let mut depends_on: Vec<String> = Vec::new();
    for trigger in triggers {
        config = lambda_config(config, trigger);
        let function = trigger.event.function;
        depends_on.push(function.alias_id().map_or_else(|| function.logical_id(), str::to_owned));
    }
    let properties = Block::at(span).set("UserPoolName", first.pool_node).set("LambdaConfig", config);
    resource(span, "AWS::Cognito::UserPool", properties).set("DependsOn", depends_on)
}

fn lambda_config(config: Block, trigger: &Trigger) -> Block {
    let span = trigger.event.span;
    let arn = trigger.event.function.target(span);
    if CUSTOM_SENDERS.contains(&trigger.source) {
        let sender = versioned(trigger, arn);
        return config.set(trigger.source, sender).maybe("KMSKeyID", trigger.kms_key);
    }
    // Later versions of the event go to a setting of their own.
    if trigger.source == "PreTokenGeneration" && trigger.version.is_some_and(|node| node.as_str() != Some("V1_0")) {
        return config.set("PreTokenGenerationConfig", versioned(trigger, arn));
    }
    config.set(trigger.source, arn)
}

fn versioned(trigger: &Trigger, arn: Node) -> Block {
    let span = trigger.event.span;
    Block::at(span).set("LambdaArn", arn).set("LambdaVersion", version(trigger))
}

fn version(trigger: &Trigger) -> Node {
    trigger.version.cloned().unwrap_or_else(|| Node::string(trigger.event.span, "V1_0"))
}

/// The custom resources that attach functions to pools that are there: one per function, those of a pool in a row.
fn attachments(triggers: &[Trigger], draft: &mut Draft) -> Result<(), TemplateError> {
    let mut last_of_pool: BTreeMap<&str, String> = BTreeMap::new();
    let mut done: Vec<&str> = Vec::new();
    for trigger in triggers {
        let function = trigger.event.function;
        if done.contains(&function.key.as_str()) {
            continue;
        }
        done.push(&function.key);
        let of_function: Vec<&Trigger> =
            triggers.iter().filter(|other| other.event.function.key == function.key).collect();
        if let Some(other) = of_function.iter().find(|other| other.pool != trigger.pool) {
            let message = format!(
                "Only one Cognito User Pool can be configured per function. In \"{}\" you're attempting to configure \
                 \"{}\" and \"{}\" at the same time.",
                function.name, trigger.pool, other.pool
            );
            return Err(TemplateError::new(&other.pool_node.span, message));
        }
        let id = naming::existing_user_pool(&function.key);
        let mut depends_on = vec![function.logical_id()];
        depends_on.extend(last_of_pool.insert(trigger.pool, id.clone()));
        let span = trigger.event.span;
        let configs: Vec<Block> = of_function.iter().map(|trigger| attachment(trigger)).collect();
        let forced = trigger.event.truthy("forceDeploy");
        let properties = Block::at(span)
            .set("FunctionName", function.name.as_str())
            .set("UserPoolName", trigger.pool_node)
            .set("UserPoolConfigs", configs)
            .maybe("ForceDeploy", forced);
        let custom = resource(span, "Custom::CognitoUserPool", properties).set("DependsOn", depends_on);
        draft.resource(&id, span, custom);
    }
    Ok(())
}

fn attachment(trigger: &Trigger) -> Block {
    let config = Block::at(trigger.event.span).set("Trigger", trigger.source);
    if CUSTOM_SENDERS.contains(&trigger.source) {
        return config.set("LambdaVersion", version(trigger)).maybe("KMSKeyID", trigger.kms_key);
    }
    config.maybe("LambdaVersion", trigger.version)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::serverless::testing::{check_error, check_resource, document, ids};

    #[test]
    fn an_event_makes_the_pool_and_the_permission() {
        let service = "
            functions:
              create-user:
                handler: a.b
                events:
                  - cognitoUserPool: {pool: my-app, trigger: PostConfirmation}
              other:
                handler: a.c
                events:
                  - cognitoUserPool: {pool: my-app, trigger: PreSignUp}";
        check_resource(
            service,
            "CognitoUserPoolMyapp",
            json!({
                "Type": "AWS::Cognito::UserPool",
                "Properties": {
                    "UserPoolName": "my-app",
                    "LambdaConfig": {
                        "PostConfirmation": {"Fn::GetAtt": ["CreateDashuserLambdaFunction", "Arn"]},
                        "PreSignUp": {"Fn::GetAtt": ["OtherLambdaFunction", "Arn"]}
                    }
                },
                "DependsOn": ["CreateDashuserLambdaFunction", "OtherLambdaFunction"]
            }),
        );
        check_resource(
            service,
            "CreateDashuserLambdaPermissionCognitoUserPoolMyappTriggerSourcePostConfirmation",
            json!({
                "Type": "AWS::Lambda::Permission",
                "Properties": {
                    "FunctionName": {"Fn::GetAtt": ["CreateDashuserLambdaFunction", "Arn"]},
                    "Action": "lambda:InvokeFunction",
                    "Principal": "cognito-idp.amazonaws.com",
                    "SourceArn": {"Fn::GetAtt": ["CognitoUserPoolMyapp", "Arn"]}
                }
            }),
        );
    }

    #[test]
    fn a_resource_of_the_same_id_is_merged_into_the_pool() {
        let service = "
            functions:
              cognitoPostConfirmation:
                handler: src/handlers/cognito/postConfirmation.handler
                events:
                  - cognitoUserPool:
                      pool: RossUserPool
                      trigger: PostConfirmation
            resources:
              Resources:
                CognitoUserPoolRossUserPool:
                  Type: AWS::Cognito::UserPool
                  Properties:
                    UsernameConfiguration:
                      CaseSensitive: False";
        check_resource(
            service,
            "CognitoUserPoolRossUserPool",
            json!({
                "Type": "AWS::Cognito::UserPool",
                "Properties": {
                    "UserPoolName": "RossUserPool",
                    "LambdaConfig": {
                        "PostConfirmation": {"Fn::GetAtt": ["CognitoPostConfirmationLambdaFunction", "Arn"]}
                    },
                    "UsernameConfiguration": {"CaseSensitive": false}
                },
                "DependsOn": ["CognitoPostConfirmationLambdaFunction"]
            }),
        );
        let pools = document(service)["Resources"]
            .as_object()
            .expect("resources")
            .values()
            .filter(|resource| resource["Type"] == "AWS::Cognito::UserPool")
            .count();
        assert_eq!(pools, 1);
    }

    #[test]
    fn an_existing_pool_gets_a_custom_resource_per_function() {
        let service = "
            functions:
              a:
                handler: a.b
                events:
                  - cognitoUserPool: {pool: p, trigger: PostConfirmation, existing: true}
                  - cognitoUserPool: {pool: p, trigger: PreTokenGeneration, existing: true, lambdaVersion: V2_0}
              b:
                handler: a.c
                events:
                  - cognitoUserPool: {pool: p, trigger: PreSignUp, existing: true}";
        check_resource(
            service,
            "ACustomCognitoUserPool1",
            json!({
                "Type": "Custom::CognitoUserPool",
                "Properties": {
                    "FunctionName": "shop-dev-a",
                    "UserPoolName": "p",
                    "UserPoolConfigs": [
                        {"Trigger": "PostConfirmation"},
                        {"Trigger": "PreTokenGeneration", "LambdaVersion": "V2_0"}
                    ]
                },
                "DependsOn": ["ALambdaFunction"]
            }),
        );
        let all = document(service);
        assert_eq!(
            all["Resources"]["BCustomCognitoUserPool1"]["DependsOn"],
            json!(["BLambdaFunction", "ACustomCognitoUserPool1"])
        );
        assert!(!ids(service).iter().any(|id| id == "CognitoUserPoolP"));
    }

    #[test]
    fn custom_senders_and_versions() {
        let service = "
            functions:
              a:
                handler: a.b
                events:
                  - cognitoUserPool: {pool: p, trigger: CustomEmailSender, kmsKeyId: 'arn:aws:kms:x'}
                  - cognitoUserPool: {pool: p, trigger: PreTokenGeneration, lambdaVersion: V3_0}";
        let function = json!({"Fn::GetAtt": ["ALambdaFunction", "Arn"]});
        assert_eq!(
            document(service)["Resources"]["CognitoUserPoolP"]["Properties"]["LambdaConfig"],
            json!({
                "CustomEmailSender": {"LambdaArn": function, "LambdaVersion": "V1_0"},
                "KMSKeyID": "arn:aws:kms:x",
                "PreTokenGenerationConfig": {"LambdaArn": function, "LambdaVersion": "V3_0"}
            })
        );
    }

    #[test]
    fn mistakes_are_named_with_their_place() {
        let event = |settings: &str| {
            format!("functions:\n  a:\n    handler: a.b\n    events:\n      - cognitoUserPool: {settings}")
        };
        check_error(
            &event("{pool: p, trigger: PostConfirmed}"),
            "serverless.yml:7:45: trigger must be one of PreSignUp, PostConfirmation, PreAuthentication, \
             PostAuthentication, PreTokenGeneration, CustomMessage, DefineAuthChallenge, CreateAuthChallenge, \
             VerifyAuthChallengeResponse, UserMigration, CustomSMSSender, CustomEmailSender, not PostConfirmed (did \
             you mean PostConfirmation?)",
        );
        check_error(
            &event("{pool: {Ref: Pool}, trigger: PreSignUp}"),
            "serverless.yml:7:33: pool must be the pool's name, not a map (for a pool that is declared under \
             resources, write its UserPoolName and existing: true)",
        );
        check_error(
            &event("{pool: 'arn:aws:x', trigger: PreSignUp}"),
            "serverless.yml:7:33: pool must be a user pool's name of at most 128 characters, not arn:aws:x (the \
             framework looks a pool up by its name, not by its ARN)",
        );
        check_error(&event("{trigger: PreSignUp}"), "serverless.yml:7:9: cognitoUserPool of the function a needs pool");
        check_error(
            &format!(
                "{}\n      - cognitoUserPool: {{pool: q, trigger: PreSignUp, existing: true}}",
                event("{pool: p, trigger: PreSignUp, existing: true}")
            ),
            "serverless.yml:8:33: Only one Cognito User Pool can be configured per function. In \"shop-dev-a\" you're \
             attempting to configure \"p\" and \"q\" at the same time.",
        );
        check_error(
            &event("{pool: p, trigger: CustomSMSSender}"),
            "serverless.yml:7:9: KMS Key must be set when using a Custom Sender Source Trigger (CustomSMSSender and/or \
             CustomEmailSender). Affected Cognito User Pool: \"p\". (set kmsKeyId)",
        );
    }

    #[test]
    fn settings_beside_the_event_are_found() {
        check_error(
            "functions:\n  a:\n    handler: a.b\n    events:\n      - cognitoUserPool:\n        pool: p\n        trigger: x",
            "serverless.yml:8:9: pool stands beside cognitoUserPool, not inside of it (indent it by two more spaces)",
        );
    }
}
