//! What secrets are looked for by: <https://docs.aws.amazon.com/secretsmanager/latest/userguide/manage_search-secret.html>

use serde::Deserialize;

use super::error::Error;
use super::secret::Secret;
use crate::constraint::Constraints;

const KEYS: &[&str] = &["description", "name", "tag-key", "tag-value", "primary-region", "owning-service", "all"];

/// A filter. Its values are alternatives; one that begins with `!` keeps out what it finds.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Filter {
    key: String,
    values: Vec<String>,
}

/// Checks what a caller gives.
pub fn check(filters: &[Filter]) -> Result<(), Error> {
    let mut constraints = Constraints::new();
    let keys: Vec<String> = filters.iter().map(|filter| filter.key.clone()).collect();
    constraints.count(&keys, "filters", 0, 10);
    for (filter, n) in filters.iter().zip(1..) {
        constraints.one_of(Some(&filter.key), &format!("filters.{n}.member.key"), KEYS);
        constraints.count(&filter.values, &format!("filters.{n}.member.values"), 1, 10);
    }
    Ok(constraints.check()?)
}

impl Filter {
    pub fn takes(&self, secret: &Secret) -> bool {
        let (without, with): (Vec<&str>, Vec<&str>) =
            self.values.iter().map(String::as_str).partition(|value| value.starts_with('!'));
        (with.is_empty() || with.iter().any(|value| self.finds(secret, value)))
            && !without.iter().any(|value| self.finds(secret, &value[1..]))
    }

    fn finds(&self, secret: &Secret, value: &str) -> bool {
        let description = secret.description.as_deref().unwrap_or_default();
        match self.key.as_str() {
            "name" => secret.name.starts_with(value),
            "description" => has_word(description, value),
            "tag-key" => secret.tags.keys().any(|key| key.starts_with(value)),
            "tag-value" => secret.tags.values().any(|text| text.starts_with(value)),
            "all" => {
                let tags = secret.tags.iter().flat_map(|(key, value)| [key.as_str(), value.as_str()]);
                let texts: Vec<&str> = [secret.name.as_str(), description].into_iter().chain(tags).collect();
                let found = |word: &str| texts.iter().any(|text| has_word(text, word));
                value.split_whitespace().all(found)
            }
            _ => false, // no secret here has another region, or belongs to a service
        }
    }
}

/// Whether a text begins with another, or a word in it does; in any case.
fn has_word(text: &str, wanted: &str) -> bool {
    let (text, wanted) = (text.to_lowercase(), wanted.to_lowercase());
    let is_inner = |c: char| c.is_alphanumeric();
    text.match_indices(&wanted).any(|(at, _)| !text[..at].ends_with(is_inner))
}

#[cfg(test)]
mod tests {
    use super::has_word;

    #[test]
    fn words_are_found_by_their_beginning() {
        assert!(has_word("The main Database", "data") && has_word("app/db", "db") && has_word("x", ""));
        assert!(!has_word("metadata", "data"));
    }
}
