//! Format 2.0 of HTTP APIs.
//!
//! Source: <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html>.
//! `rawPath` is decoded in spite of its name, as users have measured (middleapi/standard-server#93).

use std::collections::BTreeMap;

use aws_api::percent_decode;
use http::HeaderMap;
use http::header::COOKIE;
use serde_json::{Map, Value, json};

use super::{Asked, or_null, query_of, text_of, texts};
use crate::authorize::Identity;

pub fn of_http2(asked: Asked) -> Map<String, Value> {
    let Asked { met, request, identity, account } = asked;
    let (body, is_base64_encoded) = asked.http_body();
    let path = percent_decode(&met.full_path, false);
    let key = met.route_key();
    let joined = query_of(&request.raw_query).into_iter().map(|(name, values)| (name, values.join(",")));
    let event = json!({
        "version": "2.0",
        "routeKey": key,
        "rawPath": path,
        "rawQueryString": request.raw_query,
        "cookies": cookies_of(&request.headers),
        "headers": headers_of(&request.headers),
        "queryStringParameters": or_null(joined),
        "pathParameters": texts(&met.parameters),
        "stageVariables": texts(&met.variables),
        "requestContext": {
            "accountId": account,
            "apiId": met.api_id,
            "authorizer": authorizer(identity, account),
            "domainName": met.domain,
            "domainPrefix": met.api_id,
            "http": {
                "method": request.method.as_str(),
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": request.source_ip,
                "userAgent": asked.user_agent().as_str().unwrap_or_default(),
            },
            "requestId": request.request_id,
            "routeKey": key,
            "stage": met.stage,
            "time": asked.time(),
            "timeEpoch": request.at.millis(),
        },
        "body": body,
        "isBase64Encoded": is_base64_encoded,
    });
    let Value::Object(mut event) = event else { return Map::new() };
    // What is not there is left out in this format.
    event.retain(|_, member| !member.is_null());
    if let Some(context) = event.get_mut("requestContext").and_then(Value::as_object_mut) {
        context.retain(|_, member| !member.is_null());
    }
    event
}

fn authorizer(identity: &Identity, account: &str) -> Value {
    match identity {
        Identity::Nobody | Identity::Claims(_) => Value::Null,
        Identity::Signer(key) => json!({"iam": {
            "accessKey": key,
            "accountId": account,
            "callerId": account,
            "cognitoIdentity": null,
            "principalOrgId": null,
            "userArn": format!("arn:aws:iam::{account}:root"),
            "userId": account,
        }}),
        Identity::Jwt { claims, scopes } => json!({"jwt": {"claims": claims, "scopes": scopes}}),
        Identity::Context { context, .. } => json!({ "lambda": context }),
    }
}

/// A header that came more than once has its values joined by commas. Cookies are elsewhere.
fn headers_of(headers: &HeaderMap) -> Value {
    let mut all: BTreeMap<String, String> = BTreeMap::new();
    for (name, value) in headers.iter().filter(|(name, _)| *name != COOKIE) {
        let value = text_of(value);
        match all.get_mut(name.as_str()) {
            Some(values) => *values = format!("{values},{value}"),
            None => drop(all.insert(name.as_str().to_owned(), value)),
        }
    }
    json!(all)
}

fn cookies_of(headers: &HeaderMap) -> Value {
    let mut cookies: Vec<String> = Vec::new();
    for piece in headers.get_all(COOKIE).iter().map(text_of) {
        cookies.extend(piece.split(';').map(|cookie| cookie.trim().to_owned()).filter(|cookie| !cookie.is_empty()));
    }
    if cookies.is_empty() { Value::Null } else { json!(cookies) }
}
