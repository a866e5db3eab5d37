//! The constraints of the services' models: lengths, forms and ranges, reported all together as
//! `2 validation errors detected: …; …`.

/// The input breaks the model: all that is wrong with it.
#[derive(Debug)]
pub struct Violations(pub String);

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

    /// `Value 'x' at 'y' failed to satisfy constraint: Member must …`
    pub fn violated(&mut self, value: &str, at: &str, constraint: &str) -> &mut Self {
        let text = format!("Value '{value}' at '{at}' failed to satisfy constraint: Member must {constraint}");
        self.violations.push(text);
        self
    }

    /// So many characters, if it is given.
    pub fn length(&mut self, value: Option<&str>, at: &str, min: usize, max: usize) -> &mut Self {
        let Some(value) = value else { return self };
        match out_of_bounds(value.encode_utf16().count(), min, max) {
            Some(bound) => self.violated(value, at, &format!("have length {bound}")),
            None => self,
        }
    }

    /// So many characters of what nobody may see: it is not repeated.
    pub fn hidden(&mut self, length: Option<usize>, at: &str, min: usize, max: usize) -> &mut Self {
        if let Some(bound) = length.and_then(|length| out_of_bounds(length, min, max)) {
            let text = format!("Value at '{at}' failed to satisfy constraint: Member must have length {bound}");
            self.violations.push(text);
        }
        self
    }

    /// A list of so many members.
    pub fn count(&mut self, values: &[String], at: &str, min: usize, max: usize) -> &mut Self {
        match out_of_bounds(values.len(), min, max) {
            Some(bound) => self.violated(&format!("[{}]", values.join(", ")), at, &format!("have length {bound}")),
            None => self,
        }
    }

    /// It must have a form, if it is given.
    pub fn form(&mut self, value: Option<&str>, at: &str, form: &str, fits: impl Fn(&str) -> bool) -> &mut Self {
        match value.filter(|value| !fits(value)) {
            Some(value) => self.violated(value, at, &format!("satisfy regular expression pattern: {form}")),
            None => self,
        }
    }

    /// One of these words, if it is given.
    pub fn one_of(&mut self, value: Option<&str>, at: &str, words: &[&str]) -> &mut Self {
        match value.filter(|value| !words.contains(value)) {
            Some(value) => self.violated(value, at, &format!("satisfy enum value set: [{}]", words.join(", "))),
            None => self,
        }
    }

    /// A number within bounds, if it is given.
    pub fn range(&mut self, value: Option<i64>, at: &str, min: i64, max: i64) -> &mut Self {
        match value {
            Some(value) if value > max => {
                self.violated(&value.to_string(), at, &format!("have value less than or equal to {max}"))
            }
            Some(value) if value < min => {
                self.violated(&value.to_string(), at, &format!("have value greater than or equal to {min}"))
            }
            _ => self,
        }
    }

    /// An error if anything was wrong.
    pub fn check(&self) -> Result<(), Violations> {
        let text = self.violations.join("; ");
        match self.violations.len() {
            0 => Ok(()),
            1 => Err(Violations(format!("1 validation error detected: {text}"))),
            n => Err(Violations(format!("{n} validation errors detected: {text}"))),
        }
    }
}

fn out_of_bounds(length: usize, min: usize, max: usize) -> Option<String> {
    if length > max {
        Some(format!("less than or equal to {max}"))
    } else if length < min {
        Some(format!("greater than or equal to {min}"))
    } else {
        None
    }
}
