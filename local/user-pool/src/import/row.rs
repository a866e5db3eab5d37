//! Lines of a file: fields, the header, and the user that a row makes.

use world::{Random, Timestamp};

use crate::attributes::{AttributeType, Attributes, Author, Schema};
use crate::pool::{Pool, Settings};
use crate::user::{Status, Sub, User};
use crate::username::username_for;

/// Characters of a row.
const ROW_CHARS_MAX: usize = 16_000;
const USERNAME: &str = "cognito:username";
const MFA_ENABLED: &str = "cognito:mfa_enabled";
/// In AWS's words.
const NOTHING_VERIFIED: &str = "The User Record does not set any of the auto verified attributes to true. \
    (Example: email_verified to true).";

/// `CSVHeader`: the pool's attributes but `sub`, and two columns of Cognito's own behind the standard ones.
pub fn header(settings: &Settings) -> Vec<String> {
    let listed = Schema::of(settings).listed();
    let names = listed.into_iter().map(|entry| entry.name).filter(|name| name != "sub");
    let (custom, standard): (Vec<_>, Vec<_>) = names.partition(|name| name.contains(':'));
    standard.into_iter().chain([MFA_ENABLED.to_owned(), USERNAME.to_owned()]).chain(custom).collect()
}

/// The fields of a line. A backslash takes the next character as it is; a field in quotation marks ends with them, and
/// two of them in it are one.
pub fn fields(line: &str) -> Result<Vec<String>, String> {
    let mut fields = vec![String::new()];
    let mut chars = line.chars().peekable();
    let mut is_quoted = false;
    while let Some(c) = chars.next() {
        let field = fields.last_mut().expect("there is one from the start");
        match c {
            '\\' => field.push(chars.next().unwrap_or('\\')),
            '"' if is_quoted && chars.peek() == Some(&'"') => {
                chars.next();
                field.push('"');
            }
            '"' if is_quoted => is_quoted = false,
            '"' if field.is_empty() => is_quoted = true,
            ',' if !is_quoted => fields.push(String::new()),
            c => field.push(c),
        }
    }
    if is_quoted { Err("A quotation mark is not closed.".into()) } else { Ok(fields) }
}

/// Whether a file's first line names the pool's columns, in whatever order; in words if not.
pub fn check_header(settings: &Settings, columns: &[String]) -> Result<(), String> {
    let expected = header(settings);
    if let Some(unknown) = columns.iter().find(|name| !expected.contains(name)) {
        return Err(format!("The CSV header has the column {unknown}, which is none of GetCSVHeader's."));
    }
    match expected.iter().find(|name| !columns.contains(name)) {
        Some(missing) => Err(format!("The CSV header lacks the column {missing}: GetCSVHeader has them all.")),
        None if columns.len() > expected.len() => Err("The CSV header has a column twice.".into()),
        None => Ok(()),
    }
}

/// The user that a row makes; why none, in words for the log, which tell nothing of the user.
pub fn user(pool: &Pool, columns: &[String], line: &str, now: Timestamp, random: &Random) -> Result<User, String> {
    if line.chars().count() > ROW_CHARS_MAX {
        return Err(format!("The row is longer than {ROW_CHARS_MAX} characters."));
    }
    let values = fields(line)?;
    if values.len() != columns.len() {
        return Err(format!("The row has {} columns, and the header has {}.", values.len(), columns.len()));
    }
    let value_of = |name: &str| columns.iter().position(|column| column == name).map_or("", |at| values[at].as_str());
    let name = Some(value_of(USERNAME)).filter(|name| !name.is_empty());
    let name = name.ok_or_else(|| format!("{USERNAME} is empty."))?;
    if !is_truth(value_of(MFA_ENABLED)) {
        return Err(format!("{MFA_ENABLED} must be true or false."));
    }
    let mut given = Vec::new();
    for (column, value) in columns.iter().zip(&values) {
        if value.is_empty() || column == USERNAME || column == MFA_ENABLED {
            continue;
        }
        if column == "birthdate" && !is_date(value) {
            return Err("birthdate must be a date as mm/dd/yyyy.".into());
        }
        given.push(AttributeType { name: column.clone(), value: value.clone() });
    }
    let is_true = |name: &str| value_of(name) == "true";
    let auto_verified = pool.settings.auto_verified_attributes.as_deref().unwrap_or_default();
    if !auto_verified.iter().any(|attribute| is_true(&format!("{attribute}_verified"))) {
        return Err(NOTHING_VERIFIED.into());
    }
    let schema = Schema::of(&pool.settings);
    // An attribute's value may stand in a refusal, but no more than its name is to be told.
    schema.check(&given, Author::Host).map_err(|error| error.to_string().trim_end().to_owned())?;
    let mut attributes = Attributes::default();
    for attribute in &given {
        attributes.set(&attribute.name, pool.settings.folded(attribute));
    }
    let sub = Sub(random.uuid());
    let username = username_for(&pool.settings, name, &sub, &mut attributes).map_err(|error| error.to_string())?;
    if username.chars().any(char::is_whitespace) || username.chars().count() > 128 {
        return Err(format!("{USERNAME} has white space in it, or is longer than 128 characters."));
    }
    for attribute in ["email", "phone_number"] {
        let (is_there, flag) = (attributes.get(attribute).is_some(), format!("{attribute}_verified"));
        if !is_there && attributes.is_true(&flag) {
            return Err(format!("{flag} is true, and there is no {attribute}."));
        }
        if is_there && attributes.get(&flag).is_none() {
            attributes.set(&flag, "false");
        }
    }
    schema
        .check_required(|name| attributes.get(name).is_some())
        .map_err(|error| error.to_string().trim_end().to_owned())?;
    let mut user = User::new(&pool.id, sub, username, Status::ResetRequired, now);
    user.attributes = attributes;
    Ok(user)
}

fn is_truth(value: &str) -> bool {
    matches!(value, "true" | "false")
}

/// `mm/dd/yyyy`
fn is_date(value: &str) -> bool {
    let [month, day, year] = value.split('/').collect::<Vec<_>>()[..] else { return false };
    let number = |text: &str, length: usize| {
        let is_number = text.len() == length && text.bytes().all(|byte| byte.is_ascii_digit());
        is_number.then(|| text.parse::<i16>().ok()).flatten()
    };
    let (Some(month), Some(day), Some(year)) = (number(month, 2), number(day, 2), number(year, 4)) else {
        return false;
    };
    let small = |number: i16| i8::try_from(number).unwrap_or_default();
    jiff::civil::Date::new(year, small(month), small(day)).is_ok()
}

#[cfg(test)]
mod tests {
    use super::{fields, is_date};

    #[track_caller]
    fn check(line: &str, expected: &[&str]) {
        assert_eq!(fields(line).expect("fields"), expected);
    }

    #[test]
    fn a_comma_in_a_value_has_a_backslash_before_it() {
        check("a,b,,c", &["a", "b", "", "c"]);
        check(r"12 High Street\, Leeds,x", &["12 High Street, Leeds", "x"]);
        check(r#""a, b",x"#, &["a, b", "x"]);
        check(r#""say ""so""",x"#, &[r#"say "so""#, "x"]);
        check("", &[""]);
        assert!(fields("\"a,b").is_err());
    }

    #[test]
    fn dates_are_american_here() {
        assert!(is_date("02/29/2024"));
        for wrong in ["02/29/2023", "2024-02-29", "29/02/2024", "2/1/2024", "a/b/c", "02/03/2024/1", "+1/01/2024"] {
            assert!(!is_date(wrong), "{wrong}");
        }
    }
}
