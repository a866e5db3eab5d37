//! `CreateAuthorizer`: tokens of an issuer (`JWT`), or a function that is asked (`REQUEST`).

use aws_api::{ApiError, Call, Reply};
use serde::Deserialize;
use serde_json::{Map, Value};
use world::Kind;

use crate::document::{created, new_id, read, report_not_honoured};
use crate::error::Error;
use crate::http_api::{Authorizer, HttpApi};
use crate::room::HttpApis;

/// A function is asked at every request, whatever this says: see `docs/differences.md`.
const HARMLESS: &[&str] = &["authorizerResultTtlInSeconds"];

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Request {
    api_id: String,
    #[serde(flatten)]
    authorizer: Map<String, Value>,
}

pub async fn run(room: &HttpApis, request: Request, _call: &Call) -> Result<Reply, ApiError> {
    let made = room.change_http(&request.api_id, |api| {
        let mut authorizer: Authorizer = read(request.authorizer)?;
        authorizer.authorizer_id = new_id(&room.world);
        enter(room, api, authorizer)
    });
    created(&made.await?)
}

/// Takes an authorizer, new or changed, into its API, and says what it will not do.
pub fn enter(room: &HttpApis, api: &mut HttpApi, authorizer: Authorizer) -> Result<Authorizer, Error> {
    if api
        .authorizers
        .values()
        .any(|other| other.name == authorizer.name && other.authorizer_id != authorizer.authorizer_id)
    {
        return Err(Error::bad_request(format!("Authorizer with name {} already exists", authorizer.name)));
    }
    let what = format!("authorizer {} of {}", authorizer.name, api.settings.name);
    if let Some(why) = authorizer.check()? {
        tracing::warn!("{what}: {why}");
        room.world.timeline.record(room.world.timeline.moment(Kind::Warning, format!("{what}: {why}")));
    }
    report_not_honoured(&room.world, &what, &authorizer.other, HARMLESS);
    api.authorizers.insert(authorizer.authorizer_id.clone(), authorizer.clone());
    Ok(authorizer)
}
