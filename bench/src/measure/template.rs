//! Loading a template: from the text of a large SAM file to resources whose every value is resolved.

use std::fmt::Write as _;
use std::time::Duration;

use anyhow::Result;
use serde_json::Value;
use template::{Inputs, Outside, Source, Template, load};
use tokio::time::Instant;

use crate::Plan;
use crate::figure::{Aim, Figures};

const LINES_MIN: usize = 2_000;

/// References and attributes are names: what they are on AWS costs nothing to look up.
struct Names;

impl Outside for Names {
    fn reference(&self, logical_id: &str) -> Option<Value> {
        Some(logical_id.into())
    }

    fn attribute(&self, logical_id: &str, attribute: &str) -> Option<Value> {
        Some(format!("{logical_id}.{attribute}").into())
    }

    fn import(&self, _: &str) -> Option<String> {
        None
    }

    fn parameter(&self, _: &str) -> Option<String> {
        None
    }

    fn secret(&self, _: &str) -> Option<String> {
        None
    }
}

pub fn measure(plan: &Plan, figures: &mut Figures) -> Result<()> {
    let text = text();
    let lines = text.lines().count();
    let mut times = Vec::new();
    for _ in 0..plan.repeats {
        let began = Instant::now();
        let resources = once(&text)?;
        times.push(began.elapsed());
        anyhow::ensure!(resources > 200, "the template has only {resources} resources");
    }
    times.sort_unstable();
    let median: Duration = times[times.len() / 2];
    let name = format!("loading a template of {lines} lines");
    figures.add(name, median.as_secs_f64() * 1000.0, "ms", Aim::AtMost(50.0));
    Ok(())
}

/// Reads it; how many resources it is.
fn once(text: &str) -> Result<usize> {
    let document = load(&Source::new("template.yaml", text))?;
    let template = Template::read(document, Inputs::default())?;
    for resource in &template.resources {
        template.resolve(&resource.properties, &Names)?;
    }
    Ok(template.resources.len())
}

fn text() -> String {
    let mut text = String::from(
        "AWSTemplateFormatVersion: '2010-09-09'\nTransform: AWS::Serverless-2016-10-31\nParameters:\n  Stage:\n    \
         Type: String\n    Default: dev\nGlobals:\n  Function:\n    Runtime: nodejs20.x\n    Timeout: 10\n    \
         Environment:\n      Variables:\n        STAGE: !Ref Stage\nResources:\n  Bus:\n    Type: AWS::Events::EventBus\n    \
         Properties:\n      Name: !Sub orders-${Stage}\n  Table:\n    Type: AWS::DynamoDB::Table\n    Properties:\n      \
         BillingMode: PAY_PER_REQUEST\n      AttributeDefinitions:\n        - {AttributeName: id, AttributeType: S}\n      \
         KeySchema:\n        - {AttributeName: id, KeyType: HASH}\n",
    );
    let mut lines = text.lines().count();
    for number in 0.. {
        if lines >= LINES_MIN {
            break;
        }
        let function = format!(
            "  Function{number}:\n    Type: AWS::Serverless::Function\n    Properties:\n      CodeUri: src/\n      \
             Handler: function{number}.handler\n      Environment:\n        Variables:\n          TABLE: !Ref Table\n          \
             BUS: !GetAtt Bus.Arn\n          NAME: !Sub '${{AWS::StackName}}-${{Stage}}-{number}'\n          \
             LEVEL: !If [Never, debug, !Join ['', [in, fo]]]\n      Policies:\n        - DynamoDBCrudPolicy:\n            \
             TableName: !Ref Table\n      Events:\n        Created:\n          Type: EventBridgeRule\n          \
             Properties:\n            EventBusName: !Ref Bus\n            Pattern:\n              source: [orders]\n              \
             detail-type: [Order{number}]\n              detail:\n                total: [{{numeric: ['>', 100]}}]\n"
        );
        lines += function.lines().count();
        let _ = write!(text, "{function}");
    }
    text.push_str("Conditions:\n  Never: !Equals [!Ref Stage, nowhere]\n");
    text
}
