//! `PutEvents`: to nobody, and to a queue.

use anyhow::{Context, Result, ensure};
use serde_json::json;

use crate::Plan;
use crate::figure::{Aim, Figures};
use crate::http::Connection;
use crate::load::{self, Until};
use crate::server::{Server, Stack};

pub async fn measure(plan: &Plan, figures: &mut Figures) -> Result<()> {
    let (server, _state) = Server::tandem(plan).await?;
    let stack = server.stack().await?;
    let rate = put_events(plan, &server, &stack).await?;
    figures.add("PutEvents, no rule matches", rate, "1/s", Aim::None);

    lead_to_a_queue(&server, &stack).await?;
    let rate = put_events(plan, &server, &stack).await?;
    figures.add("PutEvents, kept for a queue", rate, "1/s", Aim::None);
    server.stop().await
}

async fn put_events(plan: &Plan, server: &Server, stack: &Stack) -> Result<f64> {
    let round = async |connection: &mut Connection, number: u64| {
        let entry = json!({
            "EventBusName": stack.bus,
            "Source": "bench",
            "DetailType": "Counted",
            "Detail": json!({"number": number}).to_string(),
        });
        let answer = connection.call("AWSEvents.PutEvents", &json!({"Entries": [entry]})).await?;
        ensure!(answer["FailedEntryCount"] == 0, "an event failed: {answer}");
        Ok(())
    };
    let load = load::run(server.address, plan.concurrency, Until::Elapsed(plan.period), round).await?;
    Ok(load.per_second())
}

async fn lead_to_a_queue(server: &Server, stack: &Stack) -> Result<()> {
    let mut connection = server.connect().await?;
    let queue = connection.call("AmazonSQS.CreateQueue", &json!({"QueueName": "bench"})).await?;
    let url = queue["QueueUrl"].as_str().context("a queue without a URL")?;
    let input = json!({"QueueUrl": url, "AttributeNames": ["QueueArn"]});
    let attributes = connection.call("AmazonSQS.GetQueueAttributes", &input).await?;
    let arn = attributes["Attributes"]["QueueArn"].as_str().context("a queue without an ARN")?;
    let statement = json!({
        "Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": "sqs:SendMessage", "Resource": arn,
    });
    let policy = json!({"Version": "2012-10-17", "Statement": [statement]}).to_string();
    let input = json!({"QueueUrl": url, "Attributes": {"Policy": policy}});
    connection.call_raw("AmazonSQS.SetQueueAttributes", input.to_string().as_bytes()).await?;
    let rule = json!({"Name": "bench", "EventBusName": stack.bus, "EventPattern": r#"{"source": ["bench"]}"#});
    connection.call("AWSEvents.PutRule", &rule).await?;
    let targets = json!({"Rule": "bench", "EventBusName": stack.bus, "Targets": [{"Id": "queue", "Arn": arn}]});
    connection.call("AWSEvents.PutTargets", &targets).await?;
    Ok(())
}
