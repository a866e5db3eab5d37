//! The pool's public keys, fetched when a token names one that is not known, and kept.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use aws_smithy_runtime_api::client::http::{HttpConnector as _, SharedHttpConnector};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use http_body_util::{BodyExt as _, Limited};
use jsonwebtoken::DecodingKey;
use serde::Deserialize;
use tokio::sync::Mutex;
use tokio::time::Instant;

/// A caller waits for it, behind a front that waits for us.
const FETCH_TIMEOUT: Duration = Duration::from_secs(3);

/// After this, keys are fetched again, so that one which the pool has withdrawn is not trusted for ever. What cannot be
/// fetched stays: the pool's keys do not change from one hour to the next.
const KEYS_LIFE: Duration = Duration::from_hours(1);

/// How often a key that is not there is looked for again, however many tokens name one.
const REFETCH_AFTER: Duration = Duration::from_mins(1);

/// The same after a fetch that failed: nobody is let in until one succeeds.
const RETRY_AFTER: Duration = Duration::from_secs(2);

/// A pool has two keys of half a kilobyte.
const DOCUMENT_BYTES_MAX: usize = 64 * 1024;

/// The keys of a pool.
pub(crate) struct Keys {
    connector: SharedHttpConnector,
    url: String,
    known: RwLock<Known>,
    /// Locked while a fetch runs, so that whoever comes meanwhile waits for what comes of it.
    last: Mutex<Option<Attempt>>,
}

/// The keys could not be fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Unavailable;

#[derive(Default)]
struct Known {
    keys: HashMap<String, Arc<DecodingKey>>,
    fetched_at: Option<Instant>,
}

#[derive(Clone, Copy)]
struct Attempt {
    at: Instant,
    failed: bool,
}

impl Attempt {
    /// Whether it is too early for the next.
    fn is_recent(self) -> bool {
        self.at.elapsed() < if self.failed { RETRY_AFTER } else { REFETCH_AFTER }
    }
}

#[derive(Deserialize)]
struct Document {
    keys: Vec<Key>,
}

#[derive(Deserialize)]
struct Key {
    kid: String,
    kty: String,
    alg: Option<String>,
    n: Option<String>,
    e: Option<String>,
}

impl Keys {
    /// At an address, by a connection; nothing is fetched yet.
    pub(crate) fn new(connector: SharedHttpConnector, url: String) -> Self {
        Self { connector, url, known: RwLock::default(), last: Mutex::new(None) }
    }

    /// The key of this id; `None` if the pool has none.
    pub(crate) async fn key(&self, kid: &str) -> Result<Option<Arc<DecodingKey>>, Unavailable> {
        if let Some(key) = self.fresh(kid) {
            return Ok(Some(key));
        }
        let mut last = self.last.lock().await;
        if let Some(key) = self.fresh(kid) {
            return Ok(Some(key));
        }
        if !last.is_some_and(Attempt::is_recent) {
            let at = Instant::now();
            // Said before it is known: a caller may go away in the middle.
            *last = Some(Attempt { at, failed: true });
            match tokio::time::timeout(FETCH_TIMEOUT, self.fetch()).await.unwrap_or(Err("time ran out".to_owned())) {
                Ok(keys) => {
                    *last = Some(Attempt { at, failed: false });
                    let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
                    *known = Known { keys, fetched_at: Some(at) };
                }
                Err(reason) => tracing::error!(url = self.url, reason, "the user pool's keys were not fetched"),
            }
        }
        let key = self.known.read().unwrap_or_else(PoisonError::into_inner).keys.get(kid).cloned();
        if key.is_none() && last.is_some_and(|attempt| attempt.failed) { Err(Unavailable) } else { Ok(key) }
    }

    fn fresh(&self, kid: &str) -> Option<Arc<DecodingKey>> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        known.fetched_at.filter(|at| at.elapsed() < KEYS_LIFE)?;
        known.keys.get(kid).cloned()
    }

    async fn fetch(&self) -> Result<HashMap<String, Arc<DecodingKey>>, String> {
        let mut request = HttpRequest::empty();
        request.set_uri(self.url.as_str()).map_err(|_| "this is no address".to_owned())?;
        let answer =
            self.connector.call(request).await.map_err(|error| format!("no answer: {}", error.into_source()))?;
        if !answer.status().is_success() {
            return Err(format!("status {}", answer.status().as_u16()));
        }
        let body = Limited::new(answer.into_body(), DOCUMENT_BYTES_MAX).collect().await;
        let body = body.map_err(|error| format!("the answer broke off, or is too long: {error}"))?.to_bytes();
        let document: Document = serde_json::from_slice(&body).map_err(|_| "this is no set of keys".to_owned())?;
        Ok(document.keys.into_iter().filter_map(usable).collect())
    }
}

/// A key that signs with RS256. Others may be there, now or later.
fn usable(key: Key) -> Option<(String, Arc<DecodingKey>)> {
    if key.kty != "RSA" || key.alg.is_some_and(|alg| alg != "RS256") {
        return None;
    }
    let decoding = DecodingKey::from_rsa_components(&key.n?, &key.e?).ok()?;
    Some((key.kid, Arc::new(decoding)))
}

#[cfg(test)]
mod tests;
