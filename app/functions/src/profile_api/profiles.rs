//! `/profiles/{id}`: everybody's profile, for administrators.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use http::{HeaderMap, Response};
use tandem_profiles::{Attributes, UserId};

use super::problem::{Kind, Problem};
use super::token::Caller;
use super::{Api, document};

/// Reads anybody's profile
///
/// For members of the administrators' group of the user pool. The token says who is one, for as long as it lives; an
/// administrator who was disabled meanwhile is turned away all the same.
#[utoipa::path(
    get,
    path = "/profiles/{id}",
    operation_id = "getProfile",
    params(
        ("id" = String, Path, description = "The user's `sub`"),
        ("If-None-Match" = Option<String>, Header, description = "`ETag`s that the caller has already"),
    ),
    responses(
        (status = 200, description = "The profile", body = document::Profile, headers(("ETag" = String))),
        (status = 304, description = "The caller has it as it is", headers(("ETag" = String))),
        (status = 404, description = "There is no profile, or not yet"),
        (status = 410, description = "The account was deleted"),
    ),
)]
pub(crate) async fn get_profile(
    State(api): State<Arc<Api>>,
    caller: Caller,
    id: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
) -> Result<Response<Body>, Problem> {
    if !caller.groups.contains(&api.settings.admin_group) {
        return Err(Problem::new(Kind::NotAnAdministrator));
    }
    // What is no text in UTF-8, or nothing, is nobody's id either.
    let Path(id) = id.map_err(|_| Problem::new(Kind::NoProfile))?;
    let user = UserId::new(id).map_err(|_| Problem::new(Kind::NoProfile))?;
    if user.as_str().len() > USER_ID_BYTES_MAX {
        return Err(Problem::new(Kind::NoProfile));
    }
    // An administrator needs no profile, but one that says "disabled" counts.
    let own = api.profiles.get::<Attributes>(&caller.user).await?;
    if own.is_some_and(|own| !own.identity.enabled) {
        return Err(Problem::new(Kind::AccountDisabled));
    }
    Ok(document::read(api.profile(&user).await?, &headers))
}

/// Longer than every `sub`, and shorter than what a key of DynamoDB may be.
const USER_ID_BYTES_MAX: usize = 1024;
