//! Cognito's tokens, verified.
//!
//! The signature is RS256 by a key of the pool, and nothing else, whatever a token's header says. Then issuer, use,
//! client and times. What a token cannot show is not seen: one that was revoked, or whose user has left a group or was
//! disabled since, is good until it expires.
//! Source: <https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-tokens-verifying-a-jwt.html>

use jsonwebtoken::{Algorithm, Validation};
use serde::Deserialize;
use tandem_profiles::{Timestamp, UserId};

use super::keys::Keys;
use super::settings::{Settings, TokenUse};

/// How far the pool's clock and ours may be apart.
const CLOCK_LEEWAY_SECONDS: i64 = 30;

/// No token of Cognito's is longer; API Gateway's limit for all headers is less.
const TOKEN_BYTES_MAX: usize = 16 * 1024;

/// Whoever calls, as the token has them.
#[derive(Clone)]
pub(crate) struct Caller {
    /// The `sub`.
    pub user: UserId,
    /// The groups that the user was in when the token was made.
    pub groups: Vec<String>,
    /// The token itself, if it is an access token: Cognito's own API takes it.
    pub access_token: Option<String>,
}

/// Why a token is not accepted. The words go to the caller and into the log: they quote nothing of the token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refused {
    #[error("it is no JSON web token of Cognito's")]
    Malformed,
    #[error("it is not signed with RS256")]
    Algorithm,
    #[error("no key of the user pool has signed it")]
    UnknownKey,
    #[error("its signature is not right")]
    Signature,
    #[error("another user pool has issued it")]
    Issuer,
    #[error("it is of the wrong kind (an access or an id token)")]
    Use,
    #[error("it was made for another client")]
    Client,
    #[error("it has expired")]
    Expired,
    #[error("it is not valid yet")]
    NotYet,
    #[error("the user pool's keys cannot be fetched")]
    KeysUnavailable,
}

#[derive(Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    token_use: String,
    /// Of an access token.
    client_id: Option<String>,
    /// Of an id token.
    aud: Option<String>,
    exp: i64,
    nbf: Option<i64>,
    #[serde(rename = "cognito:groups", default)]
    groups: Vec<String>,
}

/// Verifies the tokens of one pool.
pub(crate) struct Verifier {
    issuer: String,
    clients: Vec<String>,
    token_use: TokenUse,
    keys: Keys,
    validation: Validation,
}

impl Verifier {
    pub(crate) fn new(settings: &Settings, keys: Keys) -> Self {
        // The library checks the signature; the claims are checked here, by a clock that is a parameter.
        let mut validation = Validation::new(Algorithm::RS256);
        validation.required_spec_claims.clear();
        validation.validate_exp = false;
        validation.validate_aud = false;
        let (issuer, clients) = (settings.issuer.clone(), settings.clients.clone());
        Self { issuer, clients, token_use: settings.token_use, keys, validation }
    }

    /// Who has sent this token, if the pool has made it for one of the clients.
    pub(crate) async fn verify(&self, token: &str, now: Timestamp) -> Result<Caller, Refused> {
        if token.len() > TOKEN_BYTES_MAX {
            return Err(Refused::Malformed);
        }
        let header = jsonwebtoken::decode_header(token).map_err(|error| match error.kind() {
            jsonwebtoken::errors::ErrorKind::InvalidAlgorithmName => Refused::Algorithm,
            _ => Refused::Malformed,
        })?;
        if header.alg != Algorithm::RS256 {
            return Err(Refused::Algorithm);
        }
        let kid = header.kid.ok_or(Refused::Malformed)?;
        let key = self.keys.key(&kid).await.map_err(|_| Refused::KeysUnavailable)?.ok_or(Refused::UnknownKey)?;
        let token_data = jsonwebtoken::decode::<Claims>(token, &key, &self.validation);
        let claims = token_data.map_err(|error| match error.kind() {
            jsonwebtoken::errors::ErrorKind::Json(_) | jsonwebtoken::errors::ErrorKind::Utf8(_) => Refused::Malformed,
            _ => Refused::Signature,
        })?;
        self.accept(claims.claims, token, now)
    }

    fn accept(&self, claims: Claims, token: &str, now: Timestamp) -> Result<Caller, Refused> {
        if claims.iss != self.issuer {
            return Err(Refused::Issuer);
        }
        let (client, is_access) = match claims.token_use.as_str() {
            "access" if self.token_use != TokenUse::Id => (claims.client_id, true),
            "id" if self.token_use != TokenUse::Access => (claims.aud, false),
            _ => return Err(Refused::Use),
        };
        if !client.is_some_and(|client| self.clients.contains(&client)) {
            return Err(Refused::Client);
        }
        let seconds = now.millis() / 1000;
        if claims.exp.saturating_add(CLOCK_LEEWAY_SECONDS) <= seconds {
            return Err(Refused::Expired);
        }
        if claims.nbf.is_some_and(|begins| begins.saturating_sub(CLOCK_LEEWAY_SECONDS) > seconds) {
            return Err(Refused::NotYet);
        }
        let user = UserId::new(claims.sub).map_err(|_| Refused::Malformed)?;
        Ok(Caller { user, groups: claims.groups, access_token: is_access.then(|| token.to_owned()) })
    }
}

#[cfg(test)]
mod tests;
