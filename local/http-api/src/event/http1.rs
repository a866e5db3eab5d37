//! Format 1.0 of HTTP APIs: nearly a REST API's event.
//!
//! Source: <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html>.

use aws_api::percent_decode;
use http::HeaderName;
use serde_json::{Map, Value, json};

use super::{Asked, both_headers, both_parameters, capitalised, texts};
use crate::authorize::Identity;

/// What the gateway itself sets or reads has capitals; all others are in lower case (recorded from the service).
const CAPITALISED: [&str; 7] = [
    "content-length",
    "host",
    "user-agent",
    "x-amzn-trace-id",
    "x-forwarded-for",
    "x-forwarded-port",
    "x-forwarded-proto",
];

pub fn of_http1(asked: Asked) -> Map<String, Value> {
    let Asked { met, request, identity, account } = asked;
    let (body, is_base64_encoded) = asked.http_body();
    let path = percent_decode(&met.full_path, false);
    let key = met.route_key();
    let resource = met.route_path();
    let event = json!({
        "version": "1.0",
        "resource": resource,
        "path": path,
        "httpMethod": request.method.as_str(),
        "pathParameters": texts(&met.parameters),
        "stageVariables": texts(&met.variables),
        "requestContext": {
            "accountId": account,
            "apiId": met.api_id,
            "authorizer": authorizer(identity),
            "domainName": met.domain,
            "domainPrefix": met.api_id,
            "extendedRequestId": request.request_id,
            "httpMethod": request.method.as_str(),
            "identity": asked.identity(),
            "path": path,
            "protocol": "HTTP/1.1",
            "requestId": request.request_id,
            "requestTime": asked.time(),
            "requestTimeEpoch": request.at.millis(),
            "resourceId": key,
            "resourcePath": resource,
            "stage": met.stage,
        },
        "body": body,
        "isBase64Encoded": is_base64_encoded,
    });
    let Value::Object(mut event) = event else { return Map::new() };
    let pairs = both_headers(&request.headers, written).into_iter().chain(both_parameters(&request.raw_query));
    event.extend(pairs.map(|(name, value)| (name.to_owned(), value)));
    event
}

fn written(name: &HeaderName) -> String {
    if CAPITALISED.contains(&name.as_str()) { capitalised(name) } else { name.as_str().to_owned() }
}

fn authorizer(identity: &Identity) -> Value {
    match identity {
        Identity::Jwt { claims, scopes } => json!({"claims": claims, "scopes": scopes}),
        Identity::Context { principal, context } => {
            let mut members = context.clone();
            members.extend(principal.clone().map(|principal| ("principalId".to_owned(), principal.into())));
            Value::Object(members)
        }
        Identity::Nobody | Identity::Signer(_) | Identity::Claims(_) => json!({"claims": null, "scopes": null}),
    }
}
