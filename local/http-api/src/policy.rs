//! The policy that an authorizer's function returns: which methods it lets its caller use.

use serde_json::Value;

const ACTION: &str = "execute-api:Invoke";

/// What a policy says of a method.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Allowed,
    /// Nothing allows it.
    NotAllowed,
    /// A statement forbids it.
    Denied,
}

/// What a policy document says of a method's ARN. What cannot be read allows nothing.
pub fn verdict(document: &Value, method_arn: &str) -> Verdict {
    let statements = one_or_many(&document["Statement"]);
    let mut verdict = Verdict::NotAllowed;
    for statement in statements {
        let applies = strings(&statement["Action"])
            .any(|action| is_like(&action.to_lowercase(), &ACTION.to_lowercase()))
            && strings(&statement["Resource"]).any(|resource| is_like(resource, method_arn));
        match statement["Effect"].as_str() {
            Some("Deny") if applies => return Verdict::Denied,
            // A condition that is not looked at must not open a door.
            Some("Allow") if applies && statement.get("Condition").is_none() => verdict = Verdict::Allowed,
            _ => {}
        }
    }
    verdict
}

fn one_or_many(value: &Value) -> &[Value] {
    match value {
        Value::Array(many) => many,
        Value::Null => &[],
        one => std::slice::from_ref(one),
    }
}

fn strings(value: &Value) -> impl Iterator<Item = &str> {
    one_or_many(value).iter().filter_map(Value::as_str)
}

/// `*` stands for any text, `?` for one character.
fn is_like(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    let (mut at, mut from, mut star) = (0, 0, None);
    while from < text.len() {
        match pattern.get(at) {
            Some('*') => {
                star = Some((at, from));
                at += 1;
            }
            Some(c) if *c == '?' || *c == text[from] => {
                at += 1;
                from += 1;
            }
            _ => match star {
                Some((star_at, star_from)) => {
                    at = star_at + 1;
                    from = star_from + 1;
                    star = Some((star_at, from));
                }
                None => return false,
            },
        }
    }
    pattern[at..].iter().all(|c| *c == '*')
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const ARN: &str = "arn:aws:execute-api:us-east-1:000000000000:api/dev/GET/pets/1";

    fn statement(effect: &str, resource: &str) -> Value {
        json!({"Effect": effect, "Action": "execute-api:Invoke", "Resource": resource})
    }

    #[track_caller]
    fn check(statements: &Value, expected: Verdict) {
        assert_eq!(verdict(&json!({"Version": "2012-10-17", "Statement": statements}), ARN), expected);
    }

    #[test]
    fn a_denial_goes_before_what_allows() {
        check(&json!([statement("Allow", ARN)]), Verdict::Allowed);
        check(&statement("Allow", "arn:aws:execute-api:*:*:api/*/GET/*"), Verdict::Allowed);
        check(&json!([statement("Allow", "*"), statement("Deny", "*/pets/?")]), Verdict::Denied);
        check(
            &json!([statement("Allow", "arn:aws:execute-api:us-east-1:000000000000:api/dev/POST/*")]),
            Verdict::NotAllowed,
        );
        check(&json!([]), Verdict::NotAllowed);
        check(&json!({"Effect": "Allow", "Action": ["execute-api:*"], "Resource": [ARN]}), Verdict::Allowed);
        check(&json!({"Effect": "Allow", "Action": "lambda:*", "Resource": "*"}), Verdict::NotAllowed);
        let conditional = json!({"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {"Bool": {"a": "b"}}});
        check(&conditional, Verdict::NotAllowed);
    }
}
