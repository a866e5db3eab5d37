//! The event of REST APIs.
//!
//! Source: <https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html>.
//! Names of headers are written as clients of HTTP/1.1 write them: the real ones are lost before a request comes here.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use super::{Asked, both_headers, both_parameters, capitalised, media_type, texts};
use crate::authorize::Identity;

pub fn of_rest(asked: Asked) -> Map<String, Value> {
    let Asked { met, request, identity, account } = asked;
    let (body, is_base64_encoded) = body_of(asked);
    let stage = met.stage.as_deref().unwrap_or_default();
    let context = json!({
        "accountId": account,
        "apiId": met.api_id,
        "authorizer": authorizer(identity),
        "deploymentId": met.deployment_id,
        "domainName": met.domain,
        "domainPrefix": met.api_id,
        "extendedRequestId": request.request_id,
        "httpMethod": request.method.as_str(),
        "identity": asked.identity(),
        "path": format!("/{stage}{}", met.path),
        "protocol": "HTTP/1.1",
        "requestId": request.request_id,
        "requestTime": asked.time(),
        "requestTimeEpoch": request.at.millis(),
        "resourceId": met.route.as_ref().map(|route| &route.id),
        "resourcePath": met.route_path(),
        "stage": stage,
    });
    let Value::Object(mut context) = context else { return Map::new() };
    context.retain(|name, member| name != "authorizer" || !member.is_null());
    let event = json!({
        "resource": met.route_path(),
        "path": met.path,
        "httpMethod": request.method.as_str(),
        "pathParameters": texts(&met.parameters),
        "stageVariables": texts(&met.variables),
        "requestContext": context,
        "body": body,
        "isBase64Encoded": is_base64_encoded,
    });
    let Value::Object(mut event) = event else { return Map::new() };
    let pairs = both_headers(&request.headers, capitalised).into_iter().chain(both_parameters(&request.raw_query));
    event.extend(pairs.map(|(name, value)| (name.to_owned(), value)));
    event
}

/// In Base64 where the API counts the type among the binary ones. Any other body counts as text.
fn body_of(asked: Asked) -> (Value, bool) {
    let body = &asked.request.body;
    if body.is_empty() {
        return (Value::Null, false);
    }
    if asked.met.is_binary(&media_type(&asked.request.headers)) {
        return (STANDARD.encode(body).into(), true);
    }
    (String::from_utf8_lossy(body).into(), false)
}

fn authorizer(identity: &Identity) -> Value {
    match identity {
        Identity::Claims(claims) => json!({ "claims": claims }),
        Identity::Context { principal, context } => {
            let mut members = context.clone();
            members.extend(principal.clone().map(|principal| ("principalId".to_owned(), principal.into())));
            members.insert("integrationLatency".into(), 0.into());
            Value::Object(members)
        }
        Identity::Nobody | Identity::Signer(_) | Identity::Jwt { .. } => Value::Null,
    }
}
