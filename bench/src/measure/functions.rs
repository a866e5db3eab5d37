//! Functions: what an invocation costs over a bare request, how soon an event is delivered, how long cold starts take.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use tokio::net::UdpSocket;
use tokio::time::{Instant, timeout};

use crate::Plan;
use crate::figure::{Aim, Figures};
use crate::function::NOTIFY;
use crate::http::Connection;
use crate::load::{self, Until};
use crate::server::Server;

const FUNCTIONS: &str = "/2015-03-31/functions";
const ROLE: &str = "arn:aws:iam::000000000000:role/bench";

/// How long one delivery or cold start may take.
const LIMIT: Duration = Duration::from_mins(1);

/// A handler in a language, and the program that it needs.
struct Language {
    name: &'static str,
    program: &'static str,
    runtime: &'static str,
    file: &'static str,
    text: &'static str,
}

const LANGUAGES: [Language; 2] = [
    Language {
        name: "Node",
        program: "node",
        runtime: "nodejs22.x",
        file: "index.mjs",
        text: "export const handler = async () => null;\n",
    },
    Language {
        name: "Python",
        program: "python3",
        runtime: "python3.13",
        file: "index.py",
        text: "def handler(event, context):\n    return None\n",
    },
];

pub async fn measure(plan: &Plan, figures: &mut Figures) -> Result<()> {
    let (server, state) = Server::tandem(plan).await?;
    let mut connection = server.connect().await?;
    let socket = UdpSocket::bind("127.0.0.1:0").await?;
    let notify = socket.local_addr()?.to_string();
    let executable = std::env::current_exe()?;
    let executable = executable.to_str().context("the path is not Unicode")?;
    let function = json!({
        "FunctionName": "bench", "Runtime": "provided.al2023", "Handler": "bench", "Role": ROLE, "Timeout": 30,
        "Code": {"S3Bucket": "local", "S3Key": executable}, "Environment": {"Variables": {NOTIFY: notify}},
    });
    let arn = create(&mut connection, &function).await?;

    invocations(plan, &server, &mut connection, figures).await?;
    deliveries(plan, &mut connection, &socket, &arn, figures).await?;

    cold(plan, &mut connection, figures, "of a bare executable", &function).await?;
    for language in LANGUAGES {
        if Command::new(language.program).arg("--version").output().is_err() {
            eprintln!("{} is not installed: its cold start is not measured", language.program);
            continue;
        }
        let directory = state.path().join(language.name);
        fs::create_dir_all(&directory)?;
        fs::write(directory.join(language.file), language.text)?;
        let function = json!({
            "Runtime": language.runtime, "Handler": "index.handler", "Role": ROLE, "Timeout": 30,
            "Code": {"S3Bucket": "local", "S3Key": path(&directory)?},
        });
        cold(plan, &mut connection, figures, &format!("of a {} handler", language.name), &function).await?;
    }
    server.stop().await?;
    cold_of_the_app(plan, figures).await
}

/// Invocations of a warm function beside the emptiest request that the server answers.
async fn invocations(plan: &Plan, server: &Server, connection: &mut Connection, figures: &mut Figures) -> Result<()> {
    invoke(connection, "bench").await?;
    let alone = Until::Elapsed(plan.period / 4);
    let bare = load::run(server.address, 1, alone, async |connection, _| {
        connection.ask("GET /_tandem/health").await.map(drop)
    });
    let bare = bare.await?.median_ms();
    let warm = load::run(server.address, 1, alone, async |connection, _| invoke(connection, "bench").await);
    let warm = warm.await?.median_ms();
    figures.add("a bare HTTP round trip", bare * 1000.0, "µs", Aim::None);
    figures.add("invocation of a warm function", warm * 1000.0, "µs", Aim::None);
    figures.add("of these, over two bare round trips", (warm - 2.0 * bare) * 1000.0, "µs", Aim::None);
    let crowd = Until::Elapsed(plan.period);
    let crowd =
        load::run(server.address, plan.concurrency, crowd, async |connection, _| invoke(connection, "bench").await);
    figures.add("invocations, 16 at a time", crowd.await?.per_second(), "1/s", Aim::None);
    Ok(())
}

/// From the answer of `PutEvents` to the function's having the event.
async fn deliveries(
    plan: &Plan,
    connection: &mut Connection,
    socket: &UdpSocket,
    arn: &str,
    figures: &mut Figures,
) -> Result<()> {
    let rule = json!({"Name": "bench", "EventPattern": json!({"source": ["bench"]}).to_string()});
    let rule_arn = connection.call("AWSEvents.PutRule", &rule).await?["RuleArn"].clone();
    let targets = json!({"Rule": "bench", "Targets": [{"Id": "function", "Arn": arn}]});
    connection.call("AWSEvents.PutTargets", &targets).await?;
    let permission = json!({
        "StatementId": "bench", "Action": "lambda:InvokeFunction", "Principal": "events.amazonaws.com", "SourceArn": rule_arn,
    });
    connection.rest("POST", &format!("{FUNCTIONS}/bench/policy"), &permission).await?;
    while socket.try_recv(&mut [0; 8]).is_ok() {} // what the invocations before have told

    let entry = json!({"Source": "bench", "DetailType": "Counted", "Detail": "{}"});
    let events = json!({"Entries": [entry]});
    let mut latencies = Vec::new();
    let began = Instant::now();
    while began.elapsed() < plan.period / 2 {
        let answer = connection.call("AWSEvents.PutEvents", &events).await?;
        ensure!(answer["FailedEntryCount"] == 0, "an event failed: {answer}");
        let answered = Instant::now();
        timeout(LIMIT, socket.recv(&mut [0; 8])).await.context("an event was not delivered")??;
        latencies.push(answered.elapsed());
    }
    figures.add("from PutEvents' answer to a warm function", median_ms(latencies) * 1000.0, "µs", Aim::None);
    Ok(())
}

/// The first invocation of functions that are alike.
async fn cold(
    plan: &Plan,
    connection: &mut Connection,
    figures: &mut Figures,
    what: &str,
    function: &Value,
) -> Result<()> {
    let mut times = Vec::new();
    for number in 0..plan.repeats {
        let name = format!("cold-{number}");
        let mut function = function.clone();
        function["FunctionName"] = json!(name);
        create(connection, &function).await?;
        let began = Instant::now();
        timeout(LIMIT, invoke(connection, &name)).await.context("a function does not start")??;
        times.push(began.elapsed());
        connection.rest("DELETE", &format!("{FUNCTIONS}/{name}"), &Value::Null).await?;
    }
    figures.add(format!("cold start {what}"), median_ms(times), "ms", Aim::None);
    Ok(())
}

/// The same of a function of the app, SDK and all: it looks at the event and leaves it alone.
async fn cold_of_the_app(plan: &Plan, figures: &mut Figures) -> Result<()> {
    let mut times = Vec::new();
    for _ in 0..plan.repeats.div_ceil(4) {
        let (server, _state) = Server::tandem(plan).await?;
        let mut connection = server.connect().await?;
        let began = Instant::now();
        invoke(&mut connection, "announce-user").await?;
        times.push(began.elapsed());
        server.stop().await?;
    }
    figures.add("cold start of announce-user", median_ms(times), "ms", Aim::None);
    Ok(())
}

async fn create(connection: &mut Connection, function: &Value) -> Result<String> {
    let made = connection.rest("POST", FUNCTIONS, function).await?;
    Ok(made["FunctionArn"].as_str().context("a function without an ARN")?.to_owned())
}

async fn invoke(connection: &mut Connection, function: &str) -> Result<()> {
    // What a user pool sends where nobody was confirmed: announce-user returns it as it is.
    let event = json!({"version": "1", "triggerSource": "PostConfirmation_ConfirmForgotPassword", "region": "us-east-1",
        "userPoolId": "us-east-1_bench", "userName": "bench", "callerContext": {}, "request": {"userAttributes": {}}, "response": {}});
    connection.rest("POST", &format!("{FUNCTIONS}/{function}/invocations"), &event).await.map(drop)
}

fn path(path: &Path) -> Result<&str> {
    path.to_str().context("the path is not Unicode")
}

fn median_ms(mut times: Vec<Duration>) -> f64 {
    times.sort_unstable();
    times.get(times.len() / 2).map_or(0.0, |time| time.as_secs_f64() * 1000.0)
}
