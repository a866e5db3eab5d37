use super::*;
use crate::profile_api::testing::{ISSUER, Published, Signer};

fn keys(published: &Published) -> Keys {
    Keys::new(published.connector(), format!("{ISSUER}/.well-known/jwks.json"))
}

async fn found(keys: &Keys, kid: &str) -> Result<bool, Unavailable> {
    keys.key(kid).await.map(|key| key.is_some())
}

#[tokio::test(start_paused = true)]
async fn keys_are_fetched_once() {
    let published = Published::with(&[&Signer::new("a"), &Signer::new("b")]);
    let keys = keys(&published);
    for kid in ["a", "b", "a"] {
        assert_eq!(found(&keys, kid).await, Ok(true));
    }
    assert_eq!(published.fetched(), 1);
}

#[tokio::test(start_paused = true)]
async fn who_comes_while_they_are_fetched_waits_for_them() {
    let published = Published::with(&[&Signer::new("a")]);
    published.take(Duration::from_secs(1));
    let keys = keys(&published);
    let outcomes = tokio::join!(found(&keys, "a"), found(&keys, "a"), found(&keys, "nobody"), found(&keys, "a"));
    assert_eq!(outcomes, (Ok(true), Ok(true), Ok(false), Ok(true)));
    assert_eq!(published.fetched(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_key_that_is_not_there_is_looked_for_once_a_minute() {
    let (old, new) = (Signer::new("old"), Signer::new("new"));
    let published = Published::with(&[&old]);
    let keys = keys(&published);
    assert_eq!(found(&keys, "old").await, Ok(true));
    published.publish(&[&old, &new]);
    for _ in 0..100 {
        assert_eq!(found(&keys, "new").await, Ok(false));
    }
    assert_eq!(published.fetched(), 1);
    tokio::time::advance(REFETCH_AFTER).await;
    assert_eq!((found(&keys, "new").await, published.fetched()), (Ok(true), 2));
}

#[tokio::test(start_paused = true)]
async fn a_withdrawn_key_is_forgotten() {
    let (old, new) = (Signer::new("old"), Signer::new("new"));
    let published = Published::with(&[&old]);
    let keys = keys(&published);
    assert_eq!(found(&keys, "old").await, Ok(true));
    published.publish(&[&new]);
    tokio::time::advance(KEYS_LIFE).await;
    assert_eq!(found(&keys, "old").await, Ok(false));
}

#[tokio::test(start_paused = true)]
async fn known_keys_outlive_a_failure() {
    let published = Published::with(&[&Signer::new("a")]);
    let keys = keys(&published);
    assert_eq!(found(&keys, "a").await, Ok(true));
    published.fail(Some(500));
    tokio::time::advance(KEYS_LIFE).await;
    assert_eq!((found(&keys, "a").await, published.fetched()), (Ok(true), 2));
    assert_eq!((found(&keys, "b").await, published.fetched()), (Err(Unavailable), 2));
}

#[tokio::test(start_paused = true)]
async fn a_failure_is_no_verdict_on_a_key() {
    let published = Published::with(&[&Signer::new("a")]);
    published.fail(Some(503));
    let keys = keys(&published);
    assert_eq!(found(&keys, "a").await, Err(Unavailable));
    published.fail(None);
    assert_eq!((found(&keys, "a").await, published.fetched()), (Err(Unavailable), 1));
    tokio::time::advance(RETRY_AFTER).await;
    assert_eq!((found(&keys, "a").await, published.fetched()), (Ok(true), 2));
}

#[tokio::test(start_paused = true)]
async fn nobody_waits_for_keys_for_ever() {
    let published = Published::with(&[&Signer::new("a")]);
    published.take(Duration::from_hours(1));
    let began = Instant::now();
    assert_eq!(found(&keys(&published), "a").await, Err(Unavailable));
    assert_eq!(began.elapsed().as_secs(), FETCH_TIMEOUT.as_secs());
}

#[test]
fn only_keys_for_rs256_are_usable() {
    let key = |kty: &str, alg: Option<&str>| {
        let (kid, kty, alg) = ("k".to_owned(), kty.to_owned(), alg.map(str::to_owned));
        usable(Key { kid, kty, alg, n: Some("AQAB".into()), e: Some("AQAB".into()) }).is_some()
    };
    assert!(key("RSA", Some("RS256")) && key("RSA", None));
    assert!(!key("RSA", Some("RS512")) && !key("EC", Some("ES256")) && !key("oct", Some("HS256")));
}
