//! `GetUICustomization`: of a client, or of all where it has none of its own.

use aws_api::Call;
use serde::Deserialize;

use super::set_ui_customization::Response;
use crate::declared::UiCustomization;
use crate::{Error, UserPools};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    user_pool_id: String,
    client_id: Option<String>,
}

pub async fn run(room: &UserPools, request: Request, _call: &Call) -> Result<Response, Error> {
    let pool = room.pool(&request.user_pool_id)?;
    let mut found = None;
    for name in request.client_id.as_deref().into_iter().chain([UiCustomization::ALL]) {
        if found.is_none() {
            found = room.store.find_declared::<UiCustomization>(&pool.id, name).await?;
        }
    }
    Ok(found.into())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::Kit;

    #[tokio::test]
    async fn a_pool_must_be_there() {
        let t = Kit::new().await;
        let nowhere = json!({"UserPoolId": "us-east-1_none"});
        t.call("GetUICustomization", nowhere).await.error("ResourceNotFoundException");
        let nothing = t.call("GetUICustomization", json!({"UserPoolId": t.pool})).await.ok();
        assert_eq!(nothing, json!({"UICustomization": {}}));
    }
}
