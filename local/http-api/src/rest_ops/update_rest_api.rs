//! `UpdateRestApi`.

use aws_api::Call;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::create_rest_api::{HARMLESS, describe};
use super::patch::{PatchOperation, apply};
use crate::document::{Other, read, report_not_honoured};
use crate::error::Error;
use crate::rest_api::Settings;
use crate::room::HttpApis;

#[derive(Deserialize)]
pub struct Request {
    restapi_id: String,
    #[serde(rename = "patchOperations", default)]
    patch_operations: Vec<PatchOperation>,
}

pub async fn run(room: &HttpApis, request: Request, _call: &Call) -> Result<Value, Error> {
    room.change_rest(&request.restapi_id, |api| {
        let mut members = members_of(&api.settings);
        let left = apply(&mut members, &request.patch_operations)?;
        let settings: Settings = read(members)?;
        settings.check()?;
        let mut other = settings.other.clone();
        other.extend(as_members(left));
        report_not_honoured(&room.world, &format!("REST API {}", settings.name), &other, HARMLESS);
        api.settings = settings;
        Ok(describe(api))
    })
    .await
}

/// A document's members.
pub fn members_of(document: &impl serde::Serialize) -> Map<String, Value> {
    match serde_json::to_value(document) {
        Ok(Value::Object(members)) => members,
        Ok(_) | Err(_) => Map::new(), // documents are objects
    }
}

/// Paths that had no effect, to be reported with the other members.
pub fn as_members(paths: Vec<String>) -> Other {
    paths.into_iter().map(|path| (path, Value::Bool(true))).collect()
}
