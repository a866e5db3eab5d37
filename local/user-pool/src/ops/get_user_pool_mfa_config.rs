//! `GetUserPoolMfaConfig`.

use aws_api::Call;
use serde::Deserialize;

use super::set_user_pool_mfa_config::Response;
use crate::declared::MfaConfig;
use crate::{Error, UserPools};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    user_pool_id: String,
}

pub async fn run(room: &UserPools, request: Request, _call: &Call) -> Result<Response, Error> {
    let pool = room.pool(&request.user_pool_id)?;
    let config = room.store.find_declared::<MfaConfig>(&pool.id, MfaConfig::NAME).await?;
    let mfa_configuration = pool.settings.mfa_configuration.clone().unwrap_or_else(|| "OFF".into());
    Ok(Response { config: config.map(|config| config.document).unwrap_or_default(), mfa_configuration })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::Kit;

    #[tokio::test]
    async fn the_mode_is_that_of_the_pool() {
        let t = Kit::with_pool(json!({"PoolName": "p", "MfaConfiguration": "OPTIONAL"})).await;
        let found = t.call("GetUserPoolMfaConfig", json!({"UserPoolId": t.pool})).await.ok();
        assert_eq!(found, json!({"MfaConfiguration": "OPTIONAL"}));
        let nowhere = json!({"UserPoolId": "us-east-1_none"});
        t.call("GetUserPoolMfaConfig", nowhere).await.error("ResourceNotFoundException");
    }
}
