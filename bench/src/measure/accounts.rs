//! Sign-up and confirmation in a pool without triggers: what an account costs by itself.

use anyhow::{Context, Result};
use serde_json::json;

use super::{PASSWORD, POOLS};
use crate::Plan;
use crate::figure::{Aim, Figures};
use crate::http::Connection;
use crate::load::{self, Until};
use crate::server::Server;

pub async fn measure(plan: &Plan, figures: &mut Figures) -> Result<()> {
    let (server, _state) = Server::tandem(plan).await?;
    let (pool, app) = bare_pool(&server).await?;
    let load = load::run(server.address, plan.concurrency, Until::Elapsed(plan.period), async |connection, number| {
        let email = format!("user-{number}@example.com");
        sign_up(connection, &app, &email).await?;
        confirm(connection, &pool, &email).await
    })
    .await?;
    figures.add("sign-up and confirmation, no trigger", load.per_second(), "users/s", Aim::AtLeast(3_000.0));
    server.stop().await
}

/// A pool with e-mail sign-in as the built-in one, but without triggers; and a client of it.
pub async fn bare_pool(server: &Server) -> Result<(String, String)> {
    let mut connection = server.connect().await?;
    let input = json!({
        "PoolName": "bare",
        "UsernameAttributes": ["email"],
        "AutoVerifiedAttributes": ["email"],
        "UsernameConfiguration": {"CaseSensitive": false},
    });
    let answer = connection.call(&format!("{POOLS}.CreateUserPool"), &input).await?;
    let pool = answer["UserPool"]["Id"].as_str().context("a pool without an id")?.to_owned();
    let flows = ["ALLOW_USER_PASSWORD_AUTH", "ALLOW_USER_SRP_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"];
    let input = json!({"UserPoolId": pool, "ClientName": "bare", "ExplicitAuthFlows": flows});
    let answer = connection.call(&format!("{POOLS}.CreateUserPoolClient"), &input).await?;
    let app = answer["UserPoolClient"]["ClientId"].as_str().context("a client without an id")?.to_owned();
    Ok((pool, app))
}

pub async fn sign_up(connection: &mut Connection, app: &str, email: &str) -> Result<()> {
    let attributes = json!([{"Name": "email", "Value": email}, {"Name": "name", "Value": "Ada Lovelace"}]);
    let input = json!({"ClientId": app, "Username": email, "Password": PASSWORD, "UserAttributes": attributes});
    connection.call_raw(&format!("{POOLS}.SignUp"), input.to_string().as_bytes()).await?;
    Ok(())
}

/// As an administrator: it runs the same trigger as the user's own code, and needs no look into the mailbox.
pub async fn confirm(connection: &mut Connection, pool: &str, email: &str) -> Result<()> {
    let input = json!({"UserPoolId": pool, "Username": email});
    connection.call_raw(&format!("{POOLS}.AdminConfirmSignUp"), input.to_string().as_bytes()).await?;
    Ok(())
}
