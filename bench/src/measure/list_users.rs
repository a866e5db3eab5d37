//! Finding one user by e-mail address, in a small pool and in a large one.

pub mod crowd;

use anyhow::{Result, ensure};
use serde_json::json;

use super::{POOLS, accounts};
use crate::Plan;
use crate::figure::{Aim, Figures};
use crate::http::Connection;
use crate::load::{self, Until};
use crate::server::Server;

const USERS_FEW: u64 = 1_000;

pub async fn measure(plan: &Plan, figures: &mut Figures) -> Result<()> {
    let (server, state) = Server::tandem(plan).await?;
    let pool = accounts::bare_pool(&server).await?.0;
    create(&server, &pool).await?;
    server.stop().await?;
    for users in [USERS_FEW, plan.users_many] {
        crowd::grow(&state.path().join("pools.db"), &pool, users)?;
        let server = Server::tandem_on(plan, state.path()).await?;
        let target = format!("{POOLS}.ListUsers");
        let round = async |connection: &mut Connection, number: u64| {
            // Neighbours in time are not neighbours in the pool.
            let filter = format!("email = \"user-{}@example.com\"", (number * 7_919) % users);
            let body = json!({"UserPoolId": pool, "Filter": filter}).to_string();
            let found = connection.call_raw(&target, body.as_bytes()).await?;
            ensure!(found.len() > 100, "nobody was found: {}", String::from_utf8_lossy(found));
            Ok(())
        };
        let load = load::run(server.address, plan.concurrency, Until::Elapsed(plan.period), round).await?;
        let name = format!("ListUsers by e-mail among {users}");
        figures.add(name, load.per_second(), "1/s", Aim::AtLeast(10_000.0));
        server.stop().await?;
    }
    Ok(())
}

/// The user whom all others are made after.
async fn create(server: &Server, pool: &str) -> Result<()> {
    let email = crowd::email(0);
    let attributes = json!([{"Name": "email", "Value": email}, {"Name": "email_verified", "Value": "true"}]);
    let input = json!({
        "UserPoolId": pool, "Username": email, "UserAttributes": attributes, "MessageAction": "SUPPRESS",
    });
    server.connect().await?.call(&format!("{POOLS}.AdminCreateUser"), &input).await?;
    Ok(())
}
