//! `CreateAuthorizer`: user pools (`COGNITO_USER_POOLS`), or a function that is asked (`TOKEN`, `REQUEST`).

use aws_api::{ApiError, Call, Reply};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::document::{created, new_id, read, report_not_honoured};
use crate::error::Error;
use crate::rest_api::Authorizer;
use crate::room::HttpApis;

/// A function is asked at every request, whatever is said of how long an answer holds: see `docs/differences.md`.
pub const HARMLESS: &[&str] = &["authorizerResultTtlInSeconds", "authType"];
pub const NAME_TAKEN: &str = "Authorizer name must be unique. Authorizer already exists in this RestApi.";

#[derive(Deserialize)]
pub struct Request {
    restapi_id: String,
    #[serde(flatten)]
    authorizer: Map<String, Value>,
}

pub async fn run(room: &HttpApis, request: Request, _call: &Call) -> Result<Reply, ApiError> {
    let made = room.change_rest(&request.restapi_id, |api| {
        let mut authorizer: Authorizer = read(request.authorizer)?;
        authorizer.check()?;
        if api.authorizers.values().any(|other| other.name == authorizer.name) {
            return Err(Error::conflict(NAME_TAKEN));
        }
        authorizer.id = new_id(&room.world);
        let what = format!("authorizer {} of {}", authorizer.name, api.settings.name);
        report_not_honoured(&room.world, &what, &authorizer.other, HARMLESS);
        api.authorizers.insert(authorizer.id.clone(), authorizer.clone());
        Ok(authorizer)
    });
    created(&made.await?)
}
