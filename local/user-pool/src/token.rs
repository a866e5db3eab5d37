//! Id and access tokens: JSON Web Tokens signed with RS256, with Cognito's claims.
//!
//! Not here: refresh tokens (see `session.rs`), keys (see `keys.rs`), and whether a token was revoked, which the store
//! knows. Start at [`mint`]; access tokens that come back go through [`AccessTokens`].
//!
//! Claims are built apart from their signature, so that a trigger can stand between the two.

mod changes;
mod remembered;

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::ser::SerializeMap;
use serde::{Deserialize, Serialize, Serializer};
use world::{Random, Timestamp};

use crate::federation::{IDENTITIES, identity_claims};
use crate::group::Membership;
use crate::keys::{SigningKey, SigningKeys};
pub use changes::{ClaimChanges, TokenChanges};
pub use remembered::AccessTokens;

/// The scope of every sign-in through the API; without it an access token is no use for the API.
pub const USER_ADMIN_SCOPE: &str = "aws.cognito.signin.user.admin";

/// What a sign-in or a refresh gives tokens for.
#[derive(Clone, Copy, Debug)]
pub struct Grant<'a> {
    /// See [`crate::PoolId::issuer`].
    pub issuer: &'a str,
    pub client_id: &'a str,
    pub sub: &'a str,
    pub username: &'a str,
    /// Those that the client may read; they become claims of the id token.
    pub attributes: &'a [(&'a str, &'a str)],
    pub membership: &'a Membership,
    pub scope: &'a str,
    /// The same for all tokens of one sign-in; none where the client's tokens cannot be revoked.
    pub origin_jti: Option<&'a str>,
    /// The sign-in's own id, kept by refreshes.
    pub event_id: &'a str,
    /// When the user signed in, kept by refreshes.
    pub auth_time: Timestamp,
    pub now: Timestamp,
    pub id_life: Duration,
    pub access_life: Duration,
}

/// Signed tokens.
#[derive(Clone, Debug)]
pub struct Tokens {
    pub id: String,
    pub access: String,
}

/// Makes both tokens of a grant, with the changes of a function if there are any. About 0.6 ms of signing: call it
/// where blocking is fine.
pub fn mint(keys: &SigningKeys, grant: &Grant, changes: Option<&TokenChanges>, random: &Random) -> Tokens {
    let Some(changes) = changes else {
        return Tokens {
            id: sign(&keys.id, &IdClaims::of(grant, random)),
            access: sign(&keys.access, &AccessClaims::of(grant, random)),
        };
    };
    let scope = changes.scope(grant.scope);
    let access = Grant { scope: &scope, ..*grant };
    Tokens {
        id: sign(&keys.id, &changes.id.apply(&IdClaims::of(grant, random))),
        access: sign(&keys.access, &changes.access.apply(&AccessClaims::of(&access, random))),
    }
}

/// What both tokens say. Times are in seconds.
#[derive(Serialize)]
struct SharedClaims<'a> {
    sub: &'a str,
    #[serde(rename = "cognito:groups", skip_serializing_if = "<[String]>::is_empty")]
    groups: &'a [String],
    iss: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    origin_jti: Option<&'a str>,
    event_id: &'a str,
    auth_time: i64,
    exp: i64,
    iat: i64,
    jti: String,
}

impl<'a> SharedClaims<'a> {
    fn of(grant: &Grant<'a>, life: Duration, random: &Random) -> Self {
        Self {
            sub: grant.sub,
            groups: &grant.membership.groups,
            iss: grant.issuer,
            origin_jti: grant.origin_jti,
            event_id: grant.event_id,
            auth_time: grant.auth_time.seconds(),
            exp: grant.now.plus(life).seconds(),
            iat: grant.now.seconds(),
            jti: random.uuid(),
        }
    }
}

#[derive(Serialize)]
struct IdClaims<'a> {
    #[serde(flatten)]
    attributes: AttributeClaims<'a>,
    #[serde(flatten)]
    shared: SharedClaims<'a>,
    #[serde(rename = "cognito:roles", skip_serializing_if = "<[String]>::is_empty")]
    roles: &'a [String],
    #[serde(rename = "cognito:preferred_role", skip_serializing_if = "Option::is_none")]
    preferred_role: Option<&'a str>,
    #[serde(rename = "cognito:username")]
    username: &'a str,
    aud: &'a str,
    token_use: &'static str,
}

impl<'a> IdClaims<'a> {
    fn of(grant: &Grant<'a>, random: &Random) -> Self {
        Self {
            attributes: AttributeClaims(grant.attributes),
            shared: SharedClaims::of(grant, grant.id_life, random),
            roles: &grant.membership.roles,
            preferred_role: grant.membership.preferred_role.as_deref(),
            username: grant.username,
            aud: grant.client_id,
            token_use: "id",
        }
    }
}

#[derive(Serialize)]
struct AccessClaims<'a> {
    #[serde(flatten)]
    shared: SharedClaims<'a>,
    username: &'a str,
    client_id: &'a str,
    token_use: &'static str,
    #[serde(skip_serializing_if = "str::is_empty")]
    scope: &'a str,
}

impl<'a> AccessClaims<'a> {
    fn of(grant: &Grant<'a>, random: &Random) -> Self {
        Self {
            shared: SharedClaims::of(grant, grant.access_life, random),
            username: grant.username,
            client_id: grant.client_id,
            token_use: "access",
            scope: grant.scope,
        }
    }
}

/// Attributes as an id token has them: text, but for two kinds.
struct AttributeClaims<'a>(&'a [(&'a str, &'a str)]);

impl Serialize for AttributeClaims<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Address<'a> {
            formatted: &'a str,
        }
        let mut claims = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in self.0 {
            match *name {
                "sub" => {} // said already
                "email_verified" | "phone_number_verified" => claims.serialize_entry(name, &(*value == "true"))?,
                // OpenID Connect's shape for an address, whatever the text is (aws-amplify/amplify-js#4935).
                "address" => claims.serialize_entry(name, &Address { formatted: value })?,
                IDENTITIES => claims.serialize_entry(name, &identity_claims(value))?,
                _ => claims.serialize_entry(name, value)?,
            }
        }
        claims.end()
    }
}

#[derive(Serialize, Deserialize)]
struct Header<'a> {
    kid: &'a str,
    alg: &'a str,
}

fn sign(key: &SigningKey, claims: &impl Serialize) -> String {
    let mut token = String::with_capacity(1_536);
    let header = serde_json::to_vec(&Header { kid: key.kid(), alg: "RS256" }).expect("two strings");
    URL_SAFE_NO_PAD.encode_string(header, &mut token);
    token.push('.');
    URL_SAFE_NO_PAD.encode_string(serde_json::to_vec(claims).expect("string keys alone"), &mut token);
    let signature = key.sign(token.as_bytes());
    token.push('.');
    URL_SAFE_NO_PAD.encode_string(signature, &mut token);
    token
}

/// Why an access token is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// Not an access token of this pool.
    #[error("Invalid Access Token")]
    Invalid,
    #[error("Access Token has expired")]
    Expired,
    /// Made for something else than the API: see [`USER_ADMIN_SCOPE`].
    #[error("Access Token does not have required scopes")]
    MissingScope,
}

/// What an access token says, once its signature was checked.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct AccessToken {
    pub sub: String,
    pub iss: String,
    pub client_id: String,
    pub username: String,
    pub origin_jti: Option<String>,
    pub event_id: String,
    pub jti: String,
    /// Seconds since the epoch.
    pub auth_time: i64,
    /// Seconds since the epoch.
    pub iat: i64,
    /// Seconds since the epoch.
    pub exp: i64,
    token_use: String,
    #[serde(default)]
    scope: String,
}

impl AccessToken {
    fn has_expired(&self, now: Timestamp) -> bool {
        now.seconds() >= self.exp
    }
}

/// The issuer that a token names, to find the pool whose keys can check it. Nothing is checked yet.
pub fn claimed_issuer(token: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Issuer {
        iss: String,
    }
    let claims = URL_SAFE_NO_PAD.decode(token.split('.').nth(1)?).ok()?;
    serde_json::from_slice(&claims).ok().map(|Issuer { iss }| iss)
}

/// Checks all that a token can show by itself.
fn verify(token: &str, issuer: &str, keys: &SigningKeys, now: Timestamp) -> Result<AccessToken, TokenError> {
    let claims = signed_claims(token, &keys.access).ok_or(TokenError::Invalid)?;
    let claims: AccessToken = serde_json::from_slice(&claims).map_err(|_| TokenError::Invalid)?;
    if claims.iss != issuer || claims.token_use != "access" {
        Err(TokenError::Invalid)
    } else if claims.has_expired(now) {
        Err(TokenError::Expired)
    } else if !claims.scope.split(' ').any(|scope| scope == USER_ADMIN_SCOPE) {
        Err(TokenError::MissingScope)
    } else {
        Ok(claims)
    }
}

/// The claims, if this key signed them with RS256: no other algorithm is thought of, whatever the header says.
fn signed_claims(token: &str, key: &SigningKey) -> Option<Vec<u8>> {
    let (message, signature) = token.rsplit_once('.')?;
    let (header, claims) = message.split_once('.')?;
    let header = URL_SAFE_NO_PAD.decode(header).ok()?;
    let header: Header = serde_json::from_slice(&header).ok()?;
    let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
    let is_signed = header.alg == "RS256" && header.kid == key.kid() && key.verify(message.as_bytes(), &signature);
    if is_signed { URL_SAFE_NO_PAD.decode(claims).ok() } else { None }
}

#[cfg(test)]
mod tests;
