//! Texts in columns: `[ip, user, …, status = 4* && status != 404, bytes > 1000]`.
//!
//! A text is cut at spaces; what stands in quotes or brackets is one column.

use super::PatternError;
use super::scanner::Scanner;
use super::value::{Comparison, Field, number};

/// Where a bare value ends.
const ENDS: &str = ",&|()";

/// The columns before an ellipsis, and those behind it if there is one.
#[derive(Clone, Debug)]
pub struct Columns {
    head: Vec<Column>,
    tail: Option<Vec<Column>>,
}

/// What a column has to be: one of several lists of conditions, all of which hold.
type Column = Vec<Vec<Comparison>>;

/// Reads what stands between the brackets.
pub fn parse(text: &str) -> Result<Columns, PatternError> {
    let mut columns = Columns { head: Vec::new(), tail: None };
    let mut scanner = Scanner::new(text);
    loop {
        scanner.skip_space();
        if scanner.take("...") || scanner.take("…") {
            if columns.tail.is_some() {
                return Err(PatternError::new("There is more than one ellipsis"));
            }
            columns.tail = Some(Vec::new());
        } else {
            let column = column(&mut scanner)?;
            columns.tail.as_mut().unwrap_or(&mut columns.head).push(column);
        }
        scanner.skip_space();
        match scanner.rest() {
            "" => return Ok(columns),
            _ if scanner.take(",") => {}
            rest => return Err(PatternError::new(format!("A comma is expected at '{rest}'"))),
        }
    }
}

/// `status = 4* && status != 404`, `status`, or nothing.
fn column(scanner: &mut Scanner<'_>) -> Result<Column, PatternError> {
    let take_name = |scanner: &mut Scanner<'_>| {
        scanner.skip_space();
        let name = scanner.take_while(|c| c.is_alphanumeric() || "_-$@".contains(c));
        scanner.skip_space();
        name.to_owned()
    };
    let name = take_name(scanner);
    if matches!(scanner.peek(), None | Some(',')) {
        return Ok(Vec::new());
    }
    let mut column = vec![vec![Comparison::parse(scanner, ENDS)?]];
    loop {
        scanner.skip_space();
        let is_or = scanner.take("||");
        if !is_or && !scanner.take("&&") {
            return Ok(column);
        }
        let again = take_name(scanner);
        if again != name {
            return Err(PatternError::new(format!("A condition on '{name}' is expected, not one on '{again}'")));
        }
        let comparison = Comparison::parse(scanner, ENDS)?;
        match column.last_mut().filter(|_| !is_or) {
            Some(all) => all.push(comparison),
            None => column.push(vec![comparison]),
        }
    }
}

impl Columns {
    /// Whether a text has these columns.
    pub fn matches(&self, text: &str) -> bool {
        let fields = split(text);
        let tail = self.tail.as_deref().unwrap_or_default();
        let named = self.head.len() + tail.len();
        let fits = if self.tail.is_some() { fields.len() >= named } else { fields.len() == named };
        if !fits {
            return false;
        }
        let behind = fields.len() - tail.len();
        let pairs = self.head.iter().zip(&fields).chain(tail.iter().zip(&fields[behind..]));
        pairs.into_iter().all(|(column, field)| holds(column, field))
    }
}

fn holds(column: &Column, field: &str) -> bool {
    let value = number(field).map_or(Field::Text(field), |number| Field::Number(number, field));
    column.is_empty() || column.iter().any(|all| all.iter().all(|comparison| comparison.holds(value)))
}

/// `a [b c] "d e"` has three fields.
fn split(text: &str) -> Vec<&str> {
    let mut fields = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let close = match first {
            '"' => Some('"'),
            '[' => Some(']'),
            _ => None,
        };
        let wrapped = close.and_then(|close| rest[1..].find(close).map(|end| (&rest[1..=end], &rest[end + 2..])));
        let (field, behind) = wrapped.unwrap_or_else(|| {
            let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
            rest.split_at(end)
        });
        fields.push(field);
        rest = behind.trim_start();
    }
    fields
}
