//! `DescribeUserPoolDomain`. Of a domain that nobody has, the description is empty.

use aws_api::Call;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::create_user_pool_domain::distribution;
use crate::declared::CustomDomainConfig;
use crate::{Error, UserPools};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    domain: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Response {
    domain_description: DomainDescription,
}

#[derive(Default, Serialize)]
#[serde(rename_all = "PascalCase")]
struct DomainDescription {
    #[serde(skip_serializing_if = "Option::is_none")]
    user_pool_id: Option<String>,
    #[serde(rename = "AWSAccountId", skip_serializing_if = "Option::is_none")]
    aws_account_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    domain: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cloud_front_distribution: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    custom_domain_config: Option<CustomDomainConfig>,
    #[serde(skip_serializing_if = "Option::is_none")]
    managed_login_version: Option<i64>,
    #[serde(flatten)]
    others: Map<String, Value>,
}

/// What AWS shows of a domain that says nothing: the older hosted UI.
const MANAGED_LOGIN_VERSION_DEFAULT: i64 = 1;

pub async fn run(room: &UserPools, request: Request, _call: &Call) -> Result<Response, Error> {
    let Some(found) = room.store.domain(&request.domain).await? else {
        return Ok(Response { domain_description: DomainDescription::default() });
    };
    let domain_description = DomainDescription {
        user_pool_id: Some(found.pool.0),
        aws_account_id: Some(room.world.place.account.clone()),
        cloud_front_distribution: Some(distribution(&found.name)),
        domain: Some(found.name),
        status: Some("ACTIVE"),
        custom_domain_config: found.document.custom_domain_config,
        managed_login_version: Some(found.document.managed_login_version.unwrap_or(MANAGED_LOGIN_VERSION_DEFAULT)),
        others: found.document.others,
    };
    Ok(Response { domain_description })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::Kit;

    #[tokio::test]
    async fn a_domain_tells_its_pool() {
        let t = Kit::new().await;
        t.call("CreateUserPoolDomain", json!({"UserPoolId": t.pool, "Domain": "my-app"})).await.ok();
        let found =
            t.call("DescribeUserPoolDomain", json!({"Domain": "my-app"})).await.ok()["DomainDescription"].take();
        assert_eq!((&found["UserPoolId"], &found["Status"]), (&json!(t.pool), &json!("ACTIVE")));
        assert_eq!((&found["AWSAccountId"], &found["ManagedLoginVersion"]), (&json!("000000000000"), &json!(1)));
    }

    #[tokio::test]
    async fn of_a_domain_of_nobodys_there_is_nothing_to_tell() {
        let t = Kit::new().await;
        let answer = t.call("DescribeUserPoolDomain", json!({"Domain": "my-app"})).await.ok();
        assert_eq!(answer, json!({"DomainDescription": {}}));
    }
}
