//! What `DynamoDB` cannot store, said before it is asked: its own words are about expressions that nobody has written.
//! Limits: <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html>

use serde_json::{Map, Value};
use tandem_profiles::Attributes;

use super::problem::{Fault, pointer_token};

/// How deep lists and maps may lie in each other.
const NESTING_LEVELS_MAX: usize = 32;

/// The largest and the smallest magnitude of a number.
const MAGNITUDE_MAX: f64 = 1e126_f64.next_down();
const MAGNITUDE_MIN: f64 = 1e-130;

/// The digits that a number of JSON keeps here. `DynamoDB` keeps 38, most readers of JSON no more than these.
const DIGITS_MAX: usize = 17;

/// Of a name. `DynamoDB` takes longer ones, which nobody can index.
pub(crate) const NAME_BYTES_MAX: usize = 255;

/// How many attributes a patch may change: an update expression has 4 KB and 300 operators at most.
pub(crate) const CHANGES_MAX: usize = 100;

/// What the application may keep. An item has 400 KB; the rest stays free for the identity, so that nobody can fill their
/// profile until it cannot follow the user pool any more.
pub(crate) const APPLICATION_BYTES_MAX: usize = 256 * 1024;

/// What is wrong with a patch. Its text is asked for the numbers: parsed, they have been rounded. (What a merge leaves is
/// no deeper than the patch or what was there.)
pub(crate) fn of_patch(patch: &Map<String, Value>, text: &[u8]) -> Vec<Fault> {
    let mut faults = Vec::new();
    if patch.len() > CHANGES_MAX {
        faults.push(Fault::at("", format!("changes more than {CHANGES_MAX} attributes: send several patches")));
    }
    for (name, value) in patch {
        check_name(name, "", &mut faults);
        check(value, &format!("/{}", pointer_token(name)), 0, &mut faults);
    }
    if let Some(at) = rounded_number(text) {
        let detail = format!("the number at byte {at} has more than {DIGITS_MAX} digits: send it as a string");
        faults.push(Fault::at("", detail));
    }
    faults
}

/// What is wrong with all of the application's attributes together.
pub(crate) fn of_attributes(attributes: &Attributes) -> Option<Fault> {
    let bytes: usize = attributes.iter().map(|(name, value)| name.len() + size(value)).sum();
    let detail = || format!("would have {bytes} bytes as DynamoDB counts them; {APPLICATION_BYTES_MAX} is the limit");
    (bytes > APPLICATION_BYTES_MAX).then(|| Fault::at("", detail()))
}

fn check_name(name: &str, pointer: &str, faults: &mut Vec<Fault>) {
    if name.is_empty() {
        faults.push(Fault::at(format_args!("{pointer}/"), "has no name"));
    } else if name.len() > NAME_BYTES_MAX {
        faults.push(Fault::at(pointer, format!("has a name of more than {NAME_BYTES_MAX} bytes")));
    }
}

fn check(value: &Value, pointer: &str, depth: usize, faults: &mut Vec<Fault>) {
    if depth >= NESTING_LEVELS_MAX {
        faults.push(Fault::at(pointer, format!("lies deeper than {NESTING_LEVELS_MAX} levels")));
        return;
    }
    match value {
        Value::Number(number) => {
            let magnitude = number.as_f64().unwrap_or_default().abs();
            if magnitude > MAGNITUDE_MAX || (magnitude != 0.0 && magnitude < MAGNITUDE_MIN) {
                faults.push(Fault::at(pointer, "is a number outside 1e-130 to 9.99e+125: send it as a string"));
            }
        }
        Value::Array(items) => {
            for (place, item) in items.iter().enumerate() {
                check(item, &format!("{pointer}/{place}"), depth + 1, faults);
            }
        }
        Value::Object(members) => {
            for (name, member) in members {
                check_name(name, pointer, faults);
                check(member, &format!("{pointer}/{}", pointer_token(name)), depth + 1, faults);
            }
        }
        Value::Null | Value::Bool(_) | Value::String(_) => {}
    }
}

/// Bytes as `DynamoDB` counts them, rounded up.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html>
fn size(value: &Value) -> usize {
    match value {
        Value::Null | Value::Bool(_) => 1,
        Value::Number(number) => number.to_string().len().min(40) / 2 + 2,
        Value::String(text) => text.len(),
        Value::Array(items) => 3 + items.iter().map(|item| 1 + size(item)).sum::<usize>(),
        Value::Object(members) => 3 + members.iter().map(|(name, member)| 1 + name.len() + size(member)).sum::<usize>(),
    }
}

/// Where the first number begins that the parser could not keep. The text is JSON.
fn rounded_number(text: &[u8]) -> Option<usize> {
    let mut at = 0;
    while at < text.len() {
        match text[at] {
            b'"' => at += string_length(&text[at..]),
            b'-' | b'0'..=b'9' => {
                let length = text[at..].iter().take_while(|byte| is_of_number(**byte)).count();
                if is_rounded(&text[at..at + length]) {
                    return Some(at);
                }
                at += length;
            }
            _ => at += 1,
        }
    }
    None
}

fn is_of_number(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E')
}

/// With both quotation marks.
fn string_length(text: &[u8]) -> usize {
    let mut at = 1;
    while at < text.len() {
        match text[at] {
            b'"' => return at + 1,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    text.len()
}

fn is_rounded(number: &[u8]) -> bool {
    let Ok(number) = str::from_utf8(number) else { return false };
    if number.parse::<i64>().is_ok() || number.parse::<u64>().is_ok() {
        return false;
    }
    let mantissa = number.split(['e', 'E']).next().unwrap_or_default();
    let digits: String = mantissa.chars().filter(char::is_ascii_digit).collect();
    digits.trim_start_matches('0').trim_end_matches('0').len() > DIGITS_MAX
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &[&str]) {
        let Value::Object(patch) = serde_json::from_str(text).expect("JSON") else { panic!("an object") };
        let faults = of_patch(&patch, text.as_bytes());
        assert_eq!(faults.iter().map(|fault| fault.pointer.as_str()).collect::<Vec<_>>(), expected, "{faults:?}");
    }

    #[test]
    fn numbers_that_are_kept_whole() {
        check(r#"{"a": [0, -0.0, 1.5, 18446744073709551615, -9223372036854775808, 1e125, 1e-130]}"#, &[]);
        check(r#"{"a": "123456789012345678901234567890", "b\"": 0.30000000000000004}"#, &[]);
        check(r#"{"a": 100000000000000000000000}"#, &[]);
    }

    #[test]
    fn numbers_that_would_be_rounded() {
        check(r#"{"a": 18446744073709551617}"#, &["#"]);
        check(r#"{"\\": "\"", "a": [1, 0.12345678901234567891]}"#, &["#"]);
    }

    #[test]
    fn numbers_out_of_range() {
        check(r#"{"a": {"b c": [1, 2e126]}}"#, &["#/a/b%20c/1"]);
        check(r#"{"a": 1e-131}"#, &["#/a"]);
    }

    fn nested(levels: usize) -> String {
        format!("{{\"a\": {}1{}}}", "[".repeat(levels), "]".repeat(levels))
    }

    #[test]
    fn values_that_lie_too_deep() {
        check(&nested(31), &[]);
        check(&nested(32), &[&format!("#/a{}", "/0".repeat(32))]);
    }

    #[test]
    fn names() {
        check(r#"{"": 1}"#, &["#/"]);
        check(r#"{"a": {"": 1}}"#, &["#/a/"]);
        check(&format!("{{\"{}\": 1}}", "n".repeat(256)), &["#"]);
    }

    #[test]
    fn many_changes() {
        let patch: Map<String, Value> = (0..101).map(|n| (n.to_string(), json!(1))).collect();
        assert_eq!(of_patch(&patch, b"{}").len(), 1);
    }

    #[test]
    fn room_is_left_for_the_identity() {
        let attributes = |bytes: usize| Attributes::from([("a".to_owned(), json!("x".repeat(bytes)))]);
        assert_eq!(of_attributes(&attributes(APPLICATION_BYTES_MAX - 1)), None);
        assert!(of_attributes(&attributes(APPLICATION_BYTES_MAX)).is_some());
    }
}
