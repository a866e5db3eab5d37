//! `CreateEmailIdentity`. An identity counts as verified at once: nobody here would click the link.

use aws_api::Call;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::shapes::{DkimAttributes, Tag, warn_ignored};
use crate::Mail;
use crate::error::Error;
use crate::identity::Identity;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    email_identity: Option<String>,
    #[serde(default)]
    tags: Vec<Tag>,
    dkim_signing_attributes: Option<Value>,
    configuration_set_name: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Response {
    identity_type: &'static str,
    verified_for_sending_status: bool,
    dkim_attributes: DkimAttributes,
}

pub async fn run(room: &Mail, request: Request, _call: &Call) -> Result<Response, Error> {
    warn_ignored(
        "CreateEmailIdentity",
        &[
            ("DkimSigningAttributes", request.dkim_signing_attributes.is_some()),
            ("ConfigurationSetName", request.configuration_set_name.is_some()),
        ],
    );
    let name = request.email_identity.ok_or_else(|| Error::missing("emailIdentity"))?;
    let tags = request.tags.into_iter().map(|tag| (tag.key, tag.value)).collect();
    let identity = Identity::new(&name, tags, &room.world.random)?;
    let response = Response {
        identity_type: identity.kind(),
        verified_for_sending_status: true,
        dkim_attributes: DkimAttributes::of(&identity),
    };
    if room.store.add_identity(identity).await? { Ok(response) } else { Err(Error::identity_exists(&name)) }
}

#[cfg(test)]
mod tests {
    use super::super::harness::{Answer, Harness};
    use serde_json::json;

    #[tokio::test]
    async fn an_address_and_a_domain_can_be_made_once() {
        let t = Harness::new();
        for (name, kind) in [("ann@example.com", "EMAIL_ADDRESS"), ("example.com", "DOMAIN")] {
            let Answer(status, answer) = t.ask("POST", "/v2/email/identities", json!({"EmailIdentity": name})).await;
            assert_eq!((status, answer["IdentityType"].as_str()), (200, Some(kind)), "{answer}");
        }
        let again = json!({"EmailIdentity": "example.com"});
        let Answer(status, answer) = t.ask("POST", "/v2/email/identities", again).await;
        assert_eq!((status, answer["message"].as_str()), (400, Some("Email identity example.com already exist.")));
    }

    #[tokio::test]
    async fn what_is_neither_is_refused() {
        let t = Harness::new();
        for name in ["", "ann", "@example.com", "a b@example.com", "exa mple.com"] {
            let Answer(status, _) = t.ask("POST", "/v2/email/identities", json!({"EmailIdentity": name})).await;
            assert_eq!(status, 400, "{name}");
        }
    }
}
