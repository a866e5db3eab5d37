//! Conditions on JSON objects: `{ ($.user.id = 1 || $.user.name = "a*") && $.error NOT EXISTS }`.
//!
//! A selector has to lead to a text or a number for a comparison to hold, also for `!=`: an event that has not
//! the field matches neither.

use serde_json::Value;

use super::PatternError;
use super::scanner::Scanner;
use super::value::{Comparison, Field};

/// Where a bare value ends.
const ENDS: &str = "()&|{}";

/// What has to hold.
#[derive(Clone, Debug)]
pub enum Condition {
    All(Vec<Condition>),
    Any(Vec<Condition>),
    Compares(Selector, Comparison),
    IsNull(Selector),
    Is(Selector, bool),
    NotExists(Selector),
}

/// `$.users[0].name`
#[derive(Clone, Debug)]
pub struct Selector(Vec<Step>);

#[derive(Clone, Debug)]
enum Step {
    Member(String),
    Element(usize),
}

/// Reads what stands between the braces.
pub fn parse(text: &str) -> Result<Condition, PatternError> {
    let mut scanner = Scanner::new(text);
    let condition = any(&mut scanner)?;
    scanner.skip_space();
    match scanner.rest() {
        "" => Ok(condition),
        rest => Err(PatternError::new(format!("The end is expected at '{rest}'"))),
    }
}

fn any(scanner: &mut Scanner<'_>) -> Result<Condition, PatternError> {
    joined(scanner, "||", all, Condition::Any)
}

fn all(scanner: &mut Scanner<'_>) -> Result<Condition, PatternError> {
    joined(scanner, "&&", one, Condition::All)
}

fn joined(
    scanner: &mut Scanner<'_>,
    sign: &str,
    part: fn(&mut Scanner<'_>) -> Result<Condition, PatternError>,
    join: fn(Vec<Condition>) -> Condition,
) -> Result<Condition, PatternError> {
    let first = part(scanner)?;
    let mut parts = vec![first];
    loop {
        scanner.skip_space();
        if !scanner.take(sign) {
            break;
        }
        parts.push(part(scanner)?);
    }
    Ok(if parts.len() == 1 { parts.remove(0) } else { join(parts) })
}

fn one(scanner: &mut Scanner<'_>) -> Result<Condition, PatternError> {
    scanner.skip_space();
    if scanner.take("(") {
        let inner = any(scanner)?;
        scanner.skip_space();
        if scanner.take(")") {
            return Ok(inner);
        }
        return Err(PatternError::new(format!("A closing parenthesis is expected at '{}'", scanner.rest())));
    }
    let selector = Selector::parse(scanner)?;
    scanner.skip_space();
    if !scanner.peek().is_some_and(char::is_alphabetic) {
        return Ok(Condition::Compares(selector, Comparison::parse(scanner, ENDS)?));
    }
    let at = scanner.rest();
    let mut word = || {
        scanner.skip_space();
        scanner.take_while(char::is_alphabetic).to_ascii_uppercase()
    };
    match (word().as_str(), word().as_str()) {
        ("IS", "NULL") => Ok(Condition::IsNull(selector)),
        ("IS", "TRUE") => Ok(Condition::Is(selector, true)),
        ("IS", "FALSE") => Ok(Condition::Is(selector, false)),
        ("NOT", "EXISTS") => Ok(Condition::NotExists(selector)),
        _ => Err(PatternError::new(format!("An operator is expected at '{at}'"))),
    }
}

impl Condition {
    /// Whether it holds of an event.
    pub fn holds(&self, event: &Value) -> bool {
        match self {
            Self::All(parts) => parts.iter().all(|part| part.holds(event)),
            Self::Any(parts) => parts.iter().any(|part| part.holds(event)),
            Self::IsNull(selector) => selector.find(event).is_some_and(Value::is_null),
            Self::Is(selector, expected) => selector.find(event).and_then(Value::as_bool) == Some(*expected),
            Self::NotExists(selector) => selector.find(event).is_none(),
            Self::Compares(selector, comparison) => match selector.find(event) {
                Some(Value::String(text)) => comparison.holds(Field::Text(text)),
                Some(Value::Number(number)) => {
                    comparison.holds(Field::Number(number.as_f64().unwrap_or(f64::NAN), &number.to_string()))
                }
                Some(Value::Bool(_)) => comparison.is_anything(),
                _ => false,
            },
        }
    }
}

impl Selector {
    fn parse(scanner: &mut Scanner<'_>) -> Result<Self, PatternError> {
        let at = scanner.rest();
        let wrong = || PatternError::new(format!("A selector that begins with '$.' is expected at '{at}'"));
        if !scanner.take("$") {
            return Err(wrong());
        }
        let mut steps = Vec::new();
        loop {
            if scanner.take(".") {
                let name = scanner.take_while(|c| c.is_alphanumeric() || "_-@:/".contains(c));
                if name.is_empty() {
                    return Err(wrong());
                }
                steps.push(Step::Member(name.to_owned()));
            } else if scanner.take("[") {
                let step = match scanner.peek() {
                    Some('"') => Step::Member(scanner.quoted()?),
                    _ => Step::Element(scanner.take_while(|c| c.is_ascii_digit()).parse().map_err(|_| wrong())?),
                };
                steps.push(step);
                if !scanner.take("]") {
                    return Err(wrong());
                }
            } else if steps.is_empty() {
                return Err(wrong());
            } else {
                return Ok(Self(steps));
            }
        }
    }

    fn find<'e>(&self, event: &'e Value) -> Option<&'e Value> {
        self.0.iter().try_fold(event, |value, step| match step {
            Step::Member(name) => value.as_object()?.get(name),
            Step::Element(index) => value.as_array()?.get(*index),
        })
    }
}
