//! The filter of `ListUsers`: `AttributeName op "value"`, one condition, `=` or `^=` (begins with).

use crate::Error;
use crate::pool::Settings;
use crate::store::{SEARCHABLE, Search};
use crate::user::Status;

/// Reads a filter; an empty one finds everybody.
pub fn parse(filter: &str, settings: &Settings) -> Result<Search, Error> {
    if filter.trim().is_empty() {
        return Ok(Search::All);
    }
    let (name, prefix, value) = condition(filter.trim()).ok_or_else(unreadable)?;
    let searchable = SEARCHABLE.iter().find(|searchable| **searchable == name);
    let search = match name {
        "username" => Search::Username { value: settings.fold(&value), prefix },
        "sub" => Search::Sub { value, prefix },
        "cognito:user_status" => Search::Status(statuses(&value, prefix)),
        "status" => enabled(&value, prefix),
        _ => match searchable {
            Some(name) => Search::Attribute { name, value, prefix },
            None => return Err(Error::InvalidParameter(format!("Invalid search attribute: {name}"))),
        },
    };
    Ok(search)
}

/// The states whose names fit, compared without case.
fn statuses(value: &str, prefix: bool) -> Vec<Status> {
    let value = value.to_uppercase();
    let fits = |name: &str| if prefix { name.starts_with(&value) } else { name == value };
    Status::ALL.into_iter().filter(|status| fits(status.as_str())).collect()
}

/// `Enabled` or `Disabled`, letter by letter.
fn enabled(value: &str, prefix: bool) -> Search {
    let fits = |word: &str| if prefix { word.starts_with(value) } else { word == value };
    match (fits("Enabled"), fits("Disabled")) {
        (true, true) => Search::All,
        (true, false) => Search::Enabled(true),
        (false, true) => Search::Enabled(false),
        (false, false) => Search::Nobody,
    }
}

/// Name, whether a prefix is looked for, value.
fn condition(filter: &str) -> Option<(&str, bool, String)> {
    let (left, right) = filter.split_once('=')?;
    let (name, prefix) = match left.strip_suffix('^') {
        Some(name) => (name, true),
        None => (left, false),
    };
    let name = name.trim_end();
    let name = name.strip_prefix('"').and_then(|name| name.strip_suffix('"')).unwrap_or(name);
    let fits = |c: char| c.is_alphanumeric() || "_:-.".contains(c);
    if name.is_empty() || !name.chars().all(fits) {
        return None;
    }
    Some((name, prefix, quoted(right.trim_start())?))
}

/// What stands in quotation marks; a backslash takes the next character as it is. Nothing may follow.
fn quoted(text: &str) -> Option<String> {
    let mut rest = text.strip_prefix('"')?.chars();
    let mut value = String::new();
    loop {
        match rest.next()? {
            '"' => return rest.as_str().is_empty().then_some(value),
            '\\' => value.push(rest.next()?),
            c => value.push(c),
        }
    }
}

fn unreadable() -> Error {
    Error::InvalidParameter("Error while parsing filter".into())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(filter: &str, expected: &str) {
        let found = match parse(filter, &Settings::default()) {
            Ok(search) => format!("{search:?}"),
            Err(error) => error.to_string(),
        };
        assert_eq!(found, expected);
    }

    #[test]
    fn conditions() {
        check("", "All");
        check(r#"sub = "a-1""#, r#"Sub { value: "a-1", prefix: false }"#);
        check(r#"email^="ann@""#, r#"Attribute { name: "email", value: "ann@", prefix: true }"#);
        check(r#"email ^= "ann@""#, r#"Attribute { name: "email", value: "ann@", prefix: true }"#);
        check(r#"name = "a = \"b\"""#, r#"Attribute { name: "name", value: "a = \"b\"", prefix: false }"#);
        check(r#"username = "Ann""#, r#"Username { value: "Ann", prefix: false }"#);
        check(r#"cognito:user_status = "confirmed""#, "Status([Confirmed])");
        check(r#"status = "Enabled""#, "Enabled(true)");
        check(r#"status = "enabled""#, "Nobody");
    }

    #[test]
    fn refusals() {
        check(r#"custom:plan = "free""#, "Invalid search attribute: custom:plan");
        check("email = ann@example.com", "Error while parsing filter");
        check(r#"email = "ann"#, "Error while parsing filter");
        check(r#"email = "ann" and name = "b""#, "Error while parsing filter");
        check(r#"= "ann""#, "Error while parsing filter");
        check("email", "Error while parsing filter");
    }

    proptest! {
        #[test]
        fn every_value_can_be_looked_for(value in ".*") {
            let escaped = value.replace('\\', r"\\").replace('"', "\\\"");
            let Ok(Search::Sub { value: read, .. }) = parse(&format!("sub = \"{escaped}\""), &Settings::default()) else {
                panic!("refused");
            };
            prop_assert_eq!(read, value);
        }

        #[test]
        fn nothing_panics(filter in ".*") {
            let _ = parse(&filter, &Settings::default());
        }
    }
}
