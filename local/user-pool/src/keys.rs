//! A pool's signing keys: one RSA pair for id tokens, another for access tokens.
//!
//! Not here: tokens (see `token.rs`) and the pool's symmetric secret, which the pool keeps (see `session.rs` for its
//! use). Start at [`SigningKeys`]; [`KeyForge`] makes them ahead of time, since one pair takes 25 to 400 ms.

use std::sync::Mutex;

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{KeyPair, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RsaKeyPair};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::task::JoinHandle;
use world::Random;

const SIGNATURE_BYTES: usize = 256;

/// How a public key of 2,048 bits with the exponent 65,537 begins and ends in DER (RFC 8017, A.1.1); the modulus
/// stands between.
const PUBLIC_KEY_BEGINS: [u8; 9] = [0x30, 0x82, 0x01, 0x0a, 0x02, 0x82, 0x01, 0x01, 0x00];
const PUBLIC_KEY_ENDS: [u8; 5] = [0x02, 0x03, 0x01, 0x00, 0x01];

/// Why there are no keys.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    /// What was stored is no document of ours.
    #[error("the pool's signing keys cannot be read: {0}")]
    Unreadable(&'static str),
    /// The system's randomness failed, or the process is stopping.
    #[error("no signing keys could be made")]
    NotMade,
}

impl From<Unspecified> for KeysError {
    fn from(Unspecified: Unspecified) -> Self {
        Self::NotMade
    }
}

/// The two keys of a pool.
pub struct SigningKeys {
    pub id: SigningKey,
    pub access: SigningKey,
}

impl SigningKeys {
    /// Makes new keys. Takes 50 to 800 ms of a thread: see [`KeyForge`].
    pub fn generate(random: &Random) -> Result<Self, KeysError> {
        Ok(Self { id: SigningKey::generate(random)?, access: SigningKey::generate(random)? })
    }

    /// For the store.
    pub fn to_document(&self) -> Result<Vec<u8>, KeysError> {
        let document = Document { id: self.id.to_stored()?, access: self.access.to_stored()? };
        Ok(serde_json::to_vec(&document).expect("strings alone"))
    }

    /// From the store. Checks the keys, which takes about a millisecond: keep what it gives.
    pub fn from_document(document: &[u8]) -> Result<Self, KeysError> {
        let document: Document =
            serde_json::from_slice(document).map_err(|_| KeysError::Unreadable("not the JSON expected"))?;
        Ok(Self { id: SigningKey::from_stored(document.id)?, access: SigningKey::from_stored(document.access)? })
    }

    /// What `/.well-known/jwks.json` answers.
    pub fn jwks(&self) -> Value {
        let entry = |key: &SigningKey| json!({"alg": "RS256", "e": "AQAB", "kid": key.kid, "kty": "RSA", "n": key.modulus, "use": "sig"});
        json!({"keys": [entry(&self.id), entry(&self.access)]})
    }
}

#[derive(Serialize, Deserialize)]
struct Document {
    id: StoredKey,
    access: StoredKey,
}

#[derive(Serialize, Deserialize)]
struct StoredKey {
    kid: String,
    /// PKCS#8, Base64.
    private: String,
}

/// One RSA-2048 key pair and what tokens call it.
pub struct SigningKey {
    kid: String,
    pair: RsaKeyPair,
    public: ParsedPublicKey,
    /// Base64, URL-safe.
    modulus: String,
}

impl SigningKey {
    fn generate(random: &Random) -> Result<Self, KeysError> {
        let pair = RsaKeyPair::generate(KeySize::Rsa2048)?;
        // 32 bytes, as on AWS: 43 characters and `=`.
        Self::new(STANDARD.encode(random.bytes::<32>()), pair)
    }

    fn new(kid: String, pair: RsaKeyPair) -> Result<Self, KeysError> {
        const UNEXPECTED: KeysError = KeysError::Unreadable("not RSA keys of 2,048 bits");
        let der = pair.public_key().as_ref();
        let modulus = der.strip_prefix(&PUBLIC_KEY_BEGINS).and_then(|rest| rest.strip_suffix(&PUBLIC_KEY_ENDS));
        let modulus = URL_SAFE_NO_PAD.encode(modulus.filter(|modulus| modulus.len() == 256).ok_or(UNEXPECTED)?);
        let public = ParsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, der).map_err(|_| UNEXPECTED)?;
        Ok(Self { kid, pair, public, modulus })
    }

    fn to_stored(&self) -> Result<StoredKey, KeysError> {
        let private: Pkcs8V1Der = self.pair.as_der()?;
        Ok(StoredKey { kid: self.kid.clone(), private: STANDARD.encode(private.as_ref()) })
    }

    fn from_stored(stored: StoredKey) -> Result<Self, KeysError> {
        let der = STANDARD.decode(stored.private).map_err(|_| KeysError::Unreadable("not Base64"))?;
        let pair = RsaKeyPair::from_pkcs8(&der).map_err(|_| KeysError::Unreadable("not PKCS#8"))?;
        Self::new(stored.kid, pair)
    }

    /// What a token's header calls the key.
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// RS256. About 0.3 ms.
    pub fn sign(&self, message: &[u8]) -> [u8; SIGNATURE_BYTES] {
        let mut signature = [0; SIGNATURE_BYTES];
        let signed = self.pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature);
        signed.expect("a key that was checked signs everything");
        signature
    }

    /// Whether the signature is this key's.
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        self.public.verify_sig(message, signature).is_ok()
    }
}

/// Makes signing keys in the background and keeps one spare pair, so that nobody waits for them.
///
/// It begins with [`KeyForge::warm_up`] or the first [`KeyForge::take`]: a process that finds its keys in the store
/// never makes any.
pub struct KeyForge {
    random: Random,
    spare: Mutex<Option<Making>>,
}

type Making = JoinHandle<Result<SigningKeys, KeysError>>;

impl KeyForge {
    /// A forge that has not begun.
    pub fn new(random: Random) -> Self {
        Self { random, spare: Mutex::new(None) }
    }

    /// Sees to it that spare keys are there or being made. Needs a Tokio runtime; returns at once.
    pub fn warm_up(&self) {
        let mut spare = self.spare.lock().expect("no holder panics");
        if spare.is_none() {
            *spare = Some(self.begin());
        }
    }

    /// The spare keys, once they are made; others are begun after them.
    pub async fn take(&self) -> Result<SigningKeys, KeysError> {
        let spare = self.spare.lock().expect("no holder panics").take();
        let keys = spare.unwrap_or_else(|| self.begin()).await.map_err(|_| KeysError::NotMade)?;
        self.warm_up();
        keys
    }

    /// Has these keys as its spare ones: tests share a pair, because making one takes longer than most of them.
    #[cfg(test)]
    pub fn lay_in(&self, keys: SigningKeys) {
        *self.spare.lock().expect("no holder panics") = Some(tokio::spawn(async { Ok(keys) }));
    }

    fn begin(&self) -> Making {
        let random = self.random.clone();
        tokio::task::spawn_blocking(move || SigningKeys::generate(&random))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn keys_come_back_from_the_store() {
        let keys = KeyForge::new(Random::seeded(1)).take().await.expect("keys");
        let back = SigningKeys::from_document(&keys.to_document().expect("a document")).expect("keys");
        assert_eq!(keys.jwks(), back.jwks());
        let signature = back.id.sign(b"message");
        assert!(keys.id.verify(b"message", &signature));
        assert!(!keys.id.verify(b"another", &signature));
        assert!(!keys.access.verify(b"message", &signature));
    }

    #[test]
    fn a_damaged_document_is_refused() {
        let keys = |id: &str| format!(r#"{{"id": {id}, "access": {{"kid": "k", "private": "AAAA"}}}}"#);
        for document in
            ["", "{}", &keys("1"), &keys(r#"{"kid": "k", "private": "?"}"#), &keys(r#"{"kid": "k", "private": ""}"#)]
        {
            let read = SigningKeys::from_document(document.as_bytes());
            assert!(matches!(read, Err(KeysError::Unreadable(_))), "{document}");
        }
    }

    #[tokio::test]
    async fn the_forge_never_gives_the_same_keys_twice() {
        let forge = KeyForge::new(Random::seeded(1));
        let (one, other) = tokio::join!(forge.take(), forge.take());
        let third = forge.take().await.expect("keys");
        let kids = [one.expect("keys"), other.expect("keys"), third].map(|keys| keys.id.kid().to_owned());
        assert!(kids[0] != kids[1] && kids[1] != kids[2] && kids[0] != kids[2]);
        assert!(kids.iter().all(|kid| kid.len() == 44 && kid.ends_with('=')));
    }
}
