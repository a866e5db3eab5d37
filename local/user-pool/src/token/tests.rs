use std::sync::LazyLock;

use jsonwebtoken::jwk::{Jwk, JwkSet};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Validation};
use serde_json::{Value, json};

use super::*;

const ISSUER: &str = "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_AbCdEf123";
const NOW: Timestamp = Timestamp::from_millis(1_767_225_600_500);
const HOUR: Duration = Duration::from_hours(1);

/// Made once: it takes longer than all the tests.
static KEYS: LazyLock<SigningKeys> = LazyLock::new(|| SigningKeys::generate(&Random::seeded(1)).expect("signing keys"));

static NO_GROUPS: Membership = Membership { groups: Vec::new(), roles: Vec::new(), preferred_role: None };

fn grant() -> Grant<'static> {
    Grant {
        issuer: ISSUER,
        client_id: "client",
        sub: "sub-1",
        username: "ann",
        attributes: &[
            ("address", "1 Main St"),
            ("custom:tier", "3"),
            ("email", "ann@example.com"),
            ("email_verified", "true"),
            ("phone_number_verified", "false"),
            ("sub", "sub-1"),
        ],
        membership: &NO_GROUPS,
        scope: USER_ADMIN_SCOPE,
        origin_jti: Some("origin"),
        event_id: "event",
        auth_time: Timestamp::from_millis(1_767_225_000_000),
        now: NOW,
        id_life: HOUR,
        access_life: 2 * HOUR,
    }
}

fn mint_with(change: impl FnOnce(&mut Grant<'static>)) -> Tokens {
    let mut grant = grant();
    change(&mut grant);
    mint(&KEYS, &grant, None, &Random::seeded(1))
}

fn part(token: &str, at: usize) -> Value {
    let part = URL_SAFE_NO_PAD.decode(token.split('.').nth(at).expect("a part")).expect("Base64");
    serde_json::from_slice(&part).expect("JSON")
}

fn claims(token: &str) -> Value {
    let mut claims = part(token, 1);
    assert!(claims["jti"].as_str().is_some_and(|jti| jti.len() == 36));
    claims.as_object_mut().expect("an object").remove("jti");
    claims
}

#[test]
fn an_id_token_has_cognitos_claims() {
    let expected = json!({
        "sub": "sub-1",
        "iss": ISSUER,
        "aud": "client",
        "cognito:username": "ann",
        "token_use": "id",
        "origin_jti": "origin",
        "event_id": "event",
        "auth_time": 1_767_225_000,
        "iat": 1_767_225_600,
        "exp": 1_767_229_200,
        "address": {"formatted": "1 Main St"},
        "custom:tier": "3",
        "email": "ann@example.com",
        "email_verified": true,
        "phone_number_verified": false,
    });
    assert_eq!(claims(&mint_with(|_| {}).id), expected);
}

#[test]
fn an_access_token_has_cognitos_claims_and_no_attributes() {
    let expected = json!({
        "sub": "sub-1",
        "iss": ISSUER,
        "client_id": "client",
        "username": "ann",
        "token_use": "access",
        "scope": "aws.cognito.signin.user.admin",
        "origin_jti": "origin",
        "event_id": "event",
        "auth_time": 1_767_225_000,
        "iat": 1_767_225_600,
        "exp": 1_767_232_800,
    });
    assert_eq!(claims(&mint_with(|_| {}).access), expected);
}

#[test]
fn groups_are_in_both_and_origin_jti_in_neither_if_there_is_none() {
    let membership = Membership { groups: vec!["admins".to_owned()], ..Membership::default() };
    let membership: &'static Membership = Box::leak(Box::new(membership));
    let tokens = mint_with(|grant| (grant.membership, grant.origin_jti) = (membership, None));
    for token in [tokens.id, tokens.access] {
        assert_eq!(part(&token, 1)["cognito:groups"], json!(["admins"]));
        assert_eq!(part(&token, 1).get("origin_jti"), None);
    }
}

#[test]
fn headers_have_the_two_keys_ids_and_nothing_else() {
    let tokens = mint_with(|_| {});
    for (token, key) in [(&tokens.id, &KEYS.id), (&tokens.access, &KEYS.access)] {
        assert_eq!(part(token, 0), json!({"kid": key.kid(), "alg": "RS256"}));
    }
    assert_ne!(KEYS.id.kid(), KEYS.access.kid());
}

#[test]
fn token_ids_differ() {
    let tokens = mint_with(|_| {});
    assert_ne!(part(&tokens.id, 1)["jti"], part(&tokens.access, 1)["jti"]);
}

/// The differential test: another implementation reads our key set and accepts our signatures.
#[test]
fn jsonwebtoken_accepts_our_tokens() {
    let keys: JwkSet = serde_json::from_value(KEYS.jwks()).expect("a key set");
    let tokens = mint_with(|_| {});
    for token in [tokens.id, tokens.access] {
        let kid = jsonwebtoken::decode_header(&token).expect("a header").kid.expect("a key's id");
        let key = DecodingKey::from_jwk(keys.find(&kid).expect("a key")).expect("an RSA key");
        jsonwebtoken::decode::<Value>(&token, &key, &validation()).expect("a good token");
        let other = keys.keys.iter().find(|key: &&Jwk| key.common.key_id.as_deref() != Some(&kid)).expect("two keys");
        let other = DecodingKey::from_jwk(other).expect("an RSA key");
        jsonwebtoken::decode::<Value>(&token, &other, &validation()).expect_err("the other key");
    }
}

/// Checks the signature and the issuer; the time is not this machine's.
fn validation() -> Validation {
    let mut validation = Validation::new(Algorithm::RS256);
    validation.set_issuer(&[ISSUER]);
    validation.validate_exp = false;
    validation.validate_aud = false;
    validation
}

/// Signed by another implementation with one of our private keys.
fn signed_elsewhere(of: &str, header: &jsonwebtoken::Header, claims: &Value) -> String {
    let document: Value = serde_json::from_slice(&KEYS.to_document().expect("a document")).expect("JSON");
    let private = document[of]["private"].as_str().expect("a key");
    let pkcs8 = base64::engine::general_purpose::STANDARD.decode(private).expect("Base64");
    let pkcs1 = &pkcs8[26..]; // behind PKCS#8's wrapping, whose length is fixed for these keys
    jsonwebtoken::encode(header, claims, &EncodingKey::from_rsa_der(pkcs1)).expect("a token")
}

fn header(key: &SigningKey) -> jsonwebtoken::Header {
    jsonwebtoken::Header { kid: Some(key.kid().to_owned()), ..jsonwebtoken::Header::new(Algorithm::RS256) }
}

fn good_claims() -> Value {
    part(&mint_with(|_| {}).access, 1)
}

#[test]
fn we_accept_what_jsonwebtoken_signs() {
    let token = signed_elsewhere("access", &header(&KEYS.access), &good_claims());
    let claims = verify(&token, ISSUER, &KEYS, NOW).expect("a good token");
    assert_eq!((claims.sub.as_str(), claims.origin_jti.as_deref()), ("sub-1", Some("origin")));
}

#[track_caller]
fn check(token: &str, expected: TokenError) {
    assert_eq!(verify(token, ISSUER, &KEYS, NOW).expect_err(token), expected);
}

#[test]
fn what_is_no_access_token_of_the_pool_is_refused() {
    let tokens = mint_with(|_| {});
    check("", TokenError::Invalid);
    check("a.b.c", TokenError::Invalid);
    check(&tokens.id, TokenError::Invalid);
    check(&format!("{}.x", tokens.access), TokenError::Invalid);
    check(&mint_with(|grant| grant.issuer = "https://example.com").access, TokenError::Invalid);
    let mut claims = good_claims();
    claims["token_use"] = "id".into();
    check(&signed_elsewhere("access", &header(&KEYS.access), &claims), TokenError::Invalid);
    // The key of the other kind, under its own name and under this one's.
    check(&signed_elsewhere("id", &header(&KEYS.id), &good_claims()), TokenError::Invalid);
    check(&signed_elsewhere("id", &header(&KEYS.access), &good_claims()), TokenError::Invalid);
}

#[test]
fn no_other_algorithm_is_accepted() {
    let rs384 = jsonwebtoken::Header { alg: Algorithm::RS384, ..header(&KEYS.access) };
    check(&signed_elsewhere("access", &rs384, &good_claims()), TokenError::Invalid);
    let claims = URL_SAFE_NO_PAD.encode(good_claims().to_string());
    for alg in ["none", "HS256"] {
        let header = json!({"kid": KEYS.access.kid(), "alg": alg}).to_string();
        check(&format!("{}.{claims}.", URL_SAFE_NO_PAD.encode(header)), TokenError::Invalid);
    }
}

#[test]
fn a_changed_claim_breaks_the_signature() {
    let token = mint_with(|_| {}).access;
    let mut claims = part(&token, 1);
    claims["sub"] = "sub-2".into();
    let mut parts: Vec<_> = token.split('.').collect();
    let changed = URL_SAFE_NO_PAD.encode(claims.to_string());
    parts[1] = &changed;
    check(&parts.join("."), TokenError::Invalid);
}

#[test]
fn a_token_without_the_apis_scope_is_refused() {
    check(&mint_with(|grant| grant.scope = "openid email").access, TokenError::MissingScope);
    let several = mint_with(|grant| grant.scope = "openid aws.cognito.signin.user.admin").access;
    verify(&several, ISSUER, &KEYS, NOW).expect("one of the scopes");
}

#[test]
fn the_issuer_is_read_from_any_token() {
    assert_eq!(claimed_issuer(&mint_with(|_| {}).access).as_deref(), Some(ISSUER));
    for nonsense in ["", ".", "a.b.c", "a.e30.c"] {
        assert_eq!(claimed_issuer(nonsense), None, "{nonsense:?}");
    }
}

#[test]
fn a_token_is_remembered_until_it_expires() {
    let (tokens, token) = (AccessTokens::default(), mint_with(|_| {}).access);
    assert_eq!(tokens.remembered(&token, NOW), None);
    let claims = tokens.verify(&token, ISSUER, &KEYS, NOW).expect("a good token");
    let at = |seconds| tokens.remembered(&token, NOW.plus(Duration::from_secs(seconds)));
    assert_eq!(at(0), Some(Ok(claims.clone())));
    assert_eq!(at(7_199), Some(Ok(claims)));
    assert_eq!(at(7_200), Some(Err(TokenError::Expired)));
    let later = NOW.plus(2 * HOUR);
    assert_eq!(tokens.verify(&token, ISSUER, &KEYS, later), Err(TokenError::Expired));
}

#[test]
fn a_refused_token_is_not_remembered() {
    let (tokens, token) = (AccessTokens::default(), mint_with(|grant| grant.scope = "openid").access);
    tokens.verify(&token, ISSUER, &KEYS, NOW).expect_err("the scope is missing");
    assert_eq!(tokens.remembered(&token, NOW), None);
}

#[test]
fn what_was_revoked_is_forgotten() {
    let tokens = AccessTokens::default();
    let [one, other] = ["one", "other"].map(|sub| mint_with(|grant| grant.sub = sub).access);
    for token in [&one, &other] {
        tokens.verify(token, ISSUER, &KEYS, NOW).expect("a good token");
    }
    tokens.forget(|claims| claims.sub == "one");
    assert_eq!(tokens.remembered(&one, NOW), None);
    assert!(tokens.remembered(&other, NOW).is_some());
}
