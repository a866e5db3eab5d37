//! `CreateIdentityProvider`. Clients can list it; its sign-ins are driven by hand (`federation.rs`).

use aws_api::Call;
use serde::{Deserialize, Serialize};

use crate::declared::{Declared, IdentityProvider};
use crate::{Error, UserPools};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    user_pool_id: String,
    provider_name: String,
    #[serde(flatten)]
    document: IdentityProvider,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Response {
    identity_provider: IdentityProviderType,
}

/// The API's shape of an identity provider.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct IdentityProviderType {
    user_pool_id: String,
    provider_name: String,
    #[serde(flatten)]
    document: IdentityProvider,
    last_modified_date: f64,
    creation_date: f64,
}

impl From<Declared<IdentityProvider>> for Response {
    fn from(declared: Declared<IdentityProvider>) -> Self {
        let identity_provider = IdentityProviderType {
            last_modified_date: declared.modified.epoch_seconds(),
            creation_date: declared.created.epoch_seconds(),
            user_pool_id: declared.pool.0,
            provider_name: declared.name,
            document: declared.document,
        };
        Self { identity_provider }
    }
}

pub async fn run(room: &UserPools, request: Request, _call: &Call) -> Result<Response, Error> {
    let Request { user_pool_id, provider_name: name, document } = request;
    document.check(&name)?;
    let pool = room.pool(&user_pool_id)?;
    let now = room.world.clock.now();
    room.report_not_honoured(
        &format!("identity provider {name}"),
        &["federated sign-in by pages (POST /_tandem/federated-sign-in stands in for them)".into()],
    );
    let declared = Declared { pool: pool.id.clone(), name, document, created: now, modified: now };
    room.store.declare(declared.clone()).await?;
    Ok(declared.into())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::Kit;

    #[tokio::test]
    async fn what_was_given_is_given_back() {
        let t = Kit::new().await;
        let created = t.call("CreateIdentityProvider", t.provider("Google")).await.ok();
        for (name, value) in t.provider("Google").as_object().expect("an object") {
            assert_eq!(created["IdentityProvider"][name], *value);
        }
        let describe = json!({"UserPoolId": t.pool, "ProviderName": "Google"});
        assert_eq!(t.call("DescribeIdentityProvider", describe).await.ok(), created);
        t.call("CreateIdentityProvider", t.provider("Google")).await.error("DuplicateProviderException");
        assert!(t.warnings().iter().any(|warning| warning.contains("federated sign-in")));
    }

    #[tokio::test]
    async fn the_type_is_one_of_awss() {
        let t = Kit::new().await;
        let mut provider = t.provider("GitHub");
        provider["ProviderType"] = json!("GitHub");
        t.call("CreateIdentityProvider", provider).await.error("InvalidParameterException");
    }
}
