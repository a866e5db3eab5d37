//! JSON Web Tokens of user pools: whether one is good, and what it says as functions are told it.
//!
//! Keys come from the pool itself (`Issuers`): nobody else is asked. RS256 alone is thought of, whatever a header says.
//! Source: <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-jwt-authorizer.html>.

use std::borrow::Cow;

use aws_lc_rs::signature::{RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde_json::{Map, Value};
use world::Timestamp;

/// Why a token is refused. The words go to the caller; none of them repeats anything of the token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenFault {
    #[error("the token is no JSON Web Token")]
    NotAToken,
    #[error("signature method is invalid")]
    Algorithm,
    #[error("the token was signed with a key that its issuer does not have")]
    UnknownKey,
    #[error("the token's signature is wrong")]
    Signature,
    #[error("the token does not have a valid issuer")]
    Issuer,
    #[error("the token does not have a valid audience")]
    Audience,
    #[error("the token has expired")]
    Expired,
    #[error("the token is not valid yet")]
    NotYet,
}

/// A token that was read and not checked.
#[derive(Debug)]
pub struct Token {
    header: Header,
    /// What it says.
    pub claims: Map<String, Value>,
    message: String,
    signature: Vec<u8>,
}

#[derive(Debug, Deserialize)]
struct Header {
    alg: String,
    #[serde(default)]
    kid: String,
}

/// The id of the user pool that an issuer is.
pub fn user_pool_of(issuer: &str) -> Option<&str> {
    let (region, pool) = issuer.strip_prefix("https://cognito-idp.")?.split_once(".amazonaws.com/")?;
    let of_id = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    let fits = pool.starts_with(&format!("{region}_")) && pool.chars().all(of_id);
    fits.then_some(pool)
}

impl Token {
    pub fn read(text: &str) -> Result<Self, TokenFault> {
        let fault = TokenFault::NotAToken;
        let (message, signature) = text.rsplit_once('.').ok_or(fault)?;
        let (header, claims) = message.split_once('.').ok_or(fault)?;
        let decoded = |part: &str| URL_SAFE_NO_PAD.decode(part).map_err(|_| fault);
        let header = serde_json::from_slice(&decoded(header)?).map_err(|_| fault)?;
        let claims = serde_json::from_slice(&decoded(claims)?).map_err(|_| fault)?;
        Ok(Self { header, claims, message: message.to_owned(), signature: decoded(signature)? })
    }

    /// Whether one of these keys signed it.
    pub fn check_signature(&self, jwks: &Value) -> Result<(), TokenFault> {
        if self.header.alg != "RS256" {
            return Err(TokenFault::Algorithm);
        }
        let keys = jwks["keys"].as_array().map(Vec::as_slice).unwrap_or_default();
        let key = keys.iter().find(|key| key["kid"] == self.header.kid && key["kty"] == "RSA");
        let key = key.ok_or(TokenFault::UnknownKey)?;
        let part = |name: &str| URL_SAFE_NO_PAD.decode(key[name].as_str().unwrap_or_default()).unwrap_or_default();
        let public = RsaPublicKeyComponents { n: part("n"), e: part("e") };
        let checked = public.verify(&RSA_PKCS1_2048_8192_SHA256, self.message.as_bytes(), &self.signature);
        checked.map_err(|_| TokenFault::Signature)
    }

    /// Whether it holds at this time. One that never expires is none.
    pub fn check_times(&self, now: Timestamp) -> Result<(), TokenFault> {
        let now = now.epoch_seconds();
        let time = |name: &str| self.claims.get(name).and_then(Value::as_f64);
        if time("exp").is_none_or(|exp| exp <= now) {
            return Err(TokenFault::Expired);
        }
        let begins_later = |name: &str| time(name).is_some_and(|at| at > now);
        if begins_later("nbf") || begins_later("iat") { Err(TokenFault::NotYet) } else { Ok(()) }
    }

    /// Whether it is for one of these: `aud`, and `client_id` where there is no `aud`.
    pub fn check_audience(&self, audience: &[String]) -> Result<(), TokenFault> {
        let is_meant = |value: &Value| value.as_str().is_some_and(|text| audience.iter().any(|known| known == text));
        let fits = match self.claims.get("aud").or_else(|| self.claims.get("client_id")) {
            Some(Value::Array(list)) => list.iter().any(is_meant),
            Some(one) => is_meant(one),
            None => false,
        };
        if fits { Ok(()) } else { Err(TokenFault::Audience) }
    }

    /// A claim that is a text.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.claims.get(name).and_then(Value::as_str)
    }

    /// Its scopes: `scope`, separated by blanks, or `scp`, perhaps a list.
    pub fn scopes(&self) -> Vec<String> {
        let split = |text: &str| text.split(' ').filter(|scope| !scope.is_empty()).map(str::to_owned).collect();
        match self.claims.get("scope").or_else(|| self.claims.get("scp")) {
            Some(Value::String(text)) => split(text),
            Some(Value::Array(list)) => list.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
            _ => Vec::new(),
        }
    }

    /// Whom it names, so that the timeline can tell their story.
    pub fn about(&self) -> Vec<String> {
        let names = ["sub", "username", "cognito:username", "email"];
        names.iter().filter_map(|name| self.text(name)).map(str::to_owned).collect()
    }

    /// As an HTTP API tells functions: texts alone, lists as `[a b]`.
    pub fn claims_for_http(&self) -> Map<String, Value> {
        let text = |value: &Value| match value {
            Value::Array(list) => Some(format!("[{}]", words(list).join(" "))),
            other => plain(other).map(Cow::into_owned),
        };
        self.claims.iter().filter_map(|(name, value)| Some((name.clone(), text(value)?.into()))).collect()
    }

    /// As a REST API tells functions: texts alone, lists as `a,b`, the times of the token as dates.
    pub fn claims_for_rest(&self) -> Map<String, Value> {
        let date = |value: &Value| {
            let seconds = value.as_i64()?;
            Some(Timestamp::from_millis(seconds.checked_mul(1_000)?).format("%a %b %d %H:%M:%S UTC %Y"))
        };
        let text = |name: &str, value: &Value| match (name, value) {
            ("exp" | "iat", value) => date(value),
            (_, Value::Array(list)) => Some(words(list).join(",")),
            (_, other) => plain(other).map(Cow::into_owned),
        };
        self.claims.iter().filter_map(|(name, value)| Some((name.clone(), text(name, value)?.into()))).collect()
    }
}

fn words(list: &[Value]) -> Vec<Cow<'_, str>> {
    list.iter().filter_map(plain).collect()
}

/// A claim's text; null is none, and what is nested stays JSON.
fn plain(value: &Value) -> Option<Cow<'_, str>> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.into()),
        other => Some(other.to_string().into()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn token(claims: &Value) -> Token {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        Token::read(&format!("{}.{}.AAAA", part(&json!({"alg": "RS256", "kid": "k"})), part(claims))).expect("a token")
    }

    #[test]
    fn an_issuer_is_a_user_pool_or_not() {
        let pool = "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_abc";
        assert_eq!(user_pool_of(pool), Some("us-east-1_abc"));
        for other in [
            "https://cognito-idp.us-east-1.amazonaws.com/eu-west-1_abc",
            "https://example.auth0.com/",
            "http://cognito-idp.us-east-1.amazonaws.com/us-east-1_abc",
            "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_abc/",
        ] {
            assert_eq!(user_pool_of(other), None, "{other}");
        }
    }

    #[test]
    fn claims_are_texts() {
        let claims = json!({
            "n": 1, "b": true, "groups": ["a", "b"], "none": null, "o": {"x": 1}, "exp": 1_573_170_665, "t": "x",
        });
        let http = json!({
            "n": "1", "b": "true", "groups": "[a b]", "o": "{\"x\":1}", "exp": "1573170665", "t": "x",
        });
        assert_eq!(Value::Object(token(&claims).claims_for_http()), http);
        let rest = Value::Object(token(&claims).claims_for_rest());
        assert_eq!((&rest["groups"], &rest["exp"]), (&json!("a,b"), &json!("Thu Nov 07 23:51:05 UTC 2019")));
    }

    #[track_caller]
    fn check_times(claims: &Value, expected: Result<(), TokenFault>) {
        assert_eq!(token(claims).check_times(Timestamp::from_millis(100_000)), expected, "{claims}");
    }

    #[test]
    fn times_are_checked() {
        check_times(&json!({"exp": 101}), Ok(()));
        check_times(&json!({"exp": 100}), Err(TokenFault::Expired));
        check_times(&json!({}), Err(TokenFault::Expired));
        check_times(&json!({"exp": "101"}), Err(TokenFault::Expired));
        check_times(&json!({"exp": 101, "nbf": 101}), Err(TokenFault::NotYet));
        check_times(&json!({"exp": 101, "iat": 101}), Err(TokenFault::NotYet));
    }

    #[track_caller]
    fn check_audience(claims: &Value, expected: bool) {
        assert_eq!(token(claims).check_audience(&["me".to_owned()]).is_ok(), expected, "{claims}");
    }

    #[test]
    fn the_client_counts_where_there_is_no_audience() {
        check_audience(&json!({"aud": "me"}), true);
        check_audience(&json!({"aud": ["you", "me"]}), true);
        check_audience(&json!({"client_id": "me"}), true);
        check_audience(&json!({"aud": "you", "client_id": "me"}), false);
        check_audience(&json!({}), false);
    }

    #[test]
    fn scopes_are_read_in_both_forms() {
        assert_eq!(token(&json!({"scope": "a b"})).scopes(), ["a", "b"]);
        assert_eq!(token(&json!({"scp": ["a"]})).scopes(), ["a"]);
        assert!(token(&json!({})).scopes().is_empty());
    }

    #[test]
    fn what_is_no_token_is_none() {
        for text in ["", "a", "a.b", "a.b.c", "e30.e30.AA", "e30.W10.AA"] {
            assert_eq!(Token::read(text).err(), Some(TokenFault::NotAToken), "{text}");
        }
        let none = format!("{}.e30.AA", URL_SAFE_NO_PAD.encode(r#"{"alg":"none"}"#));
        let checked = Token::read(&none).expect("a token").check_signature(&json!({"keys": []}));
        assert_eq!(checked, Err(TokenFault::Algorithm));
    }
}
