//! `Custom::CognitoUserPool`: what the Serverless Framework makes of `cognitoUserPool` with `existing: true`. There a
//! function of its own finds the pool by its name and attaches the trigger to it; here the deployer does.

use async_trait::async_trait;
use serde_json::{Map, Value, json};

use crate::StackError;
use crate::kind::{At, Follows, Identity, Kind, Made, Named, Operation, Properties, Rank, Standing, text as text_of};
use crate::name::physical_name;
use crate::shape::{Member, Shape, items, meaningless, text};

pub const TYPE: &str = "Custom::CognitoUserPool";
const IDP: &str = "cognito-idp";
const LAMBDA: &str = "lambda";
const PAGE: usize = 60;

/// What `DescribeUserPool` gives and `UpdateUserPool` does not take.
const OUTPUT_ONLY: &[&str] = &[
    "AliasAttributes",
    "Arn",
    "CreationDate",
    "CustomDomain",
    "Domain",
    "EmailConfigurationFailure",
    "EstimatedNumberOfUsers",
    "Id",
    "LastModifiedDate",
    "Name",
    "Schema",
    "SchemaAttributes",
    "SmsConfigurationFailure",
    "Status",
    "UsernameAttributes",
    "UsernameConfiguration",
];

pub struct ExistingPool;

#[async_trait]
impl Kind for ExistingPool {
    fn members(&self) -> &'static [Member] {
        const CONFIG: Shape = Shape::Members(&[text("KMSKeyID"), text("LambdaVersion"), text("Trigger").required()]);
        const MEMBERS: &[Member] = &[
            meaningless("ForceDeploy"),
            text("FunctionName").required().fixed(),
            meaningless("ServiceToken"),
            items("UserPoolConfigs", &CONFIG).required(),
            text("UserPoolName").required().fixed(),
        ];
        MEMBERS
    }

    fn made_by(&self) -> Operation {
        (IDP, "UpdateUserPool")
    }

    fn rank(&self) -> Rank {
        Rank::Permissions
    }

    fn identity(&self, named: &Named<'_>) -> Identity {
        Identity::of(physical_name(&named.around.stack, named.logical_id, 100))
    }

    async fn make(&self, at: &At<'_>, properties: &Properties) -> Result<Made, StackError> {
        let function = text_of(properties, "FunctionName");
        let Some(pool) = pool_named(at, text_of(properties, "UserPoolName")).await? else {
            return Ok(Made::default()); // looked for before anything was made; somebody was faster
        };
        let arn = at.arn(LAMBDA, &format!("function:{function}"));
        let permission = json!({
            "FunctionName": function,
            "StatementId": at.id,
            "Action": "lambda:InvokeFunction",
            "Principal": "cognito-idp.amazonaws.com",
            "SourceArn": at.arn(IDP, &format!("userpool/{pool}")),
        });
        at.unless("ResourceConflictException", (LAMBDA, "AddPermission"), permission).await?;
        change_triggers(at, &pool, |triggers| {
            triggers.retain(|_, value| !leads_to(value, &arn));
            triggers.extend(triggers_of(properties, &arn));
        })
        .await?;
        Ok(Made::default())
    }

    async fn find(&self, at: &At<'_>, standing: &Standing) -> Result<Option<Made>, StackError> {
        let arn = at.arn(LAMBDA, &format!("function:{}", standing.text("FunctionName")));
        let Some(pool) = pool_named(at, standing.text("UserPoolName")).await? else { return Ok(None) };
        let described = at.call((IDP, "DescribeUserPool"), json!({"UserPoolId": pool})).await?;
        let attached = described.pointer("/UserPool/LambdaConfig").and_then(Value::as_object);
        Ok(attached.is_some_and(|triggers| triggers.values().any(|value| leads_to(value, &arn))).then(Made::default))
    }

    async fn delete(&self, at: &At<'_>, standing: &Standing) -> Result<(), StackError> {
        let function = standing.text("FunctionName");
        let arn = at.arn(LAMBDA, &format!("function:{function}"));
        if let Some(pool) = pool_named(at, standing.text("UserPoolName")).await? {
            change_triggers(at, &pool, |triggers| triggers.retain(|_, value| !leads_to(value, &arn))).await?;
        }
        let input = json!({"FunctionName": function, "StatementId": standing.id});
        at.ask((LAMBDA, "RemovePermission"), input).await.map(drop)
    }

    /// A pool of the same stack loses its triggers when it is brought up to date: they are not in its properties.
    fn follows(&self) -> Follows {
        Follows::Pool
    }
}

/// The id of the first pool with this name, as the framework's own function takes it.
pub async fn pool_named(at: &At<'_>, name: &str) -> Result<Option<String>, StackError> {
    let mut input = json!({"MaxResults": PAGE});
    loop {
        let page = at.call((IDP, "ListUserPools"), input.clone()).await?;
        let pools = page["UserPools"].as_array().map(Vec::as_slice).unwrap_or_default();
        if let Some(pool) = pools.iter().find(|pool| pool["Name"] == name) {
            return Ok(pool["Id"].as_str().map(str::to_owned));
        }
        match page.get("NextToken").filter(|token| token.is_string()) {
            Some(token) => input["NextToken"] = token.clone(),
            None => return Ok(None),
        }
    }
}

/// A trigger's ARN, or the ARN in its configuration.
fn leads_to(trigger: &Value, arn: &str) -> bool {
    trigger == arn || trigger["LambdaArn"] == arn
}

fn triggers_of(properties: &Properties, arn: &str) -> Map<String, Value> {
    let configs = properties.get("UserPoolConfigs").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let mut triggers = Map::new();
    for config in configs {
        let trigger = config["Trigger"].as_str().unwrap_or_default();
        let version = config.get("LambdaVersion");
        match trigger {
            "CustomSMSSender" | "CustomEmailSender" => {
                let version = version.cloned().unwrap_or_else(|| "V1_0".into());
                triggers.insert(trigger.into(), json!({"LambdaArn": arn, "LambdaVersion": version}));
            }
            "PreTokenGeneration" if version.is_some_and(|version| version != "V1_0") => {
                let value = json!({"LambdaArn": arn, "LambdaVersion": version});
                triggers.insert("PreTokenGenerationConfig".into(), value);
                triggers.insert(trigger.into(), arn.into());
            }
            _ => {
                triggers.insert(trigger.into(), arn.into());
            }
        }
        if let Some(key) = config.get("KMSKeyID") {
            triggers.insert("KMSKeyID".into(), key.clone());
        }
    }
    triggers
}

/// Changes a pool's triggers and nothing else: what `UpdateUserPool` is not told goes back to its default.
async fn change_triggers(
    at: &At<'_>,
    pool: &str,
    change: impl FnOnce(&mut Map<String, Value>) + Send,
) -> Result<(), StackError> {
    let described = at.call((IDP, "DescribeUserPool"), json!({"UserPoolId": pool})).await?;
    let mut settings = described["UserPool"].as_object().cloned().unwrap_or_default();
    settings.retain(|name, _| !OUTPUT_ONLY.contains(&name.as_str()));
    let mut triggers = settings.remove("LambdaConfig").and_then(|value| value.as_object().cloned()).unwrap_or_default();
    change(&mut triggers);
    settings.insert("LambdaConfig".into(), triggers.into());
    settings.insert("UserPoolId".into(), pool.into());
    at.call((IDP, "UpdateUserPool"), Value::Object(settings)).await.map(drop)
}
