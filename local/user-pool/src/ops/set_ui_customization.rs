//! `SetUICustomization`: style sheets for login pages, which are not there yet. Images are refused: they would have to
//! be served somewhere.

use aws_api::Call;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::constraint::Constraints;
use crate::declared::{Declared, UiCustomization};
use crate::{Error, UserPools};

const CSS_LENGTH_MAX: usize = 131_072;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    user_pool_id: String,
    client_id: Option<String>,
    #[serde(rename = "CSS")]
    css: Option<String>,
    image_file: Option<Value>,
}

#[derive(Serialize)]
pub struct Response {
    #[serde(rename = "UICustomization")]
    ui_customization: UiCustomizationType,
}

/// The API's shape of a customization.
#[derive(Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct UiCustomizationType {
    #[serde(skip_serializing_if = "Option::is_none")]
    user_pool_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_id: Option<String>,
    #[serde(flatten)]
    document: UiCustomization,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_modified_date: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    creation_date: Option<f64>,
}

impl From<Option<Declared<UiCustomization>>> for Response {
    fn from(declared: Option<Declared<UiCustomization>>) -> Self {
        let shown = |declared: Declared<UiCustomization>| UiCustomizationType {
            last_modified_date: Some(declared.modified.epoch_seconds()),
            creation_date: Some(declared.created.epoch_seconds()),
            user_pool_id: Some(declared.pool.0),
            client_id: Some(declared.name),
            document: declared.document,
        };
        Self { ui_customization: declared.map(shown).unwrap_or_default() }
    }
}

pub async fn run(room: &UserPools, request: Request, _call: &Call) -> Result<Response, Error> {
    let css = request.css.as_deref().unwrap_or_default();
    Constraints::new().length("CSS", css, 0..=CSS_LENGTH_MAX).check()?;
    let pool = room.pool(&request.user_pool_id)?;
    let name = request.client_id.unwrap_or_else(|| UiCustomization::ALL.into());
    if name != UiCustomization::ALL {
        room.client_of(&pool, &name)?;
    }
    let invalid = |message: &str| Err(Error::InvalidParameter(message.into()));
    if request.image_file.is_some_and(|image| !image.is_null()) {
        return invalid("ImageFile is not implemented by this server");
    }
    if room.store.domains_of(&pool.id).await?.is_empty() {
        return invalid("There has to be an existing domain associated with this user pool.");
    }
    room.report_not_honoured(&format!("UI customization of {name}"), &["CSS".into()]);
    let document = UiCustomization { css: request.css };
    let declared = room.store.replace_declared(&pool.id, &name, document, room.world.clock.now()).await?;
    Ok(Some(declared).into())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::Kit;

    const CSS: &str = ".logo-customizable {max-width: 60%;}";

    #[tokio::test]
    async fn a_client_without_looks_of_its_own_has_those_of_all() {
        let t = Kit::new().await;
        let all = json!({"UserPoolId": t.pool, "CSS": CSS});
        t.call("SetUICustomization", all.clone()).await.error("InvalidParameterException");
        t.call("CreateUserPoolDomain", json!({"UserPoolId": t.pool, "Domain": "my-app"})).await.ok();
        let get = json!({"UserPoolId": t.pool, "ClientId": t.client});
        assert_eq!(t.call("GetUICustomization", get.clone()).await.ok(), json!({"UICustomization": {}}));
        t.call("SetUICustomization", all).await.ok();
        let found = t.call("GetUICustomization", get.clone()).await.ok();
        assert_eq!(
            (&found["UICustomization"]["CSS"], &found["UICustomization"]["ClientId"]),
            (&json!(CSS), &json!("ALL"))
        );
        let own = json!({"UserPoolId": t.pool, "ClientId": t.client, "CSS": ""});
        t.call("SetUICustomization", own).await.ok();
        let found = t.call("GetUICustomization", get).await.ok();
        assert_eq!(
            (&found["UICustomization"]["CSS"], &found["UICustomization"]["ClientId"]),
            (&json!(""), &json!(t.client))
        );
    }

    #[tokio::test]
    async fn images_are_refused_by_name() {
        let t = Kit::new().await;
        let image = json!({"UserPoolId": t.pool, "ImageFile": "AAAA"});
        let message = t.call("SetUICustomization", image).await.error("InvalidParameterException");
        assert!(message.contains("ImageFile"), "{message}");
    }
}
