//! Whole events, as AWS documents them.

use serde_json::{Value, json};

use crate::testing::{Room, members};

const HEADERS: [(&str, &str); 6] = [
    ("host", "api.execute-api.us-east-1.localhost"),
    ("x-many", "1"),
    ("x-many", "2"),
    ("cookie", "a=b; c=d"),
    ("user-agent", "curl"),
    ("content-type", "application/json; charset=utf-8"),
];

#[tokio::test]
async fn format_2_reads_as_aws_writes_it() {
    let t = Room::new();
    t.http_api(&["POST /pets/{id}"]).await;
    t.send("api", "POST /pets/J%C3%B6rg?p=1&p=2&q=%20x", &HEADERS, "{}").await;
    let expected = json!({
        "version": "2.0",
        "routeKey": "POST /pets/{id}",
        "rawPath": "/pets/Jörg",
        "rawQueryString": "p=1&p=2&q=%20x",
        "cookies": ["a=b", "c=d"],
        "headers": {
            "host": "api.execute-api.us-east-1.localhost", "x-many": "1,2", "user-agent": "curl",
            "content-type": "application/json; charset=utf-8",
        },
        "queryStringParameters": {"p": "1,2", "q": " x"},
        "pathParameters": {"id": "Jörg"},
        "requestContext": {
            "accountId": "000000000000",
            "apiId": "api",
            "domainName": "api.execute-api.us-east-1.localhost",
            "domainPrefix": "api",
            "http": {
                "method": "POST", "path": "/pets/Jörg", "protocol": "HTTP/1.1", "sourceIp": "127.0.0.1",
                "userAgent": "curl",
            },
            "requestId": "r",
            "routeKey": "POST /pets/{id}",
            "stage": "$default",
            "time": "01/Jan/2026:00:00:00 +0000",
            "timeEpoch": 1_767_225_600_000_i64,
        },
        "body": "{}",
        "isBase64Encoded": false,
    });
    assert_eq!(t.functions.event(), expected);
}

#[tokio::test]
async fn format_1_reads_as_aws_writes_it() {
    let t = Room::new();
    t.http_api(&[]).await;
    let route = t.route("GET /pets/{id}", json!({})).await;
    let id = route["target"].as_str().and_then(|target| target.strip_prefix("integrations/")).expect("an id");
    let update = json!({"apiId": "api", "integrationId": id, "payloadFormatVersion": "1.0"});
    t.http("UpdateIntegration", update).await.ok();
    let variables = json!({"apiId": "api", "stageName": "$default", "stageVariables": {"color": "red"}});
    t.http("UpdateStage", variables).await.ok();
    t.send("api", "GET /pets/1?p=1&p=2", &HEADERS, "").await;
    let event = t.functions.event();
    let expected = json!({
        "version": "1.0",
        "resource": "/pets/{id}",
        "path": "/pets/1",
        "httpMethod": "GET",
        "headers": {
            "Host": "api.execute-api.us-east-1.localhost", "x-many": "2", "cookie": "a=b; c=d", "User-Agent": "curl",
            "content-type": "application/json; charset=utf-8",
        },
        "multiValueHeaders": {
            "Host": ["api.execute-api.us-east-1.localhost"], "x-many": ["1", "2"], "cookie": ["a=b; c=d"],
            "User-Agent": ["curl"], "content-type": ["application/json; charset=utf-8"],
        },
        "queryStringParameters": {"p": "2"},
        "multiValueQueryStringParameters": {"p": ["1", "2"]},
        "requestContext": {
            "accountId": "000000000000",
            "apiId": "api",
            "authorizer": {"claims": null, "scopes": null},
            "domainName": "api.execute-api.us-east-1.localhost",
            "domainPrefix": "api",
            "extendedRequestId": "r",
            "httpMethod": "GET",
            "identity": identity(),
            "path": "/pets/1",
            "protocol": "HTTP/1.1",
            "requestId": "r",
            "requestTime": "01/Jan/2026:00:00:00 +0000",
            "requestTimeEpoch": 1_767_225_600_000_i64,
            "resourceId": "GET /pets/{id}",
            "resourcePath": "/pets/{id}",
            "stage": "$default",
        },
        "pathParameters": {"id": "1"},
        "stageVariables": {"color": "red"},
        "body": null,
        "isBase64Encoded": false,
    });
    assert_eq!(event, expected);
}

#[tokio::test]
async fn the_event_of_a_rest_api_reads_as_aws_writes_it() {
    let t = Room::new();
    let root = t.rest_api().await;
    let pets = t.resource(&root, "pets").await;
    let proxy = t.resource(&pets, "{proxy+}").await;
    t.method(&proxy, "ANY", json!({})).await;
    t.deploy().await;
    t.send("rest", "POST /dev/pets/a%20b/c?p=1&p=2", &HEADERS, "{}").await;
    let mut event = t.functions.event();
    let deployment = event["requestContext"]["deploymentId"].take();
    assert_eq!(deployment.as_str().map(str::len), Some(10));
    let expected = json!({
        "resource": "/pets/{proxy+}",
        "path": "/pets/a%20b/c",
        "httpMethod": "POST",
        "headers": {
            "Host": "api.execute-api.us-east-1.localhost", "X-Many": "2", "Cookie": "a=b; c=d", "User-Agent": "curl",
            "Content-Type": "application/json; charset=utf-8",
        },
        "multiValueHeaders": {
            "Host": ["api.execute-api.us-east-1.localhost"], "X-Many": ["1", "2"], "Cookie": ["a=b; c=d"],
            "User-Agent": ["curl"], "Content-Type": ["application/json; charset=utf-8"],
        },
        "queryStringParameters": {"p": "2"},
        "multiValueQueryStringParameters": {"p": ["1", "2"]},
        "pathParameters": {"proxy": "a b/c"},
        "stageVariables": null,
        "requestContext": {
            "accountId": "000000000000",
            "apiId": "rest",
            "deploymentId": null,
            "domainName": "rest.execute-api.us-east-1.localhost",
            "domainPrefix": "rest",
            "extendedRequestId": "r",
            "httpMethod": "POST",
            "identity": identity(),
            "path": "/dev/pets/a%20b/c",
            "protocol": "HTTP/1.1",
            "requestId": "r",
            "requestTime": "01/Jan/2026:00:00:00 +0000",
            "requestTimeEpoch": 1_767_225_600_000_i64,
            "resourceId": proxy,
            "resourcePath": "/pets/{proxy+}",
            "stage": "dev",
        },
        "body": "{}",
        "isBase64Encoded": false,
    });
    assert_eq!(event, expected);
}

fn identity() -> Value {
    json!({
        "accessKey": null, "accountId": null, "caller": null, "cognitoAuthenticationProvider": null,
        "cognitoAuthenticationType": null, "cognitoIdentityId": null, "cognitoIdentityPoolId": null,
        "principalOrgId": null, "sourceIp": "127.0.0.1", "user": null, "userAgent": "curl", "userArn": null,
    })
}

#[tokio::test]
async fn bodies_are_text_where_their_type_says_so() {
    let t = Room::new();
    t.http_api(&["POST /"]).await;
    for (kind, body, expected, is_base64) in [
        ("application/json", "{}", "{}", false),
        ("application/problem+json", "{}", "{}", false),
        ("text/plain", "hi", "hi", false),
        ("application/x-www-form-urlencoded", "a=b", "YT1i", true),
    ] {
        t.send("api", "POST /", &[("content-type", kind)], body).await;
        let event = t.functions.event();
        assert_eq!((&event["body"], &event["isBase64Encoded"]), (&json!(expected), &json!(is_base64)), "{kind}");
    }
}

#[tokio::test]
async fn a_rest_api_takes_for_binary_what_it_is_told() {
    let t = Room::new();
    let root = t.rest_api().await;
    t.method(&root, "POST", json!({})).await;
    let patch = json!([{"op": "add", "path": "/binaryMediaTypes/image~1*"}]);
    t.rest("UpdateRestApi", json!({"restapi_id": "rest", "patchOperations": patch})).await.ok();
    t.deploy().await;
    for (kind, expected, is_base64) in [("image/png", "aGk=", true), ("application/json", "hi", false)] {
        t.functions.answer(&json!({"statusCode": 200, "body": "aGk=", "isBase64Encoded": true}));
        let answer = t.send("rest", "POST /dev", &[("content-type", kind), ("accept", kind)], "hi").await;
        let event = t.functions.event();
        assert_eq!((&event["body"], &event["isBase64Encoded"]), (&json!(expected), &json!(is_base64)), "{kind}");
        assert_eq!(answer.body, if is_base64 { "hi" } else { "aGk=" }, "{kind}");
    }
}

#[tokio::test]
async fn what_is_not_there_is_left_out_or_null() {
    let t = Room::new();
    t.http_api(&["$default"]).await;
    t.ask("api", "GET /any/path", &[]).await;
    let event = members(&t.functions.event());
    for absent in ["cookies", "queryStringParameters", "pathParameters", "stageVariables", "body"] {
        assert!(!event.contains_key(absent), "{absent}");
    }
    assert_eq!((&event["routeKey"], &event["rawPath"]), (&json!("$default"), &json!("/any/path")));
}
