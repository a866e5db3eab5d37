//! The wire's shapes that the sign-in operations share.

use std::collections::HashMap;

use serde::Serialize;

use crate::Error;
use crate::sign_in::{Granted, Parameters, Progress, SignIn};

/// What a sign-in operation answers: tokens, or a challenge.
#[derive(Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Response {
    #[serde(skip_serializing_if = "Option::is_none")]
    authentication_result: Option<AuthenticationResult>,
    #[serde(skip_serializing_if = "Option::is_none")]
    challenge_name: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    session: Option<String>,
    challenge_parameters: HashMap<&'static str, String>,
}

/// `AuthenticationResultType`.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct AuthenticationResult {
    access_token: String,
    /// Seconds that the access token lives.
    expires_in: u64,
    token_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<String>,
    id_token: String,
}

impl From<Granted> for AuthenticationResult {
    fn from(granted: Granted) -> Self {
        Self {
            access_token: granted.tokens.access,
            expires_in: granted.access_life.as_secs(),
            token_type: "Bearer",
            refresh_token: granted.refresh_token,
            id_token: granted.tokens.id,
        }
    }
}

impl From<Progress> for Response {
    fn from(progress: Progress) -> Self {
        match progress {
            Progress::SignedIn(granted) => Self { authentication_result: Some(granted.into()), ..Self::default() },
            Progress::Challenged { name, session, parameters } => {
                Self { challenge_name: Some(name), session, challenge_parameters: parameters, ..Self::default() }
            }
        }
    }
}

/// Who calls: the public operations know a client alone, the admin ones a pool as well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Caller {
    Public,
    Admin,
}

/// Begins a sign-in by a flow's name.
pub async fn begin(
    sign_in: &SignIn<'_>,
    flow: &str,
    parameters: &Parameters,
    caller: Caller,
) -> Result<Response, Error> {
    let refused = |message: String| Err(Error::InvalidParameter(message));
    let flow = match flow {
        "REFRESH_TOKEN" => "REFRESH_TOKEN_AUTH",
        "ADMIN_NO_SRP_AUTH" => "ADMIN_USER_PASSWORD_AUTH",
        flow => flow,
    };
    if flow == "ADMIN_USER_PASSWORD_AUTH" && caller == Caller::Public {
        return refused("Initiate Auth method not supported.".into());
    }
    let known = ["USER_SRP_AUTH", "USER_PASSWORD_AUTH", "ADMIN_USER_PASSWORD_AUTH", "REFRESH_TOKEN_AUTH"];
    if matches!(flow, "CUSTOM_AUTH" | "USER_AUTH") {
        return refused(format!("The flow {flow} is not implemented by this server"));
    }
    super::only("authFlow", flow, &known)?;
    if !sign_in.client.settings.allows_flow(flow) {
        return refused(match caller {
            Caller::Public => format!("{flow} flow not enabled for this client"),
            Caller::Admin => "Auth flow not enabled for this client".into(),
        });
    }
    let progress = match flow {
        "USER_SRP_AUTH" => sign_in.begin_srp(parameters).await?,
        "REFRESH_TOKEN_AUTH" => sign_in.refresh(parameters).await?,
        _ => sign_in.by_password(parameters).await?,
    };
    Ok(progress.into())
}

/// Goes on with a sign-in by a challenge's name.
pub async fn go_on(
    sign_in: &SignIn<'_>,
    challenge: &str,
    session: Option<&str>,
    responses: &Parameters,
) -> Result<Response, Error> {
    let progress = match challenge {
        "PASSWORD_VERIFIER" => sign_in.finish_srp(responses).await?,
        "NEW_PASSWORD_REQUIRED" => sign_in.new_password(session, responses).await?,
        other => {
            let message = format!("The challenge {other} is not implemented by this server");
            return Err(Error::InvalidParameter(message));
        }
    };
    Ok(progress.into())
}
