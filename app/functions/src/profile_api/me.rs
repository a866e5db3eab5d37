//! `/me`: the caller's own profile.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::response::IntoResponse as _;
use axum::{Extension, Json};
use http::{HeaderMap, Response, StatusCode};
use serde::Serialize;
use tandem_profiles::Error;
use utoipa::ToSchema;

use super::account::Deleted;
use super::front::Trace;
use super::merge_patch::{MergePatch, changes};
use super::openapi::PatchBody;
use super::problem::{Kind, Problem};
use super::token::Caller;
use super::{Api, conditions, document, limits};

/// How often a patch is made again from a new reading when somebody else was faster.
const ATTEMPTS: usize = 5;

/// Reads one's own profile
///
/// There is none in the first moments after a sign-up (404, with `Retry-After`), and none any more after the account was
/// deleted (410).
#[utoipa::path(
    get,
    path = "/me",
    operation_id = "getMe",
    params(
        ("If-None-Match" = Option<String>, Header, description = "`ETag`s that the caller has already"),
    ),
    responses(
        (status = 200, description = "The profile", body = document::Profile, headers(("ETag" = String))),
        (status = 304, description = "The caller has it as it is", headers(("ETag" = String))),
        (status = 404, description = "There is no profile, or not yet"),
        (status = 410, description = "The account was deleted"),
    ),
)]
pub(crate) async fn get_me(
    State(api): State<Arc<Api>>,
    caller: Caller,
    headers: HeaderMap,
) -> Result<Response<Body>, Problem> {
    let profile = api.own_profile(&caller).await?;
    Ok(document::read(profile, &headers))
}

/// Changes one's own profile
///
/// A JSON merge patch (RFC 7396) of the application's attributes: those that it names are set, or taken away if they are
/// null; all others stay as they are. Attributes of the identity are refused by name. With `If-Match` the patch applies
/// only to the profile that has that `ETag`; without, to the profile as it is at that moment, whoever else writes.
#[utoipa::path(
    patch,
    path = "/me",
    operation_id = "patchMe",
    params(
        ("If-Match" = Option<String>, Header, description = "The `ETag` that the profile must have"),
    ),
    request_body(content = PatchBody, content_type = "application/merge-patch+json"),
    responses(
        (status = 200, description = "The profile as it is now", body = document::Profile, headers(("ETag" = String))),
        (status = 400, description = "The body is not JSON"),
        (status = 404, description = "There is no profile, or not yet"),
        (status = 409, description = "Others were changing the profile all the time"),
        (status = 410, description = "The account was deleted"),
        (status = 412, description = "The profile has another `ETag`"),
        (status = 413, description = "The body is too large"),
        (status = 415, description = "The body is no merge patch"),
        (status = 422, description = "The patch names attributes of the identity, does not follow the schema, or cannot be stored"),
    ),
)]
pub(crate) async fn patch_me(
    State(api): State<Arc<Api>>,
    caller: Caller,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response<Body>, Problem> {
    let patch = MergePatch::read(&headers, &body)?;
    for _ in 0..ATTEMPTS {
        let before = api.own_profile(&caller).await?;
        conditions::check(&headers, &before.etag())?;
        let after = patch.applied_to(&before.application);
        let Some(changes) = changes(&before.application, &after)? else {
            return Ok(document::changed(before));
        };
        if let Some(fault) = limits::of_attributes(&after) {
            return Err(Problem::new(Kind::NotStorable).errors(vec![fault]));
        }
        let faults = api.settings.schema.as_ref().map(|schema| schema.faults(&after)).unwrap_or_default();
        if !faults.is_empty() {
            return Err(Problem::new(Kind::AgainstSchema).errors(faults));
        }
        // The condition is the application's version, and not all of the tag: what an event writes in between is not
        // touched here, and nothing of it is lost.
        match api.profiles.update(&caller.user, before.version, &changes, api.now()).await {
            Ok(after) => {
                tracing::info!(user_id = %caller.user, version = after.version.number(), "profile changed");
                return Ok(document::changed(after));
            }
            Err(Error::Conflict { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(Problem::new(Kind::LostRace))
}

/// What has become of a deleted account.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Deletion {
    /// The user's `sub`, which nobody else will ever have.
    user_id: String,
    /// The account is deleted.
    #[schema(example = "deleted")]
    account: &'static str,
    /// The profile is erased within moments, when the event of the deletion is delivered.
    #[schema(example = "being-erased")]
    profile: &'static str,
}

/// Deletes one's own account
///
/// The account is deleted in the user pool, by the caller's access token (which needs the scope
/// `aws.cognito.signin.user.admin`); the profile is erased after it. It cannot be undone. After 503 the request can be
/// repeated with the same token.
#[utoipa::path(
    delete,
    path = "/me",
    operation_id = "deleteMe",
    params(
        ("If-Match" = Option<String>, Header, description = "The `ETag` that the profile must have"),
    ),
    responses(
        (status = 202, description = "The account is deleted, the profile is about to be erased", body = Deletion),
        (status = 204, description = "The account is deleted, the profile is erased"),
        (status = 404, description = "`If-Match` was sent, and there is no profile"),
        (status = 410, description = "`If-Match` was sent, and the account was deleted before"),
        (status = 412, description = "The profile has another `ETag`"),
    ),
)]
pub(crate) async fn delete_me(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Extension(Trace(trace)): Extension<Trace>,
    headers: HeaderMap,
) -> Result<Response<Body>, Problem> {
    // An account can be deleted before it has a profile, unless its owner has conditions.
    if conditions::are_there(&headers) {
        conditions::check(&headers, &api.own_profile(&caller).await?.etag())?;
    }
    match api.accounts.delete(&caller, trace.as_deref(), api.clock).await? {
        Deleted::Announced => {
            let deletion = Deletion { user_id: caller.user.to_string(), account: "deleted", profile: "being-erased" };
            Ok((StatusCode::ACCEPTED, Json(deletion)).into_response())
        }
        Deleted::Erased => Ok(StatusCode::NO_CONTENT.into_response()),
    }
}
