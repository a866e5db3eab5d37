//! From the start of the process to `ready`, and the memory of a server that has nothing to do.

use std::time::Duration;

use anyhow::Result;

use super::accounts;
use crate::Plan;
use crate::figure::{Aim, Figures};
use crate::load::{self, Until};
use crate::server::Server;

/// What is there when it starts again.
const USERS: u64 = 1_000;

/// How long a server is left alone before its memory is read.
const IDLE: Duration = Duration::from_secs(2);

pub async fn measure(plan: &Plan, figures: &mut Figures) -> Result<()> {
    let (server, state) = Server::tandem(plan).await?;
    let first_start = server.started_in;
    let stack = server.stack().await?;
    load::run(server.address, plan.concurrency, Until::Count(USERS), async |connection, number| {
        accounts::sign_up(connection, &stack.app, &format!("user-{number}@example.com")).await
    })
    .await?;
    server.stop().await?;

    let mut starts = Vec::new();
    for _ in 0..plan.repeats {
        let server = Server::tandem_on(plan, state.path()).await?;
        starts.push(server.started_in);
        server.stop().await?;
    }
    starts.sort_unstable();
    let millis = |duration: Duration| duration.as_secs_f64() * 1000.0;
    figures.add("start to ready, 1,000 users", millis(starts[starts.len() / 2]), "ms", Aim::AtMost(20.0));
    figures.add("first start, nothing there", millis(first_start), "ms", Aim::None);

    let server = Server::tandem_on(plan, state.path()).await?;
    tokio::time::sleep(IDLE).await;
    figures.add("memory when idle", server.resident_mib()?, "MiB", Aim::AtMost(25.0));
    figures.add("of its functions, besides", server.children_resident_mib()?, "MiB", Aim::None);
    server.stop().await
}
