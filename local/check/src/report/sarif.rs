//! SARIF 2.1.0, as code scanning of CI systems takes it.
//! <https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html>

use std::fmt::Write as _;

use serde_json::{Value, json};
use template::Span;

use super::{Region, explain, path_of};
use crate::finding::{Finding, Rule};
use crate::rules::RULES;

const SCHEMA: &str = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

/// The log of one run. Rules are listed whether they found something or not; `version` is the tool's.
pub fn sarif(findings: &[Finding], version: &str) -> Value {
    json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "tandem check",
                "version": version,
                "rules": RULES.iter().map(rule).collect::<Vec<_>>(),
            }},
            "columnKind": "unicodeCodePoints",
            "results": findings.iter().map(result).collect::<Vec<_>>(),
        }],
    })
}

fn rule(rule: &Rule) -> Value {
    json!({
        "id": rule.id,
        "shortDescription": {"text": rule.reason},
        // No `helpUri`: that must be absolute, and what it would lead to stands here.
        "help": {"text": explain(rule.id), "markdown": explain(rule.id)},
        "defaultConfiguration": {"level": rule.severity.name()},
    })
}

fn result(finding: &Finding) -> Value {
    let text = match &finding.help {
        Some(help) => format!("{}\n{help}", finding.message),
        None => finding.message.clone(),
    };
    let related = finding.also.iter().map(|(span, label)| {
        let mut location = location(span);
        location["message"] = json!({"text": label});
        location
    });
    json!({
        "ruleId": finding.rule.id,
        "ruleIndex": RULES.iter().position(|rule| rule.id == finding.rule.id),
        "level": finding.rule.severity.name(),
        "message": {"text": text},
        "locations": [location(&finding.span)],
        "relatedLocations": related.collect::<Vec<_>>(),
    })
}

fn location(span: &Span) -> Value {
    let region = Region::of(span);
    json!({"physicalLocation": {
        "artifactLocation": {"uri": uri(&path_of(span))},
        "region": {
            "startLine": region.line, "startColumn": region.column,
            "endLine": region.end_line, "endColumn": region.end_column,
        },
    }})
}

/// A path as a URI reference: relative to where the check ran, or a file's.
fn uri(path: &str) -> String {
    let mut uri = if path.starts_with('/') { "file://".to_owned() } else { String::new() };
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"/-._~".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            // Strings can always be written to.
            let _ = write!(uri, "%{byte:02X}");
        }
    }
    uri
}

#[cfg(test)]
mod tests {
    use super::uri;

    #[test]
    fn paths_become_uris() {
        assert_eq!(uri("src/a b.js"), "src/a%20b.js");
        assert_eq!(uri("/x/ä.yml"), "file:///x/%C3%A4.yml");
    }
}
