//! The whole chain: sign-up, confirmation, trigger, event, rule, function, item.

mod node;

use std::cell::Cell;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::json;
use tokio::time::Instant;

use super::{POOLS, accounts};
use crate::Plan;
use crate::figure::{Aim, Figures};
use crate::http::Connection;
use crate::load::{self, Load, Until};
use crate::server::{Server, Stack};

/// How long a profile may be awaited.
const PROFILE_LIMIT: Duration = Duration::from_secs(20);

/// Between two looks at the table when nobody else is served. A profile is found up to this much later than it was there.
const LOOK_PERIOD: Duration = Duration::from_micros(200);

/// Users who warm the functions up.
const USERS_FIRST: u64 = 64;

pub async fn measure(plan: &Plan, figures: &mut Figures) -> Result<()> {
    let (server, _state) = Server::tandem(plan).await?;
    let stack = server.stack().await?;
    warm_up(plan, &server, &stack, "early").await?;

    let patience = Patience::default();
    let alone = async |connection: &mut Connection, number| {
        user(connection, &stack, &format!("alone-{number}"), &patience).await
    };
    let load = load::run_timed(server.address, 1, Until::Elapsed(plan.period / 2), alone).await?;
    figures.add("confirmed to readable profile, alone", load.median_ms(), "ms", Aim::AtMost(2.0));
    server.settle().await?;

    let before = server.processor_seconds()?;
    let load = crowd(plan, &server, &stack, plan.period).await?;
    let name = format!("whole chain, {} at a time", plan.concurrency);
    figures.add(name, load.per_second(), "users/s", Aim::AtLeast(1_000.0));
    figures.add("the same: confirmed to readable profile, median", load.median_ms(), "ms", Aim::AtMost(2.0));
    let used = (server.processor_seconds()? - before) / load.count();
    figures.add("the same: processor time of the server per user", used * 1000.0, "ms", Aim::None);
    server.settle().await?;
    server.stop().await?;
    // It needs npm's registry, or packages that an earlier run has fetched.
    if let Err(error) = node::measure(plan, figures).await {
        eprintln!("the chain with handlers in JavaScript could not be measured: {error}");
    }
    Ok(())
}

async fn warm_up(plan: &Plan, server: &Server, stack: &Stack, who: &str) -> Result<()> {
    let patience = Patience::default();
    let warm = async |connection: &mut Connection, number| {
        user(connection, stack, &format!("{who}-{number}"), &patience).await
    };
    load::run_timed(server.address, plan.concurrency, Until::Count(USERS_FIRST), warm).await?;
    server.settle().await.map(drop)
}

/// As many users at a time as the plan has, for so long.
async fn crowd(plan: &Plan, server: &Server, stack: &Stack, period: Duration) -> Result<Load> {
    warm_up(plan, server, stack, "warm").await?;
    let patience = Patience::default();
    let crowd =
        async |connection: &mut Connection, number| user(connection, stack, &format!("user-{number}"), &patience).await;
    load::run_timed(server.address, plan.concurrency, Until::Elapsed(period), crowd).await
}

/// How long profiles took of late. Looking for each of them all the time would be most of what the server does, so
/// the first look is due when half of the usual time is over, and the others follow in small parts of it.
#[derive(Default)]
struct Patience(Cell<Duration>);

impl Patience {
    fn first(&self) -> Duration {
        self.0.get() / 2
    }

    fn next(&self) -> Duration {
        LOOK_PERIOD.max(self.0.get() / 16)
    }

    /// Who found the profile at the first look may have come late, and must not think that this is usual.
    fn learn(&self, took: Duration, is_first_look: bool) {
        let usual = self.0.get();
        self.0.set(if is_first_look { usual * 3 / 4 } else { (usual * 7 + took) / 8 });
    }
}

/// Waits. The runtime's timer counts milliseconds; below that nobody else is served, so the thread itself may sleep.
async fn pause(duration: Duration) {
    if duration < Duration::from_millis(1) {
        #[expect(clippy::disallowed_methods, reason = "the only worker waits for less than the runtime can tell")]
        std::thread::sleep(duration);
    } else {
        tokio::time::sleep(duration).await;
    }
}

/// One user's way; how long it took from the answer to the confirmation until the profile could be read.
async fn user(connection: &mut Connection, stack: &Stack, name: &str, patience: &Patience) -> Result<Duration> {
    let email = format!("{name}@example.com");
    let sub = sign_up(connection, stack, &email).await?;
    accounts::confirm(connection, &stack.pool, &email).await?;
    let confirmed = Instant::now();
    let key = json!({"pk": {"S": format!("USER#{sub}")}, "sk": {"S": "PROFILE"}});
    let look = json!({"TableName": stack.table, "Key": key}).to_string();
    pause(patience.first()).await;
    let mut is_first_look = true;
    while confirmed.elapsed() < PROFILE_LIMIT {
        let found = connection.call_raw("DynamoDB_20120810.GetItem", look.as_bytes()).await?;
        if found.len() > 2 {
            patience.learn(confirmed.elapsed(), is_first_look);
            return Ok(confirmed.elapsed());
        }
        is_first_look = false;
        pause(patience.next()).await;
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
