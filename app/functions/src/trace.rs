//! X-Ray's trace header as W3C trace context.

use crate::spans;

/// What is to be written into an event, so that what follows from it belongs to the same trace: the invocation's span
/// where spans are made, or else what X-Ray's header says.
pub(crate) fn traceparent(xray: Option<&str>) -> Option<String> {
    spans::current().or_else(|| xray.and_then(from_xray))
}

/// The `traceparent` of `Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1`; `None` if the
/// header has another form, or no parent yet.
pub(crate) fn from_xray(xray: &str) -> Option<String> {
    let field = |name: &str| xray.split(';').find_map(|part| part.trim().strip_prefix(name)?.strip_prefix('='));
    let (seconds, random) = field("Root")?.strip_prefix("1-")?.split_once('-')?;
    let parent = field("Parent")?;
    let hexadecimal = |text: &str, length| text.len() == length && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    if !(hexadecimal(seconds, 8) && hexadecimal(random, 24) && hexadecimal(parent, 16)) {
        return None;
    }
    let sampled = if field("Sampled") == Some("1") { "01" } else { "00" };
    Some(format!("00-{seconds}{random}-{parent}-{sampled}").to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(xray: &str, expected: Option<&str>) {
        assert_eq!(from_xray(xray).as_deref(), expected);
    }

    #[test]
    fn carries_root_parent_and_sampling() {
        check(
            "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1",
            Some("00-5759e988bd862e3fe1be46a994272793-53995c3f42cd8ad8-01"),
        );
    }

    #[test]
    fn passes_over_fields_that_it_does_not_know() {
        check(
            "Lineage=1:a:0; Root=1-5759E988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8",
            Some("00-5759e988bd862e3fe1be46a994272793-53995c3f42cd8ad8-00"),
        );
    }

    #[test]
    fn needs_a_parent() {
        check("Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1", None);
    }

    #[test]
    fn refuses_what_is_not_hexadecimal() {
        check("Root=1-5759e98x-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8", None);
    }
}
