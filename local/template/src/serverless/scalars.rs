//! Scalars as JavaScript writes them: the framework has read them from YAML before it makes texts of them, so `True` is
//! `true`, `1.50` is `1.5` and a date is a time stamp. A number with a leading zero is left as it is: whoever writes an
//! account's id without quotes means it so.

use crate::node::{Kind, Node, Scalar};

/// The greatest number up to which all whole ones are exact.
const WHOLE_MAX: f64 = 9_007_199_254_740_991.0;

/// The text of a scalar.
pub(super) fn text(scalar: &Scalar) -> String {
    if !scalar.plain {
        return scalar.text.clone();
    }
    if let Some(value) = scalar.as_bool() {
        return value.to_string();
    }
    if is_date(&scalar.text) {
        return format!("{}T00:00:00.000Z", scalar.text);
    }
    number(&scalar.text).map_or_else(|| scalar.text.clone(), |number| number.to_string())
}

/// A map of texts: environments and tags, whose values the framework turns into texts. Intrinsics are left alone.
pub(super) fn texts(node: &Node) -> Node {
    let mut node = node.clone();
    if let Some(map) = node.as_map_mut() {
        for entry in map.entries_mut() {
            if let Kind::Scalar(scalar) = &mut entry.value.kind
                && !scalar.is_null()
            {
                *scalar = Scalar { text: text(scalar), plain: false };
            }
        }
    }
    node
}

fn is_date(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let digits = |part: &str, count: usize| part.len() == count && part.bytes().all(|byte| byte.is_ascii_digit());
    matches!(parts.as_slice(), [year, month, day] if digits(year, 4) && digits(month, 2) && digits(day, 2))
}

fn number(text: &str) -> Option<f64> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let sign = if text.starts_with('-') { -1.0 } else { 1.0 };
    if let Some(hex) = digits.strip_prefix("0x") {
        return u32::from_str_radix(hex, 16).ok().map(|number| sign * f64::from(number));
    }
    let leading_zero = digits.len() > 1 && digits.starts_with('0') && !digits.starts_with("0.");
    let written = digits.starts_with(|c: char| c.is_ascii_digit())
        && digits.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'e' | b'E' | b'-' | b'+'));
    let number: f64 = text.parse().ok()?;
    (written && !leading_zero && number.abs() <= WHOLE_MAX).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(written: &str, expected: &str) {
        assert_eq!(text(&Scalar { text: written.to_owned(), plain: true }), expected);
    }

    #[test]
    fn as_javascript_writes_them() {
        check("True", "true");
        check("5", "5");
        check("-1.50", "-1.5");
        check("2.0", "2");
        check("0x10", "16");
        check("2020-01-01", "2020-01-01T00:00:00.000Z");
        check("123456789012", "123456789012");
    }

    #[test]
    fn what_only_looks_like_numbers_is_left_alone() {
        for text in ["012345678901", "1.2.3", "12345678901234567890", "yes", "1-2", "", "inf", "1e"] {
            check(text, text);
        }
    }
}
