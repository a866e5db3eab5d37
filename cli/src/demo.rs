//! `tandem dev --demo`: signs users up through the API, as anybody's client would, and prints what happened.

use std::time::Duration;

use anyhow::{Context, bail, ensure};
use bytes::Bytes;
use http::Method;
use jiff::Timestamp;
use serde_json::{Value, json};
use server::Stack;

use crate::api::{Api, Refused, query_value};
use crate::story;

/// Ends in the example domain of RFC 2606: mail to it can harm nobody.
const DOMAIN: &str = "example.com";
const PASSWORD: &str = "Correct-Horse-7";
/// Of a call that is throttled or meets an error of the server's.
const ATTEMPTS_MAX: u32 = 5;
/// Every retry that chaos brings about is waited for once.
const SETTLES_MAX: u32 = 20;
const RETRY_AFTER: Duration = Duration::from_millis(100);

struct Demo<'a> {
    api: Api,
    stack: &'a Stack,
    /// Makes addresses new at every run: the state directory remembers the others.
    run: String,
}

/// Three users, three ways in.
pub async fn run(endpoint: &str, stack: &Stack) -> anyhow::Result<()> {
    let api = Api::new(endpoint)?;
    let health = api.inside(Method::GET, "/_tandem/health").await?;
    let now = health.get("now").and_then(Value::as_str).unwrap_or_default();
    let run = now.chars().filter(char::is_ascii_digit).collect();
    let demo = Demo { api, stack, run };

    let ann = demo.address("ann");
    println!("{ann} signs up and confirms with the mailed code");
    demo.sign_up(&ann).await?;
    let code = demo.code(&ann).await?;
    let confirm = json!({"ClientId": stack.user_pool_client_id, "Username": ann, "ConfirmationCode": code});
    demo.cognito("ConfirmSignUp", &confirm).await?;
    demo.tell(&ann).await?;

    let ben = demo.address("ben");
    println!("{ben} signs up and is confirmed by an administrator");
    demo.sign_up(&ben).await?;
    demo.cognito("AdminConfirmSignUp", &json!({"UserPoolId": stack.user_pool_id, "Username": ben})).await?;
    demo.tell(&ben).await?;

    let cleo = demo.address("cleo");
    println!(
        "{cleo} is created by an administrator: Cognito fires no PostConfirmation, but CloudTrail tells of the call"
    );
    let create = json!({"UserPoolId": stack.user_pool_id, "Username": cleo});
    demo.cognito("AdminCreateUser", &create).await?;
    demo.tell(&cleo).await?;

    println!("Still serving at {endpoint}. Ctrl-C ends it.");
    Ok(())
}

impl Demo<'_> {
    fn address(&self, name: &str) -> String {
        format!("{name}-{}@{DOMAIN}", self.run)
    }

    async fn cognito(&self, operation: &str, input: &Value) -> anyhow::Result<Value> {
        let target = format!("AWSCognitoIdentityProviderService.{operation}");
        self.call(&target, input).await.with_context(|| operation.to_owned())
    }

    /// As an SDK calls: what may pass is tried again, for there may be chaos.
    async fn call(&self, target: &str, input: &Value) -> anyhow::Result<Value> {
        for _ in 1..ATTEMPTS_MAX {
            match self.api.call(target, input).await {
                Err(error) if error.downcast_ref::<Refused>().is_some_and(|refused| refused.is_transient) => {
                    tokio::time::sleep(RETRY_AFTER).await;
                }
                answer => return answer,
            }
        }
        self.api.call(target, input).await
    }

    async fn sign_up(&self, address: &str) -> anyhow::Result<()> {
        let name = json!({"Name": "name", "Value": address.split('-').next()});
        let input = json!({
            "ClientId": self.stack.user_pool_client_id,
            "Username": address,
            "Password": PASSWORD,
            "UserAttributes": [name],
        });
        self.cognito("SignUp", &input).await.map(drop)
    }

    async fn code(&self, address: &str) -> anyhow::Result<String> {
        let path = format!("/_tandem/mailbox?to={}", query_value(address));
        let mailbox = self.api.inside(Method::GET, &path).await?;
        let code = mailbox.pointer("/messages/0/code").and_then(Value::as_str);
        code.map(str::to_owned).with_context(|| format!("no code was mailed to {address}"))
    }

    /// Waits until nothing is left to be done. Chaos may have it that something is tried again in a minute: the clock is
    /// set ahead then.
    async fn settle(&self) -> anyhow::Result<()> {
        for _ in 0..SETTLES_MAX {
            let (status, body) = self.api.ask_inside(Method::POST, "/_tandem/settle", Bytes::new()).await?;
            if status.is_success() {
                return Ok(());
            }
            let Some(due) = body.pointer("/pending/0/dueAt").and_then(Value::as_str) else { continue };
            let now = self.api.inside(Method::GET, "/_tandem/health").await?;
            let now = now.get("now").and_then(Value::as_str).unwrap_or(due);
            let wait_s = due.parse::<Timestamp>()?.duration_since(now.parse()?).as_secs().max(0) + 1;
            println!("  it is tried again at {due}: the clock is set ahead");
            let ahead = json!({"advanceSeconds": wait_s}).to_string();
            self.api.ask_inside(Method::POST, "/_tandem/clock", ahead.into()).await?;
        }
        bail!("what follows from a sign-up does not come to an end: see /_tandem/settle")
    }

    /// Waits until everything behind the sign-up is done, prints the story, and looks for the profile.
    async fn tell(&self, address: &str) -> anyhow::Result<()> {
        self.settle().await?;
        let timeline =
            self.api.inside(Method::GET, &format!("/_tandem/timeline?user={}", query_value(address))).await?;
        for line in story::lines(&timeline) {
            println!("{line}");
        }
        let user = json!({"UserPoolId": self.stack.user_pool_id, "Username": address});
        let user = self.cognito("AdminGetUser", &user).await?;
        let sub = user.get("Username").and_then(Value::as_str).unwrap_or_default();
        let key = json!({"pk": {"S": format!("USER#{sub}")}, "sk": {"S": "PROFILE"}});
        let item = json!({"TableName": self.stack.table_name, "Key": key});
        let item = self.call("DynamoDB_20120810.GetItem", &item).await?;
        ensure!(item.get("Item").is_some(), "{address} has no profile: {item}");
        println!("  profile: {} USER#{sub}", self.stack.table_name);
        println!();
        Ok(())
    }
}
