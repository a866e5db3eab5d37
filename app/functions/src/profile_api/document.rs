//! A profile as the API shows it.
//!
//! The names are those of the item, so that the application's attributes, which have every name but those, stand
//! beside them and none can be taken for another.

use std::collections::{BTreeMap, BTreeSet};

use axum::Json;
use axum::body::Body;
use axum::response::IntoResponse as _;
use http::header::{CACHE_CONTROL, ETAG, VARY};
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use serde::Serialize;
use tandem_profiles::{Attributes, Timestamp, UserProfile};
use utoipa::ToSchema;

use super::conditions;

/// A user's profile: what the user pool says, and beside it whatever the application keeps, under names of its own.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Profile {
    /// The user's `sub`.
    user_id: String,
    /// The user pool that the user is in.
    user_pool_id: String,
    /// The name in the user pool; the `sub` again where people sign in with their address.
    username: String,
    /// The address, as the user pool writes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    email: Option<String>,
    /// Whether the user pool has seen the user read mail at the address.
    email_verified: bool,
    /// Whether the address is another profile's, where addresses are unique.
    email_conflict: bool,
    /// The full name.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    name: Option<String>,
    /// Whether the user may sign in.
    identity_status: Status,
    /// The user pool's groups that the user is in.
    identity_groups: BTreeSet<String>,
    /// Other attributes of the user pool, those that are passed on.
    identity_attributes: BTreeMap<String, String>,
    /// The time of what is known of the identity.
    #[schema(value_type = String, format = DateTime)]
    identity_as_of: Timestamp,
    /// When the user came to be.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// When the profile was last written.
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
    /// How often the application's attributes were changed.
    version: u64,
    /// The application's attributes.
    #[serde(flatten)]
    #[schema(value_type = BTreeMap<String, serde_json::Value>)]
    application: Attributes,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum Status {
    Active,
    Disabled,
}

impl From<UserProfile<Attributes>> for Profile {
    fn from(profile: UserProfile<Attributes>) -> Self {
        let identity = profile.identity;
        Self {
            user_id: identity.user_id.into(),
            user_pool_id: identity.user_pool_id,
            username: identity.username,
            email: identity.email,
            email_verified: identity.email_verified,
            email_conflict: profile.email_conflict,
            name: identity.name,
            identity_status: if identity.enabled { Status::Active } else { Status::Disabled },
            identity_groups: identity.groups,
            identity_attributes: identity.attributes,
            identity_as_of: profile.as_of.occurred_at,
            created_at: profile.created_at,
            updated_at: profile.updated_at,
            version: profile.version.number(),
            application: profile.application,
        }
    }
}

/// The answer to a reading: the profile, or 304 if the caller has it as it is.
pub(crate) fn read(profile: UserProfile<Attributes>, headers: &HeaderMap) -> Response<Body> {
    let etag = profile.etag();
    let mut response = if conditions::is_known(headers, &etag) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        Json(Profile::from(profile)).into_response()
    };
    tag(response.headers_mut(), &etag);
    // The browser may keep it, and asks each time whether it is still so; nobody else may.
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    response.headers_mut().insert(VARY, HeaderValue::from_static("Authorization"));
    response
}

/// The answer to a change: the profile as it is now.
pub(crate) fn changed(profile: UserProfile<Attributes>) -> Response<Body> {
    let etag = profile.etag();
    let mut response = Json(Profile::from(profile)).into_response();
    tag(response.headers_mut(), &etag);
    response
}

fn tag(headers: &mut HeaderMap, etag: &str) {
    if let Ok(value) = HeaderValue::try_from(etag) {
        headers.insert(ETAG, value);
    }
}
