//! `AssumeRoleWithWebIdentity`: credentials of a role for whoever has an identity token, from CI systems and clusters
//! mostly. The token is read for what the answer repeats; nobody here knows the keys of its issuer.

use aws_api::Call;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use super::assume_role::{MAY_S, USUAL_S};
use crate::Identity;
use crate::error::Error;
use crate::session::{AssumedRoleUser, Caller, Credentials, duration_s};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    role_arn: String,
    role_session_name: String,
    web_identity_token: String,
    duration_seconds: Option<u32>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Response {
    credentials: Credentials,
    subject_from_web_identity_token: String,
    assumed_role_user: AssumedRoleUser,
    provider: String,
    audience: String,
}

/// What the token claims.
#[derive(Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    #[serde(default)]
    aud: Audience,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Many(Vec<String>),
}

impl Default for Audience {
    fn default() -> Self {
        Self::Many(Vec::new())
    }
}

#[expect(clippy::unused_async, reason = "every operation is awaited; this one needs nothing but its input")]
pub async fn run(room: &Identity, request: Request, _call: &Call) -> Result<Response, Error> {
    let caller = Caller::of_role(&request.role_arn, &request.role_session_name)?;
    let duration_s = duration_s(request.duration_seconds, USUAL_S, MAY_S)?;
    let claims = claims(&request.web_identity_token).ok_or(Error::IdentityToken)?;
    Ok(Response {
        credentials: room.credentials(&caller, duration_s),
        subject_from_web_identity_token: claims.sub,
        assumed_role_user: caller.as_role_user(),
        provider: claims.iss,
        audience: match claims.aud {
            Audience::One(audience) => audience,
            Audience::Many(all) => all.into_iter().next().unwrap_or_default(),
        },
    })
}

fn claims(token: &str) -> Option<Claims> {
    let mut parts = token.split('.');
    let (_, claims, _) = (parts.next()?, parts.next()?, parts.next()?);
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::super::harness::Harness;
    use super::*;

    async fn assumed(token: &str) -> super::super::harness::Answer {
        let members = format!("RoleArn=arn:aws:iam::123456789012:role/r&RoleSessionName=ci&WebIdentityToken={token}");
        Harness::new().ask("AssumeRoleWithWebIdentity", &members, None).await
    }

    #[tokio::test]
    async fn the_answer_repeats_what_the_token_claims() {
        for aud in [r#""sts.amazonaws.com""#, r#"["sts.amazonaws.com"]"#] {
            let claims = format!(r#"{{"iss":"https://ci.example","sub":"repo:app","aud":{aud}}}"#);
            let answer = assumed(&format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(claims))).await;
            let texts = ["Provider", "SubjectFromWebIdentityToken", "Audience", "Arn"].map(|name| answer.text(name));
            let arn = "arn:aws:sts::123456789012:assumed-role/r/ci";
            assert_eq!(texts, ["https://ci.example", "repo:app", "sts.amazonaws.com", arn]);
        }
    }

    #[tokio::test]
    async fn what_is_no_token_is_refused() {
        for token in ["none", "e30.e30.c2ln", "a.b.c"] {
            let message = Error::IdentityToken.to_string();
            assumed(token).await.refused("InvalidIdentityToken", &message);
        }
    }
}
