//! `GetAccount`: an account out of the sandbox, without a quota.

use std::time::Duration;

use aws_api::Call;
use serde::Deserialize;
use serde_json::{Value, json};
use world::Timestamp;

use crate::Mail;
use crate::error::Error;

const DAY: Duration = Duration::from_hours(24);

#[derive(Deserialize)]
pub struct Request {}

pub async fn run(room: &Mail, _request: Request, _call: &Call) -> Result<Value, Error> {
    let day_ms = i64::try_from(DAY.as_millis()).unwrap_or(i64::MAX);
    let start = Timestamp::from_millis(room.world.clock.now().millis() - day_ms);
    let sent = room.store.count_since(start).await?;
    Ok(json!({
        "DedicatedIpAutoWarmupEnabled": false,
        "EnforcementStatus": "HEALTHY",
        "ProductionAccessEnabled": true,
        // -1: no quota, as the API reference has it.
        "SendQuota": {"Max24HourSend": -1.0, "MaxSendRate": -1.0, "SentLast24Hours": sent},
        "SendingEnabled": true,
        "SuppressionAttributes": {"SuppressedReasons": []},
    }))
}

#[cfg(test)]
mod tests {
    use super::super::harness::{Answer, Harness};
    use super::*;

    #[tokio::test]
    async fn counts_the_mails_of_a_day() {
        let t = Harness::new();
        let mail = json!({"Simple": {"Subject": {"Data": "s"}, "Body": {"Text": {"Data": "t"}}}});
        t.send(mail.clone()).await;
        t.world.clock.advance(DAY + Duration::from_secs(1));
        t.send(mail).await;
        let Answer(status, answer) = t.ask("GET", "/v2/email/account", Value::Null).await;
        assert_eq!((status, &answer["SendQuota"]["SentLast24Hours"]), (200, &json!(1)));
    }
}
