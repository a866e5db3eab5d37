//! `GetResource`.

use aws_api::Call;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::update_rest_api::members_of;
use crate::document::TagKeys;
use crate::error::Error;
use crate::rest_api::Resource;
use crate::room::HttpApis;

#[derive(Deserialize)]
pub struct Request {
    restapi_id: String,
    resource_id: String,
    embed: Option<TagKeys>,
}

#[expect(clippy::unused_async, reason = "the table of operations awaits every one of them")]
pub async fn run(room: &HttpApis, request: Request, _call: &Call) -> Result<Value, Error> {
    room.read_rest(&request.restapi_id, |api| {
        Ok(describe(api.resource(&request.resource_id)?, request.embed.is_some_and(|embed| embed.has("methods"))))
    })
}

/// A resource: its methods whole, or by their names alone.
pub fn describe(resource: &Resource, whole: bool) -> Value {
    let mut members = members_of(resource);
    if let Some(methods) = members.get_mut("resourceMethods").and_then(Value::as_object_mut).filter(|_| !whole) {
        methods.values_mut().for_each(|method| *method = Value::Object(Map::new()));
    }
    Value::Object(members)
}
