//! `GetIdentityProviderByIdentifier`: one of the names that lead to a provider, such as the domain of an address.

use aws_api::Call;
use serde::Deserialize;

use super::create_identity_provider::Response;
use crate::declared::{Document, IdentityProvider};
use crate::store::After;
use crate::{Error, UserPools};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    user_pool_id: String,
    idp_identifier: String,
}

pub async fn run(room: &UserPools, request: Request, _call: &Call) -> Result<Response, Error> {
    let pool = room.pool(&request.user_pool_id)?;
    let identifier = request.idp_identifier;
    let all = room.store.list_declared::<IdentityProvider>(&pool.id, After::default(), IdentityProvider::MOST).await?;
    let mut all = all.into_iter().map(|(provider, _)| provider);
    let found = all.find(|provider| provider.document.idp_identifiers.contains(&identifier));
    Ok(found.ok_or_else(|| IdentityProvider::missing(&identifier))?.into())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::Kit;

    #[tokio::test]
    async fn an_identifier_finds_its_provider() {
        let t = Kit::new().await;
        t.call("CreateIdentityProvider", t.provider("one")).await.ok();
        let mut two = t.provider("two");
        two["IdpIdentifiers"] = json!(["example.com", "example.org"]);
        t.call("CreateIdentityProvider", two).await.ok();
        let get = |identifier: &str| json!({"UserPoolId": t.pool, "IdpIdentifier": identifier});
        let found = t.call("GetIdentityProviderByIdentifier", get("example.org")).await.ok();
        assert_eq!(found["IdentityProvider"]["ProviderName"], "two");
        t.call("GetIdentityProviderByIdentifier", get("one")).await.error("ResourceNotFoundException");
    }
}
