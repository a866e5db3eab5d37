//! What every request goes through: dispatch, JSON bodies, queries, ARNs, signatures.

use aws_api::{Arn, sigv4};
use http::Request;
use http::header::HOST;
use serde_json::json;
use world::Timestamp;

use crate::house::{self, House};

/// 2026-01-01T00:00:00Z, at which the rooms' clock stands too.
const NOW: Timestamp = Timestamp::from_millis(1_767_225_600_000);

/// A request as it is written: a line with method and target, lines with headers, an empty line, the body.
pub fn request(bytes: &[u8]) {
    if may_run(bytes)
        && let Some(request) = parse(bytes)
    {
        house::visit(|house| drop(house.answer(request)));
    }
}

/// The name of a target in the first line, any body behind it. `{pool}` and `{client}` stand for what there is.
pub fn operation(bytes: &[u8]) {
    if !may_run(bytes) {
        return;
    }
    house::visit(|house| {
        let end = bytes.iter().position(|byte| *byte == b'\n').unwrap_or(bytes.len());
        let body = named(house, &bytes[(end + 1).min(bytes.len())..]);
        let request = Request::post("/").header("x-amz-target", &bytes[..end]);
        if let Ok(request) = request.header("content-type", "application/x-amz-json-1.1").body(body) {
            house.answer(request);
        }
    });
}

/// A query string, and what stands for a name in a path.
pub fn query(bytes: &[u8]) {
    let [query, name] = crate::parts(bytes);
    house::visit(|house| {
        for target in [format!("/2017-03-31/tags/{name}?{query}"), format!("/2015-03-31/functions/?{query}")] {
            for method in ["GET", "DELETE"] {
                if let Ok(request) = Request::builder().method(method).uri(&target).body(Vec::new()) {
                    house.answer(request);
                }
            }
        }
    });
}

/// A request whose signature is checked: nobody can sign without the secret.
pub fn signature(bytes: &[u8]) {
    let Some(request) = parse(bytes) else { return };
    let (parts, body) = request.into_parts();
    let credentials = [("AKIDEXAMPLE".to_owned(), "a secret that no input knows".to_owned())].into();
    for service in ["events", "sqs"] {
        let checked = sigv4::verify(&credentials, &parts, &body, service, NOW);
        assert!(checked.is_err(), "a signature without the secret was taken");
    }
}

/// An ARN, read and written, and where operations take one.
pub fn arn(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    if let Ok(arn) = text.parse::<Arn>() {
        let written = arn.to_string();
        assert_eq!(written.parse::<Arn>().as_ref(), Ok(&arn), "{text} is not {written}");
    }
    house::visit(|house| {
        house.pools("TagResource", &json!({"ResourceArn": text, "Tags": {}}));
        house.pools("ListTagsForResource", &json!({"ResourceArn": text}));
        house.call("AWSEvents.TagResource", &json!({"ResourceARN": text, "Tags": []}));
        house.call("AWSEvents.ListTagsForResource", &json!({"ResourceARN": text}));
        house.call("AWSEvents.PutRule", &json!({"Name": "arn", "EventPattern": "{\"source\":[\"s\"]}"}));
        let target = json!({"Id": "1", "Arn": text, "DeadLetterConfig": {"Arn": text}});
        house.call("AWSEvents.PutTargets", &json!({"Rule": "arn", "Targets": [target]}));
        let hooks = json!({"PreSignUp": text, "PostConfirmation": text});
        house.pools("CreateUserPool", &json!({"PoolName": "arn", "LambdaConfig": hooks}));
        house.call(
            "AmazonSQS.CreateQueue",
            &json!({"QueueName": "arn", "Attributes": {"RedrivePolicy": redrive(&text)}}),
        );
    });
}

fn redrive(arn: &str) -> String {
    json!({"deadLetterTargetArn": arn, "maxReceiveCount": 2}).to_string()
}

/// Inputs that would run programs or wait on purpose are passed over: both are what was asked for.
fn may_run(bytes: &[u8]) -> bool {
    let has = |word: &str| bytes.windows(word.len()).any(|window| window == word.as_bytes());
    !has("/invocations") && !has("WaitTime")
}

fn named(house: &House, body: &[u8]) -> Vec<u8> {
    match std::str::from_utf8(body) {
        Ok(text) => text.replace("{pool}", &house.pool).replace("{client}", &house.client).into_bytes(),
        Err(_) => body.to_vec(),
    }
}

fn parse(bytes: &[u8]) -> Option<Request<Vec<u8>>> {
    let mut rest = bytes;
    let mut line = || {
        let end = rest.iter().position(|byte| *byte == b'\n')?;
        let line = &rest[..end];
        rest = &rest[end + 1..];
        Some(line)
    };
    let mut first = line()?.split(|byte| *byte == b' ');
    let mut request = Request::builder().method(first.next()?).uri(first.next()?);
    while let Some(header) = line().filter(|header| !header.is_empty()) {
        let colon = header.iter().position(|byte| *byte == b':')?;
        request = request.header(&header[..colon], header[colon + 1..].trim_ascii());
    }
    if request.headers_ref().is_some_and(|headers| !headers.contains_key(HOST)) {
        request = request.header(HOST, "localhost:4566");
    }
    request.body(rest.to_vec()).ok()
}
