//! What a target gets: the event, a constant, a part of the event, or a template filled in.
//!
//! The oddities are the service's own, as they were recorded: a missing value is an empty string, text
//! templates lose the quotes inside objects, and a JSON template that does not come out as JSON is dropped.

use std::borrow::Cow;
use std::collections::BTreeMap;

use world::Timestamp;

use crate::json::{self, Reader, quoted};
use crate::json_path::JsonPath;
use crate::target::{InputTransformer, Target};

/// The variables that need no entry in `InputPathsMap`.
const PREDEFINED: &[&str] = &[
    "aws.events.rule-arn",
    "aws.events.rule-name",
    "aws.events.event.ingestion-time",
    "aws.events.event",
    "aws.events.event.json",
];

/// The keys of `<aws.events.event>`, in its order: everything but the detail, in camel case.
const EVENT_KEYS: &[(&str, &str)] = &[
    ("id", "id"),
    ("account", "account"),
    ("detailType", "detail-type"),
    ("time", "time"),
    ("source", "source"),
    ("region", "region"),
    ("resources", "resources"),
    ("version", "version"),
];

/// What a template may speak of.
#[derive(Clone, Copy, Debug)]
pub struct Occasion<'a> {
    /// The event, as JSON.
    pub event: &'a str,
    /// The rule that matched.
    pub rule_arn: &'a str,
    /// The rule that matched.
    pub rule_name: &'a str,
    /// When the event was accepted.
    pub ingested_at: Timestamp,
}

/// A payload, with what people should know about it.
#[derive(Debug, PartialEq, Eq)]
pub struct Payload<'a> {
    /// For the target.
    pub body: Cow<'a, str>,
    /// A path that was not there.
    pub missing: Option<String>,
}

/// A JSON template did not come out as JSON.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("the input template came out as no JSON: {0}")]
pub struct NoJson(String);

/// What `target` gets.
pub fn payload<'a>(target: &'a Target, occasion: &Occasion<'a>) -> Result<Payload<'a>, NoJson> {
    if let Some(input) = &target.input {
        return Ok(Payload { body: Cow::Borrowed(input), missing: None });
    }
    if let Some(path) = &target.input_path {
        let selected = JsonPath::parse(path).and_then(|path| path.select(occasion.event));
        let missing = selected.is_none().then(|| path.clone());
        return Ok(Payload { body: selected.unwrap_or(Cow::Borrowed("null")), missing });
    }
    let Some(transformer) = &target.input_transformer else {
        return Ok(Payload { body: Cow::Borrowed(occasion.event), missing: None });
    };
    let template = Template::parse(&transformer.input_template);
    let mut missing = None;
    let body = template.fill(|name| {
        let value = occasion.value(name, &transformer.input_paths_map);
        if value.is_none() {
            missing.get_or_insert_with(|| transformer.input_paths_map.get(name).cloned().unwrap_or_default());
        }
        value
    });
    if template.kind == Kind::Json {
        json::minified(&body).map_err(|error| NoJson(error.to_string()))?;
    }
    Ok(Payload { body: Cow::Owned(body), missing })
}

impl<'a> Occasion<'a> {
    /// A variable's value as JSON.
    fn value(&self, name: &str, paths: &BTreeMap<String, String>) -> Option<Cow<'a, str>> {
        match name {
            "aws.events.rule-arn" => Some(quoted(self.rule_arn).into()),
            "aws.events.rule-name" => Some(quoted(self.rule_name).into()),
            "aws.events.event.ingestion-time" => Some(quoted(&self.ingested_at.rfc3339_seconds()).into()),
            "aws.events.event.json" => Some(Cow::Borrowed(self.event)),
            "aws.events.event" => {
                let member = |(name, key): &(&str, &str)| {
                    let value = JsonPath::parse(&format!("$.{key}"))?.select(self.event)?;
                    Some(format!("\"{name}\":{value}"))
                };
                let members: Vec<_> = EVENT_KEYS.iter().filter_map(member).collect();
                Some(format!("{{{}}}", members.join(",")).into())
            }
            _ => JsonPath::parse(paths.get(name)?)?.select(self.event),
        }
    }
}

/// The first variable of a template that nobody defines.
pub fn undefined_variable(transformer: &InputTransformer) -> Option<String> {
    let template = Template::parse(&transformer.input_template);
    let is_known = |name: &str| PREDEFINED.contains(&name) || transformer.input_paths_map.contains_key(name);
    template.parts.into_iter().find_map(|part| match part {
        Part::Variable { name, .. } if !is_known(name) => Some(name.to_owned()),
        _ => None,
    })
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// Begins with a quote: strings, one per line.
    Text,
    /// Anything else.
    Json,
}

#[derive(Debug)]
enum Part<'t> {
    Literal(&'t str),
    Variable { name: &'t str, is_quoted: bool },
}

#[derive(Debug)]
struct Template<'t> {
    kind: Kind,
    parts: Vec<Part<'t>>,
}

impl<'t> Template<'t> {
    fn parse(text: &'t str) -> Self {
        let kind = if text.trim_start().starts_with('"') { Kind::Text } else { Kind::Json };
        let mut parts = Vec::new();
        let (mut literal_at, mut at, mut is_quoted) = (0, 0, false);
        let bytes = text.as_bytes();
        while let Some(byte) = bytes.get(at) {
            match byte {
                b'\\' => at += 1, // what follows stands for itself
                b'"' => is_quoted = !is_quoted,
                b'<' => {
                    if let Some(name) = variable(&text[at..]) {
                        parts.push(Part::Literal(&text[literal_at..at]));
                        parts.push(Part::Variable { name, is_quoted });
                        at += name.len() + 1;
                        literal_at = at + 1;
                    }
                }
                _ => {}
            }
            at += 1;
        }
        parts.push(Part::Literal(&text[literal_at.min(text.len())..]));
        Self { kind, parts }
    }

    fn fill<'v>(&self, mut value: impl FnMut(&str) -> Option<Cow<'v, str>>) -> String {
        let mut filled = String::new();
        for part in &self.parts {
            match part {
                // A less-than sign that begins no variable is written `\<`.
                Part::Literal(text) => filled.push_str(&text.replace("\\<", "<").replace("\\>", ">")),
                Part::Variable { name, is_quoted } => match (value(name), self.kind) {
                    (None, Kind::Json) if !is_quoted => filled.push_str("\"\""),
                    (None, _) => {}
                    (Some(json), Kind::Json) if !is_quoted => filled.push_str(&json),
                    (Some(json), Kind::Json) => filled.push_str(text_of(&json).as_deref().unwrap_or(&json)),
                    (Some(json), Kind::Text) => match text_of(&json) {
                        Some(text) => filled.push_str(&text),
                        None => filled.push_str(&json.replace('"', "")),
                    },
                },
            }
        }
        filled
    }
}

/// The name in `<name>…`.
fn variable(text: &str) -> Option<&str> {
    let name = &text[1..text.find('>')?];
    let fits = |c: char| !c.is_whitespace() && !matches!(c, '<' | '"' | '\\');
    (!name.is_empty() && name.chars().all(fits)).then_some(name)
}

/// The content of a JSON string. The service does not escape it again.
fn text_of(json: &str) -> Option<Cow<'_, str>> {
    if !json.starts_with('"') {
        return None;
    }
    let mut reader = Reader::new(json);
    reader.next().ok()?;
    reader.text().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVENT: &str = r#"{"version":"0","id":"i","detail-type":"core","source":"s","account":"1","time":"t","region":"r","resources":[],"detail":{"command":"up","payload":{"acc_id":"0a","sf_id":"baz"},"on":true,"n":1.50,"states":["ACTIVE","INACTIVE"],"quote":"a\"b","none":null}}"#;

    fn target(template: &str) -> Target {
        let paths = [
            ("type", "$.detail-type"),
            ("command", "$.detail.command"),
            ("payload", "$.detail.payload"),
            ("on", "$.detail.on"),
            ("n", "$.detail.n"),
            ("states", "$.detail.states"),
            ("quote", "$.detail.quote"),
            ("missing", "$.detail.notinmessage"),
        ];
        let input_paths_map = paths.iter().map(|(name, path)| ((*name).into(), (*path).into())).collect();
        let transformer = InputTransformer { input_paths_map, input_template: template.into() };
        Target { input_transformer: Some(transformer), ..Target::new("t", "arn:aws:sqs:r:1:q") }
    }

    const OCCASION: Occasion<'_> = Occasion {
        event: EVENT,
        rule_arn: "arn:aws:events:r:1:rule/b/n",
        rule_name: "n",
        ingested_at: Timestamp::from_millis(1_767_225_600_000),
    };

    #[track_caller]
    fn check(template: &str, expected: &str) {
        let target = target(template);
        assert_eq!(payload(&target, &OCCASION).expect("a payload").body, expected, "{template}");
    }

    #[test]
    fn text_templates() {
        check(r#""Event of <type>, command <command>""#, r#""Event of core, command up""#);
        check(r#""missing: <missing>""#, r#""missing: ""#);
        check(r#""<payload> <states> <on> <n>""#, r#""{acc_id:0a,sf_id:baz} [ACTIVE,INACTIVE] true 1.50""#);
        check("\"one <type>\"\n\"two <command>\"", "\"one core\"\n\"two up\"");
        check(
            r#""{[/Check with special starting characters for event of <type> type""#,
            r#""{[/Check with special starting characters for event of core type""#,
        );
        check(r#""a \"<command>\" b""#, r#""a \"up\" b""#);
        check(r#""1 < 2, <command>""#, r#""1 < 2, up""#);
        check(
            r#""<aws.events.rule-arn> <aws.events.rule-name> <aws.events.event.ingestion-time>""#,
            r#""arn:aws:events:r:1:rule/b/n n 2026-01-01T00:00:00Z""#,
        );
    }

    #[test]
    fn json_templates() {
        check(
            r#"{"c": <command>, "p": <payload>, "on": <on>}"#,
            r#"{"c": "up", "p": {"acc_id":"0a","sf_id":"baz"}, "on": true}"#,
        );
        check(r#"{"c": "do <command> now", "n": "<n>"}"#, r#"{"c": "do up now", "n": "1.50"}"#);
        check(r#"{"command": <missing>}"#, r#"{"command": ""}"#);
        check(r#"{"command": "<missing>"}"#, r#"{"command": ""}"#);
        check("<payload>", r#"{"acc_id":"0a","sf_id":"baz"}"#);
        check("[<on>,<n>]", "[true,1.50]");
        check(
            r#"{"e": <aws.events.event>, "j": <aws.events.event.json>}"#,
            &format!(
                r#"{{"e": {{"id":"i","account":"1","detailType":"core","time":"t","source":"s","region":"r","resources":[],"version":"0"}}, "j": {EVENT}}}"#
            ),
        );
    }

    #[test]
    fn what_is_no_json_is_dropped() {
        for template in [r#"{"p": "<payload>"}"#, r#"{"s": "<states>"}"#, r#"{"q": "<quote>"}"#, r#"{"x": }"#] {
            assert!(payload(&target(template), &OCCASION).is_err(), "{template}");
        }
    }

    #[test]
    fn a_missing_path_is_named() {
        let target = target(r#"{"m": <missing>}"#);
        assert_eq!(payload(&target, &OCCASION).expect("JSON").missing.as_deref(), Some("$.detail.notinmessage"));
    }

    #[test]
    fn undefined_variables_are_found() {
        let undefined =
            |template: &str| undefined_variable(target(template).input_transformer.as_ref().expect("a transformer"));
        assert_eq!(undefined(r#""<type> <notdefinedkey>""#).as_deref(), Some("notdefinedkey"));
        assert_eq!(undefined(r#"{"a": <aws.events.event.json>}"#), None);
        assert_eq!(undefined(r#""1 < 2 > 0""#), None);
    }

    #[test]
    fn paths_and_constants() {
        let of = |target: &Target| payload(target, &OCCASION).expect("a payload").body.into_owned();
        let path = |path: &str| Target { input_path: Some(path.into()), ..Target::new("t", "a") };
        assert_eq!(of(&path("$.detail.payload.sf_id")), r#""baz""#);
        assert_eq!(of(&path("$.detail.payload")), r#"{"acc_id":"0a","sf_id":"baz"}"#);
        assert_eq!(of(&path("$.notexisting")), "null");
        assert_eq!(of(&Target { input: Some("[1]".into()), ..Target::new("t", "a") }), "[1]");
        assert_eq!(of(&Target::new("t", "a")), EVENT);
    }
}
