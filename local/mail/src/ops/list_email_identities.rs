//! `ListEmailIdentities`.

use aws_api::Call;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use crate::Mail;
use crate::error::Error;

/// SES's largest page, and what it takes when none is asked for.
const PAGE_MAX: usize = 1_000;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    next_token: Option<String>,
    /// A number; text, since it stands in the query.
    page_size: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Response {
    email_identities: Vec<Listed>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Listed {
    identity_type: &'static str,
    identity_name: String,
    sending_enabled: bool,
    verification_status: &'static str,
}

pub async fn run(room: &Mail, request: Request, _call: &Call) -> Result<Response, Error> {
    let after = request.next_token.as_deref().map(read_token).transpose()?.unwrap_or_default();
    let limit = request.page_size.as_deref().map(read_page_size).transpose()?.unwrap_or(PAGE_MAX);
    let mut identities = room.store.identities(after, limit + 1).await?;
    let is_more = identities.len() > limit;
    identities.truncate(limit);
    let next_token = identities.last().filter(|_| is_more).map(|last| URL_SAFE_NO_PAD.encode(&last.name));
    let listed = |identity: crate::identity::Identity| Listed {
        identity_type: identity.kind(),
        identity_name: identity.name,
        sending_enabled: true,
        verification_status: "SUCCESS",
    };
    Ok(Response { email_identities: identities.into_iter().map(listed).collect(), next_token })
}

fn read_token(token: &str) -> Result<String, Error> {
    let name = URL_SAFE_NO_PAD.decode(token).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    name.ok_or_else(|| Error::bad_request("The NextToken is not valid."))
}

fn read_page_size(text: &str) -> Result<usize, Error> {
    let size = text.parse().ok().filter(|size| (1..=PAGE_MAX).contains(size));
    size.ok_or_else(|| Error::bad_request(format!("PageSize must be between 1 and {PAGE_MAX}.")))
}

#[cfg(test)]
mod tests {
    use super::super::harness::{Answer, Harness};
    use serde_json::{Value, json};

    #[tokio::test]
    async fn pages_through() {
        let t = Harness::new();
        for name in ["c.io", "a.io", "b.io"] {
            t.ask("POST", "/v2/email/identities", json!({"EmailIdentity": name})).await;
        }
        let mut seen = Vec::new();
        let mut path = "/v2/email/identities?PageSize=2".to_owned();
        loop {
            let Answer(status, answer) = t.ask("GET", &path, Value::Null).await;
            assert_eq!(status, 200, "{answer}");
            let page = answer["EmailIdentities"].as_array().expect("a page");
            seen.extend(page.iter().map(|identity| identity["IdentityName"].as_str().unwrap_or_default().to_owned()));
            let Some(token) = answer["NextToken"].as_str() else { break };
            path = format!("/v2/email/identities?PageSize=2&NextToken={token}");
        }
        assert_eq!(seen, ["a.io", "b.io", "c.io"]);
    }

    #[tokio::test]
    async fn refuses_a_foreign_token() {
        let t = Harness::new();
        assert_eq!(t.ask("GET", "/v2/email/identities?NextToken=%25", Value::Null).await.0, 400);
        assert_eq!(t.ask("GET", "/v2/email/identities?PageSize=0", Value::Null).await.0, 400);
    }
}
