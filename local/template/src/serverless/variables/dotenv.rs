//! `.env` files: what they add to the environment. Version 4 of the framework reads `.env.<stage>` and `.env` of the
//! service's folder without being asked; what the environment itself says wins.
//! <https://www.serverless.com/framework/docs/environment-variables>

use std::collections::BTreeMap;

use crate::error::TemplateError;
use crate::source::Span;

use super::Resolver;

impl Resolver<'_> {
    /// A variable of the environment or of a `.env` file.
    pub(super) fn environment(&mut self, name: &str, place: &Span) -> Result<Option<String>, TemplateError> {
        if let Some(value) = self.surroundings.environment(name) {
            return Ok(Some(value));
        }
        // While the stage itself is asked for, there is no file of the stage.
        if !self.asking_stage {
            let stage = self.stage()?;
            if let Some(value) = self.in_file(&format!(".env.{stage}"), name, place)? {
                return Ok(Some(value));
            }
        }
        self.in_file(".env", name, place)
    }

    fn in_file(&mut self, file: &str, name: &str, place: &Span) -> Result<Option<String>, TemplateError> {
        let path = self.options.service_folder.join(file);
        if !self.dotenv.contains_key(&path) {
            let text = self
                .surroundings
                .read(&path)
                .map_err(|reason| TemplateError::new(place, format!("{file} cannot be read: {reason}")))?;
            let entries = entries(&text.unwrap_or_default(), |name| self.surroundings.environment(name));
            self.dotenv.insert(path.clone(), entries);
        }
        Ok(self.dotenv.get(&path).and_then(|entries| entries.get(name)).cloned())
    }
}

/// The entries of a file, later ones winning. `$NAME` and `${NAME}` stand for earlier ones and for the environment.
fn entries(text: &str, outside: impl Fn(&str) -> Option<String>) -> BTreeMap<String, String> {
    let mut entries = BTreeMap::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let line = line.trim_start();
        let line = line.strip_prefix("export ").unwrap_or(line);
        let Some((name, value)) = line.split_once('=') else { continue };
        let name = name.trim();
        if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-')) {
            continue;
        }
        let value = value.trim_start();
        let (value, expands) = match value.chars().next().filter(|quote| matches!(quote, '"' | '\'' | '`')) {
            Some(quote) => (quoted(&value[1..], quote, &mut lines), quote != '\''),
            None => (value.split(" #").next().unwrap_or_default().trim().to_owned(), true),
        };
        let value =
            if expands { expanded(&value, |name| outside(name).or_else(|| entries.get(name).cloned())) } else { value };
        entries.insert(name.to_owned(), value);
    }
    entries
}

/// A value in quotes, which may go over lines.
fn quoted<'t>(first: &str, quote: char, lines: &mut impl Iterator<Item = &'t str>) -> String {
    let mut value = first.to_owned();
    while !value.contains(quote) {
        let Some(line) = lines.next() else { break };
        value.push('\n');
        value.push_str(line);
    }
    let value = value.split(quote).next().unwrap_or_default();
    if quote == '"' { value.replace("\\n", "\n").replace("\\r", "\r") } else { value.to_owned() }
}

fn expanded(value: &str, lookup: impl Fn(&str) -> Option<String>) -> String {
    let mut out = String::new();
    let mut rest = value;
    while let Some(at) = rest.find('$') {
        let behind = &rest[at + 1..];
        if rest[..at].ends_with('\\') {
            out.push_str(&rest[..at - 1]);
            out.push('$');
            rest = behind;
            continue;
        }
        out.push_str(&rest[..at]);
        let braced = behind.strip_prefix('{').and_then(|inner| inner.split_once('}'));
        let plain = behind.len() - behind.trim_start_matches(|c: char| c.is_ascii_alphanumeric() || c == '_').len();
        rest = match braced {
            Some((name, rest)) => {
                let (name, default) = name.split_once(":-").unwrap_or((name, ""));
                out.push_str(&lookup(name).filter(|value| !value.is_empty()).unwrap_or_else(|| default.to_owned()));
                rest
            }
            None if plain > 0 => {
                out.push_str(&lookup(&behind[..plain]).unwrap_or_default());
                &behind[plain..]
            }
            None => {
                out.push('$');
                behind
            }
        };
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &[(&str, &str)]) {
        let outside = |name: &str| (name == "HOME").then(|| "/srv/a".to_owned());
        let expected = expected.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        assert_eq!(entries(text, outside), expected);
    }

    #[test]
    fn values_with_and_without_quotes() {
        check(
            "A=1\n# B=2\nexport C = x y # why\n\nD='a # $HOME'\nE=\"l1\\nl2\"",
            &[("A", "1"), ("C", "x y"), ("D", "a # $HOME"), ("E", "l1\nl2")],
        );
        check("K=\"a\nb\"\nL=", &[("K", "a\nb"), ("L", "")]);
    }

    #[test]
    fn names_stand_for_values() {
        check("A=x\nB=$A-${A}-${N:-n}-$HOME-\\$A-5$", &[("A", "x"), ("B", "x-x-n-/srv/a-$A-5$")]);
    }
}
