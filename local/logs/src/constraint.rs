//! The constraints of the service's model: lengths, forms and ranges, reported all together as
//! `2 validation errors detected: …; …`.

use crate::error::Error;

/// Characters of a group's or a stream's name.
const NAME_CHARS_MAX: usize = 512;
/// Names of groups.
const GROUP_FORM: &str = r"[\.\-_/#A-Za-z0-9]+";
/// Names of streams.
const STREAM_FORM: &str = "[^:*]*";

/// Collects what is wrong.
#[derive(Debug, Default)]
pub struct Constraints {
    violations: Vec<String>,
    name_too_long: bool,
}

impl Constraints {
    /// Nothing wrong so far.
    pub fn new() -> Self {
        Self::default()
    }

    /// `Value 'x' at 'y' failed to satisfy constraint: Member must …`
    pub fn violated(&mut self, value: &str, at: &str, constraint: &str) {
        self.violations
            .push(format!("Value '{value}' at '{at}' failed to satisfy constraint: Member must {constraint}"));
    }

    /// The name of a group, if it is given.
    pub fn group(&mut self, value: Option<&str>, at: &str) -> &mut Self {
        let fits = |c: char| c.is_ascii_alphanumeric() || "._-/#".contains(c);
        self.name(value, at, GROUP_FORM, |name| name.chars().all(fits))
    }

    /// The name of a stream, if it is given.
    pub fn stream(&mut self, value: Option<&str>, at: &str) -> &mut Self {
        self.name(value, at, STREAM_FORM, |name| !name.contains([':', '*']))
    }

    fn name(&mut self, value: Option<&str>, at: &str, form: &str, fits: impl Fn(&str) -> bool) -> &mut Self {
        let Some(value) = value else { return self };
        self.name_too_long |= value.encode_utf16().count() > NAME_CHARS_MAX; // which has words of its own
        if value.is_empty() {
            self.violated(value, at, "have length greater than or equal to 1");
        } else if !fits(value) {
            self.violated(value, at, &format!("satisfy regular expression pattern: {form}"));
        }
        self
    }

    /// It must have a form, if it is given.
    pub fn form(&mut self, value: Option<&str>, at: &str, form: &str, fits: impl Fn(char) -> bool) -> &mut Self {
        if let Some(value) = value.filter(|value| !value.chars().all(fits)) {
            self.violated(value, at, &format!("satisfy regular expression pattern: {form}"));
        }
        self
    }

    /// So many characters, if it is given.
    pub fn length(&mut self, value: Option<&str>, at: &str, min: usize, max: usize) -> &mut Self {
        if let Some(value) = value {
            let length = value.encode_utf16().count();
            if length > max {
                self.violated(value, at, &format!("have length less than or equal to {max}"));
            }
            if length < min {
                self.violated(value, at, &format!("have length greater than or equal to {min}"));
            }
        }
        self
    }

    /// One of these words, if it is given.
    pub fn one_of(&mut self, value: Option<&str>, at: &str, words: &[&str]) -> &mut Self {
        if let Some(value) = value.filter(|value| !words.contains(value)) {
            self.violated(value, at, &format!("satisfy enum value set: [{}]", words.join(", ")));
        }
        self
    }

    /// A number within bounds, if it is given.
    pub fn range(&mut self, value: Option<i64>, at: &str, min: i64, max: i64) -> &mut Self {
        if let Some(value) = value {
            if value > max {
                self.violated(&value.to_string(), at, &format!("have value less than or equal to {max}"));
            }
            if value < min {
                self.violated(&value.to_string(), at, &format!("have value greater than or equal to {min}"));
            }
        }
        self
    }

    /// A list of so many members; `shown` stands for it.
    pub fn count(&mut self, count: usize, shown: &str, at: &str, min: usize, max: usize) -> &mut Self {
        if count > max {
            self.violated(shown, at, &format!("have length less than or equal to {max}"));
        } else if count < min {
            self.violated(shown, at, &format!("have length greater than or equal to {min}"));
        }
        self
    }

    /// An error if anything was wrong.
    pub fn check(&self) -> Result<(), Error> {
        if self.name_too_long {
            return Err(Error::name_too_long());
        }
        match self.violations.len() {
            0 => Ok(()),
            1 => Err(Error::invalid(format!("1 validation error detected: {}", self.violations[0]))),
            n => Err(Error::invalid(format!("{n} validation errors detected: {}", self.violations.join("; ")))),
        }
    }
}
