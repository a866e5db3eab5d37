use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::profile_api::testing::{CLIENT, ISSUER, POOL, Published, Signer, access_claims};

const NOW_SECONDS: i64 = 1_767_225_600;

struct Kit {
    signer: Signer,
    verifier: Verifier,
}

impl Kit {
    fn new() -> Self {
        Self::taking(TokenUse::Access)
    }

    fn taking(token_use: TokenUse) -> Self {
        let signer = Signer::new("key");
        let settings = Settings {
            user_pool: POOL.into(),
            issuer: ISSUER.into(),
            keys_url: format!("{ISSUER}/.well-known/jwks.json"),
            clients: vec!["other".into(), CLIENT.into()],
            token_use,
            table: String::new(),
            unique_email: false,
            bus: String::new(),
            admin_group: "admin".into(),
            schema: None,
            origins: Vec::new(),
            base_path: String::new(),
        };
        let keys = Keys::new(Published::with(&[&signer]).connector(), settings.keys_url.clone());
        Self { verifier: Verifier::new(&settings, keys), signer }
    }

    async fn verify(&self, token: &str) -> Result<Caller, Refused> {
        self.verifier.verify(token, Timestamp::from_millis(NOW_SECONDS * 1000)).await
    }

    /// What comes of a token with one claim changed, or taken away.
    async fn with(&self, claim: &str, value: Value) -> Result<Caller, Refused> {
        let mut claims = access_claims("ada", NOW_SECONDS);
        if value.is_null() {
            claims.as_object_mut().expect("an object").remove(claim);
        } else {
            claims[claim] = value;
        }
        self.verify(&self.signer.token(&claims)).await
    }
}

#[track_caller]
fn refused(outcome: Result<Caller, Refused>, expected: Refused) {
    assert_eq!(outcome.map(|caller| caller.user).expect_err("it is refused"), expected);
}

#[tokio::test]
async fn a_token_of_the_pool_says_who_calls() {
    let kit = Kit::new();
    let caller = kit.with("cognito:groups", json!(["admin", "staff"])).await.expect("it is taken");
    assert_eq!(caller.user.as_str(), "ada");
    assert_eq!(caller.groups, ["admin", "staff"]);
    assert!(caller.access_token.is_some());
    assert!(kit.with("client_id", json!("other")).await.expect("it is taken").groups.is_empty());
}

#[tokio::test]
async fn times_count_with_some_leeway() {
    let kit = Kit::new();
    for (claim, seconds, expected) in [
        ("exp", NOW_SECONDS - 29, None),
        ("exp", NOW_SECONDS - 30, Some(Refused::Expired)),
        ("exp", i64::MIN, Some(Refused::Expired)),
        ("exp", i64::MAX, None),
        ("nbf", NOW_SECONDS + 30, None),
        ("nbf", NOW_SECONDS + 31, Some(Refused::NotYet)),
        ("nbf", i64::MAX, Some(Refused::NotYet)),
    ] {
        assert_eq!(kit.with(claim, json!(seconds)).await.err(), expected, "{claim} {seconds}");
    }
    refused(kit.with("exp", Value::Null).await, Refused::Malformed);
}

#[tokio::test]
async fn the_issuer_is_exactly_the_pool() {
    let kit = Kit::new();
    for issuer in [
        "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Other",
        "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Pool/",
        "https://cognito-idp.eu-west-1.amazonaws.com.evil.example/eu-west-1_Pool",
        "",
    ] {
        refused(kit.with("iss", json!(issuer)).await, Refused::Issuer);
    }
    refused(kit.with("iss", Value::Null).await, Refused::Malformed);
}

#[tokio::test]
async fn other_clients_are_refused() {
    let kit = Kit::new();
    refused(kit.with("client_id", json!("App")).await, Refused::Client);
    refused(kit.with("client_id", Value::Null).await, Refused::Client);
}

#[tokio::test]
async fn an_access_token_has_no_audience() {
    let kit = Kit::new();
    let mut claims = access_claims("ada", NOW_SECONDS);
    claims["aud"] = CLIENT.into();
    claims["client_id"] = "stranger".into();
    refused(kit.verify(&kit.signer.token(&claims)).await, Refused::Client);
}

fn id_claims() -> Value {
    json!({"sub": "ada", "iss": ISSUER, "aud": CLIENT, "token_use": "id", "exp": NOW_SECONDS + 60})
}

#[tokio::test]
async fn each_kind_of_token_is_taken_where_it_is_asked_for() {
    for (token_use, access, id) in
        [(TokenUse::Access, true, false), (TokenUse::Id, false, true), (TokenUse::Any, true, true)]
    {
        let kit = Kit::taking(token_use);
        let takes_access = kit.verify(&kit.signer.token(&access_claims("ada", NOW_SECONDS))).await;
        let takes_id = kit.verify(&kit.signer.token(&id_claims())).await;
        assert_eq!((takes_access.is_ok(), takes_id.is_ok()), (access, id), "{token_use:?}");
        if let Ok(caller) = takes_id {
            assert!(caller.access_token.is_none());
        }
    }
    refused(Kit::taking(TokenUse::Any).with("token_use", json!("refresh")).await, Refused::Use);
}

#[tokio::test]
async fn other_keys_are_refused() {
    let kit = Kit::new();
    let claims = access_claims("ada", NOW_SECONDS);
    refused(kit.verify(&Signer::new("other").token(&claims)).await, Refused::UnknownKey);
    // The same name for another key.
    refused(kit.verify(&Signer::new("key").token(&claims)).await, Refused::Signature);
    refused(kit.verify(&kit.signer.signed(&json!({"alg": "RS256"}), &claims)).await, Refused::Malformed);
}

#[tokio::test]
async fn other_algorithms_are_refused() {
    let kit = Kit::new();
    let claims = access_claims("ada", NOW_SECONDS);
    for algorithm in ["none", "None", "RS512", "PS256", "ES256", "rs256", ""] {
        let token = kit.signer.signed(&json!({"kid": "key", "alg": algorithm}), &claims);
        assert!(kit.verify(&token).await.is_err(), "{algorithm}");
        let unsigned = token.rsplit_once('.').map(|(message, _)| format!("{message}.")).expect("three parts");
        assert!(kit.verify(&unsigned).await.is_err(), "{algorithm}");
    }
}

/// The attack on verifiers that let the header choose: the public key, known to everybody, as HMAC's secret.
#[tokio::test]
async fn the_public_key_is_no_secret() {
    let kit = Kit::new();
    let (header, claims) = (json!({"kid": "key", "alg": "HS256"}), access_claims("ada", NOW_SECONDS));
    let message = format!("{}.{}", BASE64.encode(header.to_string()), BASE64.encode(claims.to_string()));
    let secret = hmac::Key::new(hmac::HMAC_SHA256, &kit.signer.modulus());
    let token = format!("{message}.{}", BASE64.encode(hmac::sign(&secret, message.as_bytes())));
    refused(kit.verify(&token).await, Refused::Algorithm);
}

#[tokio::test]
async fn a_changed_claim_breaks_the_signature() {
    let kit = Kit::new();
    let token = kit.signer.token(&access_claims("ada", NOW_SECONDS));
    let parts: Vec<&str> = token.split('.').collect();
    let claims = BASE64.encode(access_claims("eve", NOW_SECONDS).to_string());
    refused(kit.verify(&format!("{}.{claims}.{}", parts[0], parts[2])).await, Refused::Signature);
    refused(kit.verify(&format!("{}.{}.", parts[0], parts[1])).await, Refused::Signature);
}

#[tokio::test]
async fn whoever_has_no_id_is_nobody() {
    refused(Kit::new().with("sub", json!("")).await, Refused::Malformed);
}

#[tokio::test]
async fn an_endless_token_is_not_looked_at() {
    refused(Kit::new().verify(&"a".repeat(TOKEN_BYTES_MAX + 1)).await, Refused::Malformed);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever comes, and however near it is to a token, it is refused, and nothing panics.
    #[test]
    fn no_other_bytes_are_taken(noise in any::<String>(), at in 0_usize..400, byte in any::<u8>(), cut in 0_usize..400) {
        let kit = shared();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let token = kit.signer.token(&access_claims("ada", NOW_SECONDS));
        let mut bytes = token.clone().into_bytes();
        let at = at % bytes.len();
        bytes[at] = byte;
        let changed = String::from_utf8_lossy(&bytes).into_owned();
        let cut = &token[..cut % token.len()];
        let dotted = format!("{noise}.{noise}.{noise}");
        for text in [noise.as_str(), dotted.as_str(), cut] {
            prop_assert!(runtime.block_on(kit.verify(text)).is_err(), "{text}");
        }
        // The last character of a signature has bits that no byte needs; every other change is seen.
        if changed != token && at < token.len() - 1 {
            prop_assert!(runtime.block_on(kit.verify(&changed)).is_err(), "{changed}");
        }
    }
}

/// Making a key takes a while.
fn shared() -> &'static Kit {
    static KIT: std::sync::LazyLock<Kit> = std::sync::LazyLock::new(Kit::new);
    &KIT
}
