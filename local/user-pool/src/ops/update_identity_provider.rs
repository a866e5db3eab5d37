//! `UpdateIdentityProvider`: what a call leaves out stays.

use std::collections::BTreeMap;

use aws_api::Call;
use serde::Deserialize;

use super::create_identity_provider::Response;
use crate::declared::IdentityProvider;
use crate::{Error, UserPools};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    user_pool_id: String,
    provider_name: String,
    provider_details: Option<BTreeMap<String, String>>,
    attribute_mapping: Option<BTreeMap<String, String>>,
    idp_identifiers: Option<Vec<String>>,
}

pub async fn run(room: &UserPools, request: Request, _call: &Call) -> Result<Response, Error> {
    let Request { user_pool_id, provider_name: name, provider_details, attribute_mapping, idp_identifiers } = request;
    let pool = room.pool(&user_pool_id)?;
    let now = room.world.clock.now();
    let checked = name.clone();
    let change = move |provider: &mut IdentityProvider| {
        *provider = IdentityProvider {
            provider_type: provider.provider_type.clone(),
            provider_details: provider_details.unwrap_or_else(|| provider.provider_details.clone()),
            attribute_mapping: attribute_mapping.unwrap_or_else(|| provider.attribute_mapping.clone()),
            idp_identifiers: idp_identifiers.unwrap_or_else(|| provider.idp_identifiers.clone()),
        };
        provider.check(&checked)
    };
    Ok(room.store.redeclare(&pool.id, &name, now, change).await?.into())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::Kit;

    #[tokio::test]
    async fn what_is_left_out_stays() {
        let t = Kit::new().await;
        let update = json!({"UserPoolId": t.pool, "ProviderName": "Google", "AttributeMapping": {"email": "mail"}});
        t.call("UpdateIdentityProvider", update.clone()).await.error("ResourceNotFoundException");
        t.call("CreateIdentityProvider", t.provider("Google")).await.ok();
        let updated = t.call("UpdateIdentityProvider", update).await.ok()["IdentityProvider"].take();
        assert_eq!(updated["AttributeMapping"], json!({"email": "mail"}));
        assert_eq!(updated["ProviderDetails"], t.provider("Google")["ProviderDetails"]);
        let wrong = json!({"UserPoolId": t.pool, "ProviderName": "Google", "ProviderDetails": {}});
        t.call("UpdateIdentityProvider", wrong).await.error("InvalidParameterException");
    }
}
