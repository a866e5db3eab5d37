//! A pool's keys and tokens, for the tests in here and for those in `tests/it`.

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256};
use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorFuture, SharedHttpConnector};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_types::body::SdkBody;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use serde_json::{Value, json};

/// The pool of the tests.
pub const POOL: &str = "eu-west-1_Pool";
/// Its issuer.
pub const ISSUER: &str = "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Pool";
/// Its client.
pub const CLIENT: &str = "app";

/// A key that signs tokens.
pub struct Signer {
    kid: &'static str,
    pair: KeyPair,
}

impl Signer {
    pub fn new(kid: &'static str) -> Self {
        Self { kid, pair: KeyPair::generate(KeySize::Rsa2048).expect("a key") }
    }

    /// The public half, as a pool publishes it.
    pub fn jwk(&self) -> Value {
        let (n, e) = (self.modulus(), self.pair.public_key().exponent().big_endian_without_leading_zero().to_vec());
        json!({"kid": self.kid, "kty": "RSA", "alg": "RS256", "use": "sig", "n": BASE64.encode(n), "e": BASE64.encode(e)})
    }

    /// What everybody knows of it.
    pub fn modulus(&self) -> Vec<u8> {
        self.pair.public_key().modulus().big_endian_without_leading_zero().to_vec()
    }

    /// A token as the pool makes them.
    pub fn token(&self, claims: &Value) -> String {
        self.signed(&json!({"kid": self.kid, "alg": "RS256"}), claims)
    }

    /// A token whose header says what it wants.
    pub fn signed(&self, header: &Value, claims: &Value) -> String {
        let message = format!("{}.{}", BASE64.encode(header.to_string()), BASE64.encode(claims.to_string()));
        let mut signature = vec![0; self.pair.public_modulus_len()];
        self.pair
            .sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message.as_bytes(), &mut signature)
            .expect("it is signed");
        format!("{message}.{}", BASE64.encode(signature))
    }
}

/// What the access token of a user says, an hour before it expires.
pub fn access_claims(sub: &str, now_seconds: i64) -> Value {
    json!({
        "sub": sub, "iss": ISSUER, "client_id": CLIENT, "token_use": "access", "username": sub,
        "scope": "aws.cognito.signin.user.admin", "iat": now_seconds, "exp": now_seconds + 3600, "jti": "j",
    })
}

/// Where a pool's keys are published. Cheap to clone: all clones are the same place.
#[derive(Clone, Default)]
pub struct Published(Arc<State>);

#[derive(Default)]
struct State {
    keys: Mutex<Vec<Value>>,
    /// A status that is no success, in place of the keys.
    failure: Mutex<Option<u16>>,
    delay: Mutex<Duration>,
    fetched: AtomicUsize,
}

impl Published {
    pub fn with(signers: &[&Signer]) -> Self {
        let published = Self::default();
        published.publish(signers);
        published
    }

    pub fn publish(&self, signers: &[&Signer]) {
        *self.0.keys.lock().expect("no panic") = signers.iter().map(|signer| signer.jwk()).collect();
    }

    /// Answers with this status from now on; `None` is the keys again.
    pub fn fail(&self, status: Option<u16>) {
        *self.0.failure.lock().expect("no panic") = status;
    }

    /// Takes so long from now on.
    pub fn take(&self, delay: Duration) {
        *self.0.delay.lock().expect("no panic") = delay;
    }

    /// How often somebody asked.
    pub fn fetched(&self) -> usize {
        self.0.fetched.load(Ordering::SeqCst)
    }

    pub fn connector(&self) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl fmt::Debug for Published {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Published")
    }
}

impl HttpConnector for Published {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        assert_eq!(request.uri(), format!("{ISSUER}/.well-known/jwks.json"));
        self.0.fetched.fetch_add(1, Ordering::SeqCst);
        let status = self.0.failure.lock().expect("no panic").unwrap_or(200);
        let keys = json!({"keys": *self.0.keys.lock().expect("no panic")}).to_string();
        let delay = *self.0.delay.lock().expect("no panic");
        HttpConnectorFuture::new(async move {
            tokio::time::sleep(delay).await;
            Ok(HttpResponse::new(status.try_into().expect("a status"), SdkBody::from(keys)))
        })
    }
}
