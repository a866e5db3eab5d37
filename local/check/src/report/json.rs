//! For scripts: `{"findings": […], "errors": N, "warnings": N, "notes": N}`.

use serde_json::{Value, json};
use template::Span;

use super::{Region, path_of};
use crate::finding::{Finding, Tally};

/// All findings. Lines and columns count from 1, columns in characters; the end stands behind the last character.
pub fn json(findings: &[Finding]) -> Value {
    let tally = Tally::of(findings);
    json!({
        "findings": findings.iter().map(finding).collect::<Vec<_>>(),
        "errors": tally.errors, "warnings": tally.warnings, "notes": tally.notes,
    })
}

fn finding(finding: &Finding) -> Value {
    let also = finding.also.iter().map(|(span, label)| {
        let mut related = place(span);
        related["message"] = label.as_str().into();
        related
    });
    let mut value = place(&finding.span);
    value["rule"] = finding.rule.id.into();
    value["severity"] = finding.rule.severity.name().into();
    value["message"] = finding.message.as_str().into();
    value["reason"] = finding.rule.reason.into();
    value["help"] = finding.help.as_deref().into();
    value["link"] = finding.rule.link().into();
    value["related"] = also.collect();
    value
}

fn place(span: &Span) -> Value {
    let region = Region::of(span);
    json!({
        "file": path_of(span),
        "line": region.line, "column": region.column, "endLine": region.end_line, "endColumn": region.end_column,
    })
}
