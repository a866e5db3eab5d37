//! `SetLogDeliveryConfiguration`: kept and given back. What happens in a pool is in the timeline.

use aws_api::Call;
use serde::{Deserialize, Serialize};

use crate::declared::LogDelivery;
use crate::{Error, UserPools};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    user_pool_id: String,
    #[serde(flatten)]
    delivery: LogDelivery,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Response {
    log_delivery_configuration: LogDeliveryConfigurationType,
}

/// The API's shape of a configuration.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct LogDeliveryConfigurationType {
    user_pool_id: String,
    #[serde(flatten)]
    delivery: LogDelivery,
}

impl Response {
    pub fn of(user_pool_id: String, delivery: LogDelivery) -> Self {
        Self { log_delivery_configuration: LogDeliveryConfigurationType { user_pool_id, delivery } }
    }
}

pub async fn run(room: &UserPools, request: Request, _call: &Call) -> Result<Response, Error> {
    let pool = room.pool(&request.user_pool_id)?;
    if !request.delivery.log_configurations.is_empty() {
        room.report_not_honoured(&format!("log delivery of {}", request.user_pool_id), &["LogConfigurations".into()]);
    }
    let now = room.world.clock.now();
    let declared = room.store.replace_declared(&pool.id, LogDelivery::ONLY, request.delivery, now).await?;
    Ok(Response::of(request.user_pool_id, declared.document))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::Kit;

    #[tokio::test]
    async fn it_is_given_back() {
        let t = Kit::new().await;
        let get = json!({"UserPoolId": t.pool});
        let found = t.call("GetLogDeliveryConfiguration", get.clone()).await.ok();
        assert_eq!(found["LogDeliveryConfiguration"]["LogConfigurations"], json!([]));
        let logs = json!([{"EventSource": "userNotification", "LogLevel": "ERROR",
            "CloudWatchLogsConfiguration": {"LogGroupArn": "arn:aws:logs:us-east-1:000000000000:log-group:users"}}]);
        let set = json!({"UserPoolId": t.pool, "LogConfigurations": logs});
        t.call("SetLogDeliveryConfiguration", set).await.ok();
        let found = t.call("GetLogDeliveryConfiguration", get).await.ok();
        assert_eq!(found["LogDeliveryConfiguration"], json!({"UserPoolId": t.pool, "LogConfigurations": logs}));
        let nowhere = json!({"UserPoolId": "us-east-1_none", "LogConfigurations": []});
        t.call("SetLogDeliveryConfiguration", nowhere).await.error("ResourceNotFoundException");
    }
}
