//! `SetRiskConfiguration`: kept and given back. No sign-in is risky here.

use aws_api::Call;
use serde::{Deserialize, Serialize};

use crate::declared::{Declared, RiskConfiguration, UiCustomization};
use crate::{Error, UserPools};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    user_pool_id: String,
    client_id: Option<String>,
    #[serde(flatten)]
    configuration: RiskConfiguration,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Response {
    risk_configuration: RiskConfigurationType,
}

/// The API's shape of a configuration.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct RiskConfigurationType {
    user_pool_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_id: Option<String>,
    #[serde(flatten)]
    document: RiskConfiguration,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_modified_date: Option<f64>,
}

impl From<Declared<RiskConfiguration>> for Response {
    fn from(declared: Declared<RiskConfiguration>) -> Self {
        let risk_configuration = RiskConfigurationType {
            last_modified_date: Some(declared.modified.epoch_seconds()),
            user_pool_id: declared.pool.0,
            client_id: Some(declared.name).filter(|name| name != UiCustomization::ALL),
            document: declared.document,
        };
        Self { risk_configuration }
    }
}

impl Response {
    /// Of a pool that has said nothing.
    pub fn nothing(user_pool_id: String) -> Self {
        let document = RiskConfiguration::default();
        let nothing = RiskConfigurationType { user_pool_id, client_id: None, document, last_modified_date: None };
        Self { risk_configuration: nothing }
    }
}

pub async fn run(room: &UserPools, request: Request, _call: &Call) -> Result<Response, Error> {
    let pool = room.pool(&request.user_pool_id)?;
    let name = request.client_id.unwrap_or_else(|| UiCustomization::ALL.into());
    if name != UiCustomization::ALL {
        room.client_of(&pool, &name)?;
    }
    room.report_not_honoured(&format!("risk configuration of {name}"), &["every action".into()]);
    let declared = room.store.replace_declared(&pool.id, &name, request.configuration, room.world.clock.now()).await?;
    Ok(declared.into())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::Kit;

    #[tokio::test]
    async fn a_client_without_one_has_that_of_all() {
        let t = Kit::new().await;
        let get = json!({"UserPoolId": t.pool, "ClientId": t.client});
        let nothing = t.call("DescribeRiskConfiguration", get.clone()).await.ok();
        assert_eq!(nothing, json!({"RiskConfiguration": {"UserPoolId": t.pool}}));
        let block = json!({"Actions": {"EventAction": "BLOCK"}});
        let all = json!({"UserPoolId": t.pool, "CompromisedCredentialsRiskConfiguration": block});
        t.call("SetRiskConfiguration", all).await.ok();
        let found = t.call("DescribeRiskConfiguration", get.clone()).await.ok();
        assert_eq!(found["RiskConfiguration"]["CompromisedCredentialsRiskConfiguration"], block);
        let own = json!({"UserPoolId": t.pool, "ClientId": t.client});
        assert_eq!(t.call("SetRiskConfiguration", own).await.ok()["RiskConfiguration"]["ClientId"], json!(t.client));
        let found = t.call("DescribeRiskConfiguration", get).await.ok();
        assert_eq!(found["RiskConfiguration"]["CompromisedCredentialsRiskConfiguration"], json!(null));
        let nobody = json!({"UserPoolId": t.pool, "ClientId": "nobody"});
        t.call("SetRiskConfiguration", nobody).await.error("ResourceNotFoundException");
    }
}
