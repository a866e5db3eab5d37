//! The constraints of the service's model: lengths, forms and ranges, checked before anything else and reported
//! all together, as `2 validation errors detected: …; …`.

use crate::error::Error;

/// Names of rules, targets and statements.
pub const NAME_FORM: &str = r"[\.\-_A-Za-z0-9]+";
/// Names of buses, and their ARNs.
pub const BUS_FORM: &str = r"(arn:aws[\w-]*:events:[a-z]{2}-[a-z]+-[\w-]+:[0-9]{12}:event-bus\/)?[/\.\-_A-Za-z0-9]+";
/// Names of buses alone.
pub const BUS_NAME_FORM: &str = r"[/\.\-_A-Za-z0-9]+";

/// Collects what is wrong.
#[derive(Debug, Default)]
pub struct Constraints {
    violations: Vec<String>,
}

impl Constraints {
    /// Nothing wrong so far.
    pub fn new() -> Self {
        Self::default()
    }

    fn violated(&mut self, value: Option<&str>, at: &str, constraint: &str) {
        let value = value.map_or_else(|| "null".to_owned(), |value| format!("'{value}'"));
        self.violations.push(format!("Value {value} at '{at}' failed to satisfy constraint: Member must {constraint}"));
    }

    /// It must be given.
    pub fn required<T>(&mut self, value: Option<&T>, at: &str) -> &mut Self {
        if value.is_none() {
            self.violated(None, at, "not be null");
        }
        self
    }

    /// So many characters, if it is given.
    pub fn length(&mut self, value: Option<&str>, at: &str, min: usize, max: usize) -> &mut Self {
        if let Some(value) = value {
            let length = value.encode_utf16().count();
            if length > max {
                self.violated(Some(value), at, &format!("have length less than or equal to {max}"));
            }
            if length < min {
                self.violated(Some(value), at, &format!("have length greater than or equal to {min}"));
            }
        }
        self
    }

    /// So many characters of something that is not to be shown.
    pub fn secret_length(&mut self, value: Option<&str>, at: &str, min: usize, max: usize) -> &mut Self {
        let length = value.map_or(min, |value| value.encode_utf16().count());
        let constraint = match length {
            _ if length > max => format!("have length less than or equal to {max}"),
            _ if length < min => format!("have length greater than or equal to {min}"),
            _ => return self,
        };
        self.violations.push(format!("Value at '{at}' failed to satisfy constraint: Member must {constraint}"));
        self
    }

    /// The name of a rule, a target or a statement: 1 to 64 of letters, digits, dot, hyphen and underscore.
    pub fn name(&mut self, value: Option<&str>, at: &str) -> &mut Self {
        self.length(value, at, 1, 64);
        self.form(value, at, NAME_FORM, is_name)
    }

    /// The name of a bus or its ARN, where either does.
    pub fn bus(&mut self, value: Option<&str>, at: &str) -> &mut Self {
        self.length(value, at, 1, 1600);
        self.form(value, at, BUS_FORM, |text| {
            let name = text.split_once(":event-bus/").filter(|(arn, _)| arn.starts_with("arn:")).map_or(text, |x| x.1);
            !name.is_empty() && name.chars().all(|c| c == '/' || is_name_char(c))
        })
    }

    /// It must have a form, if it is given and not empty (an empty one is too short already).
    pub fn form(&mut self, value: Option<&str>, at: &str, form: &str, fits: fn(&str) -> bool) -> &mut Self {
        if let Some(value) = value.filter(|value| !value.is_empty() && !fits(value)) {
            self.violated(Some(value), at, &format!("satisfy regular expression pattern: {form}"));
        }
        self
    }

    /// One of these words, if it is given.
    pub fn one_of(&mut self, value: Option<&str>, at: &str, words: &[&str]) -> &mut Self {
        if let Some(value) = value.filter(|value| !words.contains(value)) {
            self.violated(Some(value), at, &format!("satisfy enum value set: [{}]", words.join(", ")));
        }
        self
    }

    /// A number within bounds, if it is given.
    pub fn range(&mut self, value: Option<i64>, at: &str, min: i64, max: i64) -> &mut Self {
        if let Some(value) = value {
            let shown = value.to_string();
            if value > max {
                self.violated(Some(&shown), at, &format!("have value less than or equal to {max}"));
            }
            if value < min {
                self.violated(Some(&shown), at, &format!("have value greater than or equal to {min}"));
            }
        }
        self
    }

    /// A list of so many members; `shown` is how the service prints it.
    pub fn count(
        &mut self,
        count: usize,
        shown: impl FnOnce() -> String,
        at: &str,
        min: usize,
        max: usize,
    ) -> &mut Self {
        if count > max {
            self.violated(Some(&shown()), at, &format!("have length less than or equal to {max}"));
        } else if count < min {
            self.violated(Some(&shown()), at, &format!("have length greater than or equal to {min}"));
        }
        self
    }

    /// An error if anything was wrong.
    pub fn check(&mut self) -> Result<(), Error> {
        match self.violations.len() {
            0 => Ok(()),
            1 => Err(Error::Validation(format!("1 validation error detected: {}", self.violations[0]))),
            n => Err(Error::Validation(format!("{n} validation errors detected: {}", self.violations.join("; ")))),
        }
    }
}

/// Whether a text is such a name.
pub fn is_name(text: &str) -> bool {
    text.chars().all(is_name_char)
}

fn is_name_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_')
}

/// The name of a bus as `[/\.\-_A-Za-z0-9]+` has it.
pub fn is_bus_name(text: &str) -> bool {
    text.chars().all(|c| c == '/' || is_name_char(c))
}
