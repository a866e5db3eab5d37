//! Dynamic references: `{{resolve:ssm:…}}`, `{{resolve:ssm-secure:…}}`, `{{resolve:secretsmanager:…}}`, anywhere in a
//! text. They are replaced last, as `CloudFormation` does, so no function ever sees what is behind one.

use serde_json::Value;

use crate::error::TemplateError;
use crate::node::{Kind, Node};
use crate::source::Span;
use crate::template::{Awaited, Outside};

const START: &str = "{{resolve:";
const END: &str = "}}";

/// Replaces every dynamic reference in a node.
pub(crate) fn replace(node: &mut Node, outside: &dyn Outside) -> Result<(), TemplateError> {
    let span = node.span.clone();
    match &mut node.kind {
        Kind::Scalar(scalar) if scalar.text.contains(START) => {
            scalar.text = replaced(&scalar.text, &span, outside)?;
            scalar.plain = false;
            Ok(())
        }
        Kind::Scalar(_) => Ok(()),
        Kind::List(items) => items.iter_mut().try_for_each(|item| replace(item, outside)),
        Kind::Map(map) => map.entries_mut().iter_mut().try_for_each(|entry| replace(&mut entry.value, outside)),
    }
}

fn replaced(text: &str, span: &Span, outside: &dyn Outside) -> Result<String, TemplateError> {
    let (mut made, mut rest) = (String::new(), text);
    while let Some((before, inside)) = rest.split_once(START)
        && let Some((reference, after)) = inside.split_once(END)
    {
        made.push_str(before);
        made.push_str(&looked_up(reference, span, outside)?);
        rest = after;
    }
    made.push_str(rest);
    Ok(made)
}

fn looked_up(reference: &str, span: &Span, outside: &dyn Outside) -> Result<String, TemplateError> {
    let malformed = |expected: &str| {
        let message = format!("the dynamic reference {START}{reference}{END} must be {START}{expected}{END}");
        TemplateError::new(span, message)
    };
    match reference.split_once(':') {
        Some(("ssm" | "ssm-secure", name)) => {
            let (bare, version) = name.split_once(':').map_or((name, None), |(bare, version)| (bare, Some(version)));
            if bare.is_empty() || version.is_some_and(|version| version.parse::<u64>().is_err()) {
                return Err(malformed("ssm:name:version"));
            }
            if let Some(awaited) = outside.awaited(Awaited::Parameter(bare)) {
                return Ok(awaited);
            }
            outside.parameter(name).ok_or_else(|| {
                TemplateError::new(span, format!("the parameter {name} is not in Parameter Store"))
                    .hint(format!("give it with --ssm {bare}=VALUE"))
            })
        }
        Some(("secretsmanager", rest)) => {
            let Some((id, key)) = secret(rest) else {
                return Err(malformed("secretsmanager:id:SecretString:json-key:stage:version"));
            };
            if let Some(awaited) = outside.awaited(Awaited::Secret(&id)) {
                return Ok(awaited);
            }
            let text = outside
                .secret(&id)
                .ok_or_else(|| TemplateError::new(span, format!("the secret {id} is not in Secrets Manager")))?;
            match key {
                Some(key) => member(&text, key, &id, span),
                None => Ok(text),
            }
        }
        _ => Err(malformed("ssm:…, ssm-secure:… or secretsmanager:…")),
    }
}

/// A secret's name or ARN, and which member of its text is meant. An ARN has six colons of its own.
fn secret(rest: &str) -> Option<(String, Option<&str>)> {
    let colons = if rest.starts_with("arn:") { 6 } else { 0 };
    let end = rest.match_indices(':').nth(colons).map_or(rest.len(), |(at, _)| at);
    let id = &rest[..end];
    let mut further = rest[end..].split(':').skip(1);
    let (what, key) = (further.next().unwrap_or_default(), further.next().unwrap_or_default());
    let known = matches!(what, "" | "SecretString") && further.count() <= 2 && !id.is_empty();
    known.then(|| (id.to_owned(), Some(key).filter(|key| !key.is_empty())))
}

fn member(text: &str, key: &str, id: &str, span: &Span) -> Result<String, TemplateError> {
    let value = serde_json::from_str::<Value>(text).ok().and_then(|value| value.get(key).cloned());
    match value {
        Some(Value::String(text)) => Ok(text),
        Some(value) => Ok(value.to_string()),
        // The secret's text is not shown.
        None => Err(TemplateError::new(span, format!("the secret {id} has no JSON member {key}"))),
    }
}
