//! `GetEmailIdentity`.

use aws_api::Call;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::shapes::{DkimAttributes, Tag};
use crate::Mail;
use crate::error::Error;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    email_identity: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Response {
    identity_type: &'static str,
    feedback_forwarding_status: bool,
    verified_for_sending_status: bool,
    dkim_attributes: DkimAttributes,
    mail_from_attributes: Value,
    policies: Map<String, Value>,
    tags: Vec<Tag>,
    verification_status: &'static str,
}

pub async fn run(room: &Mail, request: Request, _call: &Call) -> Result<Response, Error> {
    let name = request.email_identity;
    let identity = room.store.identity(name.clone()).await?.ok_or_else(|| Error::no_identity(&name))?;
    Ok(Response {
        identity_type: identity.kind(),
        feedback_forwarding_status: true,
        verified_for_sending_status: true,
        dkim_attributes: DkimAttributes::of(&identity),
        mail_from_attributes: json!({"BehaviorOnMxFailure": "USE_DEFAULT_VALUE"}),
        policies: Map::new(),
        tags: identity.tags.into_iter().map(|(key, value)| Tag { key, value }).collect(),
        verification_status: "SUCCESS",
    })
}

#[cfg(test)]
mod tests {
    use super::super::harness::{Answer, Harness};
    use serde_json::{Value, json};

    #[tokio::test]
    async fn shows_what_was_made() {
        let t = Harness::new();
        let made = json!({"EmailIdentity": "ann@example.com", "Tags": [{"Key": "team", "Value": "a"}]});
        t.ask("POST", "/v2/email/identities", made).await;
        let Answer(status, answer) = t.ask("GET", "/v2/email/identities/ann%40example.com", Value::Null).await;
        assert_eq!((status, &answer["VerificationStatus"]), (200, &json!("SUCCESS")), "{answer}");
        assert_eq!(answer["Tags"], json!([{"Key": "team", "Value": "a"}]));
    }

    #[tokio::test]
    async fn names_what_is_not_there() {
        let t = Harness::new();
        let Answer(status, answer) = t.ask("GET", "/v2/email/identities/x.io", Value::Null).await;
        assert_eq!((status, answer), (404, json!({"message": "Email identity x.io does not exist."})));
    }
}
