//! How callers name a function: by name, partial ARN or full ARN, with or without a qualifier.
//!
//! The grammar is the pattern that Lambda's own model has for `FunctionName`; every group but the name may be
//! left out.

use std::iter;

use world::Place;

use crate::error::Error;

/// The version that is not published.
pub(crate) const LATEST: &str = "$LATEST";
/// Of a bare name.
pub(crate) const NAME_LENGTH_MAX: usize = 64;
const REFERENCE_LENGTH_MAX: usize = 170;
const QUALIFIER_LENGTH_MAX: usize = 128;

const PATTERN: &str = r"(arn:(aws[a-zA-Z-]*)?:lambda:)?([a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}:)?(\d{12}:)?(function:)?([a-zA-Z0-9-_]+)(:(\$LATEST|[a-zA-Z0-9-_]+))?";

/// What a caller wrote, taken apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Reference<'a> {
    pub(crate) region: Option<&'a str>,
    pub(crate) account: Option<&'a str>,
    pub(crate) name: &'a str,
    pub(crate) qualifier: Option<&'a str>,
}

/// What a qualifier can stand for, by its form alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Qualifier<'a> {
    /// `$LATEST`, or none at all.
    Latest,
    /// A number.
    Version(u64),
    Alias(&'a str),
    /// Nothing ever has such a name.
    Nothing,
}

/// A function of this place: name and qualifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Target<'a> {
    pub(crate) name: &'a str,
    pub(crate) qualifier: Option<&'a str>,
}

impl<'a> Reference<'a> {
    /// Takes `text` apart as the pattern would: each group is taken if the rest still fits with it.
    pub(crate) fn parse(text: &'a str) -> Option<Self> {
        for (_, rest) in ways(text, arn_prefix) {
            for (region, rest) in ways(rest, region_prefix) {
                for (account, rest) in ways(rest, account_prefix) {
                    for (_, rest) in ways(rest, |text| Some(("function", text.strip_prefix("function:")?))) {
                        if let Some((name, qualifier)) = name_and_qualifier(rest) {
                            return Some(Self { region, account, name, qualifier });
                        }
                    }
                }
            }
        }
        None
    }
}

impl<'a> Target<'a> {
    /// The function that `reference` and the `Qualifier` parameter of `operation` name together.
    pub(crate) fn resolve(
        place: &Place,
        operation: &str,
        reference: &'a str,
        qualifier: Option<&'a str>,
    ) -> Result<Self, Error> {
        if reference.len() > REFERENCE_LENGTH_MAX {
            let constraint = format!("Member must have length less than or equal to {REFERENCE_LENGTH_MAX}");
            return Err(Error::constraint(reference, "functionName", &constraint));
        }
        let parsed = Reference::parse(reference).ok_or_else(|| invalid_name(reference))?;
        if let Some(account) = parsed.account.filter(|account| *account != place.account) {
            let arn = place.arn("lambda", &format!("function:{}", parsed.name));
            let arn = arn.replacen(&place.account, account, 1);
            return Err(Error::other_account(&place.account, operation, &arn));
        }
        if let Some(region) = parsed.region.filter(|region| *region != place.region) {
            let ours = &place.region;
            let message = format!("Functions from '{region}' are not reachable in this region ('{ours}')");
            return Err(Error::ResourceNotFound(message));
        }
        if let Some(qualifier) = qualifier {
            check_qualifier(qualifier)?;
        }
        match (parsed.qualifier, qualifier) {
            (Some(of_name), Some(given)) if of_name != given => Err(Error::InvalidParameterValue(
                "The derived qualifier from the function name does not match the specified qualifier.".into(),
            )),
            (of_name, given) => Ok(Self { name: parsed.name, qualifier: given.or(of_name) }),
        }
    }

    /// The ARN, with the qualifier if one was asked for.
    pub(crate) fn arn(self, place: &Place) -> String {
        match self.qualifier {
            Some(qualifier) => place.arn("lambda", &format!("function:{}:{qualifier}", self.name)),
            None => place.arn("lambda", &format!("function:{}", self.name)),
        }
    }

    /// What the qualifier stands for.
    pub(crate) fn kind(self) -> Qualifier<'a> {
        self.qualifier.map_or(Qualifier::Latest, Qualifier::of)
    }
}

impl<'a> Qualifier<'a> {
    pub(crate) fn of(text: &'a str) -> Self {
        if text == LATEST {
            Self::Latest
        } else if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
            // Versions are counted from one and written without zeros in front.
            text.parse().ok().filter(|number: &u64| number.to_string() == text).map_or(Self::Nothing, Self::Version)
        } else if !text.is_empty() && text.bytes().all(is_word) {
            Self::Alias(text)
        } else {
            Self::Nothing
        }
    }
}

/// The text does not fit the pattern of function names.
pub(crate) fn invalid_name(text: &str) -> Error {
    let constraint = format!("Member must satisfy regular expression pattern: {PATTERN}");
    Error::constraint(text, "functionName", &constraint)
}

fn check_qualifier(qualifier: &str) -> Result<(), Error> {
    if qualifier.len() > QUALIFIER_LENGTH_MAX {
        let constraint = format!("Member must have length less than or equal to {QUALIFIER_LENGTH_MAX}");
        return Err(Error::constraint(qualifier, "qualifier", &constraint));
    }
    if qualifier.is_empty() || !qualifier.bytes().all(|byte| is_word(byte) || byte == b'$') {
        let constraint = "Member must satisfy regular expression pattern: (|[a-zA-Z0-9$_-]+)";
        return Err(Error::constraint(qualifier, "qualifier", constraint));
    }
    Ok(())
}

/// With the optional group first, then without it: the order in which a pattern backtracks.
fn ways<'a>(
    text: &'a str,
    group: impl Fn(&'a str) -> Option<(&'a str, &'a str)>,
) -> impl Iterator<Item = (Option<&'a str>, &'a str)> {
    let with = group(text).map(|(group, rest)| (Some(group), rest));
    with.into_iter().chain(iter::once((None, text)))
}

fn arn_prefix(text: &str) -> Option<(&str, &str)> {
    let (partition, rest) = text.strip_prefix("arn:")?.split_once(':')?;
    let fits = match partition.strip_prefix("aws") {
        Some(tail) => tail.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b'-'),
        None => partition.is_empty(),
    };
    fits.then_some(())?;
    Some((partition, rest.strip_prefix("lambda:")?))
}

/// `us-east-1:`, `us-gov-west-1:`.
fn region_prefix(text: &str) -> Option<(&str, &str)> {
    let (region, rest) = text.split_once(':')?;
    let mut parts = region.split('-');
    let country = parts.next()?;
    let parts: Vec<&str> = parts.collect();
    let (partition, direction, number) = match parts.as_slice() {
        [direction, number] => (None, *direction, *number),
        [partition, direction, number] => (Some(*partition), *direction, *number),
        _ => return None,
    };
    let lower = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_lowercase());
    let known = partition.is_none_or(|text| {
        text == "gov" || text.strip_prefix("iso").is_some_and(|tail| tail.is_empty() || tail.len() == 1 && lower(tail))
    });
    let numbered = number.len() == 1 && number.as_bytes()[0].is_ascii_digit();
    (country.len() == 2 && lower(country) && known && lower(direction) && numbered).then_some((region, rest))
}

fn account_prefix(text: &str) -> Option<(&str, &str)> {
    let (account, rest) = text.split_once(':')?;
    (account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit())).then_some((account, rest))
}

fn name_and_qualifier(text: &str) -> Option<(&str, Option<&str>)> {
    let word = |text: &str| !text.is_empty() && text.bytes().all(is_word);
    match text.split_once(':') {
        None => word(text).then_some((text, None)),
        Some((name, qualifier)) => {
            (word(name) && (qualifier == LATEST || word(qualifier))).then_some((name, Some(qualifier)))
        }
    }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_'
}

#[cfg(test)]
mod tests {
    use proptest::option;
    use proptest::prelude::*;

    use super::*;

    fn read<'a>(
        region: Option<&'a str>,
        account: Option<&'a str>,
        name: &'a str,
        qualifier: Option<&'a str>,
    ) -> Reference<'a> {
        Reference { region, account, name, qualifier }
    }

    #[track_caller]
    fn check<'a>(text: &'a str, expected: impl Into<Option<Reference<'a>>>) {
        assert_eq!(Reference::parse(text), expected.into(), "{text}");
    }

    #[test]
    fn reads_every_form() {
        check("f", read(None, None, "f", None));
        check("f:live", read(None, None, "f", Some("live")));
        check("f:$LATEST", read(None, None, "f", Some("$LATEST")));
        check("function:f", read(None, None, "f", None));
        check("123456789012:function:f", read(None, Some("123456789012"), "f", None));
        let arn = "arn:aws:lambda:eu-west-1:123456789012:function:f:7";
        check(arn, read(Some("eu-west-1"), Some("123456789012"), "f", Some("7")));
        let arn = "arn:aws-us-gov:lambda:us-gov-west-1:123456789012:function:f";
        check(arn, read(Some("us-gov-west-1"), Some("123456789012"), "f", None));
    }

    #[test]
    fn backtracks_as_the_pattern_does() {
        check("function:$LATEST", read(None, None, "function", Some("$LATEST")));
        check("123456789012", read(None, None, "123456789012", None));
        check("arn:live", read(None, None, "arn", Some("live")));
    }

    #[test]
    fn refuses_what_is_none() {
        for text in ["", ":", "f:", ":f", "a b", "f:a:b", "function:", "arn:aws:sqs:us-east-1:123456789012:q", "f/g"] {
            check(text, None);
        }
    }

    #[test]
    fn tells_versions_from_aliases() {
        for (text, expected) in [
            ("$LATEST", Qualifier::Latest),
            ("12", Qualifier::Version(12)),
            ("007", Qualifier::Nothing),
            ("99999999999999999999", Qualifier::Nothing),
            ("live", Qualifier::Alias("live")),
            ("1a", Qualifier::Alias("1a")),
            ("$live", Qualifier::Nothing),
        ] {
            assert_eq!(Qualifier::of(text), expected, "{text}");
        }
    }

    fn place() -> Place {
        Place { region: "us-east-1".into(), account: "000000000000".into() }
    }

    #[test]
    fn refuses_other_places() {
        let resolve = |text| Target::resolve(&place(), "Invoke", text, None);
        let error = resolve("arn:aws:lambda:eu-west-1:000000000000:function:f").expect_err("another region");
        assert_eq!(error.to_string(), "Functions from 'eu-west-1' are not reachable in this region ('us-east-1')");
        assert!(matches!(resolve("111111111111:function:f"), Err(Error::AccessDenied(_))));
    }

    #[test]
    fn refuses_two_qualifiers() {
        let error = Target::resolve(&place(), "Invoke", "f:a", Some("b")).expect_err("they differ");
        assert!(error.to_string().contains("does not match the specified qualifier"));
        assert!(Target::resolve(&place(), "Invoke", "f:a", Some("a")).is_ok());
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(
            arn in any::<bool>(),
            account in option::of("[0-9]{12}"),
            name in "[a-zA-Z0-9_-]{1,64}",
            qualifier in option::of(r"\$LATEST|[a-zA-Z][a-zA-Z0-9_-]{0,20}"),
        ) {
            // A name that is itself a keyword of the grammar reads otherwise, there as here.
            prop_assume!(name != "function" && name != "arn" && !(name.len() == 12 && name.bytes().all(|b| b.is_ascii_digit())));
            prop_assume!(region_prefix(&format!("{name}:")).is_none());
            let tail = qualifier.as_ref().map_or(String::new(), |qualifier| format!(":{qualifier}"));
            let text = match (&account, arn) {
                (Some(account), true) => format!("arn:aws:lambda:eu-west-1:{account}:function:{name}{tail}"),
                (Some(account), false) => format!("{account}:function:{name}{tail}"),
                (None, _) => format!("{name}{tail}"),
            };
            let read = Reference::parse(&text).expect("it fits the pattern");
            prop_assert_eq!(read.name, name.as_str());
            prop_assert_eq!(read.qualifier, qualifier.as_deref());
            prop_assert_eq!(read.account, account.as_deref());
        }

        #[test]
        fn nothing_makes_it_panic(text in ".{0,200}", qualifier in option::of(".{0,20}")) {
            let _ = Target::resolve(&place(), "Invoke", &text, qualifier.as_deref());
        }

        #[test]
        fn colons_and_words_in_any_order_are_safe(text in "((arn|aws|lambda|function|us-east-1|000000000000|f|\\$LATEST):?){0,9}") {
            if let Some(read) = Reference::parse(&text) {
                prop_assert!(text.contains(read.name));
            }
        }
    }
}
