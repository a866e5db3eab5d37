//! A queue's policy: who may do what with it. It is asked when a service of AWS delivers to the queue.
//!
//! Calls of clients are not asked about: this cloud knows no principals but its own services. Source: the grammar
//! and the evaluation logic of IAM (`docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html`).

use serde_json::{Map, Value};

const VERSIONS: &[&str] = &["2012-10-17", "2008-10-17"];

/// A document that was found to be a policy.
#[derive(Clone, Debug)]
pub(crate) struct Policy(Vec<Map<String, Value>>);

/// May this service do this, in the name of that resource?
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked<'a> {
    /// `events.amazonaws.com`.
    pub principal_service: &'a str,
    /// The rule, say, that delivers.
    pub source_arn: &'a str,
    /// `sqs:SendMessage`.
    pub action: &'a str,
    /// The queue.
    pub resource: &'a str,
}

impl Policy {
    /// The policy in a text; nothing if it is none.
    pub fn read(text: &str) -> Option<Self> {
        let Ok(Value::Object(mut document)) = serde_json::from_str(text) else { return None };
        let version = document.get("Version");
        if version.is_some_and(|version| !version.as_str().is_some_and(|version| VERSIONS.contains(&version))) {
            return None;
        }
        let statements = match document.remove("Statement")? {
            Value::Array(statements) => statements,
            one => vec![one],
        };
        let statements: Option<Vec<_>> = statements.into_iter().map(read_statement).collect();
        statements.filter(|statements| !statements.is_empty()).map(Self)
    }

    /// Something allows it, and nothing denies it.
    pub fn allows(&self, asked: &Asked<'_>) -> bool {
        let mut matching = self.0.iter().filter(|statement| matches(statement, asked)).peekable();
        matching.peek().is_some() && matching.all(|statement| statement["Effect"] == "Allow")
    }
}

fn read_statement(statement: Value) -> Option<Map<String, Value>> {
    let Value::Object(statement) = statement else { return None };
    let texts = |value: &Value| match value {
        Value::String(_) => true,
        Value::Array(all) => !all.is_empty() && all.iter().all(Value::is_string),
        _ => false,
    };
    let one_of =
        |name: &str, fits: &dyn Fn(&Value) -> bool| match (statement.get(name), statement.get(&format!("Not{name}"))) {
            (Some(value), None) | (None, Some(value)) => fits(value),
            _ => false,
        };
    let principal = |value: &Value| match value {
        Value::String(text) => text == "*",
        Value::Object(kinds) => !kinds.is_empty() && kinds.values().all(texts),
        _ => false,
    };
    let conditions = statement.get("Condition").is_none_or(|conditions| {
        conditions.as_object().is_some_and(|operators| operators.values().all(Value::is_object))
    });
    let effect = matches!(statement.get("Effect").and_then(Value::as_str), Some("Allow" | "Deny"));
    let resource = !statement.contains_key("Resource") && !statement.contains_key("NotResource");
    let resource = resource || one_of("Resource", &texts);
    (effect && one_of("Principal", &principal) && one_of("Action", &texts) && resource && conditions)
        .then_some(statement)
}

fn matches(statement: &Map<String, Value>, asked: &Asked<'_>) -> bool {
    // `Action` has to match, or `NotAction` has not to; where neither is there, anything does.
    let element = |name: &str, fits: &dyn Fn(&Value) -> bool| match statement.get(name) {
        Some(value) => fits(value),
        None => statement.get(&format!("Not{name}")).is_none_or(|value| !fits(value)),
    };
    let action = asked.action.to_ascii_lowercase();
    element("Principal", &|value| names_principal(value, asked.principal_service))
        && element("Action", &|value| each(value).any(|pattern| wildcard(&pattern.to_ascii_lowercase(), &action)))
        && element("Resource", &|value| each(value).any(|pattern| wildcard(pattern, asked.resource)))
        && statement.get("Condition").and_then(Value::as_object).is_none_or(|conditions| holds(conditions, asked))
}

fn names_principal(principal: &Value, service: &str) -> bool {
    match principal {
        Value::Object(kinds) => {
            let any = |kind: &str, name: &str| {
                kinds.get(kind).is_some_and(|names| each(names).any(|it| it == name || it == "*"))
            };
            any("Service", service) || any("AWS", "*")
        }
        other => other == "*",
    }
}

fn holds(conditions: &Map<String, Value>, asked: &Asked<'_>) -> bool {
    conditions.iter().all(|(operator, keys)| {
        keys.as_object().into_iter().flatten().all(|(key, wanted)| compare(operator, key, wanted, asked))
    })
}

/// One condition: its key has one of the values that are wanted, by its operator.
fn compare(operator: &str, key: &str, wanted: &Value, asked: &Asked<'_>) -> bool {
    // Every key has one value here, so that the two set operators come to the same.
    let single = operator.strip_prefix("ForAnyValue:").or_else(|| operator.strip_prefix("ForAllValues:"));
    let operator = single.unwrap_or(operator);
    let (operator, if_exists) = operator.strip_suffix("IfExists").map_or((operator, false), |base| (base, true));
    let value = context(key, asked);
    if operator == "Null" {
        return each(wanted).any(|wanted| (wanted == "true") == value.is_none());
    }
    let negated = operator.contains("Not");
    let Some(value) = value else { return if_exists || negated };
    let fits: fn(&str, &str) -> bool = match operator {
        "StringEquals" | "StringNotEquals" => |wanted, value| wanted == value,
        "StringEqualsIgnoreCase" | "StringNotEqualsIgnoreCase" | "Bool" => {
            |wanted, value| wanted.eq_ignore_ascii_case(value)
        }
        "StringLike" | "StringNotLike" => wildcard,
        "ArnEquals" | "ArnLike" | "ArnNotEquals" | "ArnNotLike" => arn_like,
        other => {
            tracing::warn!(
                operator = other,
                key,
                "a condition of a queue's policy cannot be asked here; it counts as not met"
            );
            return false;
        }
    };
    each(wanted).any(|wanted| fits(wanted, &value)) != negated
}

/// What is known of a call that a service makes.
fn context(key: &str, asked: &Asked<'_>) -> Option<String> {
    match key.to_ascii_lowercase().as_str() {
        "aws:sourcearn" => Some(asked.source_arn.to_owned()),
        "aws:sourceaccount" => asked.source_arn.split(':').nth(4).map(ToOwned::to_owned),
        "aws:principalservicename" => Some(asked.principal_service.to_owned()),
        // On AWS services call each other so; what denies everything else means others.
        "aws:principalisawsservice" | "aws:securetransport" => Some("true".to_owned()),
        _ => None,
    }
}

/// A text, or each text of a list; a flag counts as its name.
fn each(value: &Value) -> impl Iterator<Item = &str> {
    let all = value.as_array().map_or_else(|| std::slice::from_ref(value), Vec::as_slice);
    all.iter().filter_map(|value| match value {
        Value::Bool(true) => Some("true"),
        Value::Bool(false) => Some("false"),
        other => other.as_str(),
    })
}

/// Each of the six parts by itself, so that a star does not reach over a colon.
fn arn_like(pattern: &str, arn: &str) -> bool {
    let (patterns, parts): (Vec<&str>, Vec<&str>) = (pattern.splitn(6, ':').collect(), arn.splitn(6, ':').collect());
    if pattern == "*" {
        return true;
    }
    patterns.len() == parts.len() && patterns.iter().zip(parts).all(|(pattern, part)| wildcard(pattern, part))
}

/// `*` stands for any text, `?` for any byte.
fn wildcard(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
    let (mut at, mut behind) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while behind < text.len() {
        match pattern.get(at) {
            Some(b'*') => {
                star = Some((at, behind));
                at += 1;
            }
            Some(byte) if *byte == b'?' || *byte == text[behind] => {
                at += 1;
                behind += 1;
            }
            _ => {
                let Some((star_at, taken)) = star else { return false };
                star = Some((star_at, taken + 1)); // let the last star take one byte more
                at = star_at + 1;
                behind = taken + 1;
            }
        }
    }
    pattern[at..].iter().all(|byte| *byte == b'*')
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const QUEUE: &str = "arn:aws:sqs:us-east-1:000000000000:orders";
    const RULE: &str = "arn:aws:events:us-east-1:000000000000:rule/tandem/all";

    #[track_caller]
    fn allows(statements: &Value, expected: bool) {
        let text = json!({"Version": "2012-10-17", "Statement": statements}).to_string();
        let policy = Policy::read(&text).expect("a policy");
        let asked = Asked {
            principal_service: "events.amazonaws.com",
            source_arn: RULE,
            action: "sqs:SendMessage",
            resource: QUEUE,
        };
        assert_eq!(policy.allows(&asked), expected, "{text}");
    }

    fn statement(members: &Value) -> Value {
        let mut statement = json!({"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"},
            "Action": "sqs:SendMessage", "Resource": QUEUE});
        for (name, value) in members.as_object().expect("members") {
            statement[name] = value.clone();
        }
        statement
    }

    #[test]
    fn principals_actions_and_resources_have_to_match() {
        for (members, expected) in [
            (json!({}), true),
            (json!({"Principal": "*"}), true),
            (json!({"Principal": {"AWS": "*"}}), true),
            (json!({"Principal": {"Service": ["sns.amazonaws.com", "events.amazonaws.com"]}}), true),
            (json!({"Principal": {"Service": "sns.amazonaws.com"}}), false),
            (json!({"Principal": {"AWS": "arn:aws:iam::000000000000:root"}}), false),
            (json!({"Action": "SQS:*"}), true),
            (json!({"Action": ["sqs:ReceiveMessage", "SQS:SendMessage"]}), true),
            (json!({"Action": "sqs:ReceiveMessage"}), false),
            (json!({"Resource": "arn:aws:sqs:*:*:ord?rs"}), true),
            (json!({"Resource": "arn:aws:sqs:us-east-1:000000000000:other"}), false),
            (json!({"Effect": "Deny"}), false),
        ] {
            allows(&json!([statement(&members)]), expected);
        }
    }

    #[test]
    fn conditions_have_to_hold() {
        let source = |operator: &str, arn: &str| json!({ operator: { "aws:SourceArn": arn } });
        for (condition, expected) in [
            (source("ArnEquals", RULE), true),
            (source("ArnLike", "arn:aws:events:*:*:rule/tandem/*"), true),
            (source("ArnLike", "arn:aws:events:*:rule/tandem/*"), false),
            (source("ArnEquals", "arn:aws:events:us-east-1:000000000000:rule/other"), false),
            (source("StringEquals", RULE), true),
            (source("StringLike", "arn:*:rule/*"), true),
            (source("StringNotLike", "arn:*:rule/*"), false),
            (json!({"StringEquals": {"AWS:SourceAccount": ["1", "000000000000"]}}), true),
            (json!({"StringEquals": {"aws:PrincipalOrgID": "o-1"}}), false),
            (json!({"StringEqualsIfExists": {"aws:PrincipalOrgID": "o-1"}}), true),
            (json!({"StringNotEquals": {"aws:PrincipalOrgID": "o-1"}}), true),
            (json!({"Null": {"aws:SourceArn": "false"}}), true),
            (json!({"NumericLessThan": {"aws:SourceArn": "1"}}), false),
        ] {
            allows(&json!([statement(&json!({ "Condition": condition }))]), expected);
        }
    }

    #[test]
    fn a_denial_wins() {
        let deny =
            |condition: Value| json!({"Effect": "Deny", "Principal": "*", "Action": "sqs:*", "Condition": condition});
        allows(&json!([statement(&json!({})), deny(json!({"ArnLike": {"aws:SourceArn": "*"}}))]), false);
        allows(&json!([statement(&json!({})), deny(json!({"Bool": {"aws:SecureTransport": "false"}}))]), true);
    }

    #[test]
    fn not_elements_match_everything_else() {
        let all_but = json!({"Effect": "Allow", "Principal": "*", "NotAction": "sqs:DeleteQueue", "Resource": "*"});
        allows(&json!([all_but]), true);
        let all_but = json!({"Effect": "Allow", "Principal": "*", "NotAction": "sqs:Send*", "Resource": "*"});
        allows(&json!([all_but]), false);
    }

    #[test]
    fn refuses_what_is_no_policy() {
        for text in [
            "",
            "[]",
            "{}",
            r#"{"Statement":[]}"#,
            r#"{"Version":"2020-01-01","Statement":{"Effect":"Allow","Principal":"*","Action":"*"}}"#,
            r#"{"Statement":{"Effect":"Maybe","Principal":"*","Action":"*"}}"#,
            r#"{"Statement":{"Effect":"Allow","Action":"*"}}"#,
            r#"{"Statement":{"Effect":"Allow","Principal":"*"}}"#,
            r#"{"Statement":{"Effect":"Allow","Principal":"me","Action":"*"}}"#,
            r#"{"Statement":{"Effect":"Allow","Principal":"*","Action":"*","Condition":"always"}}"#,
        ] {
            assert!(Policy::read(text).is_none(), "{text}");
        }
    }
}
