//! `CreateRestApi`: with the resource `/`.

use aws_api::{ApiError, Call, Reply};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::document::{Tags, api_id, check_tags, created, new_id, read, report_not_honoured};
use crate::error::Error;
use crate::rest_api::{RestApi, Settings};
use crate::room::{Api, HttpApis};

/// What needs no engine, or is what is done anyway.
pub const HARMLESS: &[&str] = &["description", "version", "endpointConfiguration", "apiKeySource", "securityPolicy"];

#[derive(Deserialize)]
pub struct Request {
    #[serde(default)]
    tags: Tags,
    #[serde(flatten)]
    settings: Map<String, Value>,
}

pub async fn run(room: &HttpApis, request: Request, call: &Call) -> Result<Reply, ApiError> {
    if call.query.get("mode").is_some_and(|mode| mode == "import") {
        return Err(ApiError::unknown_operation("ImportRestApi"));
    }
    if request.settings.contains_key("cloneFrom") {
        return Err(Error::not_implemented("cloneFrom").into());
    }
    let settings: Settings = read(request.settings)?;
    settings.check()?;
    let mut tags = request.tags;
    let id = api_id(&room.world, &mut tags)?;
    check_tags(&tags)?;
    report_not_honoured(&room.world, &format!("REST API {}", settings.name), &settings.other, HARMLESS);
    let api = RestApi::new(id, new_id(&room.world), settings, tags, room.world.clock.now());
    let answer = describe(&api);
    room.add(Api::Rest(api)).await?;
    created(&answer)
}

/// An API as Create, Get, Update and List answer it.
pub fn describe(api: &RestApi) -> Value {
    let mut answer = Map::from_iter([
        ("apiKeySource".to_owned(), json!("HEADER")),
        ("disableExecuteApiEndpoint".to_owned(), json!(false)),
        ("endpointConfiguration".to_owned(), json!({"types": ["EDGE"], "ipAddressType": "ipv4"})),
    ]);
    if let Ok(Value::Object(settings)) = serde_json::to_value(&api.settings) {
        answer.extend(settings);
    }
    answer.extend([
        ("id".to_owned(), json!(api.id)),
        ("createdDate".to_owned(), json!(api.created_ms / 1_000)),
        ("rootResourceId".to_owned(), json!(api.root_resource_id)),
        ("tags".to_owned(), json!(api.tags)),
    ]);
    Value::Object(answer)
}
