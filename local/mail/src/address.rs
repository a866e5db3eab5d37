//! Mail addresses: `Ann <ann@example.com>`, and lists of them. As much of RFC 5322 as senders use.

use crate::error::Error;

/// The bare address, or phone number, in lower case: what the mailbox is searched by.
pub fn of(recipient: &str) -> String {
    bare(recipient).to_lowercase()
}

/// What stands between `<` and `>`, or all of it.
fn bare(recipient: &str) -> &str {
    let recipient = recipient.trim();
    match recipient.strip_suffix('>').and_then(|rest| rest.rsplit_once('<')) {
        Some((_, address)) => address.trim(),
        None => recipient,
    }
}

/// The addresses of a header, split at the commas that stand in no name.
pub fn split(list: &str) -> Vec<String> {
    let mut addresses = vec![String::new()];
    let (mut quoted, mut escaped) = (false, false);
    for c in list.chars() {
        match c {
            '"' if !escaped => quoted = !quoted,
            ',' if !quoted => {
                addresses.push(String::new());
                continue;
            }
            _ => {}
        }
        escaped = quoted && c == '\\' && !escaped;
        if let Some(address) = addresses.last_mut() {
            address.push(c);
        }
    }
    let trimmed = addresses.iter().map(|address| address.trim().to_owned());
    trimmed.filter(|address| !address.is_empty()).collect()
}

/// Refuses what SES refuses, in its words (those of version 1, which version 2 passes on).
pub fn check(recipient: &str) -> Result<(), Error> {
    let address = bare(recipient);
    let refused = |message: &str| Err(Error::BadRequest(Some(message.to_owned())));
    let Some((local, domain)) = address.rsplit_once('@') else {
        return refused("Missing final '@domain'");
    };
    if local.is_empty() {
        return refused("Missing local name");
    }
    if domain.is_empty() {
        return refused("Missing domain");
    }
    if domain.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return refused("Domain contains control or whitespace");
    }
    if local.chars().any(char::is_control) || (local.contains(char::is_whitespace) && !local.starts_with('"')) {
        return refused("Local address contains control or whitespace");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_bare_address() {
        assert_eq!(of("Ann O'Neil <Ann@Example.com>"), "ann@example.com");
        assert_eq!(of(" ann@example.com "), "ann@example.com");
        assert_eq!(of("+15550100"), "+15550100");
    }

    #[test]
    fn splits_a_list_but_no_name() {
        assert_eq!(split(r#""O'Neil, \"Ann\"" <a@x.io>, b@x.io ,,"#), [r#""O'Neil, \"Ann\"" <a@x.io>"#, "b@x.io"]);
    }

    #[track_caller]
    fn check_says(address: &str, wanted: Option<&str>) {
        let said = check(address).err().map(|error| error.to_string());
        assert_eq!(said.as_deref(), wanted, "{address}");
    }

    #[test]
    fn refuses_what_is_no_address() {
        check_says("ann@example.com", None);
        check_says("\"ann o\"@example.com", None);
        check_says("Ann <ann@example.com>", None);
        check_says("ann", Some("Missing final '@domain'"));
        check_says("@example.com", Some("Missing local name"));
        check_says("ann@", Some("Missing domain"));
        check_says("ann@exa mple.com", Some("Domain contains control or whitespace"));
    }
}
