//! `CreateApi`: an HTTP API; with a `target` also a route, its integration and the stage `$default` (quick create).

use std::collections::BTreeMap;

use aws_api::{ApiError, Call, Reply};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use world::{Timestamp, World};

use crate::document::{Tags, api_id, check_tags, created, new_id, read, report_not_honoured};
use crate::error::Error;
use crate::http_api::{HttpApi, Integration, Route, Settings, Stage, date};
use crate::room::{Api, HttpApis};
use crate::route_key::DEFAULT;

/// What needs no engine, or is what is done anyway.
pub const HARMLESS: &[&str] =
    &["description", "version", "routeSelectionExpression", "apiKeySelectionExpression", "ipAddressType"];

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Request {
    protocol_type: String,
    target: Option<String>,
    route_key: Option<String>,
    credentials_arn: Option<String>,
    #[serde(default)]
    tags: Tags,
    #[serde(flatten)]
    settings: Map<String, Value>,
}

pub async fn run(room: &HttpApis, request: Request, _call: &Call) -> Result<Reply, ApiError> {
    match request.protocol_type.as_str() {
        "HTTP" => {}
        "WEBSOCKET" => return Err(Error::not_implemented("ProtocolType WEBSOCKET").into()),
        _ => return Err(Error::bad_request("Invalid protocol specified. Must be one of [HTTP, WEBSOCKET]").into()),
    }
    let settings: Settings = read(request.settings)?;
    settings.check()?;
    let mut tags = request.tags;
    let id = api_id(&room.world, &mut tags)?;
    check_tags(&tags)?;
    report_not_honoured(&room.world, &format!("HTTP API {}", settings.name), &settings.other, HARMLESS);
    let mut api = HttpApi::new(id, settings, tags, room.world.clock.now());
    if let Some(target) = request.target {
        let key = request.route_key.unwrap_or_else(|| DEFAULT.into());
        quick_create(&mut api, &room.world, target, key, request.credentials_arn)?;
        api.deploy_by_itself(&room.world);
    }
    let answer = describe(room, &api);
    room.add(Api::Http(api)).await?;
    created(&answer)
}

/// A function behind one route, deployed by itself.
fn quick_create(
    api: &mut HttpApi,
    world: &World,
    target: String,
    key: String,
    credentials_arn: Option<String>,
) -> Result<(), Error> {
    if target.starts_with("http:") || target.starts_with("https:") {
        return Err(Error::not_implemented("IntegrationType HTTP_PROXY"));
    }
    let managed = || Map::from_iter([("apiGatewayManaged".to_owned(), Value::Bool(true))]);
    let integration = Integration {
        integration_id: new_id(world),
        integration_type: "AWS_PROXY".into(),
        integration_subtype: None,
        integration_uri: Some(target),
        connection_type: "INTERNET".into(),
        credentials_arn,
        payload_format_version: "2.0".into(),
        timeout_in_millis: crate::http_api::TIMEOUT_MS_MAX,
        other: managed(),
    };
    integration.check()?;
    let route = Route {
        route_id: new_id(world),
        route_key: key.try_into().map_err(Error::BadRequest)?,
        target: Some(format!("integrations/{}", integration.integration_id)),
        authorization_type: "NONE".into(),
        authorizer_id: None,
        authorization_scopes: Vec::new(),
        api_key_required: false,
        other: managed(),
    };
    let now = date(world.clock.now());
    let stage = Stage {
        stage_name: DEFAULT.into(),
        auto_deploy: true,
        deployment_id: None,
        stage_variables: BTreeMap::new(),
        tags: Tags::new(),
        created_date: now.clone(),
        last_updated_date: now,
        other: managed(),
    };
    api.integrations.insert(integration.integration_id.clone(), integration);
    api.routes.insert(route.route_id.clone(), route);
    api.stages.insert(DEFAULT.into(), stage);
    Ok(())
}

/// An API as Create, Get, Update and List answer it.
pub fn describe(room: &HttpApis, api: &HttpApi) -> Value {
    let mut answer = Map::from_iter([
        ("apiKeySelectionExpression".to_owned(), json!("$request.header.x-api-key")),
        ("disableExecuteApiEndpoint".to_owned(), json!(false)),
        ("ipAddressType".to_owned(), json!("ipv4")),
        ("routeSelectionExpression".to_owned(), json!("$request.method $request.path")),
    ]);
    if let Ok(Value::Object(settings)) = serde_json::to_value(&api.settings) {
        answer.extend(settings);
    }
    answer.extend([
        ("apiEndpoint".to_owned(), json!(room.endpoint_of(&api.id))),
        ("apiGatewayManaged".to_owned(), json!(false)),
        ("apiId".to_owned(), json!(api.id)),
        ("createdDate".to_owned(), json!(date(Timestamp::from_millis(api.created_ms)))),
        ("protocolType".to_owned(), json!("HTTP")),
        ("tags".to_owned(), json!(api.tags)),
    ]);
    Value::Object(answer)
}
