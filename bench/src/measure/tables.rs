//! `PutItem` and `GetItem`, of ours and of dynoxide's own server, in turns on the same machine.

use anyhow::Result;
use serde_json::json;

use crate::Plan;
use crate::figure::{Aim, Figures};
use crate::http::Connection;
use crate::load::{self, Until};
use crate::server::Server;

/// Of different keys.
const ITEMS: u64 = 10_000;

/// What a server reached, per second.
struct Rates {
    put: f64,
    get: f64,
}

pub async fn measure(plan: &Plan, figures: &mut Figures) -> Result<()> {
    let (server, _state) = Server::tandem(plan).await?;
    let ours = rates(plan, &server).await?;
    server.stop().await?;

    let directory = tempfile::tempdir()?;
    let server = Server::rival(&directory.path().join("tables.db")).await?;
    let theirs = rates(plan, &server).await?;
    drop(server); // it knows no signal, and its file is thrown away

    figures.add("PutItem", ours.put, "1/s", Aim::AtLeast(theirs.put));
    figures.add("PutItem, dynoxide's own server", theirs.put, "1/s", Aim::None);
    figures.add("PutItem, ours over theirs", ours.put / theirs.put, "times", Aim::AtLeast(1.0));
    figures.add("GetItem", ours.get, "1/s", Aim::AtLeast(theirs.get));
    figures.add("GetItem, dynoxide's own server", theirs.get, "1/s", Aim::None);
    figures.add("GetItem, ours over theirs", ours.get / theirs.get, "times", Aim::AtLeast(1.0));
    Ok(())
}

async fn rates(plan: &Plan, server: &Server) -> Result<Rates> {
    let table = json!({
        "TableName": "bench",
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
        "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
    });
    call(&mut server.connect().await?, "CreateTable", &table.to_string()).await?;
    let put = async |connection: &mut Connection, number: u64| {
        let item = json!({
            "pk": {"S": format!("item-{}", number % ITEMS)},
            "at": {"N": number.to_string()},
            "text": {"S": "x".repeat(200)},
        });
        call(connection, "PutItem", &json!({"TableName": "bench", "Item": item}).to_string()).await
    };
    // All keys are there before anything is measured.
    load::run(server.address, plan.concurrency, Until::Count(ITEMS), put).await?;
    let puts = load::run(server.address, plan.concurrency, Until::Elapsed(plan.period), put).await?;
    let get = async |connection: &mut Connection, number: u64| {
        let key = json!({"pk": {"S": format!("item-{}", (number * 7_919) % ITEMS)}});
        call(connection, "GetItem", &json!({"TableName": "bench", "Key": key}).to_string()).await
    };
    let gets = load::run(server.address, plan.concurrency, Until::Elapsed(plan.period), get).await?;
    Ok(Rates { put: puts.per_second(), get: gets.per_second() })
}

async fn call(connection: &mut Connection, operation: &str, body: &str) -> Result<()> {
    connection.call_raw(&format!("DynamoDB_20120810.{operation}"), body.as_bytes()).await.map(drop)
}
