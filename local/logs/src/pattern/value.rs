//! What a field is compared with: a text with wildcards at its ends, a number, a regular expression.

use super::PatternError;
use super::regex::Regex;
use super::scanner::{Scanner, Written};

/// How a field is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// A comparison with a value.
#[derive(Clone, Debug)]
pub struct Comparison {
    operator: Operator,
    value: Value,
}

#[derive(Clone, Debug)]
enum Value {
    /// A number, and how it was written: texts are compared with that.
    Number(f64, String),
    Text(Text),
    Regex(Regex),
}

/// A text, and what may stand around it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Text {
    part: String,
    /// `*` before it.
    any_before: bool,
    /// `*` behind it.
    any_after: bool,
}

/// A field of an event.
#[derive(Clone, Copy, Debug)]
pub enum Field<'f> {
    Text(&'f str),
    /// A number, and how it is written.
    Number(f64, &'f str),
}

impl Comparison {
    /// `= "x"`, `>= 5`; `ends` says where a bare value ends.
    pub fn parse(scanner: &mut Scanner<'_>, ends: &str) -> Result<Self, PatternError> {
        let operators = [
            ("!=", Operator::NotEqual),
            ("=!", Operator::NotEqual), // older examples of the service's own have it so
            ("<=", Operator::LessOrEqual),
            (">=", Operator::GreaterOrEqual),
            ("=", Operator::Equal),
            ("<", Operator::Less),
            (">", Operator::Greater),
        ];
        let operator = operators.into_iter().find(|(sign, _)| scanner.take(sign));
        let (_, operator) =
            operator.ok_or_else(|| PatternError::new(format!("An operator is expected at '{}'", scanner.rest())))?;
        scanner.skip_space();
        let written = scanner.value(ends)?;
        let value = Value::of(written.clone())?;
        match (operator, &value) {
            (Operator::Equal | Operator::NotEqual, _) | (_, Value::Number(..)) => Ok(Self { operator, value }),
            _ => Err(PatternError::characters(&shown(&written))),
        }
    }

    /// Whether a field compares so.
    pub fn holds(&self, field: Field<'_>) -> bool {
        let number = match (&self.value, field) {
            (Value::Number(value, _), Field::Number(field, _)) => Some((field, *value)),
            _ => None,
        };
        match self.operator {
            Operator::Equal => self.equals(field),
            Operator::NotEqual => !self.equals(field),
            Operator::Less => number.is_some_and(|(field, value)| field < value),
            Operator::LessOrEqual => number.is_some_and(|(field, value)| field <= value),
            Operator::Greater => number.is_some_and(|(field, value)| field > value),
            Operator::GreaterOrEqual => number.is_some_and(|(field, value)| field >= value),
        }
    }

    /// Whether it is `= *`: anything that is there.
    pub fn is_anything(&self) -> bool {
        let anything = Text { part: String::new(), any_before: true, any_after: true };
        self.operator == Operator::Equal && matches!(&self.value, Value::Text(text) if *text == anything)
    }

    #[expect(clippy::float_cmp, reason = "the same digits give the same number")]
    fn equals(&self, field: Field<'_>) -> bool {
        match (&self.value, field) {
            (Value::Number(value, written), Field::Number(field, text)) => *value == field || written == text,
            (Value::Number(_, written), Field::Text(text)) => written == text,
            (Value::Text(value), Field::Text(text) | Field::Number(_, text)) => value.matches(text),
            (Value::Regex(regex), Field::Text(text) | Field::Number(_, text)) => regex.is_in(text),
        }
    }
}

impl Value {
    fn of(written: Written) -> Result<Self, PatternError> {
        match written {
            Written::Regex(regex) => Ok(Self::Regex(Regex::parse(&regex)?)),
            Written::Quoted(text) => Ok(Self::Text(Text::of(&text))),
            Written::Bare(word) => {
                if let Some(number) = number(&word) {
                    return Ok(Self::Number(number, word));
                }
                if !word.chars().all(|c| c.is_ascii_alphanumeric() || "_.*-+".contains(c)) {
                    return Err(PatternError::characters(&word));
                }
                Ok(Self::Text(Text::of(&word)))
            }
        }
    }
}

impl Text {
    /// `*` stands for anything at the ends; in the middle it is a character like others.
    fn of(text: &str) -> Self {
        let (any_before, part) = text.strip_prefix('*').map_or((false, text), |rest| (true, rest));
        let (any_after, part) = part.strip_suffix('*').map_or((false, part), |rest| (true, rest));
        let any_after = any_after || (any_before && part.is_empty());
        Self { part: part.to_owned(), any_before, any_after }
    }

    fn matches(&self, text: &str) -> bool {
        let part = self.part.as_str();
        match (self.any_before, self.any_after) {
            (false, false) => text == part,
            (false, true) => text.starts_with(part),
            (true, false) => text.ends_with(part),
            (true, true) => text.contains(part),
        }
    }
}

/// An integer or a decimal, with a sign and an exponent if need be.
pub fn number(text: &str) -> Option<f64> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let (mantissa, exponent) = unsigned.split_once(['e', 'E']).map_or((unsigned, None), |(m, e)| (m, Some(e)));
    let (whole, fraction) = mantissa.split_once('.').map_or((mantissa, None), |(w, f)| (w, Some(f)));
    let exponent_fits =
        exponent.is_none_or(|exponent| is_digits(exponent.strip_prefix(['+', '-']).unwrap_or(exponent)));
    let fits = is_digits(whole) && fraction.is_none_or(is_digits) && exponent_fits;
    if fits { text.parse().ok() } else { None }
}

fn shown(written: &Written) -> String {
    match written {
        Written::Bare(text) | Written::Quoted(text) => format!("\"{text}\""),
        Written::Regex(text) => format!("%{text}%"),
    }
}
