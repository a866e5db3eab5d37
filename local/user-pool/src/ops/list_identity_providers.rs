//! `ListIdentityProviders`, by name.

use aws_api::Call;
use serde::{Deserialize, Serialize};

use crate::declared::{Declared, IdentityProvider};
use crate::page_token::{PageTokens, max_results};
use crate::{Error, UserPools};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    user_pool_id: String,
    max_results: Option<i64>,
    next_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Response {
    providers: Vec<ProviderDescription>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ProviderDescription {
    provider_name: String,
    provider_type: String,
    last_modified_date: f64,
    creation_date: f64,
}

pub async fn run(room: &UserPools, request: Request, _call: &Call) -> Result<Response, Error> {
    let limit = max_results(request.max_results, 0, 60)?;
    let pool = room.pool(&request.user_pool_id)?;
    let tokens = PageTokens::new(room, &pool, &"ListIdentityProviders");
    let after = tokens.after(request.next_token.as_deref())?;
    let found = room.store.list_declared(&pool.id, after, limit + 1).await?;
    let (providers, next_token) = tokens.page(found, limit);
    let described = |declared: Declared<IdentityProvider>| ProviderDescription {
        provider_name: declared.name,
        provider_type: declared.document.provider_type,
        last_modified_date: declared.modified.epoch_seconds(),
        creation_date: declared.created.epoch_seconds(),
    };
    Ok(Response { providers: providers.into_iter().map(described).collect(), next_token })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::Kit;

    #[tokio::test]
    async fn pages_hold_every_provider_once() {
        let t = Kit::new().await;
        for name in ["one", "two", "three"] {
            t.call("CreateIdentityProvider", t.provider(name)).await.ok();
        }
        let input = json!({"UserPoolId": t.pool, "MaxResults": 2});
        let names = t.pages("ListIdentityProviders", input, "Providers", "ProviderName").await;
        assert_eq!(names, ["one", "three", "two"]);
    }
}
