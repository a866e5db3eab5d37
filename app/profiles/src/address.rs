//! One form of an e-mail address, to look people up by.

use unicode_normalization::UnicodeNormalization;

/// The address as the index has it: without spaces around it, in Unicode's composed form, in lower case. `None` for
/// an address of which nothing is left, because an index key must not be empty.
///
/// People are found by it, nothing is sent to it: the item keeps the address as the pool has it as well.
pub fn normalised(address: &str) -> Option<String> {
    let key: String = address.trim().nfc().flat_map(char::to_lowercase).collect();
    (!key.is_empty()).then_some(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(address: &str, key: Option<&str>) {
        assert_eq!(normalised(address).as_deref(), key);
    }

    #[test]
    fn forgets_case() {
        check("Ada@Example.COM", Some("ada@example.com"));
    }

    #[test]
    fn forgets_spaces_around_it() {
        check(" ada@example.com\n", Some("ada@example.com"));
    }

    #[test]
    fn forgets_how_an_accent_was_typed() {
        check("ame\u{301}lie@example.com", Some("am\u{e9}lie@example.com"));
    }

    #[test]
    fn is_never_empty() {
        check("  ", None);
    }
}
