//! What a test runner said at its end, as numbers.

use std::fmt;
use std::ops::AddAssign;

/// How many tests did what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    pub passed: u32,
    pub failed: u32,
    pub skipped: u32,
}

impl Outcome {
    /// One check that is no test of a runner's.
    pub fn of_check(well: bool) -> Self {
        Self { passed: u32::from(well), failed: u32::from(!well), skipped: 0 }
    }

    /// Adds what a line of a runner's output says, if it is a closing line.
    pub fn read(&mut self, line: &str) {
        let plain = without_colours(line);
        let line = plain.trim();
        if let Some(numbers) = line.strip_prefix("Summary [").and_then(|rest| rest.split_once("tests run:")) {
            // cargo nextest: `Summary [   0.006s] 3 tests run: 2 passed (1 slow), 1 failed, 4 skipped`. What a filter
            // left out is no skipped test.
            let counted = Self { skipped: 0, ..Self::of_words(numbers.1) };
            *self += counted;
        } else if let Some(rest) = line.strip_prefix("test result:") {
            // cargo test: `test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 2 filtered out; …`
            *self += Self::of_words(rest.split_once('.').map_or(rest, |(_, numbers)| numbers));
        } else if let Some(rest) = line.strip_prefix("==").filter(|rest| rest.ends_with("==")) {
            // pytest: `===== 2 failed, 3 passed, 1 skipped in 0.12s =====`
            *self += Self::of_words(rest.trim_matches('=').split(" in ").next().unwrap_or_default());
        } else if let Some((name, number)) = line.strip_prefix("# ").or(line.strip_prefix("ℹ ")).and_then(two_words) {
            // node --test: `# pass 3`, `# fail 0`, `# cancelled 0`, `# skipped 0`
            match name {
                "pass" => self.passed += number,
                "fail" | "cancelled" => self.failed += number,
                "skipped" | "todo" => self.skipped += number,
                _ => {}
            }
        }
    }

    /// `2 failed, 3 passed` in any order and with any separators.
    fn of_words(text: &str) -> Self {
        let mut outcome = Self::default();
        let words: Vec<&str> = text.split([' ', ',', ';']).filter(|word| !word.is_empty()).collect();
        for pair in words.windows(2) {
            let Ok(number) = pair[0].parse::<u32>() else { continue };
            match pair[1] {
                "passed" => outcome.passed += number,
                "failed" | "error" | "errors" | "timed" => outcome.failed += number,
                "skipped" | "ignored" => outcome.skipped += number,
                _ => {}
            }
        }
        outcome
    }
}

impl AddAssign for Outcome {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }
}

/// The closing line that people and CI read: `12 passed, 0 failed`.
impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed", self.passed, self.failed)?;
        if self.skipped > 0 {
            write!(f, ", {} skipped", self.skipped)?;
        }
        Ok(())
    }
}

fn two_words(text: &str) -> Option<(&str, u32)> {
    let (name, number) = text.split_once(' ')?;
    Some((name, number.trim().parse().ok()?))
}

/// The text without the escape sequences that colour it.
fn without_colours(line: &str) -> String {
    let mut plain = String::with_capacity(line.len());
    let mut rest = line;
    while let Some((before, after)) = rest.split_once("\u{1b}[") {
        plain.push_str(before);
        rest = after.split_once('m').map_or("", |(_, after)| after);
    }
    plain + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(lines: &str, expected: &str) {
        let mut outcome = Outcome::default();
        lines.lines().for_each(|line| outcome.read(line));
        assert_eq!(outcome.to_string(), expected);
    }

    #[test]
    fn reads_nextest() {
        check("     Summary [   0.006s] 3 tests run: 2 passed (1 slow), 1 failed, 4 skipped", "2 passed, 1 failed");
    }

    #[test]
    fn reads_coloured_nextest() {
        check(
            "\u{1b}[32;1m     Summary\u{1b}[0m [   0.006s] 3 tests run: \u{1b}[1m3\u{1b}[0m passed",
            "3 passed, 0 failed",
        );
    }

    #[test]
    fn reads_cargo_test() {
        let lines = "test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 2 filtered out; finished in 0.01s\n\
                     test result: FAILED. 1 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out";
        check(lines, "4 passed, 2 failed, 1 skipped");
    }

    #[test]
    fn reads_pytest() {
        check("=== 2 failed, 3 passed, 1 error in 0.12s ===", "3 passed, 3 failed");
        check("=== 7 passed in 61.50s (0:01:01) ===", "7 passed, 0 failed");
    }

    #[test]
    fn reads_node() {
        check("# tests 5\n# pass 3\n# fail 1\n# cancelled 1\n# skipped 0\n# duration_ms 12.5", "3 passed, 2 failed");
    }

    #[test]
    fn counts_nothing_else() {
        check("running 3 tests\n== test session starts ==\n1 passed along\n# a comment", "0 passed, 0 failed");
    }
}
