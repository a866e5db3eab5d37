//! What parameters are looked for by.

use serde::Deserialize;

use super::error::Error;
use super::name;
use super::parameter::{Found, KINDS, TIERS};
use crate::constraint::Constraints;

const KEYS: &[&str] = &["Name", "Type", "KeyId", "Path", "Label", "Tier", "DataType"];
const KEY_FORM: &str = "tag:.+|Name|Type|KeyId|Path|Label|Tier|DataType";
const FILTERS_MAX: usize = 50;

/// A filter as it is written.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Filter {
    key: String,
    option: Option<String>,
    values: Option<Vec<String>>,
}

/// What older clients send to `DescribeParameters`.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct OldFilter {
    key: String,
    values: Vec<String>,
}

/// The operation that filters are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// `DescribeParameters`.
    Described,
    /// `GetParametersByPath`, which knows fewer keys.
    ByPath,
}

/// Filters that were found right: all of them must take a parameter.
#[derive(Clone, Debug, Default)]
pub struct Filters(Vec<Condition>);

#[derive(Clone, Debug)]
struct Condition {
    key: String,
    option: String,
    values: Vec<String>,
}

impl Filters {
    pub fn read(filters: Vec<Filter>, asked: Asked) -> Result<Self, Error> {
        let mut constraints = Constraints::new();
        for (filter, n) in filters.iter().zip(1..) {
            let at = |member: &str| format!("parameterFilters.{n}.member.{member}");
            let known = |key: &str| KEYS.contains(&key) || key.len() > "tag:".len() && key.starts_with("tag:");
            constraints.length(Some(&filter.key), &at("key"), 1, 132);
            constraints.form(Some(&filter.key), &at("key"), KEY_FORM, known);
            constraints.length(filter.option.as_deref(), &at("option"), 1, 10);
            if let Some(values) = &filter.values {
                constraints.count(values, &at("values"), 1, FILTERS_MAX);
            }
        }
        constraints.check()?;
        let mut conditions: Vec<Condition> = Vec::new();
        for filter in filters {
            let condition = Condition::read(filter, asked)?;
            let key = &condition.key;
            if conditions.iter().any(|earlier| earlier.key == *key) {
                return Err(Error::invalid(format!(
                    "The following filter is duplicated in the request: {key}. A request can contain only one occurrence \
                     of a specific filter."
                )));
            }
            conditions.push(condition);
        }
        Ok(Self(conditions))
    }

    pub fn read_old(filters: Vec<OldFilter>) -> Result<Self, Error> {
        let mut constraints = Constraints::new();
        for (filter, n) in filters.iter().zip(1..) {
            let at = |member: &str| format!("filters.{n}.member.{member}");
            constraints.one_of(Some(&filter.key), &at("key"), &["KeyId", "Name", "Type"]);
            constraints.count(&filter.values, &at("values"), 1, FILTERS_MAX);
        }
        constraints.check()?;
        let old = |filter: OldFilter| {
            let option = if filter.key == "Name" { "BeginsWith" } else { "Equals" };
            Condition { key: filter.key, option: option.to_owned(), values: filter.values }
        };
        Ok(Self(filters.into_iter().map(old).collect()))
    }

    /// Whether versions that are not the current one must be looked at too.
    pub fn by_label(&self) -> bool {
        self.0.iter().any(|condition| condition.key == "Label")
    }

    pub fn take(&self, found: &Found) -> bool {
        self.0.iter().all(|condition| condition.takes(found))
    }
}

impl Condition {
    fn read(filter: Filter, asked: Asked) -> Result<Self, Error> {
        let Filter { key, option, values } = filter;
        if asked == Asked::ByPath && !["Type", "KeyId", "Label"].contains(&key.as_str()) {
            return Err(Error::InvalidFilterKey(format!(
                "The following filter key is not valid: {key}. Valid filter keys include: [Type, KeyId]."
            )));
        }
        let is_tag = key.starts_with("tag:");
        let values = match values {
            Some(values) => values,
            None if is_tag => Vec::new(),
            None => {
                let message = format!("The following filter values are missing : null for filter key {key}");
                return Err(Error::InvalidFilterValue(message));
            }
        };
        let (usual, options, shown): (_, &[&str], _) = match key.as_str() {
            "Path" => ("OneLevel", &["Recursive", "OneLevel"], "Recursive, OneLevel"),
            "Name" => ("Equals", &["Equals", "BeginsWith", "Contains"], "BeginsWith, Equals"),
            _ => ("Equals", &["Equals", "BeginsWith"], "BeginsWith, Equals"),
        };
        let option = option.unwrap_or_else(|| usual.to_owned());
        if !options.contains(&option.as_str()) {
            return Err(Error::InvalidFilterOption(format!(
                "The following filter option is not valid: {option}. Valid options include: [{shown}]."
            )));
        }
        check_values(&key, &option, &values)?;
        Ok(Self { key, option, values })
    }

    fn takes(&self, found: &Found) -> bool {
        let version = &found.version;
        let settings = &version.settings;
        match self.key.as_str() {
            "Name" => self.compares(&version.name, |value| {
                // A name outside of any hierarchy is found with and without a slash.
                let absolute = |text: &str| format!("/{}", text.trim_start_matches('/'));
                if self.option == "Contains" { value.to_owned() } else { absolute(value) }
            }),
            "Path" => self.values.iter().any(|path| is_under(&version.name, path, self.option == "Recursive")),
            "Type" => self.compares(&version.kind, str::to_owned),
            "KeyId" => settings.key_id.as_ref().is_some_and(|key| self.compares(key, str::to_owned)),
            "Label" => version.labels.iter().any(|label| self.compares(label, str::to_owned)),
            "Tier" => self.compares(&settings.tier, str::to_owned),
            "DataType" => self.compares(&settings.data_type, str::to_owned),
            tag => {
                let value = found.tags.get(tag.trim_start_matches("tag:"));
                value.is_some_and(|value| self.values.is_empty() || self.compares(value, str::to_owned))
            }
        }
    }

    fn compares(&self, text: &str, form: impl Fn(&str) -> String) -> bool {
        let text = form(text);
        self.values.iter().map(|value| form(value)).any(|value| match self.option.as_str() {
            "BeginsWith" => text.starts_with(&value),
            "Contains" => text.contains(&value),
            _ => text == value,
        })
    }
}

fn check_values(key: &str, option: &str, values: &[String]) -> Result<(), Error> {
    let known: &[&str] = match key {
        "Type" => KINDS,
        "Tier" => TIERS,
        _ => &[],
    };
    let unknown =
        values.iter().find(|value| option == "Equals" && !known.is_empty() && !known.contains(&value.as_str()));
    if let Some(value) = unknown {
        let all =
            if key == "Tier" { "Standard, Advanced, Intelligent-Tiering" } else { "String, StringList, SecureString" };
        return Err(Error::InvalidFilterOption(format!(
            "The following filter value is not valid: {value}. Valid values include: [{all}]."
        )));
    }
    if key == "Path" {
        let reserved = |path: &String| {
            let lower = path.to_ascii_lowercase();
            lower.starts_with("/aws") || lower.starts_with("/ssm")
        };
        if values.iter().any(reserved) {
            return Err(Error::invalid(
                "Filters for common parameters can't be prefixed with \"aws\" or \"ssm\" (case-insensitive). When using \
                 global parameters, please specify within a global namespace.",
            ));
        }
        return values.iter().try_for_each(|path| name::check_path(path));
    }
    Ok(())
}

/// Whether a parameter stands under a path: right under it, or anywhere.
pub fn is_under(name: &str, path: &str, recursive: bool) -> bool {
    let path = path.trim_end_matches('/');
    let rest = match name.strip_prefix(path).and_then(|rest| rest.strip_prefix('/')) {
        Some(rest) => rest,
        // At the top are also those that are in no hierarchy.
        None if path.is_empty() => name,
        None => return false,
    };
    recursive || !rest.contains('/')
}

#[cfg(test)]
mod tests {
    use super::is_under;

    #[track_caller]
    fn check(name: &str, path: &str, one_level: bool, recursive: bool) {
        assert_eq!((is_under(name, path, false), is_under(name, path, true)), (one_level, recursive));
    }

    #[test]
    fn a_path_ends_at_a_slash() {
        check("/a/b", "/a", true, true);
        check("/a/b", "/a/", true, true);
        check("/a/b/c", "/a", false, true);
        check("/ab/c", "/a", false, false);
        check("/a", "/a", false, false);
        check("/a", "/", true, true);
        check("plain", "/", true, true);
        check("/a/b", "/", false, true);
    }
}
