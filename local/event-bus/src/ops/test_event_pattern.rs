//! `TestEventPattern`.

use aws_api::Call;
use serde::{Deserialize, Serialize};

use super::put_rule::PATTERN_CHARS_MAX;
use crate::constraint::Constraints;
use crate::error::Error;
use crate::json::minified;
use crate::json_path::JsonPath;
use crate::pattern::Pattern;
use crate::room::EventBus;

/// Members that every event has.
const MEMBERS: &[&str] = &["id", "account", "source", "time", "region", "detail-type"];

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    event_pattern: Option<String>,
    event: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Response {
    result: bool,
}

#[expect(clippy::unused_async, reason = "the table of operations calls every one of them alike")]
pub async fn run(_room: &EventBus, request: Request, _call: &Call) -> Result<Response, Error> {
    let (pattern, event) = (request.event_pattern, request.event);
    let mut constraints = Constraints::new();
    constraints.required(pattern.as_ref(), "eventPattern").required(event.as_ref(), "event");
    constraints.length(pattern.as_deref(), "eventPattern", 0, PATTERN_CHARS_MAX).check()?;
    let pattern = Pattern::compile(&pattern.unwrap_or_default())?;
    let event = event.unwrap_or_default();
    let refused = || Error::parameter("Event", None);
    let is_object = event.trim_start().starts_with('{') && minified(&event).is_ok();
    let has = |member: &&str| JsonPath::parse(&format!("$.{member}")).is_some_and(|path| path.select(&event).is_some());
    if !is_object || !MEMBERS.iter().all(has) {
        return Err(refused());
    }
    Ok(Response { result: pattern.matches(&event).map_err(|_| refused())? })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::{Answer, Room};

    async fn test(pattern: &str, event: &str) -> Answer {
        Room::new().call("TestEventPattern", json!({ "EventPattern": pattern, "Event": event })).await
    }

    const EVENT: &str =
        r#"{"id":"1","account":"1","source":"s","time":"t","region":"r","detail-type":"d","more":{"x":1}}"#;

    #[tokio::test]
    async fn tells_whether_an_event_matches() {
        assert_eq!(test(r#"{"source":["s"]}"#, EVENT).await.ok(), json!({ "Result": true }));
        assert_eq!(test(r#"{"source":["t"]}"#, EVENT).await.ok(), json!({ "Result": false }));
        assert_eq!(test(r#"{"more":{"x":[1]}}"#, EVENT).await.ok(), json!({ "Result": true }));
    }

    #[tokio::test]
    async fn an_event_must_be_one() {
        for event in ["plain string", "[]", r#"{"id":"1"}"#, &EVENT[1..], "", r#""text""#] {
            test(r#"{"source":["s"]}"#, event).await.error("ValidationException", "Parameter Event is not valid.");
        }
    }

    #[tokio::test]
    async fn a_pattern_must_be_one() {
        let message = "Event pattern is not valid. Reason: Filter is not an object\n at [Source: (String)\"[]\"; line: 1, column: 2]";
        test("[]", EVENT).await.error("InvalidEventPatternException", message);
    }
}
