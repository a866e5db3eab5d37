//! `CreateUserPoolDomain`. The domain is kept and described; there are no login pages behind it yet.

use aws_api::Call;
use aws_lc_rs::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};

use crate::declared::{Declared, Domain};
use crate::{Error, UserPools};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    domain: String,
    user_pool_id: String,
    #[serde(flatten)]
    settings: Domain,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Response {
    #[serde(skip_serializing_if = "Option::is_none")]
    managed_login_version: Option<i64>,
    /// Of custom domains alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    cloud_front_domain: Option<String>,
}

impl Response {
    /// Of a domain, new or changed.
    pub fn of(name: &str, domain: &Domain) -> Self {
        Self {
            managed_login_version: domain.managed_login_version,
            cloud_front_domain: domain.is_custom().then(|| distribution(name)),
        }
    }
}

/// A distribution's name that looks as on AWS, the same for the same domain. It leads nowhere.
pub fn distribution(domain: &str) -> String {
    let hash = digest(&SHA256, domain.as_bytes());
    let hash: [u8; 8] = hash.as_ref()[..8].try_into().unwrap_or_default(); // SHA-256 has 32 bytes
    format!("d{:013x}.cloudfront.net", u64::from_be_bytes(hash) >> 12)
}

/// Says what is not behind a domain.
pub fn report(room: &UserPools, name: &str, domain: &Domain) {
    let others = domain.others.keys().map(String::as_str);
    let names: Vec<_> =
        ["managed login pages", "/oauth2 endpoints"].into_iter().chain(others).map(String::from).collect();
    room.report_not_honoured(&format!("user pool domain {name}"), &names);
}

pub async fn run(room: &UserPools, request: Request, _call: &Call) -> Result<Response, Error> {
    let Request { domain: name, user_pool_id, settings } = request;
    settings.check(&name)?;
    let pool = room.pool(&user_pool_id)?;
    let now = room.world.clock.now();
    let response = Response::of(&name, &settings);
    report(room, &name, &settings);
    let domain = Declared { pool: pool.id.clone(), name, document: settings, created: now, modified: now };
    room.store.declare_domain(domain).await?;
    Ok(response)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::testing::Kit;

    async fn other_pool(t: &Kit) -> Value {
        t.call("CreateUserPool", json!({"PoolName": "other"})).await.ok()["UserPool"]["Id"].take()
    }

    #[tokio::test]
    async fn a_pool_shows_its_domains() {
        let t = Kit::new().await;
        t.call("CreateUserPoolDomain", json!({"UserPoolId": t.pool, "Domain": "my-app"})).await.ok();
        let certificate = json!({"CertificateArn": "arn:aws:acm:us-east-1:000000000000:certificate/1"});
        let custom = json!({"UserPoolId": t.pool, "Domain": "login.example.com", "CustomDomainConfig": certificate});
        let answer = t.call("CreateUserPoolDomain", custom).await.ok();
        assert!(answer["CloudFrontDomain"].as_str().is_some_and(|name| name.ends_with(".cloudfront.net")));
        let pool = t.call("DescribeUserPool", json!({"UserPoolId": t.pool})).await.ok()["UserPool"].take();
        assert_eq!((&pool["Domain"], &pool["CustomDomain"]), (&json!("my-app"), &json!("login.example.com")));
        assert!(
            t.warnings().iter().any(|warning| warning.contains("my-app") && warning.contains("managed login pages"))
        );
    }

    #[tokio::test]
    async fn a_domain_has_one_pool_and_a_pool_one_domain() {
        let t = Kit::new().await;
        t.call("CreateUserPoolDomain", json!({"UserPoolId": t.pool, "Domain": "my-app"})).await.ok();
        let taken = json!({"UserPoolId": other_pool(&t).await, "Domain": "my-app"});
        let message = t.call("CreateUserPoolDomain", taken).await.error("InvalidParameterException");
        assert_eq!(message, "Domain already associated with another user pool.");
        let second = json!({"UserPoolId": t.pool, "Domain": "my-app-2"});
        let message = t.call("CreateUserPoolDomain", second).await.error("InvalidParameterException");
        assert_eq!(message, "User pool already has a domain configured.");
    }

    #[tokio::test]
    async fn words_of_aws_are_reserved() {
        let t = Kit::new().await;
        let domain = json!({"UserPoolId": t.pool, "Domain": "my-cognito"});
        let message = t.call("CreateUserPoolDomain", domain).await.error("InvalidParameterException");
        assert_eq!(message, "Domain cannot contain reserved word: cognito");
    }
}
