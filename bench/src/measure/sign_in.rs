//! Signing in and showing the token: by SRP, by password, `GetUser`.

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::{PASSWORD, POOLS, accounts};
use crate::Plan;
use crate::figure::{Aim, Figures};
use crate::http::Connection;
use crate::load::{self, Until};
use crate::server::Server;
use crate::srp::{Challenge, Client};

/// How many people sign in, over and over.
const USERS: u64 = 64;

/// Sign-ins by SRP per repeat of the plan: enough for a clock that ticks a hundred times a second.
const SRP_ROUNDS: u64 = 20;

/// Rounds of the bare arithmetic that it is compared with.
const BARE_ROUNDS: u32 = 100;

/// By password.
pub async fn by_password(plan: &Plan, figures: &mut Figures) -> Result<()> {
    let (server, _state) = Server::tandem(plan).await?;
    let app = people(plan, &server).await?.1;
    let before = server.processor_seconds()?;
    let round =
        async |connection: &mut Connection, number: u64| sign_in(connection, &app, number % USERS).await.map(drop);
    let load = load::run(server.address, plan.concurrency, Until::Elapsed(plan.period), round).await?;
    figures.add("sign-in by password", load.per_second(), "1/s", Aim::AtLeast(1_500.0));
    let used = (server.processor_seconds()? - before) / load.count();
    figures.add("processor time of one", used * 1000.0, "ms", Aim::None);
    server.stop().await
}

/// By SRP: processor time of the server beside that of the arithmetic alone.
pub async fn srp(plan: &Plan, figures: &mut Figures) -> Result<()> {
    let (server, _state) = Server::tandem(plan).await?;
    let (pool, app) = people(plan, &server).await?;
    let client = Client::new()?;
    let mut connection = server.connect().await?;
    for number in 0..USERS {
        srp_sign_in(&mut connection, &client, &pool, &app, number).await?;
    }
    let rounds = SRP_ROUNDS * plan.repeats;
    let before = server.processor_seconds()?;
    for number in 0..rounds {
        srp_sign_in(&mut connection, &client, &pool, &app, number % USERS).await?;
    }
    #[expect(clippy::cast_precision_loss, reason = "a few hundred")]
    let used = (server.processor_seconds()? - before) * 1000.0 / rounds as f64;
    let bare = client.bare_arithmetic(BARE_ROUNDS)?.as_secs_f64() * 1000.0;
    figures.add("sign-in by SRP, processor time", used, "ms", Aim::AtMost(bare * 1.25));
    figures.add("its bare arithmetic", bare, "ms", Aim::None);
    figures.add("sign-in by SRP over bare arithmetic", used / bare, "times", Aim::AtMost(1.25));
    server.stop().await
}

/// Showing an access token.
pub async fn get_user(plan: &Plan, figures: &mut Figures) -> Result<()> {
    let (server, _state) = Server::tandem(plan).await?;
    let app = people(plan, &server).await?.1;
    let mut connection = server.connect().await?;
    let mut bodies = Vec::new();
    for number in 0..USERS {
        let answer = sign_in(&mut connection, &app, number).await?;
        bodies.push(json!({"AccessToken": answer["AuthenticationResult"]["AccessToken"]}).to_string());
    }
    let target = format!("{POOLS}.GetUser");
    let round = async |connection: &mut Connection, number: u64| {
        let body = &bodies[usize::try_from(number % USERS)?];
        connection.call_raw(&target, body.as_bytes()).await.map(drop)
    };
    let load = load::run(server.address, plan.concurrency, Until::Elapsed(plan.period), round).await?;
    figures.add("GetUser", load.per_second(), "1/s", Aim::AtLeast(25_000.0));
    server.stop().await
}

/// A pool without triggers, its client, and confirmed users.
async fn people(plan: &Plan, server: &Server) -> Result<(String, String)> {
    let (pool, app) = accounts::bare_pool(server).await?;
    load::run(server.address, plan.concurrency, Until::Count(USERS), async |connection, number| {
        accounts::sign_up(connection, &app, &email(number)).await?;
        accounts::confirm(connection, &pool, &email(number)).await
    })
    .await?;
    Ok((pool, app))
}

fn email(number: u64) -> String {
    format!("user-{number}@example.com")
}

async fn sign_in(connection: &mut Connection, app: &str, number: u64) -> Result<Value> {
    let parameters = json!({"USERNAME": email(number), "PASSWORD": PASSWORD});
    let input = json!({"ClientId": app, "AuthFlow": "USER_PASSWORD_AUTH", "AuthParameters": parameters});
    connection.call(&format!("{POOLS}.InitiateAuth"), &input).await
}

async fn srp_sign_in(connection: &mut Connection, client: &Client, pool: &str, app: &str, number: u64) -> Result<()> {
    let parameters = json!({"USERNAME": email(number), "SRP_A": client.srp_a()});
    let input = json!({"ClientId": app, "AuthFlow": "USER_SRP_AUTH", "AuthParameters": parameters});
    let answer = connection.call(&format!("{POOLS}.InitiateAuth"), &input).await?;
    let text = |name: &str| answer["ChallengeParameters"][name].as_str().context("a parameter is missing");
    let challenge = Challenge {
        salt: text("SALT")?,
        b: text("SRP_B")?,
        secret_block: text("SECRET_BLOCK")?,
        user_id: text("USER_ID_FOR_SRP")?,
    };
    let (timestamp, signature) = client.prove(pool, PASSWORD, &challenge)?;
    let input = json!({
        "ClientId": app,
        "ChallengeName": "PASSWORD_VERIFIER",
        "ChallengeResponses": {
            "USERNAME": challenge.user_id,
            "PASSWORD_CLAIM_SECRET_BLOCK": challenge.secret_block,
            "PASSWORD_CLAIM_SIGNATURE": signature,
            "TIMESTAMP": timestamp,
        },
    });
    let answer = connection.call(&format!("{POOLS}.RespondToAuthChallenge"), &input).await?;
    answer["AuthenticationResult"]["AccessToken"].as_str().context("no token")?;
    Ok(())
}
