//! `tandem reconcile` over a large pool and its table: time, requests, memory.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use dynoxide::storage::compute_hash_prefix;
use dynoxide::types::AttributeValue;
use rusqlite::{Connection, params};
use serde_json::{Value, json};
use tokio::process::Command;
use tokio::time::Instant;

use super::POOLS;
use super::list_users::crowd;
use crate::Plan;
use crate::figure::{Aim, Figures};
use crate::server::{Server, Stack};

/// One profile in so many says something else than the pool.
const DRIFT_EVERY: u64 = 10_000;

/// Cognito's largest page.
const USERS_PER_PAGE: u64 = 60;

pub async fn measure(plan: &Plan, figures: &mut Figures) -> Result<()> {
    let users = plan.users_reconciled;
    let (server, state) = Server::tandem(plan).await?;
    let stack = server.stack().await?;
    let first = first_user(plan, &server, &stack).await?;
    server.stop().await?;
    crowd::grow(&state.path().join("pools.db"), &stack.pool, users)?;
    let drift = fill(state.path(), &stack, &first)?;
    let server = Server::tandem_on(plan, state.path()).await?;
    let report = reconcile(plan, &server, state.path(), &[]).await?;
    ensure!(report.found == drift, "{} profiles differ, and {drift} should", report.found);
    #[expect(clippy::cast_precision_loss, reason = "nobody has 2^52 users")]
    let (seconds, floor, all, looks) =
        (report.seconds, users.div_ceil(USERS_PER_PAGE) as f64, users as f64, report.found as f64);
    figures.add(format!("reconcile {users} users"), seconds, "s", Aim::None);
    figures.add("reconcile, users a second", all / seconds, "users/s", Aim::None);
    let pages = report.requests("ListUsers") - looks;
    figures.add("reconcile, ListUsers pages over their floor", pages / floor, "times", Aim::AtMost(1.001));
    figures.add("reconcile, pages of the table", report.requests("Scan"), "", Aim::None);
    figures.add("reconcile, all requests", report.all_requests(), "", Aim::None);
    figures.add("reconcile, most memory", report.memory_mib, "MiB", Aim::AtMost(128.0));
    let report = reconcile(plan, &server, state.path(), &["--repair"]).await?;
    ensure!(report.left == 0, "{} profiles are not repaired", report.left);
    figures.add(format!("the same, {drift} repaired"), report.seconds, "s", Aim::None);
    server.stop().await
}

/// The user whom all others are made after, and the profile likewise.
async fn first_user(plan: &Plan, server: &Server, stack: &Stack) -> Result<Value> {
    let mut connection = server.connect().await?;
    let email = crowd::email(0);
    let attributes = json!([{"Name": "email", "Value": email}, {"Name": "email_verified", "Value": "true"}]);
    let input = json!({
        "UserPoolId": stack.pool, "Username": email, "UserAttributes": attributes, "MessageAction": "SUPPRESS",
    });
    connection.call(&format!("{POOLS}.AdminCreateUser"), &input).await?;
    let backfill = Command::new(&plan.tandem)
        .args(["backfill", "--quiet", "--endpoint-url", &format!("http://{}", server.address)])
        .current_dir(std::env::temp_dir())
        .status()
        .await?;
    ensure!(backfill.success(), "the first profile could not be made");
    let scan = json!({"TableName": stack.table});
    let answer = connection.call("DynamoDB_20120810.Scan", &scan).await?;
    let item = answer["Items"].as_array().and_then(|items| items.iter().find(|item| item["sk"]["S"] == "PROFILE"));
    item.cloned().context("the first profile is not there")
}

/// Copies the profile for every user, while no server has the files; how many of them say something else.
///
/// This knows the table of dynoxide's and no more of it than it writes.
fn fill(state: &Path, stack: &Stack, first: &Value) -> Result<u64> {
    let pools = Connection::open(state.join("pools.db"))?;
    let mut tables = Connection::open(state.join("tables.db"))?;
    let transaction = tables.transaction()?;
    let mut drift = 0;
    {
        let insert = format!(
            "INSERT OR REPLACE INTO \"{}\" (pk, sk, item_json, item_size, hash_prefix) VALUES (?1, 'S:PROFILE', ?2, ?3, ?4)",
            stack.table
        );
        let mut insert = transaction.prepare(&insert)?;
        let mut users = pools.prepare("SELECT sub, json_extract(attributes, '$.email') FROM users WHERE pool = ?1")?;
        let mut rows = users.query([&stack.pool])?;
        let mut number = 0_u64;
        while let Some(row) = rows.next()? {
            let (sub, mut email): (String, String) = (row.get(0)?, row.get(1)?);
            number += 1;
            if number.is_multiple_of(DRIFT_EVERY) {
                drift += 1;
                email = format!("former-{email}");
            }
            let pk = format!("USER#{sub}");
            let mut item = first.clone();
            for (name, value) in
                [("pk", &pk), ("userId", &sub), ("username", &sub), ("email", &email), ("emailKey", &email)]
            {
                item[name] = json!({"S": value});
            }
            let item = item.to_string();
            let prefix = compute_hash_prefix(&AttributeValue::S(pk.clone()));
            insert.execute(params![format!("S:{pk}"), item, item.len(), prefix])?;
        }
    }
    transaction.commit()?;
    Ok(drift)
}

/// What a run told.
struct Told {
    seconds: f64,
    found: u64,
    left: u64,
    requests: Value,
    memory_mib: f64,
}

impl Told {
    fn requests(&self, operation: &str) -> f64 {
        self.requests[operation].as_f64().unwrap_or_default()
    }

    fn all_requests(&self) -> f64 {
        self.requests.as_object().map_or(0.0, |all| all.values().filter_map(Value::as_f64).sum())
    }
}

async fn reconcile(plan: &Plan, server: &Server, directory: &Path, further: &[&str]) -> Result<Told> {
    let began = Instant::now();
    let output = Command::new(&plan.tandem)
        .args(["reconcile", "--quiet", "--json", "--min-age", "0s", "--no-groups"])
        .args(["--endpoint-url", &format!("http://{}", server.address)])
        .args(further)
        .current_dir(directory)
        .output()
        .await?;
    let seconds = began.elapsed().as_secs_f64();
    let error = String::from_utf8_lossy(&output.stderr);
    ensure!(matches!(output.status.code(), Some(0 | 1)), "reconcile could not run: {error}");
    let report: Value = serde_json::from_slice(&output.stdout).context("no report")?;
    // The summary for people has what the document for programs has not.
    let memory = error.split("; ").find_map(|part| part.trim().strip_suffix(" MiB of memory at most"));
    Ok(Told {
        seconds,
        found: report["findings"].as_array().map_or(0, |findings| findings.len() as u64),
        left: report["left"].as_u64().context("no count of what is left")?,
        requests: report["requests"]["byOperation"].clone(),
        memory_mib: memory.context("no figure of memory")?.parse()?,
    })
}
