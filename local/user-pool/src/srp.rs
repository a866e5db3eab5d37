//! The Secure Remote Password protocol (SRP-6a) as Cognito speaks it: a client proves that it knows a password
//! without sending it, and only a verifier of it is stored.
//!
//! Not here: the arithmetic (see `srp/group.rs`), the user, and the wire. Start at [`Verifier`], then [`Challenge`].
//!
//! Source: `AuthenticationHelper.js` of amazon-cognito-identity-js; RFC 5054 differs in its hashes. In every hash a
//! number is written as Java's `BigInteger.toByteArray()` does it: without leading zeros, but with one if the first
//! bit is set (`padHex` in the clients).

mod group;

use aws_lc_rs::{digest, hkdf, hmac};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;
use world::Random;

use group::{ELEMENT_BYTES, Element, Exponent};

/// What stays of a password: `v = g^x`, where `x` is a hash of it with the salt, the pool and the user.
#[derive(Clone, PartialEq, Eq)]
pub struct Verifier {
    pub salt: [u8; 16],
    /// Big-endian.
    pub v: Box<[u8]>,
}

impl Verifier {
    /// The verifier of a password with a fresh salt. A quarter of a millisecond of arithmetic: call it where blocking is fine.
    pub fn new(pool_name: &str, user_id: &str, password: &str, random: &Random) -> Self {
        let salt = random.bytes();
        let v = group::power_of_g(&private_key(&salt, pool_name, user_id, password)).to_bytes();
        Self { salt, v }
    }

    /// Whether this is the verifier of the password. As costly as [`Verifier::new`], right or wrong.
    pub fn matches(&self, pool_name: &str, user_id: &str, password: &str) -> bool {
        let v = group::power_of_g(&private_key(&self.salt, pool_name, user_id, password)).to_bytes();
        v.ct_eq(&self.v).into()
    }

    /// For a name that nobody has, where strangers must not learn that: the same salt at every attempt, and a
    /// verifier that no password has.
    pub fn of_nobody(pool_secret: &[u8; 32], pool_name: &str, name: &str) -> Self {
        let prk = hkdf::Prk::new_less_safe(hkdf::HKDF_SHA256, pool_secret);
        let mut bytes = [0; 16 + ELEMENT_BYTES];
        let info = [b"user who does not exist", pool_name.as_bytes(), b"\0", name.as_bytes()];
        prk.expand(&info, Length(bytes.len())).and_then(|okm| okm.fill(&mut bytes)).expect("less than HKDF's most");
        let (salt, v) = bytes.split_at_mut(16);
        v[0] &= 0x7f; // less than N, which begins with a bit set
        Self { salt: salt.try_into().expect("16 bytes"), v: v.into() }
    }

    /// `SALT` of the challenge.
    pub fn salt_hex(&self) -> String {
        hex(&self.salt)
    }
}

/// Nothing of a password belongs into a log.
impl std::fmt::Debug for Verifier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Verifier(..)")
    }
}

/// Why a client's numbers are refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SrpError {
    /// `SRP_A` is no hexadecimal number of at most 3,072 bits, or a multiple of N, with which anybody could sign in.
    #[error("SRP_A is not a number that SRP allows")]
    PublicKey,
    /// `TIMESTAMP` is not as `Tue Nov 3 09:05:07 UTC 2026`.
    #[error("TIMESTAMP format should be EEE MMM d HH:mm:ss z yyyy in english.")]
    Timestamp,
}

/// The server's half of a sign-in that has begun: what must be kept, and kept secret, until the client answers.
#[derive(Clone, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")] // lists of numbers would be three times as long
pub struct Challenge {
    /// The client's public key `A`, as sent.
    a: Box<[u8]>,
    /// The server's private key.
    b: Exponent,
    /// The hash of both public keys.
    u: Exponent,
}

impl Challenge {
    /// Begins a sign-in with the client's `SRP_A`; gives what to keep and `SRP_B`.
    pub fn begin(srp_a: &str, verifier: &Verifier, random: &Random) -> Result<(Self, String), SrpError> {
        Self::with_private_key(srp_a, verifier, random.bytes())
    }

    fn with_private_key(srp_a: &str, verifier: &Verifier, b: Exponent) -> Result<(Self, String), SrpError> {
        let a = number(srp_a).filter(|a| !Element::from_bytes(a).is_zero()).ok_or(SrpError::PublicKey)?;
        let public = group::power_of_g(&b).plus(&Element::from_bytes(&verifier.v).times_k()).to_bytes();
        let mut u = digest::Context::new(&digest::SHA256);
        hash_number(&mut u, &a);
        hash_number(&mut u, &public);
        let u = u.finish().as_ref().try_into().expect("SHA-256 has 32 bytes");
        Ok((Self { a: a.into(), b, u }, hex(significant(&public))))
    }

    /// Whether the client's proof shows that it knows the password of this verifier. Two long exponentiations, about
    /// two milliseconds: call it where blocking is fine.
    pub fn verify(&self, verifier: &Verifier, pool_name: &str, user_id: &str, proof: &Proof) -> bool {
        let v = Element::from_bytes(&verifier.v);
        let shared = Element::from_bytes(&self.a).times(&v.power(&self.u)).power(&self.b);
        let key = hmac::Key::new(hmac::HMAC_SHA256, &session_key(&shared, &self.u));
        let message = [pool_name.as_bytes(), user_id.as_bytes(), &proof.secret_block, proof.timestamp.as_bytes()];
        hmac::verify(&key, &message.concat(), &proof.signature).is_ok()
    }
}

impl From<Challenge> for String {
    fn from(challenge: Challenge) -> Self {
        STANDARD_NO_PAD.encode([&challenge.b[..], &challenge.u, &challenge.a].concat())
    }
}

impl TryFrom<String> for Challenge {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        const UNEXPECTED: &str = "not a challenge";
        let bytes = STANDARD_NO_PAD.decode(text).map_err(|_| UNEXPECTED)?;
        let (b, rest) = bytes.split_first_chunk().ok_or(UNEXPECTED)?;
        let (u, a) = rest.split_first_chunk().ok_or(UNEXPECTED)?;
        Ok(Self { a: a.into(), b: *b, u: *u })
    }
}

/// What a client answers with: `PASSWORD_CLAIM_SECRET_BLOCK`, `PASSWORD_CLAIM_SIGNATURE` and `TIMESTAMP`.
#[derive(Clone, Debug)]
pub struct Proof {
    secret_block: Vec<u8>,
    signature: Vec<u8>,
    timestamp: String,
}

impl Proof {
    /// Reads the three parameters. What is no Base64 reads as empty and proves nothing.
    pub fn read(secret_block: &str, signature: &str, timestamp: &str) -> Result<Self, SrpError> {
        Ok(Self {
            secret_block: STANDARD.decode(secret_block).unwrap_or_default(),
            signature: STANDARD.decode(signature).unwrap_or_default(),
            timestamp: canonical_timestamp(timestamp).ok_or(SrpError::Timestamp)?,
        })
    }
}

/// Cognito signs the time in its own spelling of it, not in the client's: a day of `03` is understood, but no client
/// that signs it so gets in (qwigo/warrant#12). Other languages are refused (NabuCasa/pycognito#122).
fn canonical_timestamp(text: &str) -> Option<String> {
    let time = jiff::civil::DateTime::strptime("%a %b %d %H:%M:%S UTC %Y", text).ok()?;
    Some(time.strftime("%a %b %-d %H:%M:%S UTC %Y").to_string())
}

/// `x`: what only the password gives.
fn private_key(salt: &[u8], pool_name: &str, user_id: &str, password: &str) -> Exponent {
    let mut identity = digest::Context::new(&digest::SHA256);
    for part in [pool_name, user_id, ":", password] {
        identity.update(part.as_bytes());
    }
    let mut x = digest::Context::new(&digest::SHA256);
    hash_number(&mut x, salt);
    x.update(identity.finish().as_ref());
    x.finish().as_ref().try_into().expect("SHA-256 has 32 bytes")
}

/// The key that both sides have in the end, made from the shared number and `u`.
fn session_key(shared: &Element, u: &Exponent) -> [u8; 16] {
    let salt = hkdf::Salt::new(hkdf::HKDF_SHA256, &signed(u));
    let mut key = [0; 16];
    let prk = salt.extract(&signed(&shared.to_bytes()));
    let info: [&[u8]; 1] = [b"Caldera Derived Key"];
    prk.expand(&info, Length(key.len())).and_then(|okm| okm.fill(&mut key)).expect("less than HKDF's most");
    key
}

struct Length(usize);

impl hkdf::KeyType for Length {
    fn len(&self) -> usize {
        self.0
    }
}

/// Without leading zeros; one byte at least.
fn significant(number: &[u8]) -> &[u8] {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    &number[zeros.min(number.len().saturating_sub(1))..]
}

/// As a positive number in two's complement, which is how every hash here takes it.
fn signed(number: &[u8]) -> Vec<u8> {
    let number = significant(number);
    let sign: &[u8] = if number.first().is_some_and(|first| *first >= 0x80) { &[0] } else { &[] };
    [sign, number].concat()
}

fn hash_number(context: &mut digest::Context, number: &[u8]) {
    context.update(&signed(number));
}

/// A hexadecimal number of at most 3,072 bits, without leading zeros. An odd number of digits is fine.
fn number(hex: &str) -> Option<Vec<u8>> {
    let digits = hex.trim_start_matches('0').as_bytes();
    if digits.len() > 2 * ELEMENT_BYTES || hex.is_empty() {
        return None;
    }
    let value = |digit: &u8| char::from(*digit).to_digit(16).and_then(|value| u8::try_from(value).ok());
    let pair = |pair: &[u8]| pair.iter().try_fold(0, |byte, digit| Some(byte << 4 | value(digit)?));
    let (odd, pairs) = digits.split_at(digits.len() % 2);
    odd.chunks(1).chain(pairs.chunks(2)).map(pair).collect()
}

fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |nibble: u8| char::from(DIGITS[usize::from(nibble)]);
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

#[cfg(test)]
mod tests;
