//! Tokens of connections by `OAuth`'s client credentials: fetched, remembered until they run out, fetched again.
//!
//! The client shows its id and secret in an `Authorization` header, as RFC 6749 (2.3.1) prefers. Tokens live in memory
//! alone.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use world::Timestamp;

use crate::api_call::{TIMEOUT, add_query, failed, form_encoded};
use crate::background::AFTER_FAILURE;
use crate::connection::{Connection, HttpParameters, Parameter, Secret, State};
use crate::error::Error;
use crate::ports::{HttpRequest, TargetFailure};
use crate::room::EventBus;
use crate::store;

/// A token that runs out sooner than this is not used any more.
const NEARLY_EXPIRED: Duration = Duration::from_mins(1);

/// Tokens by the ids of their connections.
#[derive(Debug, Default)]
pub struct Tokens(Mutex<HashMap<String, Token>>);

#[derive(Clone, Debug)]
struct Token {
    authorization: Secret,
    expires_at: Option<Timestamp>,
    /// A token belongs to the connection as it was then.
    modified_at_ms: i64,
}

/// What an authorisation server answers.
#[derive(Deserialize)]
struct Granted {
    access_token: Secret,
    token_type: Option<String>,
    expires_in: Option<serde_json::Value>,
}

impl Tokens {
    fn find(&self, connection: &Connection, now: Timestamp) -> Option<Secret> {
        let tokens = self.0.lock().expect("no holder panics");
        let token = tokens.get(&connection.id)?;
        let is_fresh = token.expires_at.is_none_or(|expires| now.plus(NEARLY_EXPIRED) < expires);
        (is_fresh && token.modified_at_ms == connection.modified_at_ms).then(|| token.authorization.clone())
    }

    /// The next call asks for a new one.
    pub fn drop_of(&self, connection: &Connection) {
        self.0.lock().expect("no holder panics").remove(&connection.id);
    }
}

impl EventBus {
    /// The value of the `Authorization` header for a connection by `OAuth`.
    pub(crate) async fn authorization(&self, connection: &Connection) -> Result<Secret, TargetFailure> {
        if let Some(authorization) = self.tokens.find(connection, self.world.clock.now()) {
            return Ok(authorization);
        }
        let fetched = self.fetch_token(connection).await;
        if connection.state != State::Authorized || fetched.is_err() {
            let noted = self.note_authorization(connection, fetched.as_ref().err()).await;
            if let Err(error) = noted {
                tracing::error!(%error, connection = connection.name, "the state of a connection could not be stored");
            }
        }
        fetched
    }

    async fn fetch_token(&self, connection: &Connection) -> Result<Secret, TargetFailure> {
        let response = self.http.send(token_request(connection)).await.map_err(|error| failed(&error))?;
        if !(200..300).contains(&response.status) {
            let message = format!("The authorization endpoint answered with status {}.", response.status);
            return Err(TargetFailure::retryable("ERROR_FROM_TARGET", message));
        }
        let granted: Granted = serde_json::from_slice(&response.body).map_err(|_| {
            let message = "The authorization endpoint answered without an access_token in JSON.";
            TargetFailure::retryable("ERROR_FROM_TARGET", message)
        })?;
        let kind = granted.token_type.filter(|kind| !kind.eq_ignore_ascii_case("bearer"));
        let kind = kind.as_deref().unwrap_or("Bearer");
        let authorization: Secret = secret(format!("{kind} {}", granted.access_token.reveal()));
        let seconds = granted.expires_in.as_ref().and_then(|seconds| match seconds {
            serde_json::Value::String(text) => text.parse().ok(),
            seconds => seconds.as_u64(),
        });
        let now = self.world.clock.now();
        let token = Token {
            authorization: authorization.clone(),
            expires_at: seconds.map(|seconds| now.plus(Duration::from_secs(seconds))),
            modified_at_ms: connection.modified_at_ms,
        };
        let live = self
            .shelf
            .book()
            .await
            .map(|book| book.connections.values().map(|connection| connection.id.clone()).collect::<Vec<_>>());
        let mut tokens = self.tokens.0.lock().expect("no holder panics");
        tokens.retain(|id, _| live.as_ref().is_ok_and(|live| live.contains(id)));
        tokens.insert(connection.id.clone(), token);
        Ok(authorization)
    }

    async fn note_authorization(&self, connection: &Connection, failure: Option<&TargetFailure>) -> Result<(), Error> {
        let (name, modified_at_ms) = (connection.name.clone(), connection.modified_at_ms);
        let (reason, now) = (failure.map(ToString::to_string), self.world.clock.now());
        if let Some(reason) = &reason {
            tracing::warn!(connection = connection.name, reason, "a connection could not be authorized");
        }
        let noted = self.shelf.change(move |book, connection| {
            let Some(found) = book.connections.get_mut(&name) else { return Ok(()) };
            if found.modified_at_ms != modified_at_ms {
                return Ok(()); // changed since: its new secrets are asked for by themselves
            }
            let found = Arc::make_mut(found);
            if reason.is_none() {
                found.state = State::Authorized;
                found.authorized_at_ms = Some(now.millis());
            } else {
                found.state = State::Deauthorized;
            }
            found.state_reason = reason;
            store::put_document(connection, found)
        });
        noted.await
    }

    /// Fetches the first token of every connection that waits for one.
    pub(crate) async fn run_authorisations(&self) {
        let mut changes = self.shelf.changes();
        loop {
            changes.borrow_and_update();
            match self.authorize_waiting().await {
                Ok(()) => _ = changes.changed().await, // the sender lives as long as the room
                Err(error) => {
                    tracing::error!(%error, "connections could not be authorized");
                    tokio::time::sleep(AFTER_FAILURE).await;
                }
            }
        }
    }

    pub(crate) async fn authorize_waiting(&self) -> Result<(), Error> {
        let book = self.shelf.book().await?;
        for connection in book.connections.values().filter(|connection| connection.state == State::Authorizing) {
            let _ = self.authorization(connection).await; // how it went is in the connection's state
        }
        Ok(())
    }
}

fn secret(text: String) -> Secret {
    serde_json::from_value(serde_json::Value::String(text)).expect("a string is a secret's form")
}

fn token_request(connection: &Connection) -> HttpRequest {
    let oauth = connection.auth.oauth_parameters.clone().unwrap_or_default();
    let client = oauth.client_parameters.unwrap_or_default();
    let HttpParameters { header_parameters, query_string_parameters, body_parameters } =
        oauth.http_parameters.unwrap_or_default();
    let pairs = |parameters: &[Parameter]| -> Vec<(String, String)> {
        let value = |parameter: &Parameter| parameter.value.as_ref().map(Secret::reveal).unwrap_or_default().to_owned();
        parameters.iter().map(|parameter| (parameter.key.clone(), value(parameter))).collect()
    };
    let mut form = pairs(&body_parameters);
    if !form.iter().any(|(key, _)| key == "grant_type") {
        form.push(("grant_type".into(), "client_credentials".into()));
    }
    let mut query = pairs(&query_string_parameters);
    let method = oauth.http_method.unwrap_or_else(|| "POST".into());
    let has_body = method != "GET";
    if !has_body {
        query.append(&mut form);
    }
    let (id, key) = (client.id.unwrap_or_default(), client.secret.as_ref().map(Secret::reveal).unwrap_or_default());
    let mut headers = vec![("authorization".to_owned(), format!("Basic {}", STANDARD.encode(format!("{id}:{key}"))))];
    if has_body {
        headers.push(("content-type".into(), "application/x-www-form-urlencoded".into()));
    }
    for (name, value) in pairs(&header_parameters) {
        headers.retain(|(present, _)| !present.eq_ignore_ascii_case(&name));
        headers.push((name, value));
    }
    HttpRequest {
        method,
        url: add_query(&oauth.authorization_endpoint.unwrap_or_default(), &query),
        headers,
        body: if has_body { form_encoded(&form).into_bytes() } else { Vec::new() },
        timeout: TIMEOUT,
    }
}
