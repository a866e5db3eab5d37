//! The checks that AWS's front door makes before an operation sees its input, in its words.

use crate::Error;

const NAME_PATTERN: &str = r"[\p{L}\p{M}\p{S}\p{N}\p{P}]+";

/// Letters, marks, symbols, numbers, punctuation.
fn fits_name(c: char) -> bool {
    !c.is_whitespace() && !c.is_control()
}

/// Collects violations, as AWS lists them all in one message.
#[derive(Debug, Default)]
pub struct Constraints(Vec<String>);

impl Constraints {
    /// Nothing violated yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The number of characters must lie within `range`.
    #[must_use]
    pub fn length(mut self, member: &str, value: &str, range: std::ops::RangeInclusive<usize>) -> Self {
        let length = value.chars().count();
        if length < *range.start() {
            self.violated(
                member,
                value,
                &format!("Member must have length greater than or equal to {}", range.start()),
            );
        } else if length > *range.end() {
            self.violated(member, value, &format!("Member must have length less than or equal to {}", range.end()));
        }
        self
    }

    /// The text must be as `pattern` (AWS's regular expression) demands, which `fits` decides.
    #[must_use]
    pub fn pattern(mut self, member: &str, value: &str, pattern: &str, fits: impl Fn(char) -> bool) -> Self {
        if value.is_empty() || !value.chars().all(fits) {
            self.violated(member, value, &format!("Member must satisfy regular expression pattern: {pattern}"));
        }
        self
    }

    /// The text is not as `pattern` (AWS's regular expression) demands.
    #[must_use]
    pub fn not_like(mut self, member: &str, value: &str, pattern: &str) -> Self {
        self.violated(member, value, &format!("Member must satisfy regular expression pattern: {pattern}"));
        self
    }

    /// The text must have `part` in it, as `pattern` (AWS's regular expression) demands.
    #[must_use]
    pub fn containing(mut self, member: &str, value: &str, part: &str, pattern: &str) -> Self {
        if !value.contains(part) {
            self.violated(member, value, &format!("Member must satisfy regular expression pattern: {pattern}"));
        }
        self
    }

    /// A name of a user: letters, marks, symbols, numbers, punctuation; no white space.
    #[must_use]
    pub fn username(self, value: &str) -> Self {
        self.length("username", value, 1..=128).pattern("username", value, NAME_PATTERN, fits_name)
    }

    /// A name of a group: as one of a user.
    #[must_use]
    pub fn group_name(self, value: &str) -> Self {
        self.length("groupName", value, 1..=128).pattern("groupName", value, NAME_PATTERN, fits_name)
    }

    /// The list must have as many members as `range` allows.
    #[must_use]
    pub fn items(mut self, member: &str, count: usize, range: std::ops::RangeInclusive<usize>) -> Self {
        let shown = format!("[{count} members]");
        if count < *range.start() {
            let rule = format!("Member must have length greater than or equal to {}", range.start());
            self.violated(member, &shown, &rule);
        } else if count > *range.end() {
            self.violated(member, &shown, &format!("Member must have length less than or equal to {}", range.end()));
        }
        self
    }

    /// The number must lie within `range`.
    #[must_use]
    pub fn number(mut self, member: &str, value: i64, range: std::ops::RangeInclusive<i64>) -> Self {
        let value_text = value.to_string();
        if value < *range.start() {
            let rule = format!("Member must have value greater than or equal to {}", range.start());
            self.violated(member, &value_text, &rule);
        } else if value > *range.end() {
            let rule = format!("Member must have value less than or equal to {}", range.end());
            self.violated(member, &value_text, &rule);
        }
        self
    }

    /// The text must be one of `values`.
    #[must_use]
    pub fn one_of(mut self, member: &str, value: &str, values: &[&str]) -> Self {
        if !values.contains(&value) {
            self.violated(member, value, &format!("Member must satisfy enum value set: [{}]", values.join(", ")));
        }
        self
    }

    /// The verdict.
    pub fn check(self) -> Result<(), Error> {
        let violations = self.0;
        match violations.len() {
            0 => Ok(()),
            1 => Err(Error::InvalidParameter(format!("1 validation error detected: {}", violations[0]))),
            n => Err(Error::InvalidParameter(format!("{n} validation errors detected: {}", violations.join("; ")))),
        }
    }

    fn violated(&mut self, member: &str, value: &str, rule: &str) {
        // Cognito repeats nothing that AWS's model marks as sensitive.
        let sensitive = matches!(
            member,
            "accessToken"
                | "clientId"
                | "password"
                | "previousPassword"
                | "proposedPassword"
                | "secretHash"
                | "session"
                | "temporaryPassword"
                | "username"
        );
        let value = if sensitive { String::new() } else { format!("'{value}' ") };
        self.0.push(format!("Value {value}at '{member}' failed to satisfy constraint: {rule}"));
    }
}
