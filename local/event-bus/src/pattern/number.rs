//! Numbers as patterns compare them.

/// A number that can be compared with others: what is written is exactly what a double holds. `300`, `300.0`
/// and `3e2` are the same number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Number(i64);

impl Number {
    /// From the text of a JSON number. Nothing if a double cannot hold it (`9007199254740993`, `1e999`): such a
    /// number equals only the same text. (`event-ruler`, `ComparableNumber.generate`.)
    pub fn parse(text: &str) -> Option<Self> {
        let double: f64 = text.parse().ok()?;
        if !double.is_finite() {
            return None;
        }
        // Up to fifteen digits always survive; the rest is compared with the double's own digits.
        let survives = text.len() <= 15 && text.bytes().all(|byte| byte.is_ascii_digit());
        if !survives && significant(text) != significant(&format!("{double:e}")) {
            return None;
        }
        Some(Self::of(double))
    }

    /// An integer with the doubles' order, so that ranges and hash keys need no floating point.
    fn of(double: f64) -> Self {
        let positive_zero = double + 0.0;
        let bits = positive_zero.to_bits().cast_signed();
        Self(if bits < 0 { bits ^ i64::MAX } else { bits })
    }
}

/// Sign, digits without outer zeros, and the power of ten of the first digit: equal for equal numbers.
fn significant(text: &str) -> (bool, String, i64) {
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let exponent: i64 = exponent.parse().unwrap_or(i64::from(i32::MAX));
    let negative = mantissa.starts_with('-');
    let (whole, fraction) = mantissa.trim_start_matches('-').split_once('.').unwrap_or((mantissa, ""));
    let whole = whole.trim_start_matches('-');
    let digits = format!("{whole}{fraction}");
    let zeros = digits.len() - digits.trim_start_matches('0').len();
    let digits = digits.trim_matches('0').to_owned();
    if digits.is_empty() {
        return (false, digits, 0);
    }
    let length = |text: &str| i64::try_from(text.len()).unwrap_or(i64::MAX);
    let zeros = i64::try_from(zeros).unwrap_or(i64::MAX);
    (negative, digits, exponent + length(whole) - zeros)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn same(a: &str, b: &str) -> bool {
        Number::parse(a).expect("comparable") == Number::parse(b).expect("comparable")
    }

    #[test]
    fn what_is_equal_is_equal() {
        for (a, b) in [("300", "300.0"), ("300", "3e2"), ("0", "-0.0"), ("0.1", "1E-1"), ("-5", "-5.000"), ("0", "0e5")]
        {
            assert!(same(a, b), "{a} {b}");
        }
        assert!(!same("1", "1.0000000001"));
    }

    #[test]
    fn what_a_double_cannot_hold_is_not_compared() {
        for text in ["9007199254740993", "1e999", "0.30000000000000000001", "12345678901234567890123", "1e-400"] {
            assert_eq!(Number::parse(text), None, "{text}");
        }
        assert!(Number::parse("9007199254740992").is_some());
    }

    proptest! {
        #[test]
        fn keeps_the_order_of_doubles(a in any::<f64>(), b in any::<f64>()) {
            prop_assume!(a.is_finite() && b.is_finite());
            let (x, y) = (Number::parse(&format!("{a:e}")), Number::parse(&format!("{b}")));
            prop_assert_eq!(x.expect("a double").cmp(&y.expect("a double")), a.partial_cmp(&b).expect("finite"));
        }
    }
}
