//! The built-in stack: what the article builds, with nothing to configure.
//!
//! Its ids are derived from names, so they are the same at every start and in every state directory.

use serde_json::{Value, json};

use crate::name::derived_id;
use crate::{Resources, Stack, StackError};

const NAME: &str = "tandem";
const CLIENT_NAME: &str = "tandem-app";
const TABLE: &str = "tandem-profiles";
const DEAD_LETTERS: &str = "tandem-dead-letters";
const FAILED_INVOCATIONS: &str = "tandem-failed-invocations";
const SENDER: &str = "no-reply@tandem.example";

const ANNOUNCE_USER: &str = "announce-user";
const NOTICE_SIGN_IN: &str = "notice-sign-in";
const REREAD_USER: &str = "reread-user";
const CREATE_PROFILE: &str = "create-profile";
const WELCOME_EMAIL: &str = "welcome-email";
const PROFILE_API: &str = "profile-api";
/// Without a schedule: a clock that tests set ahead would start it over and over. `tandem reconcile` does the same.
const RECONCILE_PROFILES: &str = "reconcile-profiles";

/// The functions that the `tandem` binary itself contains; each one's code id is its name.
pub const BUILT_IN_FUNCTIONS: &[&str] =
    &[ANNOUNCE_USER, NOTICE_SIGN_IN, REREAD_USER, CREATE_PROFILE, WELCOME_EMAIL, RECONCILE_PROFILES, PROFILE_API];

/// The rule for what CloudTrail tells of calls to Cognito. Such events are on the default bus alone.
const TRAIL: &str = "tandem-trail";
const DEFAULT_BUS: &str = "default";

/// The calls that change who a user is, of those that no trigger tells of.
const TRAIL_OPERATIONS: &[&str] = &[
    "AdminAddUserToGroup",
    "AdminCreateUser",
    "AdminDeleteUser",
    "AdminDeleteUserAttributes",
    "AdminDisableUser",
    "AdminEnableUser",
    "AdminRemoveUserFromGroup",
    "AdminSetUserPassword",
    "AdminUpdateUserAttributes",
    "DeleteUser",
    "DeleteUserAttributes",
    "UpdateUserAttributes",
    "VerifyUserAttribute",
];

/// A rule of the stack and its only target.
struct Rule {
    name: &'static str,
    detail_types: &'static [&'static str],
    function: &'static str,
}

const RULES: &[Rule] = &[
    Rule {
        name: "keep-profile",
        detail_types: &["UserCreated", "UserUpdated", "UserDeleted"],
        function: CREATE_PROFILE,
    },
    Rule { name: "welcome", detail_types: &["UserCreated"], function: WELCOME_EMAIL },
];

/// Makes the built-in stack, or brings it up to date.
pub async fn built_in(resources: &Resources<'_>) -> Result<Stack, StackError> {
    let place = &resources.world().place;
    let dead_letters = queue(resources, DEAD_LETTERS).await?;
    allow_dead_letters(resources, &dead_letters).await?;
    let failed_invocations = queue(resources, FAILED_INVOCATIONS).await?;
    make_table(resources).await?;
    let bus = json!({"Name": NAME});
    resources.make_unless("ResourceAlreadyExistsException", "events", "CreateEventBus", NAME, &bus).await?;
    for function in BUILT_IN_FUNCTIONS {
        make_function(resources, function).await?;
    }
    let profile_api = make_url(resources, PROFILE_API).await?;
    let pool = make_pool(resources).await?;
    let client = make_client(resources, &pool).await?;
    for rule in RULES {
        let pattern = json!({"source": ["tandem.identity"], "detail-type": rule.detail_types});
        make_rule(resources, NAME, rule.name, &pattern, rule.function).await?;
    }
    let trail = json!({
        "source": ["aws.cognito-idp"],
        "detail-type": ["AWS API Call via CloudTrail"],
        "detail": {"eventSource": ["cognito-idp.amazonaws.com"], "eventName": TRAIL_OPERATIONS},
    });
    make_rule(resources, DEFAULT_BUS, TRAIL, &trail, REREAD_USER).await?;
    Ok(Stack {
        name: NAME.into(),
        region: place.region.clone(),
        account_id: place.account.clone(),
        user_pool_id: pool,
        user_pool_client_id: client,
        event_bus_name: NAME.into(),
        table_name: TABLE.into(),
        functions: BUILT_IN_FUNCTIONS.iter().map(ToString::to_string).collect(),
        dead_letter_queue_url: dead_letters,
        failed_invocations_queue_url: failed_invocations,
        urls: [(PROFILE_API.to_owned(), profile_api)].into(),
        ..Stack::default()
    })
}

async fn queue(resources: &Resources<'_>, name: &str) -> Result<String, StackError> {
    let queue = resources.make("sqs", "CreateQueue", name, &json!({"QueueName": name})).await?;
    Ok(text(&queue, "/QueueUrl"))
}

/// Lets EventBridge send what could not be delivered. By a call of its own: a queue of an earlier start, which had no
/// policy, would not be made again with one.
async fn allow_dead_letters(resources: &Resources<'_>, url: &str) -> Result<(), StackError> {
    let place = &resources.world().place;
    let policy = json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": place.arn("sqs", DEAD_LETTERS),
        "Condition": {"ArnLike": {"aws:SourceArn": [
            place.arn("events", &format!("rule/{NAME}/*")),
            place.arn("events", &format!("rule/{TRAIL}")),
        ]}},
    }]});
    let input = json!({"QueueUrl": url, "Attributes": {"Policy": policy.to_string()}});
    resources.make("sqs", "SetQueueAttributes", DEAD_LETTERS, &input).await.map(drop)
}

/// Without a stream: nothing in this stack reads one.
async fn make_table(resources: &Resources<'_>) -> Result<(), StackError> {
    let key = |name: &str, kind: &str| json!({"AttributeName": name, "KeyType": kind});
    let attribute = |name: &str| json!({"AttributeName": name, "AttributeType": "S"});
    let table = json!({
        "TableName": TABLE,
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [attribute("pk"), attribute("sk"), attribute("emailKey")],
        "KeySchema": [key("pk", "HASH"), key("sk", "RANGE")],
        "GlobalSecondaryIndexes": [{
            "IndexName": "byEmail",
            "KeySchema": [key("emailKey", "HASH"), key("pk", "RANGE")],
            "Projection": {"ProjectionType": "ALL"},
        }],
    });
    let tables = resources.make("dynamodb", "ListTables", TABLE, &json!({})).await?;
    if tables["TableNames"].as_array().is_some_and(|names| names.iter().any(|name| name == TABLE)) {
        return Ok(());
    }
    resources.make("dynamodb", "CreateTable", TABLE, &table).await?;
    let life = json!({
        "TableName": TABLE,
        "TimeToLiveSpecification": {"Enabled": true, "AttributeName": "expiresAt"},
    });
    resources.make("dynamodb", "UpdateTimeToLive", TABLE, &life).await.map(drop)
}

async fn make_function(resources: &Resources<'_>, name: &str) -> Result<(), StackError> {
    let place = &resources.world().place;
    let variables = json!({
        "EVENT_BUS_NAME": NAME,
        "TABLE_NAME": TABLE,
        "SENDER_ADDRESS": SENDER,
        "USER_POOL_ID": pool_id(resources),
        "METRICS": "off", // nobody here makes metrics of lines, which would stand between those of the log
        "CLIENT_IDS": client_id(),
        "RUST_LOG": "info,lambda_runtime=warn", // its span would put two long ids before every line
    });
    let function = json!({
        "FunctionName": name,
        "Runtime": "provided.al2023",
        "Handler": name,
        "Role": format!("arn:aws:iam::{}:role/{NAME}", place.account),
        "Code": {"S3Bucket": "built-in", "S3Key": name},
        "Environment": {"Variables": variables},
        "Timeout": match name {
            ANNOUNCE_USER | NOTICE_SIGN_IN => 5,
            PROFILE_API => 15,
            RECONCILE_PROFILES => 900,
            _ => 10,
        },
        "MemorySize": 128,
    });
    resources.make_unless("ResourceConflictException", "lambda", "CreateFunction", name, &function).await?;
    let failures = place.arn("sqs", FAILED_INVOCATIONS);
    let config = json!({
        "FunctionName": name,
        "MaximumRetryAttempts": 2,
        "DestinationConfig": {"OnFailure": {"Destination": failures}},
    });
    resources.make("lambda", "PutFunctionEventInvokeConfig", name, &config).await.map(drop)
}

/// A function URL that everybody may call: the function looks at tokens itself. Its address.
async fn make_url(resources: &Resources<'_>, function: &str) -> Result<String, StackError> {
    let url = json!({"FunctionName": function, "AuthType": "NONE"});
    let made = match resources.make("lambda", "CreateFunctionUrlConfig", function, &url).await {
        Err(failure) if failure.error.short_code() == "ResourceConflictException" => {
            let function_name = json!({"FunctionName": function});
            resources.make("lambda", "GetFunctionUrlConfig", function, &function_name).await?
        }
        made => made?,
    };
    let permission = json!({
        "FunctionName": function,
        "StatementId": "url",
        "Action": "lambda:InvokeFunctionUrl",
        "Principal": "*",
        "FunctionUrlAuthType": "NONE",
    });
    resources.make_unless("ResourceConflictException", "lambda", "AddPermission", function, &permission).await?;
    Ok(text(&made, "/FunctionUrl"))
}

async fn allow(
    resources: &Resources<'_>,
    function: &str,
    statement: &str,
    principal: &str,
    source: &str,
) -> Result<(), StackError> {
    let permission = json!({
        "FunctionName": function,
        "StatementId": statement,
        "Action": "lambda:InvokeFunction",
        "Principal": principal,
        "SourceArn": source,
    });
    resources.make_unless("ResourceConflictException", "lambda", "AddPermission", function, &permission).await
}

/// Known before the pool is made, so that functions can be told.
fn pool_id(resources: &Resources<'_>) -> String {
    format!("{}_{}", resources.world().place.region, derived_id(&format!("user-pool/{NAME}"), 9))
}

fn client_id() -> String {
    derived_id(&format!("user-pool-client/{CLIENT_NAME}"), 26).to_lowercase()
}

async fn make_pool(resources: &Resources<'_>) -> Result<String, StackError> {
    let place = &resources.world().place;
    let id = pool_id(resources);
    let described = resources.call("cognito-idp", "DescribeUserPool", &json!({"UserPoolId": id})).await;
    let function = |name: &str| place.arn("lambda", &format!("function:{name}"));
    let mut settings = json!({
        "LambdaConfig": {
            "PostConfirmation": function(ANNOUNCE_USER),
            "PreTokenGenerationConfig": {"LambdaArn": function(NOTICE_SIGN_IN), "LambdaVersion": "V2_0"},
        },
        "AutoVerifiedAttributes": ["email"],
    });
    if described.is_ok() {
        settings["UserPoolId"] = id.as_str().into();
        resources.make("cognito-idp", "UpdateUserPool", NAME, &settings).await?;
    } else {
        settings["PoolName"] = NAME.into();
        settings["UsernameAttributes"] = json!(["email"]);
        settings["UsernameConfiguration"] = json!({"CaseSensitive": false});
        settings["UserPoolTags"] = json!({"_custom_id_": id});
        resources.make("cognito-idp", "CreateUserPool", NAME, &settings).await?;
    }
    let pool_arn = place.arn("cognito-idp", &format!("userpool/{id}"));
    for trigger in [ANNOUNCE_USER, NOTICE_SIGN_IN] {
        allow(resources, trigger, "user-pool", "cognito-idp.amazonaws.com", &pool_arn).await?;
    }
    Ok(id)
}

async fn make_client(resources: &Resources<'_>, pool: &str) -> Result<String, StackError> {
    let id = client_id();
    let input = json!({"UserPoolId": pool, "ClientId": id});
    if resources.call("cognito-idp", "DescribeUserPoolClient", &input).await.is_ok() {
        return Ok(id);
    }
    let flows = [
        "ALLOW_USER_SRP_AUTH",
        "ALLOW_USER_PASSWORD_AUTH",
        "ALLOW_ADMIN_USER_PASSWORD_AUTH",
        "ALLOW_REFRESH_TOKEN_AUTH",
    ];
    let client = json!({
        "UserPoolId": pool,
        "ClientName": format!("_custom_id_:{id}:{CLIENT_NAME}"),
        "ExplicitAuthFlows": flows,
    });
    resources.make("cognito-idp", "CreateUserPoolClient", CLIENT_NAME, &client).await?;
    Ok(id)
}

/// A rule and its only target.
async fn make_rule(
    resources: &Resources<'_>,
    bus: &str,
    name: &str,
    pattern: &Value,
    function: &str,
) -> Result<(), StackError> {
    let place = &resources.world().place;
    let input = json!({"Name": name, "EventBusName": bus, "EventPattern": pattern.to_string()});
    resources.make("events", "PutRule", name, &input).await?;
    // The default bus is not named in its rules' ARNs.
    let rule = if bus == DEFAULT_BUS { name.to_owned() } else { format!("{bus}/{name}") };
    let rule_arn = place.arn("events", &format!("rule/{rule}"));
    allow(resources, function, &format!("rule-{name}"), "events.amazonaws.com", &rule_arn).await?;
    let target = json!({
        "Id": function,
        "Arn": place.arn("lambda", &format!("function:{function}")),
        "DeadLetterConfig": {"Arn": place.arn("sqs", DEAD_LETTERS)},
    });
    let targets = json!({"Rule": name, "EventBusName": bus, "Targets": [target]});
    resources.make("events", "PutTargets", name, &targets).await.map(drop)
}

fn text(value: &Value, pointer: &str) -> String {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned()
}
