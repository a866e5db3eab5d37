//! The whole chain: sign-up, confirmation, trigger, event, rule, function, item.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::json;
use tokio::time::Instant;

use super::{POOLS, accounts};
use crate::Plan;
use crate::figure::{Aim, Figures};
use crate::http::Connection;
use crate::load::{self, Until};
use crate::server::{Server, Stack};

/// How long a profile may be awaited.
const PROFILE_LIMIT: Duration = Duration::from_secs(20);

/// Between two looks at the table. A profile is found up to this much later than it was there.
const LOOK_PERIOD: Duration = Duration::from_millis(1);

/// Users who warm the functions up.
const USERS_FIRST: u64 = 64;

pub async fn measure(plan: &Plan, figures: &mut Figures) -> Result<()> {
    let (server, _state) = Server::tandem(plan).await?;
    let stack = server.stack().await?;
    let warm = async |connection: &mut Connection, number| user(connection, &stack, &format!("warm-{number}")).await;
    load::run_timed(server.address, plan.concurrency, Until::Count(USERS_FIRST), warm).await?;
    server.settle().await?;

    let alone = async |connection: &mut Connection, number| user(connection, &stack, &format!("alone-{number}")).await;
    let load = load::run_timed(server.address, 1, Until::Elapsed(plan.period / 2), alone).await?;
    figures.add("confirmed to readable profile, alone", load.median_ms(), "ms", Aim::None);
    server.settle().await?;

    let before = server.processor_seconds()?;
    let crowd = async |connection: &mut Connection, number| user(connection, &stack, &format!("user-{number}")).await;
    let load = load::run_timed(server.address, plan.concurrency, Until::Elapsed(plan.period), crowd).await?;
    let name = format!("whole chain, {} at a time", plan.concurrency);
    figures.add(name, load.per_second(), "users/s", Aim::AtLeast(1_000.0));
    figures.add("confirmed to readable profile, median", load.median_ms(), "ms", Aim::AtMost(2.0));
    let used = (server.processor_seconds()? - before) / load.count();
    figures.add("processor time of the server per user", used * 1000.0, "ms", Aim::None);
    server.settle().await?;
    server.stop().await
}

/// One user's way; how long it took from the answer to the confirmation until the profile could be read.
async fn user(connection: &mut Connection, stack: &Stack, name: &str) -> Result<Duration> {
    let email = format!("{name}@example.com");
    let sub = sign_up(connection, stack, &email).await?;
    accounts::confirm(connection, &stack.pool, &email).await?;
    let confirmed = Instant::now();
    let key = json!({"pk": {"S": format!("USER#{sub}")}, "sk": {"S": "PROFILE"}});
    let look = json!({"TableName": stack.table, "Key": key}).to_string();
    while confirmed.elapsed() < PROFILE_LIMIT {
        let found = connection.call_raw("DynamoDB_20120810.GetItem", look.as_bytes()).await?;
        if found.len() > 2 {
            return Ok(confirmed.elapsed());
        }
        tokio::time::sleep(LOOK_PERIOD).await;
    }
    bail!("{email} has no profile after {PROFILE_LIMIT:?}")
}

async fn sign_up(connection: &mut Connection, stack: &Stack, email: &str) -> Result<String> {
    let attributes = json!([{"Name": "email", "Value": email}, {"Name": "name", "Value": "Ada Lovelace"}]);
    let input = json!({
        "ClientId": stack.app, "Username": email, "Password": super::PASSWORD, "UserAttributes": attributes,
    });
    let answer = connection.call(&format!("{POOLS}.SignUp"), &input).await?;
    Ok(answer["UserSub"].as_str().context("a user without a sub")?.to_owned())
}
