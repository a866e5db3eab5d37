//! API destinations: addresses that events are sent to by HTTP.
//!
//! Not here: the calls (`api_call`), and what authorises them (`connection`).

use serde::{Deserialize, Serialize};
use world::Place;

use crate::book::Book;
use crate::connection::{Connection, State};
use crate::document::Document;
use crate::error::Error;

/// Methods of calls.
pub const METHODS: &[&str] = &["POST", "GET", "HEAD", "OPTIONS", "PUT", "PATCH", "DELETE"];
/// Calls a second if the destination says nothing.
pub const RATE_LIMIT_PER_SECOND_DEFAULT: i64 = 300;

/// An API destination.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ApiDestination {
    /// Chosen by the caller.
    pub name: String,
    /// Part of its ARN.
    pub id: String,
    /// For people.
    #[serde(default)]
    pub description: Option<String>,
    /// What authorises its calls.
    pub connection_arn: String,
    /// Where they go; every `*` in it stands for a `PathParameterValues`.
    pub endpoint: String,
    /// One of [`METHODS`].
    pub method: String,
    /// Calls a second.
    #[serde(default)]
    pub rate_limit_per_second: Option<i64>,
    /// When it was made.
    pub created_at_ms: i64,
    /// When it was changed last.
    pub modified_at_ms: i64,
}

impl Document for ApiDestination {
    const KIND: &'static str = "api-destination";

    fn name(&self) -> &str {
        &self.name
    }
}

impl ApiDestination {
    /// Its ARN.
    pub fn arn(&self, place: &Place) -> String {
        place.arn("events", &format!("api-destination/{}/{}", self.name, self.id))
    }

    /// Calls a second.
    pub fn rate_limit(&self) -> i64 {
        self.rate_limit_per_second.unwrap_or(RATE_LIMIT_PER_SECOND_DEFAULT).max(1)
    }

    /// Whether it can be called: its connection decides.
    pub fn state(&self, book: &Book, place: &Place) -> &'static str {
        let connection = connection_by_arn(book, place, &self.connection_arn);
        if connection.is_some_and(|connection| connection.state == State::Authorized) { "ACTIVE" } else { "INACTIVE" }
    }
}

/// The connection that an ARN names.
pub fn connection_by_arn<'b>(book: &'b Book, place: &Place, arn: &str) -> Option<&'b Connection> {
    let name = arn.rsplit('/').nth(1)?;
    book.connections.get(name).map(|found| &**found).filter(|found| found.arn(place) == arn)
}

/// An address must be one. AWS wants `https`; servers on a developer's machine seldom have it, so `http` does too.
pub fn check_endpoint(endpoint: &str, parameter: &str) -> Result<(), Error> {
    let rest = endpoint.strip_prefix("https://").or_else(|| endpoint.strip_prefix("http://"));
    let host = rest.map(|rest| &rest[..rest.find(['/', '?', '#']).unwrap_or(rest.len())]);
    let fits = host.is_some_and(|host| !host.is_empty() && !host.contains(['*', '@', ' ']))
        && endpoint.bytes().all(|byte| byte.is_ascii_graphic());
    if fits { Ok(()) } else { Err(Error::parameter(parameter, Some("It is not the address of an HTTP endpoint."))) }
}
