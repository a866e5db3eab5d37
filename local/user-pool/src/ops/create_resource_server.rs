//! `CreateResourceServer`. Its scopes can be listed by clients; no token here has them yet.

use aws_api::Call;
use serde::{Deserialize, Serialize};

use crate::declared::{Declared, ResourceServer};
use crate::{Error, UserPools};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    user_pool_id: String,
    identifier: String,
    #[serde(flatten)]
    document: ResourceServer,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Response {
    resource_server: ResourceServerType,
}

impl From<Declared<ResourceServer>> for Response {
    fn from(declared: Declared<ResourceServer>) -> Self {
        Self { resource_server: declared.into() }
    }
}

/// The API's shape of a resource server.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ResourceServerType {
    user_pool_id: String,
    identifier: String,
    #[serde(flatten)]
    document: ResourceServer,
}

impl From<Declared<ResourceServer>> for ResourceServerType {
    fn from(declared: Declared<ResourceServer>) -> Self {
        Self { user_pool_id: declared.pool.0, identifier: declared.name, document: declared.document }
    }
}

pub async fn run(room: &UserPools, request: Request, _call: &Call) -> Result<Response, Error> {
    let Request { user_pool_id, identifier: name, document } = request;
    document.check(&name)?;
    let pool = room.pool(&user_pool_id)?;
    let now = room.world.clock.now();
    room.report_not_honoured(&format!("resource server {name}"), &["scopes in tokens".into()]);
    let declared = Declared { pool: pool.id.clone(), name, document, created: now, modified: now };
    room.store.declare(declared.clone()).await?;
    Ok(declared.into())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::testing::Kit;

    fn server(t: &Kit, identifier: &str) -> Value {
        let scopes = json!([{"ScopeName": "read", "ScopeDescription": "reads"}]);
        json!({"UserPoolId": t.pool, "Identifier": identifier, "Name": "orders", "Scopes": scopes})
    }

    #[tokio::test]
    async fn what_was_given_is_given_back() {
        let t = Kit::new().await;
        let created = t.call("CreateResourceServer", server(&t, "orders")).await.ok();
        assert_eq!(created["ResourceServer"], server(&t, "orders"));
        let describe = json!({"UserPoolId": t.pool, "Identifier": "orders"});
        assert_eq!(t.call("DescribeResourceServer", describe).await.ok(), created);
        let message = t.call("CreateResourceServer", server(&t, "orders")).await.error("InvalidParameterException");
        assert_eq!(message, format!("orders already exists in user pool {}.", t.pool));
        assert!(t.warnings().iter().any(|warning| warning.starts_with("resource server orders")));
    }

    #[tokio::test]
    async fn twenty_five_are_enough() {
        let t = Kit::new().await;
        for number in 0..25 {
            t.call("CreateResourceServer", server(&t, &format!("s{number}"))).await.ok();
        }
        t.call("CreateResourceServer", server(&t, "more")).await.error("LimitExceededException");
    }

    #[tokio::test]
    async fn names_keep_to_the_model() {
        let t = Kit::new().await;
        t.call("CreateResourceServer", server(&t, "my orders")).await.error("InvalidParameterException");
        let mut slash = server(&t, "orders");
        slash["Scopes"][0]["ScopeName"] = json!("a/b");
        t.call("CreateResourceServer", slash).await.error("InvalidParameterException");
    }
}
