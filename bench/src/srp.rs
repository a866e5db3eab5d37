//! The client's side of Cognito's SRP, and the bare arithmetic of the server's side as a yardstick.

use std::time::Duration;

use anyhow::{Context, Result};
use aws_lc_rs::{digest, hkdf, hmac, rand, rsa, signature};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use crypto_bigint::modular::{BoxedMontyForm, BoxedMontyParams};
use crypto_bigint::{BoxedUint, NonZero, Odd, Resize};
use tokio::time::Instant;

/// RFC 3526, group 15.
const N_HEX: &str = "\
FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22514A08798E3404DD\
EF9519B3CD3A431B302B0A6DF25F14374FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7ED\
EE386BFB5A899FA5AE9F24117C4B1FE649286651ECE45B3DC2007CB8A163BF0598DA48361C55D39A69163FA8FD24CF5F\
83655D23DCA3AD961C62F356208552BB9ED529077096966D670C354E4ABC9804F1746C08CA18217C32905E462E36CE3B\
E39E772C180E86039B2783A2EC07A28FB5C55DF06F4C52C9DE2BCBF6955817183995497CEA956AE515D2261898FA0510\
15728E5A8AAAC42DAD33170D04507A33A85521ABDF1CBA64ECFB850458DBEF0A8AEA71575D060C7DB3970F85A6E1E4C7\
ABF5AE8CDB0933D71E8C94E04A25619DCEE3D2261AD2EE6BF12FFA06D98A0864D87602733EC86A64521F2B18177B200C\
BBE117577A615D6C770988C0BAD946E208E24FA074E5AB3143DB5BFCE0FD108E4B82D120A93AD2CAFFFFFFFFFFFFFFFF";
const BITS: u32 = 3072;
const EXPONENT_BITS: u32 = 256;
/// Times are not what is tested here: the client may say any.
const TIMESTAMP: &str = "Tue Nov 3 09:05:07 UTC 2026";

/// One client with one key pair, which it uses for every sign-in: making it is the client's cost, not the server's.
pub struct Client {
    group: BoxedMontyParams,
    n: NonZero<BoxedUint>,
    k: BoxedMontyForm,
    a: BoxedUint,
    public: Vec<u8>,
}

/// What the server's challenge holds.
pub struct Challenge<'a> {
    pub salt: &'a str,
    pub b: &'a str,
    pub secret_block: &'a str,
    pub user_id: &'a str,
}

impl Client {
    pub fn new() -> Result<Self> {
        let n = number(N_HEX)?;
        let group = BoxedMontyParams::new(Odd::new(n.clone()).into_option().context("N is odd")?);
        let n = NonZero::new(n).into_option().context("N is not zero")?;
        let mut secret = [0; 32];
        rand::fill(&mut secret)?;
        let a = BoxedUint::from_be_slice(&secret, EXPONENT_BITS)?;
        let public = two(&group).pow(&a).retrieve().to_be_bytes().to_vec();
        let k = sha256(&[&signed(&n.to_be_bytes()), &[2]]);
        let k = BoxedMontyForm::new(BoxedUint::from_be_slice(&k, EXPONENT_BITS)?.resize(BITS), &group);
        Ok(Self { group, n, k, a, public })
    }

    /// `SRP_A`.
    pub fn srp_a(&self) -> String {
        hex(significant(&self.public))
    }

    /// The time and the signature that prove the password.
    pub fn prove(&self, pool_id: &str, password: &str, challenge: &Challenge<'_>) -> Result<(&'static str, String)> {
        let pool = pool_id.split_once('_').context("a pool id has an underscore")?.1;
        let b = number(challenge.b)?;
        let u = sha256(&[&signed(&self.public), &signed(&b.to_be_bytes())]);
        let identity = sha256(&[pool.as_bytes(), challenge.user_id.as_bytes(), b":", password.as_bytes()]);
        let salt = number(challenge.salt)?.to_be_bytes();
        let x = BoxedUint::from_be_slice(&sha256(&[&signed(&salt), &identity]), EXPONENT_BITS)?;
        // S = (B - k·g^x)^(a + u·x)
        let base = &BoxedMontyForm::new(b.rem(&self.n), &self.group) - &(&self.k * &two(&self.group).pow(&x));
        let ux = BoxedUint::from_be_slice(&u, EXPONENT_BITS)?.resize(BITS) * x.resize(BITS);
        let exponent = ux.wrapping_add((&self.a).resize(BITS));
        let shared = base.pow_bounded_exp(&exponent, exponent.bits_vartime()).retrieve().to_be_bytes();

        let prk = hkdf::Salt::new(hkdf::HKDF_SHA256, &signed(&u)).extract(&signed(&shared));
        let mut key = [0; 32]; // HKDF's first block; Cognito's key is its first half
        prk.expand(&[b"Caldera Derived Key"], hkdf::HKDF_SHA256)?.fill(&mut key)?;
        let mut mac = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, &key[..16]));
        mac.update(pool.as_bytes());
        mac.update(challenge.user_id.as_bytes());
        mac.update(&STANDARD.decode(challenge.secret_block)?);
        mac.update(TIMESTAMP.as_bytes());
        Ok((TIMESTAMP, STANDARD.encode(mac.sign())))
    }

    /// How long the server's arithmetic for one sign-in takes on its own: `g^b` by a table, `(A·v^u)^b` by two
    /// exponentiations, and two RSA-2048 signatures.
    pub fn bare_arithmetic(&self, rounds: u32) -> Result<Duration> {
        let table = Table::new(&self.group);
        let mut base = BoxedMontyForm::new(BoxedUint::from_be_slice(&self.public, BITS)?, &self.group);
        let key = rsa::KeyPair::generate(rsa::KeySize::Rsa2048)?;
        let random = rand::SystemRandom::new();
        let mut signed = vec![0; key.public_modulus_len()];
        let began = Instant::now();
        for _ in 0..rounds {
            base = &base.pow(&self.a) * &table.power(&self.a);
            base = base.pow(&self.a);
            for _ in 0..2 {
                key.sign(&signature::RSA_PKCS1_SHA256, &random, &self.public, &mut signed)?;
            }
        }
        Ok(began.elapsed() / rounds)
    }
}

/// `2^(d·16^i)` for every digit `d` at every place `i` of an exponent.
struct Table(Vec<[BoxedMontyForm; 16]>);

impl Table {
    fn new(group: &BoxedMontyParams) -> Self {
        let mut step = two(group);
        let mut rows = Vec::new();
        for _ in 0..EXPONENT_BITS / 4 {
            let mut power = BoxedMontyForm::one(group);
            rows.push(std::array::from_fn(|_| {
                let entry = power.clone();
                power = &power * &step;
                entry
            }));
            step = power;
        }
        Self(rows)
    }

    fn power(&self, exponent: &BoxedUint) -> BoxedMontyForm {
        let bytes = exponent.to_be_bytes();
        let digits = bytes.iter().rev().flat_map(|byte| [byte & 15, byte >> 4]);
        let mut factors = self.0.iter().zip(digits).map(|(row, digit)| &row[usize::from(digit)]);
        let first = factors.next().expect("an exponent has digits").clone();
        factors.fold(first, |product, factor| &product * factor)
    }
}

fn two(group: &BoxedMontyParams) -> BoxedMontyForm {
    BoxedMontyForm::new(BoxedUint::from(2_u8).resize(BITS), group)
}

/// A hexadecimal number of at most 3,072 bits.
fn number(hex: &str) -> Result<BoxedUint> {
    let padded = format!("{hex:0>width$}", width = BITS as usize / 4);
    BoxedUint::from_be_hex(&padded, BITS).into_option().context("no hexadecimal number of 3,072 bits")
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn significant(bytes: &[u8]) -> &[u8] {
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    &bytes[zeros.min(bytes.len().saturating_sub(1))..]
}

/// As Java writes a positive number: a leading zero if the first bit is set.
fn signed(bytes: &[u8]) -> Vec<u8> {
    let bytes = significant(bytes);
    let sign: &[u8] = if bytes[0] >= 0x80 { &[0] } else { &[] };
    [sign, bytes].concat()
}

fn sha256(parts: &[&[u8]]) -> Vec<u8> {
    let mut context = digest::Context::new(&digest::SHA256);
    for part in parts {
        context.update(part);
    }
    context.finish().as_ref().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Made with two other implementations, a Python client and the server's formula, which agree.
    #[test]
    fn proves_a_password_as_others_do() {
        let mut client = Client::new().expect("a client");
        let repeated = |text: &str| number(&text.repeat(16)).expect("a number");
        client.a = repeated("0123456789abcdef");
        client.public = two(&client.group).pow(&client.a).retrieve().to_be_bytes().to_vec();
        assert_eq!(
            hex(&sha256(&[&signed(&client.public)])),
            "14d555a4aa95d61565f0f136b94b3d7193eec499c432a5dd246c46f1991217e1"
        );

        // The server's public key for the password below: B = k·g^x + g^b.
        let x = number("60d6af69af86f03696918e4675229bbc07e82f4164c475891b46de17ad439f6e").expect("x");
        let v = two(&client.group).pow(&x);
        let b = &(&client.k * &v) + &two(&client.group).pow(&repeated("fedcba9876543210"));
        let challenge = Challenge {
            salt: &"d1ce55a1".repeat(4),
            b: &hex(&b.retrieve().to_be_bytes()),
            secret_block: &STANDARD.encode("secret-block-bytes"),
            user_id: "alice-uuid",
        };
        let proof = client.prove("eu-west-1_AbCdEf123", "Passw0rd!", &challenge).expect("a proof");
        assert_eq!(proof.1, "Uy7PTh4AtnzGU2h2eyMk4zkXPinlzxoqa/znZlITfE0=");
    }

    #[test]
    fn multiplies_by_a_table_as_without() {
        let client = Client::new().expect("a client");
        let by_table = Table::new(&client.group).power(&client.a).retrieve();
        assert_eq!(by_table, two(&client.group).pow(&client.a).retrieve());
    }
}
