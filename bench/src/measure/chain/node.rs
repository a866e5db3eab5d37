//! The same chain with handlers in JavaScript, as the article has them, and the AWS SDK that Lambda brings along.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::crowd;
use crate::Plan;
use crate::figure::{Aim, Figures};
use crate::http::Connection;
use crate::measure::accounts;
use crate::server::{Server, Stack};

const FUNCTIONS: &str = "/2015-03-31/functions";
const NAME: &str = "bench-node";

pub async fn measure(plan: &Plan, figures: &mut Figures) -> Result<()> {
    if Command::new("node").arg("--version").output().is_err() {
        eprintln!("node is not installed: the chain with handlers in JavaScript is not measured");
        return Ok(());
    }
    let (server, state) = Server::tandem(plan).await?;
    let stack = make(&server, state.path()).await?;
    let load = crowd(plan, &server, &stack, plan.period).await?;
    let name = format!("whole chain with Node handlers, {} at a time", plan.concurrency);
    figures.add(name, load.per_second(), "users/s", Aim::AtLeast(600.0));
    figures.add("the same: confirmed to readable profile, median", load.median_ms(), "ms", Aim::None);
    server.settle().await?;
    server.stop().await
}

/// A pool whose trigger says on a bus who is confirmed, and a rule that has them stored in the built-in table.
async fn make(server: &Server, state: &Path) -> Result<Stack> {
    let table = server.stack().await?.table;
    let mut connection = server.connect().await?;
    let (pool, app) = accounts::bare_pool(server).await?;
    connection.call("AWSEvents.CreateEventBus", &json!({"Name": NAME})).await?;
    let announce = function(&mut connection, state, "announce", include_str!("announce.mjs"), ("BUS", NAME)).await?;
    let profile = function(&mut connection, state, "profile", include_str!("profile.mjs"), ("TABLE", &table)).await?;
    let pattern = json!({"source": ["bench"]}).to_string();
    let rule = json!({"Name": NAME, "EventBusName": NAME, "EventPattern": pattern});
    connection.call("AWSEvents.PutRule", &rule).await?;
    let targets = json!({"Rule": NAME, "EventBusName": NAME, "Targets": [{"Id": "profile", "Arn": profile}]});
    connection.call("AWSEvents.PutTargets", &targets).await?;
    for (function, principal) in [("announce", "cognito-idp.amazonaws.com"), ("profile", "events.amazonaws.com")] {
        let permission = json!({"StatementId": "bench", "Action": "lambda:InvokeFunction", "Principal": principal});
        connection.rest("POST", &format!("{FUNCTIONS}/{function}/policy"), &permission).await?;
    }
    let trigger = json!({
        "UserPoolId": pool, "LambdaConfig": {"PostConfirmation": announce}, "AutoVerifiedAttributes": ["email"],
    });
    connection.call(&format!("{}.UpdateUserPool", super::POOLS), &trigger).await?;
    Ok(Stack { pool, app, table })
}

async fn function(
    connection: &mut Connection,
    state: &Path,
    name: &str,
    source: &str,
    (variable, value): (&str, &str),
) -> Result<String> {
    let directory = state.join("handlers").join(name);
    fs::create_dir_all(&directory)?;
    fs::write(directory.join("index.mjs"), source)?;
    let input = json!({
        "FunctionName": name, "Runtime": "nodejs22.x", "Handler": "index.handler", "Timeout": 60,
        "Role": "arn:aws:iam::000000000000:role/bench",
        "Code": {"S3Bucket": "local", "S3Key": directory.to_str().context("the path is not Unicode")?},
        "Environment": {"Variables": {variable: value}},
    });
    let made = connection.rest("POST", FUNCTIONS, &input).await?;
    // The first run installs the SDK. Nothing is confirmed by it, so nothing happens but that.
    let event = json!({"triggerSource": "none", "detail": {"userId": "warm", "email": "warm@example.com"}});
    let _: Value = connection.rest("POST", &format!("{FUNCTIONS}/{name}/invocations"), &event).await?;
    Ok(made["FunctionArn"].as_str().context("a function without an ARN")?.to_owned())
}
