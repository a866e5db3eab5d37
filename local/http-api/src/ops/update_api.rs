//! `UpdateApi`: what is named changes, the rest stays.

use aws_api::Call;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::create_api::{HARMLESS, describe};
use crate::document::{changed, report_not_honoured};
use crate::error::Error;
use crate::room::HttpApis;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Request {
    api_id: String,
    #[serde(flatten)]
    changes: Map<String, Value>,
}

pub async fn run(room: &HttpApis, request: Request, _call: &Call) -> Result<Value, Error> {
    let quick = ["target", "routeKey", "credentialsArn"];
    if let Some(member) = quick.iter().find(|name| request.changes.contains_key(**name)) {
        return Err(Error::not_implemented(&format!("UpdateApi with {member}")));
    }
    room.change_http(&request.api_id, |api| {
        let settings = changed(&api.settings, request.changes)?;
        settings.check()?;
        report_not_honoured(&room.world, &format!("HTTP API {}", settings.name), &settings.other, HARMLESS);
        api.settings = settings;
        Ok(describe(room, api))
    })
    .await
}
