//! `PutEvents` in batches: to nobody, and to rules of which one matches each entry and keeps it for a queue.

use std::fmt::Write as _;

use anyhow::{Context, Result, ensure};
use serde_json::json;

use crate::Plan;
use crate::figure::{Aim, Figures};
use crate::http::Connection;
use crate::load::{self, Until};
use crate::server::Server;

/// Entries of a call: as many as there may be.
const ENTRIES: u64 = 10;

/// Rules on the buses; each of them asks for another kind of event.
const RULES: [u64; 3] = [1, 100, 10_000];

/// What a measurement is of.
#[derive(Clone, Copy)]
enum Events {
    /// Every rule is asked, and none matches.
    Strange,
    /// One rule matches each, and its target is a queue.
    Kept,
}

pub async fn measure(plan: &Plan, figures: &mut Figures) -> Result<()> {
    let mut of_one = 0.0;
    for rules in RULES {
        // A server for each: the deliveries of one measurement must not be at work in the next.
        let (server, _state) = Server::tandem(plan).await?;
        let mut connection = server.connect().await?;
        let queue = queue(&mut connection).await?;
        let bus = bus(plan, &server, rules, &queue).await?;

        let strange = put_events(plan, &server, &bus, rules, Events::Strange).await?;
        let aim = if rules == 100 { Aim::AtLeast(30_000.0) } else { Aim::None };
        figures.add(format!("events that none of {rules} rules matches"), strange, "1/s", aim);
        if rules == 1 {
            of_one = strange;
        } else if rules == 10_000 {
            figures.add("the same: cost of 10,000 rules over that of one", of_one / strange, "times", Aim::AtMost(1.2));
        }
        let kept = put_events(plan, &server, &bus, rules, Events::Kept).await?;
        figures.add(format!("events that one of {rules} rules keeps for a queue"), kept, "1/s", aim);
        server.settle().await?;
        server.stop().await?;
    }
    Ok(())
}

/// Entries per second.
async fn put_events(plan: &Plan, server: &Server, bus: &str, rules: u64, events: Events) -> Result<f64> {
    let round = async |connection: &mut Connection, number: u64| {
        let body = body(bus, rules, events, number);
        let answer = connection.call_raw("AWSEvents.PutEvents", body.as_bytes()).await?;
        let none_failed = answer.windows(20).any(|part| part == br#""FailedEntryCount":0"#.as_slice());
        ensure!(none_failed, "an event failed: {}", String::from_utf8_lossy(answer));
        Ok(())
    };
    #[expect(clippy::cast_precision_loss, reason = "ten")]
    let entries = ENTRIES as f64;
    Ok(load::run(server.address, plan.concurrency, Until::Elapsed(plan.period), round).await?.per_second() * entries)
}

/// A call's entries, of as many kinds; written by hand, since the generator of load must not be what is measured.
fn body(bus: &str, rules: u64, events: Events, number: u64) -> String {
    let mut body = String::from(r#"{"Entries":["#);
    for entry in 0..ENTRIES {
        let serial = number * ENTRIES + entry;
        let kind = match events {
            Events::Strange => "none".to_owned(),
            Events::Kept => (serial % rules).to_string(),
        };
        let comma = if entry == 0 { "" } else { "," };
        let _ = write!(
            body,
            r#"{comma}{{"EventBusName":"{bus}","Source":"bench","DetailType":"Counted","Detail":"{{\"kind\":\"{kind}\",\"number\":{serial},\"name\":\"Ada Lovelace\"}}"}}"#
        );
    }
    body + "]}"
}

/// A queue that the bus may send to; its ARN.
async fn queue(connection: &mut Connection) -> Result<String> {
    let queue = connection.call("AmazonSQS.CreateQueue", &json!({"QueueName": "bench"})).await?;
    let url = queue["QueueUrl"].as_str().context("a queue without a URL")?;
    let input = json!({"QueueUrl": url, "AttributeNames": ["QueueArn"]});
    let attributes = connection.call("AmazonSQS.GetQueueAttributes", &input).await?;
    let arn = attributes["Attributes"]["QueueArn"].as_str().context("a queue without an ARN")?.to_owned();
    let statement = json!({
        "Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": "sqs:SendMessage", "Resource": arn,
    });
    let policy = json!({"Version": "2012-10-17", "Statement": [statement]}).to_string();
    let input = json!({"QueueUrl": url, "Attributes": {"Policy": policy}});
    connection.call_raw("AmazonSQS.SetQueueAttributes", input.to_string().as_bytes()).await?;
    Ok(arn)
}

/// A bus with so many rules, each of which leads one kind of event to the queue.
async fn bus(plan: &Plan, server: &Server, rules: u64, queue: &str) -> Result<String> {
    let name = format!("bench-{rules}");
    server.connect().await?.call("AWSEvents.CreateEventBus", &json!({"Name": name})).await?;
    load::run(server.address, plan.concurrency, Until::Count(rules), async |connection, number| {
        let rule = format!("rule-{number}");
        let pattern = json!({"source": ["bench"], "detail": {"kind": [number.to_string()]}}).to_string();
        let input = json!({"Name": rule, "EventBusName": name, "EventPattern": pattern});
        connection.call("AWSEvents.PutRule", &input).await?;
        let targets = json!({"Rule": rule, "EventBusName": name, "Targets": [{"Id": "queue", "Arn": queue}]});
        connection.call("AWSEvents.PutTargets", &targets).await?;
        Ok(())
    })
    .await?;
    Ok(name)
}
