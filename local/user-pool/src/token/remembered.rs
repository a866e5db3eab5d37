//! Access tokens whose signature was checked once, so that it need not be at every call.
//!
//! Not here: revocation, which the caller looks up at every call.

use std::collections::HashMap;
use std::mem;
use std::sync::{Arc, Mutex};

use aws_lc_rs::digest;
use world::Timestamp;

use super::{AccessToken, TokenError, verify};
use crate::keys::SigningKeys;

/// Tokens per generation: there are two, at about 700 bytes a token.
const GENERATION_TOKENS_MAX: usize = 8_192;

/// By the hash of the whole token, so that a token that differs in one bit is another one.
type Generation = HashMap<[u8; digest::SHA256_OUTPUT_LEN], Arc<AccessToken>>;

/// Checks access tokens and remembers those that are good. Bounded: of more than 8,192 tokens, those go first that
/// were not seen for longest.
#[derive(Debug, Default)]
pub struct AccessTokens(Mutex<Generations>);

#[derive(Debug, Default)]
struct Generations {
    young: Generation,
    /// The young of before. What is asked for again moves back; the rest goes with the next change.
    old: Generation,
}

impl AccessTokens {
    /// A token that was checked before. Nothing if it was not: then find its pool by [`super::claimed_issuer`] and ask
    /// [`AccessTokens::verify`].
    pub fn remembered(&self, token: &str, now: Timestamp) -> Option<Result<Arc<AccessToken>, TokenError>> {
        let hash = hash(token);
        let mut generations = self.0.lock().expect("no holder panics");
        let claims = generations.get(hash)?;
        if claims.has_expired(now) {
            generations.young.remove(&hash);
            return Some(Err(TokenError::Expired));
        }
        Some(Ok(claims))
    }

    /// Checks a token of the pool with this issuer and these keys, and remembers it if it is good.
    pub fn verify(
        &self,
        token: &str,
        issuer: &str,
        keys: &SigningKeys,
        now: Timestamp,
    ) -> Result<Arc<AccessToken>, TokenError> {
        let claims = Arc::new(verify(token, issuer, keys, now)?);
        self.0.lock().expect("no holder panics").insert(hash(token), Arc::clone(&claims));
        Ok(claims)
    }

    /// Forgets the tokens that `is_gone` picks: those of a deleted pool or user, or of a sign-in that was revoked.
    pub fn forget(&self, is_gone: impl Fn(&AccessToken) -> bool) {
        let mut generations = self.0.lock().expect("no holder panics");
        generations.young.retain(|_, claims| !is_gone(claims));
        generations.old.retain(|_, claims| !is_gone(claims));
    }
}

impl Generations {
    fn get(&mut self, hash: [u8; digest::SHA256_OUTPUT_LEN]) -> Option<Arc<AccessToken>> {
        if let Some(claims) = self.young.get(&hash) {
            return Some(Arc::clone(claims));
        }
        let claims = self.old.remove(&hash)?;
        self.insert(hash, Arc::clone(&claims));
        Some(claims)
    }

    fn insert(&mut self, hash: [u8; digest::SHA256_OUTPUT_LEN], claims: Arc<AccessToken>) {
        if self.young.len() >= GENERATION_TOKENS_MAX {
            self.old = mem::take(&mut self.young);
        }
        self.young.insert(hash, claims);
    }
}

fn hash(token: &str) -> [u8; digest::SHA256_OUTPUT_LEN] {
    digest::digest(&digest::SHA256, token.as_bytes()).as_ref().try_into().expect("SHA-256 has 32 bytes")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claims() -> Arc<AccessToken> {
        let claims = r#"{"sub": "s", "iss": "i", "client_id": "c", "username": "u", "event_id": "e", "jti": "j",
            "auth_time": 0, "iat": 0, "exp": 0, "token_use": "access", "scope": ""}"#;
        Arc::new(serde_json::from_str(claims).expect("claims"))
    }

    #[test]
    fn the_least_wanted_go_first_and_there_are_never_too_many() {
        let (mut generations, claims) = (Generations::default(), claims());
        let wanted = hash("wanted");
        generations.insert(wanted, Arc::clone(&claims));
        for number in 0..4 * GENERATION_TOKENS_MAX {
            generations.insert(hash(&number.to_string()), Arc::clone(&claims));
            assert!(generations.young.len() + generations.old.len() <= 2 * GENERATION_TOKENS_MAX);
            if number % 1_000 == 0 {
                assert!(generations.get(wanted).is_some(), "{number}");
            }
        }
        assert!(generations.get(hash("0")).is_none());
    }
}
