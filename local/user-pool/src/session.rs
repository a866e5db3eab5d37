//! Sealed tokens: what a client carries for us between two calls, so that nothing is stored and nothing has to expire.
//!
//! `Session` of a challenge, `SECRET_BLOCK`, refresh tokens and `PaginationToken` are all the same: a payload and an
//! end of life, encrypted and authenticated under the pool's secret. Not here: what the payloads say.
//! Start at [`seal`] and [`open`].
//!
//! A sealed token cannot be used up by itself. [`Spent`] remembers those that may be used once.

use std::collections::BTreeSet;
use std::sync::Mutex;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::hkdf;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde::Serialize;
use serde::de::DeserializeOwned;
use world::{Random, Timestamp};

/// Spent tokens remembered at most, about 40 bytes each: at a thousand challenges a second, those of the last four
/// minutes. The ones that end first are forgotten first.
const SPENT_MAX: usize = 262_144;

/// `{"cty":"JWT","enc":"A256GCM","alg":"RSA-OAEP"}`: how Cognito's refresh tokens begin. Some clients check the shape.
const REFRESH_TOKEN_HEADER: &str = "eyJjdHkiOiJKV1QiLCJlbmMiOiJBMjU2R0NNIiwiYWxnIjoiUlNBLU9BRVAifQ";

/// The length of a key encrypted with RSA-2048, which stands in the second part of such a token.
const ENCRYPTED_KEY_BYTES: usize = 256;

const TAG_BYTES: usize = 16;
const EXPIRES_BYTES: usize = 8;

/// What a token is for. One kind does not open as another; each has its own looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// `Session` of a challenge: URL-safe Base64.
    Challenge,
    /// `SECRET_BLOCK` of an SRP sign-in: Base64, because clients decode it to sign it.
    SecretBlock,
    /// A refresh token: five parts, as an encrypted JWT has them.
    RefreshToken,
    /// `PaginationToken`: URL-safe Base64.
    Page,
    /// The signature in the address of an upload: URL-safe Base64.
    Upload,
}

impl Purpose {
    const fn label(self) -> &'static str {
        match self {
            Self::Challenge => "challenge",
            Self::SecretBlock => "secret block",
            Self::RefreshToken => "refresh token",
            Self::Page => "page",
            Self::Upload => "upload",
        }
    }
}

/// Why a token is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SessionError {
    /// Not ours, not for this purpose, or changed on its way.
    #[error("the sealed token is not valid")]
    Invalid,
    /// It was good once.
    #[error("the sealed token has expired")]
    Expired,
}

/// A token that was opened.
#[derive(Debug)]
pub struct Opened<T> {
    pub payload: T,
    /// Names this token, for [`Spent::spend`].
    pub stamp: Stamp,
}

/// Tells one sealed token from every other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Stamp {
    // First, so that stamps are in the order in which they may be forgotten.
    expires: Timestamp,
    nonce: [u8; NONCE_LEN],
}

/// Seals a payload until `expires`. A `Session` may have 4,096 characters, so a payload should stay below 3,000 bytes:
/// ids, not documents.
pub fn seal(
    pool_secret: &[u8; 32],
    purpose: Purpose,
    expires: Timestamp,
    payload: &impl Serialize,
    random: &Random,
) -> String {
    let nonce: [u8; NONCE_LEN] = random.bytes();
    let mut sealed = expires.millis().to_be_bytes().to_vec();
    serde_json::to_writer(&mut sealed, payload).expect("payloads are plain structs");
    let prefix = prefix(purpose, random);
    let tag = key(pool_secret)
        .seal_in_place_separate_tag(Nonce::assume_unique_for_key(nonce), bound(purpose, &prefix), &mut sealed)
        .expect("a payload is far below AES-GCM's limit");
    let parts: [&[u8]; 3] = [&nonce, &sealed, tag.as_ref()];
    match purpose {
        Purpose::RefreshToken => {
            let [nonce, sealed, tag] = parts.map(|part| URL_SAFE_NO_PAD.encode(part));
            format!("{prefix}.{nonce}.{sealed}.{tag}")
        }
        Purpose::SecretBlock => STANDARD.encode(parts.concat()),
        Purpose::Challenge | Purpose::Page | Purpose::Upload => URL_SAFE_NO_PAD.encode(parts.concat()),
    }
}

/// Opens what [`seal`] gave.
pub fn open<T: DeserializeOwned>(
    pool_secret: &[u8; 32],
    purpose: Purpose,
    token: &str,
    now: Timestamp,
) -> Result<Opened<T>, SessionError> {
    let (prefix, mut bytes) = unpack(purpose, token).ok_or(SessionError::Invalid)?;
    let (nonce, sealed) = bytes.split_first_chunk_mut::<NONCE_LEN>().ok_or(SessionError::Invalid)?;
    let plain = key(pool_secret)
        .open_in_place(Nonce::assume_unique_for_key(*nonce), bound(purpose, prefix), sealed)
        .map_err(|_| SessionError::Invalid)?;
    let (expires, payload) = plain.split_first_chunk::<EXPIRES_BYTES>().ok_or(SessionError::Invalid)?;
    let expires = Timestamp::from_millis(i64::from_be_bytes(*expires));
    if now >= expires {
        return Err(SessionError::Expired);
    }
    let payload = serde_json::from_slice(payload).map_err(|_| SessionError::Invalid)?;
    Ok(Opened { payload, stamp: Stamp { expires, nonce: *nonce } })
}

/// The first two parts of a refresh token; nothing for the others. The second holds nothing but looks.
fn prefix(purpose: Purpose, random: &Random) -> String {
    if purpose != Purpose::RefreshToken {
        return String::new();
    }
    let encrypted_key: [u8; ENCRYPTED_KEY_BYTES] = random.bytes();
    format!("{REFRESH_TOKEN_HEADER}.{}", URL_SAFE_NO_PAD.encode(encrypted_key))
}

/// The prefix, and the nonce, the sealed bytes and the tag in one.
fn unpack(purpose: Purpose, token: &str) -> Option<(&str, Vec<u8>)> {
    match purpose {
        Purpose::RefreshToken => {
            // From the end: the prefix has a dot of its own.
            let mut parts = token.rsplitn(4, '.');
            let (tag, sealed, nonce, prefix) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
            let mut bytes = Vec::with_capacity(token.len());
            for (part, length) in [(nonce, Some(NONCE_LEN)), (sealed, None), (tag, Some(TAG_BYTES))] {
                let before = bytes.len();
                URL_SAFE_NO_PAD.decode_vec(part, &mut bytes).ok()?;
                if length.is_some_and(|length| bytes.len() - before != length) {
                    return None;
                }
            }
            Some((prefix, bytes))
        }
        Purpose::SecretBlock => Some(("", STANDARD.decode(token).ok()?)),
        Purpose::Challenge | Purpose::Page | Purpose::Upload => Some(("", URL_SAFE_NO_PAD.decode(token).ok()?)),
    }
}

/// What is authenticated besides the payload.
fn bound(purpose: Purpose, prefix: &str) -> Aad<Vec<u8>> {
    Aad::from([purpose.label(), "\0", prefix].concat().into_bytes())
}

/// The pool's secret has other uses too, so it is no key itself.
fn key(pool_secret: &[u8; 32]) -> LessSafeKey {
    let prk = hkdf::Prk::new_less_safe(hkdf::HKDF_SHA256, pool_secret);
    let info: [&[u8]; 1] = [b"sealed tokens"];
    LessSafeKey::new(UnboundKey::from(prk.expand(&info, &AES_256_GCM).expect("one block of HKDF")))
}

/// Tokens that may be used once and were. In memory alone: after a restart a token may be used once more, within the
/// few minutes of its life.
#[derive(Debug, Default)]
pub struct Spent(Mutex<BTreeSet<Stamp>>);

impl Spent {
    /// Uses a token up. False if it was used up before.
    pub fn spend(&self, stamp: Stamp, now: Timestamp) -> bool {
        let mut spent = self.0.lock().expect("no holder panics");
        while spent.first().is_some_and(|first| first.expires <= now) {
            spent.pop_first();
        }
        let fresh = spent.insert(stamp);
        if spent.len() > SPENT_MAX {
            spent.pop_first();
        }
        fresh
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;

    const SECRET: [u8; 32] = [7; 32];
    const NOW: Timestamp = Timestamp::from_millis(1_767_225_600_000);
    const ALL: [Purpose; 5] =
        [Purpose::Challenge, Purpose::SecretBlock, Purpose::RefreshToken, Purpose::Page, Purpose::Upload];

    fn sealed(purpose: Purpose, random: &Random) -> String {
        seal(&SECRET, purpose, NOW.plus(Duration::from_mins(3)), &("sub", 1), random)
    }

    fn opened(secret: &[u8; 32], purpose: Purpose, token: &str, now: Timestamp) -> Result<(String, i32), SessionError> {
        open(secret, purpose, token, now).map(|opened| opened.payload)
    }

    #[test]
    fn what_was_sealed_opens_until_it_expires() {
        let random = Random::seeded(1);
        for purpose in ALL {
            let token = sealed(purpose, &random);
            let at = |seconds| opened(&SECRET, purpose, &token, NOW.plus(Duration::from_secs(seconds)));
            assert_eq!(at(0), Ok(("sub".to_owned(), 1)), "{purpose:?}");
            assert_eq!(at(179), Ok(("sub".to_owned(), 1)), "{purpose:?}");
            assert_eq!(at(180), Err(SessionError::Expired), "{purpose:?}");
        }
    }

    #[test]
    fn no_kind_opens_as_another() {
        let random = Random::seeded(1);
        for (of, with) in ALL.into_iter().flat_map(|of| ALL.map(|with| (of, with))).filter(|(of, with)| of != with) {
            // As the other kind is written, too.
            let bytes = unpack(of, &sealed(of, &random)).expect("sealed").1;
            let rewritten = match with {
                Purpose::RefreshToken => {
                    let (nonce, rest) = bytes.split_at(NONCE_LEN);
                    let (sealed, tag) = rest.split_at(rest.len() - TAG_BYTES);
                    let [nonce, sealed, tag] = [nonce, sealed, tag].map(|part| URL_SAFE_NO_PAD.encode(part));
                    format!("{}.{nonce}.{sealed}.{tag}", prefix(with, &random))
                }
                Purpose::SecretBlock => STANDARD.encode(&bytes),
                Purpose::Challenge | Purpose::Page | Purpose::Upload => URL_SAFE_NO_PAD.encode(&bytes),
            };
            assert_eq!(opened(&SECRET, with, &rewritten, NOW), Err(SessionError::Invalid), "{of:?} as {with:?}");
        }
    }

    #[test]
    fn another_pool_cannot_open() {
        let random = Random::seeded(1);
        for purpose in ALL {
            let token = sealed(purpose, &random);
            assert_eq!(opened(&[8; 32], purpose, &token, NOW), Err(SessionError::Invalid), "{purpose:?}");
        }
    }

    #[test]
    fn a_refresh_token_looks_like_an_encrypted_jwt() {
        let token = sealed(Purpose::RefreshToken, &Random::seeded(1));
        let parts: Vec<_> = token.split('.').collect();
        let header = URL_SAFE_NO_PAD.decode(parts[0]).expect("Base64");
        assert_eq!(header, br#"{"cty":"JWT","enc":"A256GCM","alg":"RSA-OAEP"}"#);
        let lengths: Vec<_> = parts.iter().map(|part| URL_SAFE_NO_PAD.decode(part).expect("Base64").len()).collect();
        assert_eq!([lengths[1], lengths[2], lengths[4]], [256, 12, 16]);
        assert_eq!(parts.len(), 5);
    }

    #[test]
    fn a_token_is_spent_once() {
        let (spent, random) = (Spent::default(), Random::seeded(1));
        let stamp = |token: &str| open::<(String, i32)>(&SECRET, Purpose::Challenge, token, NOW).expect("opens").stamp;
        let (one, other) = (sealed(Purpose::Challenge, &random), sealed(Purpose::Challenge, &random));
        assert!(spent.spend(stamp(&one), NOW));
        assert!(!spent.spend(stamp(&one), NOW));
        assert!(spent.spend(stamp(&other), NOW));
    }

    #[test]
    fn expired_tokens_are_forgotten() {
        let (spent, random) = (Spent::default(), Random::seeded(1));
        let stamp = |expires| Stamp { expires, nonce: random.bytes() };
        let later = NOW.plus(Duration::from_mins(3));
        for _ in 0..10 {
            spent.spend(stamp(later), NOW);
        }
        spent.spend(stamp(later.plus(Duration::from_secs(1))), later);
        assert_eq!(spent.0.lock().expect("no holder panics").len(), 1);
    }

    proptest! {
        #[test]
        fn a_changed_token_does_not_open(kind in 0_usize..4, seed: u64, at: prop::sample::Index, with in "[A-Za-z0-9.]") {
            let token = sealed(ALL[kind], &Random::seeded(seed));
            let mut changed = token.clone();
            let at = at.index(token.len());
            changed.replace_range(at..=at, &with);
            prop_assume!(changed != token);
            prop_assert_eq!(opened(&SECRET, ALL[kind], &changed, NOW), Err(SessionError::Invalid));
        }

        #[test]
        fn nonsense_does_not_open(kind in 0_usize..4, token in ".{0,200}") {
            prop_assert_eq!(opened(&SECRET, ALL[kind], &token, NOW), Err(SessionError::Invalid));
        }
    }
}
