//! `UpdateAuthorizer`: what is named changes, the rest stays.

use aws_api::Call;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::create_authorizer::enter;
use crate::document::changed;
use crate::error::Error;
use crate::http_api::Authorizer;
use crate::room::HttpApis;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Request {
    api_id: String,
    authorizer_id: String,
    #[serde(flatten)]
    changes: Map<String, Value>,
}

pub async fn run(room: &HttpApis, request: Request, _call: &Call) -> Result<Authorizer, Error> {
    room.change_http(&request.api_id, |api| {
        let authorizer = api.authorizers.get(&request.authorizer_id);
        let authorizer = authorizer.ok_or_else(|| Error::no_such("Authorizer"))?;
        let mut authorizer: Authorizer = changed(authorizer, request.changes)?;
        authorizer.authorizer_id = request.authorizer_id;
        enter(room, api, authorizer)
    })
    .await
}
